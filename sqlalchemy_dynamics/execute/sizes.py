"""About how many rows a table has. Good for choosing between two ways to the same answer, never for an answer.

The service's count is up to a day old and ignores who may see what (dataverse-web-api: RetrieveTotalRecordCount).
"""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from sqlalchemy_dynamics.errors import DatabaseError
from sqlalchemy_dynamics.execute.lately import Lately
from sqlalchemy_dynamics.odata.literals import quote
from sqlalchemy_dynamics.odata.messages import HttpRequest, Send

__all__ = ["rows_in"]

_known: Lately[int | None] = Lately()


class _Counts(msgspec.Struct):
    values: list[int] = msgspec.field(name="Values")


class _Reply(msgspec.Struct):
    counts: _Counts = msgspec.field(name="EntityRecordCountCollection")


def rows_in(table: str, send: Send, owner: Hashable) -> int | None:
    """Return the estimate for a table, None when the service gives none; asked once an hour per organisation."""
    found = _known.recall((owner, table))
    if not found:
        found = (_asked(table, send),)
        _known.learn((owner, table), found[0])
    return found[0]


def _asked(table: str, send: Send) -> int | None:
    request = HttpRequest("GET", f"RetrieveTotalRecordCount(EntityNames=[{quote(table)}])", repeatable=True)
    try:
        values = msgspec.json.decode(send(request).body, type=_Reply).counts.values
    except (DatabaseError, msgspec.MsgspecError):
        return None
    return values[0] if values else None
