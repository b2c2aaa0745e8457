"""What became of each row of a write: told by the error when something goes wrong, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy_dynamics.errors import DatabaseError
from sqlalchemy_dynamics.execute.changes import Change

__all__ = ["NOT_WRITTEN", "REFUSED", "UNKNOWN", "UNMATCHED", "WRITTEN", "Outcomes", "RowResult"]

WRITTEN, UNMATCHED, REFUSED = "written", "unmatched", "refused"
UNKNOWN, NOT_WRITTEN = "unknown", "not written"
_MOST_SPANS = 8


class RowResult(NamedTuple):
    """A row of the statement, or a parameter set of executemany(), from 1.

    `outcome` is written, unmatched (no such row, or not in the version asked for), refused (with `error`), unknown
    (the answer was lost), or not written. `key` is the row's id where it is known, else "".
    """

    row: int
    key: str
    outcome: str
    error: DatabaseError | None = None


class Outcomes:
    """Collects outcomes; several threads may report. `sets` is the number of parameter sets of executemany()."""

    def __init__(self, sets: int = 0) -> None:
        self._sets = sets
        self._changes: list[Change] = []
        self._found: dict[int, tuple[str, DatabaseError | None]] = {}
        self._rows: list[RowResult] = []

    def begin(self, changes: Sequence[Change]) -> None:
        """Changes that are about to be sent; until more is known they are not written."""
        self._changes += changes

    def mark(self, changes: Iterable[Change], outcome: str, error: DatabaseError | None = None) -> None:
        """Say what became of changes."""
        for change in changes:
            self._found[id(change)] = (outcome, error)

    def note(self, row: int, outcome: str, error: DatabaseError | None = None) -> None:
        """Say what became of a row that no change stands for."""
        self._rows.append(RowResult(row, "", outcome, error))

    def of(self, change: Change) -> str:
        """Return what became of one change."""
        return self._found.get(id(change), (NOT_WRITTEN, None))[0]

    def forget(self, changes: Iterable[Change]) -> None:
        """Take back changes that are made anew."""
        gone = {id(each) for each in changes}
        self._changes = [each for each in self._changes if id(each) not in gone]
        self._found = {key: found for key, found in self._found.items() if key not in gone}

    def results(self) -> list[RowResult]:
        """Return what became of all rows, in their order."""
        found = [
            RowResult(each.row, each.key, *self._found.get(id(each), (NOT_WRITTEN, None))) for each in self._changes
        ]
        known = {each.row for each in (*found, *self._rows)}
        rest = (RowResult(row, "", NOT_WRITTEN) for row in range(1, self._sets + 1) if row not in known)
        return sorted((*found, *self._rows, *rest), key=lambda each: each.row)

    def tell(self, error: DatabaseError) -> None:
        """Put the results on an error, and into its message where there are several rows."""
        if error.results:
            return
        error.results = results = self.results()
        if len(results) > 1 and error.args:
            error.args = (f"{error.args[0]} [{_summary(results)}]", *error.args[1:])


def _summary(results: Sequence[RowResult]) -> str:
    rows: dict[str, list[int]] = {}
    for each in results:
        rows.setdefault(each.outcome, []).append(each.row)
    if not rows.keys() - {NOT_WRITTEN, REFUSED}:
        return f"nothing was written of {len(results)} rows"
    return "; ".join(f"{outcome}: rows {_spans(rows[outcome])}" for outcome in _ORDER if outcome in rows)


_ORDER = (WRITTEN, UNMATCHED, REFUSED, UNKNOWN, NOT_WRITTEN)


def _spans(rows: Sequence[int]) -> str:
    spans = list(_joined(sorted(set(rows))))
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in spans[:_MOST_SPANS]]
    return ", ".join(texts) + (f" and {len(spans) - _MOST_SPANS} more spans" if len(spans) > _MOST_SPANS else "")


def _joined(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = rows[0]
    for row in rows[1:]:
        if row > last + 1:
            yield first, last
            first = row
        last = row
    yield first, last
