"""A PEP 249 cursor: runs statements through the executor and hands out their rows, as tuples or as Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from threading import Event
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy_dynamics.dbapi.given import call_given, parameters_given, rows_wanted, sets_given, statement_given
from sqlalchemy_dynamics.dbapi.journal import Ended, begin
from sqlalchemy_dynamics.dbapi.secrecy import guarded
from sqlalchemy_dynamics.edm import TypeCode, type_code
from sqlalchemy_dynamics.errors import DatabaseError, InterfaceError, ProgrammingError
from sqlalchemy_dynamics.planner.parse import parse

if TYPE_CHECKING:
    import pyarrow as pa

    from sqlalchemy_dynamics.dbapi.connection import Connection
    from sqlalchemy_dynamics.execute import Result, ResultColumn

__all__ = ["Cursor", "Description", "Parameters", "Row"]

T = TypeVar("T")
Row = tuple[Any, ...]
Parameters = Sequence[Any] | Mapping[str, Any] | None
Description = tuple[str, TypeCode, None, None, int | None, int | None, bool]


class Cursor:
    """Runs one statement at a time. Rows are fetched from the service while they are read; `close()` stops that.

    Parameters are ``?`` with a sequence, or ``:name`` with a mapping. After a statement without rows the fetch
    methods return nothing instead of raising (BI tools fetch after everything).
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arraysize = 1
        self.description: list[Description] | None = None
        self.lastrowid: str | None = None
        self.closed = False
        self.failures: list[tuple[int, DatabaseError]] = []
        """Under ContinueOnError: the rows that executemany() went on without, from 1, and why."""
        self._rowcount = -1
        self._result: Result | None = None
        self._rows: Iterator[Row] | None = None
        self._broken: BaseException | None = None
        self._ran = False
        self._cancelled = Event()
        self._ended: Ended | None = None
        self._fetched = 0

    @property
    def rowcount(self) -> int:
        """Rows the last statement changed or returned; -1 while that is unknown."""
        return self._rowcount if self._result is None else self._result.rowcount

    def execute(self, operation: str, parameters: Parameters = None) -> Cursor:
        """Run one statement and return the cursor. Raises an `Error` that says what to change."""
        operation, parameters = guarded(statement_given(operation), parameters_given(parameters))
        self._start()
        result = self._run(operation, parameters)
        self._ran = True
        self._result = result
        if result.columns:
            self.description = [_describe(column) for column in result.columns]
        else:
            self._log_end(f"{result.rowcount} rows")
        return self

    def executemany(
        self, operation: str, seq_of_parameters: Iterable[Parameters] | pa.Table | pa.RecordBatch | pa.RecordBatchReader
    ) -> Cursor:
        """Run a statement without rows once per parameter set, or per row of an Arrow table, batch or reader.

        `rowcount` is the sum.
        """
        operation = statement_given(operation)
        dialect = self.connection.settings.text("SqlDialect")
        sets = sets_given(seq_of_parameters, lambda: parse(operation, dialect).markers > 0)
        self._start()
        written = self._write_many(operation, sets)
        if written is not None:
            self._ran, self._rowcount, self.failures = True, written, self.connection.failures
            return self
        total = 0
        for parameters in sets:
            result = self._run(operation, parameters)
            result.close()
            self._log_end(f"{result.rowcount} rows")
            if result.columns:
                raise ProgrammingError("executemany() takes statements that return no rows; use execute()")
            total = -1 if min(total, result.rowcount) < 0 else total + result.rowcount
        self._ran = True
        self._rowcount = total
        return self

    def callproc(self, procname: str, parameters: Parameters = None) -> Parameters:
        """Call a stored procedure, parameters by position or, as a mapping, by name; its row is fetched as usual."""
        parameters = parameters_given(parameters)
        self.execute(*call_given(procname, parameters))
        return parameters

    def nextset(self) -> bool | None:
        """Return None: a statement has one result, or none."""
        return None

    def fetchone(self) -> Row | None:
        """Return the next row, or None after the last one."""
        rows = self._rows or self._begin()
        try:
            return next(rows, None)
        except BaseException as failure:  # an interrupt breaks the result off, too
            self._break(failure)
            raise

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """Return the next `size` rows (`arraysize` when left out), fewer at the end."""
        rows = self._rows or self._begin()
        wanted = rows_wanted(size, self.arraysize)
        try:
            return list(islice(rows, wanted))
        except BaseException as failure:  # as above
            self._break(failure)
            raise

    def fetchall(self) -> list[Row]:
        """Return all remaining rows."""
        rows = self._rows or self._begin()
        try:
            return list(rows)
        except BaseException as failure:  # as above
            self._break(failure)
            raise

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def fetch_arrow_table(self) -> pa.Table:
        """Return the whole result as a pyarrow Table; before any row was fetched otherwise."""
        return self.fetch_record_batch().read_all()

    def fetch_record_batch(self) -> pa.RecordBatchReader:
        """Return a pyarrow RecordBatchReader that fetches while it is read; before any row was fetched otherwise."""
        import pyarrow as pa

        result = self._untouched()
        return pa.RecordBatchReader.from_batches(result.arrow_schema, self._batches(result))

    def cancel(self) -> None:
        """Stop the running statement before its next page; it raises StatementCancelled. Any thread may call this."""
        self._cancelled.set()

    def close(self) -> None:
        """Close the cursor and stop fetching. Closing twice does no harm."""
        self._release()
        self.closed = True

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Do nothing; PEP 249 asks for the method."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Do nothing; PEP 249 asks for the method."""

    def __enter__(self) -> Cursor:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self.closed:
            raise InterfaceError("the cursor is closed; make a new one with connection.cursor()")
        self.connection.check_open()

    def _start(self) -> None:
        self._check_open()
        self._release()
        self._rowcount = -1
        self.description = None
        self._ran = False
        self._broken = None
        self._cancelled = Event()

    def _run(self, operation: str, parameters: Parameters) -> Result:
        return self._logged(
            operation, lambda: self.connection.executor.run(operation, parameters, cancelled=self._cancelled)
        )

    def _logged(self, operation: str, work: Callable[[], T]) -> T:
        self._ended, self._fetched = begin(self.connection.session.trace, operation), 0
        try:
            return work()
        except Exception as failure:  # whatever it is, the log tells how the statement ended
            self._log_end(f"failed: {failure}")
            raise

    def _write_many(self, operation: str, sets: list[Parameters]) -> int | None:
        written = self._logged(
            operation, lambda: self.connection.executor.run_many(operation, sets, cancelled=self._cancelled)
        )
        if written is not None:
            self._log_end(f"{written} rows")
        return written

    def _log_end(self, outcome: str) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(outcome)

    def _release(self) -> None:
        result, self._result, self._rows = self._result, None, None
        if result is not None:
            self._rowcount = result.rowcount
            result.close()
            self._log_end(f"closed with {self._fetched} rows read")

    def _executed(self) -> None:
        self._check_open()
        if self._broken is not None:
            raise ProgrammingError("the result broke off with an error; execute the statement again") from self._broken
        if not self._ran:
            raise ProgrammingError("no statement was executed on this cursor")

    def _untouched(self) -> Result:
        self._executed()
        if self._result is None or self.description is None:
            raise ProgrammingError("the statement returned no rows that could be read as Arrow")
        if self._rows is not None:
            raise ProgrammingError("some rows were fetched already; execute the statement again to read it as Arrow")
        self._rows = iter(())
        return self._result

    def _begin(self) -> Iterator[Row]:
        self._executed()
        result = self._result
        has_rows = result is not None and self.description is not None
        self._rows = chain.from_iterable(self._counted(result)) if result is not None and has_rows else iter(())
        return self._rows

    def _counted(self, result: Result) -> Iterator[list[Row]]:
        for block in result.rows():
            self._fetched += len(block)
            yield block
        self._log_end(f"{self._fetched} rows")

    def _batches(self, result: Result) -> Iterator[pa.RecordBatch]:
        try:
            for batch in result.batches():
                self._fetched += batch.num_rows
                yield batch
        except Exception as failure:  # pyarrow tells the reader; what is fetched next is told, too
            self._break(failure)
            raise
        self._log_end(f"{self._fetched} rows")

    def _break(self, failure: BaseException) -> None:
        """A generator that raised looks exhausted afterwards: remember that, so that no fetch ends early in silence."""
        self._log_end(f"failed: {failure or type(failure).__name__}")
        self._release()
        self._broken = failure


def _describe(column: ResultColumn) -> Description:
    kind = column.type
    return (column.name, type_code(kind), None, None, kind.precision, kind.scale, column.nullable)
