"""Changes computed from what rows held: sent for the version that was read, and made anew where a row has another.

So nobody's change is lost, as it would be if what was computed from old values were written over new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy_dynamics.errors import DataverseError, OperationalError
from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.outcomes import WRITTEN, Outcomes
from sqlalchemy_dynamics.odata.changes import ANY_VERSION

__all__ = ["Guard"]

_MOST_TRIES = 4
_STALE, _NO_VERSIONS = "0x80060882", "0x8006088d"
_UNGUARDED: set[tuple[tuple[str, ...], str]] = set()
"""(organisation, table) without optimistic concurrency (dataverse-web-api: conditional writes)."""


class Guard:
    """Guards one organisation's tables."""

    def __init__(self, owner: tuple[str, ...]) -> None:
        self._owner = owner

    def holds(self, table: str) -> bool:
        """Say whether changes of a table can ask for a version."""
        return (self._owner, table) not in _UNGUARDED

    def fails(self, table: str, error: DataverseError) -> bool:
        """Say whether an error means that a table has no optimistic concurrency; it is remembered."""
        if error.code != _NO_VERSIONS:
            return False
        _UNGUARDED.add((self._owner, table))
        return True

    def learn(self, changes: Sequence[Change], error: DataverseError) -> None:
        """Remember from a COMMIT that failed which table has no optimistic concurrency: the next one asks for none."""
        for table in {
            each.table.name for each in changes if each.match != ANY_VERSION and each.table.name in str(error)
        }:
            self.fails(table, error)

    def update(
        self,
        prepare: Callable[[], list[Change]],
        send: Callable[[Sequence[Change]], int],
        outcomes: Outcomes,
    ) -> list[str]:
        """Make and send the changes of an UPDATE until no row is in another version; return the keys changed."""
        keys, wanted, missed = list[str](), None, list[Change]()
        for attempt in range(1, _MOST_TRIES + 1):
            changes = [each for each in prepare() if wanted is None or each.key in wanted]
            outcomes.forget(missed)
            try:
                send(changes)
            except DataverseError as error:
                again = self.fails(changes[0].table.name, error) or error.code == _STALE
                if attempt == _MOST_TRIES or not again:
                    raise
            missed = [each for each in changes if outcomes.of(each) != WRITTEN]
            wanted = {each.key for each in missed}
            keys += [each.key for each in changes if each.key not in wanted]
            if not missed:
                return keys
        raise OperationalError("others keep changing the same rows: try again later")
