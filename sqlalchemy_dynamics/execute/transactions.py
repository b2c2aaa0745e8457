"""What a connection's transaction holds: nothing under AUTOCOMMIT, the changes to send at COMMIT under CHANGESET."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy_dynamics.errors import InterfaceError, NotSupportedError, Warning
from sqlalchemy_dynamics.odata.batch import MOST_PARTS

if TYPE_CHECKING:
    from sqlalchemy_dynamics.execute.changes import Change
    from sqlalchemy_dynamics.execute.units import Failure

__all__ = ["AUTOCOMMIT", "CHANGESET", "Transaction"]

AUTOCOMMIT, CHANGESET = "AUTOCOMMIT", "CHANGESET"


class Transaction:
    """One connection's transaction. `sent` tells whether something was written that a rollback cannot undo."""

    def __init__(self) -> None:
        self._level = AUTOCOMMIT
        self.pending: list[Change] = []
        self.headers: Mapping[str, str] = {}
        """What the pending changes are sent with."""
        self.sent = False
        self.options: Mapping[str, Any] = {}
        """Write options of the statement that runs (execute.headers)."""
        self.failures: list[Failure] = []
        """Rows that the last executemany() went on without."""
        self._warned = False

    @property
    def level(self) -> str:
        """AUTOCOMMIT: every statement is permanent when it ends. CHANGESET: all are sent together at COMMIT."""
        return self._level

    @level.setter
    def level(self, level: str) -> None:
        if level.upper() not in (AUTOCOMMIT, CHANGESET):
            raise InterfaceError(f"isolation_level is AUTOCOMMIT or CHANGESET, not {level!r}")
        if self.pending and level.upper() != self._level:
            raise InterfaceError("the change set holds changes: commit or roll back before isolation_level changes")
        self._level = level.upper()

    @property
    def buffering(self) -> bool:
        """Whether changes wait for COMMIT."""
        return self._level == CHANGESET

    def add(self, changes: Sequence[Change], headers: Mapping[str, str]) -> None:
        """Keep changes for COMMIT. Raises NotSupportedError when a change set cannot hold them."""
        if any(change.files for change in changes):
            raise NotSupportedError("files cannot wait for COMMIT: set them under isolation_level=AUTOCOMMIT")
        elastic = next((change.table.name for change in changes if change.table.kind == "Elastic"), None)
        if elastic is not None:
            raise NotSupportedError(
                f"{elastic} is elastic, change sets do not hold it together: use isolation_level=AUTOCOMMIT"
            )
        if self.pending and changes and headers != self.headers:
            raise NotSupportedError(
                "a change set is sent with the same write options throughout (CallerObjectId, BypassPlugins, …): "
                "commit first, or give all its statements the same ones"
            )
        self.headers = headers
        start = len(self.pending)
        if start + len(changes) > MOST_PARTS:
            raise NotSupportedError(
                f"a change set holds {MOST_PARTS} operations, this would make it {start + len(changes)}: "
                "commit earlier, or use isolation_level=AUTOCOMMIT"
            )
        self.pending += [replace(change, row=start + n) for n, change in enumerate(changes, start=1)]

    def holds(self, keys: Iterable[str]) -> bool:
        """Say whether all rows of these keys were changed in this transaction: the first change guards the others."""
        return {change.key for change in self.pending}.issuperset(keys)

    def check_reading(self, tables: Iterable[str]) -> None:
        """Raise NotSupportedError when one of the tables has changes that the service does not know of yet."""
        changed = {change.intersect or change.table.name for change in self.pending}
        found = next((table for table in tables if table in changed), None)
        if found is not None:
            raise NotSupportedError(
                f"{found} has changes that wait for COMMIT, reading it would miss them: commit first, or use "
                "isolation_level=AUTOCOMMIT"
            )

    def taken(self) -> list[Change]:
        """Return the changes that waited, and begin anew."""
        taken, self.pending, self.sent = self.pending, [], False
        return taken

    def rolled_back(self) -> None:
        """Forget the changes that waited; warn, once, when others are permanent already."""
        if self.sent and not self.buffering and not self._warned:
            self._warned = True
            warnings.warn(
                "rollback() cannot undo what was sent: under AUTOCOMMIT each statement is permanent when it ends; "
                "isolation_level=CHANGESET sends a transaction's changes together at COMMIT",
                Warning,
                stacklevel=3,
            )
        self.taken()
