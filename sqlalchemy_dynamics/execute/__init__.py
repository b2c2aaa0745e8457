"""Plans to rows: requests sent, pages decoded, what is left computed in DuckDB."""

from __future__ import annotations

from sqlalchemy_dynamics.execute.executor import Executor
from sqlalchemy_dynamics.execute.result import Result, ResultColumn
from sqlalchemy_dynamics.execute.statements import Statements

__all__ = ["Executor", "Result", "ResultColumn", "Statements"]
