"""Changes of the schema, kept in the database beside the rows, so that both survive a restart.

Only what differs from the organisation the sandbox begins with is kept: tables, relationships and choices as JSON, and
the names of those that are gone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sqlalchemy_dynamics.sandbox.schema import Choice, ManyToMany, OneToMany, Organisation, Table

if TYPE_CHECKING:
    from sqlalchemy_dynamics.sandbox.store import Store

__all__ = ["SCHEMA_TABLE", "keep_changes", "restore_changes"]

SCHEMA_TABLE = (
    "CREATE TABLE IF NOT EXISTS ':schema' (kind TEXT, name TEXT, version INTEGER, body TEXT, PRIMARY KEY (kind, name))"
)
_KEEP = (
    "INSERT INTO ':schema' VALUES (?, ?, ?, ?) "
    "ON CONFLICT (kind, name) DO UPDATE SET version = excluded.version, body = excluded.body"
)
_PARTS: dict[str, type] = {
    "choices": Choice,
    "tables": Table,
    "one_to_many": OneToMany,
    "many_to_many": ManyToMany,
}
"""What an organisation consists of, by attribute; choices first, as columns share the global ones."""


def keep_changes(store: Store, before: Organisation, after: Organisation) -> None:
    """Keep what a change made, altered or dropped. A database in memory keeps nothing."""
    if store.in_memory:
        return
    for kind, name, body in _differences(before, after):
        store.execute(_KEEP, (kind, name, after.version, body), counts=False)


def _differences(before: Organisation, after: Organisation) -> Iterator[tuple[str, str, str | None]]:
    for kind in _PARTS:
        old: Mapping[str, Any] = getattr(before, kind)
        new: Mapping[str, Any] = getattr(after, kind)
        for name in dict.fromkeys((*new, *old)):
            if name not in new:
                yield kind, name, None
            elif new[name] is not old.get(name):
                yield kind, name, msgspec.json.encode(new[name]).decode()


def restore_changes(path: str, organisation: Organisation) -> dict[str, int]:
    """Give an organisation the changes kept in a database; returns the versions in which its tables changed.

    Raises sqlite3.DatabaseError for a file that is no database.
    """
    if not Path(path).is_file():
        return {}
    changed: dict[str, int] = {}
    database = sqlite3.connect(path)
    try:
        database.execute(SCHEMA_TABLE)
        rows = database.execute("SELECT kind, name, version, body FROM ':schema' ORDER BY rowid").fetchall()
    finally:
        database.close()
    for kind in _PARTS:
        part = getattr(organisation, kind)
        for _, name, version, body in (row for row in rows if row[0] == kind):
            part.pop(name, None) if body is None else part.update({name: _read(organisation, kind, body)})
            organisation.version = max(organisation.version, version)
            changed |= {name: version} if kind == "tables" else {}
    if rows:
        organisation.changed()
        organisation.version -= 1
    return changed


def _read(organisation: Organisation, kind: str, body: str) -> Any:
    made: Any = msgspec.json.decode(body, type=_PARTS[kind])
    if isinstance(made, Table):
        for column in made.columns.values():
            if column.choice is not None and column.choice.is_global:
                column.choice = organisation.choices.get(column.choice.name, column.choice)
    return made
