"""The rows, in sqlite: one physical table per table, filled on first touch, one connection behind one lock.

A lookup that can point to several tables has a second column ``<lookup>:type`` with the logical name of its target.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy_dynamics.sandbox.formats import choice_labels, formatted
from sqlalchemy_dynamics.sandbox.keeping import SCHEMA_TABLE
from sqlalchemy_dynamics.sandbox.schema import Column, Organisation, Table
from sqlalchemy_dynamics.sandbox.sums import ExactSum
from sqlalchemy_dynamics.sandbox.values import KINDS, collate, fold, guid_key, like_fold, sql_name, t_like

__all__ = ["FIRST_VERSION", "Store", "type_column"]

FIRST_VERSION = 1_000_000_000
_PROGRESS_STEPS = 20_000
_INDEX_FROM = 20_000
_FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("fold", 1, fold),
    ("sortkey", 1, collate),
    ("guidkey", 1, guid_key),
    ("likefold", 1, like_fold),
    ("tlike", 2, t_like),
    ("formatted", 3, formatted),
    ("choicelabels", 2, choice_labels),
)
Seeder = Callable[["Store", Table], None]


def type_column(column: Column) -> str:
    """Return the physical column that holds the target table of a polymorphic lookup."""
    return f"{column.name}:type"


class Store:
    """The data of one organisation. Every method that reads or writes a table fills it first (`touch`)."""

    def __init__(self, organisation: Organisation, seeder: Seeder, path: str = ":memory:") -> None:
        self.organisation = organisation
        self.lock = threading.RLock()
        self.writes = 0
        """Moves with every change of rows or tables: what a cache of replies is checked against."""
        self._seeder = seeder
        self._touched: set[str] = set()
        self._indexed: set[str] = set()
        self._depth = 0
        self.undo: list[Callable[[], None]] = []
        """What else to undo, last first, when the transaction it was added in is undone (changes of the schema)."""
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        self._prepare()
        self._version = self._highest_version()

    def _prepare(self) -> None:
        for name, arguments, function in _FUNCTIONS:
            self._db.create_function(name, arguments, function, deterministic=True)
        self._db.create_aggregate("sum", 1, ExactSum)  # type: ignore[arg-type]  # its stub takes integers only
        journal = "MEMORY" if self.in_memory else "WAL"
        for setting in (
            "page_size=8192",
            f"journal_mode={journal}",
            "synchronous=OFF",
            "cache_size=-65536",
            "temp_store=MEMORY",
        ):
            self._db.execute(f"PRAGMA {setting}")
        self._db.execute("CREATE TABLE IF NOT EXISTS ':deleted' (tbl TEXT, id TEXT, version INTEGER)")
        self._db.execute("CREATE TABLE IF NOT EXISTS ':touched' (tbl TEXT PRIMARY KEY)")
        self._db.execute(SCHEMA_TABLE)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS ':numbers' (tbl TEXT, col TEXT, next INTEGER, PRIMARY KEY (tbl, col))"
        )
        self._touched = {str(row[0]) for row in self._db.execute("SELECT tbl FROM ':touched'")}

    @property
    def in_memory(self) -> bool:
        return not self._db.execute("PRAGMA database_list").fetchone()[2]

    def _highest_version(self) -> int:
        highest = self._db.execute("SELECT max(version) FROM ':deleted'").fetchone()[0] or FIRST_VERSION
        for name in self._touched:
            table = self.organisation.tables.get(name)
            if table and not table.abstract and "versionnumber" in table.columns:
                found = self._db.execute(f"SELECT max(versionnumber) FROM {sql_name(name)}").fetchone()[0]
                highest = max(highest, found or 0)
        return int(highest)

    def close(self) -> None:
        """Close the database; a temporary one is gone with it."""
        with self.lock:
            self._db.close()

    def interrupt_when(self, passed: Callable[[], bool]) -> None:
        """Ask `passed` while statements run; when it holds they end in sqlite3.OperationalError "interrupted"."""
        self._db.set_progress_handler(passed, _PROGRESS_STEPS)

    # -- filling -----------------------------------------------------------------------------------------------------

    def touch(self, *names: str) -> None:
        """Make sure the tables exist and hold their seeded rows."""
        for name in names:
            if name not in self._touched:
                with self.lock:
                    self._fill(name)

    def _fill(self, name: str) -> None:
        if name in self._touched:
            return
        self._touched.add(name)
        table = self.organisation.tables[name]
        with self.transaction():
            if table.abstract:
                self.touch(*(derived.name for derived in self.organisation.derived(name)))
                self._create_view(table)
            else:
                self.create_table(table)
                self._seeder(self, table)
            self._db.execute("INSERT OR IGNORE INTO ':touched' VALUES (?)", (name,))

    def _create_view(self, table: Table) -> None:
        columns = [physical for column in table.columns.values() for physical in _physical(column)]
        parts = []
        for derived in self.organisation.derived(table.name):
            have = {physical for column in derived.columns.values() for physical in _physical(column)}
            names = ", ".join(sql_name(c) if c in have else f"NULL AS {sql_name(c)}" for c in columns)
            parts.append(f"SELECT {names}, '{derived.name}' AS ':table' FROM {sql_name(derived.name)}")
        empty = ", ".join(f"NULL AS {sql_name(c)}" for c in columns)
        body = " UNION ALL ".join(parts) or f"SELECT {empty}, NULL AS ':table' WHERE 0"
        self._db.execute(f"DROP VIEW IF EXISTS {sql_name(table.name)}")
        self._db.execute(f"CREATE VIEW {sql_name(table.name)} AS {body}")

    # -- tables ------------------------------------------------------------------------------------------------------

    def create_table(self, table: Table) -> None:
        """Create the physical table, its key order index and the unique indexes of its active keys."""
        parts = [f"{sql_name(table.primary_id)} TEXT PRIMARY KEY"]
        for column in table.columns.values():
            parts += [
                f"{sql_name(physical)} {'TEXT' if physical.endswith(':type') else KINDS[column.kind].affinity}"
                for physical in _physical(column)
                if physical != table.primary_id
            ]
        self.execute(f"CREATE TABLE IF NOT EXISTS {sql_name(table.name)} ({', '.join(parts)})")
        self.touched_schema(table.name)

    def index_order(self, table: Table) -> None:
        """Create the index in which rows are listed by default (SQL Server's order of GUIDs)."""
        order = f"guidkey({sql_name(table.primary_id)})"
        self.execute(
            f"CREATE INDEX IF NOT EXISTS {sql_name(table.name + ':order')} ON {sql_name(table.name)} ({order})"
        )

    def touched_schema(self, name: str) -> None:
        """Note that a table exists as it is (new tables are not filled with seeded rows)."""
        self._touched.add(name)
        self._db.execute("INSERT OR IGNORE INTO ':touched' VALUES (?)", (name,))

    def drop_table(self, table: Table) -> None:
        """Drop the physical table."""
        self.execute(f"DROP TABLE IF EXISTS {sql_name(table.name)}")
        self._touched.discard(table.name)
        self._db.execute("DELETE FROM ':touched' WHERE tbl = ?", (table.name,))

    def add_column(self, table: Table, column: Column) -> None:
        """Add the physical column(s); views of the base type are made anew."""
        self.touch(table.name)
        have = self.physical_columns(table.name)
        for physical in _physical(column):
            if physical not in have:
                affinity = "TEXT" if physical.endswith(":type") else KINDS[column.kind].affinity
                self.execute(f"ALTER TABLE {sql_name(table.name)} ADD COLUMN {sql_name(physical)} {affinity}")
        self.refresh_views()

    def drop_column(self, table: Table, column: Column) -> None:
        """Drop the physical column(s) and the indexes they are part of."""
        self.touch(table.name)
        for physical in _physical(column):
            self._drop_indexes(table, physical)
            self.execute(f"ALTER TABLE {sql_name(table.name)} DROP COLUMN {sql_name(physical)}")
        self.refresh_views()

    def _drop_indexes(self, table: Table, physical: str) -> None:
        sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND instr(sql, ?)"
        for (name,) in self.query(sql, (table.name, sql_name(physical))):
            self._indexed.discard(sql_name(str(name)))
            self.execute(f"DROP INDEX {sql_name(str(name))}")

    def refresh_views(self) -> None:
        """Make the views of abstract tables (activitypointer, principal) anew after their derived tables changed."""
        for table in self.organisation.tables.values():
            if table.abstract and table.name in self._touched:
                self._create_view(table)

    def physical_columns(self, table: str) -> list[str]:
        """Return the columns sqlite has."""
        return [str(row[1]) for row in self.query(f"PRAGMA table_info({sql_name(table)})")]

    def unique_index(self, table: Table, name: str, columns: Sequence[str]) -> None:
        """Create the unique index of an alternate key; raises sqlite3.IntegrityError when rows collide."""
        self.touch(table.name)
        terms = ", ".join(KINDS[table.columns[c].kind].equal(sql_name(c)) for c in columns)
        self.execute(f"CREATE UNIQUE INDEX {sql_name(f'{table.name}:key:{name}')} ON {sql_name(table.name)} ({terms})")

    def drop_index(self, table: Table, name: str) -> None:
        """Drop the unique index of an alternate key."""
        self.execute(f"DROP INDEX IF EXISTS {sql_name(f'{table.name}:key:{name}')}")

    def index_lookup(self, table: Table, column: str) -> None:
        """Create the index by which the rows that look up a row are found."""
        name = sql_name(f"{table.name}:{column}")
        if table.abstract or name in self._indexed:
            return
        self.touch(table.name)
        self._indexed.add(name)
        source = sql_name(table.name)
        self.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {source} ({sql_name(column)})", counts=False)

    def index_for(self, table: Table, terms: Sequence[str]) -> None:
        """Create an index for an order that is paged through, when the table is large enough to need one."""
        name = sql_name(f"{table.name}:{'|'.join(terms)}"[:200])
        if table.abstract or name in self._indexed or self.count(table.name) < _INDEX_FROM:
            return
        self._indexed.add(name)
        self.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {sql_name(table.name)} ({', '.join(terms)})", counts=False)

    # -- rows --------------------------------------------------------------------------------------------------------

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Run a SELECT and return its rows."""
        with self.lock:
            return self._db.execute(sql, tuple(parameters)).fetchall()

    def execute(self, sql: str, parameters: Sequence[object] = (), counts: bool = True) -> int:
        """Run a statement that changes something; returns the number of rows it changed."""
        with self.lock:
            self.writes += counts
            return self._db.execute(sql, tuple(parameters)).rowcount

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        self.touch(table)
        return int(str(self.query(f"SELECT count(*) FROM {sql_name(table)}")[0][0]))

    def row(self, table: Table, row_id: str) -> dict[str, object] | None:
        """Return one row by id as stored values by physical column name."""
        self.touch(table.name)
        with self.lock:
            cursor = self._db.execute(
                f"SELECT * FROM {sql_name(table.name)} WHERE {sql_name(table.primary_id)} = ?", (row_id,)
            )
            found = cursor.fetchone()
        return None if found is None else dict(zip([d[0] for d in cursor.description], found, strict=True))

    def next_version(self) -> int:
        """Return the next row version (`versionnumber`, etag, delta token)."""
        with self.lock:
            self._version += 1
            return self._version

    def next_number(self, table: str, column: str) -> int | None:
        """Return the next number of an auto-number column, None before its first."""
        found = self.query("SELECT next FROM ':numbers' WHERE tbl = ? AND col = ?", (table, column))
        return int(str(found[0][0])) if found else None

    def set_number(self, table: str, column: str, value: int) -> None:
        """Set the next number of an auto-number column."""
        sql = "INSERT OR REPLACE INTO ':numbers' VALUES (?, ?, ?)"
        self.execute(sql, (table, column, value), counts=False)

    @property
    def version(self) -> int:
        return self._version

    def insert(self, table: Table, row: Mapping[str, object]) -> None:
        """Insert one row of stored values; raises sqlite3.IntegrityError when a key collides."""
        self.touch(table.name)
        names = ", ".join(map(sql_name, row))
        marks = ", ".join("?" * len(row))
        self.execute(f"INSERT INTO {sql_name(table.name)} ({names}) VALUES ({marks})", list(row.values()))

    def insert_many(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Insert many rows at once; used by the generator, so it does not touch the table."""
        names = ", ".join(map(sql_name, columns))
        marks = ", ".join("?" * len(columns))
        with self.lock:
            self.writes += 1
            self._db.executemany(f"INSERT INTO {sql_name(table.name)} ({names}) VALUES ({marks})", rows)

    def update(self, table: Table, row_id: str, changes: Mapping[str, object]) -> bool:
        """Change stored values of one row; returns whether the row exists."""
        self.touch(table.name)
        sets = ", ".join(f"{sql_name(name)} = ?" for name in changes)
        sql = f"UPDATE {sql_name(table.name)} SET {sets} WHERE {sql_name(table.primary_id)} = ?"
        return self.execute(sql, [*changes.values(), row_id]) > 0

    def delete(self, table: Table, row_id: str) -> bool:
        """Delete one row and remember it for change tracking; returns whether it existed."""
        self.touch(table.name)
        sql = f"DELETE FROM {sql_name(table.name)} WHERE {sql_name(table.primary_id)} = ?"
        if not self.execute(sql, (row_id,)):
            return False
        self.execute("INSERT INTO ':deleted' VALUES (?, ?, ?)", (table.name, row_id, self.next_version()))
        return True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock and undo everything on an exception; may be nested (savepoints)."""
        with self.lock:
            mark, undone = f"level{self._depth}", len(self.undo)
            self._db.execute(f"SAVEPOINT {mark}")
            self._depth += 1
            try:
                yield
            except BaseException:  # an interrupt undoes it, too
                self._db.execute(f"ROLLBACK TO {mark}")
                self._touched = {str(row[0]) for row in self._db.execute("SELECT tbl FROM ':touched'")}
                self._indexed.clear()
                self.writes += 1
                while len(self.undo) > undone:
                    self.undo.pop()()
                raise
            finally:
                self._depth -= 1
                if not self._depth:
                    self.undo.clear()
                self._db.execute(f"RELEASE {mark}")

    def reset(self) -> None:
        """Drop all rows; tables are filled with their seeded rows when they are touched next."""
        with self.lock:
            self.writes += 1
            found = self.query(
                "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'table') AND name NOT LIKE ':%'"
            )
            for kind, name in sorted(found, key=lambda pair: str(pair[0]), reverse=True):
                if not str(name).startswith("sqlite_"):
                    self._db.execute(f"DROP {kind} {sql_name(str(name))}")
            self._db.execute("DELETE FROM ':touched'")
            self._db.execute("DELETE FROM ':deleted'")
            self._db.execute("DELETE FROM ':schema'")
            self._db.execute("DELETE FROM ':numbers'")
            self._touched.clear()
            self._indexed.clear()
            self._version = FIRST_VERSION


def _physical(column: Column) -> list[str]:
    if column.attribute_of or column.kind == "Virtual":
        return []
    return [column.name, type_column(column)] if column.polymorphic else [column.name]
