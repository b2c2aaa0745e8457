"""Runs planned writes: rows are read and bodies made first, then everything is sent, then RETURNING is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy_dynamics.errors import (
    DatabaseError,
    DataError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy_dynamics.execute.bodies import Bodies
from sqlalchemy_dynamics.execute.bulk import Buffer, Bulk
from sqlalchemy_dynamics.execute.changes import Change, named
from sqlalchemy_dynamics.execute.combs import new_key
from sqlalchemy_dynamics.execute.files import Content, content_of, send_file
from sqlalchemy_dynamics.execute.headers import headers_of
from sqlalchemy_dynamics.execute.linking import links, unlinks
from sqlalchemy_dynamics.execute.parties import PARTIES, Parties
from sqlalchemy_dynamics.execute.persisting import Persistence
from sqlalchemy_dynamics.execute.result import ListResult, Result, ResultColumn, Row, no_rows
from sqlalchemy_dynamics.execute.returned import UNMADE_VERSION, Returned
from sqlalchemy_dynamics.execute.transactions import Transaction
from sqlalchemy_dynamics.execute.units import Failure, Units
from sqlalchemy_dynamics.execute.upserts import Upserts
from sqlalchemy_dynamics.metadata.model import Column, Kind, Table
from sqlalchemy_dynamics.odata.changes import ANY_VERSION, version_tag
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.planner.change_plan import LeftOut, Term, Write, value_of
from sqlalchemy_dynamics.planner.plan import Plan
from sqlalchemy_dynamics.planner.upserting import computes
from sqlalchemy_dynamics.planner.writing import plan_write

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog
    from sqlalchemy_dynamics.session import Session

__all__ = ["Read", "Writer"]

Values = Mapping[int | str, object]
Read = Callable[[Plan, Values], Result]
"""Starts a planned SELECT."""


@dataclass
class _Fetched:
    """Rows read before a write, all of them."""

    columns: Sequence[ResultColumn]
    rows: list[Row]


@dataclass
class _Gathered:
    """What executemany() will send, and how many rows it has changed already."""

    write: Write | None = None
    changes: list[Change] = field(default_factory=list)
    inserts: list[dict[Column, object]] = field(default_factory=list)
    upserts: list[tuple[Write, Values, list[dict[Column, object]]]] = field(default_factory=list)
    done: int = 0


class Writer:
    """Writes of one connection."""

    def __init__(self, session: Session, catalog: Catalog, read: Read, transaction: Transaction) -> None:
        self._session, self._catalog, self._read = session, catalog, read
        settings = session.settings
        self._read_only, self._unfiltered = settings.flag("ReadOnly"), settings.flag("AllowUnfilteredWrites")
        self._pushdown = settings.flag("Pushdown")
        self._threads = settings.number("MaxConcurrency") if settings.explicit("MaxConcurrency") else 0
        self._goes_on = settings.flag("ContinueOnError")
        self._units = Units(session)
        self._transaction = transaction
        self._bodies = Bodies(session, catalog)
        self._parties = Parties(Persistence(session), catalog.table, lambda: catalog.model(), read, self._bodies.make)
        self._returned = Returned(catalog, read, self._pushdown)
        self._upserts = Upserts(self._units, catalog.table, self._pushdown, read, self._creates, self._bodies.make)

    def run(self, tree: Any, values: Values, cancelled: threading.Event) -> Result:
        """Run one statement; its rows are those of RETURNING, `rowcount` the rows changed."""
        self._check_writable()
        write = self.planned(tree, values)
        bulk = self._bulk(cancelled)
        if write.table.name == PARTIES:
            return self._party(write, values)
        if write.conflict is not None:
            self._transaction.sent = True
            count, keys = self._upserts.run(write, values, self._given_rows(write, values), bulk)
            return no_rows(count) if write.returning is None else self._returned.rows(write, keys, count)
        changes, rows = self._changes(write, values)
        if write.returning is None:
            return no_rows(self._sent(changes, bulk))
        if write.verb == "delete":
            return ListResult(rows.columns, rows.rows, self._sent(changes, bulk))
        if self._transaction.buffering:
            return self._returned.presumed(write, changes, self._sent(changes, bulk))
        if len(changes) == 1 and (select := self._returned.select(write)) is not None:
            self._transaction.sent = True
            count, reply = self._units.alone(replace(changes[0], select=select))
            self._bodies.learn(changes)
            self._send_files(changes if count else ())
            if reply is not None or not count:
                return self._returned.represented(write, count, reply)
        count = self._sent(changes, bulk)
        return self._returned.rows(write, [change.key for change in changes], count)

    def run_many(self, tree: Any, sets: Iterable[Values], cancelled: threading.Event) -> int:
        """Run one statement without RETURNING for every set of values; return the number of rows changed."""
        self._check_writable()
        failures: list[Failure] = []
        self._transaction.failures = failures
        bulk = self._bulk(cancelled, failures if self._goes_on else None)
        gathered = _Gathered()
        for number, values in enumerate(sets, start=1):
            if gathered.write is None or gathered.write.source is not None:
                gathered.write = self._planned_many(tree, values)
            try:
                self._gather(gathered, values, number, bulk)
            except DatabaseError as error:
                if not self._goes_on:
                    raise
                failures.append((number, error))
        return gathered.done + self._sent_many(gathered, bulk, failures)

    def _planned_many(self, tree: Any, values: Values) -> Write:
        write = self.planned(tree, values)
        if write.returning is not None:
            raise ProgrammingError("executemany() takes statements that return no rows; use execute()")
        return write

    def _gather(self, gathered: _Gathered, values: Values, number: int, bulk: Bulk | Buffer) -> None:
        """Keep what one set of values asks for; what has to read tables is done at once, as the next may read it."""
        write = gathered.write
        assert write is not None
        if write.table.name == PARTIES:
            gathered.done += self._party(write, values).rowcount
        elif write.conflict is not None:
            gathered.upserts.append((write, values, self._given_rows(write, values)))
        elif write.source is not None and any(True for _ in write.source.scans):
            gathered.done += self._sent(self._changes(write, values, number)[0], bulk)
        elif write.verb == "insert" and len(write.rows) == 1 and write.source is None and not self._is_special(write):
            gathered.inserts.append(_given(write, write.rows[0], values, ()))
        else:
            gathered.changes += [replace(each, row=number) for each in self._changes(write, values, number)[0]]

    def _is_special(self, write: Write) -> bool:
        return write.table.intersect or self._goes_on

    def _sent_many(self, gathered: _Gathered, bulk: Bulk | Buffer, failures: list[Failure]) -> int:
        changes, write = gathered.changes, gathered.write
        if gathered.inserts and write is not None:
            changes = self._creates(write, gathered.inserts, 1)
        self._transaction.sent = self._transaction.sent or bool(changes or gathered.upserts)
        if gathered.upserts:
            return self._upserted(gathered.upserts, bulk)
        count = bulk.statements(changes)
        self._bodies.learn(changes)
        refused = {row for row, _ in failures}
        self._send_files([change for change in changes if change.row not in refused])
        return count

    def _upserted(self, sets: list[tuple[Write, Values, list[dict[Column, object]]]], bulk: Bulk | Buffer) -> int:
        write, values, _ = sets[0]
        if write.conflict is not None and computes(write.conflict):
            return sum(self._upserts.run(*each, bulk, number)[0] for number, each in enumerate(sets, start=1))
        return self._upserts.run_many(write, values, [given for _, _, rows in sets for given in rows], bulk)

    def _given_rows(self, write: Write, values: Values) -> list[dict[Column, object]]:
        return list(_givens(write, values, self._fetched(write, values).rows))

    def commit(self) -> None:
        """Send what waits for COMMIT as one change set; whether it succeeds or not, nothing waits any more."""
        changes = self._transaction.taken()
        if len(changes) == 1 and changes[0].match == ANY_VERSION:
            self._committed_alone(changes[0])
        elif changes:
            self._units.change_set(changes)

    def _committed_alone(self, change: Change) -> None:
        count, _ = self._units.alone(change)
        if not count:
            raise IntegrityError(f"{change.table.primary_key} {change.key}: the row to {change.verb} does not exist")

    def _bulk(self, cancelled: threading.Event, failures: list[Failure] | None = None) -> Bulk | Buffer:
        if self._transaction.buffering:
            return Buffer(self._transaction)
        return Bulk(self._units, self._threads, cancelled, failures)

    def _check_writable(self) -> None:
        if self._read_only:
            raise NotSupportedError("the connection is read-only: set ReadOnly=false to change something")

    def planned(self, tree: Any, values: Values) -> Write:
        """Plan a write. Raises ProgrammingError for one that would change whole tables without being allowed to."""
        self._units.headers = headers_of(self._session.settings, self._transaction.options)
        write = plan_write(tree, self._catalog.table, _kinds(values), values, self._pushdown)
        if not write.filtered and not self._unfiltered:
            raise ProgrammingError(
                f"{write.verb.upper()} {write.table.name} without a WHERE would change every row: add a WHERE, "
                "or set AllowUnfilteredWrites=true"
            )
        return write

    def _sent(self, changes: Sequence[Change], bulk: Bulk | Buffer) -> int:
        if not changes:
            return 0
        self._transaction.sent = True
        count = bulk.statement(changes)
        self._bodies.learn(changes)
        self._send_files(changes)
        return count

    def _send_files(self, changes: Sequence[Change]) -> None:
        for change in changes:
            for content in change.files:
                try:
                    send_file(self._session, change.address, content)
                except DatabaseError as error:
                    raise named(error, change) from None

    def _changes(self, write: Write, values: Values, row: int = 1) -> tuple[list[Change], _Fetched]:
        """Read what has to be read and make the changes; the rows are those that DELETE … RETURNING returns."""
        fetched = self._fetched(write, values)
        if write.table.intersect:
            return self._linked(write, values, fetched, row)
        givens = list(_givens(write, values, fetched.rows))
        keys = list(_keys(write, values, fetched.rows))
        if write.verb == "insert":
            return self._creates(write, givens, row), fetched
        pairs = {key: given for key, given in zip(keys, givens, strict=True) if key is not None}
        match = ANY_VERSION if write.version is None else _match(_value(write.version, values, ()))
        if match == UNMADE_VERSION and self._transaction.holds(pairs):
            match = ANY_VERSION
        if match is None:
            return [], fetched
        bodies = (
            self._bodies.make(write.table, list(pairs.values()), False) if write.verb == "update" else [{}] * len(pairs)
        )
        changes = [
            Change(write.verb, write.table, key, body, number, match=match, files=_files(given))
            for number, ((key, given), body) in enumerate(zip(pairs.items(), bodies, strict=True), start=row)
        ]
        return changes, self._without_source(write, fetched)

    def _party(self, write: Write, values: Values) -> Result:
        if self._transaction.buffering or write.conflict is not None or (write.returning and write.verb == "insert"):
            raise NotSupportedError("parties of activities take plain INSERT and DELETE under AUTOCOMMIT")
        self._transaction.sent = True
        fetched = self._fetched(write, values)
        if write.verb == "insert":
            return no_rows(self._parties.insert(write.table, list(_givens(write, values, fetched.rows))))
        count = self._parties.delete(write.table, fetched.rows)
        kept = self._without_source(write, fetched)
        return no_rows(count) if write.returning is None else ListResult(kept.columns, kept.rows, count)

    def _linked(self, write: Write, values: Values, fetched: _Fetched, row: int) -> tuple[list[Change], _Fetched]:
        model, root = self._catalog.model(), self._session.root
        if write.verb == "insert":
            return links(write, model, root, list(_givens(write, values, fetched.rows)), row), fetched
        return unlinks(write, model, root, fetched.rows, row), self._without_source(write, fetched)

    def _fetched(self, write: Write, values: Values) -> _Fetched:
        if write.source is None:
            return _Fetched((), [()] * max(len(write.rows), len(write.keys)))
        result = self._read(write.source, values)
        return _Fetched(result.columns, [row for block in result.rows() for row in block])

    def _without_source(self, write: Write, fetched: _Fetched) -> _Fetched:
        start = write.returned or 0
        unique = {row[0]: row[start:] for row in fetched.rows if row} if write.source is not None else {}
        return _Fetched(fetched.columns[start:], list(unique.values()))

    def _creates(self, write: Write, givens: list[dict[Column, object]], row: int) -> list[Change]:
        table, column = write.table, write.table.columns[write.table.primary_key]
        keys = [_given_key(table, column, given.pop(column, None)) for given in givens]
        bodies = self._bodies.make(table, givens, True)
        return [
            Change("create", table, key or new_key(), body, number, made=key is None, files=_files(given, True))
            for number, (key, given, body) in enumerate(zip(keys, givens, bodies, strict=True), start=row)
        ]


def _givens(write: Write, values: Values, rows: Sequence[Row]) -> Iterator[dict[Column, object]]:
    """What each row sets."""
    if write.source is None and write.verb == "insert":
        for terms in write.rows:
            yield _given(write, terms, values, ())
        return
    terms = write.rows[0] if write.rows else ()
    for row in rows:
        yield _given(write, terms, values, row)


def _given(write: Write, terms: Sequence[Term], values: Values, row: Row) -> dict[Column, object]:
    if len(terms) != len(write.columns):
        raise ProgrammingError(f"{len(write.columns)} columns are named and {len(terms)} values are given")
    found = zip(write.columns, (_value(term, values, row) for term in terms), strict=True)
    return {column: value for column, value in found if not isinstance(value, LeftOut)}


def _files(given: Mapping[Column, object], creating: bool = False) -> tuple[Content, ...]:
    """The contents of file columns, which no body holds; a new row has nothing to empty."""
    found = (content_of(column, value) for column, value in given.items() if column.kind is Kind.FILE)
    return tuple(each for each in found if each.data is not None or not creating)


def _keys(write: Write, values: Values, rows: Sequence[Row]) -> Iterator[str | None]:
    """The keys of the rows to change; None for a NULL, which no row has."""
    column = write.table.columns[write.table.primary_key]
    if write.source is not None:
        yield from (None if row[0] is None else str(row[0]).lower() for row in rows)
        return
    for term in write.keys:
        value = _value(term, values, ())
        yield None if value is None else str(convert(value, column.edm))


def _value(term: Term, values: Values, row: Row) -> object:
    try:
        return value_of(term, values, row)
    except KeyError as missing:
        raise ProgrammingError(f"the statement needs a value for parameter {missing.args[0]!r}") from None


def _match(version: object) -> str | None:
    """The version to ask for; None when it is NULL, which no row has."""
    if version is None:
        return None
    return version_tag(int(convert(version, "Edm.Int64")))  # type: ignore[call-overload]


def _given_key(table: Table, key: Column, value: object) -> str | None:
    if value is None:
        return None
    try:
        return str(convert(value, key.edm))
    except DataError as error:
        raise DataError(f"{table.name}.{key.name}: {error}") from None


def _kinds(values: Values) -> dict[int | str, str]:
    return {key: type(value).__name__ for key, value in values.items()}
