"""What the log says of statements: text, rows, duration, errors (Verbosity 1)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy_dynamics.transport.tracing import Trace

__all__ = ["Ended", "begin", "call_name"]

Ended = Callable[[str], None]
"""``ended(outcome)`` writes how the statement ended, and how long it took."""

_CALL = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:EXPLAIN\s+)?(EXEC|EXECUTE|CALL)\b\s*([\w.\[\]\"]*)", re.IGNORECASE | re.DOTALL
)


def call_name(operation: str) -> str:
    """``EXEC name`` of a statement that calls a procedure, "" for any other."""
    call = _CALL.match(operation)
    return f"{call[1]} {call[2]}" if call else ""


def begin(trace: Trace, operation: str) -> Ended:
    """Write that a statement begins; of a procedure its name only, as arguments may be secrets."""
    started = time.monotonic()
    name = call_name(operation)
    trace.log(1, "EXEC", f"{name} (…)" if name else operation)
    return lambda outcome: trace.log(1, "EXEC", f"{outcome} after {(time.monotonic() - started) * 1000:.1f} ms")
