"""What a Core or ORM statement would ask the service, without asking it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

__all__ = ["explain"]


def explain(
    statement: Any, engine: Engine | Connection, parameters: Mapping[str, Any] | Sequence[Any] | None = None
) -> list[tuple[int, str, str]]:
    """Return (step, kind, detail) for a Core or ORM statement, an ORM `Query`, or SQL text; metadata alone is loaded.

    `parameters` are those of ``connection.execute``; for SQL text a sequence for ``?`` or a mapping for ``:name``.
    """
    if isinstance(engine, Connection):
        return _explain(statement, engine, parameters)
    with engine.connect() as connection:
        return _explain(statement, connection, parameters)


class _Stop(Exception):
    """Carries the compiled statement out of the execution that it stops."""


def _explain(statement: Any, connection: Connection, parameters: Any) -> list[tuple[int, str, str]]:
    def stop(_connection: Any, _cursor: Any, text: str, values: Any, _context: Any, _many: bool) -> None:
        raise _Stop(text, values)

    event.listen(connection, "before_cursor_execute", stop)
    try:
        if isinstance(statement, str):
            connection.exec_driver_sql(statement, _driver_parameters(parameters))
        else:
            connection.execute(getattr(statement, "statement", statement), parameters or {})
    except _Stop as stopped:
        text, values = stopped.args
        explained: list[tuple[int, str, str]] = connection.connection.explain(text, values)
        return explained
    finally:
        event.remove(connection, "before_cursor_execute", stop)
    raise TypeError(f"{type(statement).__name__} is not a statement that can be executed")


def _driver_parameters(parameters: Any) -> Any:
    return tuple(parameters) if isinstance(parameters, Sequence) else parameters
