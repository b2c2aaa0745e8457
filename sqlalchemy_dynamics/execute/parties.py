"""Parties of activities: the service takes a whole list only, so it is read, changed and put back.

dataverse-web-api: lookups, activity parties. Nothing guards a list against those who put it back at the same time: a
version to ask for is documented for single rows only (conditional writes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy_dynamics.errors import DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.outcomes import NOT_WRITTEN, REFUSED
from sqlalchemy_dynamics.execute.result import Result, Row
from sqlalchemy_dynamics.execute.units import Units
from sqlalchemy_dynamics.metadata.model import Column, Model, Navigation, Table
from sqlalchemy_dynamics.odata.batch import MOST_PARTS
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
Body = dict[str, Any]


@dataclass(frozen=True)
class _List:
    """The parties of one activity: those that stay, those that `rows` of the statement add (or, alone, take away)."""

    activity: Table
    key: str
    navigation: str
    stay: Sequence[Body]
    added: Sequence[Body]
    rows: Sequence[int]

    def change(self, count: int | None = None) -> Change:
        """Put the list back, with the first `count` of those added."""
        parties = (*self.stay, *self.added[:count])
        return Change("parties", self.activity, self.key, row=self.rows[0], navigation=self.navigation, parties=parties)


@dataclass(frozen=True)
class Parties:
    """Changes the parties of activities: those that one statement names together, all or none."""

    units: Units
    lookup: Lookup
    model: Callable[[], Model]
    read: Callable[[Plan, Mapping[int | str, object]], Result]
    bodies: Callable[[Table, list[Given], bool, Sequence[int]], list[Body]]

    def insert(self, table: Table, givens: Sequence[Given], number: int | None = None) -> int:
        """Add parties to their activities; return how many. `number` is that of the set of values they are from."""
        numbers = _numbers(len(givens), number)
        activities = [_activity(table, given, row) for given, row in zip(givens, numbers, strict=True)]
        bodies = self.bodies(table, list(givens), True, numbers)
        kinds: dict[str, str] = {}
        for key, kind in activities:
            kinds[key] = kinds.get(key) or kind
        lists = []
        for key, kind in kinds.items():
            places = [place for place, each in enumerate(activities) if each[0] == key]
            stay = list(self._held(table, key).values())
            added = [bodies[place] for place in places]
            lists.append(self._list(table, key, kind, stay, added, [numbers[place] for place in places]))
        self._put(lists)
        return len(givens)

    def delete(self, table: Table, rows: Sequence[tuple[Any, ...]], number: int | None = None) -> int:
        """Take parties, rows of their key and their activity, from their activities; return how many."""
        gone: dict[str, dict[str, int]] = {}
        for row, (party, activity, *_) in zip(_numbers(len(rows), number), rows, strict=True):
            gone.setdefault(str(activity), {})[str(party)] = row
        lists = []
        for key, parties in gone.items():
            stay = [given for party, given in self._held(table, key).items() if party not in parties]
            lists.append(self._list(table, key, "", stay, (), list(parties.values())))
        self._put(lists)
        return sum(map(len, gone.values()))

    def _put(self, lists: Sequence[_List]) -> None:
        """Send the lists as one unit as far as it reaches. The error says what became of each row."""
        changes = [each.change() for each in lists]
        blamed: DatabaseError | None = None
        row = 0
        try:
            for start in range(0, len(changes), MOST_PARTS):
                self._sent(changes[start : start + MOST_PARTS])
        except DatabaseError as error:
            blamed = error
            row = self._blamed_row(lists, changes, error)
            raise
        finally:
            self._note(lists, changes, row, blamed)

    def _sent(self, changes: Sequence[Change]) -> None:
        if len(changes) == 1:
            self.units.alone(changes[0])
        else:
            self.units.change_set(changes)

    def _blamed_row(self, lists: Sequence[_List], changes: Sequence[Change], error: DatabaseError) -> int:
        """Find the row that a refused list is refused for, by trying shorter ones, and name it; 0 for none."""
        outcomes = self.units.outcomes
        refused = next((at for at, change in enumerate(changes) if outcomes.of(change) == REFUSED), None)
        if refused is None:
            return 0
        found, rows = lists[refused], lists[refused].rows
        row = rows[max(self._shortest(found) - 1, 0)]
        error.args = (str(error.args[0]).replace(f"row {rows[0]} of", f"row {row} of", 1), *error.args[1:])
        return row

    def _shortest(self, refused: _List) -> int:
        """How many of those added it takes for the list to be refused."""
        low, high = 0, len(refused.added)
        while high - low > 1:
            middle = (low + high) // 2
            try:
                _, works = self.units.sender.trial([refused.change(middle)])
            except DatabaseError:
                return high
            low, high = (middle, high) if works else (low, middle)
        return high

    def _note(
        self, lists: Iterable[_List], changes: Iterable[Change], blamed: int, error: DatabaseError | None
    ) -> None:
        outcomes = self.units.outcomes
        for each, change in zip(lists, changes, strict=True):
            outcome = outcomes.of(change)
            for row in each.rows:
                if outcome != REFUSED:
                    outcomes.note(row, outcome)
                elif row == blamed:
                    outcomes.note(row, REFUSED, error)
                else:
                    outcomes.note(row, NOT_WRITTEN)

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

    def _list(
        self, table: Table, key: str, kind: str, stay: list[Given], added: Sequence[Body], rows: Sequence[int]
    ) -> _List:
        kind = kind or self._kind(key)
        activity = self.model().table(kind) if kind else None
        if activity is None or activity.abstract:
            raise IntegrityError(f"activityid: there is no activity {key}; give its table along: ('email', id)")
        name = next((each.name for each in activity.navigations.values() if _leads(each, activity.name)), None)
        if name is None:
            raise ProgrammingError(f"{activity.name} has no parties")
        return _List(activity, key, name, self.bodies(table, stay, True, [rows[0]] * len(stay)), added, rows)


def _numbers(count: int, number: int | None) -> list[int]:
    return list(range(1, count + 1)) if number is None else [number] * count


def _activity(table: Table, given: Given, row: int) -> tuple[str, str]:
    """Take the activity out of what a party is given: its key, and its table where it is told."""
    column = table.columns["activityid"]
    activity, kind = given.pop(column, None), given.pop(table.columns["activityidtype"], None)
    if isinstance(activity, (tuple, list)) and len(activity) == 2:
        kind, activity = activity
    if activity is None:
        raise ProgrammingError("a party belongs to an activity: give activityid")
    try:
        return str(convert(activity, column.edm)), str(kind or "").lower()
    except DataError as error:
        raise DataError(f"row {row}: {table.name}.{column.name}: {error}") from None


def _leads(navigation: Navigation, table: str) -> bool:
    return navigation.target == PARTIES and navigation.name.startswith(f"{table}_")
