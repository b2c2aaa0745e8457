"""Seeded rows. A row is a function of (seed, table, number), so tables can be filled in any order, when first touched.

Columns are made batch by batch: first those a table or a column name has a maker for, then by kind.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy_dynamics.sandbox import makers
from sqlalchemy_dynamics.sandbox.pools import COUNTS, FIXED, PROPORTIONS
from sqlalchemy_dynamics.sandbox.schema import Column, Organisation, Table
from sqlalchemy_dynamics.sandbox.store import Store
from sqlalchemy_dynamics.sandbox.values import store_value

__all__ = ["Batch", "Generator"]

_BATCH = 10_000
_FEW = 20_000
_LARGEST = 200_000
_UNCAPPED = ("account", "contact")
_MASK = (1 << 64) - 1


class Batch:
    """Rows `start` to `start + size` of a table in the making: one list of stored values per physical column."""

    def __init__(self, generator: Generator, table: Table, start: int, size: int, salt: str = "") -> None:
        self.generator = generator
        self.table = table
        self.start = start
        self.size = size
        self.random = random.Random(f"{generator.seed}/{table.name}/{start}{salt}")
        self.values: dict[str, list[object]] = {}

    @property
    def numbers(self) -> range:
        return range(self.start, self.start + self.size)

    def pick(self, pool: Sequence[object], nulls: float = 0.0) -> list[object]:
        """Return one value of the pool per row, a share of them null."""
        if nulls:
            pool = list(pool) * (1 + 20 // len(pool))
            pool += [None] * round(len(pool) * nulls / (1 - nulls))
        return self.random.choices(pool, k=self.size)

    def ids(self, table: str, nulls: float = 0.0) -> list[object]:
        """Return the id of some row of another table per row."""
        generator = self.generator
        count = generator.count(table)
        if not count:
            return [None] * self.size
        if count <= _FEW:
            return self.pick(generator.all_ids(table), nulls)
        numbers = self.random.choices(range(round(count / (1 - nulls))), k=self.size)
        return [generator.row_id(table, number) if number < count else None for number in numbers]


class Generator:
    """Knows how many rows each table has and makes them."""

    def __init__(self, organisation: Organisation, rows: int = 1000, seed: int = 1) -> None:
        self.organisation = organisation
        self.rows = rows
        self.seed = seed
        self._keys: dict[str, int] = {}
        self._ids: dict[str, list[str]] = {}
        self.moments = self._moments()

    def _moments(self) -> list[str]:
        chance = random.Random(f"{self.seed}/moments")
        first = datetime(2016, 1, 1, tzinfo=UTC)
        seconds = int((datetime(2026, 11, 25, tzinfo=UTC) - first).total_seconds())
        return sorted(
            (first + timedelta(seconds=chance.randrange(seconds))).strftime("%Y-%m-%dT%H:%M:%SZ") for _ in range(4000)
        )

    def count(self, table: str) -> int:
        """Return how many seeded rows a table has."""
        if table not in self.organisation.tables or self.organisation.tables[table].abstract:
            derived = self.organisation.derived(table)
            return sum(self.count(other.name) for other in derived)
        if not self.organisation.tables[table].seeded:
            return 0
        if table in FIXED and table not in COUNTS:
            return len(FIXED[table])
        if table in COUNTS:
            return min(COUNTS[table], max(self.rows, len(FIXED.get(table, ()))))
        made = int(self.rows * PROPORTIONS.get(table, 0.1))
        return made if table in _UNCAPPED else min(made, _LARGEST if table in PROPORTIONS else _FEW)

    def all_ids(self, table: str) -> list[str]:
        """Return the ids of all seeded rows of a small table."""
        if table not in self._ids:
            self._ids[table] = [self.row_id(table, number) for number in range(self.count(table))]
        return self._ids[table]

    def row_id(self, table: str, number: int) -> str:
        """Return the id of a seeded row; ids ascend with the number in SQL Server's order of GUIDs."""
        key = self._keys.get(table)
        if key is None:
            found = self._special_id(table, number)
            if found:
                return found
            key = random.Random(f"{self.seed}/{table}/id").getrandbits(64)
            if table not in FIXED:
                self._keys[table] = key
        mix = (number * 0x9E3779B97F4A7C15 + key) & _MASK
        mix = ((mix ^ (mix >> 29)) * 0xBF58476D1CE4E5B9) & _MASK
        mix ^= mix >> 32
        node = (key & 0xFF) << 40 | number << 12 | mix & 0xFFF
        middle = f"{mix >> 16 & 0xFFFF:04x}-4{mix >> 4 & 0xFFF:03x}-{mix & 0x3FFF | 0x8000:04x}"
        return f"{mix >> 32:08x}-{middle}-{node:012x}"

    def _special_id(self, table: str, number: int) -> str:
        """The id of a row that is fixed, or that belongs to a derived table; ``""`` for others."""
        fixed = FIXED.get(table, ())
        if number < len(fixed) and ":id" in fixed[number]:
            return str(fixed[number][":id"])
        for other in self.organisation.derived(table):
            count = self.count(other.name)
            if number < count:
                return self.row_id(other.name, number)
            number -= count
        return ""

    def fill(self, store: Store, table: Table) -> None:
        """Insert all seeded rows of a table; the seeder of `Store`."""
        total = self.count(table.name)
        columns: list[str] = []
        for start in range(0, total, _BATCH):
            batch = self.batch(table, start, min(_BATCH, total - start))
            columns = columns or list(batch.values)
            store.insert_many(table, columns, zip(*(batch.values[name] for name in columns), strict=True))
        store.index_order(table)
        for key in (key for key in table.keys.values() if key.status == "Active"):
            store.unique_index(table, key.name, key.columns)

    def batch(self, table: Table, start: int, size: int, salt: str = "", fixed: bool = True) -> Batch:
        """Make rows `start` to `start + size` of a table."""
        batch = Batch(self, table, start, size, salt)
        for column, make in self._makers(table):
            if column.name not in batch.values:
                batch.values[column.name] = make(batch, column)
        if fixed:
            self._fix(batch)
        return batch

    def _makers(self, table: Table) -> Iterator[tuple[Column, Callable[[Batch, Column], list[object]]]]:
        ordered = sorted(table.columns.values(), key=lambda column: makers.stage(table, column))
        for column in ordered:
            if not column.attribute_of and (make := makers.maker(table, column)):
                yield column, make

    def _fix(self, batch: Batch) -> None:
        for row, values in enumerate(FIXED.get(batch.table.name, ())):
            position = row - batch.start
            if not 0 <= position < batch.size:
                continue
            for name, value in values.items():
                column = batch.table.columns.get(name)
                if column is None:
                    continue
                if column.is_lookup and isinstance(value, int):
                    value = self.row_id(column.targets[0], value)
                made = batch.values.setdefault(name, [None] * batch.size)
                made[position] = store_value(column, value)
