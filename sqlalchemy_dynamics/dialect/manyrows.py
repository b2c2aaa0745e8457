"""Many rows in few requests where SQLAlchemy alone would send them one by one."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy import types as sqltypes

from sqlalchemy_dynamics.dialect.sqltypes import GUID
from sqlalchemy_dynamics.dialect.versions import watch_mappers
from sqlalchemy_dynamics.errors import Warning
from sqlalchemy_dynamics.execute.combs import new_key

__all__ = ["inserted", "warn_of_refused", "watch_orm"]

_ROWS = 1000
_TOLD: list[Any] = []
_KEY_TYPES = (sqltypes.String, GUID, *([sqltypes.Uuid] if hasattr(sqltypes, "Uuid") else []))


def inserted(cursor: Any, statement: str, sets: Sequence[Sequence[Any]], compiled: Any) -> Iterator[Any]:
    """Run INSERT … VALUES (…) RETURNING for many sets as statements of many rows; yield the rows in order."""
    one = f"({getattr(compiled, 'insert_single_values_expr', None) or ''})"
    if one not in statement or statement.count("?") != one.count("?"):
        for each in sets:
            yield from cursor.execute(statement, each).fetchall()
        return
    for start in range(0, len(sets), _ROWS):
        some = sets[start : start + _ROWS]
        many = statement.replace(one, ", ".join([one] * len(some)), 1)
        yield from cursor.execute(many, list(chain.from_iterable(some))).fetchall()


def warn_of_refused(cursor: Any) -> None:
    """Under ContinueOnError rows may be missing, which SQLAlchemy has no place for: say so."""
    failures = getattr(cursor, "failures", ())
    if failures:
        warnings.warn(
            f"{len(failures)} rows were refused and are not written, the first: {failures[0][1]}; "
            "connection.connection.dbapi_connection.failures lists them",
            Warning,
            stacklevel=2,
        )


def watch_orm() -> None:
    """Have the ORM, once it is there, give new rows of this dialect their keys and tell of versions."""
    mapper = None if _TOLD else getattr(sys.modules.get("sqlalchemy.orm"), "Mapper", None)
    if mapper is not None:
        _TOLD.append(mapper)
        event.listen(mapper, "before_insert", _give_key)
        watch_mappers(mapper)


def _give_key(mapper: Any, connection: Any, target: Any) -> None:
    if connection.dialect.name != "dynamics" or len(mapper.primary_key) != 1:
        return
    (column,) = mapper.primary_key
    if column.default or column.server_default or column.foreign_keys or not isinstance(column.type, _KEY_TYPES):
        return
    name = mapper.get_property_by_column(column).key
    if getattr(target, name) is None:
        setattr(target, name, _of_type(column.type, new_key()))


def _of_type(kind: Any, key: str) -> Any:
    return UUID(key) if getattr(kind, "as_uuid", False) else key
