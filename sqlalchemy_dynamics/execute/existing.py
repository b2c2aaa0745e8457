"""What the service holds: which rows exist, by keys in portions that fit a URL, what they hold, what is linked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from sqlalchemy_dynamics.errors import OperationalError
from sqlalchemy_dynamics.execute.requests import KEYS_PER_REQUEST
from sqlalchemy_dynamics.metadata.model import Column, Kind, Table
from sqlalchemy_dynamics.odata.filters import Among, Value
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.odata.messages import HttpRequest, Send
from sqlalchemy_dynamics.odata.query import Query, to_request
from sqlalchemy_dynamics.planner.values import rounded

__all__ = ["existing", "holds", "linked", "row_of"]

_BIND = "@odata.bind"
_MOST_PLACES = 5


class _Rows(msgspec.Struct):
    value: list[dict[str, object]]


class _References(msgspec.Struct):
    value: list[dict[str, str]]
    next: str = msgspec.field(default="", name="@odata.nextLink")


def existing(send: Send, table: Table, keys: Iterable[str]) -> set[str]:
    """Return those of the keys that the table has. Raises what `send` raises."""
    wanted, key = list(dict.fromkeys(keys)), table.columns[table.primary_key]
    found: set[str] = set()
    for start in range(0, len(wanted), KEYS_PER_REQUEST):
        portion = tuple(Value(each, key.edm) for each in wanted[start : start + KEYS_PER_REQUEST])
        query = Query(table.entity_set, select=(key.wire,), filter=Among((key.wire,), portion))
        found.update(str(row[key.wire]).lower() for row in _rows(send, query))
    return found


def row_of(send: Send, table: Table, key: str, columns: tuple[Column, ...]) -> dict[str, object] | None:
    """Return the wire values of one row, None when it is missing."""
    primary = table.columns[table.primary_key]
    wires = tuple(dict.fromkeys((primary.wire, *(column.wire for column in columns))))
    query = Query(table.entity_set, select=wires, filter=Among((primary.wire,), (Value(key, primary.edm),)))
    return next(iter(_rows(send, query)), None)


def linked(send: Send, collection: str, key: str) -> bool:
    """Say whether a row is in a collection of another row, of which this is the address."""
    url = f"{collection}/$ref"
    while url:
        try:
            page = msgspec.json.decode(send(HttpRequest("GET", url)).body, type=_References)
        except msgspec.MsgspecError:
            raise OperationalError("the reply holds no references; check OrganizationUrl and the proxy") from None
        if any(f"({key})" in each.get("@odata.id", "").lower() for each in page.value):
            return True
        url = page.next
    return False


def holds(send: Send, table: Table, key: str, body: Mapping[str, Any]) -> bool:
    """Say whether a row is there and holds what a body gives it, in the form that the service keeps it."""
    given = [(found, value) for name, value in body.items() if (found := _column(table, name)) is not None]
    row = row_of(send, table, key, tuple(column for column, _ in given))
    return row is not None and all(
        _is_same(_kept(column, value), _kept(column, row.get(column.wire))) for column, value in given
    )


def _is_same(given: object, held: object) -> bool:
    """Whether a value is what was given; doubles are rounded to their Precision (dataverse-web-api: DoubleType)."""
    if isinstance(given, float) and isinstance(held, float):
        return given == held or any(round(given, places) == held for places in range(_MOST_PLACES + 1))
    return given == held


def _column(table: Table, name: str) -> Column | None:
    """The column that a member of a body sets; None for an image, of which a read returns a small one."""
    plain = (each for each in table.columns.values() if each.companion is None and each.kind is not Kind.IMAGE)
    navigation = name.removesuffix(_BIND)
    if navigation != name:
        return next((each for each in plain if navigation in each.navigations.values()), None)
    return next((each for each in plain if each.wire == name), None)


def _kept(column: Column, value: object) -> object:
    """A value as the service keeps it: no empty text, numbers of the column's digits, moments of whole seconds."""
    if value is None or value == "":
        return None
    if column.kind is Kind.LOOKUP:
        return str(value).rpartition("(")[2].rstrip(")").lower()
    if column.kind is Kind.MULTICHOICE:
        return sorted(str(value).replace(" ", "").split(","))
    found = convert(value, column.edm)
    if isinstance(found, Decimal) and column.type.scale is not None:
        return rounded(found, column.type.scale)
    return found.replace(microsecond=0) if isinstance(found, datetime) else found


def _rows(send: Send, query: Query) -> list[dict[str, object]]:
    try:
        return msgspec.json.decode(send(to_request(query)).body, type=_Rows).value
    except msgspec.MsgspecError:
        raise OperationalError("the reply holds no rows; check OrganizationUrl and the proxy") from None
