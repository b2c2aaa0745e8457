"""Values of rows as JSON bodies; lookups that may lead to several tables are resolved by asking who has the id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.errors import DatabaseError, IntegrityError
from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.existing import existing
from sqlalchemy_dynamics.metadata.model import Column, Table
from sqlalchemy_dynamics.planner.values import UnknownTarget, body_of

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog
    from sqlalchemy_dynamics.session import Session

__all__ = ["Bodies"]

_MOST_KNOWN = 50_000


class Bodies:
    """Makes bodies for one connection, and remembers in which tables ids were found."""

    def __init__(self, session: Session, catalog: Catalog) -> None:
        self._session, self._catalog = session, catalog
        self._known: dict[str, str] = {}

    def learn(self, changes: Iterable[Change]) -> None:
        """Remember in which table the rows made here are."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known.update((change.key, change.table.name) for change in changes if change.verb == "create")

    def make(
        self, table: Table, givens: list[dict[Column, object]], creating: bool, rows: Sequence[int] = ()
    ) -> list[dict[str, object]]:
        """Return the body of each row. Raises DataError, ProgrammingError, IntegrityError naming row and column.

        `rows` are the rows' numbers where they do not count from 1.
        """
        numbers = rows or range(1, len(givens) + 1)
        bodies, unknown = self._tried(table, givens, creating, numbers)
        while unknown:
            self._find(unknown)
            bodies, unknown = self._tried(table, givens, creating, numbers)
        return bodies

    def _tried(
        self, table: Table, givens: list[dict[Column, object]], creating: bool, numbers: Sequence[int]
    ) -> tuple[list[dict[str, object]], list[UnknownTarget]]:
        bodies, unknown = [], []
        for number, given in zip(numbers, givens, strict=True):
            try:
                bodies.append(body_of(table, given, self._set_of, self._known, creating=creating))
            except UnknownTarget as missing:
                unknown.append(missing)
            except DatabaseError as error:
                if len(givens) > 1 or number > 1:
                    error.args = (f"row {number}: {error.args[0]}",)
                raise
        return bodies, unknown

    def _set_of(self, name: str) -> str | None:
        table = self._catalog.model().table(name)
        return None if table is None else table.entity_set

    def _find(self, unknown: Sequence[UnknownTarget]) -> None:
        """Ask the tables that a lookup may lead to, who has the ids."""
        model = self._catalog.model()
        for target in dict.fromkeys(name for each in unknown for name in each.targets):
            table = model.table(target)
            keys = {each.key for each in unknown if target in each.targets} - self._known.keys()
            if keys and table is not None and table.entity_set:
                self._known.update(dict.fromkeys(existing(self._session.send, table, keys), table.name))
        lost = next((each for each in unknown if each.key not in self._known), None)
        if lost is not None:
            raise IntegrityError(
                f"{lost.column.name}: no row {lost.key} in {', '.join(lost.targets)}; make that row first, or give "
                f"the table along: ('{lost.targets[0]}', id)"
            )
