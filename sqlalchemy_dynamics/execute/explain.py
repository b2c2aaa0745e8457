"""EXPLAIN: the very requests that would be sent, the SQL that is left, and why it is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy_dynamics.edm import BIGINT, DOUBLE, INTEGER, VARCHAR
from sqlalchemy_dynamics.execute.fetch import Tally
from sqlalchemy_dynamics.execute.requests import Values, asks_of
from sqlalchemy_dynamics.execute.result import ListResult, ResultColumn, Row
from sqlalchemy_dynamics.execute.running import Running
from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filters import Among, Both, Parameter
from sqlalchemy_dynamics.odata.query import Query, to_request
from sqlalchemy_dynamics.planner.plan import Keys, Plan, Residual, Scan

__all__ = ["Step", "analyzed", "analyzed_write", "explained", "steps_of"]

Step = tuple[int, str, str]
_Told = tuple[str, str, int | None]
_LONGEST_URL = 32_768
_WHOLE = 0
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
    found = [*_work(plan, values, page_size), *_notes(plan)]
    return [(number, kind, detail) for number, (kind, detail, _) in enumerate(found, start=1)]


def explained(steps: list[Step]) -> ListResult:
    """Return the rows of EXPLAIN."""
    return ListResult(_COLUMNS, steps)


def analyzed(plan: Plan, running: Running, whole: Tally) -> ListResult:
    """Return the rows of EXPLAIN ANALYZE.

    A table's counts stand at its first request; the statement's own rows and time at the residual step, or, when the
    service answered alone, at a note of its own.
    """
    found = [*_work(plan, running.values, running.page_size), *_notes(plan)]
    if not isinstance(plan.work, Residual):
        found.append(("note", "the whole statement", _WHOLE))
    tallies = {**running.tallies, _WHOLE: whole}
    rows: list[Row] = []
    for number, (kind, detail, scan) in enumerate(found, start=1):
        tally = tallies.pop(scan, None) if scan is not None else None
        rows.append((number, kind, detail, *(_counts(tally) if tally is not None else (None,) * len(_COUNTS))))
    return ListResult((*_COLUMNS, *_COUNTS), rows)


def analyzed_write(steps: list[Step], whole: Tally) -> ListResult:
    """Return the rows of EXPLAIN ANALYZE for a statement that writes: what it took stands at a note of its own."""
    rows: list[Row] = [(*step, *(None,) * len(_COUNTS)) for step in steps]
    rows.append((len(steps) + 1, "note", "the whole statement", *_counts(whole)))
    return ListResult((*_COLUMNS, *_COUNTS), rows)


def _counts(tally: Tally) -> tuple[int | None, int, int | None, float]:
    return tally.requests or None, tally.rows, tally.bytes or None, round(tally.seconds * 1000, 3)


def _notes(plan: Plan) -> Iterator[_Told]:
    for term, reason in plan.notes:
        yield "note", f"{term}: {reason}", None
    if isinstance(plan.work, Residual) and not plan.work.scans:
        yield "note", "no table is read: everything is computed here", None
    if plan.fallback is not None:
        yield "note", "over 50,000 rows the service refuses to group: then in stretches of createdon, or here", None


def _work(plan: Plan, values: Values | None, page_size: int | None) -> Iterator[_Told]:
    step = 0
    first_step: dict[int, int] = {}
    for scan in _in_order(plan):
        first_step[scan.number] = step + 1 if scan.through is None else first_step[scan.through[0]]
        for kind, detail in _requests(plan, scan, values, page_size, first_step):
            step += 1
            yield kind, detail, scan.number
    if isinstance(plan.work, Residual):
        yield "residual", plan.work.sql, _WHOLE
    for cell in dict.fromkeys(cell for download in plan.downloads for cell in download.cells):
        scan = next(scan for scan in plan.scans if cell.startswith(f"{scan.table.entity_set}("))
        yield "request", f"GET {cell.format(keys=f'{{step{first_step[scan.number]}.keys}}')}", None


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
