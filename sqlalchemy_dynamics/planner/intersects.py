"""Many-to-many tables: whose rows they link, and along which navigation property. Their rows are links, not rows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy_dynamics.errors import NotSupportedError
from sqlalchemy_dynamics.metadata.model import Column, Kind, Model, Table

__all__ = ["Ends", "ends_of"]


@dataclass(frozen=True)
class Ends:
    """The two tables an intersect table links, the columns that hold their keys, and the way from one to the other."""

    one: Table
    one_column: Column
    two: Table
    two_column: Column
    navigation: str


def ends_of(table: Table, model: Model) -> Ends:
    """Return the ends of an intersect table. Raises NotSupportedError when the metadata does not tell them."""
    owners = {each.primary_key: each for each in model.tables.values() if each.entity_set and not each.intersect}
    ids = [column for column in table.columns.values() if column.edm == "Edm.Guid" and column.kind is not Kind.KEY]
    found = [(column, owners[column.name]) for column in ids if column.name in owners]
    if len(found) == 2:
        (one_column, one), (two_column, two) = found
        names = [
            each.name for each in one.navigations.values() if _leads(each.collection, each.column, each.target, two)
        ]
        own = [name for name in names if name.lower().startswith(table.name.lower())] or names
        if len(own) == 1:
            return Ends(one, one_column, two, two_column, own[0])
    raise NotSupportedError(f"{table.name} cannot be written to: its two sides are not clear from the metadata")


def _leads(collection: bool, column: str, target: str, two: Table) -> bool:
    return collection and not column and target == two.name
