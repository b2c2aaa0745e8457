"""Scans fetched side by side; those that want another scan's keys after it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.errors import InternalError
from sqlalchemy_dynamics.execute.requests import KEYS_PER_REQUEST
from sqlalchemy_dynamics.odata.query import MOST_ROWS
from sqlalchemy_dynamics.planner.plan import Scan

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Gathering"]

_MOST_KEYS = 20 * KEYS_PER_REQUEST
_MOST_BYTES, _AROUND_TEXT = 15_000, 8
"""Of texts as keys: encoded they take up to three times as many characters of a URL's 65,536 in a batch."""


class Gathering:
    """Fetches all scans whole. `fetch` gets a scan and the keys it is narrowed by, None for no narrowing.

    `estimate` guesses how many rows a table has, None when nobody knows.
    """

    def __init__(
        self,
        scans: Sequence[Scan],
        fetch: Callable[[Scan, Sequence[object] | None], pyarrow.Table],
        estimate: Callable[[str], int | None],
    ) -> None:
        _refuse_circles(scans)
        self._scans, self._fetch, self._estimate = scans, fetch, estimate
        self._found: dict[int, pyarrow.Table] = {}
        self._failures: list[BaseException] = []
        self._done = {scan.number: threading.Event() for scan in scans}

    def run(self) -> dict[int, pyarrow.Table]:
        """Return the tables by scan number. Raises the first failure at once; the caller stops the others.

        Threads of its own: the request threads must stay free for the requests these wait for.
        """
        if len(self._scans) == 1:
            self._one(self._scans[0])
        else:
            threads = [threading.Thread(target=self._one, args=(scan,), daemon=True) for scan in self._scans]
            for thread in threads:
                thread.start()
            while threads and not self._failures:
                threads[0].join(0.1)
                threads = [thread for thread in threads if thread.is_alive()]
        if self._failures:
            raise self._failures[0]
        return self._found

    def _one(self, scan: Scan) -> None:
        try:
            if not self._failures:
                inside = scan.through is not None
                self._found[scan.number] = self._expanded(scan) if inside else self._fetch(scan, self._keys_for(scan))
        except BaseException as failure:  # raised by `run`
            self._failures.append(failure)
        finally:
            self._done[scan.number].set()

    def _expanded(self, scan: Scan) -> pyarrow.Table:
        """Take the scan's columns out of the rows it came with; a row that looks up nothing brings none."""
        root = scan
        while root.through is not None:
            root = next(each for each in self._scans if root.through and each.number == root.through[0])
        self._done[root.number].wait()
        if root.number not in self._found:
            return None
        names = [column.name for column in scan.columns]
        table = self._found[root.number].select([f"{scan.number}.{name}" for name in names]).rename_columns(names)
        return table.filter(table.column(scan.table.primary_key).is_valid())

    def _keys_for(self, scan: Scan) -> list[object] | None:
        """Wait for the scan that has the keys; None when there are so many that the whole table is cheaper."""
        if scan.keys is None:
            return None
        self._done[scan.keys.source].wait()
        source = self._found.get(scan.keys.source)
        if source is None:
            return []
        values = source.column(scan.keys.key.name).drop_null().unique()
        if scan.keys.column.type.family == "VARCHAR":
            return _short_list(values)
        return values.to_pylist() if self._pays(len(values), scan) else None

    def _pays(self, keys: int, scan: Scan) -> bool:
        """One request with keys always does; several must be fewer than the table's pages."""
        if keys <= KEYS_PER_REQUEST:
            return True
        if keys > _MOST_KEYS:
            return False
        rows = self._estimate(scan.table.name)
        return rows is None or -(-keys // KEYS_PER_REQUEST) <= -(-rows // MOST_ROWS)


def _refuse_circles(scans: Sequence[Scan]) -> None:
    """Raise InternalError when scans wait for each other: nobody would ever get an answer."""
    left = {each.number: each for each in scans}
    while left:
        ready = [number for number, each in left.items() if _awaited(each) not in left]
        if not ready:
            raise InternalError(f"the scans {sorted(left)} wait for each other; please report the statement")
        left = {number: each for number, each in left.items() if number not in ready}


def _awaited(scan: Scan) -> int | None:
    """The scan that has to be fetched before this one."""
    if scan.through is not None:
        return scan.through[0]
    return None if scan.keys is None else scan.keys.source


def _short_list(texts: pyarrow.ChunkedArray) -> list[object] | None:
    """Texts that surely fit one request: no row can be equal to two of several lists."""
    if len(texts) > KEYS_PER_REQUEST:
        return None
    listed = texts.to_pylist()
    return listed if sum(len(text.encode()) + _AROUND_TEXT for text in listed) < _MOST_BYTES else None
