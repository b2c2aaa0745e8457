"""Rows whose addresses of files become contents: several files at a time, and no more than those in memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy_dynamics.edm import BIGINT, BLOB
from sqlalchemy_dynamics.errors import StatementCancelled
from sqlalchemy_dynamics.execute.arrow import schema_of, to_batches
from sqlalchemy_dynamics.execute.downloads import StoredFile, pieces, size_of
from sqlalchemy_dynamics.execute.result import Result, Row
from sqlalchemy_dynamics.execute.running import Running
from sqlalchemy_dynamics.odata.messages import Send
from sqlalchemy_dynamics.planner.plan import Download

if TYPE_CHECKING:
    import pyarrow

__all__ = ["DownloadedResult", "handles"]

_Waiting = tuple[list[Any], list[tuple[int, "Future[Any]"]]]
_MOST_ROWS = 1000
"""Rows without a file that are handed on together."""


class DownloadedResult:
    """The result of a statement whose rows hold addresses."""

    def __init__(self, result: Result, downloads: Sequence[Download], running: Running) -> None:
        self._result, self._running = result, running
        self._loads = {each.position: self._size if each.sized else self._content for each in downloads}
        types = {each.position: BIGINT if each.sized else BLOB for each in downloads}
        self.columns = tuple(replace(column, type=types.get(n, column.type)) for n, column in enumerate(result.columns))
        self.rowcount = result.rowcount
        self._stopped = threading.Event()

    @property
    def arrow_schema(self) -> pyarrow.Schema:
        """The schema of the record batches."""
        return schema_of(self.columns)

    def rows(self) -> Iterator[list[Row]]:
        """Yield rows in their order; a block holds one file per row, or none."""
        workers = ThreadPoolExecutor(self._running.threads)
        waiting: deque[_Waiting] = deque()
        under_way = 0
        try:
            for block in self._result.rows():
                for row in block:
                    waiting.append(self._begun(workers, row))
                    under_way += bool(waiting[-1][1])
                    if under_way > self._running.threads or len(waiting) > _MOST_ROWS:
                        under_way -= bool(under_way)
                        yield _taken(waiting)
            while waiting:
                yield _taken(waiting)
        finally:
            self._stopped.set()
            workers.shutdown(wait=True, cancel_futures=True)

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Yield record batches of a few rows each."""
        for block in self.rows():
            yield from to_batches(block, self.columns)

    def close(self) -> None:
        """Stop fetching."""
        self._result.close()

    def _begun(self, workers: ThreadPoolExecutor, row: Row) -> _Waiting:
        addresses = ((position, row[position]) for position in self._loads)
        return list(row), [(n, workers.submit(self._loads[n], each)) for n, each in addresses if each is not None]

    def _content(self, address: str) -> bytes | None:
        parts: list[bytes] = []
        for part in pieces(self._running.send, address):
            if self._running.cancelled.is_set() or self._stopped.is_set():
                raise StatementCancelled("the statement was cancelled")
            parts.append(part.data)
        return b"".join(parts) if parts else None

    def _size(self, address: str) -> int | None:
        return size_of(self._running.send, address)


def _taken(waiting: deque[_Waiting]) -> list[Row]:
    """Take the first row that waits for files, and those before it that wait for none."""
    taken: list[Row] = []
    while waiting:
        row, files = waiting.popleft()
        for position, future in files:
            row[position] = future.result()
        taken.append(tuple(row))
        if files:
            break
    return taken


def handles(rows: Sequence[Row], downloads: Sequence[Download], send: Send) -> list[Row]:
    """Return rows whose addresses became files to send on, which are read when they are sent; sizes are numbers."""
    made: dict[int, Callable[[str], object]] = {
        each.position: (lambda address: size_of(send, address))
        if each.sized
        else (lambda address: StoredFile(send, address))
        for each in downloads
    }
    return [
        tuple(made[n](value) if n in made and value is not None else value for n, value in enumerate(row))
        for row in rows
    ]
