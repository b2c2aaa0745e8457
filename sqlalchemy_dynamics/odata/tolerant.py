"""Replies read the slow way: any form of a value that means one of its type; what is no page is said to be none."""

from __future__ import annotations

import json
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

from sqlalchemy_dynamics.errors import DataError, OperationalError
from sqlalchemy_dynamics.odata.fields import DELTA_LINK, NEXT_LINK, Field, Page, Row
from sqlalchemy_dynamics.odata.literals import convert

__all__ = ["scaled", "tolerant_page", "tolerant_reply", "tolerant_value"]

_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
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


def tolerant_page(columns: tuple[Field, ...], body: bytes) -> Page[list[Row]]:
    """Return the rows of a page. Raises OperationalError when the body is no page, DataError for a wrong value."""
    reply = _reply(body)
    rows = reply.get("value")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _foreign(reply)
    return Page([_row(columns, row) for row in rows], reply.get(NEXT_LINK), reply.get(DELTA_LINK))


def tolerant_reply(columns: tuple[Field, ...], body: bytes) -> Row:
    """Return the one row of a reply without ``value``; raises as `tolerant_page` does."""
    reply = _reply(body)
    if "@odata.context" not in reply:
        raise _foreign(reply)
    return _row(columns, reply)


def _row(columns: tuple[Field, ...], row: dict[str, Any]) -> Row:
    return tuple(tolerant_value(_member(row, column), column) for column in columns)


def _member(row: dict[str, Any], column: Field) -> Any:
    for navigation in column.through:
        inner = row.get(navigation)
        if not isinstance(inner, dict):
            return None
        row = inner
    return row.get(column.key)


def tolerant_value(value: Any, column: Field) -> Any:
    """Return the value of a member as its column's type wants it; raises DataError when it is none."""
    if value is None:
        return None
    if column.type.family == "VARCHAR":
        return _text(value)
    try:
        converted: Any = convert(value, _EDM[column.type.family])
    except DataError as error:
        raise DataError(f"column {column.key}: {error}") from None
    if column.type.family == "DECIMAL" and column.type.scale is not None:
        return scaled(converted, Decimal(1).scaleb(-column.type.scale))
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


def scaled(value: Decimal, unit: Decimal) -> Decimal:
    """Return a number with the places of `unit`; one that has more of them stays as it is."""
    try:
        return value.quantize(unit, context=_EXACT)
    except ArithmeticError:
        return value
