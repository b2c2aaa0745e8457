"""Plans and runs SELECT and writes, and EXPLAIN of either; whatever else there is stands before it (statements.py)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.execute.contents import DownloadedResult
from sqlalchemy_dynamics.execute.counting import Counting
from sqlalchemy_dynamics.execute.direct import DirectResult
from sqlalchemy_dynamics.execute.explain import Step, analyzed, analyzed_write, explained, steps_of
from sqlalchemy_dynamics.execute.explain_writes import write_steps
from sqlalchemy_dynamics.execute.fetch import Tally
from sqlalchemy_dynamics.execute.grouped import CannotGroup, grouped_result, partial_groups
from sqlalchemy_dynamics.execute.planning import (
    Parameters,
    Values,
    bound_values,
    has_parameters,
    held_values,
    parsed,
    plan_of,
)
from sqlalchemy_dynamics.execute.result import Result
from sqlalchemy_dynamics.execute.running import Running
from sqlalchemy_dynamics.execute.transactions import Transaction
from sqlalchemy_dynamics.execute.writing import Writer
from sqlalchemy_dynamics.planner.parse import Statement
from sqlalchemy_dynamics.planner.plan import Plan, Residual
from sqlalchemy_dynamics.planner.reading import reads_tables

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog
    from sqlalchemy_dynamics.session import Session

__all__ = ["Executor"]

_MOST_ROWS = 5000


class Executor:
    """Plans and runs statements over one session and its catalog."""

    def __init__(self, session: Session, catalog: Catalog, transaction: Transaction | None = None) -> None:
        self._session = session
        self._catalog = catalog
        settings = session.settings
        self._pushdown = settings.flag("Pushdown")
        self._dialect = settings.text("SqlDialect")
        size = settings.number("PageSize")
        self._page_size = size if 0 < size < _MOST_ROWS else None
        self._transaction = transaction or Transaction()
        self.writer = Writer(session, catalog, self._read, self._transaction)
        """What runs this connection's writes."""

    def run(self, sql: str, parameters: Parameters = None, *, cancelled: threading.Event | None = None) -> Result:
        """Start a statement. Raises ProgrammingError before anything is sent when the SQL is wrong."""
        statement = parsed(sql, self._dialect)
        stop = cancelled or threading.Event()
        if statement.kind == "explain":
            return explained(self._steps(statement, parameters))
        values = bound_values(statement, parameters)
        if statement.kind == "analyze" and statement.explained == "write":
            return self._analyze_write(statement, parameters, stop)
        if statement.kind == "write":
            return self.writer.run(statement.tree, values, stop)
        plan = self._plan(statement, values)
        running = self._running(values, stop)
        if statement.kind == "analyze":
            return self._analyze(plan, running)
        return self._run(plan, running)[1]

    def run_many(self, sql: str, sets: Iterable[Parameters], *, cancelled: threading.Event | None = None) -> int | None:
        """Run a write once for each set of parameters and return the rows changed; None for other statements."""
        statement = parsed(sql, self._dialect)
        if statement.kind != "write":
            return None
        stop = cancelled or threading.Event()
        return self.writer.run_many(statement.tree, (bound_values(statement, each) for each in sets), stop)

    def explain(self, sql: str, parameters: Parameters = None) -> list[Step]:
        """Return (step, kind, detail) of a statement, with or without its parameters. Loads metadata at most."""
        return self._steps(parsed(sql, self._dialect), parameters)

    def _steps(self, statement: Statement, parameters: Parameters) -> list[Step]:
        shown = parameters is not None or not has_parameters(statement)
        values = bound_values(statement, parameters) if shown else held_values(statement)
        if "write" in (statement.kind, statement.explained):
            write = self.writer.planned(statement.tree, values)
            return write_steps(write, values if shown else None, self._page_size, self._catalog.model())
        return steps_of(self._plan(statement, values), values if shown else None, self._page_size)

    def _plan(self, statement: Statement, values: Values) -> Plan:
        if "call" in (statement.kind, statement.explained):
            raise ProgrammingError("EXEC and CALL stand first in a statement: leave out the comment before them")
        stamp = self._catalog.stamp if reads_tables(statement.tree) else ""
        owner = (self._session.key, stamp)
        return plan_of(statement, self._catalog.table, values, owner, self._pushdown)

    def _running(self, values: Values, stop: threading.Event) -> Running:
        threads = self._session.settings.number("MaxConcurrency")
        return Running(self._session.send, values, stop, self._session.key, threads, self._page_size)

    def _read(self, plan: Plan, values: Values) -> Result:
        return self._run(plan, self._running(values, threading.Event()))[1]

    def _run(self, plan: Plan, running: Running) -> tuple[Plan, Result]:
        """Return the plan that is followed in the end, and its result."""
        self._transaction.check_reading(plan.tables, plan.names)
        try:
            result = self._started(plan, running)
        except CannotGroup:
            if plan.fallback is None:
                raise
            return self._run(plan.fallback, running)
        return plan, DownloadedResult(result, plan.downloads, running) if plan.downloads else result

    def _started(self, plan: Plan, running: Running) -> Result:
        work = plan.work
        if isinstance(work, Residual):
            from sqlalchemy_dynamics.execute.engine import EngineOptions
            from sqlalchemy_dynamics.execute.residual import ResidualResult

            settings = self._session.settings
            options = EngineOptions(f"{settings.number('MemoryLimit')}B", settings.text("TempDirectory"))
            return ResidualResult(work, running, options)
        if work.scan.groups is not None:
            return grouped_result(work, partial_groups(work.scan, running, mergeable=False))
        return DirectResult(work, running)

    def _analyze_write(self, statement: Statement, parameters: Parameters, stop: threading.Event) -> Result:
        """Write, and tell what it took."""
        steps = self._steps(statement, parameters)
        began, counted = time.perf_counter(), Counting(self._session)
        twin = Executor(cast("Session", counted), self._catalog, self._transaction)
        result = twin.writer.run(statement.tree, bound_values(statement, parameters), stop)
        rows = sum(len(block) for block in result.rows()) if result.columns else result.rowcount
        result.close()
        return analyzed_write(steps, replace(counted.tally, rows=rows, seconds=time.perf_counter() - began))

    def _analyze(self, plan: Plan, running: Running) -> Result:
        began = time.perf_counter()
        followed, result = self._run(plan, running)
        rows = sum(len(block) for block in result.rows())
        result.close()
        whole = Tally(rows=rows, seconds=time.perf_counter() - began)
        return analyzed(followed, running, whole)
