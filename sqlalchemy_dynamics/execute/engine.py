"""The residual engine: DuckDB in this process, closed to files, network, extensions and the caller's variables.

The only file that imports duckdb. Text compares without case and accents, NULLs sort as the service sorts them.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
from duckdb.func import PythonUDFType

from sqlalchemy_dynamics.edm import SqlType
from sqlalchemy_dynamics.errors import (
    DataError,
    Error,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    StatementCancelled,
)
from sqlalchemy_dynamics.execute.guid_order import GUID_MACRO
from sqlalchemy_dynamics.execute.texts import FUNCTIONS, MACROS

__all__ = ["EngineOptions", "Workspace", "open_workspace"]

_SETTINGS = (
    "SET TimeZone='UTC'",
    "SET default_collation='nocase.noaccent'",
    "SET default_null_order='nulls_first_on_asc_last_on_desc'",
    *MACROS,
    GUID_MACRO,
    "SET lock_configuration=true",
)
_ERRORS: tuple[tuple[type[Exception], type[Error]], ...] = (
    (duckdb.InterruptException, StatementCancelled),
    (duckdb.NotImplementedException, NotSupportedError),
    (duckdb.ConversionException, DataError),
    (duckdb.OutOfRangeException, DataError),
    (duckdb.OutOfMemoryException, OperationalError),
    (duckdb.DataError, DataError),
    (duckdb.ProgrammingError, ProgrammingError),
    (duckdb.Error, ProgrammingError),
)
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


@dataclass(frozen=True)
class EngineOptions:
    """How much memory the engine may use (``4GB``, "" for DuckDB's default), and where it may spill to."""

    memory_limit: str = ""
    temp_directory: str = ""


_open: dict[tuple[int, EngineOptions], duckdb.DuckDBPyConnection] = {}
_lock = threading.Lock()


def _engine(options: EngineOptions) -> duckdb.DuckDBPyConnection:
    key = (os.getpid(), options)
    with _lock:
        if key not in _open:
            _open[key] = _started(options)
        return _open[key]


def _started(options: EngineOptions) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {
        "enable_external_access": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    if options.memory_limit:
        config["memory_limit"] = options.memory_limit
    if options.temp_directory:
        config["temp_directory"] = options.temp_directory
    connection = duckdb.connect(":memory:", config=config)
    for name, function in FUNCTIONS.items():
        connection.create_function(name, function, ["VARCHAR"], "VARCHAR", type=PythonUDFType.ARROW)
    for setting in _SETTINGS:
        connection.execute(setting)
    return connection


class Workspace:
    """One statement's own corner of the engine: its views are seen by nobody else."""

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._cursor = _engine(options).cursor()
        self._registered: set[str] = set()

    def put(self, name: str, source: object) -> None:
        """Make an Arrow table, or a reader that is read once, known under a name; replaces an earlier one."""
        if name in self._registered:
            self._cursor.unregister(name)
        self._cursor.register(name, source)
        self._registered.add(name)

    def define(self, statement: str) -> None:
        """Run a CREATE TEMP VIEW of our own."""
        with self.speaking():
            self._cursor.execute(statement)

    def bind(self, sql: str, values: object) -> Any:
        """Return the bound statement, nothing read yet: `columns`, `types`, `to_arrow_reader(rows)`."""
        with self.speaking():
            return self._cursor.sql(sql, params=values)

    def close(self) -> None:
        """Forget the views and what they hold."""
        self._cursor.close()

    def interrupt(self) -> None:
        """Stop what is running in this workspace; any thread may call this."""
        self._cursor.interrupt()

    @contextmanager
    def speaking(self, failure: Callable[[], BaseException | None] = lambda: None) -> Iterator[None]:
        """Turn the engine's errors into ours; `failure` is what went wrong in a source it was reading from."""
        try:
            yield
        except (duckdb.InternalException, duckdb.FatalException) as error:
            self._discard()
            raise InternalError(f"the residual engine failed and will start anew: {_plain(str(error))}") from None
        except (duckdb.Error, OSError) as error:
            cause = failure()
            if cause is not None:
                raise cause from None
            raise _translated(error) from None

    def _discard(self) -> None:
        """An internal error invalidates the whole database, for every statement in it."""
        with _lock:
            _open.pop((os.getpid(), self._options), None)


def open_workspace(options: EngineOptions) -> Workspace:
    """Return a new workspace; the engine starts with the first (about 25 ms)."""
    return Workspace(options)


def type_of(kind: object) -> SqlType:
    """Return DuckDB's type as a SQL type."""
    text = str(kind)
    match = _DECIMAL.fullmatch(text)
    return SqlType("DECIMAL", int(match[1]), int(match[2])) if match else SqlType(text)


def _translated(error: Exception) -> Error:
    kind = next((ours for theirs, ours in _ERRORS if isinstance(error, theirs)), OperationalError)
    return kind(_plain(str(error)))


def _plain(text: str) -> str:
    """Drop the engine's own picture of the statement: it shows a text the user did not write."""
    kept = text.split("\n\nLINE ", 1)[0].strip()
    return re.sub(r"^\w+(?: \w+)? Error: ", "", kept)
