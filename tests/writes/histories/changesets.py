"""Transactions under CHANGESET: what waits, what COMMIT makes of it, and what SQLite makes of the same statements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from sqlalchemy_dynamics import dbapi, errors

from . import steps
from .faults import LOST, TRANSIENT
from .model import REFUSED
from .outcomes import as_given, difference
from .steps import Step
from .tables import ENDS, LINKS, TABLES, Rows, rows_of_model, rows_of_sandbox
from .world import World

__all__ = ["Buffered", "waiting"]

Pending = tuple[str, Sequence[Any], bool]
"""What SQLite is to do at COMMIT, and whether it has to change a row."""
_CONSTANT = re.compile(r"\?|NULL|'[^']*'")
_KEYS = {"opportunityid", *(table.key for table in TABLES.values())}
_TABLES = re.compile(r"(?:FROM|JOIN|UPDATE) (\w+)")


@st.composite
def waiting(draw: st.DrawFn) -> Step:
    """A statement for a transaction: values alone, or keys and conditions that are read before it is kept."""
    families = st.one_of(steps.inserts(), steps.updates(), steps.deletes(), steps.upserts(), steps.links())
    step = draw(families.filter(lambda each: not each.returning and "RETURNING" not in each.sql))
    return step


class Buffered:
    """One connection under CHANGESET beside the model: statements wait on both sides until COMMIT."""

    def __init__(self, world: World, connection: dbapi.Connection) -> None:
        self.world, self.connection = world, connection
        connection.isolation_level = "CHANGESET"
        self.begin()

    def begin(self) -> None:
        self.pending: list[Pending] = []
        self.tables: set[str] = set()
        self.deleted: set[str] = set()
        """The tables whose rows a waiting DELETE may take along."""

    @property
    def tally(self) -> Counter[str]:
        return self.world.tally

    def write(self, step: Step) -> None:
        """Keep one statement; one that has to read a table with changes is refused, and changes nothing."""
        self.tally["waiting statements"] += 1
        before = rows_of_sandbox(self.world.org)
        reads = self._reads(step)
        if reads & self.deleted - self.tables:
            return  # what it would find differs from what SQLite finds at COMMIT
        try:
            self.connection.cursor().execute(step.sql, step.values)
        except errors.NotSupportedError as error:
            assert "wait for COMMIT" in str(error) and reads & self.tables, (step, self.tables, str(error))
            self.tally["refused to read"] += 1
        except errors.IntegrityError as error:
            assert "no row" in str(error), (step, str(error))
        else:
            assert not reads & self.tables, ("read what waits", step, self.tables)
            self._keep(step)
        assert rows_of_sandbox(self.world.org) == before, ("sent before COMMIT", step)

    def _reads(self, step: Step) -> set[str]:
        """The tables that a statement has to read before it can be sent."""
        found = set(_TABLES.findall(step.sql))
        if step.verb in ("insert", "link"):
            return set()
        if step.verb == "upsert":
            return {step.table} if not _is_whole(step) else set()
        if _is_unlinking(step):
            return set()
        return set() if step.keys and (step.verb == "delete" or _is_constant(step.plain)) else found

    def _keep(self, step: Step) -> None:
        """What SQLite is to do at COMMIT: with the keys and values that are found now."""
        waited = len(self.pending)
        key = (
            ", ".join(("opportunityid", "competitorid"))
            if step.table == LINKS
            else TABLES.get(step.table, TABLES["account"]).key
        )
        if step.verb in ("insert", "link", "upsert"):
            self._keep_given(step)
        else:
            sql = f"{step.plain} RETURNING {key}"
            if step.verb.startswith("update"):
                names = _set_columns(step.plain)
                sql += f", {', '.join(names)}"
            with self.world.model.attempt():
                count, rows = self.world.model.run(sql, step.plain_values)
            if self._reads(step) and count == REFUSED:
                self._keep_given(step)
            else:
                self._keep_found(step, rows if self._reads(step) else [(key,) for key in step.keys])
        held = {change.intersect or change.table.name for change in self.connection._transaction.pending}
        if len(self.pending) > waited and step.table in held:
            self.tables.add(step.table)
            if step.verb == "delete":
                self.deleted |= _below(step.table)

    def _keep_given(self, step: Step) -> None:
        self.pending.append((step.plain, step.plain_values, False))

    def _keep_found(self, step: Step, rows: Sequence[tuple[Any, ...]]) -> None:
        if step.table == LINKS:
            for row in [step.values] if _is_unlinking(step) else rows:
                self._keep_unlinked(row)
            return
        key = TABLES[step.table].key
        if step.verb == "delete":
            self.pending += [(f"DELETE FROM {step.table} WHERE {key} = ?", row[:1], True) for row in rows]
            return
        if not self._reads(step):
            sql = f"{step.plain.rpartition(' WHERE ')[0]} WHERE {key} = ?"
            given = step.plain_values[: len(step.plain_values) - len(step.keys)]
            self.pending += [(sql, (*given, *row), True) for row in rows]
            return
        sets = ", ".join(f"{name} = ?" for name in _set_columns(step.plain))
        sql = f"UPDATE {step.table} SET {sets} WHERE {key} = ?"
        self.pending += [(sql, (*row[1:], row[0]), True) for row in rows]

    def _keep_unlinked(self, ends: Sequence[Any]) -> None:
        """No link is no error, but both rows have to be there."""
        for name, key in zip(ENDS, ends, strict=True):
            self.pending.append((f"UPDATE {name[:-2]} SET {name} = {name} WHERE {name} = ?", (key,), True))
        self.pending.append((f"DELETE FROM {LINKS} WHERE opportunityid = ? AND competitorid = ?", ends, False))

    def commit(self, plan: Mapping[int, str] | None = None) -> None:
        """COMMIT on both sides: all or nothing, and what the error says."""
        pending = self.pending
        self.begin()
        self.world.gate.arm(plan)
        failure: Exception | None = None
        try:
            self.connection.commit()
        except errors.Error as error:
            failure = error
        fired = list(self.world.gate.fired)
        self.world.gate.arm()
        self._count(failure, fired)
        actual, model = rows_of_sandbox(self.world.org), self.world.model
        before = rows_of_model(model.database)
        with model.attempt() as keep:
            done = all(_applied(model.run(sql, values)[0], needed) for sql, values, needed in pending)
            after = rows_of_model(model.database) if done else before
            keep.append(done and actual == after)
        unknown = "outcome unknown" in str(failure)
        if failure is None:
            assert done or self._is_as_asked(pending, fired, before), ("committed what cannot be", pending, fired)
            assert actual == after, ("other rows", pending, fired, difference(after, actual))
        elif isinstance(failure, (errors.IntegrityError, errors.DataError)):
            assert not done, ("refused here only", pending, fired, repr(failure))
            assert actual == before, ("refused, and changed", pending, fired, difference(before, actual))
        else:
            hidden = TRANSIENT.issuperset(fired) and fired.count("401") < 2
            assert fired and not hidden, ("an error", pending, fired, repr(failure))
            assert actual == before or (unknown and actual == after), ("neither nothing nor unknown", pending, fired)

    def _is_as_asked(self, pending: Sequence[Pending], fired: list[str], before: Rows) -> bool:
        """Whether an answer was lost and all was so before: whose change it was cannot be told then."""
        with self.world.model.attempt():
            counts = [self.world.model.run(_forgiving(sql), values)[0] for sql, values, _ in pending]
            unchanged = REFUSED not in counts and rows_of_model(self.world.model.database) == before
        return bool(unchanged and LOST.intersection(fired))

    def _count(self, failure: Exception | None, fired: list[str]) -> None:
        self.tally["commits"] += 1
        self.tally["faults"] += len(fired)
        if failure is not None:
            self.tally[f"commits raised {type(failure).__name__}"] += 1

    def rollback(self) -> None:
        """ROLLBACK leaves nothing."""
        self.begin()
        self.tally["rollbacks"] += 1
        self.connection.rollback()
        assert rows_of_sandbox(self.world.org) == rows_of_model(self.world.model.database)


def _is_unlinking(step: Step) -> bool:
    """Whether both linked rows are named, so that nothing has to be read."""
    return step.verb == "unlink" and all(f"{name} = ?" in step.sql for name in ENDS)


def _below(table: str) -> set[str]:
    """The tables that look up one, directly or through others, and the links of their rows."""
    found, more = set[str](), {table}
    while more := more - found:
        found |= more
        more = {
            name for name, each in TABLES.items() if any(more & set(kind.split()) for kind in each.columns.values())
        }
    return found | ({LINKS} if found & {"opportunity", "competitor"} else set())


def _applied(count: Any, needed: bool) -> bool:
    return count != REFUSED and (not needed or count == 1)


def _forgiving(sql: str) -> str:
    """The statement that does not mind that it was done before."""
    keyed = sql.startswith("INSERT") and "ON CONFLICT" not in sql and sql.partition("(")[2].partition(",")[0] in _KEYS
    return as_given(sql) if keyed else sql


def _is_constant(sql: str) -> bool:
    """Whether an UPDATE sets nothing that has to be computed from rows."""
    sets = sql.partition(" SET ")[2].rpartition(" WHERE ")[0]
    return all(_CONSTANT.fullmatch(each.partition("=")[2].strip()) for each in sets.split(", "))


def _set_columns(sql: str) -> list[str]:
    sets = sql.partition(" SET ")[2].rpartition(" WHERE ")[0].partition(" FROM account AS a")[0]
    depth, parts, start = 0, [], 0
    for place, letter in enumerate(sets):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append(sets[start:place])
            start = place + 1
    return [part.split("=")[0].strip() for part in [*parts, sets[start:]]]


def _is_whole(step: Step) -> bool:
    """Whether a row that exists is set to all that would be inserted, so that the service itself can upsert."""
    names = step.sql.partition("(")[2].partition(")")[0].split(", ")[1:]
    return (
        "DO UPDATE" in step.sql and " WHERE " not in step.sql and all(f"{n} = excluded.{n}" in step.sql for n in names)
    )
