"""Groups made by the service: their rows as partial groups, and the cases in which it must not be believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Context, Decimal
from functools import partial
from typing import Any

from sqlalchemy_dynamics.edm import TIMESTAMPTZ, SqlType
from sqlalchemy_dynamics.errors import DataverseError, NotSupportedError
from sqlalchemy_dynamics.execute.direct import row_decoder
from sqlalchemy_dynamics.execute.lately import Lately
from sqlalchemy_dynamics.execute.parallel import side_by_side
from sqlalchemy_dynamics.execute.partitions import TooMany, in_partitions
from sqlalchemy_dynamics.execute.requests import Ask, asks_of
from sqlalchemy_dynamics.execute.result import ListResult, ResultColumn, Row
from sqlalchemy_dynamics.execute.running import Running
from sqlalchemy_dynamics.odata.query import MOST_ROWS, Apply
from sqlalchemy_dynamics.planner.plan import Groups, Rows, Scan

__all__ = ["CannotGroup", "grouped_result", "partial_groups"]

_WIDE = Context(prec=60)
_MOST_ELASTIC_GROUPS = 500
_TOO_MANY_ROWS = "0x8004e023"
_PARTITIONED_BY = "createdon"
_REFUSALS = frozenset({400, 405, 500, 501})
_refused: Lately[type[Exception]] = Lately()


class CannotGroup(Exception):
    """The service would not, or could not reliably, group: over 50,000 rows, or as many groups as it returns."""


def partial_groups(scan: Scan, running: Running, mergeable: bool) -> list[Row]:
    """Return rows of keys and measures, each measure None where its query does not tell it.

    When `mergeable`, a query may be cut into partitions, and a group come more than once. Raises CannotGroup when
    the rows must be fetched and grouped here, or the groups be merged.
    """
    asks = asks_of(scan, running.values)
    found = side_by_side(lambda ask: _groups_of(scan, ask, running, mergeable), asks, running.threads)
    answers = [(ask, rows) for ask, rows in zip(asks, found, strict=True) if not _counts_all(ask, scan)]
    groups = [row for ask, rows in answers for row in _widened(rows, ask, scan.groups)]
    if len(answers) < len(asks):
        _refuse_lost(groups, scan, sum(int(row[0] or 0) for row in found[-1]))
    return groups


def _counts_all(ask: Ask, scan: Scan) -> bool:
    """Say whether a query only counts the rows that are in either part of a LEFT JOIN, or should be."""
    left = scan.groups is not None and scan.groups.left is not None
    return left and ask.query.apply is not None and not ask.query.apply.groups


def _refuse_lost(groups: list[Row], scan: Scan, rows: int) -> None:
    """Rows that look up what the caller may not see are in neither part."""
    assert scan.groups is not None
    counted = len(scan.groups.keys) + [each.alias for each in scan.groups.measures].index("m_rows")
    if sum(row[counted] or 0 for row in groups) != rows:
        raise CannotGroup("some rows look up what is not there for the caller")


def _groups_of(scan: Scan, ask: Ask, running: Running, mergeable: bool) -> list[Row]:
    created = scan.table.columns.get(_PARTITIONED_BY)
    fetch = partial(_fetch, scan, running)
    try:
        try:
            return fetch(ask)
        except TooMany:
            if not mergeable or created is None or created.type != TIMESTAMPTZ:
                raise
            return in_partitions(ask, created, fetch, running.threads)
    except TooMany as refusal:
        raise CannotGroup(str(refusal)) from refusal


def _fetch(scan: Scan, running: Running, ask: Ask) -> list[Row]:
    """Return the groups of one query; what the service could not group an hour ago is not asked again."""
    known = (running.owner, ask.query)
    for refusal in _refused.recall(known):
        raise refusal("the service could not group so much a short while ago")
    try:
        rows = _asked(scan, running, ask)
    except TooMany:
        _refused.learn(known, TooMany)
        raise
    if scan.groups is not None and ask.query.apply is not None and ask.query.apply.groups:
        _refuse_unnamed(rows, scan.groups)
        _refuse_misnamed(rows, scan.groups, ask.query.apply)
    if len(rows) >= (MOST_ROWS if scan.table.joined else _MOST_ELASTIC_GROUPS):
        _refused.learn(known, CannotGroup)
        raise CannotGroup(f"{len(rows)} groups came, and no more may come")
    return rows


def _asked(scan: Scan, running: Running, ask: Ask) -> list[Row]:
    rows: list[Row] = []
    try:
        for page in running.pages(scan.number, ask, row_decoder(ask.fields).decode, len):
            rows += page
    except NotSupportedError as error:  # a condition too long for any URL
        raise CannotGroup(str(error)) from error
    except DataverseError as error:
        if error.code.lower() == _TOO_MANY_ROWS:
            raise TooMany(str(error)) from error
        if error.status in _REFUSALS:
            raise CannotGroup(str(error)) from error
        raise
    return rows


def _refuse_unnamed(rows: list[Row], groups: Groups) -> None:
    """A value that came without its label or name would be counted under NULL."""
    places = {column.name: place for place, column in enumerate(groups.keys)}
    pairs = [(places[column.name], places[column.base]) for column in groups.keys if column.companion is not None]
    if any(row[name] is None and row[value] is not None for row in rows for name, value in pairs):
        raise CannotGroup("groups came without the names of their keys")


def _refuse_misnamed(rows: list[Row], groups: Groups, asked: Apply) -> None:
    """A column along a lookup without any value may have come under another name than the one documented."""
    if not rows or asked.groups != groups.paths:
        return
    along = (place for place, column in enumerate(groups.keys) if (column.wire,) not in groups.paths)
    if any(all(row[place] is None for row in rows) for place in along):
        raise CannotGroup("a column of the rows looked up holds no value, or came under an unknown name")


def _widened(rows: Iterable[Row], ask: Ask, groups: Groups | None) -> Iterator[Row]:
    """Put a query's measures at their places among all measures."""
    assert groups is not None
    width = len(groups.keys)
    aliases = [field.wire for field in ask.fields[width:]]
    for row in rows:
        told = dict(zip(aliases, row[width:], strict=True))
        measures = (_typed(told.get(measure.alias), measure.type) for measure in groups.measures)
        yield (*row[:width], *measures)


def _typed(value: Any, kind: SqlType) -> Any:
    if value is None or kind.family == "DOUBLE":
        return value
    if kind.family == "DECIMAL":
        return value.quantize(Decimal(1).scaleb(-(kind.scale or 0)), context=_WIDE)
    return int(value)


def grouped_result(work: Rows, rows: Sequence[Row]) -> ListResult:
    """Return the result of groups that need no merging; a global aggregate is one row, also over nothing."""
    groups = work.scan.groups
    assert groups is not None
    if not groups.keys:
        rows = [rows[0] if rows else (None,) * len(groups.measures)]
    columns = [ResultColumn(each.name, each.type, each.nullable) for each in work.outputs]
    return ListResult(columns, [_row(work, row) for row in rows])


def _row(work: Rows, row: Row) -> Row:
    """A count that the service leaves out is 0."""
    return tuple(
        0 if row[output.position] is None and not output.nullable else row[output.position] for output in work.outputs
    )
