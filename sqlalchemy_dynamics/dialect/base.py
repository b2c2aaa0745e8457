"""The dialect class: what SQLAlchemy may assume of the driver, and how a URL becomes a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import signature
from types import ModuleType
from typing import Any
from urllib.parse import quote

from sqlalchemy.engine import default
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.engine.url import URL

from sqlalchemy_dynamics.dbapi.secrecy import guarded
from sqlalchemy_dynamics.dialect.compiler import DynamicsCompiler, DynamicsTypeCompiler
from sqlalchemy_dynamics.dialect.manyrows import inserted, warn_of_refused, watch_orm
from sqlalchemy_dynamics.dialect.masking import MaskedURL
from sqlalchemy_dynamics.dialect.reflection import Reflection
from sqlalchemy_dynamics.dialect.sqltypes import COLSPECS
from sqlalchemy_dynamics.dialect.versions import watch_engine
from sqlalchemy_dynamics.errors import Error, NotSupportedError
from sqlalchemy_dynamics.execute.headers import options_among

__all__ = ["DynamicsDialect", "DynamicsExecutionContext"]

_SETS_LEVELS = "isolation_level" in signature(default.DefaultDialect).parameters  # since SQLAlchemy 2.0


class DynamicsExecutionContext(default.DefaultExecutionContext):
    """Every cursor streams; with `stream_results` SQLAlchemy reads it in growing pieces instead of row by row.

    The text and parameters of calls are masked before SQLAlchemy logs them, or puts them into an error.
    """

    returned_rows: list[Any] | None = None

    def create_cursor(self) -> Any:
        self._guard()
        return super().create_cursor()

    def pre_exec(self) -> None:
        """Execution options named like what writes carry (BypassPlugins or bypass_plugins) hold for the statement."""
        self._guard()
        self.cursor.connection.write_options = options_among(self.execution_options)

    def _guard(self) -> None:
        statement, parameters = getattr(self, "statement", None), getattr(self, "parameters", None)
        if statement and parameters:
            guards = [guarded(statement, each) for each in parameters]
            self.statement, self.parameters = guards[0][0], [each for _, each in guards]

    def post_exec(self) -> None:
        """Hand out the rows that an executemany() with RETURNING collected (SQLAlchemy 1.4)."""
        if self.returned_rows is not None:
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                self.cursor, initial_buffer=self.returned_rows
            )

    def create_server_side_cursor(self) -> Any:
        return self._dbapi_connection.cursor()


class DynamicsDialect(Reflection, default.DefaultDialect):
    """``dynamics://``. Connecting, `initialize`, commit and rollback send nothing; `do_ping` really asks."""

    name = "dynamics"
    driver = "webapi"
    default_paramstyle = "qmark"
    supports_statement_cache = True

    statement_compiler = DynamicsCompiler
    type_compiler = DynamicsTypeCompiler
    execution_ctx_cls = DynamicsExecutionContext
    colspecs = COLSPECS

    supports_native_boolean = True
    supports_native_decimal = True
    supports_native_uuid = True
    supports_server_side_cursors = True
    supports_is_distinct_from = True
    supports_multivalues_insert = True
    supports_default_values = True
    postfetch_lastrowid = False
    div_is_floordiv = False

    insert_returning = update_returning = delete_returning = True
    implicit_returning = full_returning = True  # their names in SQLAlchemy 1.4
    insert_executemany_returning = True
    use_insertmanyvalues = True
    insertmanyvalues_page_size = 1000
    insertmanyvalues_max_parameters = 1_000_000
    returns_native_bytes = True

    def __init__(self, isolation_level: str | None = None, **options: Any) -> None:
        if _SETS_LEVELS:
            options["isolation_level"] = isolation_level
        super().__init__(**options)
        self._level = None if _SETS_LEVELS else isolation_level

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """Return the driver's module."""
        from sqlalchemy_dynamics import dbapi

        return dbapi

    @classmethod
    def dbapi(cls) -> ModuleType:  # type: ignore[override]  # an attribute of the interface since 2.0
        """What SQLAlchemy 1.4 calls `import_dbapi`."""
        return cls.import_dbapi()

    @classmethod
    def engine_created(cls, engine: Any) -> None:
        """Keep secrets among the URL's properties out of the engine's repr; look after versions."""
        engine.url = MaskedURL.of(engine.url)
        watch_engine(engine)

    def create_connect_args(self, url: URL) -> tuple[list[Any], dict[str, Any]]:
        """Hand the URL to the driver as text; `connect_args` join it as keywords."""
        return [], {"url": _url_text(url)}

    def on_connect(self) -> Callable[[Any], Any] | None:
        """Set the level given to create_engine(), where SQLAlchemy (1.4) leaves that to dialects."""
        level = self._level
        return None if level is None else lambda connection: self.set_isolation_level(connection, level)

    def get_isolation_level_values(self, dbapi_conn: Any) -> list[Any]:
        return ["AUTOCOMMIT", "CHANGESET"]

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        return getattr(dbapi_connection, "isolation_level", "AUTOCOMMIT")

    def get_default_isolation_level(self, dbapi_conn: Any) -> Any:
        return "AUTOCOMMIT"

    def set_isolation_level(self, dbapi_connection: Any, level: str) -> None:
        """CHANGESET keeps a transaction's changes and sends them together at COMMIT."""
        dbapi_connection.isolation_level = level

    def do_begin(self, dbapi_connection: Any) -> None:
        """Nothing begins; by now the ORM is there if it is used, and can be told about keys and versions."""
        watch_orm()

    def do_executemany(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """SQLAlchemy 1.4 asks for RETURNING here, later versions make statements of many rows themselves."""
        if getattr(context, "isinsert", False) and getattr(context.compiled, "returning", None):
            context.returned_rows = list(inserted(cursor, statement, parameters, context.compiled))
        else:
            cursor.executemany(statement, parameters)
            warn_of_refused(cursor)

    def do_ping(self, dbapi_connection: Any) -> bool:
        """Ask WhoAmI. Wrong credentials and an unreachable service raise; a closed connection is False."""
        try:
            dbapi_connection.ping()
        except Error as error:
            if self.is_disconnect(error, dbapi_connection, None):
                return False
            raise
        return True

    def is_disconnect(self, e: Exception, connection: Any, cursor: Any) -> bool:
        """Only a closed connection is dead: the driver itself replaces HTTP connections that broke."""
        return bool(getattr(connection, "closed", False))

    def do_savepoint(self, connection: Any, name: str) -> None:
        """Refuse: the Web API has no savepoints."""
        raise NotSupportedError("the Web API has no savepoints; do not use begin_nested()")

    def do_begin_twophase(self, connection: Any, xid: Any) -> None:
        """Refuse: the Web API has no two-phase commit."""
        raise NotSupportedError("the Web API has no two-phase commit; use isolation_level='CHANGESET'")


def _url_text(url: URL) -> str:
    """The URL with every part quoted anew (SQLAlchemy 1.4 renders a ``%`` in a password as it is)."""
    user = "" if url.username is None else quote(url.username, safe="")
    password = "" if url.password is None else ":" + quote(str(url.password), safe="")
    host = f"[{url.host}]" if url.host and ":" in url.host else url.host or ""
    port = "" if url.port is None else f":{url.port}"
    at = "@" if user or password else ""
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in _pairs(url))
    return f"dynamics://{user}{password}{at}{host}{port}/{quote(url.database or '', safe='')}?{query}"


def _pairs(url: URL) -> Iterator[tuple[str, str]]:
    for name, values in url.query.items():
        for value in (values,) if isinstance(values, str) else values:
            yield name, value
