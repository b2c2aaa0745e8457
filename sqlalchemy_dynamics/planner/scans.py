"""How each table of a residual is fetched: in a request of its own, with another's keys, or inside another's reply."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import replace

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.filters import Both, Filter
from sqlalchemy_dynamics.planner.expansion import Expansion, expansions, through
from sqlalchemy_dynamics.planner.implied import Implied
from sqlalchemy_dynamics.planner.links import Link, choose
from sqlalchemy_dynamics.planner.names import Occurrence
from sqlalchemy_dynamics.planner.plan import EVERY_ROW, Keys, Scan

__all__ = ["scans_of"]


def scans_of(
    occurrences: list[Occurrence],
    needed: Mapping[int, tuple[Column, ...]],
    implied: Implied,
    limited: Mapping[int, Scan],
) -> tuple[Scan, ...]:
    """Return a scan for every table mention; `limited` are those of which only the first rows are wanted."""
    columns = {each.number: _fetched(each, needed[each.number]) for each in occurrences}
    present = [each for each in implied.links if each.source.number in columns and each.target.number in columns]
    open_links = [link for link in present if link.target.number not in limited and _shows(limited, link)]
    whole_rows = [link for link in open_links if not _is_grouped(limited.get(link.source.number))]
    expanded = expansions(whole_rows, without(implied.filters, implied.kept), columns)
    filters = without(implied.filters, implied.kept & set(expanded))
    for each in expanded.values():
        root, condition = _root(each, expanded)
        _add(filters, root, condition)
    filters = _passed_on([link for link in present if link.source.number not in limited], filters, expanded)
    few = {number for number, scan in limited.items() if scan.limit.count is not None or scan.leading is not None}
    roots = {number: _root(each, expanded)[0] for number, each in expanded.items()}
    free = [link for link in open_links if link.target.number not in expanded]
    links = choose(free, filters, occurrences, few, roots)
    grouped = {number: scan for number, scan in limited.items() if _is_grouped(scan)}
    groups = {number: _narrowed(scan, present, filters, limited) for number, scan in grouped.items()}
    return tuple(
        groups.get(each.number) or replace(limited[each.number], columns=columns[each.number])
        if each.number in limited
        else Scan(
            each.number,
            each.table,
            columns[each.number],
            filters.get(each.number, EVERY_ROW),
            keys=_keys(links.get(each.number)),
            through=_through(expanded.get(each.number)),
        )
        for each in occurrences
    )


def _is_grouped(scan: Scan | None) -> bool:
    return scan is not None and (scan.groups is not None or bool(scan.extremes))


def _shows(limited: Mapping[int, Scan], link: Link) -> bool:
    """Groups show their keys only."""
    scan = limited.get(link.source.number)
    if scan is None or not _is_grouped(scan):
        return True
    return scan.groups is not None and link.key in scan.groups.keys


def _narrowed(scan: Scan, links: list[Link], filters: Mapping[int, Filter], limited: Mapping[int, Scan]) -> Scan:
    """Leave out groups that nobody asks for: what is said of a key is said of all of a group's rows."""
    for link in links:
        if link.target.number == scan.number and link.source.number not in limited and scan.groups is not None:
            said = _said(link, filters) if link.column in scan.groups.keys else None
            if said is not None:
                scan = replace(scan, filter=Both((scan.filter, said)))
    return scan


def _add(filters: dict[int, Filter], number: int, condition: Filter | None) -> None:
    if condition is not None:
        filters[number] = Both((filters[number], condition)) if number in filters else condition


def without(filters: Mapping[int, Filter], numbers: Set[int]) -> dict[int, Filter]:
    """Return the filters of all other tables."""
    return {number: condition for number, condition in filters.items() if number not in numbers}


def _passed_on(links: list[Link], filters: Mapping[int, Filter], expanded: Collection[int]) -> dict[int, Filter]:
    """Add to every table what is demanded of the rows it looks up: it restricts as keys would, and waits for nobody."""
    found = dict(filters)
    waiting = [link for link in links if link.target.number not in expanded and link.turned.navigation is not None]
    while waiting:
        targets = {link.target.number for link in waiting}
        ready = [link for link in waiting if link.source.number not in targets] or waiting[:1]
        for link in ready:
            _add(found, link.target.number, _said(link, found))
        waiting = [link for link in waiting if link not in ready]
    return found


def _said(link: Link, filters: Mapping[int, Filter]) -> Filter | None:
    """Return the source's condition along the target's lookup."""
    navigation = link.turned.navigation
    own = filters.get(link.source.number)
    return None if navigation is None or own is None else through(navigation, own)


def _fetched(occurrence: Occurrence, needed: tuple[Column, ...]) -> tuple[Column, ...]:
    key = occurrence.table.columns[occurrence.table.primary_key]
    return needed or (key,)


def _root(expansion: Expansion, expanded: Mapping[int, Expansion]) -> tuple[int, Filter | None]:
    """Return the scan that is really asked, and the expansion's condition as seen from it."""
    condition = expansion.condition
    while expansion.source in expanded:
        expansion = expanded[expansion.source]
        condition = None if condition is None else through(expansion.navigation, condition)
    return expansion.source, condition


def _keys(link: Link | None) -> Keys | None:
    return None if link is None else Keys(link.source.number, link.key, link.column)


def _through(expansion: Expansion | None) -> tuple[int, str] | None:
    return None if expansion is None else (expansion.source, expansion.navigation)
