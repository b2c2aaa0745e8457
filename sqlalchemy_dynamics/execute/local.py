"""Tables that are answered here, without a request or a token: a registry, and an executor that reads from it.

A local table takes part in any SELECT: its rows are handed to the executor as if the service had sent them. Secrets
among them are handed on as place-holders and become masked text again in the rows that come out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy_dynamics.edm import EDM_TYPES, INTEGER, SqlType
from sqlalchemy_dynamics.execute.executor import Executor
from sqlalchemy_dynamics.execute.explain import Step
from sqlalchemy_dynamics.execute.planning import parsed
from sqlalchemy_dynamics.execute.result import ListResult
from sqlalchemy_dynamics.metadata.model import Column, Table
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse

if TYPE_CHECKING:
    import threading

    import pyarrow

    from sqlalchemy_dynamics.catalog import Catalog
    from sqlalchemy_dynamics.execute.result import Result, Row
    from sqlalchemy_dynamics.execute.transactions import Transaction
    from sqlalchemy_dynamics.session import Session

__all__ = ["LOCAL_TABLES", "LocalExecutor", "LocalTable", "reads_local"]

Secrets = dict[str, str]
"""Place-holder to the secret it stands for."""

_EDM_NAMES = {kind: name for name, kind in reversed(EDM_TYPES.items())} | {INTEGER: "Edm.Int32"}
_NUMBERS = count()


@dataclass(frozen=True)
class LocalTable:
    """A table of this connection. `rows` yields values by column; a secret is put into `Secrets`, its key into a row.

    The first of `columns` is the key.
    """

    name: str
    columns: Mapping[str, SqlType]
    rows: Callable[[Session, Catalog, Secrets], Iterator[Mapping[str, object]]]

    @property
    def table(self) -> Table:
        """The table as the planner sees it."""
        columns = {
            name: Column(name, name, kind, edm=_EDM_NAMES[kind], creatable=False, updatable=False)
            for name, kind in self.columns.items()
        }
        return Table(self.name, self.name, next(iter(columns)), columns)


LOCAL_TABLES: dict[str, LocalTable] = {}
"""By name in lower case; rooms add theirs."""


def reads_local(sql: str, dialect: str) -> bool:
    """Whether a statement reads a local table. Raises ProgrammingError when one that may is no SQL."""
    if not any(name.lower() in LOCAL_TABLES for name in re.findall(r"\bsys_\w+", sql, re.IGNORECASE)):
        return False
    return not parsed(sql, dialect).table_names.isdisjoint(LOCAL_TABLES)


class LocalExecutor(Executor):
    """Runs the statements that read local tables, alone or beside those of the organisation; writes, too.

    The latter are fetched without pushdown: a condition must not go down to a table that nobody filters.
    """

    def __init__(self, session: Session, catalog: Catalog, transaction: Transaction) -> None:
        self._secrets: Secrets = {}
        watched, both = _Session(session, catalog, self._secrets), _Catalog(catalog)
        super().__init__(cast("Session", watched), cast("Catalog", both), transaction)
        self._pushdown = False

    def run(self, sql: str, parameters: Any = None, *, cancelled: threading.Event | None = None) -> Result:
        """As `Executor.run`."""
        return _Revealed(super().run(sql, parameters, cancelled=cancelled), self._secrets)

    def _steps(self, *arguments: Any) -> list[Step]:
        return [(number, *_told(kind, detail)) for number, kind, detail in super()._steps(*arguments)]

    def _analyze(self, *arguments: Any) -> Result:
        """What is read here took no request."""
        found = super()._analyze(*arguments)
        rows = [(row, _told(row[1], row[2])) for block in found.rows() for row in block]
        return ListResult(
            found.columns,
            ((row[0], *told, *((None,) if told[0] != row[1] else row[3:4]), *row[4:]) for row, told in rows),
        )


def _told(kind: str, detail: str) -> tuple[str, str]:
    name = _name(detail.removeprefix("GET "))
    return ("note", f"{name} is answered here, without a request") if name in LOCAL_TABLES else (kind, detail)


def _name(url: str) -> str:
    return url.partition("?")[0]


class _Session:
    """A session that answers requests for local tables itself."""

    def __init__(self, session: Session, catalog: Catalog, secrets: Secrets) -> None:
        self._session, self._catalog, self._secrets = session, catalog, secrets

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def send(self, request: HttpRequest) -> HttpResponse:
        local = LOCAL_TABLES.get(_name(request.url))
        if local is None:
            return self._session.send(request)
        rows = list(local.rows(self._session, self._catalog, self._secrets))
        return HttpResponse(200, {"Content-Type": "application/json"}, json.dumps({"value": rows}).encode())


class _Catalog:
    """A catalog with the local tables in front; no statement's plan is kept, as `stamp` is never the same."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalog, name)

    @property
    def stamp(self) -> str:
        return f"local {next(_NUMBERS)}"

    def table(self, name: str) -> Table | None:
        local = LOCAL_TABLES.get(name.lower())
        return self._catalog.table(name) if local is None else local.table


class _Revealed:
    """A result whose place-holders are masked secrets again in rows; in Arrow they stay as they are."""

    def __init__(self, result: Result, secrets: Secrets) -> None:
        self._result, self._secrets = result, secrets
        self.columns, self.rowcount = result.columns, result.rowcount

    @property
    def arrow_schema(self) -> pyarrow.Schema:
        return self._result.arrow_schema

    def rows(self) -> Iterator[list[Row]]:
        for block in self._result.rows():
            yield [self._revealed(row) for row in block]

    def _revealed(self, row: Sequence[Any]) -> Row:
        return tuple(self._secrets.get(value, value) if isinstance(value, str) else value for value in row)

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        return self._result.batches()

    def close(self) -> None:
        self._result.close()
