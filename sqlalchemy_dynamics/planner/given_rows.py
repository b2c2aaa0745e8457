"""Statements of our own over rows that a write was given; the one that finds the rows many sets of values mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy_dynamics.planner.change_plan import Write
from sqlalchemy_dynamics.planner.lengths import shaping
from sqlalchemy_dynamics.planner.names import Lookup
from sqlalchemy_dynamics.planner.parse import parse
from sqlalchemy_dynamics.planner.plan import Plan
from sqlalchemy_dynamics.planner.reading import plan_select

__all__ = ["Parameters", "Values", "matching_plan", "planned", "quoted"]

Values = Mapping[int | str, object]
_SAME: dict[str, tuple[type, ...]] = {"VARCHAR": (str,), "INTEGER": (int,), "BIGINT": (int,), "UUID": (str, UUID)}


class Parameters:
    """Parameters of a statement and more behind them: numbered like its own, or named like them."""

    def __init__(self, values: Values) -> None:
        self.values: dict[int | str, object] = dict(values)
        self._named = any(isinstance(key, str) for key in values)

    def add(self, value: object) -> str:
        """Return the marker of one more value."""
        number = len(self.values) + 1
        self.values[f"__v{number}" if self._named else number] = value
        return f"$__v{number}" if self._named else f"${number}"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def planned(sql: str, given: Values, lookup: Lookup, pushdown: bool) -> Plan:
    """Plan a SELECT of our own with its parameters."""
    statement = parse(sql)
    assert statement.tree is not None
    kinds = {key: type(value).__name__ for key, value in given.items()}
    return plan_select(statement.tree, lookup, kinds, shaping(statement.pinned, given), pushdown)


def all_match_alike(write: Write, sets: Sequence[Values]) -> bool:
    """Say whether the rows of all sets can be looked for together: their values are of the columns' own types."""
    if not write.found_by or write.returning is not None:
        return False
    kinds = [(key, _SAME.get(column.type.family, ())) for column, key in write.found_by]
    return all(isinstance(values.get(key), kind) and values[key] is not True for values in sets for key, kind in kinds)


def matching_plan(write: Write, sets: Mapping[int, Values], lookup: Lookup, pushdown: bool) -> tuple[Plan, Values]:
    """Plan the reading of (set number, key) of all rows that the sets' conditions (`Write.found_by`) hold for.

    With several columns the service lets in more rows than are meant; which set means which is found out here.
    """
    parameters = Parameters({})
    rows, among = [], [set[str]() for _ in write.found_by]
    for number, values in sets.items():
        markers = [parameters.add(values[key]) for _, key in write.found_by]
        rows.append(f"({number}, {', '.join(markers)})")
        for seen, marker in zip(among, markers, strict=True):
            seen.add(marker)
    columns = [column for column, _ in write.found_by]
    casts = [f'CAST("__p{n}" AS {column.type.sql}) AS "__c{n}"' for n, column in enumerate(columns)]
    names = ", ".join(f'"__p{n}"' for n in range(len(columns)))
    given = f'(SELECT "__n", {", ".join(casts)} FROM (VALUES {", ".join(rows)}) AS v("__n", {names})) AS given'
    own = [f"t.{quoted(column.name)}" for column in columns]
    on = " AND ".join(f'{name} = given."__c{n}"' for n, name in enumerate(own))
    where = " AND ".join(f"{name} IN ({', '.join(sorted(seen))})" for name, seen in zip(own, among, strict=True))
    key = quoted(write.table.primary_key)
    sql = f'SELECT given."__n", t.{key} FROM {write.table.name} AS t JOIN {given} ON {on} WHERE {where}'
    return planned(sql, parameters.values, lookup, pushdown), parameters.values
