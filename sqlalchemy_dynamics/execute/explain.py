"""EXPLAIN: the very requests that would be sent, the SQL that is left, and why it is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy_dynamics.edm import BIGINT, DOUBLE, INTEGER, VARCHAR
from sqlalchemy_dynamics.execute.fetch import Tally
from sqlalchemy_dynamics.execute.requests import Values, asks_of
from sqlalchemy_dynamics.execute.result import ListResult, ResultColumn
from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filters import Among, Both, Parameter
from sqlalchemy_dynamics.odata.query import Query, to_request
from sqlalchemy_dynamics.planner.plan import Keys, Plan, Residual, Scan

__all__ = ["Step", "analyzed", "explained", "steps_of"]

Step = tuple[int, str, str]
_LONGEST_URL = 32_000
_COLUMNS = (
    ResultColumn("step", INTEGER, False),
    ResultColumn("kind", VARCHAR, False),
    ResultColumn("detail", VARCHAR, False),
)
_COUNTS = (
    ResultColumn("requests", BIGINT),
    ResultColumn("rows", BIGINT),
    ResultColumn("bytes", BIGINT),
    ResultColumn("ms", DOUBLE),
)


def steps_of(plan: Plan, values: Values | None, page_size: int | None) -> list[Step]:
    """Return (step, kind, detail) for everything a plan does; with `values` None parameters show as ``{key}``."""
    found = [*_work(plan, values, page_size), *(("note", f"{term}: {reason}") for term, reason in plan.notes)]
    return [(number, kind, detail) for number, (kind, detail) in enumerate(found, start=1)]


def explained(steps: list[Step]) -> ListResult:
    """Return the rows of EXPLAIN."""
    return ListResult(_COLUMNS, steps)


def analyzed(steps: list[Step], tally: Tally, milliseconds: float) -> ListResult:
    """Return the rows of EXPLAIN ANALYZE; the counts of the whole statement stand in its first row."""
    counts = (tally.requests, tally.rows, tally.bytes, milliseconds)
    rows = [(*step, *(counts if position == 0 else (None,) * 4)) for position, step in enumerate(steps)]
    return ListResult((*_COLUMNS, *_COUNTS), rows)


def _work(plan: Plan, values: Values | None, page_size: int | None) -> Iterator[tuple[str, str]]:
    step = 0
    first_step: dict[int, int] = {}
    for scan in _in_order(plan):
        first_step[scan.number] = step + 1 if scan.through is None else first_step[scan.through[0]]
        for kind, detail in _requests(plan, scan, values, page_size, first_step):
            step += 1
            yield kind, detail
    if isinstance(plan.work, Residual):
        yield "residual", plan.work.sql
    if plan.fallback is not None:
        yield "note", "if the service refuses to group (over 50,000 rows), the rows are fetched and grouped here"


def _in_order(plan: Plan) -> list[Scan]:
    """Scans whose keys others wait for come first."""
    waiting, done = list(plan.scans), list[Scan]()
    while waiting:
        known = {None, *(scan.number for scan in done)}
        ready = next(scan for scan in waiting if _waits_for(scan) in known)
        waiting.remove(ready)
        done.append(ready)
    return done


def _waits_for(scan: Scan) -> int | None:
    if scan.through is not None:
        return scan.through[0]
    return None if scan.keys is None else scan.keys.source


def _requests(
    plan: Plan, scan: Scan, values: Values | None, page_size: int | None, first_step: dict[int, int]
) -> Iterator[tuple[str, str]]:
    asks = asks_of(scan, values, page_size, among=tuple(plan.scans))
    if not asks and scan.through is None:
        yield "note", f"nothing is asked of {scan.table.name}: no row can match, or none is wanted"
    for ask in asks:
        query = ask.query if scan.keys is None else _keyed(ask.query, scan.keys, first_step[scan.keys.source])
        url = to_request(query, placeholders=True).url
        yield ("batch" if len(url) > _LONGEST_URL else "request"), f"GET {url}"


def _keyed(query: Query, keys: Keys, step: int) -> Query:
    """Show where values known only at run time will stand."""
    marker = Parameter(f"step{step}.keys", keys.column.edm)
    wanted = Among((keys.column.wire,), (marker,))
    return replace(query, filter=wanted if query.filter is None else simplify(Both((query.filter, wanted))))
