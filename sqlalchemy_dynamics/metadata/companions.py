"""The read-only columns made from others: `<lookup>name`, `<lookup>type`, `<choice>name`, `<file>_id`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy_dynamics.edm import UUID, VARCHAR
from sqlalchemy_dynamics.metadata.model import Column, Companion, Kind

__all__ = ["with_companions"]

_NAMED = frozenset({Kind.LOOKUP, Kind.CHOICE, Kind.MULTICHOICE})
_WITH_COMPANIONS = _NAMED | {Kind.FILE}


def with_companions(columns: Iterable[Column]) -> Mapping[str, Column]:
    """Return the columns by name, each lookup, choice and file followed by its companions.

    A companion whose name a real column has is left out. Companions among `columns` are made anew.
    """
    real = {column.name: column for column in columns if column.companion is None}
    result: dict[str, Column] = {}
    for column in real.values():
        result[column.name] = column
        if column.kind in _WITH_COMPANIONS:
            result.update((made.name, made) for made in _companions(column) if made.name not in real)
    return result


def _companions(column: Column) -> Iterator[Column]:
    yield _companion(column, Companion.NAME if column.kind in _NAMED else Companion.ID)
    if column.kind is Kind.LOOKUP and len(column.navigations) > 1:
        yield _companion(column, Companion.TYPE)


def _companion(column: Column, companion: Companion) -> Column:
    return Column(
        name=column.name + companion.value,
        wire=column.wire,
        type=UUID if companion is Companion.ID else VARCHAR,
        edm="Edm.Guid" if companion is Companion.ID else "Edm.String",
        creatable=False,
        updatable=False,
        companion=companion,
        base=column.name,
    )
