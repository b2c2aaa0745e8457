"""What a statement gives back, before the cursor: its columns, and its rows or record batches, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy_dynamics.edm import SqlType
from sqlalchemy_dynamics.execute.arrow import schema_of, to_batches

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ListResult", "Result", "ResultColumn", "Row", "no_rows"]

Row = tuple[Any, ...]


@dataclass(frozen=True)
class ResultColumn:
    """One column of a result."""

    name: str
    type: SqlType
    nullable: bool = True


class Result(Protocol):
    """A running statement. Either `rows` or `batches` is read, once; nothing is fetched before."""

    columns: tuple[ResultColumn, ...]
    rowcount: int

    @property
    def arrow_schema(self) -> pyarrow.Schema:
        """The schema of the record batches."""

    def rows(self) -> Iterator[list[Row]]:
        """Yield blocks of rows as they arrive."""

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Yield record batches as they arrive."""

    def close(self) -> None:
        """Stop fetching. Closing twice does no harm."""


class ListResult:
    """A result whose rows are at hand."""

    def __init__(self, columns: Sequence[ResultColumn], rows: Iterable[Row], rowcount: int = -1) -> None:
        self.columns = tuple(columns)
        self.rowcount = rowcount
        self._rows = list(rows)

    @property
    def arrow_schema(self) -> pyarrow.Schema:
        """The schema of the record batches."""
        return schema_of(self.columns)

    def rows(self) -> Iterator[list[Row]]:
        """Yield all rows as one block."""
        yield self._rows

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Yield all rows as one record batch."""
        yield from to_batches(self._rows, self.columns)

    def close(self) -> None:
        """Do nothing: there is nothing to stop."""


def no_rows(rowcount: int) -> ListResult:
    """Return the result of a statement that has no columns."""
    return ListResult((), (), rowcount)
