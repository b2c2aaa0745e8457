"""Parties of activities: the service takes a whole list only, so it is read, changed and put back.

dataverse-web-api: lookups, activity parties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy_dynamics.errors import IntegrityError, ProgrammingError
from sqlalchemy_dynamics.execute.persisting import Persistence
from sqlalchemy_dynamics.execute.result import Result, Row
from sqlalchemy_dynamics.metadata.model import Column, Model, Navigation, Table
from sqlalchemy_dynamics.odata.changes import put_list, row_address
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.planner.names import Lookup
from sqlalchemy_dynamics.planner.parse import parse
from sqlalchemy_dynamics.planner.plan import Plan
from sqlalchemy_dynamics.planner.reading import plan_select

__all__ = ["PARTIES", "Parties"]

PARTIES = "activityparty"
_HELD = ("partyid", "partyidtype", "participationtypemask", "addressused")
_LIST = f"SELECT activitypartyid, {', '.join(_HELD)} FROM {PARTIES} WHERE activityid = ?"
_KIND = "SELECT activitytypecode FROM activitypointer WHERE activityid = ?"
Given = dict[Column, object]


@dataclass(frozen=True)
class Parties:
    """Changes the parties of activities over one session."""

    persistence: Persistence
    lookup: Lookup
    model: Callable[[], Model]
    read: Callable[[Plan, Mapping[int | str, object]], Result]
    bodies: Callable[[Table, list[Given], bool], list[dict[str, Any]]]

    def insert(self, table: Table, givens: Sequence[Given]) -> int:
        """Add parties to their activities; return how many."""
        column = table.columns["activityid"]
        types = table.columns["activityidtype"]
        added: dict[tuple[str, str], list[Given]] = {}
        for given in givens:
            activity, kind = given.pop(column, None), given.pop(types, None)
            if isinstance(activity, tuple):
                kind, activity = activity
            if activity is None:
                raise ProgrammingError("a party belongs to an activity: give activityid")
            key = str(convert(activity, "Edm.Guid"))
            added.setdefault((key, str(kind or "")), []).append(given)
        for (key, kind), some in added.items():
            self._put(table, key, kind or self._kind(key), [*self._held(table, key).values(), *some])
        return len(givens)

    def delete(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> int:
        """Take parties, rows of their key and their activity, from their activities; return how many."""
        gone: dict[str, set[str]] = {}
        for party, activity, *_ in rows:
            gone.setdefault(str(activity), set()).add(str(party))
        for key, parties in gone.items():
            held = self._held(table, key)
            self._put(table, key, self._kind(key), [given for party, given in held.items() if party not in parties])
        return sum(map(len, gone.values()))

    def _held(self, table: Table, key: str) -> dict[str, Given]:
        """The parties of an activity by their keys."""
        columns = [table.columns[name] for name in _HELD]
        return {str(row[0]): dict(zip(columns, row[1:], strict=True)) for row in self._rows(_LIST, key)}

    def _kind(self, key: str) -> str:
        """The table that an activity is a row of, "" when there is no such activity."""
        return next((str(row[0]) for row in self._rows(_KIND, key)), "")

    def _rows(self, sql: str, key: str) -> list[Row]:
        statement = parse(sql)
        assert statement.tree is not None
        result = self.read(plan_select(statement.tree, self.lookup, {1: "str"}, {}), {1: key})
        return [row for block in result.rows() for row in block]

    def _put(self, table: Table, key: str, kind: str, parties: list[Given]) -> None:
        activity = self.model().table(kind) if kind else None
        if activity is None or activity.abstract:
            raise IntegrityError(f"activityid: there is no activity {key}; give its table along: ('email', id)")
        name = next((each.name for each in activity.navigations.values() if _leads(each, activity.name)), None)
        if name is None:
            raise ProgrammingError(f"{activity.name} has no parties")
        bodies = self.bodies(table, parties, True)
        answer = self.persistence.send(put_list(f"{row_address(activity.entity_set, key)}/{name}", bodies))
        if answer.error is not None:
            raise answer.error


def _leads(navigation: Navigation, table: str) -> bool:
    return navigation.target == PARTIES and navigation.name.startswith(f"{table}_")
