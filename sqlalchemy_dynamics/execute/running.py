"""What every part of a running statement needs: how to send, the values, whether to stop, what was counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Hashable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy_dynamics.execute.fetch import Fetcher, Tally
from sqlalchemy_dynamics.execute.requests import Ask, Values
from sqlalchemy_dynamics.execute.sizes import rows_in
from sqlalchemy_dynamics.odata.messages import Send
from sqlalchemy_dynamics.odata.pages import Page

__all__ = ["Running"]

T = TypeVar("T")


@dataclass(frozen=True)
class Running:
    """One statement under way. `owner` is the organisation and identity that estimates are kept for."""

    send: Send
    values: Values
    cancelled: threading.Event
    owner: Hashable
    threads: int = 4
    page_size: int | None = None
    tallies: dict[int, Tally] = field(default_factory=dict)

    def pages(
        self, scan: int, ask: Ask, decode: Callable[[bytes], Page[T]], count: Callable[[T], int]
    ) -> Generator[T, None, None]:
        """Yield the pages of a query, counted for the scan of that number."""
        tally = self.tallies.setdefault(scan, Tally())
        return _timed(Fetcher(self.send, decode, count, self.cancelled, tally).pages(ask), tally)

    def estimate(self, table: str) -> int | None:
        """Guess how many rows a table has, None when nobody knows."""
        return rows_in(table, self.send, self.owner)


def _timed(pages: Iterator[T], tally: Tally) -> Generator[T, None, None]:
    began = time.perf_counter()
    try:
        yield from pages
    finally:
        tally.seconds += time.perf_counter() - began
