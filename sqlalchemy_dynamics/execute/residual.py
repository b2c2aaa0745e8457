"""Statements with something left to compute: scans fetched side by side, the rest run in the residual engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy_dynamics.errors import ProgrammingError, StatementCancelled
from sqlalchemy_dynamics.execute.arrow import schema_of, to_batches, to_rows
from sqlalchemy_dynamics.execute.direct import arrow_decoder
from sqlalchemy_dynamics.execute.engine import EngineOptions, open_workspace, type_of
from sqlalchemy_dynamics.execute.fetch import Fetcher, Tally
from sqlalchemy_dynamics.execute.gather import Gathering
from sqlalchemy_dynamics.execute.grouped import GroupFetcher
from sqlalchemy_dynamics.execute.requests import Ask, Values, asks_of, fields_of
from sqlalchemy_dynamics.execute.result import ResultColumn, Row
from sqlalchemy_dynamics.execute.views import source_of, view_sql
from sqlalchemy_dynamics.odata.messages import Send
from sqlalchemy_dynamics.planner.plan import Residual, Scan

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ResidualResult"]

_BATCH_ROWS = 5000


class ResidualResult:
    """The result of a residual statement. Its names and types are known before anything is fetched.

    A view that is read once is fetched while the engine reads it; otherwise the scans are fetched whole, side by
    side, before the engine runs.
    """

    rowcount = -1

    def __init__(
        self,
        work: Residual,
        send: Send,
        values: Values,
        cancelled: threading.Event,
        tally: Tally,
        options: EngineOptions,
        groups: GroupFetcher,
        page_size: int | None = None,
    ) -> None:
        self._work, self._send, self._cancelled, self._tally = work, send, cancelled, tally
        self._values, self._page_size = values, page_size
        self._failure: BaseException | None = None
        self._workspace = open_workspace(options)
        self._groups = [groups.groups(scan, mergeable=True) if scan.groups else None for scan in work.scans]
        self.columns = self._bound_columns()

    @property
    def arrow_schema(self) -> pyarrow.Schema:
        """The schema of the record batches: ours where the type is one of ours, the engine's own otherwise."""
        return self._reader_schema

    def rows(self) -> Iterator[list[Row]]:
        """Yield blocks of rows."""
        families = [column.type.family for column in self.columns]
        for batch in self._batches():
            yield to_rows(batch, families)

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Yield record batches."""
        for batch in self._batches():
            yield batch.cast(self.arrow_schema) if batch.schema != self.arrow_schema else batch

    def close(self) -> None:
        """Stop fetching and forget what was fetched."""
        self._workspace.close()

    def _bound_columns(self) -> tuple[ResultColumn, ...]:
        """Bind the statement over empty views: mistakes are found, names and types known, nothing is sent."""
        for scan in self._work.scans:
            self._workspace.put(source_of(scan), _empty(scan, self._work.scans))
            self._workspace.define(view_sql(scan))
        bound = self._bind()
        columns = tuple(
            ResultColumn(name, type_of(kind)) for name, kind in zip(bound.columns, bound.types, strict=True)
        )
        self._reader_schema = _promised(bound.to_arrow_reader(1).schema, columns)
        return columns

    def _bind(self) -> Any:
        missing = [key for key in self._work.parameters if key not in self._values]
        if missing:
            raise ProgrammingError(f"the statement needs a value for parameter {missing[0]!r}")
        given = {str(key): self._values[key] for key in self._work.parameters}
        return self._workspace.bind(self._work.sql, given or None)

    def _batches(self) -> Iterator[pyarrow.RecordBatch]:
        self._supply()
        with self._workspace.speaking(lambda: self._failure):
            reader = self._bind().to_arrow_reader(_BATCH_ROWS)
            for batch in reader:
                if self._cancelled.is_set():
                    raise StatementCancelled("the statement was cancelled")
                yield batch

    def _supply(self) -> None:
        if self._work.streaming:
            scan, groups = self._work.scans[0], self._groups[0]
            self._workspace.put(source_of(scan), self._reader(scan, groups))
            return
        found = Gathering(self._work.scans, self._whole).run()
        for scan in self._work.scans:
            self._workspace.put(source_of(scan), found[scan.number])

    def _whole(self, scan: Scan, keys: Sequence[object] | None) -> pyarrow.Table:
        return self._reader(scan, None, keys).read_all()

    def _reader(
        self, scan: Scan, groups: list[Row] | None, keys: Sequence[object] | None = None
    ) -> pyarrow.RecordBatchReader:
        import pyarrow

        schema = _empty(scan, self._work.scans).schema
        batches = self._fetched(scan, keys) if groups is None else to_batches(groups, _group_columns(scan))
        return pyarrow.RecordBatchReader.from_batches(schema, self._watched(batches))

    def _fetched(self, scan: Scan, keys: Sequence[object] | None) -> Iterator[pyarrow.RecordBatch]:
        for ask in asks_of(scan, self._values, self._page_size, keys, self._work.scans):
            yield from self._pages(ask)

    def _pages(self, ask: Ask) -> Iterator[pyarrow.RecordBatch]:
        decoder = arrow_decoder(ask.fields)
        return Fetcher(self._send, decoder.decode, _rows_in, self._cancelled, self._tally).pages(ask)

    def _watched(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Remember what went wrong: the engine's own error would hide its class."""
        try:
            yield from batches
        except BaseException as failure:
            self._failure = failure
            raise


def _rows_in(batch: Any) -> int:
    return int(batch.num_rows)


def _group_columns(scan: Scan) -> tuple[ResultColumn, ...]:
    assert scan.groups is not None
    keys = (ResultColumn(column.name, column.type) for column in scan.groups.keys)
    return (*keys, *(ResultColumn(measure.alias, measure.type) for measure in scan.groups.measures))


def _empty(scan: Scan, among: Sequence[Scan]) -> pyarrow.Table:
    if scan.groups is not None:
        return schema_of(_group_columns(scan)).empty_table()
    return arrow_decoder(fields_of(scan, among)).schema.empty_table()


def _promised(schema: pyarrow.Schema, columns: tuple[ResultColumn, ...]) -> pyarrow.Schema:
    import pyarrow

    return pyarrow.schema(
        [
            pyarrow.field(column.name, pyarrow.timestamp("us", "UTC"))
            if column.type.family == "TIMESTAMP WITH TIME ZONE"
            else field
            for field, column in zip(schema, columns, strict=True)
        ]
    )
