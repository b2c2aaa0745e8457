"""INSERT … ON CONFLICT: by the service's own upsert where it means the same, else existing rows are read first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy_dynamics.errors import DatabaseError, DataverseError, OperationalError
from sqlalchemy_dynamics.execute.bulk import MOST_CHANGES, Buffer, Bulk
from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.guarding import Guard
from sqlalchemy_dynamics.execute.outcomes import UNMATCHED
from sqlalchemy_dynamics.execute.preparing import Given, Numbered, Values
from sqlalchemy_dynamics.execute.result import Result, Row
from sqlalchemy_dynamics.execute.units import Units
from sqlalchemy_dynamics.execute.upsert_keys import bare, distinct, folded, have_keys, key_of, once, resolved
from sqlalchemy_dynamics.metadata.model import Column, Table
from sqlalchemy_dynamics.odata.changes import ANY_VERSION, key_address, version_tag
from sqlalchemy_dynamics.planner.change_plan import Conflict, Write
from sqlalchemy_dynamics.planner.names import Lookup
from sqlalchemy_dynamics.planner.plan import Plan
from sqlalchemy_dynamics.planner.upserting import computes, existing_plan, is_whole

__all__ = ["Upserts"]

Keyed = dict[tuple[object, ...], Row]
_ROWS_PER_READ = 200
_MOST_TRIES = 4
_RACED = ("0x80040237", "0x80060892", "0x80040217", "0x80060882")
"""Another writer made, removed or changed a row between the reading and the writing."""


@dataclass(frozen=True)
class Upserts:
    """Upserts of one connection. `creates` makes the changes of an insert, `bodies` the bodies of updates."""

    units: Units
    guard: Guard
    lookup: Lookup
    pushdown: bool
    read: Callable[[Plan, Values], Result]
    creates: Callable[[Write, Numbered], list[Change]]
    bodies: Callable[[Table, list[Given], bool, Sequence[int]], list[dict[str, Any]]]

    def run(self, write: Write, values: Values, givens: list[Given], bulk: Bulk | Buffer) -> tuple[int, list[str]]:
        """Insert or change the rows; return how many, and the keys of all that were touched."""
        conflict = _conflict(write)
        rows = once(conflict, resolved(write.table, conflict, list(enumerate(givens, start=1))))
        if _is_whole(write) and (_by_key(write) or write.returning is None) and have_keys(conflict, rows):
            changes = self._whole(write, conflict, rows)
            return bulk.statement(changes), [change.key for change in changes]
        return self._read_first(write, values, rows, bulk)

    def run_many(self, write: Write, values: Values, rows: Numbered, bulk: Bulk | Buffer) -> int:
        """The same for many statements that differ in their rows only; rows named twice are taken in turn."""
        conflict = _conflict(write)
        rows = resolved(write.table, conflict, rows)
        whole = _is_whole(write) and have_keys(conflict, rows)
        most, done, start = len(rows) if whole else MOST_CHANGES, 0, 0
        while start < len(rows):
            some = distinct(conflict, rows[start : start + most])
            if whole:
                done += bulk.statements(self._whole(write, conflict, some))
            else:
                done += self._read_first(write, values, some, bulk)[0]
            start += len(some)
        return done

    def check(self, write: Write, given: Given) -> None:
        """Raise what is wrong with one row alone."""
        self.bodies(write.table, [given], True, ())

    def _read_first(self, write: Write, values: Values, rows: Numbered, bulk: Bulk | Buffer) -> tuple[int, list[str]]:
        """Again from the reading for those rows that another writer made, removed or changed in between."""
        done, keys, missed = 0, list[str](), list[Change]()
        for attempt in range(1, _MOST_TRIES + 1):
            try:
                changes = self._changes(write, values, rows)
            except DatabaseError as error:
                if not bulk.goes_on:
                    raise
                count, more = self._halved(write, values, rows, bulk, error)
                return done + count, [*keys, *more]
            self.units.outcomes.forget(missed)
            missed = changes
            try:
                done += self._sent(changes, bulk)
                missed = [] if isinstance(bulk, Buffer) else [each for each in changes if self._raced(each)]
            except DataverseError as error:
                again = self.guard.fails(write.table.name, error) or error.code in _RACED
                if attempt == _MOST_TRIES or not again or len(changes) > MOST_CHANGES:
                    raise
            numbers = {each.row for each in missed}
            keys += [each.key for each in changes if each.row not in numbers]
            rows = [each for each in rows if each[0] in numbers]
            if not rows:
                return done, keys
        raise OperationalError(f"others keep changing the same rows of {write.table.name}: try again later")

    def _halved(
        self, write: Write, values: Values, rows: Numbered, bulk: Bulk | Buffer, error: DatabaseError
    ) -> tuple[int, list[str]]:
        """Go on without the row that something wrong is computed for: it is in one of the halves."""
        if len(rows) == 1:
            bulk.refuse(rows[0][0], error)
            return 0, []
        middle = len(rows) // 2
        halves = (self._read_first(write, values, some, bulk) for some in (rows[:middle], rows[middle:]))
        counts, keys = zip(*halves, strict=True)
        return sum(counts), [key for some in keys for key in some]

    def _raced(self, change: Change) -> bool:
        return change.verb == "update" and self.units.outcomes.of(change) == UNMATCHED

    def _sent(self, changes: list[Change], bulk: Bulk | Buffer) -> int:
        creates = [change for change in changes if change.verb == "create"]
        updates = [change for change in changes if change.verb == "update"]
        if isinstance(bulk, Buffer):
            return bulk.statement(changes)
        if bulk.goes_on:
            return bulk.statements(changes)
        if creates and updates and len(changes) <= MOST_CHANGES and changes[0].table.kind != "Elastic":
            self.units.outcomes.begin(changes)
            self.units.change_set(changes)
            return len(changes)
        return sum(bulk.statement(some) for some in (creates, updates) if some)

    def _changes(self, write: Write, values: Values, rows: Numbered) -> list[Change]:
        conflict = _conflict(write)
        found = self._existing(write, conflict, values, [given for _, given in rows])
        fresh = [(row, dict(given)) for row, given in rows if key_of(conflict, given) not in found]
        for columns in conflict.others:
            fresh = self._absent(write, columns, values, fresh)
        changes = self.creates(write, fresh)
        if conflict.update:
            changes += self._updates(write, conflict, rows, found)
        return sorted(changes, key=lambda each: each.row)

    def _absent(self, write: Write, columns: tuple[Column, ...], values: Values, rows: Numbered) -> Numbered:
        """Those of the rows whose values of one more key no row has, nor one before them."""
        other = replace(_conflict(write), columns=columns)
        found = self._existing(replace(write, conflict=other), other, values, [given for _, given in rows])
        return [each for each in once(other, rows) if key_of(other, each[1]) not in found]

    def _existing(self, write: Write, conflict: Conflict, values: Values, givens: list[Given]) -> Keyed:
        """The rows that exist, by the conflict's columns: their key, version and computed values."""
        found: Keyed = {}
        asked = [given for given in givens if None not in key_of(conflict, given)] if conflict.columns else []
        for start in range(0, len(asked), _ROWS_PER_READ):
            plan, parameters = existing_plan(
                write, asked[start : start + _ROWS_PER_READ], values, self.lookup, self.pushdown
            )
            end = 1 + len(conflict.columns)
            for block in self.read(plan, parameters).rows():
                found.update((folded(conflict, each[1:end]), (each[0], *each[end:])) for each in block)
        return found

    def _updates(self, write: Write, conflict: Conflict, rows: Numbered, found: Keyed) -> list[Change]:
        """What was computed from a row is written to the version it was computed from."""
        meant = [(row, given, found.get(key_of(conflict, given))) for row, given in rows]
        there = [(row, given, exists) for row, given, exists in meant if exists is not None]
        kept = [each for each in there if not conflict.where or each[2][-1] is True]
        settings = [_set(conflict, given, exists) for _, given, exists in kept]
        bodies = self.bodies(write.table, settings, False, [row for row, _, _ in kept])
        guarded = computes(conflict) and self.guard.holds(write.table.name)
        return [
            Change("update", write.table, str(exists[0]).lower(), body, row, match=_match(exists[1], guarded))
            for (row, _, exists), body in zip(kept, bodies, strict=True)
        ]

    def _whole(self, write: Write, conflict: Conflict, rows: Numbered) -> list[Change]:
        givens, numbers = [given for _, given in rows], [row for row, _ in rows]
        if not _by_key(write):
            keys = [{each: given[each] for each in conflict.columns} for given in givens]
            self.bodies(write.table, keys, True, numbers)
        rest = [
            {column: value for column, value in given.items() if column not in conflict.columns} for given in givens
        ]
        bodies = self.bodies(write.table, rest, False, numbers)
        changes = []
        for (row, given), body in zip(rows, bodies, strict=True):
            change = Change("upsert", write.table, "", body, row)
            if _by_key(write):
                changes.append(replace(change, key=str(key_of(conflict, given)[0])))
            else:
                parts = [(each.wire, bare(given[each]), each.edm) for each in conflict.columns]
                changes.append(replace(change, alternate=key_address(write.table.entity_set, parts)))
        return changes


def _conflict(write: Write) -> Conflict:
    assert write.conflict is not None
    return write.conflict


def _is_whole(write: Write) -> bool:
    """The upsert of an elastic table would replace rows (dataverse-web-api: elastic tables)."""
    return is_whole(write) and write.table.kind != "Elastic"


def _by_key(write: Write) -> bool:
    return write.table.columns[write.table.primary_key] in _conflict(write).columns


def _match(version: object, guarded: bool) -> str:
    return version_tag(version) if guarded and isinstance(version, int) else ANY_VERSION


def _set(conflict: Conflict, given: Given, exists: Row) -> Given:
    """What a row that exists is set to; `exists` holds its key, its version and the computed values."""
    computed = iter(exists[2:])
    return {column: next(computed) if source is None else given.get(source) for column, source, _ in conflict.set}
