"""PEP 249 type objects and constructors. Type codes themselves are made by `edm.type_code`."""

from __future__ import annotations

import time
from datetime import date, datetime
from datetime import time as clock_time
from typing import Any

from sqlalchemy_dynamics.edm import TypeObject

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Date",
    "DateFromTicks",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
]

STRING = TypeObject("STRING", frozenset({"UUID", "VARCHAR"}))
NUMBER = TypeObject("NUMBER", frozenset({"INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "DOUBLE", "BOOLEAN"}))
DATETIME = TypeObject("DATETIME", frozenset({"DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}))
BINARY = TypeObject("BINARY", frozenset({"BLOB"}))
ROWID = TypeObject("ROWID", frozenset())

Date = date
Time = clock_time
Timestamp = datetime


def Binary(value: Any) -> Any:
    """Return bytes; what else a file column takes (file objects, iterators, pairs with a file name) as it is."""
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else value


def DateFromTicks(ticks: float) -> date:
    """The local date of a number of seconds since the epoch."""
    return date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> clock_time:
    """The local time of day of a number of seconds since the epoch."""
    return clock_time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime:
    """The local, naive date and time of a number of seconds since the epoch."""
    return datetime(*time.localtime(ticks)[:6])
