"""Pages of one query, the next one on its way while the current one is decoded."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from math import inf
from typing import Generic, TypeVar

from sqlalchemy_dynamics.errors import OperationalError, StatementCancelled
from sqlalchemy_dynamics.execute.requests import Ask
from sqlalchemy_dynamics.odata.links import next_link
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse, Send
from sqlalchemy_dynamics.odata.pages import Page
from sqlalchemy_dynamics.odata.query import MOST_ROWS, next_request, to_request

__all__ = ["Fetcher", "Tally", "pool"]

T = TypeVar("T")
_POLL_SECONDS = 0.1
_HEAD_START = 0.001
"""Seconds for a request to leave. Decoding holds the interpreter: it would leave after the page, not beside it."""
_THREADS = 16
_pools: dict[int, ThreadPoolExecutor] = {}
_pools_lock = threading.Lock()


def pool() -> ThreadPoolExecutor:
    """Return the process's threads for requests; a fork starts with new ones."""
    with _pools_lock:
        if os.getpid() not in _pools:
            _pools.clear()
            _pools[os.getpid()] = ThreadPoolExecutor(_THREADS, thread_name_prefix="dynamics")
        return _pools[os.getpid()]


@dataclass
class Tally:
    """What EXPLAIN ANALYZE counts: requests sent, rows and bytes received, seconds until the last row."""

    requests: int = 0
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass
class Fetcher(Generic[T]):
    """Fetches the pages of queries. `decode` makes a page of a body, `count` tells how many rows it holds."""

    send: Send
    decode: Callable[[bytes], Page[T]]
    count: Callable[[T], int]
    cancelled: threading.Event
    tally: Tally = field(default_factory=Tally)

    def pages(self, ask: Ask) -> Generator[T, None, None]:
        """Yield the rows of each page, until there is no next one or `ask.wanted` rows are there.

        Raises OperationalError for a next link that came before, StatementCancelled after a cancel, and whatever a
        failed request raises: a stream never ends early in silence.
        """
        left, seen = inf if ask.wanted is None else ask.wanted, set[str]()
        under_way: Future[HttpResponse] | None = self._start(to_request(ask.query))
        while under_way is not None:
            body = self._wait(under_way)
            link = next_link(body) if left > MOST_ROWS and not ask.lazy else None
            under_way = self._follow(link, ask, seen)
            page = self.decode(body)
            rows = self.count(page.rows)
            self.tally.rows += rows
            yield page.rows
            left -= rows
            if link is None and left > 0:
                under_way = self._follow(page.next_link, ask, seen)

    def _follow(self, link: str | None, ask: Ask, seen: set[str]) -> Future[HttpResponse] | None:
        if link is None:
            return None
        if link in seen:
            raise OperationalError("the service sent the same next link twice; the rows would never end or repeat")
        seen.add(link)
        return self._start(next_request(link, ask.query))

    def _start(self, request: HttpRequest) -> Future[HttpResponse]:
        if self.cancelled.is_set():
            raise StatementCancelled("the statement was cancelled")
        self.tally.requests += 1
        under_way = pool().submit(self.send, request)
        wait((under_way,), _HEAD_START)
        return under_way

    def _wait(self, under_way: Future[HttpResponse]) -> bytes:
        """Wait in short steps, so that a cancel and Ctrl-C are heard."""
        while not wait((under_way,), _POLL_SECONDS).done:
            if self.cancelled.is_set():
                raise StatementCancelled("the statement was cancelled")
        body = under_way.result().body
        self.tally.bytes += len(body)
        return body
