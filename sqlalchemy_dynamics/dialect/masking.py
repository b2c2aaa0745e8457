"""The URL of an engine, with the secrets among its properties masked as SQLAlchemy masks a password."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus

from sqlalchemy.engine.url import URL

from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.settings import PROPERTIES, SANDBOX_OPTIONS
from sqlalchemy_dynamics.settings.pairs import split
from sqlalchemy_dynamics.settings.properties import fold, index

__all__ = ["MaskedURL"]

_ROWS = index((*PROPERTIES, *SANDBOX_OPTIONS))
_MASK = "***"


class MaskedURL(URL):
    """Equal to the URL it is made of; renders the real values when `hide_password` is false."""

    @classmethod
    def of(cls, url: URL) -> MaskedURL:
        """The same URL, masked. (SQLAlchemy 1.4 gives `URL()` a meaning of its own.)"""
        return tuple.__new__(cls, url)

    def render_as_string(self, hide_password: bool = True) -> str:
        """The URL as text."""
        plain: Any = tuple.__new__(URL, self)
        if not hide_password or not self.query:
            return str(plain.render_as_string(hide_password=hide_password))
        pairs = [(name, value) for name, values in self.query.items() for value in _several(values)]
        bare = plain._replace(query={}).render_as_string(hide_password=True)
        return f"{bare}?" + "&".join(f"{name}={_hidden(name, value)}" for name, value in sorted(pairs))

    def __repr__(self) -> str:
        return self.render_as_string()

    __str__ = __repr__  # SQLAlchemy 1.4 would show the password here

    def __hash__(self) -> int:
        return hash(tuple.__new__(URL, self))


def _several(values: str | Iterable[str]) -> Iterable[str]:
    return (values,) if isinstance(values, str) else values


def _hidden(name: str, value: str) -> str:
    """A value of the query, which may hold further properties behind semicolons."""
    try:
        first, *more = split(f"{name}={value}")
    except InterfaceError:
        return _MASK
    shown = [_shown(*first), *(f"{inner}={_shown(inner, text)}" for inner, text in more)]
    return ";".join(shown)


def _shown(name: str, value: object) -> str:
    row = _ROWS.get(fold(name))
    return _MASK if row is None or row.secret else quote_plus(str(value))
