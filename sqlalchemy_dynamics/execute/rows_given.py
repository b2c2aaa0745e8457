"""Rows as arguments of operations: ``(table, guid)``, ``'table:guid'``, a guid where the table is known, or JSON."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy_dynamics.errors import DatabaseError, DataError, ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column, Model, Table
from sqlalchemy_dynamics.odata.changes import row_address
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.odata.operations import NAMESPACE
from sqlalchemy_dynamics.planner.values import UnknownTarget, body_of

__all__ = ["BASES", "Row", "described", "fits", "near", "row_of"]

BASES = frozenset({"crmbaseentity", "crmmodelbaseentity", "expando"})
"""Types that stand for a row of any table."""
_PAIR = re.compile(r"\s*/?(\w+)\s*(?::\s*|\(\s*)([^)]*?)\s*\)?\s*")
_GUID = re.compile(r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?")


@dataclass(frozen=True)
class Row:
    """A row that exists: its table and its id."""

    table: Table
    key: str

    @property
    def address(self) -> str:
        """``accounts(7eb6…)``."""
        return row_address(self.table.entity_set, self.key)

    @property
    def described(self) -> dict[str, object]:
        """The row as the body of an action names it."""
        wire = self.table.columns[self.table.primary_key].wire
        return {"@odata.type": f"{NAMESPACE}.{self.table.name}", wire: self.key}


def near(name: str, known: Any) -> str:
    """Return "; did you mean …?" for names like the one given, ``""`` when there are none."""
    by_fold = {each.lower(): each for each in known}
    found = get_close_matches(name.lower(), by_fold, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(by_fold[each] for each in found)}?" if found else ""


def fits(table: Table, kind: str) -> bool:
    """Return whether a row of the table may stand where a row of that type is declared."""
    return kind in BASES or kind in (table.name, table.base)


def row_of(model: Model, value: Any, kind: str, what: str) -> Row | None:
    """Return the row a value names; None for a value that names none (JSON, other texts).

    Raises DataError or ProgrammingError for an unknown table, a guid that is none, a row of another table.
    """
    pair = _pair(value)
    if pair is None:
        return None
    name, key = pair
    if not name and (kind in BASES or model.table(kind) is None):
        raise DataError(f"{what} takes a row of any table: give ('account', guid) or 'account:guid'")
    table = model.table(name or kind)
    if table is None or not table.entity_set:
        raise ProgrammingError(f"{what}: there is no table {name or kind}{near(name or kind, model.tables)}")
    if not fits(table, kind):
        raise DataError(f"{what} takes a row of {kind}, not of {table.name}")
    try:
        return Row(table, str(convert(key, "Edm.Guid")))
    except DataError:
        raise DataError(f"{what}: {str(key)!r} is not the id of a row") from None


def _pair(value: Any) -> tuple[str, Any] | None:
    if isinstance(value, uuid.UUID):
        return "", value
    if isinstance(value, (tuple, list)) and len(value) == 2 and isinstance(value[0], str):
        return value[0], value[1]
    if not isinstance(value, str):
        return None
    if _GUID.fullmatch(value.strip()):
        return "", value.strip().strip("{}")
    found = _PAIR.fullmatch(value)
    return None if found is None else (found[1], found[2])


def described(model: Model, given: Mapping[str, Any], kind: str, what: str) -> dict[str, object]:
    """Return a row that is told member by member: columns by their SQL names, annotations as they are.

    Lookups become bindings, choices may be labels. Raises DataError or ProgrammingError naming the column.
    """
    if "@odata.id" in given:
        return dict(given)
    named = str(given.get("@odata.type", "")).lstrip("#").removeprefix(f"{NAMESPACE}.") or kind
    table = model.table(named)
    if table is None:
        hint = "give '@odata.type', such as 'account'" if named in BASES else f"there is no table {named}"
        raise DataError(f"{what}: {hint}{near(named, model.tables)}")
    if not fits(table, kind):
        raise DataError(f"{what} takes a row of {kind}, not of {table.name}")
    body: dict[str, object] = {"@odata.type": f"{NAMESPACE}.{table.name}"}
    columns: dict[Column, object] = {}
    for name, value in given.items():
        column = None if "@" in name else table.column(name)
        if column is not None:
            columns[column] = value
        elif "@" in name or name in table.navigations:
            body |= {} if name == "@odata.type" else {name: value}
        else:
            raise ProgrammingError(f"{what}: {table.name} has no column {name}{near(name, table.columns)}")
    return body | _members(model, table, columns, what)


def _members(model: Model, table: Table, columns: Mapping[Column, object], what: str) -> dict[str, object]:
    """The columns of a row that is made or changed, as the operation likes; NULL clears."""

    def set_of(target: str) -> str | None:
        found = model.table(target)
        return None if found is None else found.entity_set

    made = {each: value for each, value in columns.items() if value is not None and (each.creatable or each.companion)}
    changed = {each: value for each, value in columns.items() if each not in made}
    try:
        return {
            **body_of(table, made, set_of, {}, creating=True),
            **body_of(table, changed, set_of, {}, creating=False),
        }
    except UnknownTarget as unknown:
        name, targets = unknown.column.name, unknown.targets
        raise DataError(f"{what}: {name} may lead to {', '.join(targets)}: give ['{targets[0]}', guid]") from None
    except DatabaseError as error:
        error.args = (f"{what}: {error.args[0]}",)
        raise
