"""Many changes: in one unit as far as it reaches, beyond that in units of a fitting size, several at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from sqlalchemy_dynamics.errors import DatabaseError, DataverseError, StatementCancelled
from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.outcomes import REFUSED
from sqlalchemy_dynamics.execute.transactions import Transaction
from sqlalchemy_dynamics.execute.units import Failure, Units
from sqlalchemy_dynamics.odata.batch import MOST_PARTS
from sqlalchemy_dynamics.odata.changes import ANY_VERSION

__all__ = ["MOST_CHANGES", "Buffer", "Bulk"]

MOST_CHANGES = MOST_PARTS
"""Changes that are one unit: the operations of a change set."""
_FIRST_CHANGES = 200
_FEW_THREADS, _MOST_THREADS = 4, 52
_QUICK_SECONDS, _SLOW_SECONDS = 3.0, 15.0


class _Portions:
    """Hands out portions of a list to several threads; their size follows the time that one takes."""

    def __init__(self, changes: Sequence[Change], size: int) -> None:
        self._changes, self._size, self._next = changes, size, 0
        self._lock = threading.Lock()
        self.failures: list[tuple[int, BaseException]] = []

    def take(self) -> tuple[int, Sequence[Change]]:
        with self._lock:
            if self.failures:
                return self._next, ()
            start = self._next
            self._next = min(start + self._size, len(self._changes))
            return start, self._changes[start : self._next]

    def took(self, seconds: float, size: int) -> None:
        with self._lock:
            if seconds < _QUICK_SECONDS and size >= self._size:
                self._size = min(MOST_CHANGES, self._size * 2)
            elif seconds > _SLOW_SECONDS:
                self._size = max(10, self._size // 2)

    def failed(self, start: int, failure: BaseException) -> None:
        with self._lock:
            self.failures.append((start, failure))


class Bulk:
    """Sends lists of changes; every list holds one verb and one table.

    `threads` 0 follows the service's hint. With `failures`, statements() collects there what is refused, and goes on:
    `goes_on` says so.
    """

    def __init__(
        self, units: Units, threads: int, cancelled: threading.Event, failures: list[Failure] | None = None
    ) -> None:
        self._units, self._threads, self._cancelled, self._failures = units, threads, cancelled, failures
        self.goes_on = failures is not None

    def statement(self, changes: Sequence[Change]) -> int:
        """Changes of one statement: all or nothing up to `MOST_CHANGES`, beyond that unit by unit."""
        self._units.outcomes.begin(changes)
        if len(changes) <= MOST_CHANGES:
            return self._unit(changes)
        return self._side_by_side(changes, _FIRST_CHANGES, self._unit)

    def statements(self, changes: Sequence[Change]) -> int:
        """Changes of many statements, each its own: order is kept where rows are named twice."""
        done = 0
        self._units.outcomes.begin(changes)
        for several in _without_repeats(changes):
            done += self._side_by_side(several, _FIRST_CHANGES, self._portion)
        return done

    def refuse(self, row: int, error: DatabaseError) -> None:
        """Go on without a row that nothing can be sent for."""
        if self._failures is None:
            raise error
        self._failures.append((row, error))
        self._units.outcomes.note(row, REFUSED, error)

    def _unit(self, changes: Sequence[Change]) -> int:
        return self._units.together(changes)

    def _portion(self, changes: Sequence[Change]) -> int:
        """Rows in versions, and deletes, are answered one by one: another's row must not undo them."""
        if self._failures is not None:
            return self._units.tolerant(changes, self._failures)
        whole = all(each.verb in ("create", "update", "upsert") and each.match == ANY_VERSION for each in changes)
        return self._units.together(changes) if whole or len(changes) == 1 else self._units.each(changes)

    def _side_by_side(self, changes: Sequence[Change], size: int, work: Callable[[Sequence[Change]], int]) -> int:
        if len(changes) <= size:
            return work(changes)
        portions = _Portions(changes, size)
        wanted = min(self._threads or self._units.sender.hint or _FEW_THREADS, _MOST_THREADS)
        threads = max(1, min(wanted, -(-len(changes) // size)))
        with ThreadPoolExecutor(threads, thread_name_prefix="dynamics-write") as workers:
            counts = [workers.submit(self._worker, portions, work) for _ in range(threads)]
            try:
                done = sum(count.result() for count in counts)
            except BaseException as interrupt:  # inside, as leaving waits for workers: none takes another portion
                portions.failed(len(changes), interrupt)
                raise
        if portions.failures:
            raise min(portions.failures, key=_gravity)[1]
        return done

    def _worker(self, portions: _Portions, work: Callable[[Sequence[Change]], int]) -> int:
        done = 0
        while True:
            start, some = portions.take()
            if not some:
                return done
            try:
                if self._cancelled.is_set():
                    raise StatementCancelled("the statement was cancelled; the rows written before stay")
                began = time.monotonic()
                done += work(some)
                portions.took(time.monotonic() - began, len(some))
            except BaseException as failure:  # raised where the workers are waited for
                portions.failed(start, failure)
                return done


def _gravity(failure: tuple[int, BaseException]) -> tuple[bool, int]:
    """The first refusal, but before all refusals what was not answered: rows may be written then."""
    start, error = failure
    return isinstance(error, DataverseError), start


class Buffer:
    """Keeps the changes for COMMIT, and the headers they are sent with; how many rows they will change is presumed."""

    goes_on = False

    def __init__(self, transaction: Transaction, headers: Mapping[str, str]) -> None:
        self._transaction, self._headers = transaction, headers

    def statement(self, changes: Sequence[Change]) -> int:
        """Keep the changes of one statement."""
        self._transaction.add(changes, self._headers)
        return len(changes)

    statements = statement

    def refuse(self, row: int, error: DatabaseError) -> None:
        """Nothing goes on without a row here."""
        raise error


def _without_repeats(changes: Sequence[Change]) -> list[list[Change]]:
    """Runs in which no row is named twice, so that their order does not matter."""
    runs: list[list[Change]] = []
    for _, group in groupby(changes, key=lambda each: (each.verb, each.table.name)):
        seen: set[str] = set()
        runs.append([])
        for change in group:
            name = f"{change.key or change.alternate}{change.other}"
            if name and name in seen:
                runs.append([])
                seen = set()
            seen.add(name)
            runs[-1].append(change)
    return runs
