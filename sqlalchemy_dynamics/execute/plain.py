"""Parameter values as Python's own types: numpy's and pandas' scalars, subclasses of str and int, missing values."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.execute.sources import is_stream

__all__ = ["plain_value"]

_PLAIN = frozenset(
    {type(None), bool, int, float, Decimal, str, bytes, date, datetime, time, timedelta, UUID, list, tuple, dict}
)
_BASES = (bool, int, float, Decimal, bytes, UUID, date, time, timedelta, list, tuple, dict)
_MISSING = frozenset({"NaTType", "NAType"})


def plain_value(key: int | str, value: Any) -> Any:
    """Return a parameter as one of Python's own types, by which plans are made.

    Raises ProgrammingError naming the parameter when it is of none.
    """
    if type(value) in _PLAIN:
        return value
    if type(value).__name__ in _MISSING:
        return None
    if type(value).__module__.partition(".")[0] == "numpy":
        return plain_value(key, _of_numpy(value))
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, datetime):
        return value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, _BASES) or is_stream(value):
        return value
    raise ProgrammingError(
        f"parameter {key} is of type {type(value).__name__}: pass a str, int, float, Decimal, bool, bytes, date, "
        "datetime, UUID or None"
    )


def _of_numpy(value: Any) -> Any:
    """A moment in nanoseconds would become a number."""
    kind = value.dtype.kind
    if kind == "M":
        return value.astype("datetime64[us]").tolist()
    return value.astype("timedelta64[us]").tolist() if kind == "m" else value.tolist()
