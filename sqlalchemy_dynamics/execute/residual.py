"""Statements with something left to compute: scans fetched side by side, the rest run in the residual engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy_dynamics.errors import DatabaseError, DataError, ProgrammingError, StatementCancelled
from sqlalchemy_dynamics.execute.arrow import schema_of, to_batches, to_rows, until_changed
from sqlalchemy_dynamics.execute.direct import arrow_decoder
from sqlalchemy_dynamics.execute.engine import EngineOptions, open_workspace, type_of
from sqlalchemy_dynamics.execute.gather import Gathering
from sqlalchemy_dynamics.execute.grouped import partial_groups
from sqlalchemy_dynamics.execute.parallel import side_by_side
from sqlalchemy_dynamics.execute.prefixes import first_answer
from sqlalchemy_dynamics.execute.requests import Ask, asks_of, fields_of
from sqlalchemy_dynamics.execute.result import ResultColumn, Row
from sqlalchemy_dynamics.execute.running import Running
from sqlalchemy_dynamics.execute.texts import as_carried, as_stored
from sqlalchemy_dynamics.execute.views import source_of, view_sql
from sqlalchemy_dynamics.planner.plan import Check, Residual, Scan

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
        running: Running,
        options: EngineOptions,
    ) -> None:
        self._work, self._running = work, running
        self._failure: BaseException | None = None
        self._begun: Iterator[pyarrow.RecordBatch] | None = None
        self._workspace = open_workspace(options)
        self.columns = self._bound_columns()
        self._groups = self._grouped()

    def _grouped(self) -> dict[int, list[Row]]:
        """Fetch the service's groups first: when it will not group, another plan is followed."""
        scans = [scan for scan in self._work.scans if scan.groups is not None]
        running = self._running
        found = side_by_side(lambda scan: partial_groups(scan, running, mergeable=True), scans, running.threads)
        return {scan.number: rows for scan, rows in zip(scans, found, strict=True)}

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
        self._try_constants()
        bound = self._bind()
        columns = tuple(
            ResultColumn(name, type_of(kind)) for name, kind in zip(bound.columns, bound.types, strict=True)
        )
        with self._workspace.speaking():
            self._reader_schema = _promised(bound.to_arrow_reader(1).schema, columns)
        return columns

    def _try_constants(self) -> None:
        """Find the constants that cannot be what they are used as. Raises DataError naming the term."""
        if len(self._work.checks) > 1 and self._runs(self._work.checks) is None:
            return
        for check in self._work.checks:
            error = self._runs((check,))
            if error is not None:
                given = check.given or repr(self._running.values.get(next(iter(check.parameters), "")))
                raise DataError(f"{check.term}: {check.what.format(given) or error}")

    def _runs(self, checks: Sequence[Check]) -> DatabaseError | None:
        """Return what goes wrong when the constants are computed, None when nothing does."""
        keys = dict.fromkeys(key for check in checks for key in check.parameters)
        sql = ", ".join(each.sql for each in checks)
        try:
            with self._workspace.speaking():
                self._workspace.bind(f"SELECT {sql}", self._given(tuple(keys))).fetchall()
        except DatabaseError as error:
            return error
        return None

    def _bind(self) -> Any:
        return self._workspace.bind(self._work.sql, self._given(self._work.parameters))

    def _given(self, parameters: Sequence[int | str]) -> dict[str, object] | None:
        values = self._running.values
        missing = [key for key in parameters if key not in values]
        if missing:
            raise ProgrammingError(f"the statement needs a value for parameter {missing[0]!r}")
        return {str(key): values[key] for key in parameters} or None

    def _batches(self) -> Iterator[pyarrow.RecordBatch]:
        first = self._first()
        if first is None:
            self._supply()
        with self._workspace.speaking(lambda: self._failure):
            reader = first if first is not None else self._bind().to_arrow_reader(_BATCH_ROWS)
            for batch in reader:
                if self._running.cancelled.is_set():
                    raise StatementCancelled("the statement was cancelled")
                yield as_stored(batch)

    def _first(self) -> Sequence[pyarrow.RecordBatch] | None:
        """Return the answer when the first pages tell it, None when everything is needed."""
        count = None if self._work.enough is None else self._work.enough.bound(self._running.values)[0]
        root = next((scan for scan in self._work.scans if scan.through is None), None)
        asks = self._asks(root) if root is not None and count else []
        if root is None or count is None or len(asks) != 1:
            return None
        pages = self._pages(root, replace(asks[0], lazy=True))
        found, self._begun = first_answer(pages, count, lambda held: self._answer(root, held))
        return None if found is None else found.to_batches(_BATCH_ROWS)

    def _answer(self, root: Scan, pages: list[pyarrow.RecordBatch]) -> pyarrow.Table:
        """Run the statement over these pages of the scan that is asked, and what came with them."""
        import pyarrow

        table = pyarrow.Table.from_batches(pages, _empty(root, self._work.scans).schema)
        self._put(Gathering(self._work.scans, lambda scan, keys: table, self._running.estimate).run())
        with self._workspace.speaking():
            return self._bind().to_arrow_reader(_BATCH_ROWS).read_all()

    def _put(self, found: Mapping[int, pyarrow.Table]) -> None:
        for scan in self._work.scans:
            self._workspace.put(source_of(scan), as_carried(found[scan.number]))

    def _supply(self) -> None:
        if self._work.streaming:
            scan = self._work.scans[0]
            self._workspace.put(source_of(scan), self._reader(scan, self._groups.get(scan.number)))
            return
        try:
            found = Gathering(self._work.scans, self._whole, self._running.estimate).run()
        except BaseException:  # Ctrl-C, or one scan's failure: the others stop at their next page
            self._running.cancelled.set()
            raise
        self._put(found)

    def _whole(self, scan: Scan, keys: Sequence[object] | None) -> pyarrow.Table:
        import pyarrow

        if scan.groups is not None:
            grouped = to_batches(self._groups[scan.number], _group_columns(scan))
            return pyarrow.Table.from_batches(list(grouped), _empty(scan, self._work.scans).schema)
        if self._begun is not None:
            batches = list(self._begun)
        else:
            asks = self._asks(scan, keys)
            fetched = side_by_side(lambda ask: list(self._pages(scan, ask)), asks, self._running.threads)
            batches = [batch for pages in fetched for batch in pages]
        return pyarrow.Table.from_batches(batches, _empty(scan, self._work.scans).schema)

    def _reader(self, scan: Scan, groups: list[Row] | None) -> pyarrow.RecordBatchReader:
        import pyarrow

        schema = _empty(scan, self._work.scans).schema
        batches = self._fetched(scan) if groups is None else to_batches(groups, _group_columns(scan))
        return pyarrow.RecordBatchReader.from_batches(schema, self._watched(map(as_carried, batches)))

    def _fetched(self, scan: Scan) -> Iterator[pyarrow.RecordBatch]:
        if self._begun is not None:
            yield from self._begun
            return
        asks = self._asks(scan)
        left = asks[0].wanted if asks and not scan.extremes else None
        for ask in asks:
            for batch in self._pages(scan, ask):
                yield batch
                left = None if left is None else left - batch.num_rows
            if left is not None and left <= 0:
                return

    def _asks(self, scan: Scan, keys: Sequence[object] | None = None) -> list[Ask]:
        return asks_of(scan, self._running.values, self._running.page_size, keys, self._work.scans)

    def _pages(self, scan: Scan, ask: Ask) -> Iterator[pyarrow.RecordBatch]:
        pages = self._running.pages(scan.number, ask, arrow_decoder(ask.fields).decode, _rows_in)
        if scan.leading is None:
            return pages
        names, limit = scan.leading
        count, skip = limit.bound(self._running.values)
        return pages if count is None else until_changed(pages, names, count + skip)

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
