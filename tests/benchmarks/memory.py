"""Peak memory of a process that streams a large table: VmHWM while it reads, less what it held before it began."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.pages import PAGE_ROWS, SELECT
from tests.benchmarks.server import ROOT, PageServer
from tests.benchmarks.timing import Line, table

__all__ = ["WAYS", "measure", "measured", "report"]

_SQL = f"SELECT {SELECT} FROM account"
_COLUMNS = ("MB at start", "MB peak above", "M rows/s")


def _driver(url: str) -> int:
    from sqlalchemy_dynamics import dbapi

    cursor = dbapi.connect(OrganizationUrl=url, OAuthAccessToken="x").cursor()
    cursor.execute(_SQL)
    return sum(map(len, iter(lambda: cursor.fetchmany(1000), [])))


def _arrow(url: str) -> int:
    from sqlalchemy_dynamics import dbapi

    cursor = dbapi.connect(OrganizationUrl=url, OAuthAccessToken="x").cursor()
    return sum(batch.num_rows for batch in cursor.execute(_SQL).fetch_record_batch())


def _core(url: str) -> int:
    import sqlalchemy as sa

    from tests.benchmarks.reading import ACCOUNT, engine_of

    with engine_of(url).connect() as connection:
        result = connection.execution_options(stream_results=True, max_row_buffer=5000).execute(sa.select(ACCOUNT))
        return sum(map(len, result.partitions(1000)))


def _orm(url: str) -> int:
    import sqlalchemy as sa
    from sqlalchemy.orm import Session

    from tests.benchmarks.reading import Account, engine_of

    with Session(engine_of(url)) as session:
        result = session.execute(sa.select(Account).execution_options(yield_per=1000))
        return sum(map(len, result.scalars().partitions()))


def _floor(url: str) -> int:
    """One page at a time, nothing kept."""
    from tests.benchmarks.floors import httpx_msgspec_streamed

    return httpx_msgspec_streamed(f"{url}/api/data/v9.2/")()


WAYS: dict[str, Callable[[str], int]] = {
    "floor: httpx+msgspec, page by page": _floor,
    "cursor.fetchmany(1000)": _driver,
    "cursor.fetch_record_batch()": _arrow,
    "Core, stream_results": _core,
    "ORM, yield_per=1000": _orm,
}


def measure(rows: int, page_rows: int) -> list[Line]:
    """Stream the table once in each way, in a process of its own."""
    with PageServer(rows, page_rows) as server:
        return [_line(name, measured(name, server.url)) for name in WAYS]


def measured(name: str, url: str) -> dict[str, Any]:
    """Return rows, seconds, and megabytes at start and at the peak of one way."""
    command = [sys.executable, "-m", "tests.benchmarks.memory", name, url]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    return found


def _line(name: str, found: dict[str, Any]) -> Line:
    figures = (
        f"{found['start']:.0f}",
        f"{found['peak'] - found['start']:.0f}",
        f"{found['rows'] / found['seconds'] / 1e6:.2f}",
    )
    return Line(name, figures, found["rows"])


def report(rows: int = 1_000_000, page_rows: int = PAGE_ROWS) -> str:
    """Return the table."""
    title = f"(b) streaming {rows:,} rows x 6 columns, pages of {page_rows:,}: memory of the process"
    return table(title, _COLUMNS, measure(rows, page_rows))


def _megabytes(field: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


def main() -> None:
    """Read ten rows so that everything is loaded, note the memory, read it all."""
    import time

    parser = argparse.ArgumentParser()
    parser.add_argument("way")
    parser.add_argument("url")
    given = parser.parse_args()
    with PageServer(10) as warm:
        WAYS[given.way](warm.url)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    start, began = _megabytes("VmRSS"), time.perf_counter()
    rows = WAYS[given.way](given.url)
    taken, peak = time.perf_counter() - began, _megabytes("VmHWM")
    print(json.dumps({"rows": rows, "seconds": taken, "start": start, "peak": peak}))


if __name__ == "__main__":
    main()
