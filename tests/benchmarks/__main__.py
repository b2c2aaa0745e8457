"""Prints the tables: `python -m tests.benchmarks [--only a,d] [--rows N] [--streamed N]`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from tests.benchmarks import decoding, memory, parsing, planning, reading, sandbox_pages, startup
from tests.benchmarks.pages import PAGE_ROWS
from tests.benchmarks.server import DISTINCT_PAGES


def main() -> None:
    """Run the benchmarks that were asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default="abcdefg", help="letters of the tables to print")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the table that is read (a), at most 100,000")
    parser.add_argument("--streamed", type=int, default=1_000_000, help="rows of the table that is streamed (b)")
    given = parser.parse_args()
    if given.rows > DISTINCT_PAGES * PAGE_ROWS:
        parser.error("keys would repeat; --rows is at most 100,000")
    reports: dict[str, Callable[[], str]] = {
        "a": lambda: reading.report(given.rows),
        "b": lambda: memory.report(given.streamed),
        "c": parsing.report,
        "d": planning.report,
        "e": startup.report,
        "f": sandbox_pages.report,
        "g": decoding.report,
    }
    for letter, report in reports.items():
        if letter in given.only:
            print(report(), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
