"""The page decoders alone, beside the bare JSON decoders."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import orjson

from sqlalchemy_dynamics.odata.pages import ArrowDecoder, RowDecoder
from tests.benchmarks.pages import FIELDS, PAGE_ROWS, next_link, page, rows
from tests.benchmarks.timing import Line, Runs, alternate, table

__all__ = ["measure", "report"]

_COLUMNS = ("ms a page", "M rows/s", "x orjson")
_FLOOR = "floor: orjson, dicts"


def measure(page_rows: int, repeats: int) -> list[Line]:
    """Decode one page in each way."""
    body = page(rows(page_rows), next_link("https://contoso.crm.dynamics.com/api/data/v9.2/", 2))
    tuples, arrow = RowDecoder(FIELDS), ArrowDecoder(FIELDS)
    works: dict[str, Callable[[], int]] = {
        _FLOOR: lambda: len(orjson.loads(body)["value"]),
        "msgspec, dicts": lambda: len(msgspec.json.decode(body)["value"]),
        "RowDecoder, typed tuples": lambda: len(tuples.decode(body).rows),
        "ArrowDecoder, record batch": lambda: int(arrow.decode(body).rows.num_rows),
    }
    runs = alternate(works, repeats)
    return [_line(run, runs[_FLOOR]) for run in runs.values()]


def _line(run: Runs, floor: Runs) -> Line:
    figures = (f"{run.seconds * 1000:.2f}", f"{run.count / run.seconds / 1e6:.2f}", f"{run.over(floor):.2f}")
    return Line(run.name, figures, run.count)


def report(page_rows: int = PAGE_ROWS, repeats: int = 41) -> str:
    """Return the table."""
    title = f"(g) decoding a page of {page_rows:,} rows x 6 columns; median of {repeats} alternating runs"
    return table(title, _COLUMNS, measure(page_rows, repeats))
