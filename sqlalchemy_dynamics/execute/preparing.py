"""From a planned write and its values to the changes to send: rows are read, keys and bodies made. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from sqlalchemy_dynamics.errors import DataError, ProgrammingError
from sqlalchemy_dynamics.execute.bodies import Bodies
from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.combs import new_key
from sqlalchemy_dynamics.execute.contents import handles
from sqlalchemy_dynamics.execute.files import Content, content_of, image_of
from sqlalchemy_dynamics.execute.guarding import Guard
from sqlalchemy_dynamics.execute.linking import links, unlinks
from sqlalchemy_dynamics.execute.planning import Values
from sqlalchemy_dynamics.execute.result import Result, ResultColumn, Row
from sqlalchemy_dynamics.execute.returned import UNMADE_VERSION
from sqlalchemy_dynamics.execute.transactions import Transaction
from sqlalchemy_dynamics.metadata.model import Column, Kind, Table
from sqlalchemy_dynamics.odata.changes import ANY_VERSION, version_tag
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.planner.change_plan import LeftOut, Term, Write, value_of
from sqlalchemy_dynamics.planner.given_rows import matching_plan
from sqlalchemy_dynamics.planner.plan import Plan

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog
    from sqlalchemy_dynamics.session import Session

__all__ = ["Given", "Numbered", "Preparing", "Read", "RowsRead", "Values", "given_of"]

Given = dict[Column, object]
Numbered = list[tuple[int, Given]]
"""What rows are given, and the number of each in its statement or among the parameter sets."""
Read = Callable[[Plan, Values], Result]
"""Starts a planned SELECT."""


@dataclass
class RowsRead:
    """Rows read before a write, all of them."""

    columns: Sequence[ResultColumn]
    rows: list[Row]


@dataclass(frozen=True)
class Preparing:
    """Makes the changes of one connection's writes."""

    session: Session
    catalog: Catalog
    read: Read
    transaction: Transaction
    bodies: Bodies
    guard: Guard

    def changes(self, write: Write, values: Values, row: int = 1) -> tuple[list[Change], RowsRead]:
        """Read what has to be read and make the changes; the rows are those that DELETE … RETURNING returns."""
        fetched = self.fetched(write, values)
        if write.table.intersect:
            return self._linked(write, values, fetched, row)
        givens = list(_givens(write, values, fetched.rows))
        if write.verb == "insert":
            return self.creates(write, list(enumerate(givens, start=row))), fetched
        keys = list(_keys(write, values, fetched.rows))
        pairs = {key: given for key, given in zip(keys, givens, strict=True) if key is not None}
        match = ANY_VERSION if write.version is None else _match(_value(write.version, values, ()))
        if match == UNMADE_VERSION and self.transaction.holds(pairs):
            match = ANY_VERSION
        if match is None:
            return [], fetched
        rows = range(row, row + len(pairs))
        bodies = (
            self.bodies.make(write.table, list(pairs.values()), False, rows)
            if write.verb == "update"
            else [{}] * len(pairs)
        )
        versions = self._versions(write, fetched.rows)
        changes = [
            Change(write.verb, write.table, key, body, number, match=versions.get(key, match), files=_files(given))
            for number, (key, given), body in zip(rows, pairs.items(), bodies, strict=True)
        ]
        return changes, self.without_source(write, fetched)

    def _versions(self, write: Write, rows: Sequence[Row]) -> dict[str, str]:
        """The version that each row was read in, by its key, where it counts."""
        place = write.guard
        if place is None or not self.guard.holds(write.table.name):
            return {}
        return {str(row[0]).lower(): version_tag(row[place]) for row in rows if isinstance(row[place], int)}

    def creates(self, write: Write, givens: Numbered) -> list[Change]:
        """The changes that insert rows; those without a key get one."""
        table, column = write.table, write.table.columns[write.table.primary_key]
        keys = [_given_key(table, column, given.pop(column, None), row) for row, given in givens]
        rows = [row for row, _ in givens]
        bodies = self.bodies.make(table, [given for _, given in givens], True, rows)
        return [
            Change("create", table, key or new_key(), body, row, made=key is None, files=_files(given, True))
            for key, (row, given), body in zip(keys, givens, bodies, strict=True)
        ]

    def given_rows(self, write: Write, values: Values) -> list[Given]:
        """What each row of an INSERT is given."""
        return list(_givens(write, values, self.fetched(write, values).rows))

    def fetched(self, write: Write, values: Values) -> RowsRead:
        """Run the SELECT of a write to its end; files that it copies are read when they are sent."""
        if write.source is None:
            return RowsRead((), [()] * max(len(write.rows), len(write.keys)))
        copied = () if write.verb == "delete" else write.source.downloads
        result = self.read(replace(write.source, downloads=()) if copied else write.source, values)
        _check_width(write, result)
        rows = [row for block in result.rows() for row in block]
        return RowsRead(result.columns, handles(rows, copied, self.session.send) if copied else rows)

    def matching(self, write: Write, sets: Mapping[int, Values]) -> dict[int, list[str]]:
        """Return the keys of the rows that each set of values means, by its number."""
        plan, given = matching_plan(write, sets, self.catalog.table, self.session.settings.flag("Pushdown"))
        found: dict[int, list[str]] = {}
        for block in self.read(plan, given).rows():
            for number, key in block:
                found.setdefault(int(str(number)), []).append(str(key).lower())
        return found

    def without_source(self, write: Write, fetched: RowsRead) -> RowsRead:
        """The part of the rows read that DELETE … RETURNING returns, each row once."""
        start = write.returned or 0
        unique = {row[0]: row[start:] for row in fetched.rows if row} if write.source is not None else {}
        return RowsRead(fetched.columns[start:], list(unique.values()))

    def _linked(self, write: Write, values: Values, fetched: RowsRead, row: int) -> tuple[list[Change], RowsRead]:
        model, root = self.catalog.model(), self.session.root
        if write.verb == "insert":
            return links(write, model, root, list(_givens(write, values, fetched.rows)), row), fetched
        found = fetched.rows if write.source is not None else _ends(write, values)
        return unlinks(write, model, root, found, row), self.without_source(write, fetched)


def _check_width(write: Write, result: Result) -> None:
    """INSERT … SELECT must select as many columns as it names."""
    named, selected = len(write.columns), len(result.columns)
    if write.verb == "insert" and named != selected:
        result.close()
        raise ProgrammingError(f"{named} columns are named and {selected} are selected")


def given_of(write: Write, terms: Sequence[Term], values: Values, row: Row) -> Given:
    """What one row sets. Raises ProgrammingError for a parameter without value."""
    if len(terms) != len(write.columns):
        raise ProgrammingError(f"{len(write.columns)} columns are named and {len(terms)} values are given")
    found = zip(write.columns, (_value(term, values, row) for term in terms), strict=True)
    given = {column: value for column, value in found if not isinstance(value, LeftOut)}
    images = {column: image_of(column, value) for column, value in given.items() if column.kind is Kind.IMAGE}
    return {**given, **images} if images else given


def _givens(write: Write, values: Values, rows: Sequence[Row]) -> Iterator[Given]:
    """What each row sets."""
    if write.source is None and write.verb == "insert":
        for terms in write.rows:
            yield given_of(write, terms, values, ())
        return
    terms = write.rows[0] if write.rows else ()
    for row in rows:
        yield given_of(write, terms, values, row)


def _files(given: Mapping[Column, object], creating: bool = False) -> tuple[Content, ...]:
    """The contents of file columns, which no body holds; a new row has nothing to empty."""
    held = [(column, value) for column, value in given.items() if column.kind is Kind.FILE]
    if not held:
        return ()
    names = {column.base: value for column, value in given.items() if column.kind is Kind.FILE_NAME}
    found = (content_of(column, value, names.get(column.name)) for column, value in held)
    return tuple(each for each in found if each.source is not None or not creating)


def _keys(write: Write, values: Values, rows: Sequence[Row]) -> Iterator[str | None]:
    """The keys of the rows to change; None for a NULL, which no row has."""
    column = write.table.columns[write.table.primary_key]
    if write.source is not None:
        yield from (None if row[0] is None else str(row[0]).lower() for row in rows)
        return
    for term in write.keys:
        value = _value(term, values, ())
        yield None if value is None else str(convert(value, column.edm))


def _ends(write: Write, values: Values) -> list[Row]:
    """The one link whose ends are given, as it would be read; none when one of them is NULL."""
    ends = tuple(_value(term, values, ()) for term in write.ends)
    return [] if None in ends else [(None, *ends)]


def _value(term: Term, values: Values, row: Row) -> object:
    try:
        return value_of(term, values, row)
    except KeyError as missing:
        raise ProgrammingError(f"the statement needs a value for parameter {missing.args[0]!r}") from None


def _match(version: object) -> str | None:
    """The version to ask for; None when it is NULL, which no row has."""
    if version is None:
        return None
    return version_tag(cast("int", convert(version, "Edm.Int64")))


def _given_key(table: Table, key: Column, value: object, row: int) -> str | None:
    if value is None:
        return None
    try:
        return str(convert(value, key.edm))
    except DataError as error:
        raise DataError(f"row {row}: {table.name}.{key.name}: {error}") from None
