"""`$metadata` to the model, against expat doing nothing with the same document."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from xml.parsers import expat

from sqlalchemy_dynamics.metadata.csdl import parse
from sqlalchemy_dynamics.metadata.document import read
from tests.benchmarks.organisation import METADATA
from tests.benchmarks.timing import Line, alternate, table
from tests.shared import METADATA_FILES

__all__ = ["documents", "measure", "report"]

_COLUMNS = ("ms", "cpu ms", "x bare expat")
_FLOOR = "floor: bare expat"


def documents() -> dict[str, bytes]:
    """Return the documents to parse: the genuine ones where they are, and the page server's."""
    return {path.name: path.read_bytes() for path in METADATA_FILES} or {"the page server's": METADATA}


def measure(document: bytes, repeats: int) -> list[Line]:
    """Return a line per way of parsing; the model makes its tables when they are first asked for."""
    works: dict[str, Callable[[], int]] = {
        _FLOOR: partial(_bare, document),
        "expat calling empty handlers": partial(_handled, document),
        "entity types and sets read": lambda: len(read(document).types),
        "the model (tables on demand)": lambda: len(parse(document).tables),
        "the model and every table of it": lambda: len([each.columns for each in parse(document).tables.values()]),
    }
    runs = alternate(works, repeats)
    return [
        Line(
            run.name,
            (f"{run.seconds * 1000:.1f}", f"{run.cpu_seconds * 1000:.1f}", f"{run.over(runs[_FLOOR]):.2f}"),
            run.count,
        )
        for run in runs.values()
    ]


def report(repeats: int = 7) -> str:
    """Return a table per document."""
    return "\n\n".join(_titled(name, document, repeats) for name, document in documents().items())


def _titled(name: str, document: bytes, repeats: int) -> str:
    lines = measure(document, repeats)
    title = f"(c) $metadata, {name}: {len(document) / 1e6:.1f} MB, {lines[-1].count} tables; median of {repeats}"
    return table(title, _COLUMNS, lines)


def _bare(document: bytes) -> int:
    return expat.ParserCreate(namespace_separator=" ").Parse(document, True)


def _handled(document: bytes) -> int:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: None
    parser.EndElementHandler = lambda name: None
    return parser.Parse(document, True)
