"""Runs statements: the one door between the cursor and everything below it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy_dynamics.errors import NotSupportedError
from sqlalchemy_dynamics.execute.direct import DirectResult
from sqlalchemy_dynamics.execute.explain import Step, analyzed, explained, steps_of
from sqlalchemy_dynamics.execute.fetch import Tally
from sqlalchemy_dynamics.execute.grouped import CannotGroup, GroupFetcher, grouped_result
from sqlalchemy_dynamics.execute.planning import Values, bound_values, parsed, plan_of
from sqlalchemy_dynamics.execute.result import Result
from sqlalchemy_dynamics.planner.parse import Statement
from sqlalchemy_dynamics.planner.plan import Plan, Residual

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog
    from sqlalchemy_dynamics.session import Session

__all__ = ["Executor"]

Parameters = Sequence[Any] | Mapping[str, Any] | None
_MOST_ROWS = 5000


class Executor:
    """Plans and runs statements over one session and its catalog."""

    def __init__(self, session: Session, catalog: Catalog) -> None:
        self._session = session
        self._catalog = catalog
        settings = session.settings
        self._pushdown = settings.flag("Pushdown")
        size = settings.number("PageSize")
        self._page_size = size if 0 < size < _MOST_ROWS else None

    def run(self, sql: str, parameters: Parameters = None, *, cancelled: threading.Event | None = None) -> Result:
        """Start a statement. Raises ProgrammingError before anything is sent when the SQL is wrong."""
        statement = parsed(sql)
        stop = cancelled or threading.Event()
        if statement.kind == "explain":
            return explained(self._steps(statement, parameters))
        values = bound_values(statement, parameters)
        plan = self._plan(statement, values)
        if statement.kind == "analyze":
            return self._analyze(plan, values, stop)
        return self._run(plan, values, stop, Tally())

    def explain(self, sql: str, parameters: Parameters = None) -> list[Step]:
        """Return (step, kind, detail) of a statement, with or without its parameters. Loads metadata at most."""
        return self._steps(parsed(sql), parameters)

    def _steps(self, statement: Statement, parameters: Parameters) -> list[Step]:
        shown = parameters is not None or not statement.markers
        values = bound_values(statement, parameters) if shown else {}
        return steps_of(self._plan(statement, values), values if shown else None, self._page_size)

    def _plan(self, statement: Statement, values: Values) -> Plan:
        if statement.kind == "write" or statement.explained == "write":
            raise NotSupportedError("INSERT, UPDATE and DELETE are not available in this version: it reads only")
        if statement.kind == "call" or statement.explained == "call":
            raise NotSupportedError("stored procedures are not available in this version")
        owner = (self._session.key, self._catalog.stamp)
        return plan_of(statement, self._catalog.table, values, owner, self._pushdown)

    def _run(self, plan: Plan, values: Values, stop: threading.Event, tally: Tally) -> Result:
        try:
            return self._started(plan, values, stop, tally)
        except CannotGroup:
            if plan.fallback is None:
                raise
            return self._run(plan.fallback, values, stop, tally)

    def _started(self, plan: Plan, values: Values, stop: threading.Event, tally: Tally) -> Result:
        work, send = plan.work, self._session.send
        if isinstance(work, Residual):
            from sqlalchemy_dynamics.execute.engine import EngineOptions
            from sqlalchemy_dynamics.execute.residual import ResidualResult

            settings = self._session.settings
            options = EngineOptions(f"{settings.number('MemoryLimit')}B", settings.text("TempDirectory"))
            return ResidualResult(
                work, send, values, stop, tally, options, self._groups(values, stop, tally), self._page_size
            )
        if work.scan.groups is not None:
            return grouped_result(work, self._groups(values, stop, tally).groups(work.scan, mergeable=False))
        return DirectResult(work, send, values, stop, tally, self._page_size)

    def _groups(self, values: Values, stop: threading.Event, tally: Tally) -> GroupFetcher:
        threads = self._session.settings.number("MaxConcurrency")
        return GroupFetcher(self._session.send, values, stop, tally, threads)

    def _analyze(self, plan: Plan, values: Values, stop: threading.Event) -> Result:
        tally, began = Tally(), time.perf_counter()
        result = self._run(plan, values, stop, tally)
        for _ in result.rows():
            pass
        result.close()
        milliseconds = (time.perf_counter() - began) * 1000
        return analyzed(steps_of(plan, values, self._page_size), tally, milliseconds)
