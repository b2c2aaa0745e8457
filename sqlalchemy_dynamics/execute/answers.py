"""What functions and actions answer, as rows: types as declared, what is nested as JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy_dynamics.edm import BIGINT, BOOLEAN, DECIMAL, EDM_TYPES, INTEGER, VARCHAR, SqlType
from sqlalchemy_dynamics.errors import DataError, OperationalError
from sqlalchemy_dynamics.execute.result import ListResult, Result, ResultColumn, no_rows
from sqlalchemy_dynamics.execute.rows_given import BASES
from sqlalchemy_dynamics.metadata.model import Column, Model, Table
from sqlalchemy_dynamics.metadata.operations import Operations, Parameter
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.odata.operations import json_text

__all__ = ["Answers"]

_GUESSED: Mapping[type, SqlType] = {bool: BOOLEAN, int: BIGINT, Decimal: DECIMAL}
_EDM_OF = {kind: name for name, kind in reversed(EDM_TYPES.items())} | {INTEGER: "Edm.Int32"}
_TYPE, _TABLE, _VALUE = "@odata.type", "table", "value"
_BIND = "@odata.bind"


@dataclass(frozen=True)
class Answers:
    """Reads the replies of one operation that returns `returns`."""

    known: Operations
    model: Model
    returns: Parameter | None

    def result(self, bodies: Iterable[bytes]) -> Result:
        """Return the rows of the replies: one of a row or complex value, all of a collection, none of nothing."""
        replies = [_read(body) for body in bodies if body]
        objects = [each for reply in replies for each in self._objects(reply)]
        found = self._columns(objects) if replies else []
        if not found:
            return no_rows(-1)
        rows = [tuple(_value(each.get(wire), column.type) for column, wire in found) for each in objects]
        return ListResult([column for column, _ in found], rows)

    @property
    def _kind(self) -> str:
        return "" if self.returns is None else self.returns.type

    def _objects(self, reply: Any) -> list[dict[str, Any]]:
        """The rows of a reply; mixed rows say their table in a column of its own."""
        several = self.returns is None or self.returns.collection
        listed = several and isinstance(reply, dict) and isinstance(reply.get(_VALUE), list)
        rows = reply[_VALUE] if listed else [reply]
        objects = [row if isinstance(row, dict) else {_VALUE: row} for row in rows]
        if self._kind not in BASES:
            return objects
        return [{_TABLE: str(row.get(_TYPE, "")).rpartition(".")[2] or None, **row} for row in objects]

    def _columns(self, objects: list[dict[str, Any]]) -> list[tuple[ResultColumn, str]]:
        """Each column with the member it is read from. Lookups are called as in a SELECT."""
        tables = [table for name in self._tables(objects) if (table := self.model.table(name)) is not None]
        names = dict.fromkeys(self.known.complex_types.get(self._kind, {}))
        names |= dict.fromkeys(name for row in objects for name in row if "@" not in name or name.endswith(_BIND))
        columns: list[tuple[ResultColumn, str]] = []
        for wire in names or self._expected(tables):
            column = _column_of(tables, wire)
            kind = self._declared_type(wire) or (column.type if column is not None else _guessed(wire, objects))
            columns.append((ResultColumn(wire if column is None else column.name, kind), wire))
        return columns

    def _tables(self, objects: list[dict[str, Any]]) -> Iterable[str]:
        if self._kind not in BASES:
            return [self._kind]
        return dict.fromkeys(str(row[_TABLE]) for row in objects if row[_TABLE] is not None)

    def _expected(self, tables: list[Table]) -> Iterable[str]:
        """The columns of a collection that holds nothing."""
        if self._kind.startswith("Edm."):
            return [_VALUE]
        if self._kind in BASES:
            return [_TABLE]
        return [each.wire for table in tables for each in table.listed if each.companion is None]

    def _declared_type(self, wire: str) -> SqlType | None:
        parameter = self.known.complex_types.get(self._kind, {}).get(wire)
        if parameter is not None:
            return VARCHAR if parameter.collection else EDM_TYPES.get(parameter.type, VARCHAR)
        return EDM_TYPES.get(self._kind) if wire == _VALUE else None


def _column_of(tables: list[Table], wire: str) -> Column | None:
    found = (table.column(wire) for table in tables)
    return next((column for column in found if column is not None and column.wire == wire), None)


def _guessed(wire: str, objects: list[dict[str, Any]]) -> SqlType:
    kinds = {type(row[wire]) for row in objects if row.get(wire) is not None}
    return _GUESSED.get(kinds.pop(), VARCHAR) if len(kinds) == 1 else VARCHAR


def _read(body: bytes) -> Any:
    try:
        return json.loads(body, parse_float=Decimal)
    except ValueError:
        raise OperationalError("the reply is not JSON; check OrganizationUrl and the proxy") from None


def _value(value: Any, kind: SqlType) -> Any:
    if value is None:
        return None
    if isinstance(value, (dict, list)):
        return json_text(value)
    try:
        return convert(value if kind != VARCHAR else str(value), _EDM_OF.get(kind, "Edm.Decimal"))
    except DataError as error:
        raise OperationalError(f"the reply does not fit $metadata: {error}") from None
