"""Everything that could be written anywhere: what Python's loggers get, and texts that a test adds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

_FOREIGN = ("httpx", "httpcore", "uvicorn", "asyncio")


class Outputs(logging.Handler):
    """Collects texts; while it listens, those of all loggers but foreign ones, at every level."""

    def __init__(self) -> None:
        super().__init__(0)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(_FOREIGN):
            self.texts.append(logging.Formatter().format(record))

    @contextmanager
    def listening(self) -> Iterator[Self]:
        root = logging.getLogger()
        before = root.level
        root.addHandler(self)
        root.setLevel(1)
        yield self
        root.removeHandler(self)
        root.setLevel(before)
