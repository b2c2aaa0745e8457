"""Runs planned writes: rows are read and bodies made first, then everything is sent, then RETURNING is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy_dynamics.errors import (
    DatabaseError,
    DataverseError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy_dynamics.execute.attaching import attach
from sqlalchemy_dynamics.execute.bodies import Bodies
from sqlalchemy_dynamics.execute.bulk import Buffer, Bulk
from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.guarding import Guard
from sqlalchemy_dynamics.execute.headers import headers_of
from sqlalchemy_dynamics.execute.many import Many
from sqlalchemy_dynamics.execute.outcomes import WRITTEN, Outcomes
from sqlalchemy_dynamics.execute.parties import PARTIES, Parties
from sqlalchemy_dynamics.execute.preparing import Preparing, Read, Values
from sqlalchemy_dynamics.execute.result import ListResult, Result, no_rows
from sqlalchemy_dynamics.execute.returned import Returned
from sqlalchemy_dynamics.execute.transactions import Transaction
from sqlalchemy_dynamics.execute.units import Failure, Units
from sqlalchemy_dynamics.execute.upserts import Upserts
from sqlalchemy_dynamics.odata.changes import ANY_VERSION
from sqlalchemy_dynamics.planner.change_plan import Write
from sqlalchemy_dynamics.planner.writing import plan_write

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog
    from sqlalchemy_dynamics.session import Session

__all__ = ["Read", "Writer"]


class Writer:
    """Writes of one connection."""

    def __init__(self, session: Session, catalog: Catalog, read: Read, transaction: Transaction) -> None:
        self._session, self._catalog = session, catalog
        settings = session.settings
        self._read_only, self._unfiltered = settings.flag("ReadOnly"), settings.flag("AllowUnfilteredWrites")
        self._pushdown = settings.flag("Pushdown")
        self._threads = settings.number("MaxConcurrency") if settings.explicit("MaxConcurrency") else 0
        self._goes_on = settings.flag("ContinueOnError")
        self._failures: list[Failure] | None = None
        self._transaction = transaction
        self._bodies = Bodies(session, catalog)
        self._returned = Returned(catalog, read, self._pushdown)
        self.units = Units(session)
        self._parties = Parties(self.units, catalog.table, lambda: catalog.model(), read, self._bodies.make)
        self.guard = Guard(session.key)
        self.preparing = Preparing(session, catalog, read, transaction, self._bodies, self.guard)
        self.upserts = Upserts(
            self.units,
            self.guard,
            catalog.table,
            self._pushdown,
            read,
            self.preparing.creates,
            self._bodies.make,
        )

    def run(self, tree: Any, values: Values, cancelled: threading.Event) -> Result:
        """Run one statement; its rows are those of RETURNING, `rowcount` the rows changed."""
        self._check_writable()
        with self._statement():
            write = self.planned(tree, values)
            self._check_buffered(write)
            self._returned.check(write, values)
            bulk = self._bulk(cancelled)
            if write.table.name == PARTIES:
                return self._parties_changed(write, values)
            if write.conflict is not None:
                self._transaction.sent = True
                count, keys = self.upserts.run(write, values, self.preparing.given_rows(write, values), bulk)
                return no_rows(count) if write.returning is None else self._returned.rows(write, keys, count, values)
            return self._changed(write, values, bulk)

    def guarded(
        self, write: Write, values: Values, send: Callable[[Sequence[Change]], int], row: int | None = None
    ) -> list[str]:
        """Run an UPDATE that computes from what the rows hold; return the keys of those changed."""

        def prepare() -> list[Change]:
            changes, _ = self.preparing.changes(write, values)
            return changes if row is None else [replace(each, row=row) for each in changes]

        return self.guard.update(prepare, lambda changes: self.sent(changes, send), self.units.outcomes)

    def _changed(self, write: Write, values: Values, bulk: Bulk | Buffer) -> Result:
        if write.guard is not None and not self._transaction.buffering:
            keys = self.guarded(write, values, bulk.statement)
            return (
                no_rows(len(keys)) if write.returning is None else self._returned.rows(write, keys, len(keys), values)
            )
        changes, rows = self.preparing.changes(write, values)
        if write.returning is None:
            return no_rows(self.sent(changes, bulk.statement))
        if write.verb == "delete":
            return ListResult(rows.columns, rows.rows, self.sent(changes, bulk.statement))
        if self._transaction.buffering:
            return self._returned.presumed(write, changes, self.sent(changes, bulk.statement))
        whole = len(changes) == 1 and not changes[0].files
        if whole and (select := self._returned.select(write)) is not None:
            change = replace(changes[0], select=select)
            self._transaction.sent = True
            self.units.outcomes.begin([change])
            count, reply = self.units.alone(change)
            self._finish([change])
            if reply is not None or not count:
                return self._returned.represented(write, count, reply)
            return self._returned.rows(write, [change.key], count, values)
        count = self.sent(changes, bulk.statement)
        written = [change.key for change in changes if self.units.outcomes.of(change) == WRITTEN]
        return self._returned.rows(write, written, count, values)

    def run_many(self, tree: Any, sets: Iterable[Values], cancelled: threading.Event) -> int:
        """Run one statement without RETURNING for every set of values; return the number of rows changed."""
        self._check_writable()
        listed = list(sets)
        failures: list[Failure] = []
        self._transaction.failures = failures
        self._failures = failures if self._goes_on else None
        with self._statement(len(listed)):
            self._set_headers()
            bulk = self._bulk(cancelled, failures if self._goes_on else None)
            return Many(self, bulk, failures if self._goes_on else None).run(tree, listed)

    @contextmanager
    def _statement(self, sets: int = 0) -> Iterator[None]:
        """A statement that fails leaves nothing for COMMIT; its error says what became of each row."""
        self.units.outcomes = outcomes = Outcomes(sets)
        waiting = len(self._transaction.pending)
        try:
            yield
        except BaseException as error:  # an interrupt leaves nothing of it for COMMIT either
            if self._transaction.buffering:
                del self._transaction.pending[waiting:]
            if isinstance(error, DatabaseError):
                outcomes.tell(error)
            raise
        finally:
            self._failures = None

    def commit(self) -> None:
        """Send what waits for COMMIT as one change set; whether it succeeds or not, nothing waits any more."""
        changes = self._transaction.taken()
        self.units.sender.headers = self._transaction.headers
        with self._statement():
            self.units.outcomes.begin(changes)
            try:
                if len(changes) == 1 and changes[0].match == ANY_VERSION:
                    self._committed_alone(changes[0])
                elif changes:
                    self.units.change_set(changes)
            except DataverseError as error:
                self.guard.learn(changes, error)
                raise

    def _committed_alone(self, change: Change) -> None:
        count, _ = self.units.alone(change)
        if not count:
            raise IntegrityError(f"{change.table.primary_key} {change.key}: the row to {change.verb} does not exist")

    def _bulk(self, cancelled: threading.Event, failures: list[Failure] | None = None) -> Bulk | Buffer:
        if self._transaction.buffering:
            return Buffer(self._transaction, self.units.sender.headers)
        return Bulk(self.units, self._threads, cancelled, failures)

    def writing_now(self) -> Mapping[str, str]:
        """Return the headers of a write outside of statements. Raises NotSupportedError where none may be."""
        self._check_writable()
        if self._transaction.buffering:
            raise NotSupportedError("files cannot wait for COMMIT: set them under isolation_level=AUTOCOMMIT")
        self._transaction.sent = True
        return headers_of(self._session.settings, self._transaction.options)

    def _check_writable(self) -> None:
        if self._read_only:
            raise NotSupportedError("the connection is read-only: set ReadOnly=false to change something")

    def _check_buffered(self, write: Write) -> None:
        """Refuse under CHANGESET what would have to be answered from rows that are not made yet."""
        returning = write.returning
        if returning is None or write.verb == "delete" or not self._transaction.buffering:
            return
        if write.conflict is not None or returning.columns is None:
            raise NotSupportedError(
                "RETURNING under CHANGESET takes plain columns, and no ON CONFLICT: the rows are not made yet"
            )

    def _set_headers(self) -> None:
        self.units.sender.headers = headers_of(self._session.settings, self._transaction.options)

    def planned(self, tree: Any, values: Values) -> Write:
        """Plan a write. Raises ProgrammingError for one that would change whole tables without being allowed to."""
        self._set_headers()
        write = plan_write(tree, self._catalog.table, _kinds(values), values, self._pushdown)
        if not write.filtered and not self._unfiltered:
            raise ProgrammingError(
                f"{write.verb.upper()} {write.table.name} would change every row: add a WHERE that picks some, "
                "or set AllowUnfilteredWrites=true"
            )
        return replace(write, source=None) if write.ends and self._transaction.buffering else write

    def sent(self, changes: Sequence[Change], send: Callable[[Sequence[Change]], int]) -> int:
        """Send changes, and the files of those rows that were written; return how many rows were changed."""
        if not changes:
            return 0
        self._transaction.sent = True
        count = send(changes)
        self._finish(changes)
        return count

    def _finish(self, changes: Sequence[Change]) -> None:
        self._bodies.learn(changes)
        if self._transaction.buffering:
            return
        with_files = [each for each in changes if each.files and self.units.outcomes.of(each) == WRITTEN]
        if with_files:
            attach(self._session, with_files, self.units.sender.headers, self._failures)

    def party(self, write: Write, values: Values, number: int) -> int:
        """Change parties of activities for one of many sets of values; return how many."""
        return self._parties_changed(write, values, number).rowcount

    def _parties_changed(self, write: Write, values: Values, number: int | None = None) -> Result:
        if self._transaction.buffering or write.conflict is not None or (write.returning and write.verb == "insert"):
            raise NotSupportedError("parties of activities take plain INSERT and DELETE under AUTOCOMMIT")
        self._transaction.sent = True
        if write.verb == "insert":
            return no_rows(self._parties.insert(write.table, self.preparing.given_rows(write, values), number))
        fetched = self.preparing.fetched(write, values)
        count = self._parties.delete(write.table, fetched.rows, number)
        kept = self.preparing.without_source(write, fetched)
        return no_rows(count) if write.returning is None else ListResult(kept.columns, kept.rows, count)


def _kinds(values: Mapping[int | str, object]) -> dict[int | str, str]:
    return {key: type(value).__name__ for key, value in values.items()}
