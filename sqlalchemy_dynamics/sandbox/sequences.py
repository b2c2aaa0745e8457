"""What the service makes up: sequential ids, and the numbers of auto-number columns."""

from __future__ import annotations

import random
import re
import time
from datetime import UTC, datetime

from sqlalchemy_dynamics.sandbox.schema import Column, Table
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["auto_number", "new_id", "seed_number"]

_NODE = "80d4-00155d2a68d1"
_EPOCH = 0x01B21DD213814000
_PLACE = re.compile(r"\{(SEQNUM|RANDSTRING|DATETIMEUTC):([^}]*)\}")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_FIRST_NUMBER = 1000
_DATES = (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("hh", "%I"), ("mm", "%M"), ("ss", "%S"))


def new_id(service: Service) -> str:
    """Return a GUID greater than all it returned before, in SQL Server's order of GUIDs."""
    with service.lock:
        ticks = max(time.time_ns() // 100 + _EPOCH, service.state.get("ticks", 0) + 1)
        service.state["ticks"] = ticks
    text = f"{1 << 60 | ticks:016x}"
    pairs = [text[start : start + 2] for start in range(0, 16, 2)]
    high, middle, low = pairs[:2], pairs[2:4], pairs[4:]
    return "-".join(("".join(reversed(low)), "".join(reversed(middle)), "".join(reversed(high)), _NODE))


def seed_number(service: Service, table: str, column: str, value: int) -> None:
    """Set the next number of an auto-number column (SetAutoNumberSeed)."""
    service.store.set_number(table, column, value)


def auto_number(service: Service, table: Table, column: Column) -> str:
    """Return the next text of an auto-number column, from its format (section 3.5)."""

    def part(match: re.Match[str]) -> str:
        kind, argument = match.groups()
        if kind == "SEQNUM":
            return str(_next_number(service, table, column)).zfill(int(argument or 1))
        if kind == "RANDSTRING":
            return "".join(random.choices(_LETTERS, k=int(argument or 1)))
        for mark, code in _DATES:
            argument = argument.replace(mark, code)
        return datetime.now(UTC).strftime(argument)

    return _PLACE.sub(part, column.auto_number)


def _next_number(service: Service, table: Table, column: Column) -> int:
    store = service.store
    with store.lock:
        number = store.next_number(table.name, column.name)
        if number is None:
            number = _FIRST_NUMBER + store.count(table.name)
        store.set_number(table.name, column.name, number + 1)
        return number
