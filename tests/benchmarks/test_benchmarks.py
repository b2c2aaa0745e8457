"""The benchmarks run, and each reads as many rows as it says. How fast is not asked here."""

from __future__ import annotations

import pytest

from tests.benchmarks import decoding, floors, memory, pages, parsing, planning, reading, sandbox_pages, startup
from tests.benchmarks.organisation import METADATA
from tests.benchmarks.server import DISTINCT_PAGES, PageServer
from tests.benchmarks.timing import Line, alternate, table

ROWS, PAGE_ROWS = 130, 50  # three pages, the last one shorter


def counts(lines: list[Line]) -> set[int]:
    return {line.count for line in lines}


def test_every_way_of_reading_reads_every_row() -> None:
    lines = reading.measure(ROWS, PAGE_ROWS, repeats=1)
    assert counts(lines) == {ROWS}
    assert len(lines) == 12
    assert counts(reading.measure_far(ROWS, PAGE_ROWS, repeats=1, latency=1)) == {ROWS}


def test_pages_beyond_the_distinct_ones_are_served() -> None:
    rows = DISTINCT_PAGES * 50 + 80
    with PageServer(rows, 50, latency=1) as server:
        assert floors.httpx_msgspec(server.root)() == floors.urllib3_orjson(server.root)() == rows


@pytest.mark.parametrize("way", memory.WAYS)
def test_streaming_reads_every_row(way: str) -> None:
    with PageServer(ROWS, PAGE_ROWS) as server:
        assert memory.WAYS[way](server.url) == ROWS


def test_memory_is_measured_in_a_process_of_its_own() -> None:
    with PageServer(ROWS, PAGE_ROWS) as server:
        found = memory.measured("cursor.fetchmany(1000)", server.url)
    assert found["rows"] == ROWS
    assert found["peak"] >= found["start"] > 1


def test_the_document_gives_its_tables() -> None:
    lines = parsing.measure(METADATA, repeats=1)
    assert (lines[-2].count, lines[-1].count) == (5, 5)


def test_planning_makes_plans() -> None:
    assert counts(planning.measure(times=2, repeats=1)) == {2}


def test_every_program_starts() -> None:
    lines = startup.measure(repeats=1)
    assert counts(lines) == {0}  # exit codes


def test_the_sandbox_fills_a_page() -> None:
    assert counts(sandbox_pages.measure(PAGE_ROWS, repeats=1)) == {PAGE_ROWS}


def test_every_decoder_decodes_the_page() -> None:
    assert counts(decoding.measure(PAGE_ROWS, repeats=1)) == {PAGE_ROWS}


def test_links_are_cookies_in_cookies() -> None:
    link = pages.next_link("https://host/api/data/v9.2/", 3)
    assert link.startswith(f"https://host/api/data/v9.2/accounts?$select={pages.SELECT}&$skiptoken=%3Ccookie")
    assert "pagenumber=%223%22" in link


def test_ratios_are_those_of_each_round() -> None:
    runs = alternate({"one": lambda: 7, "other": lambda: 8}, repeats=3)
    runs["one"].wall, runs["other"].wall = [2.0, 9.0, 4.0], [1.0, 3.0, 4.0]
    assert runs["one"].over(runs["other"]) == 2.0
    assert [runs[name].count for name in runs] == [7, 8]


def test_a_work_that_counts_differently_is_refused() -> None:
    numbers = iter(range(9))
    with pytest.raises(AssertionError, match="one: 1 after 0"):
        alternate({"one": lambda: next(numbers)}, repeats=2)


def test_tables_are_aligned() -> None:
    text = table("title", ("ms",), [Line("short", ("1",)), Line("longer", ("12",))])
    assert text.splitlines() == ["title", "        ms", "short    1", "longer  12"]
