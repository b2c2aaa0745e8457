"""Between tuples and Arrow. pyarrow is imported only when Arrow is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy_dynamics.edm import SqlType
from sqlalchemy_dynamics.odata.pages import arrow_type

if TYPE_CHECKING:
    import pyarrow

__all__ = ["schema_of", "to_batches", "to_rows", "until_changed"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> SqlType: ...


def schema_of(columns: Sequence[_Named]) -> pyarrow.Schema:
    """Return the Arrow schema of result columns, types as interfaces promise them."""
    import pyarrow

    return pyarrow.schema([(column.name, _type(column.type)) for column in columns])


def _type(kind: SqlType) -> Any:
    import pyarrow

    return pyarrow.decimal128(38, 0) if kind.family == "HUGEINT" else arrow_type(kind)


def to_batches(rows: Sequence[tuple[Any, ...]], columns: Sequence[_Named]) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows as one record batch."""
    import pyarrow

    schema = schema_of(columns)
    values = zip(*rows, strict=True) if rows else ((),) * len(columns)
    arrays = [_array(list(each), field.type) for each, field in zip(values, schema, strict=True)]
    yield pyarrow.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: list[Any], kind: Any) -> Any:
    import pyarrow

    if pyarrow.types.is_decimal(kind):
        values = [Decimal(value) if isinstance(value, int) else value for value in values]
    return pyarrow.array(values, kind)


def until_changed(
    batches: Iterator[pyarrow.RecordBatch], names: Sequence[str], wanted: int
) -> Iterator[pyarrow.RecordBatch]:
    """Yield batches until the named columns have changed behind the row at `wanted`; rows come ordered by them."""
    before, last_wanted = 0, None
    for batch in batches:
        yield batch
        rows = batch.num_rows
        if last_wanted is None and 0 < wanted <= before + rows:
            last_wanted = _values_at(batch, names, wanted - 1 - before)
        if wanted == 0 or (last_wanted is not None and rows and _values_at(batch, names, rows - 1) != last_wanted):
            return
        before += rows


def _values_at(batch: pyarrow.RecordBatch, names: Sequence[str], row: int) -> tuple[Any, ...]:
    return tuple(batch.column(name)[row].as_py() for name in names)


def to_rows(batch: pyarrow.RecordBatch, families: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return a record batch of the residual engine as tuples of the driver's Python values."""
    columns = [_values(column, family) for column, family in zip(batch.columns, families, strict=True)]
    return list(zip(*columns, strict=True)) if columns else [()] * batch.num_rows


def _values(array: Any, family: str) -> list[Any]:
    values: list[Any] = array.to_pylist()
    if family == "HUGEINT":
        return [None if value is None else int(value) for value in values]
    if family == "TIMESTAMP WITH TIME ZONE":
        return [None if value is None else value.astimezone(UTC) for value in values]
    if family == "INTERVAL":
        return [None if value is None else _duration(value) for value in values]
    return values


def _duration(value: Any) -> Any:
    """A length of time without months is a timedelta; one with months has no fixed length and stays as it is."""
    if value.months:
        return value
    return timedelta(days=value.days, microseconds=value.nanoseconds / 1000)
