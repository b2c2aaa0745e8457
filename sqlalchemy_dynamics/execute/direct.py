"""Statements the Web API answers alone: rows as they come, columns picked, rows skipped and cut off."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from functools import lru_cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy_dynamics.execute.arrow import schema_of
from sqlalchemy_dynamics.execute.requests import asks_of
from sqlalchemy_dynamics.execute.result import ResultColumn, Row
from sqlalchemy_dynamics.execute.running import Running
from sqlalchemy_dynamics.odata.pages import ArrowDecoder, Field, RowDecoder
from sqlalchemy_dynamics.planner.plan import Rows

if TYPE_CHECKING:
    import pyarrow

__all__ = ["DirectResult", "arrow_decoder", "row_decoder"]


@lru_cache(256)
def row_decoder(fields: tuple[Field, ...]) -> RowDecoder:
    """Return the decoder of a column list; making one costs more than a small page."""
    return RowDecoder(fields)


@lru_cache(256)
def arrow_decoder(fields: tuple[Field, ...]) -> ArrowDecoder:
    """Return the Arrow decoder of a column list."""
    return ArrowDecoder(fields)


class DirectResult:
    """The result of a fully pushed statement. Memory holds a page or two."""

    rowcount = -1

    def __init__(self, work: Rows, running: Running) -> None:
        self.columns = tuple(ResultColumn(each.name, each.type, each.nullable) for each in work.outputs)
        self._positions = [output.position for output in work.outputs]
        self._count, self._skip = work.limit.bound(running.values)
        self._asks = asks_of(work.scan, running.values, running.page_size, among=work.inside)
        self._scan, self._running = work.scan.number, running
        self._open: list[Generator[Any, None, None]] = []

    @property
    def arrow_schema(self) -> pyarrow.Schema:
        """The schema of the record batches."""
        return schema_of(self.columns)

    def rows(self) -> Iterator[list[Row]]:
        """Yield the rows of each page."""
        if self._asks:
            fields = self._asks[0].fields
            pick = _picker(self._positions, len(fields))
            for page in self._cut(self._pages(row_decoder(fields).decode, len)):
                yield pick(page)

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Yield a record batch per page."""
        if self._asks:
            decoder = arrow_decoder(self._asks[0].fields)
            for page in self._cut(self._pages(decoder.decode, lambda batch: batch.num_rows)):
                yield _renamed(page, self._positions, self.arrow_schema)

    def close(self) -> None:
        """Stop fetching."""
        while self._open:
            self._open.pop().close()

    def _pages(self, decode: Callable[[bytes], Any], count: Callable[[Any], int]) -> Iterator[Any]:
        for ask in self._asks:
            pages = self._running.pages(self._scan, ask, decode, count)
            self._open.append(pages)
            yield from pages

    def _cut(self, pages: Iterable[Any]) -> Iterator[Any]:
        """Skip and stop; works on lists and record batches alike."""
        skip, left = self._skip, self._count
        for page in pages:
            size = len(page)
            start = min(skip, size)
            stop = size if left is None else min(size, start + left)
            skip -= start
            left = None if left is None else left - (stop - start)
            yield page if (start, stop) == (0, size) else page[start:stop]
            if left == 0:
                return


def _picker(positions: list[int], width: int) -> Callable[[list[Row]], list[Row]]:
    if positions == list(range(width)):
        return lambda rows: rows
    if len(positions) == 1:
        return lambda rows: [(row[positions[0]],) for row in rows]
    return partial(_picked, itemgetter(*positions))


def _picked(pick: Callable[[Row], Row], rows: list[Row]) -> list[Row]:
    return [pick(row) for row in rows]


def _renamed(batch: pyarrow.RecordBatch, positions: list[int], schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    import pyarrow

    return pyarrow.RecordBatch.from_arrays([batch.column(position) for position in positions], schema=schema)
