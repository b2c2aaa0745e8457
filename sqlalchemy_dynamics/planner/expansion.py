"""Many-to-one joins along a lookup: both tables in one request, the looked-up row by `$expand`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy_dynamics.metadata.model import Column, Kind
from sqlalchemy_dynamics.odata.filters import Among, Both, Compare, Either, Filter, Match, Never, Null, Path
from sqlalchemy_dynamics.planner.links import Link
from sqlalchemy_dynamics.planner.paths import MOST_VALUES

__all__ = ["MOST_COLUMNS", "MOST_EXPANSIONS", "Expansion", "expansions", "through"]

MOST_COLUMNS = 8
MOST_EXPANSIONS = 10


@dataclass(frozen=True)
class Expansion:
    """Scan `target` is read through `navigation` of scan `source`; `condition` is what it demands of the source."""

    source: int
    target: int
    navigation: str
    condition: Filter | None


def expansions(
    links: list[Link], filters: Mapping[int, Filter], columns: Mapping[int, tuple[Column, ...]]
) -> dict[int, Expansion]:
    """Return the expansions worth making, by target number."""
    chosen: dict[int, Expansion] = {}
    for link in links:
        source, target = link.source.number, link.target.number
        navigation = link.navigation
        if target in chosen or navigation is None or len(chosen) == MOST_EXPANSIONS:
            continue
        if source in _below(target, chosen) or not _is_light(columns[target]):
            continue
        demanded, possible = _demanded(link, navigation, links, filters.get(target))
        if possible:
            chosen[target] = Expansion(source, target, navigation, demanded)
    return chosen


def _below(target: int, chosen: Mapping[int, Expansion]) -> set[int]:
    """Return the scans read through `target`, and itself: expanding it in one of them would be a circle."""
    found = {target}
    while True:
        more = {each.target for each in chosen.values() if each.source in found} - found
        if not more:
            return found
        found |= more


def _is_light(columns: tuple[Column, ...]) -> bool:
    """An expanded row comes again with every row that points to it."""
    plain = all(column.companion is None and column.kind not in (Kind.IMAGE, Kind.FILE) for column in columns)
    return plain and len(columns) <= MOST_COLUMNS


def _demanded(link: Link, navigation: str, links: list[Link], own: Filter | None) -> tuple[Filter | None, bool]:
    """Return what the target's own condition demands of the source, and whether the expansion can honour it.

    It can when the join also drops source rows without a partner, and the condition can be said along the lookup.
    """
    if own is None:
        return None, True
    both_ways = any(other.source is link.target and other.target is link.source for other in links)
    said = through(navigation, own) if both_ways else None
    return said, said is not None


def through(navigation: str, condition: Filter) -> Filter | None:
    """Return a condition on a looked-up row as one on the row that looks it up; None when it cannot be said."""
    if isinstance(condition, (Both, Either)):
        terms = [through(navigation, term) for term in condition.terms]
        return None if None in terms else type(condition)(tuple(term for term in terms if term is not None))
    if isinstance(condition, Among) and len(condition.operands) > MOST_VALUES:
        return None
    if isinstance(condition, (Compare, Null, Match, Among)):
        path: Path = (navigation, *condition.path)
        return replace(condition, path=path)
    return condition if isinstance(condition, Never) else None
