"""The SELECT that an upsert begins with: which of the given rows exist, and what those are set to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.planner.change_plan import Conflict, Write
from sqlalchemy_dynamics.planner.given_rows import Parameters, Values, planned, quoted
from sqlalchemy_dynamics.planner.names import Lookup
from sqlalchemy_dynamics.planner.plan import Plan
from sqlalchemy_dynamics.planner.values import held_value

__all__ = ["computes", "existing_plan", "is_whole"]

_VERSION = "versionnumber"


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
    parameters = Parameters(values)
    sql = " ".join(
        (
            f"SELECT {', '.join(_items(write, conflict))} FROM {write.table.name} AS {quoted(write.alias)}",
            _excluded(write, conflict, givens, parameters) if computes(conflict) else "",
            f"WHERE {' AND '.join(_among(write, conflict, givens, parameters))}",
        )
    )
    return planned(sql, parameters.values, lookup, pushdown), parameters.values


def computes(conflict: Conflict) -> bool:
    """Say whether what a row is set to depends on what it holds."""
    return bool(conflict.where) or any(source is None for _, source, _ in conflict.set)


def _items(write: Write, conflict: Conflict) -> list[str]:
    alias = quoted(write.alias)
    columns = [f"{alias}.{quoted(name)}" for name in (write.table.primary_key, *(c.name for c in conflict.columns))]
    named = [f'{column} AS "__k{number}"' for number, column in enumerate(columns)]
    versioned = computes(conflict) and _VERSION in write.table.columns
    named.append(f'{alias}.{_VERSION} AS "__v"' if versioned else 'NULL AS "__v"')
    computed = [text for _, source, text in conflict.set if source is None]
    named += [f'({text}) AS "__e{number}"' for number, text in enumerate(computed)]
    return [*named, f'({conflict.where}) AS "__if"'] if conflict.where else named


def _excluded(
    write: Write, conflict: Conflict, givens: Sequence[Mapping[Column, object]], parameters: Parameters
) -> str:
    """JOIN the given rows, their keys and what is computed with, under the name that SQL has for them."""
    texts = " ".join((conflict.where, *(text for _, _, text in conflict.set))).lower()
    columns = [each for each in write.columns if each in conflict.columns or each.name in texts]
    rows = []
    for given in givens:
        held = (held_value(write.table, column, given.get(column)) for column in columns)
        rows.append("(" + ", ".join(map(parameters.add, held)) + ")")
    casts = [f'CAST("__p{n}" AS {each.type.sql}) AS {quoted(each.name)}' for n, each in enumerate(columns)]
    names = [f'"__p{number}"' for number in range(len(columns))]
    derived = f"(SELECT {', '.join(casts)} FROM (VALUES {', '.join(rows)}) AS given({', '.join(names)})) AS excluded"
    alias = quoted(write.alias)
    on = (f"{alias}.{quoted(each.name)} = excluded.{quoted(each.name)}" for each in conflict.columns)
    return f"JOIN {derived} ON {' AND '.join(on)}"


def _among(
    write: Write, conflict: Conflict, givens: Sequence[Mapping[Column, object]], parameters: Parameters
) -> list[str]:
    """Conditions that the service understands; with several columns they let in more than is meant."""
    conditions = []
    for column in conflict.columns:
        markers = ", ".join(parameters.add(held_value(write.table, column, given[column])) for given in givens)
        conditions.append(f"{quoted(write.alias)}.{quoted(column.name)} IN ({markers})")
    return conditions
