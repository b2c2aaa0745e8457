"""The same tables in SQLite, with the service's rules as triggers: what rows point to, what a DELETE does to others."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .tables import CHOICES, ENDS, LINKS, TABLES, columns_of, fold

__all__ = ["REFUSED", "Model", "open_model"]

REFUSED = "refused"
_TYPES = {"int": "INTEGER", "big": "INTEGER", "flag": "INTEGER DEFAULT 0", "choice": "INTEGER", "money": "REAL"}
_GONE = {
    "cascade": "DELETE FROM {child} WHERE {test};",
    "restrict": "SELECT RAISE(ABORT, 'restricted') WHERE EXISTS (SELECT 1 FROM {child} WHERE {test});",
    "clear": "UPDATE {child} SET {sets} WHERE {test};",
}


def open_model() -> sqlite3.Connection:
    """Return an empty model, in autocommit mode."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.create_collation("service", lambda one, two: (fold(one) > fold(two)) - (fold(one) < fold(two)))
    database.create_function("like", 2, _like, deterministic=True)
    database.create_function("upper", 1, lambda text: None if text is None else str(text).upper(), deterministic=True)
    for setting in ("recursive_triggers = ON", "automatic_index = OFF"):  # indexes made on the way forget the collation
        database.execute(f"PRAGMA {setting}")
    database.executescript("\n".join(_schema()))
    return database


def _like(pattern: str, text: str | None) -> bool | None:
    """LIKE for patterns of one % at the end."""
    return None if text is None else fold(text).startswith(fold(pattern.removesuffix("%")))


def _schema() -> Iterator[str]:
    for name, table in TABLES.items():
        columns = [f"{table.key} TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16))))"]
        columns += [f"{column} {_type(name, column, kind)}" for column, kind in columns_of(name)]
        yield f"CREATE TABLE {name} ({', '.join(columns)});"
    yield f"CREATE TABLE {LINKS} (opportunityid TEXT, competitorid TEXT, PRIMARY KEY ({', '.join(ENDS)}));"
    for name, table in TABLES.items():
        for column, kind in table.columns.items():
            targets = kind.split() if kind.split()[0] in TABLES else []
            yield from _pointing(name, column, targets)
            for target in targets:
                yield _leaving(name, column, target, len(targets) > 1, table.deleted.get(column, "clear"))
    for column, target in zip(ENDS, ("opportunity", "competitor"), strict=True):
        yield from _pointing(LINKS, column, [target])
        yield _leaving(LINKS, column, target, False, "cascade")


def _type(table: str, column: str, kind: str) -> str:
    text = _TYPES.get(kind, "TEXT COLLATE service" if kind == "text" else "TEXT")
    if column in CHOICES and kind == "choice":
        text += f" CHECK ({column} IN ({', '.join(map(str, CHOICES[column]))}))"
    if column in TABLES[table].longest:
        text += f" CHECK (length({column}) <= {TABLES[table].longest[column]})"
    return text + (" UNIQUE" if column == "new_code" else "")


def _pointing(table: str, column: str, targets: Sequence[str]) -> Iterator[str]:
    """A row must not point to one that is not there."""
    for target in targets:
        which = f" AND NEW.{column}type = '{target}'" if len(targets) > 1 else ""
        missing = (
            f"SELECT RAISE(ABORT, 'no such row') WHERE NEW.{column} IS NOT NULL{which} AND NOT EXISTS "
            f"(SELECT 1 FROM {target} WHERE {TABLES[target].key} = NEW.{column});"
        )
        for when in ("INSERT", f"UPDATE OF {column}"):
            name = f"{table}_{column}_{target}_{when.split()[0]}"
            yield f"CREATE TRIGGER {name} BEFORE {when} ON {table} BEGIN {missing} END;"


def _leaving(child: str, column: str, target: str, several: bool, behaviour: str) -> str:
    test = f"{column} = OLD.{TABLES[target].key}" + (f" AND {column}type = '{target}'" if several else "")
    sets = f"{column} = NULL" + (f", {column}type = NULL" if several else "")
    action = _GONE[behaviour].format(child=child, test=test, sets=sets)
    return f"CREATE TRIGGER {child}_{column}_leaves_{target} AFTER DELETE ON {target} BEGIN {action} END;"


class Model:
    """SQLite's side of a history."""

    def __init__(self) -> None:
        self.database = open_model()

    def run(self, sql: str, values: Sequence[Any]) -> tuple[Any, list[tuple[Any, ...]]]:
        """Run one statement; return how many rows it changed, or `REFUSED`, and the rows it returned."""
        try:
            cursor = self.database.execute(sql.replace("DATE '", "'"), tuple(values))
            rows = cursor.fetchall()
        except sqlite3.IntegrityError:
            return REFUSED, []
        return cursor.rowcount if not rows else len(rows), rows

    @contextmanager
    def attempt(self) -> Iterator[list[bool]]:
        """Undo what is done inside unless True is put into the list."""
        keep: list[bool] = []
        self.database.execute("SAVEPOINT attempt")
        try:
            yield keep
        finally:
            if True not in keep:
                self.database.execute("ROLLBACK TO attempt")
            self.database.execute("RELEASE attempt")

    def empty(self) -> None:
        """Take all rows out."""
        self.database.close()
        self.database = open_model()
