"""Aggregates over more rows than the service aggregates at once: one request per stretch of `createdon`.

The stretches are halved until the service takes them, and run side by side; their groups are partial, and are merged
by whoever asked. Rows without a `createdon` have a stretch of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy_dynamics.execute.requests import Ask
from sqlalchemy_dynamics.execute.result import Row
from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.filters import Both, Compare, Filter, Null, Value
from sqlalchemy_dynamics.odata.pages import Field
from sqlalchemy_dynamics.odata.query import Order, Query

__all__ = ["TooMany", "in_partitions"]

_SHORTEST = timedelta(seconds=10)
_FIRST_STRETCHES = 4


class TooMany(Exception):
    """The service refused to aggregate: more than 50,000 rows (0x8004E023)."""


Fetch = Callable[[Ask], list[Row]]
"""Sends a query and returns its rows; raises TooMany when the service will not aggregate so many."""


@dataclass(frozen=True)
class _Stretch:
    """From `start` inclusive to `end` exclusive."""

    start: datetime
    end: datetime

    def halves(self) -> tuple[_Stretch, _Stretch]:
        middle = self.start + timedelta(seconds=int((self.end - self.start).total_seconds()) // 2)
        return _Stretch(self.start, middle), _Stretch(middle, self.end)

    def condition(self, column: Column) -> Filter:
        start, end = (Value(moment, column.edm) for moment in (self.start, self.end))
        return Both((Compare((column.wire,), "ge", start), Compare((column.wire,), "lt", end)))


def in_partitions(ask: Ask, column: Column, fetch: Fetch, threads: int) -> list[Row]:
    """Return the rows of an aggregating query, asked in stretches of `column`; groups may come more than once.

    Raises TooMany when ten seconds hold more rows than the service aggregates.
    """
    rows = fetch(_narrowed(ask, Null((column.wire,))))
    ends = _ends(ask, column, fetch)
    if ends is None:
        return rows
    stretches = [_Stretch(ends[0], ends[1] + timedelta(seconds=1))]
    while len(stretches) < _FIRST_STRETCHES:
        stretches = [half for stretch in stretches for half in stretch.halves()]
    for found in _side_by_side(ask, column, fetch, stretches, threads):
        rows += found
    return rows


def _side_by_side(
    ask: Ask, column: Column, fetch: Fetch, stretches: list[_Stretch], threads: int
) -> Iterator[list[Row]]:
    with ThreadPoolExecutor(threads) as workers:
        under_way: dict[Future[list[Row]], _Stretch] = {}
        try:
            while stretches or under_way:
                while stretches:
                    stretch = stretches.pop()
                    under_way[workers.submit(fetch, _narrowed(ask, stretch.condition(column)))] = stretch
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    stretch = under_way.pop(done)
                    try:
                        yield done.result()
                    except TooMany:
                        if stretch.end - stretch.start <= _SHORTEST:
                            raise
                        stretches += stretch.halves()
        finally:
            for future in under_way:
                future.cancel()


def _narrowed(ask: Ask, condition: Filter) -> Ask:
    known = ask.query.filter
    both = condition if known is None else Both((known, condition))
    return replace(ask, query=replace(ask.query, filter=both))


def _ends(ask: Ask, column: Column, fetch: Fetch) -> tuple[datetime, datetime] | None:
    """Return the first and the last moment, None when no row has one."""
    fields = (Field(column.wire, column.type, name=column.name),)
    found = []
    for descending in (False, True):
        query = Query(
            ask.query.entity_set,
            select=(column.wire,),
            filter=_with_value(ask.query.filter, column),
            order=(Order((column.wire,), descending),),
            top=1,
        )
        found += fetch(Ask(query, fields, 1))
    return (found[0][0], found[1][0]) if len(found) == 2 else None


def _with_value(known: Filter | None, column: Column) -> Filter:
    present = Null((column.wire,), negated=True)
    return present if known is None else Both((known, present))
