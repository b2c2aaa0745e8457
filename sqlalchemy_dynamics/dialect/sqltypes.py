"""SQL types to SQLAlchemy types and back, on SQLAlchemy 1.4 as on 2.x (which alone knows Uuid and Double)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import types as sqltypes
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.sqltypes import _AbstractInterval
from sqlalchemy.sql.type_api import NativeForEmulated, TypeEngine

from sqlalchemy_dynamics.edm import SqlType

__all__ = ["COLSPECS", "GUID", "INTERVAL", "sqlalchemy_type"]

if TYPE_CHECKING:
    _UuidBase = sqltypes.Uuid[Any]
else:
    _UuidBase = getattr(sqltypes, "Uuid", TypeEngine)

Processor = Callable[[Any], Any]


class GUID(_UuidBase):
    """A unique identifier. Values are lower-case `str`, or `uuid.UUID` with `as_uuid`; both are taken as parameters.

    So is ``(table, guid)``, as lookups to several tables take it.
    """

    __visit_name__ = "UUID"
    cache_ok = True

    def __init__(self, as_uuid: bool = False, native_uuid: bool = True) -> None:
        self.as_uuid = as_uuid
        self.native_uuid = native_uuid

    @property
    def python_type(self) -> type[Any]:
        return uuid.UUID if self.as_uuid else str

    def bind_processor(self, dialect: Dialect) -> Processor:
        return lambda value: value if value is None or isinstance(value, tuple) else str(value).lower()

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor | None:
        return _to_uuid if self.as_uuid else None


def _to_uuid(value: str | None) -> uuid.UUID | None:
    return None if value is None else uuid.UUID(value)


class INTERVAL(NativeForEmulated, _AbstractInterval):
    """A span of time; the driver takes `timedelta` as it is, so nothing is counted from an epoch."""

    __visit_name__ = "INTERVAL"
    native = True
    cache_ok = True

    @classmethod
    def adapt_emulated_to_native(cls, impl: object, **kw: object) -> INTERVAL:
        return cls()


COLSPECS: dict[type[TypeEngine[Any]], type[TypeEngine[Any]]] = {sqltypes.Interval: INTERVAL}
if hasattr(sqltypes, "Uuid"):
    COLSPECS[sqltypes.Uuid] = GUID


def _double() -> TypeEngine[Any]:
    return sqltypes.DOUBLE() if hasattr(sqltypes, "DOUBLE") else sqltypes.Float(53)


_PLAIN: dict[str, Callable[[], TypeEngine[Any]]] = {
    "UUID": GUID,
    "INTEGER": sqltypes.INTEGER,
    "BIGINT": sqltypes.BIGINT,
    "DOUBLE": _double,
    "BOOLEAN": sqltypes.BOOLEAN,
    "TIMESTAMP WITH TIME ZONE": lambda: sqltypes.TIMESTAMP(timezone=True),
    "TIMESTAMP": sqltypes.TIMESTAMP,
    "DATE": sqltypes.DATE,
    "BLOB": sqltypes.BLOB,
}


def sqlalchemy_type(kind: SqlType, length: int | None = None) -> TypeEngine[Any]:
    """Return the SQLAlchemy type of a column; `length` is that of a text."""
    if kind.family == "VARCHAR":
        return sqltypes.VARCHAR(length)
    if kind.precision is not None:
        return sqltypes.DECIMAL(kind.precision, kind.scale)
    return _PLAIN[kind.family]()
