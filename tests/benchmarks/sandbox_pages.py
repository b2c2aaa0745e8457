"""How fast the sandbox makes a page of accounts, beside the page server that only sends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import urllib3

from tests.benchmarks.pages import PAGE_ROWS, SELECT
from tests.benchmarks.server import ROOT, PageServer
from tests.benchmarks.timing import Line, Runs, alternate, table

__all__ = ["measure", "report"]

_COLUMNS = ("ms a page", "rows/s", "x page server")
_FLOOR = "floor: the page server"


@contextmanager
def _sandbox(rows: int) -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own, as its first line describes it."""
    command = [sys.executable, "-m", "sqlalchemy_dynamics", "sandbox", "--rows", str(rows)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def measure(page_rows: int, repeats: int) -> list[Line]:
    """Read the first page of each over and over."""
    with PageServer(2 * page_rows, page_rows) as server, _sandbox(2 * page_rows) as sandbox:
        root = f"{sandbox['OrganizationUrl']}/api/data/v9.2/"
        works = {
            _FLOOR: _first_page(server.root, "x", page_rows),
            "sandbox, first page": _first_page(root, sandbox["AccessToken"], page_rows),
        }
        runs = alternate(works, repeats)
    return [_line(run, runs[_FLOOR]) for run in runs.values()]


def _first_page(root: str, token: str, page_rows: int) -> Callable[[], int]:
    pool = urllib3.PoolManager()
    headers = {"Authorization": f"Bearer {token}", "Prefer": f"odata.maxpagesize={page_rows}"}
    url = f"{root}accounts?$select={SELECT}"
    return lambda: len(orjson.loads(pool.request("GET", url, headers=headers).data)["value"])


def _line(run: Runs, floor: Runs) -> Line:
    figures = (f"{run.seconds * 1000:.1f}", f"{run.count / run.seconds:,.0f}", f"{run.over(floor):.1f}")
    return Line(run.name, figures, run.count)


def report(page_rows: int = PAGE_ROWS, repeats: int = 7) -> str:
    """Return the table; the time holds one orjson pass over the page."""
    title = f"(f) one page of {page_rows:,} rows x 6 columns; median of {repeats} alternating runs"
    return table(title, _COLUMNS, measure(page_rows, repeats))
