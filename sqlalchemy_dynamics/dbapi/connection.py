"""A PEP 249 connection: settings, and on first use the session, catalog and executor that its cursors share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from weakref import WeakSet

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.dbapi.cursor import Cursor, Parameters
from sqlalchemy_dynamics.dbapi.given import name_given, options_given, parameters_given, statement_given
from sqlalchemy_dynamics.execute.headers import OPTIONS
from sqlalchemy_dynamics.execute.transactions import Transaction
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog
    from sqlalchemy_dynamics.execute import Statements
    from sqlalchemy_dynamics.session import Session, WhoAmI
    from sqlalchemy_dynamics.settings import Settings

__all__ = ["Connection"]


class Connection:
    """A connection to one organisation. Threads may share the module, not a connection (threadsafety 1).

    Opening, rolling back and closing send nothing, nor does committing but for the changes of a CHANGESET.
    """

    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(self, settings: Settings, *, credential: object = None, token_store: object = None) -> None:
        self.settings = settings
        self._sign_in = {"credential": credential, "token_store": token_store}
        self.closed = False
        self.on_request: Callable[[HttpRequest, HttpResponse], None] | None = None
        """Called after each data request of this connection, in any thread; set it before the first statement."""
        self._transaction = Transaction()
        self._session: Session | None = None
        self._executor: Statements | None = None
        self._cursors: WeakSet[Cursor] = WeakSet()

    def __repr__(self) -> str:
        return f"<dynamics connection {'closed' if self.closed else self.settings.url_text()}>"

    @property
    def session(self) -> Session:
        """The signed-in session, shared by the process; opened when first asked for."""
        self.check_open()
        if self._session is None:
            from sqlalchemy_dynamics.session import open_session

            self._session = open_session(self.settings, **self._sign_in)
        return self._session

    @property
    def catalog(self) -> Catalog:
        """The organisation's tables."""
        from sqlalchemy_dynamics.catalog import open_catalog

        return open_catalog(self.session)

    @property
    def executor(self) -> Statements:
        """What plans and runs this connection's statements."""
        self.check_open()
        if self._executor is None:
            from sqlalchemy_dynamics.execute import Statements

            self._executor = Statements(self._watched(), self.catalog, self._transaction)
        return self._executor

    def _watched(self) -> Session:
        if self.on_request is None:
            return self.session
        return cast("Session", _Watched(self.session, self.on_request))

    def check_open(self) -> None:
        """Raise InterfaceError when the connection was closed."""
        if self.closed:
            raise errors.InterfaceError("the connection is closed; open a new one with connect()")

    def cursor(self) -> Cursor:
        """Return a new cursor."""
        self.check_open()
        cursor = Cursor(self)
        self._cursors.add(cursor)
        return cursor

    @property
    def isolation_level(self) -> str:
        """AUTOCOMMIT: each statement is permanent when it ends. CHANGESET: COMMIT sends all, together or not at all."""
        return self._transaction.level

    @isolation_level.setter
    def isolation_level(self, level: str) -> None:
        self.check_open()
        if not isinstance(level, str):
            raise errors.InterfaceError(f"isolation_level is AUTOCOMMIT or CHANGESET, not {level!r}")
        self._transaction.level = level

    @property
    def write_options(self) -> Mapping[str, Any]:
        """What the next writes carry, by the names of the properties: ``{"BypassPlugins": True}``."""
        return self._transaction.options

    @write_options.setter
    def write_options(self, options: Mapping[str, Any]) -> None:
        self._transaction.options = options_given(options, OPTIONS)

    @property
    def failures(self) -> list[tuple[int, errors.DatabaseError]]:
        """Rows that the last executemany() went on without, under ContinueOnError: their numbers from 1, and why."""
        return sorted(self._transaction.failures, key=lambda each: each[0])

    def commit(self) -> None:
        """Send the changes that wait under CHANGESET, in one change set; under AUTOCOMMIT there are none."""
        self.check_open()
        if self._transaction.pending:
            self.executor.commit()
        self._transaction.taken()

    def rollback(self) -> None:
        """Forget the changes that wait under CHANGESET. What was sent stays: a warning says so, once."""
        self.check_open()
        self._transaction.rolled_back()

    def close(self) -> None:
        """Close the connection and its cursors; results still being read stop. Closing twice does no harm."""
        for cursor in list(self._cursors):
            cursor.close()
        self.closed = True
        self._transaction.taken()
        self._session = self._executor = None

    def ping(self) -> WhoAmI:
        """Ask the service who the connection is signed in as."""
        return self.session.who_am_i()

    def read_file(self, table: str, key: str, column: str) -> bytes:
        """Return what a file or image column of one row holds, empty when it holds nothing."""
        table, column = name_given("the table", table), name_given("the column", column)
        return b"".join(self.executor.read_file(table, key, column))

    def write_file(self, table: str, key: str, column: str, content: object, name: str = "") -> None:
        """Set a file or image column of one row: bytes, a binary file object or an iterator of bytes; None empties it.

        It is permanent when this returns. Raises NotSupportedError under CHANGESET.
        """
        table, column = name_given("the table", table), name_given("the column", column)
        self.executor.write_file(table, key, column, content, name)

    def open_file(self, table: str, key: str, column: str, mode: str = "rb", name: str = "") -> BinaryIO:
        """Open a file or image column of one row as a binary file object, of which 4 MB are in memory.

        Mode ``rb`` reads, from any place. Mode ``wb`` writes: the row has the file `name` once it is closed, and keeps
        what it had when ``with`` ends in an error. Raises DataError when there is nothing to read.
        """
        if mode not in ("rb", "wb"):
            raise errors.InterfaceError(f"a file is opened with mode rb or wb, not {mode!r}")
        table, column = name_given("the table", table), name_given("the column", column)
        if mode == "rb":
            return cast("BinaryIO", self.executor.file_reader(table, key, column))
        return cast("BinaryIO", self.executor.file_writer(table, key, column, name))

    def explain(self, sql: str, parameters: Parameters = None) -> list[tuple[int, str, str]]:
        """Return (step, kind, detail) of what `sql` would do; sends nothing but metadata requests."""
        sql, parameters = statement_given(sql), parameters_given(parameters)
        return self.executor.explain(sql, parameters)

    def __enter__(self) -> Connection:
        self.check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit unless an error leaves the block, and close in any case."""
        try:
            if kind is None and not self.closed:
                self.commit()
        finally:
            self.close()


class _Watched:
    """A session that tells what was sent through it."""

    def __init__(self, session: Session, report: Callable[[HttpRequest, HttpResponse], None]) -> None:
        self._session = session
        self._report = report

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def send(self, request: HttpRequest) -> HttpResponse:
        response = self._session.send(request)
        self._report(request, response)
        return response
