"""The inspector's methods, answered from the catalog."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.engine import default, reflection
from sqlalchemy.exc import NoSuchTableError

from sqlalchemy_dynamics.dialect import tables
from sqlalchemy_dynamics.errors import Error
from sqlalchemy_dynamics.metadata.model import Table

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog

__all__ = ["Reflection"]

T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Any])

_NAME = re.compile(r"\w+")
_ASKED: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
"""Names each open SQLAlchemy connection has asked for."""


def _cached(method: Method) -> Method:
    """SQLAlchemy's reflection cache; 1.4 rebuilds a signature as text and trips over postponed annotations."""
    method.__annotations__.clear()
    return reflection.cache(method)


class Reflection(default.DefaultDialect):
    """There is one unnamed schema, and no views, indexes, checks or sequences. Unknown tables: NoSuchTableError."""

    @_cached
    def has_table(self, connection: Any, table_name: str, schema: str | None = None, **kw: Any) -> bool:
        """Whether there is such a table, in any case. What cannot be a name (pandas: SQL text) costs nothing."""
        if schema is not None or not _NAME.fullmatch(table_name):
            return False
        return tables.visible(_ask(connection, lambda catalog: catalog.model().table(table_name)))

    @_cached
    def get_table_names(self, connection: Any, schema: str | None = None, **kw: Any) -> list[str]:
        """Logical names, sorted."""
        return [] if schema is not None else list(_ask(connection, lambda catalog: catalog.names()))

    @_cached
    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **kw: Any) -> list[Any]:
        """Every column, companions right behind their base; without files under ReflectFiles=false."""
        files = connection.connection.settings.flag("ReflectFiles")
        return tables.columns(_table(connection, table_name, schema), files)

    @_cached
    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """The key column."""
        return tables.primary_key(_table(connection, table_name, schema))

    @_cached
    def get_foreign_keys(self, connection: Any, table_name: str, schema: str | None = None, **kw: Any) -> list[Any]:
        """One for each lookup that has a single target."""
        table = _table(connection, table_name, schema)
        return tables.foreign_keys(table, _ask(connection, lambda catalog: catalog.model()))

    @_cached
    def get_unique_constraints(
        self, connection: Any, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[Any]:
        """One for each alternate key."""
        return tables.unique_constraints(_table(connection, table_name, schema))

    @_cached
    def get_table_comment(self, connection: Any, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """The table's label."""
        return tables.comment(_table(connection, table_name, schema))

    @_cached
    def get_indexes(self, connection: Any, table_name: str, schema: str | None = None, **kw: Any) -> list[Any]:
        _table(connection, table_name, schema)
        return []

    @_cached
    def get_check_constraints(
        self, connection: Any, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[Any]:
        _table(connection, table_name, schema)
        return []

    @_cached
    def get_table_options(self, connection: Any, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        _table(connection, table_name, schema)
        return {}

    def get_schema_names(self, connection: Any, **kw: Any) -> list[str]:
        return []

    def get_view_names(self, connection: Any, schema: str | None = None, **kw: Any) -> list[str]:
        return []

    def get_materialized_view_names(self, connection: Any, schema: str | None = None, **kw: Any) -> list[str]:
        return []

    def get_temp_table_names(self, connection: Any, schema: str | None = None, **kw: Any) -> list[str]:
        return []

    def get_temp_view_names(self, connection: Any, schema: str | None = None, **kw: Any) -> list[str]:
        return []

    def get_sequence_names(self, connection: Any, schema: str | None = None, **kw: Any) -> list[str]:
        return []

    def has_sequence(self, connection: Any, sequence_name: str, schema: str | None = None, **kw: Any) -> bool:
        return False

    def get_view_definition(self, connection: Any, view_name: str, schema: str | None = None, **kw: Any) -> str:
        raise NoSuchTableError(view_name)

    def _default_multi_reflect(
        self, single_tbl_method: Any, connection: Any, kind: Any, schema: Any, filter_names: Any, scope: Any, **kw: Any
    ) -> Any:
        """SQLAlchemy 2's `get_multi_*`: fetch what all the tables need together, then ask table by table."""
        if schema is None:
            wanted = filter_names or self.get_table_names(connection, **kw)
            _fetched(connection, wanted)
        one_by_one: Callable[..., Any] = super()._default_multi_reflect
        return one_by_one(single_tbl_method, connection, kind, schema, filter_names, scope, **kw)


def _ask(connection: Any, question: Callable[[Catalog], T]) -> T:
    """Ask the connection's catalog; the driver's errors come out as SQLAlchemy's, as those of statements do."""
    try:
        return question(connection.connection.catalog)
    except Error as error:
        connection._handle_dbapi_exception(error, None, None, None, None)
        raise


def _table(connection: Any, name: str, schema: str | None) -> Table:
    found = None
    if schema is None and _NAME.fullmatch(name):
        found = _fetched(connection, [name]).get(name)
    if found is None or not tables.visible(found):
        raise NoSuchTableError(name if schema is None else f"{schema}.{name}")
    return found


def _fetched(connection: Any, names: Sequence[str]) -> dict[str, Table]:
    """The tables, enriched. A connection that asks for more after its first ones is following foreign keys, table by
    table: all that can be reached is then fetched in one go."""
    asked = _ASKED.setdefault(connection, set())
    new = [name for name in names if name not in asked]
    if asked and new:
        new += tables.related(new, _ask(connection, lambda catalog: catalog.model()))
    asked.update(new)
    return _ask(connection, lambda catalog: catalog.tables(new or names))
