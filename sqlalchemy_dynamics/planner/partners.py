"""Which navigation property leads from a row to its many-to-many partners, past the table of links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.metadata.model import Table

if TYPE_CHECKING:
    from sqlalchemy_dynamics.planner.pushdown import Translator

__all__ = ["far_end"]


def far_end(translator: Translator, intersect: Table, near: Table) -> tuple[str, Table] | None:
    """Return the navigation property from one end of an intersect table to the other, and that table.

    None unless the metadata leaves no doubt: the columns are named like the two tables' keys, and one many-to-many
    navigation leads from here to there, or one that bears the intersect table's name.
    """
    found = [each for each in _candidates(translator, near) if each[1].primary_key in intersect.columns]
    named = [each for each in found if each[0].lower().startswith(intersect.name.lower())]
    chosen = named if len(named) == 1 else found
    if len(chosen) != 1 or near.primary_key not in intersect.columns or chosen[0][1].name == near.name:
        return None
    return chosen[0]


def _candidates(translator: Translator, near: Table) -> Iterator[tuple[str, Table]]:
    for navigation in near.navigations.values():
        table = translator.lookup(navigation.target) if navigation.collection and not navigation.column else None
        if table is not None and table.joined and not table.intersect:
            yield navigation.name, table
