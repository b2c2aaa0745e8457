"""A table of the model in the inspector's terms. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.schema import FetchedValue

from sqlalchemy_dynamics.dialect.inserting import ClientKey
from sqlalchemy_dynamics.dialect.sqltypes import sqlalchemy_type
from sqlalchemy_dynamics.metadata.model import Column, Kind, Model, Table

__all__ = [
    "ServerMade",
    "columns",
    "comment",
    "foreign_keys",
    "primary_key",
    "related",
    "unique_constraints",
    "visible",
]

Described = dict[str, Any]

_OWNER = "principal"
_FILLED = frozenset({"ownerid", "transactioncurrencyid"})


class ServerMade(FetchedValue):
    """The server alone makes the value: the ORM never sends it, and reads it back after inserts and updates."""

    def _set_parent(self, parent: Any, **kw: Any) -> None:
        super()._set_parent(parent, **kw)
        parent.server_default = parent.server_onupdate = self


def visible(table: Table | None) -> bool:
    """Whether the table can be read: abstract bases without an entity set cannot."""
    return table is not None and bool(table.entity_set)


def columns(table: Table, files: bool = True) -> list[Described]:
    """The columns in the table's order, with or without files; label as comment; choices, lookup targets and base in
    ``info``."""
    return [_column(column) for column in (table.columns.values() if files else table.listed)]


def primary_key(table: Table) -> Described:
    return {"constrained_columns": [table.primary_key], "name": None}


def foreign_keys(table: Table, model: Model) -> list[Described]:
    """One for each lookup that has a single target; owners and other polymorphic lookups have none to name."""
    found = []
    for column in table.columns.values():
        target = _single_target(column, model)
        if target is not None:
            found.append(_foreign_key(column, target))
    return found


def related(names: Iterable[str], model: Model) -> list[str]:
    """The tables of those names and all that their foreign keys lead to."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        table = model.table(waiting.pop())
        if table is not None and table.name not in found:
            found[table.name] = None
            waiting += [key["referred_table"] for key in foreign_keys(table, model)]
    return list(found)


def unique_constraints(table: Table) -> list[Described]:
    """One for each alternate key."""
    return [{"name": key.name, "column_names": list(key.columns)} for key in table.keys]


def comment(table: Table) -> Described:
    """The label, or the description where there is none."""
    return {"text": table.label or table.description or None}


def _column(column: Column) -> Described:
    described: Described = {
        "name": column.name,
        "type": sqlalchemy_type(column.type, column.length),
        "nullable": column.nullable,
        "default": _default(column),
        "autoincrement": False,
        "comment": column.label or column.description or None,
    }
    return {**described, "info": info} if (info := _info(column)) else described


def _default(column: Column) -> FetchedValue | None:
    """Dataverse fills choices, booleans, owner and currency when a create leaves them out (column defaults)."""
    if column.read_only:
        return ServerMade()
    if column.kind is Kind.KEY:
        return ClientKey()
    filled = column.kind is Kind.CHOICE or column.type.family == "BOOLEAN" or column.name in _FILLED
    return FetchedValue() if filled or column.auto_number or not column.creatable else None


def _info(column: Column) -> Mapping[str, Any]:
    parts = {
        "choices": dict(column.options),
        "targets": sorted(column.navigations),
        "companion_of": column.base,
    }
    return {name: value for name, value in parts.items() if value}


def _single_target(column: Column, model: Model) -> Table | None:
    if column.companion is not None or _OWNER in column.navigations:
        return model.table(_OWNER) if _OWNER in column.navigations and visible(model.table(_OWNER)) else None
    target = model.table(next(iter(column.navigations))) if len(column.navigations) == 1 else None
    return target if visible(target) else None


def _foreign_key(column: Column, target: Table) -> Described:
    return {
        "name": column.navigations[target.name],
        "constrained_columns": [column.name],
        "referred_schema": None,
        "referred_table": target.name,
        "referred_columns": [target.primary_key],
        "options": {},
    }
