"""Reply bodies to rows: decoders made once per column list. A torn or foreign body is an error, never fewer rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from operator import attrgetter, is_not
from typing import TYPE_CHECKING, Any

import msgspec

from sqlalchemy_dynamics.errors import DataError
from sqlalchemy_dynamics.odata.fields import DELTA_LINK, NEXT_LINK, Field, Page, Row
from sqlalchemy_dynamics.odata.members import Members, arrow_type
from sqlalchemy_dynamics.odata.tolerant import scaled, tolerant_page, tolerant_reply, tolerant_value

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ArrowDecoder", "Field", "Page", "RowDecoder", "arrow_type"]


class RowDecoder:
    """Decodes bodies of the given columns into tuples of Python values, in the columns' order.

    Values: str (GUIDs lower case, as the service writes them), int, exact Decimal, float, bool, aware datetime in UTC
    (naive for TIMESTAMP), date, bytes; null and missing properties are None.
    """

    def __init__(self, columns: Sequence[Field]) -> None:
        self.columns = tuple(columns)
        members = Members()
        paths = [members.add(column) for column in self.columns]
        self._decoder = msgspec.json.Decoder(members.envelope())
        self._tuple = _tuple_maker(paths)
        typed = list(zip(paths, (each.type for each in columns), strict=True))
        self._naive = {path for path, kind in typed if kind.family == "TIMESTAMP"}
        self._scales = {path: kind.scale for path, kind in typed if kind.family == "DECIMAL" and kind.scale is not None}

    def decode(self, body: bytes) -> Page[list[Row]]:
        """Return the page's rows. Raises OperationalError when the body is no page, DataError for a wrong value."""
        try:
            page = self._decoder.decode(body)
            for path in self._naive:
                _read_wall_clock(page.value, path.split("."))
            for path, scale in self._scales.items():
                _scale(page.value, path.split("."), Decimal(1).scaleb(-scale))
        except (msgspec.MsgspecError, ValueError):
            return tolerant_page(self.columns, body)
        return Page(list(map(self._tuple, page.value)), page.next_link, page.delta_link)

    def decode_one(self, body: bytes) -> Row:
        """Return the single row of a reply without ``value``; raises as `decode` does."""
        return tolerant_reply(self.columns, body)


class ArrowDecoder:
    """Decodes bodies of the given columns into pyarrow record batches of `schema`."""

    def __init__(self, columns: Sequence[Field]) -> None:
        import pyarrow
        from pyarrow import json as arrow_json

        self.columns = tuple(columns)
        self._rows = RowDecoder(columns)
        self.schema = pyarrow.schema([(each.name or each.key, arrow_type(each.type)) for each in self.columns])
        self._paths = [[*column.through, column.key] for column in self.columns]
        members = Members()
        for column in self.columns:
            members.add(column)
        rows, text = pyarrow.list_(members.arrow()), pyarrow.string()
        page = pyarrow.schema([("value", rows), (NEXT_LINK, text), (DELTA_LINK, text)])
        self._parsing = arrow_json.ParseOptions(explicit_schema=page, unexpected_field_behavior="ignore")

    def decode(self, body: bytes) -> Page[pyarrow.RecordBatch]:
        """Return the page as a record batch.

        Raises OperationalError when the body is no page, DataError when a value does not fit its column's type.
        """
        import pyarrow

        try:
            table = self._read(body)
            arrays = [self._array(table["value"].chunk(0), n) for n in range(len(self.columns))]
        except (pyarrow.ArrowException, UnicodeDecodeError, ValueError):
            return self._by_rows(body)
        batch = _record_batch(arrays, self.schema, len(table["value"].chunk(0).values))
        return Page(batch, table[NEXT_LINK][0].as_py(), table[DELTA_LINK][0].as_py())

    def _read(self, body: bytes) -> Any:
        """The body as a table of one row. pyarrow's reader checks neither UTF-8 nor that the members are there."""
        import pyarrow
        from pyarrow import json as arrow_json

        body.isascii() or body.decode()
        reading = arrow_json.ReadOptions(use_threads=False, block_size=len(body) + 1)
        table = arrow_json.read_json(pyarrow.BufferReader(body), read_options=reading, parse_options=self._parsing)
        if table.num_rows != 1 or table["value"].null_count or table["value"].chunk(0).values.null_count:
            raise ValueError("not one page")
        return table

    def _array(self, rows: Any, n: int) -> Any:
        from pyarrow import compute

        array = compute.struct_field(rows.values, self._paths[n])
        if self.columns[n].type.family == "BLOB":
            return _array([tolerant_value(text, self.columns[n]) for text in array.to_pylist()], self.columns[n])
        return _checked(array if array.type == self.schema.types[n] else array.cast(self.schema.types[n]))

    def _by_rows(self, body: bytes) -> Page[pyarrow.RecordBatch]:
        """The second way: takes seven digits of a second, padded decimals, and says what is wrong with the rest."""
        page = self._rows.decode(body)
        values = zip(*page.rows, strict=True) if page.rows else [()] * len(self.columns)
        arrays = [_array(list(each), column) for each, column in zip(values, self.columns, strict=True)]
        return Page(_record_batch(arrays, self.schema, len(page.rows)), page.next_link, page.delta_link)


def _tuple_maker(paths: list[str]) -> Callable[[Any], Row]:
    """The fastest way from a struct to the tuple of those attribute paths."""
    if paths == [f"m{n}" for n in range(len(paths))]:
        return msgspec.structs.astuple
    if len(paths) == 1:
        return lambda row: _values(row, paths)
    quick = attrgetter(*paths)

    def make(row: Any) -> Row:
        try:
            return quick(row)
        except AttributeError:  # an expanded lookup is null
            return _values(row, paths)

    return make


def _values(row: Any, paths: list[str]) -> Row:
    values = []
    for path in paths:
        value = row
        for name in path.split("."):
            value = None if value is None else getattr(value, name)
        values.append(value)
    return tuple(values)


def _read_wall_clock(rows: list[Any], path: list[str]) -> None:
    """A TimeZoneIndependent value is written with Z but means the wall clock (dataverse-web-api: semantics)."""
    *outer, name = path
    for row in rows:
        for each in outer:
            row = row and getattr(row, each)
        text = row and getattr(row, name)
        if text is not None:
            moment = datetime.fromisoformat(text.removesuffix("Z"))
            if moment.tzinfo is not None:
                raise ValueError(text)
            setattr(row, name, moment)


_is_given = partial(is_not, None)


def _scale(rows: list[Any], path: list[str], unit: Decimal) -> None:
    """Give decimals the places of their type; what has more of them stays as it is."""
    *outer, name = path
    for each in outer:
        rows = [inner for inner in map(attrgetter(each), rows) if inner is not None]
    if not all(map(unit.same_quantum, filter(_is_given, map(attrgetter(name), rows)))):
        for row in rows:
            value = getattr(row, name)
            if value is not None:
                setattr(row, name, scaled(value, unit))


def _record_batch(arrays: list[Any], schema: Any, rows: int) -> Any:
    import pyarrow

    if arrays:
        return pyarrow.RecordBatch.from_arrays(arrays, schema=schema)
    return pyarrow.RecordBatch.from_struct_array(pyarrow.array([{}] * rows, pyarrow.struct([])))


def _array(values: list[Any], column: Field) -> Any:
    import pyarrow

    try:
        return _checked(pyarrow.array(values, arrow_type(column.type)))
    except (pyarrow.ArrowException, OverflowError) as error:
        raise DataError(f"column {column.key}: a value does not fit {column.type.sql}: {error}") from None


def _checked(array: Any) -> Any:
    """A decimal written with an exponent may exceed the precision of its type without pyarrow saying so."""
    if str(array.type).startswith("decimal"):
        array.validate(full=True)
    return array
