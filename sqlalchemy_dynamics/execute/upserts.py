"""INSERT … ON CONFLICT: by the service's own upsert where it means the same, else existing rows are read first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy_dynamics.errors import DataverseIntegrityError, ProgrammingError
from sqlalchemy_dynamics.execute.bulk import MOST_CHANGES, Buffer, Bulk
from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.result import Result, Row
from sqlalchemy_dynamics.execute.units import Units
from sqlalchemy_dynamics.metadata.model import Column, Table
from sqlalchemy_dynamics.odata.changes import key_address
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.planner.change_plan import Conflict, Write
from sqlalchemy_dynamics.planner.names import Lookup
from sqlalchemy_dynamics.planner.plan import Plan
from sqlalchemy_dynamics.planner.upserting import existing_plan, is_whole

__all__ = ["Upserts"]

Given = dict[Column, object]
Values = Mapping[int | str, object]
Keyed = dict[tuple[object, ...], Row]
_ROWS_PER_READ = 200
_MOST_TRIES = 4


@dataclass(frozen=True)
class Upserts:
    """Upserts of one connection. `creates` makes the changes of an insert, `bodies` the bodies of updates."""

    units: Units
    lookup: Lookup
    pushdown: bool
    read: Callable[[Plan, Values], Result]
    creates: Callable[[Write, list[Given], int], list[Change]]
    bodies: Callable[[Table, list[Given], bool], list[dict[str, Any]]]

    def run(
        self, write: Write, values: Values, givens: list[Given], bulk: Bulk | Buffer, row: int = 1
    ) -> tuple[int, list[str]]:
        """Insert or change the rows; return how many, and the keys of all that were touched."""
        conflict = write.conflict
        assert conflict is not None
        by_key = write.table.columns[write.table.primary_key] in conflict.columns
        if is_whole(write) and (by_key or write.returning is None) and _have_keys(conflict, givens):
            changes = self._whole(write, conflict, _once(conflict, givens), by_key, row)
            return bulk.statement(changes), [change.key for change in changes]
        return self._read_first(write, values, _once(conflict, givens), bulk, row)

    def run_many(self, write: Write, values: Values, givens: list[Given], bulk: Bulk | Buffer) -> int:
        """The same for many statements whose conflicts compute nothing; rows named twice are taken in turn."""
        conflict = write.conflict
        assert conflict is not None
        by_key = write.table.columns[write.table.primary_key] in conflict.columns
        if is_whole(write) and _have_keys(conflict, givens):
            return bulk.statements(self._whole(write, conflict, givens, by_key, 1))
        done, start = 0, 0
        while start < len(givens):
            some = _distinct(conflict, givens[start : start + MOST_CHANGES])
            done += self._read_first(write, values, some, bulk, start + 1)[0]
            start += len(some)
        return done

    def _read_first(
        self, write: Write, values: Values, givens: list[Given], bulk: Bulk | Buffer, row: int
    ) -> tuple[int, list[str]]:
        """Again from the reading when another writer made or removed one of the rows in between."""
        for attempt in range(1, _MOST_TRIES + 1):
            changes = self._changes(write, values, givens, row)
            try:
                return self._sent(changes, bulk), [change.key for change in changes]
            except DataverseIntegrityError as error:
                if attempt == _MOST_TRIES or error.code not in ("0x80040237", "0x80060892", "0x80040217"):
                    raise
        raise AssertionError("the last try returns or raises")

    def _sent(self, changes: list[Change], bulk: Bulk | Buffer) -> int:
        creates = [change for change in changes if change.verb == "create"]
        updates = [change for change in changes if change.verb == "update"]
        if isinstance(bulk, Buffer):
            return bulk.statement(changes)
        if creates and updates and len(changes) <= MOST_CHANGES:
            self.units.change_set(changes)
            return len(changes)
        return sum(bulk.statement(some) for some in (creates, updates) if some)

    def _changes(self, write: Write, values: Values, givens: list[Given], row: int) -> list[Change]:
        conflict = write.conflict
        assert conflict is not None
        found = self._existing(write, conflict, values, givens)
        fresh = [given for given in givens if _key(conflict, given) not in found]
        changes = self.creates(write, [dict(given) for given in fresh], row)
        if conflict.update:
            changes += self._updates(write, conflict, givens, found, row)
        return changes

    def _existing(self, write: Write, conflict: Conflict, values: Values, givens: list[Given]) -> Keyed:
        found: Keyed = {}
        asked = [given for given in givens if None not in _key(conflict, given)] if conflict.columns else []
        for start in range(0, len(asked), _ROWS_PER_READ):
            plan, parameters = existing_plan(
                write, asked[start : start + _ROWS_PER_READ], values, self.lookup, self.pushdown
            )
            end = 1 + len(conflict.columns)
            for block in self.read(plan, parameters).rows():
                found.update((_folded(conflict, each[1:end]), (each[0], *each[end:])) for each in block)
        return found

    def _updates(self, write: Write, conflict: Conflict, givens: list[Given], found: Keyed, row: int) -> list[Change]:
        meant = [(n, given, found[_key(conflict, given)]) for n, given in enumerate(givens, start=row)
                 if _key(conflict, given) in found]  # fmt: skip
        kept = [each for each in meant if not conflict.where or each[2][-1] is True]
        settings = [_set(conflict, given, exists) for _, given, exists in kept]
        bodies = self.bodies(write.table, settings, False)
        return [
            Change("update", write.table, str(exists[0]).lower(), body, number)
            for (number, _, exists), body in zip(kept, bodies, strict=True)
        ]

    def _whole(self, write: Write, conflict: Conflict, givens: list[Given], by_key: bool, row: int) -> list[Change]:
        if not by_key:
            self.bodies(write.table, [{each: given[each] for each in conflict.columns} for given in givens], True)
        rest = [
            {column: value for column, value in given.items() if column not in conflict.columns} for given in givens
        ]
        bodies = self.bodies(write.table, rest, False)
        changes = []
        for number, (given, body) in enumerate(zip(givens, bodies, strict=True), start=row):
            change = Change("upsert", write.table, "", body, number)
            if by_key:
                changes.append(replace(change, key=str(_key(conflict, given)[0])))
            else:
                parts = [(each.wire, given[each], each.edm) for each in conflict.columns]
                changes.append(replace(change, alternate=key_address(write.table.entity_set, parts)))
        return changes


def _set(conflict: Conflict, given: Given, exists: Row) -> Given:
    """What a row that exists is set to; `exists` holds its key and the computed values."""
    computed = iter(exists[1:])
    return {column: next(computed) if source is None else given.get(source) for column, source, _ in conflict.set}


def _have_keys(conflict: Conflict, givens: Sequence[Given]) -> bool:
    return all(None not in _key(conflict, given) for given in givens)


def _once(conflict: Conflict, givens: list[Given]) -> list[Given]:
    """The rows without those that DO NOTHING leaves out because an earlier one has their key."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for given in givens:
        key = _key(conflict, given)
        if key in seen and None not in key and conflict.columns:
            if conflict.update:
                raise ProgrammingError(f"the statement names the key {key[0]} twice: a row is changed once only")
            continue
        seen.add(key)
        kept.append(given)
    return kept


def _distinct(conflict: Conflict, givens: list[Given]) -> list[Given]:
    """The first rows up to the one whose key was there before."""
    seen: set[tuple[object, ...]] = set()
    for number, given in enumerate(givens):
        key = _key(conflict, given)
        if key in seen and None not in key and conflict.columns:
            return givens[:number]
        seen.add(key)
    return givens


def _key(conflict: Conflict, given: Given) -> tuple[object, ...]:
    return _folded(conflict, [given.get(column) for column in conflict.columns])


def _folded(conflict: Conflict, values: Sequence[object]) -> tuple[object, ...]:
    """Values as the service compares them: text without case and trailing blanks."""
    return tuple(
        None if value is None else _fold(convert(value, column.edm))
        for column, value in zip(conflict.columns, values, strict=True)
    )


def _fold(value: object) -> object:
    return value.rstrip(" ").casefold() if isinstance(value, str) else value
