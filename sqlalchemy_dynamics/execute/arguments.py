"""The arguments of functions and actions, checked and converted by their declared types before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy_dynamics.errors import DataError, ProgrammingError
from sqlalchemy_dynamics.execute.rows_given import BASES, described, near, row_of
from sqlalchemy_dynamics.metadata.model import Model
from sqlalchemy_dynamics.metadata.operations import Enumeration, Operation, Operations, Parameter
from sqlalchemy_dynamics.odata.literals import convert, json_value
from sqlalchemy_dynamics.odata.operations import NAMESPACE, Typed

__all__ = ["Arguments"]


@dataclass(frozen=True)
class Arguments:
    """Reads the arguments of one operation. `model` has the tables that rows may be of."""

    known: Operations
    model: Model
    operation: Operation

    def typed(self, values: Mapping[str, Any]) -> dict[str, Typed]:
        """Return the arguments in the order of the declaration. `values` go by lower-case name.

        Raises ProgrammingError for a name that is unknown or missing, DataError for a value of another type.
        """
        declared = {parameter.name.lower(): parameter for parameter in self.operation.parameters}
        for name in values:
            if name not in declared:
                raise ProgrammingError(self._unknown(name))
        for name, parameter in declared.items():
            if parameter.required and values.get(name) is None:
                raise ProgrammingError(f"{self.operation.name} needs @{parameter.name} ({self._told(parameter)})")
        return {
            parameter.name: (self._value(parameter, values[name]), parameter.type, parameter.collection)
            for name, parameter in declared.items()
            if name in values
        }

    def _unknown(self, name: str) -> str:
        names = [parameter.name for parameter in self.operation.parameters]
        there = f"it has {', '.join(names)}" if names else "it has none"
        return f"{self.operation.name} has no input {name}{near(name, names)}; {there}"

    def _told(self, parameter: Parameter) -> str:
        """What a parameter takes, in words."""
        kind = parameter.type.removeprefix("Edm.")
        if parameter.type in self.known.enumerations:
            kind = " | ".join(self.known.enumerations[parameter.type].members)
        elif parameter.type in BASES:
            kind = "a row: ('account', guid), 'account:guid' or JSON"
        elif self.model.table(parameter.type) is not None:
            kind = f"a row of {parameter.type}: its guid or JSON"
        return f"a list of {kind}" if parameter.collection else kind

    def _value(self, parameter: Parameter, value: Any, path: str = "") -> Any:
        what = f"{self.operation.name}: {path}{parameter.name}"
        if value is None:
            return None
        if not parameter.collection:
            return self._one(parameter, value, what)
        items = _read(what, value, "[") if isinstance(value, str) else value
        if not isinstance(items, (list, tuple)):
            raise DataError(f"{what} takes a list, or the text of a JSON array")
        return [self._one(parameter, item, f"{what}[{number}]") for number, item in enumerate(items)]

    def _one(self, parameter: Parameter, value: Any, what: str) -> Any:
        kind = parameter.type
        if kind.startswith("Edm."):
            return _scalar(value, kind, what)
        if kind in self.known.enumerations:
            return _named(self.known.enumerations[kind], value, what)
        if kind in self.known.complex_types:
            return self._complex(kind, value, what)
        return self._row(kind, value, what)

    def _row(self, kind: str, value: Any, what: str) -> Any:
        found = row_of(self.model, value, kind, what)
        if found is not None:
            return {"@odata.id": found.address} if self.operation.is_function else found.described
        given = _read(what, value, "{") if isinstance(value, str) else value
        if not isinstance(given, Mapping):
            raise DataError(f"{what} takes a row: (table, guid), 'table:guid', a mapping or JSON")
        return described(self.model, given, kind, what)

    def _complex(self, kind: str, value: Any, what: str) -> Any:
        given = _read(what, value, "{") if isinstance(value, str) else value
        if not isinstance(given, Mapping):
            raise DataError(f"{what} takes a mapping or JSON with {', '.join(self.known.complex_types[kind]) or kind}")
        named = str(given.get("@odata.type", "")).lstrip("#").removeprefix(f"{NAMESPACE}.")
        members = self.known.complex_types.get(named or kind, {})
        made: dict[str, Any] = {}
        for name, member in given.items():
            if "@" in name or not members:
                made[name] = member
            elif name in members:
                made[name] = self._value(members[name], member, f"{what.partition(': ')[2]}.")
            else:
                raise ProgrammingError(f"{what}: {named or kind} has no {name}{near(name, members)}")
        return made


def _scalar(value: Any, kind: str, what: str) -> Any:
    try:
        return json_value(convert(value, kind), kind)
    except DataError as error:
        raise DataError(f"{what}: {error}") from None


def _named(enumeration: Enumeration, value: Any, what: str) -> str:
    """Return the names of members: given by name in any case, by number, or by several of either."""
    by_fold = {name.lower(): name for name in enumeration.members}
    if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
        value = value.split(",")
    names = [
        _member(enumeration, by_fold, each, what) for each in (value if isinstance(value, (list, tuple)) else [value])
    ]
    if len(names) > 1 and not enumeration.flags:
        raise DataError(f"{what} takes one of {', '.join(enumeration.members)}")
    return ", ".join(names)


def _member(enumeration: Enumeration, by_fold: Mapping[str, str], value: Any, what: str) -> str:
    text = str(value).strip()
    if text.lower() in by_fold:
        return by_fold[text.lower()]
    number = int(text) if text.lstrip("-").isdigit() and not isinstance(value, bool) else None
    exact = next((name for name, each in enumeration.members.items() if each == number), None)
    if exact is not None:
        return exact
    parts = [name for name, each in enumeration.members.items() if number and each and number & each == each]
    if enumeration.flags and number and sum(enumeration.members[name] for name in parts) == number:
        return ", ".join(parts)
    raise DataError(f"{what}: {text!r} is none of {', '.join(enumeration.members)}{near(text, enumeration.members)}")


def _read(what: str, text: str, opening: str) -> Any:
    try:
        if text.lstrip()[:1] == opening:
            return json.loads(text, parse_float=Decimal)
    except ValueError:
        pass
    kind = "array" if opening == "[" else "object"
    raise DataError(f"{what} takes a {'list' if opening == '[' else 'row'}, or the text of a JSON {kind}")
