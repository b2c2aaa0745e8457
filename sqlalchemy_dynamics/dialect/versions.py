"""Versions the service gives to rows (`version_id_col`), in a flush of the ORM and after it.

The version of a new row comes with its INSERT, also where SQLAlchemy would read it afterwards: for rows whose keys it
knows, 1.4 always and later versions under `eager_defaults=False`. That would be a request for each row, and CHANGESET
refuses it. The flush's statement is changed on its way, no table or mapper is.

Under CHANGESET versions are presumed to be 0. COMMIT makes them unknown, so that the next use reads them.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary, ref

from sqlalchemy import event, inspect
from sqlalchemy import types as sqltypes
from sqlalchemy.sql.dml import Insert

__all__ = ["watch_engine", "watch_mappers"]

_INSERTING: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()
"""Connections in a flush that inserts rows: their tables, each with its column of versions."""
_PRESUMED: WeakKeyDictionary[Any, list[tuple[Any, str]]] = WeakKeyDictionary()
"""Connections with changes that wait: references to the objects, each with its attribute that holds the version."""
_IN_ORDER = {"sort_by_parameter_order": True} if hasattr(sqltypes, "Uuid") else {}  # since SQLAlchemy 2.0


def watch_engine(engine: Any) -> None:
    """Be told of an engine's statements and of what ends its transactions."""
    event.listen(engine, "before_execute", _with_version, retval=True)
    event.listen(engine, "after_execute", _keep_versions)
    event.listen(engine, "commit", _committed)
    event.listen(engine, "rollback", _rolled_back)


def watch_mappers(mapper: Any) -> None:
    """Be told by the ORM's mappers of the rows that a flush inserts and updates."""
    event.listen(mapper, "before_insert", _inserting)
    event.listen(mapper, "after_insert", _inserted)
    event.listen(mapper, "after_update", _written)


def _versions_of(mapper: Any, connection: Any) -> Any:
    served = connection.dialect.name == "dynamics" and mapper.version_id_generator is False
    return mapper.version_id_col if served else None


def _inserting(mapper: Any, connection: Any, target: Any) -> None:
    column = _versions_of(mapper, connection)
    if column is not None:
        _INSERTING.setdefault(connection, {})[column.table] = column


def _inserted(mapper: Any, connection: Any, target: Any) -> None:
    _INSERTING.pop(connection, None)
    _written(mapper, connection, target)


def _written(mapper: Any, connection: Any, target: Any) -> None:
    column = _versions_of(mapper, connection)
    if column is not None:
        name = mapper.get_property_by_column(column).key
        if inspect(target).dict.get(name) == 0:
            _PRESUMED.setdefault(connection, []).append((ref(target), name))


def _with_version(connection: Any, statement: Any, many: Any, one: Any, options: Any) -> tuple[Any, Any, Any]:
    """Ask for the version where the flush does not. Its own statements are those with the mapper's cache."""
    column = _column(connection, statement)
    if column is not None and "compiled_cache" in options and not statement._return_defaults:
        statement = statement.return_defaults(column, **_IN_ORDER)
    return statement, many, one


def _keep_versions(connection: Any, statement: Any, many: Any, one: Any, options: Any, result: Any) -> None:
    """Put the versions of many rows where the flush looks for what was made before the INSERT."""
    column = _column(connection, statement)
    if column is None or not result.context.executemany:
        return
    for values, row in zip(result.context.compiled_parameters, result.returned_defaults_rows or (), strict=False):
        if column in row._mapping:
            values[column.key] = row._mapping[column]


def _column(connection: Any, statement: Any) -> Any:
    tables = _INSERTING.get(connection)
    return tables.get(statement.table) if tables and isinstance(statement, Insert) else None


def _committed(connection: Any) -> None:
    for reference, name in _PRESUMED.pop(connection, ()):
        state = inspect(reference(), raiseerr=False)
        if state is not None and state.persistent and state.dict.get(name) == 0:
            state.session.expire(state.object, [name])


def _rolled_back(connection: Any) -> None:
    _PRESUMED.pop(connection, None)
