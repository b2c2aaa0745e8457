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
    from sqlalchemy_dynamics.planner.plan import ShownName

__all__ = ["AUTOCOMMIT", "CHANGESET", "Transaction"]

AUTOCOMMIT, CHANGESET = "AUTOCOMMIT", "CHANGESET"
_INSTEAD = (
    "commit first, or use isolation_level=AUTOCOMMIT; an ORM session can read within session.no_autoflush, before "
    "anything waits"
)
_FULL_NAME = "fullname"
_NAME_PARTS = frozenset({"firstname", "middlename", "lastname"})
"""What the service makes `_FULL_NAME` of."""


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

    def check_reading(self, tables: Iterable[str], names: Iterable[ShownName] = ()) -> None:
        """Raise NotSupportedError when the service does not know yet of changes to tables, or of names, that are read.

        Rows that are new change no name that is read, as nothing points to them; lookups of rows to delete are read as
        they are.
        """
        changed = {name for change in self.pending for name in _tables(change)}
        found = next((table for table in tables if table in changed), None)
        if found is not None:
            raise NotSupportedError(f"{found} has changes that wait for COMMIT, reading it would miss them: {_INSTEAD}")
        renaming = [change for change in self.pending if _renames(change)]
        for name in names:
            change = next((each for each in renaming if _tables(each) & name.targets), None)
            if change is not None:
                raise NotSupportedError(
                    f"{name.table}.{name.column} shows names of {change.table.name}, which has new ones that wait for "
                    f"COMMIT: leave {name.column} out of the statement, {_INSTEAD}"
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


def _tables(change: Change) -> set[str]:
    """The tables that a change is seen in: activities in the one of all activities, too."""
    return {change.intersect} if change.intersect else {change.table.name, change.table.base} - {""}


def _renames(change: Change) -> bool:
    """Whether a row that lookups may point to gets another name; without knowing which column that is, any text."""
    if change.verb not in ("update", "upsert"):
        return False
    table, name = change.table, change.table.primary_name
    if name == _FULL_NAME:
        return not _NAME_PARTS.isdisjoint(change.body)
    if name:
        return name in change.body
    return any(column.wire in change.body for column in table.columns.values() if column.edm == "Edm.String")
