"""`insert()` with ON CONFLICT, and the default that gives rows their keys here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import null, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import ColumnDefault, FetchedValue

from sqlalchemy_dynamics.execute.combs import new_key

__all__ = ["ClientKey", "Insert", "client_key", "insert", "with_own_keys"]


class Insert(postgresql.Insert):
    """INSERT with `on_conflict_do_update`, `on_conflict_do_nothing` and `excluded`, on the key or an alternate key."""

    stringify_dialect = "dynamics"
    inherit_cache = False


def insert(table: Any) -> Insert:
    """Return an INSERT into a table or mapped class that can be an upsert."""
    return Insert(table)


def client_key(context: Any) -> str:
    """A new key, for ``default=`` of key columns: creates can then be repeated, and many rows sent at once."""
    return new_key()


def with_own_keys(statement: Any) -> Any:
    """The INSERT … SELECT with NULL for the key, which gives each row its own: a default would be one for all rows."""
    if statement.select is None or not statement.include_insert_from_select_defaults:
        return statement
    named = set(statement._select_names)
    keys = [
        column
        for column in statement.table.primary_key
        if column.key not in named and column.default is not None and column.default.is_callable
    ]
    if not keys:
        return statement
    clone, rows = statement._clone(), statement.select
    clone._select_names = [*statement._select_names, *(column.key for column in keys)]
    if not hasattr(rows, "add_columns"):
        given = rows.subquery()
        rows = select(*given.c)
    clone.select = rows.add_columns(*(null() for _ in keys))
    return clone


class ClientKey(FetchedValue):
    """Stands for the default of a reflected key column: the value is made here, not fetched."""

    def _set_parent(self, parent: Any, **kw: Any) -> None:
        self.column = parent
        ColumnDefault(client_key)._set_parent(parent)
