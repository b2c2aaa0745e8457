"""The frozen result of reading connection properties."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from sqlalchemy_dynamics.settings.properties import PROPERTIES, fold, index
from sqlalchemy_dynamics.settings.values import Value

__all__ = ["Settings"]

_ROWS = index(PROPERTIES)
_Kind = TypeVar("_Kind", str, int, float, bool)


@dataclass(frozen=True, eq=False, repr=False)
class Settings(Mapping[str, Value]):
    """Every connection property with its value: ``settings["Timeout"]``, names in any case or by alias.

    An unset property has its default, None or "" when it has none. `sources` tells where the explicit ones came from
    (``connect_args``, ``URL``, ``environment``). `sandbox_options` is None unless the organisation is the sandbox in
    this process. Never pickled; the repr masks secrets.
    """

    values_by_name: Mapping[str, Value]
    sources: Mapping[str, str]
    sandbox_options: Mapping[str, Value | tuple[str, ...]] | None = None

    def __getitem__(self, name: str) -> Value:
        return self.values_by_name[_ROWS[fold(name)].name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def explicit(self, name: str) -> bool:
        """Whether somebody set the property, be it to its default."""
        return _ROWS[fold(name)].name in self.sources

    def text(self, name: str) -> str:
        """The value of a text or choice, "" when unset."""
        return self._typed(name, str, "")

    def number(self, name: str) -> int:
        """The value of a whole number or a size in bytes."""
        return self._typed(name, int, 0)

    def seconds(self, name: str) -> float:
        """The value of a time."""
        return self._typed(name, float, 0.0)

    def flag(self, name: str) -> bool:
        """The value of a switch."""
        return self._typed(name, bool, False)

    def _typed(self, name: str, kind: type[_Kind], unset: _Kind) -> _Kind:
        value = self[name]
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name} is {type(value).__name__}, not {kind.__name__}")
        return unset if value is None else value

    @property
    def organization_url(self) -> str:
        """``https://host[:port]``, "" for the sandbox in this process."""
        return self.text("OrganizationUrl")

    @property
    def is_sandbox(self) -> bool:
        """Whether the organisation is ``dynamics://sandbox``."""
        return self.sandbox_options is not None

    @cached_property
    def fingerprint(self) -> str:
        """A hash over all values: equal settings, equal fingerprint; it tells no secret."""
        return self.digest(self.values_by_name)

    def digest(self, names: Iterable[str]) -> str:
        """SHA-256 over the values of some properties and the sandbox's options."""
        values = [(name, str(self[name])) for name in names]
        options = sorted((self.sandbox_options or {}).items()) if self.is_sandbox else None
        return hashlib.sha256(repr((values, options)).encode("utf-8", "surrogatepass")).hexdigest()

    def url_text(self) -> str:
        """The settings as a URL with every secret masked."""
        from sqlalchemy_dynamics.settings.writing import masked_url

        return masked_url(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"<Settings {self.url_text()}>"
