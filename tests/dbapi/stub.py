"""An executor with fixed answers, for what no real service does on command: rows that break off, endless results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from sqlalchemy_dynamics.dbapi import Connection, connect
from sqlalchemy_dynamics.edm import INTEGER, MONEY, VARCHAR, SqlType
from sqlalchemy_dynamics.errors import StatementCancelled

Block = list[tuple[Any, ...]]


@dataclass(frozen=True)
class StubColumn:
    name: str
    type: SqlType
    nullable: bool = True


COLUMNS = (StubColumn("id", INTEGER, False), StubColumn("name", VARCHAR), StubColumn("revenue", MONEY))


@dataclass
class StubResult:
    columns: tuple[StubColumn, ...]
    blocks: Callable[[], Iterator[Block]]
    rowcount: int = -1
    closed: bool = False
    cancelled: Event | None = None

    def rows(self) -> Iterator[Block]:
        for block in self.blocks():
            if self.cancelled is not None and self.cancelled.is_set():
                raise StatementCancelled("cancelled")
            yield block

    def close(self) -> None:
        self.closed = True


@dataclass
class StubExecutor:
    """Answers each statement by its text; `ran` records statements and parameters."""

    answers: dict[str, Callable[[], StubResult]]
    ran: list[tuple[str, Any]] = field(default_factory=list)
    results: list[StubResult] = field(default_factory=list)

    def run(self, sql: str, parameters: Any = None, *, cancelled: Event | None = None) -> StubResult:
        self.ran.append((sql, parameters))
        result = self.answers.get(sql, lambda: StubResult((), lambda: iter(()), 1))()
        result.cancelled = cancelled
        self.results.append(result)
        return result

    def run_many(self, sql: str, sets: Any, *, cancelled: Event | None = None) -> None:
        """Leave it to `run`, as for every statement that is no write."""


def rows_of(*blocks: Block) -> Callable[[], StubResult]:
    """A result with `COLUMNS` whose pages are the blocks."""
    return lambda: StubResult(COLUMNS, lambda: iter(blocks))


def stubbed(**answers: Callable[[], StubResult]) -> tuple[Connection, StubExecutor]:
    """A connection over a stub; each keyword is the text of a statement."""
    connection = connect("dynamics://sandbox")
    executor = StubExecutor(dict(answers))
    connection._executor = executor  # type: ignore[assignment]  # it has what the driver calls
    return connection, executor
