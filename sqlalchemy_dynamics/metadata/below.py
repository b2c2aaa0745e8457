"""Which tables' rows change when rows of others do: those that hang below them by lookups. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy_dynamics.metadata.model import Model, Table

__all__ = ["below", "hangs_below"]

# Rows are not deleted with their owner, nor with whoever wrote them last.
_OWNERS = frozenset({"ownerid", "owninguser", "owningteam", "owningbusinessunit"})
_WRITERS = frozenset({"createdby", "modifiedby", "createdonbehalfby", "modifiedonbehalfby"})
_NEVER_CASCADED = _OWNERS | _WRITERS | {""}


def below(model: Model, names: Iterable[str]) -> list[Table]:
    """Return the tables of those names and all that look them up, directly or through others.

    `$metadata` does not tell which relationships cascade, so each may (CascadeConfiguration, dataverse-web-api 8).
    """
    found: dict[str, Table] = {}
    waiting = list(names)
    while waiting:
        table = model.tables.get(waiting.pop())
        if table is None or table.name in found:
            continue
        found[table.name] = table
        collections = (each for each in table.navigations.values() if each.collection)
        waiting += (each.target for each in collections if each.column not in _NEVER_CASCADED)
    return list(found.values())


def hangs_below(table: Table, tables: Iterable[Table]) -> bool:
    """Whether a table is one of these, or links rows of one."""
    return any(table.name == each.name or (table.intersect and each.primary_key in table.columns) for each in tables)
