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
from sqlalchemy_dynamics.metadata.model import Model
from sqlalchemy_dynamics.metadata.operations import Operations, Parameter
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.odata.operations import NAMESPACE, json_text

__all__ = ["Answers"]

_GUESSED: Mapping[type, SqlType] = {bool: BOOLEAN, int: BIGINT, Decimal: DECIMAL}
_EDM_OF = {kind: name for name, kind in reversed(EDM_TYPES.items())} | {INTEGER: "Edm.Int32"}
_TYPE, _TABLE = "@odata.type", "table"
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
        if not replies:
            return no_rows(-1)
        objects = [each for reply in replies for each in self._objects(reply)]
        columns, wires = self._columns(objects)
        rows = [
            tuple(_value(each.get(wire), column.type) for column, wire in zip(columns, wires, strict=True))
            for each in objects
        ]
        return ListResult(columns, rows)

    def _objects(self, reply: Any) -> list[dict[str, Any]]:
        """The rows of a reply; mixed rows say their table in a column of its own."""
        several = self.returns is not None and self.returns.collection
        listed = isinstance(reply, dict) and isinstance(reply.get("value"), list)
        rows = reply["value"] if listed and (several or self.returns is None) else [reply]
        objects = [row if isinstance(row, dict) else {"value": row} for row in rows]
        if self.returns is None or self.returns.type not in BASES:
            return objects
        return [{_TABLE: str(row.get(_TYPE, "")).rpartition(".")[2] or None, **row} for row in objects]

    def _columns(self, objects: list[dict[str, Any]]) -> tuple[list[ResultColumn], list[str]]:
        kind = self.returns.type if self.returns is not None else ""
        declared = self.known.complex_types.get(kind, {})
        names = dict.fromkeys(declared)
        names |= dict.fromkeys(name for row in objects for name in row if "@" not in name or name.endswith(_BIND))
        if not names and self.returns is not None and self.returns.collection and kind.startswith("Edm."):
            names = {"value": None}
        columns = [
            ResultColumn(self._sql_name(name, kind, objects), self._type(name, declared, kind, objects))
            for name in names
        ]
        return columns, list(names)

    def _tables(self, kind: str, objects: list[dict[str, Any]]) -> list[str]:
        found = [str(row[_TYPE]).lstrip("#").removeprefix(f"{NAMESPACE}.") for row in objects if _TYPE in row]
        return found if kind in BASES else [kind]

    def _sql_name(self, wire: str, kind: str, objects: list[dict[str, Any]]) -> str:
        """Lookups are called as in a SELECT."""
        for name in self._tables(kind, objects):
            table = self.model.table(name)
            column = None if table is None else table.column(wire)
            if column is not None and column.wire == wire:
                return column.name
        return wire

    def _type(self, wire: str, declared: Mapping[str, Parameter], kind: str, objects: list[dict[str, Any]]) -> SqlType:
        parameter = declared.get(wire)
        if wire == "value" and self.returns is not None and self.returns.type.startswith("Edm."):
            parameter = Parameter("value", self.returns.type)
        if parameter is not None:
            return VARCHAR if parameter.collection else EDM_TYPES.get(parameter.type, VARCHAR)
        for name in self._tables(kind, objects):
            table = self.model.table(name)
            column = None if table is None else table.column(wire)
            if column is not None and column.wire == wire:
                return column.type
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
