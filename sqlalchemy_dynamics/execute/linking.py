"""Rows of intersect tables as links: INSERT associates, DELETE disassociates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.result import Row
from sqlalchemy_dynamics.metadata.model import Column, Model
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.planner.change_plan import Write
from sqlalchemy_dynamics.planner.intersects import Ends, ends_of

__all__ = ["links", "unlinks"]


def links(write: Write, model: Model, root: str, givens: Sequence[Mapping[Column, object]], row: int) -> list[Change]:
    """Return the changes of an INSERT; a key given for a link is passed over, the service makes its own."""
    ends = ends_of(write.table, model)
    pairs = [(given.get(ends.one_column), given.get(ends.two_column)) for given in givens]
    if any(None in pair for pair in pairs):
        raise ProgrammingError(
            f"a row of {write.table.name} links two rows: give {ends.one_column.name} and {ends.two_column.name}"
        )
    if write.returning is not None:
        raise ProgrammingError(f"RETURNING is not available for {write.table.name}: the service makes its keys")
    return [_change("link", write, ends, root, one, two, number) for number, (one, two) in enumerate(pairs, start=row)]


def unlinks(write: Write, model: Model, root: str, rows: Sequence[Row], row: int) -> list[Change]:
    """Return the changes of a DELETE; its rows hold the key and the two linked ids in the columns' order."""
    ends = ends_of(write.table, model)
    columns = [each.name for each in write.table.columns.values() if each.edm == "Edm.Guid"]
    columns.remove(write.table.primary_key)
    one, two = (1 + columns.index(column.name) for column in (ends.one_column, ends.two_column))
    return [
        _change("unlink", write, ends, root, each[one], each[two], number)
        for number, each in enumerate(rows, start=row)
    ]


def _change(verb: str, write: Write, ends: Ends, root: str, one: object, two: object, row: int) -> Change:
    first, second = str(convert(one, "Edm.Guid")), str(convert(two, "Edm.Guid"))
    far = root + ends.two.entity_set
    name = write.table.name
    return Change(
        verb, ends.one, first, row=row, navigation=ends.navigation, other=second, other_set=far, intersect=name
    )
