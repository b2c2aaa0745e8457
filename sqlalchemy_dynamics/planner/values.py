"""A value for a column as members of a JSON body: bindings of lookups, choices by label, texts in the right form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import cast

from sqlalchemy_dynamics.errors import DataError, NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column, Companion, Kind, Table
from sqlalchemy_dynamics.odata.literals import convert, json_value
from sqlalchemy_dynamics.planner.change_plan import LeftOut

__all__ = ["SetOf", "UnknownTarget", "body_of", "held_value", "key_value", "read_only_text", "rounded"]

SetOf = Callable[[str], str | None]
"""Logical or entity set name of a table to its entity set name, None for an unknown one."""
_FIRST_YEAR = 1753  # dataverse-web-api: SQL Server's datetime
_ABSTRACT_OWNER = "principal"
_AS_THEY_ARE = (str, int, float, Decimal)
_MULTIPLE = (list, tuple, set, frozenset)
_WIDE = Context(prec=100, rounding=ROUND_HALF_EVEN)
"""Room for 38 digits and any scale, whatever the application's own context is."""


class UnknownTarget(Exception):
    """A bare GUID is given to a lookup that leads to several tables: `targets` are the tables it may be in."""

    def __init__(self, column: Column, key: str, targets: Sequence[str]) -> None:
        super().__init__(column.name)
        self.column, self.key, self.targets = column, key, tuple(targets)


def body_of(
    table: Table, given: Mapping[Column, object], set_of: SetOf, known: Mapping[str, str], *, creating: bool
) -> dict[str, object]:
    """Return the JSON body that gives a row these values.

    On a create NULL is left out, so that the service's own default stands. `known` says which table an id is in.
    Raises DataError or ProgrammingError naming the column, UnknownTarget when a lookup's table must be found first.
    """
    types = {column.base: value for column, value in given.items() if column.companion is Companion.TYPE}
    body: dict[str, object] = {}
    for column, value in given.items():
        if isinstance(value, LeftOut) or (value is None and creating) or column.companion is Companion.TYPE:
            continue
        if not (column.creatable if creating else column.updatable):
            raise ProgrammingError(read_only_text(table, column, "inserted" if creating else "updated"))
        if column.kind is Kind.LOOKUP:
            body.update(_bound(table, column, value, types.get(column.name), set_of, known))
        elif column.kind not in (Kind.FILE, Kind.FILE_NAME):
            body[column.wire] = _plain(table, column, value)
    _refuse_lone_types(table, given, types)
    return body


def held_value(table: Table, column: Column, value: object) -> object:
    """Return a value as it can be computed with: choices as their numbers, lookups as their keys."""
    if column.kind is Kind.LOOKUP and isinstance(value, (tuple, list)) and len(value) == 2:
        return value[1]
    return _plain(table, column, value) if column.options else value


def key_value(table: Table, column: Column, value: object) -> object:
    """Return a key's value as the service keeps it: a choice's number, decimals and moments as it rounds them.

    A lookup's table stays with it. Raises DataError naming the column.
    """
    if column.kind is Kind.LOOKUP:
        if isinstance(value, (tuple, list)) and len(value) == 2:
            return value[0], _converted(table, column, value[1])
        return None if value is None else _converted(table, column, value)
    plain = _plain(table, column, value)
    found = None if plain is None else _converted(table, column, plain)
    if isinstance(found, Decimal) and column.type.scale is not None:
        return rounded(found, column.type.scale)
    return found.replace(microsecond=0) if isinstance(found, datetime) else found


def rounded(number: Decimal, scale: int) -> Decimal:
    """Return a finite number of up to 38 digits with so many decimal places, as the service rounds it."""
    return number.quantize(Decimal((0, (1,), -scale)), context=_WIDE)


def read_only_text(table: Table, column: Column, how: str) -> str:
    """Say why a column cannot be set, and what to do instead."""
    name = f"{table.name}.{column.name}"
    if column.companion is not None:
        return f"{name} only shows {column.base}: set {column.base} instead"
    if column.name == "versionnumber":
        return f"{name} is made by the service: map it with version_id_generator=False"
    if column.name == "createdon":
        return f"{name} is made by the service: set overriddencreatedon when inserting instead"
    if column.name.endswith("_base") and column.name[:-5] in table.columns:
        return f"{name} is computed by the service: set {column.name[:-5]} instead"
    other = "insert" if column.creatable else "update" if column.updatable else ""
    hint = f"only an {other.upper()} may set it" if other else "leave it out"
    return f"{name} cannot be {how}: {hint}"


def _refuse_lone_types(table: Table, given: Mapping[Column, object], types: Mapping[str, object]) -> None:
    names = {column.name for column in given}
    lone = next((base for base, value in types.items() if value is not None and base not in names), None)
    if lone is not None:
        raise ProgrammingError(f"{table.name}.{lone}type says which table {lone} leads to: set {lone} as well")
    named = (column for column, value in given.items() if column.kind is Kind.FILE_NAME and value is not None)
    alone = next((column for column in named if column.base not in names), None)
    if alone is not None:
        raise ProgrammingError(f"{table.name}.{alone.name} names the file that is sent: set {alone.base} as well")


def _bound(
    table: Table, column: Column, value: object, kind: object, set_of: SetOf, known: Mapping[str, str]
) -> Iterator[tuple[str, object]]:
    if value is None:
        yield f"{next(iter(column.navigations.values()))}@odata.bind", None
        return
    if isinstance(value, (tuple, list)) and len(value) == 2:
        kind, value = value
    key = _converted(table, column, value)
    target = _target(table, column, str(key), kind, known)
    navigation = _navigation(table, column, target)
    entity_set = set_of(target)
    if entity_set is None:
        raise ProgrammingError(f"{table.name}.{column.name}: there is no table {target}")
    yield f"{navigation}@odata.bind", f"/{entity_set}({key})"


def _target(table: Table, column: Column, key: str, kind: object, known: Mapping[str, str]) -> str:
    if kind is not None:
        return str(kind).lower()
    targets = [name for name in column.navigations if name != _ABSTRACT_OWNER] or list(column.navigations)
    if not targets:
        raise NotSupportedError(f"{table.name}.{column.name} has no navigation property to bind")
    if len(targets) == 1:
        return targets[0]
    found = known.get(key)
    if found is None:
        raise UnknownTarget(column, key, targets)
    return found


def _navigation(table: Table, column: Column, target: str) -> str:
    if target not in column.navigations:
        raise DataError(f"{table.name}.{column.name} leads to {', '.join(sorted(column.navigations))}, not to {target}")
    return column.navigations[target]


def _plain(table: Table, column: Column, value: object) -> object:
    if value is None:
        return None
    if column.kind is Kind.MULTICHOICE:
        return ",".join(str(_option(table, column, each)) for each in _chosen(value)) or None
    if column.options and isinstance(value, str) and not _is_number(value):
        found = _option(table, column, value)
        return bool(found) if column.type.family == "BOOLEAN" else found
    converted = _converted(table, column, value)
    if column.length is not None and isinstance(converted, str) and len(converted) > column.length:
        raise DataError(f"{table.name}.{column.name} takes {column.length} characters, not {len(converted)}")
    if isinstance(converted, date) and converted.year < _FIRST_YEAR:
        raise DataError(f"{table.name}.{column.name} takes dates from {_FIRST_YEAR}-01-01 on, not {value}")
    if column.lowest is not None or column.highest is not None:
        _refuse_out_of_range(table, column, converted)
    return converted if isinstance(converted, _AS_THEY_ARE) else json_value(converted, column.edm)


def _refuse_out_of_range(table: Table, column: Column, value: object) -> None:
    """The service rounds to the column's scale before it looks at the range."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if column.type.scale is not None and number.is_finite():
        number = rounded(number, column.type.scale)
    low, high = column.lowest, column.highest
    if (low is not None and not number >= low) or (high is not None and not number <= high):
        raise DataError(f"{table.name}.{column.name} takes numbers from {low} to {high}, not {value}")


def _chosen(value: object) -> Sequence[object]:
    if isinstance(value, _MULTIPLE):
        return sorted(value, key=str) if isinstance(value, (set, frozenset)) else list(value)
    return [part.strip() for part in re.split("[,;]", value)] if isinstance(value, str) else [value]


def _option(table: Table, column: Column, value: object) -> int:
    if not isinstance(value, str) or _is_number(value):
        return cast("int", _converted(table, column, value, "Edm.Int32"))
    wanted = value.strip().casefold()
    found = [number for number, label in column.options.items() if label.casefold() == wanted]
    if not found and wanted in ("true", "false") and column.type.family == "BOOLEAN":
        found = [int(wanted == "true")]
    if not found:
        labels = ", ".join(f"{number} {label}" for number, label in list(column.options.items())[:12])
        labels += f", and {len(column.options) - 12} more" if len(column.options) > 12 else ""
        raise DataError(f"{table.name}.{column.name} has no choice {value!r}: it has {labels or 'none'}")
    return found[0]


def _is_number(text: str) -> bool:
    return text.strip().lstrip("+-").isdigit()


def _converted(table: Table, column: Column, value: object, edm: str | None = None) -> object:
    try:
        return convert(value, edm or column.edm)
    except DataError as error:
        raise DataError(f"{table.name}.{column.name}: {error}") from None
