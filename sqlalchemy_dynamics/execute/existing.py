"""Which rows of a table exist: keys asked for in portions that fit a URL."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sqlalchemy_dynamics.errors import OperationalError
from sqlalchemy_dynamics.execute.requests import KEYS_PER_REQUEST
from sqlalchemy_dynamics.metadata.model import Column, Table
from sqlalchemy_dynamics.odata.filters import Among, Value
from sqlalchemy_dynamics.odata.messages import Send
from sqlalchemy_dynamics.odata.query import Query, to_request

__all__ = ["existing", "row_of"]


class _Rows(msgspec.Struct):
    value: list[dict[str, object]]


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


def _rows(send: Send, query: Query) -> list[dict[str, object]]:
    try:
        return msgspec.json.decode(send(to_request(query)).body, type=_Rows).value
    except msgspec.MsgspecError:
        raise OperationalError("the reply holds no rows; check OrganizationUrl and the proxy") from None
