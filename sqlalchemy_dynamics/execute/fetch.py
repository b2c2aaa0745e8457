"""Pages of one query, the next one on its way while the current one is decoded."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from sqlalchemy_dynamics.errors import OperationalError, StatementCancelled
from sqlalchemy_dynamics.execute.requests import Ask
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse, Send
from sqlalchemy_dynamics.odata.pages import Page
from sqlalchemy_dynamics.odata.query import MOST_ROWS, next_request, to_request

__all__ = ["Fetcher", "Tally", "pool"]

T = TypeVar("T")
_POLL_SECONDS = 0.1
_THREADS = 16
_pools: dict[int, ThreadPoolExecutor] = {}
_pools_lock = threading.Lock()


class _Link(msgspec.Struct):
    link: str | None = msgspec.field(default=None, name="@odata.nextLink")


_link_decoder = msgspec.json.Decoder(_Link)


def pool() -> ThreadPoolExecutor:
    """Return the process's threads for requests; a fork starts with new ones."""
    with _pools_lock:
        if os.getpid() not in _pools:
            _pools.clear()
            _pools[os.getpid()] = ThreadPoolExecutor(_THREADS, thread_name_prefix="dynamics")
        return _pools[os.getpid()]


@dataclass
class Tally:
    """What EXPLAIN ANALYZE counts: requests sent, rows and bytes received."""

    requests: int = 0
    rows: int = 0
    bytes: int = 0


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
        left, seen = ask.wanted, set[str]()
        under_way: Future[HttpResponse] | None = self._start(to_request(ask.query))
        while under_way is not None:
            body = self._wait(under_way)
            link = _next_link(body)
            _refuse_repeated(link, seen)
            more = left is None or left > MOST_ROWS
            under_way = self._start(next_request(link, ask.query)) if link and more else None
            page = self.decode(body)
            rows = self.count(page.rows)
            self.tally.rows += rows
            yield page.rows
            left = None if left is None else left - rows
            if link and not more and left is not None and left > 0:
                under_way = self._start(next_request(link, ask.query))

    def _start(self, request: HttpRequest) -> Future[HttpResponse]:
        if self.cancelled.is_set():
            raise StatementCancelled("the statement was cancelled")
        self.tally.requests += 1
        return pool().submit(self.send, request)

    def _wait(self, under_way: Future[HttpResponse]) -> bytes:
        """Wait in short steps, so that a cancel and Ctrl-C are heard."""
        while True:
            try:
                body = under_way.result(_POLL_SECONDS).body
            except NotYet:
                if under_way.done():
                    raise
                if self.cancelled.is_set():
                    raise StatementCancelled("the statement was cancelled") from None
            else:
                self.tally.bytes += len(body)
                return body


def _next_link(body: bytes) -> str | None:
    """Return the next link without decoding the rows; a body that is no JSON is left to the decoder to refuse."""
    try:
        return _link_decoder.decode(body).link
    except msgspec.MsgspecError:
        return None


def _refuse_repeated(link: str | None, seen: set[str]) -> None:
    if link in seen:
        raise OperationalError("the service sent the same next link twice; the rows would never end or repeat")
    if link is not None:
        seen.add(link)
