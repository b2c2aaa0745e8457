"""The door to everything below the cursor: procedures, local tables, and the statements that are planned."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.execute import connection_props
from sqlalchemy_dynamics.execute.associations import association_names, find_association
from sqlalchemy_dynamics.execute.calls import FINDERS, LAST_FINDERS, NAMES, Caller, detail_of, run_call
from sqlalchemy_dynamics.execute.downloads import pieces
from sqlalchemy_dynamics.execute.executor import Executor
from sqlalchemy_dynamics.execute.explain import Step, explained
from sqlalchemy_dynamics.execute.file_objects import FileReader, FileWriter
from sqlalchemy_dynamics.execute.files import Cell, Upload, content_of, send_file
from sqlalchemy_dynamics.execute.local import LocalExecutor, reads_local
from sqlalchemy_dynamics.execute.operations import find_operation, operation_names
from sqlalchemy_dynamics.execute.planning import Parameters
from sqlalchemy_dynamics.execute.transactions import Transaction
from sqlalchemy_dynamics.metadata.model import Kind
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.planner.calls import call_text
from sqlalchemy_dynamics.planner.contents import address_of

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog
    from sqlalchemy_dynamics.execute.result import Result
    from sqlalchemy_dynamics.session import Session

__all__ = ["LOCAL", "Statements"]

LOCAL = (connection_props.CONNECTION_PROPS,)
"""The local tables there are; each module has added its own to the registry."""

FINDERS.append(find_association)
LAST_FINDERS.append(find_operation)
NAMES.extend((association_names, operation_names))

_EXPLAIN = re.compile(r"\s*EXPLAIN\b(?P<analyze>\s+ANALYZE\b)?", re.IGNORECASE)


class Statements:
    """Runs the statements of one connection. Procedures and local tables need no token and no metadata."""

    def __init__(self, session: Session, catalog: Catalog, transaction: Transaction | None = None) -> None:
        transaction = transaction or Transaction()
        self._caller = Caller(session, catalog, transaction)
        self._executor = Executor(session, catalog, transaction)

    def run(self, sql: str, parameters: Parameters = None, *, cancelled: threading.Event | None = None) -> Result:
        """Start a statement. Raises ProgrammingError before anything is sent when the SQL is wrong."""
        call = call_text(sql)
        if call is not None:
            return run_call(call, parameters, self._caller)
        described = _explained_call(sql)
        if described is not None:
            return explained(self._steps(described, parameters))
        return self._for(sql).run(sql, parameters, cancelled=cancelled)

    def run_many(self, sql: str, sets: Iterable[Parameters], *, cancelled: threading.Event | None = None) -> int | None:
        """Run a write once for each set of parameters and return the rows changed; None for other statements."""
        return self._executor.run_many(sql, sets, cancelled=cancelled) if call_text(sql) is None else None

    def commit(self) -> None:
        """Send what waits for COMMIT, all or nothing. Raises the error of the change that was refused."""
        self._executor.writer.commit()

    def read_file(self, table: str, key: str, column: str) -> Iterator[bytes]:
        """Yield the content of a file or image column of one row. Raises ProgrammingError for another column."""
        address = _address(self._cell(table, key, column))
        return (part.data for part in pieces(self._caller.session.send, address))

    def write_file(self, table: str, key: str, column: str, content: object, name: str = "") -> None:
        """Set a file or image column of one row; None empties it."""
        cell = self._cell(table, key, column)
        headers = self._executor.writer.writing_now()
        send_file(self._caller.session, cell, content_of(cell.column, content, name), headers)

    def file_reader(self, table: str, key: str, column: str) -> FileReader:
        """Open a file or image column of one row to read. Raises DataError when it holds nothing."""
        cell = self._cell(table, key, column)
        missing = f"{column} of {table} {cell.key} holds no file"
        return FileReader(self._caller.session.send, _address(cell), missing)

    def file_writer(self, table: str, key: str, column: str, name: str = "") -> FileWriter:
        """Open a file or image column of one row to write."""
        cell = self._cell(table, key, column)
        return FileWriter(Upload(self._caller.session, cell, name, self._executor.writer.writing_now()))

    def _cell(self, table: str, key: str, column: str) -> Cell:
        found = self._caller.catalog.table(table)
        held = None if found is None else found.column(column)
        if found is None or held is None or held.kind not in (Kind.FILE, Kind.IMAGE):
            raise ProgrammingError(f"{table}.{column} is no file or image column")
        return Cell(found, held, str(convert(key, "Edm.Guid")))

    def explain(self, sql: str, parameters: Parameters = None) -> list[Step]:
        """Return (step, kind, detail) of a statement, with or without its parameters. Loads metadata at most."""
        call = call_text(sql)
        return self._for(sql).explain(sql, parameters) if call is None else self._steps(call, parameters)

    def _steps(self, call: str, parameters: Parameters) -> list[Step]:
        return [(1, "call", detail_of(call, parameters, self._caller))]

    def _for(self, sql: str) -> Executor:
        session, catalog, transaction = self._caller.session, self._caller.catalog, self._caller.transaction
        if reads_local(sql, session.settings.text("SqlDialect")):
            return LocalExecutor(session, catalog, transaction)
        return self._executor


def _address(cell: Cell) -> str:
    return address_of(cell.table, cell.column, cell.key)


def _explained_call(sql: str) -> str | None:
    found = _EXPLAIN.match(sql)
    call = None if found is None else call_text(sql[found.end() :])
    if found is not None and found["analyze"] and call is not None:
        raise NotSupportedError("EXPLAIN ANALYZE would run the procedure and drop its row; use EXPLAIN")
    return call
