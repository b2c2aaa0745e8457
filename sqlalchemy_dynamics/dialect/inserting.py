"""`insert()` with ON CONFLICT, and the default that gives rows their keys here."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import ColumnDefault, FetchedValue

from sqlalchemy_dynamics.execute.combs import new_key

__all__ = ["ClientKey", "Insert", "client_key", "insert"]


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


class ClientKey(FetchedValue):
    """Stands for the default of a reflected key column: the value is made here, not fetched."""

    def _set_parent(self, parent: Any, **kw: Any) -> None:
        self.column = parent
        ColumnDefault(client_key)._set_parent(parent)
