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
    """Scan `target` is read through `navigation` of scan `source`; `condition` is what it demands of the source.

    `needed` says that a row of the source without one of the target does not matter.
    """

    source: int
    target: int
    navigation: str
    condition: Filter | None
    needed: bool


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
        needed = any(other.source is link.target and other.target is link.source for other in links)
        own = filters.get(target)
        demanded = None if own is None else through(navigation, own)
        if own is None or (needed and demanded is not None):
            chosen[target] = Expansion(source, target, navigation, demanded, needed)
    return {target: each for target, each in chosen.items() if _can_demand(each, chosen)}


def _can_demand(expansion: Expansion, chosen: Mapping[int, Expansion]) -> bool:
    """Say whether what is demanded of the source may be demanded of the table at the root as well."""
    above = chosen.get(expansion.source)
    while expansion.condition is not None and above is not None:
        if not above.needed:
            return False
        above = chosen.get(above.source)
    return True


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
