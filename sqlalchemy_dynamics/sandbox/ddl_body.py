"""Bodies of schema changes: a JSON object read member by member, unknown members refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy_dynamics.sandbox.definitions_types import TYPES, members_of
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, ODataError, payload_refusal
from sqlalchemy_dynamics.sandbox.labels import Texts, read_label

__all__ = ["Body", "invalid"]

T = TypeVar("T")
_EXTRA = {
    "EntityMetadata": frozenset({"Attributes", "PrimaryAttribute", "HasActivities"}),
    "OneToManyRelationshipMetadata": frozenset({"Lookup"}),
    "EntityKeyMetadata": frozenset[str](),
}
_ENUM = re.compile(r"^(?:[\w.]+')?(\w+)'?$")


def invalid(message: str) -> ODataError:
    """Return the 400 for a value the schema cannot take (0x80040203 InvalidArgument)."""
    return ODataError(400, "0x80040203", message)


class Body:
    """One JSON object of a request. `type` is its ``@odata.type`` without namespace, `#` and ``Complex``."""

    def __init__(self, values: object, declared: str) -> None:
        if not isinstance(values, Mapping):
            raise payload_refusal(f"A value of the type '{NAMESPACE}.{declared}' must be a JSON object.")
        self.values: Mapping[str, object] = values
        named = str(values.get("@odata.type") or "").lstrip("#").removeprefix(f"{NAMESPACE}.")
        self.type = (named.removeprefix("Complex") or declared) if named != "ComplexType" else declared
        if named and self.type not in TYPES and declared in TYPES:
            raise payload_refusal(f"A type named '{named}' could not be resolved by the model.")

    def check(self) -> Body:
        """Refuse members the type does not declare; returns itself."""
        known = members_of(self.type) | TYPES[self.type].links.keys() | _EXTRA.get(self.type, frozenset())
        for name in self.values:
            if "@" not in name and name not in known:
                raise payload_refusal(
                    f"The property '{name}' does not exist on type '{NAMESPACE}.{self.type}'. Make sure to only use "
                    "property names that are defined by the type."
                )
        return self

    def given(self, name: str) -> bool:
        """Return whether the member is there and not null."""
        return self.values.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """Return a text member."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise payload_refusal(f"Cannot convert the value of '{name}' to the expected type 'Edm.String'.")
        return value or default

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a Boolean member, or the Value of a managed property."""
        value = self._plain(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise payload_refusal(f"Cannot convert the value of '{name}' to the expected type 'Edm.Boolean'.")
        return value

    def number(self, name: str, default: float | None = None) -> float | None:
        """Return a numeric member; whole numbers stay whole."""
        return self._converted(name, _number, default)

    def whole(self, name: str, default: int) -> int:
        """Return an integer member."""
        found = self._converted(name, _whole, default)
        return default if found is None else found

    def _converted(self, name: str, convert: Callable[[object], T], default: T | None) -> T | None:
        value = self.values.get(name)
        if value is None:
            return default
        try:
            return convert(value)
        except (TypeError, ValueError):
            raise payload_refusal(
                f"Cannot convert the literal '{value}' of '{name}' to the expected numeric type."
            ) from None

    def choice(self, name: str, allowed: frozenset[str], default: str) -> str:
        """Return a member of an enumeration, by name; complex ones carry it as Value."""
        value = self._plain(name)
        if value is None or value == "":
            return default
        match = _ENUM.match(str(value))
        if match is None or match[1] not in allowed:
            raise invalid(f"'{value}' is no value of {name}. Use one of {', '.join(sorted(allowed))}.")
        return match[1]

    def _plain(self, name: str) -> object:
        value = self.values.get(name)
        return value.get("Value") if isinstance(value, Mapping) else value

    def label(self, name: str) -> Texts:
        """Return the texts of a label member."""
        return read_label(self.values.get(name))

    def names(self, name: str) -> list[str]:
        """Return a list of texts."""
        value = self.values.get(name)
        if value is not None and (not isinstance(value, list) or not all(isinstance(item, str) for item in value)):
            raise payload_refusal(
                f"Cannot convert the value of '{name}' to the expected type 'Collection(Edm.String)'."
            )
        return list(value or [])

    def items(self, name: str) -> list[object]:
        """Return a list of objects."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, list):
            raise payload_refusal(f"The value of '{name}' must be a collection.")
        return list(value or [])

    def inner(self, name: str, declared: str) -> Body:
        """Return an object member."""
        return Body(self.values.get(name), declared)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    found = float(value)
    return int(found) if found.is_integer() and isinstance(value, int) else found


def _whole(value: object) -> int:
    found = _number(value)
    if found != int(found):
        raise ValueError
    return int(found)
