"""The SELECT that an upsert begins with: which of the given rows exist, and what those are set to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.planner.change_plan import Conflict, Write
from sqlalchemy_dynamics.planner.lengths import shaping
from sqlalchemy_dynamics.planner.names import Lookup
from sqlalchemy_dynamics.planner.parse import parse
from sqlalchemy_dynamics.planner.plan import Plan
from sqlalchemy_dynamics.planner.reading import plan_select
from sqlalchemy_dynamics.planner.values import held_value

__all__ = ["computes", "existing_plan", "is_whole"]

_VERSION = "versionnumber"
Values = Mapping[int | str, object]


def is_whole(write: Write) -> bool:
    """Say whether a row that exists is set to just what would be inserted: then the service itself can upsert."""
    conflict = write.conflict
    if conflict is None or not conflict.update or conflict.where or not conflict.columns:
        return False
    rest = {column for column in write.columns if column not in conflict.columns}
    taken = {column for column, source, _ in conflict.set if source is column}
    return taken == rest == {column for column, _, _ in conflict.set} and all(each.updatable for each in rest)


def existing_plan(
    write: Write, givens: Sequence[Mapping[Column, object]], values: Values, lookup: Lookup, pushdown: bool
) -> tuple[Plan, Values]:
    """Plan the reading of the rows that the given ones are in conflict with, and return its parameters.

    Its rows are the key, the conflict's columns, the version where something is computed (else NULL), each computed
    value of SET, and whether WHERE holds.
    """
    conflict = write.conflict
    assert conflict is not None
    parameters = _Parameters(values)
    sql = " ".join(
        (
            f"SELECT {', '.join(_items(write, conflict))} FROM {write.table.name} AS {_quoted(write.alias)}",
            _excluded(write, conflict, givens, parameters) if computes(conflict) else "",
            f"WHERE {' AND '.join(_among(write, conflict, givens, parameters))}",
        )
    )
    statement = parse(sql)
    assert statement.tree is not None
    given = parameters.values
    kinds = {key: type(value).__name__ for key, value in given.items()}
    pinned = shaping(statement.pinned, given)
    return plan_select(statement.tree, lookup, kinds, pinned, pushdown), given


class _Parameters:
    """Parameters of a statement and more behind them: numbered like its own, or named like them."""

    def __init__(self, values: Values) -> None:
        self.values: dict[int | str, object] = dict(values)
        self._named = any(isinstance(key, str) for key in values)

    def add(self, value: object) -> str:
        """Return the marker of one more value."""
        number = len(self.values) + 1
        self.values[f"__v{number}" if self._named else number] = value
        return f"$__v{number}" if self._named else f"${number}"


def computes(conflict: Conflict) -> bool:
    """Say whether what a row is set to depends on what it holds."""
    return bool(conflict.where) or any(source is None for _, source, _ in conflict.set)


def _items(write: Write, conflict: Conflict) -> list[str]:
    alias = _quoted(write.alias)
    columns = [f"{alias}.{_quoted(name)}" for name in (write.table.primary_key, *(c.name for c in conflict.columns))]
    named = [f'{column} AS "__k{number}"' for number, column in enumerate(columns)]
    versioned = computes(conflict) and _VERSION in write.table.columns
    named.append(f'{alias}.{_VERSION} AS "__v"' if versioned else 'NULL AS "__v"')
    computed = [text for _, source, text in conflict.set if source is None]
    named += [f'({text}) AS "__e{number}"' for number, text in enumerate(computed)]
    return [*named, f'({conflict.where}) AS "__if"'] if conflict.where else named


def _excluded(
    write: Write, conflict: Conflict, givens: Sequence[Mapping[Column, object]], parameters: _Parameters
) -> str:
    """JOIN the given rows, their keys and what is computed with, under the name that SQL has for them."""
    texts = " ".join((conflict.where, *(text for _, _, text in conflict.set))).lower()
    columns = [each for each in write.columns if each in conflict.columns or each.name in texts]
    rows = []
    for given in givens:
        held = (held_value(write.table, column, given.get(column)) for column in columns)
        rows.append("(" + ", ".join(map(parameters.add, held)) + ")")
    casts = [f'CAST("__p{n}" AS {each.type.sql}) AS {_quoted(each.name)}' for n, each in enumerate(columns)]
    names = [f'"__p{number}"' for number in range(len(columns))]
    derived = f"(SELECT {', '.join(casts)} FROM (VALUES {', '.join(rows)}) AS given({', '.join(names)})) AS excluded"
    alias = _quoted(write.alias)
    on = (f"{alias}.{_quoted(each.name)} = excluded.{_quoted(each.name)}" for each in conflict.columns)
    return f"JOIN {derived} ON {' AND '.join(on)}"


def _among(
    write: Write, conflict: Conflict, givens: Sequence[Mapping[Column, object]], parameters: _Parameters
) -> list[str]:
    """Conditions that the service understands; with several columns they let in more than is meant."""
    conditions = []
    for column in conflict.columns:
        markers = ", ".join(parameters.add(given[column]) for given in givens)
        conditions.append(f"{_quoted(write.alias)}.{_quoted(column.name)} IN ({markers})")
    return conditions


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
