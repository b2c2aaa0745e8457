"""executemany(): one statement for many sets of values, in few requests. Every set is a statement of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

from sqlalchemy_dynamics.errors import DatabaseError, ProgrammingError
from sqlalchemy_dynamics.execute.bulk import Buffer, Bulk
from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.outcomes import REFUSED
from sqlalchemy_dynamics.execute.parties import PARTIES
from sqlalchemy_dynamics.execute.preparing import Given, Numbered, Preparing, Values, given_of
from sqlalchemy_dynamics.execute.units import Failure, Units
from sqlalchemy_dynamics.execute.upserts import Upserts
from sqlalchemy_dynamics.planner.change_plan import Fixed, Write
from sqlalchemy_dynamics.planner.given_rows import all_match_alike

__all__ = ["Host", "Many"]

_MATCHED_TOGETHER = 200


class Host(Protocol):
    """What runs single statements."""

    units: Units
    upserts: Upserts
    preparing: Preparing

    def planned(self, tree: object, values: Values) -> Write: ...

    def party(self, write: Write, values: Values, number: int) -> int: ...

    def guarded(
        self, write: Write, values: Values, send: Callable[[Sequence[Change]], int], row: int | None = None
    ) -> list[str]: ...

    def sent(self, changes: Sequence[Change], send: Callable[[Sequence[Change]], int]) -> int: ...


@dataclass
class _Upsert:
    """One set of values of an upsert."""

    number: int
    write: Write
    values: Values
    givens: list[Given]

    @property
    def used(self) -> tuple[object, ...]:
        """The parameters that its expressions use: sets that agree in them are run together."""
        conflict = self.write.conflict
        return tuple(self.values.get(key) for key in conflict.markers) if conflict is not None else ()


@dataclass
class Many:
    """Runs one executemany(). With `failures` sets that are refused join them, and the others are written."""

    host: Host
    bulk: Bulk | Buffer
    failures: list[Failure] | None = None
    done: int = 0
    _write: Write | None = None
    _changes: list[Change] = field(default_factory=list)
    _inserts: Numbered = field(default_factory=list)
    _upserts: list[_Upsert] = field(default_factory=list)

    def run(self, tree: object, sets: Sequence[Values]) -> int:
        """Return the number of rows changed. Raises the error of the first set that is refused, its number named."""
        if self.failures is None and len(sets) > 1:
            self._write = self._planned(tree, sets[0])
            if all_match_alike(self._write, sets):
                return self.host.sent(list(self._matched(self._write, sets)), self.bulk.statements)
        for number, values in enumerate(sets, start=1):
            if self._write is None or self._write.source is not None:
                self._write = self._planned(tree, values)
            try:
                self._gather(self._write, values, number)
            except DatabaseError as error:
                self._refused(error, number)
        return self.done + self._sent()

    def _matched(self, write: Write, sets: Sequence[Values]) -> Iterator[Change]:
        """The changes of all sets, whose rows are looked for together: what is set cannot make others match."""
        numbered = list(enumerate(sets, start=1))
        for start in range(0, len(numbered), _MATCHED_TOGETHER):
            some = dict(numbered[start : start + _MATCHED_TOGETHER])
            found = self.host.preparing.matching(write, some)
            for number, keys in sorted(found.items()):
                alone = replace(write, source=None, keys=tuple(map(Fixed, keys)))
                yield from self._numbered(alone, some[number], number)

    def _planned(self, tree: object, values: Values) -> Write:
        write = self.host.planned(tree, values)
        if write.returning is not None:
            raise ProgrammingError("executemany() takes statements that return no rows; use execute()")
        return write

    def _refused(self, error: DatabaseError, number: int) -> None:
        if error.args and not str(error.args[0]).startswith("row "):
            error.args = (f"row {number}: {error.args[0]}", *error.args[1:])
        if self.failures is None:
            raise error
        if number not in {row for row, _ in self.failures}:
            self.failures.append((number, error))
            if self._write is None or self._write.table.name != PARTIES:  # parties tell themselves what became of them
                self.host.units.outcomes.note(number, REFUSED, error)

    def _gather(self, write: Write, values: Values, number: int) -> None:
        """Keep what one set of values asks for; what has to read tables is done at once, as the next may read it."""
        preparing = self.host.preparing
        if write.table.name == PARTIES:
            self.done += self.host.party(write, values, number)
        elif write.conflict is not None:
            self._gather_upsert(_Upsert(number, write, values, preparing.given_rows(write, values)))
        elif self._reads_anew(write):
            self.done += self._read_and_changed(write, values, number)
        elif write.verb == "insert" and len(write.rows) == 1 and write.source is None and not self._is_special(write):
            self._inserts.append((number, given_of(write, write.rows[0], values, ())))
        else:
            self._changes += self._numbered(write, values, number)

    def _reads_anew(self, write: Write) -> bool:
        """Whether a set reads what those before it changed. Links are all found before the first waits for COMMIT."""
        reads = write.source is not None and any(True for _ in write.source.scans)
        return reads and not (write.table.intersect and write.verb == "delete" and isinstance(self.bulk, Buffer))

    def _read_and_changed(self, write: Write, values: Values, number: int) -> int:
        if write.guard is not None and isinstance(self.bulk, Bulk):
            return len(self.host.guarded(write, values, self.bulk.statement, number))
        return self.host.sent(self._numbered(write, values, number), self._statement)

    def _numbered(self, write: Write, values: Values, number: int) -> list[Change]:
        return [replace(each, row=number) for each in self.host.preparing.changes(write, values, number)[0]]

    def _statement(self, changes: Sequence[Change]) -> int:
        """The changes of one set are refused as a whole; the error has been told its row already."""
        try:
            return self.bulk.statement(changes)
        except DatabaseError as error:
            if self.failures is None:
                raise
            self.failures.append((changes[0].row, error))
            return 0

    def _gather_upsert(self, upsert: _Upsert) -> None:
        if self.failures is not None:
            for given in upsert.givens:
                self.host.upserts.check(upsert.write, given)
        self._upserts.append(upsert)

    def _is_special(self, write: Write) -> bool:
        return write.table.intersect or self.failures is not None

    def _sent(self) -> int:
        changes = self._changes
        if self._inserts and self._write is not None:
            changes = self.host.preparing.creates(self._write, self._inserts)
        if self._upserts:
            return self._upserted()
        return self.host.sent(changes, self.bulk.statements)

    def _upserted(self) -> int:
        done = 0
        for _, group in groupby(self._upserts, key=lambda each: each.used):
            some = list(group)
            rows = [(each.number, given) for each in some for given in each.givens]
            done += self.host.upserts.run_many(some[0].write, some[0].values, rows, self.bulk)
        return done
