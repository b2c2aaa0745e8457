"""Planning: a statement never seen before, the same statement again, and a round trip to compare with."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import httpx

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.execute.planning import bound_values, parsed, plan_of
from sqlalchemy_dynamics.metadata.csdl import parse
from sqlalchemy_dynamics.metadata.model import Model
from sqlalchemy_dynamics.planner.plan import Plan
from tests.benchmarks.organisation import METADATA
from tests.benchmarks.pages import SELECT
from tests.benchmarks.server import PageServer
from tests.benchmarks.timing import Line, Runs, alternate, table

__all__ = ["FIVE_WAY", "SIMPLE", "measure", "report"]

SIMPLE = f"SELECT {SELECT} FROM account WHERE revenue > {{}} AND name LIKE 'F%' ORDER BY name LIMIT 10"
FIVE_WAY = """
    SELECT b.name, u.fullname, count(*) AS deals, sum(o.estimatedvalue) AS pipeline
    FROM opportunity o
    JOIN account a ON o.parentaccountid = a.accountid
    JOIN contact c ON a.primarycontactid = c.contactid
    LEFT JOIN systemuser u ON o.owninguser = u.systemuserid
    LEFT JOIN businessunit b ON u.businessunitid = b.businessunitid
    WHERE o.statecode = 0 AND o.estimatedvalue > {} AND c.emailaddress1 IS NOT NULL
    GROUP BY b.name, u.fullname HAVING count(*) > 1 ORDER BY pipeline DESC LIMIT 20
"""
_COLUMNS = ("ms", "x round trip", "target")
_TRIP, _SESSION = "floor: a bare httpx round trip, one row", "the driver: execute and fetch one row"
_TARGETS = {
    "five-way join, first plan": "< 20 ms",
    "simple statement, cached plan": "< 0.05 round trips",
    "five-way join, cached plan": "< 0.05 round trips",
}


def measure(times: int, repeats: int) -> list[Line]:
    """Return a line per kind of planning, each the mean of `times` statements in the median of `repeats` runs."""
    model = parse(METADATA)
    fresh = count()
    with PageServer(10) as server:
        client = httpx.Client()
        connection = dbapi.connect(OrganizationUrl=server.url, OAuthAccessToken="x")
        url, first = f"{server.root}accounts?$select={SELECT}&$top=1", f"SELECT {SELECT} FROM account LIMIT 1"
        works: dict[str, Callable[[], object]] = {
            _TRIP: lambda: client.get(url).content,
            _SESSION: lambda: connection.cursor().execute(first).fetchall(),
            "simple statement, first plan": lambda: _planned(SIMPLE.format(next(fresh)), model),
            "five-way join, first plan": lambda: _planned(FIVE_WAY.format(next(fresh)), model),
            "simple statement, cached plan": lambda: _planned(SIMPLE.format("?"), model),
            "five-way join, cached plan": lambda: _planned(FIVE_WAY.format("?"), model),
        }
        runs = alternate({name: _repeated(work, times) for name, work in works.items()}, repeats)
    return [_line(run, runs[_TRIP], times) for run in runs.values()]


def _repeated(work: Callable[[], object], times: int) -> Callable[[], int]:
    return lambda: sum(work() is not None for _ in range(times))


def _planned(sql: str, model: Model) -> Plan:
    """What the executor does before it sends anything."""
    statement = parsed(sql)
    values = bound_values(statement, [100] * statement.markers)
    return plan_of(statement, model.table, values, "benchmark", True)


def _line(run: Runs, trip: Runs, times: int) -> Line:
    figures = (f"{run.seconds / times * 1000:.3f}", f"{run.over(trip):.3f}", _TARGETS.get(run.name, ""))
    return Line(run.name, figures, run.count)


def report(times: int = 20, repeats: int = 9) -> str:
    """Return the table."""
    title = f"(d) planning: means of {times} statements, median of {repeats} alternating runs"
    return table(title, _COLUMNS, measure(times, repeats))
