"""Python values to SQL text, for statements that must carry their values (BI tools compile with literal binds)."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

__all__ = ["is_literal", "literal"]


def is_literal(value: object) -> bool:
    """Whether `literal` can write the value."""
    return isinstance(value, tuple(_WRITERS))


def literal(value: object) -> str:
    """Return the SQL literal that means the value: strings quoted, times typed, decimals exact."""
    kind = next(kind for kind in _WRITERS if isinstance(value, kind))
    return _WRITERS[kind](value)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _float(value: float) -> str:
    return repr(value) if math.isfinite(value) else f"CAST('{value}' AS DOUBLE)"


def _decimal(value: Decimal) -> str:
    return format(value, "f") if value.is_finite() else f"CAST('{value}' AS DOUBLE)"


def _timestamp(value: datetime) -> str:
    kind = "TIMESTAMP" if value.tzinfo is None else "TIMESTAMPTZ"
    return f"{kind} '{value.isoformat(sep=' ')}'"


def _interval(value: timedelta) -> str:
    microseconds = value // timedelta(microseconds=1)
    return f"TO_MICROSECONDS({microseconds})"


# In this order: a bool is an int, a datetime is a date.
_WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: "NULL",
    bool: lambda value: "TRUE" if value else "FALSE",
    int: lambda value: str(int(value)),
    float: _float,
    Decimal: _decimal,
    str: _text,
    UUID: lambda value: f"'{value}'",
    datetime: _timestamp,
    date: lambda value: f"DATE '{value.isoformat()}'",
    time: lambda value: f"TIME '{value.isoformat()}'",
    timedelta: _interval,
    bytes: lambda value: f"FROM_HEX('{value.hex()}')",
    bytearray: lambda value: f"FROM_HEX('{value.hex()}')",
    memoryview: lambda value: f"FROM_HEX('{value.hex()}')",
}
