"""Reply bodies to rows: decoders made once per column list. A torn or foreign body is an error, never fewer rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import partial
from operator import attrgetter, is_not
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from sqlalchemy_dynamics.edm import SqlType
from sqlalchemy_dynamics.errors import DataError, OperationalError
from sqlalchemy_dynamics.odata.literals import convert

if TYPE_CHECKING:
    import pyarrow

__all__ = ["ArrowDecoder", "Field", "Page", "RowDecoder", "arrow_type"]

T = TypeVar("T")
Row = tuple[Any, ...]
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
_NEXT, _DELTA = "@odata.nextLink", "@odata.deltaLink"


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a reply. `wire` is the property's name, `through` the expanded navigation properties around it.

    `annotation` (``OData.Community.Display.V1.FormattedValue``) reads that annotation of the property instead of
    its value. `name` is the column's name in Arrow; by default `key`.
    """

    wire: str
    type: SqlType
    annotation: str | None = None
    name: str = ""
    through: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The JSON member's name: ``revenue`` or ``statuscode@OData.Community.Display.V1.FormattedValue``."""
        return self.wire if self.annotation is None else f"{self.wire}@{self.annotation}"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page: its rows, and the link to the next; `delta_link` comes with the last page of a tracked query."""

    rows: T
    next_link: str | None = None
    delta_link: str | None = None


class RowDecoder:
    """Decodes bodies of the given columns into tuples of Python values, in the columns' order.

    Values: str (GUIDs lower case, as the service writes them), int, exact Decimal, float, bool, aware datetime in UTC
    (naive for TIMESTAMP), date, bytes; null and missing properties are None.
    """

    def __init__(self, columns: Sequence[Field]) -> None:
        self.columns = tuple(columns)
        tree = _Tree()
        paths = [tree.add(column) for column in self.columns]
        self._decoder = msgspec.json.Decoder(_envelope(tree.struct()))
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
            return _tolerant_page(self.columns, body)
        return Page(list(map(self._tuple, page.value)), page.next_link, page.delta_link)

    def decode_one(self, body: bytes) -> Row:
        """Return the single row of a reply without ``value``; raises as `decode` does."""
        reply = _reply(body)
        if "@odata.context" not in reply:
            raise _foreign(reply)
        return _tolerant_row(self.columns, reply)


class ArrowDecoder:
    """Decodes bodies of the given columns into pyarrow record batches of `schema`."""

    def __init__(self, columns: Sequence[Field]) -> None:
        import pyarrow
        from pyarrow import json as arrow_json

        self.columns = tuple(columns)
        self._rows = RowDecoder(columns)
        self.schema = pyarrow.schema([(each.name or each.key, arrow_type(each.type)) for each in self.columns])
        self._paths = [[*column.through, column.key] for column in self.columns]
        tree = _Tree()
        for column in self.columns:
            tree.add(column)
        page = [("value", pyarrow.list_(tree.arrow())), (_NEXT, pyarrow.string()), (_DELTA, pyarrow.string())]
        self._parsing = arrow_json.ParseOptions(
            explicit_schema=pyarrow.schema(page), unexpected_field_behavior="ignore"
        )

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
        return Page(batch, table[_NEXT][0].as_py(), table[_DELTA][0].as_py())

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
            return _array([_tolerant(text, self.columns[n]) for text in array.to_pylist()], self.columns[n])
        return _checked(array if array.type == self.schema.types[n] else array.cast(self.schema.types[n]))

    def _by_rows(self, body: bytes) -> Page[pyarrow.RecordBatch]:
        """The second way: takes seven digits of a second, padded decimals, and says what is wrong with the rest."""
        page = self._rows.decode(body)
        values = zip(*page.rows, strict=True) if page.rows else [()] * len(self.columns)
        arrays = [_array(list(each), column) for each, column in zip(values, self.columns, strict=True)]
        return Page(_record_batch(arrays, self.schema, len(page.rows)), page.next_link, page.delta_link)


def arrow_type(kind: SqlType) -> Any:
    """Return the pyarrow type that `kind.arrow` names."""
    import pyarrow

    if kind.precision is not None:
        return pyarrow.decimal128(kind.precision, kind.scale)
    if kind.family == "TIMESTAMP WITH TIME ZONE":
        return pyarrow.timestamp("us", "UTC")
    return pyarrow.type_for_alias(kind.arrow)


# What msgspec decodes, what pyarrow's JSON reader reads (it parses no dates and no base64, and every time wants its
# zone), and the Edm type whose conversion serves the tolerant way.
_PYTHON: dict[str, Any] = {
    "UUID": str,
    "VARCHAR": str,
    "INTEGER": int,
    "BIGINT": int,
    "DECIMAL": Decimal,
    "DOUBLE": float,
    "BOOLEAN": bool,
    "TIMESTAMP WITH TIME ZONE": datetime,
    "TIMESTAMP": str,  # replaced by a naive datetime afterwards
    "DATE": date,
    "BLOB": bytes,
}
_READ_BY_ARROW = {
    "DATE": SqlType("VARCHAR"),
    "BLOB": SqlType("VARCHAR"),
    "TIMESTAMP": SqlType("TIMESTAMP WITH TIME ZONE"),
}
_EDM = {
    "UUID": "Edm.Guid",
    "INTEGER": "Edm.Int64",
    "BIGINT": "Edm.Int64",
    "DECIMAL": "Edm.Decimal",
    "DOUBLE": "Edm.Double",
    "BOOLEAN": "Edm.Boolean",
    "TIMESTAMP WITH TIME ZONE": "Edm.DateTimeOffset",
    "TIMESTAMP": "Edm.DateTimeOffset",
    "DATE": "Edm.Date",
    "BLOB": "Edm.Binary",
}


@dataclass
class _Tree:
    """The members of a row, and of the expanded rows in it; each member gets an attribute name."""

    leaves: dict[str, SqlType] = field(default_factory=dict)
    branches: dict[str, _Tree] = field(default_factory=dict)

    def add(self, column: Field) -> str:
        """Add a column and return its attribute path: ``m0`` or ``n0.m2``."""
        return self._add(column.through, column)

    def _add(self, through: tuple[str, ...], column: Field) -> str:
        if not through:
            self.leaves.setdefault(column.key, column.type)
            return f"m{list(self.leaves).index(column.key)}"
        branch = self.branches.setdefault(through[0], _Tree())
        return f"n{list(self.branches).index(through[0])}.{branch._add(through[1:], column)}"

    def struct(self) -> Any:
        """Return a msgspec struct type with optional members."""
        types = [(f"m{n}", _PYTHON[kind.family]) for n, kind in enumerate(self.leaves.values())]
        types += [(f"n{n}", branch.struct()) for n, branch in enumerate(self.branches.values())]
        rename = dict(zip((name for name, _ in types), (*self.leaves, *self.branches), strict=True))
        return msgspec.defstruct("Row", [(name, kind | None, None) for name, kind in types], rename=rename, gc=False)

    def arrow(self) -> Any:
        """Return the pyarrow struct type in which the JSON reader reads a row."""
        import pyarrow

        leaves = [(key, arrow_type(_READ_BY_ARROW.get(kind.family, kind))) for key, kind in self.leaves.items()]
        return pyarrow.struct(leaves + [(key, branch.arrow()) for key, branch in self.branches.items()])


def _envelope(row: Any) -> Any:
    optional = str | None
    members: list[Any] = [("value", list[row]), ("next_link", optional, None), ("delta_link", optional, None)]
    return msgspec.defstruct("Envelope", members, rename={"next_link": _NEXT, "delta_link": _DELTA}, gc=False)


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
                setattr(row, name, _scaled(value, unit))


def _scaled(value: Decimal, unit: Decimal) -> Decimal:
    try:
        return value.quantize(unit, context=_EXACT)
    except ArithmeticError:
        return value


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


def _tolerant_page(columns: tuple[Field, ...], body: bytes) -> Page[list[Row]]:
    """The slow way, for a page with a value in another form than its type's; it decides what is wrong."""
    reply = _reply(body)
    rows = reply.get("value")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _foreign(reply)
    return Page([_tolerant_row(columns, row) for row in rows], reply.get(_NEXT), reply.get(_DELTA))


def _tolerant_row(columns: tuple[Field, ...], row: dict[str, Any]) -> Row:
    return tuple(_tolerant(_member(row, column), column) for column in columns)


def _member(row: dict[str, Any], column: Field) -> Any:
    for navigation in column.through:
        inner = row.get(navigation)
        if not isinstance(inner, dict):
            return None
        row = inner
    return row.get(column.key)


def _tolerant(value: Any, column: Field) -> Any:
    if value is None:
        return None
    if column.type.family == "VARCHAR":
        return _text(value)
    try:
        converted: Any = convert(value, _EDM[column.type.family])
    except DataError as error:
        raise DataError(f"column {column.key}: {error}") from None
    if column.type.family == "DECIMAL" and column.type.scale is not None:
        return _scaled(converted, Decimal(1).scaleb(-column.type.scale))
    return converted.replace(tzinfo=None) if column.type.family == "TIMESTAMP" else converted


def _text(value: Any) -> str:
    """Text as it is, half surrogate pairs replaced; anything else as its JSON."""
    text = value if isinstance(value, str) else json.dumps(value, default=str).strip('"')
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _reply(body: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _damaged("it is torn or not JSON") from None
    if not isinstance(reply, dict):
        raise _damaged("it is not a JSON object")
    return reply


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _foreign(reply: dict[str, Any]) -> OperationalError:
    error = reply.get("error")
    said = str(error.get("message", "")) if isinstance(error, dict) else ""
    return _damaged(f"it says {said!r}" if said else "it holds no rows")


def _damaged(why: str) -> OperationalError:
    return OperationalError(f"the reply is not a page of rows: {why}. Try again; check OrganizationUrl and the proxy.")
