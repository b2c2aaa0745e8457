"""About how many rows a table has. Good for choosing between two ways to the same answer, never for an answer.

The service's count is up to a day old and ignores who may see what (dataverse-web-api: RetrieveTotalRecordCount).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable

import msgspec

from sqlalchemy_dynamics.errors import DatabaseError
from sqlalchemy_dynamics.odata.literals import quote
from sqlalchemy_dynamics.odata.messages import HttpRequest, Send

__all__ = ["rows_in"]

_MOST, _SECONDS = 2000, 3600.0
_known: OrderedDict[tuple[Hashable, str], tuple[float, int | None]] = OrderedDict()
_lock = threading.Lock()


class _Counts(msgspec.Struct):
    values: list[int] = msgspec.field(name="Values")


class _Reply(msgspec.Struct):
    counts: _Counts = msgspec.field(name="EntityRecordCountCollection")


def rows_in(table: str, send: Send, owner: Hashable) -> int | None:
    """Return the estimate for a table, None when the service gives none; asked once an hour per organisation."""
    key = (owner, table)
    with _lock:
        found = _known.get(key)
    if found is not None and time.monotonic() - found[0] < _SECONDS:
        return found[1]
    estimate = _asked(table, send)
    with _lock:
        _known[key] = (time.monotonic(), estimate)
        while len(_known) > _MOST:
            _known.popitem(last=False)
    return estimate


def _asked(table: str, send: Send) -> int | None:
    request = HttpRequest("GET", f"RetrieveTotalRecordCount(EntityNames=[{quote(table)}])", repeatable=True)
    try:
        values = msgspec.json.decode(send(request).body, type=_Reply).counts.values
    except (DatabaseError, msgspec.MsgspecError):
        return None
    return values[0] if values else None
