"""Start-up: what a fresh process pays to import the driver, and until it holds its first row."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from tests.benchmarks.pages import SELECT
from tests.benchmarks.server import ROOT, PageServer
from tests.benchmarks.timing import Line, Runs, alternate, table

__all__ = ["measure", "report"]

_COLUMNS = ("ms", "more than bare Python, ms", "x httpx+msgspec first row")
_BARE, _FLOOR = "floor: bare Python", "floor: httpx+msgspec, first row"
_FIRST = f"SELECT {SELECT} FROM account LIMIT 1"


def _programs(server: PageServer) -> dict[str, str]:
    url = f"{server.root}accounts?$select={SELECT}&$top=1"
    connect = f"connect(OrganizationUrl={server.url!r}, OAuthAccessToken='x')"
    arguments = f"connect_args=dict(OrganizationUrl={server.url!r}, OAuthAccessToken='x')"
    return {
        _BARE: "pass",
        _FLOOR: f"import httpx, msgspec; msgspec.json.decode(httpx.Client().get({url!r}).content)",
        "import sqlalchemy_dynamics.dbapi": "import sqlalchemy_dynamics.dbapi",
        "driver: import, connect": f"from sqlalchemy_dynamics.dbapi import connect; {connect}",
        "driver: import, connect, metadata, first row": (
            f"from sqlalchemy_dynamics.dbapi import connect; assert {connect}.cursor().execute({_FIRST!r}).fetchone()"
        ),
        "beside: import sqlalchemy": "import sqlalchemy",
        "SQLAlchemy: import, engine, first row": (
            f"import sqlalchemy as sa; c = sa.create_engine('dynamics://', {arguments}).connect(); "
            f"assert c.execute(sa.text({_FIRST!r})).first()"
        ),
    }


def measure(repeats: int) -> list[Line]:
    """Return a line per program, each run in a process of its own."""
    with PageServer(10) as server:
        runs = alternate({name: partial(_run, code) for name, code in _programs(server).items()}, repeats)
    return [_line(run, runs[_BARE], runs[_FLOOR]) for run in runs.values()]


def _run(code: str) -> int:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True).returncode


def _line(run: Runs, bare: Runs, floor: Runs) -> Line:
    more = (run.seconds - bare.seconds) * 1000
    return Line(run.name, (f"{run.seconds * 1000:.0f}", f"{more:.0f}", f"{run.over(floor):.2f}"), run.count)


def report(repeats: int = 5) -> str:
    """Return the table."""
    return table(f"(e) start-up, median of {repeats} alternating runs", _COLUMNS, measure(repeats))
