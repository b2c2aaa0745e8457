"""SELECT to a plan: rows or groups from the service alone where that is exact, scans and residual SQL otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from sqlalchemy_dynamics.odata.filters import Never
from sqlalchemy_dynamics.planner.carrying import speak_text_rule
from sqlalchemy_dynamics.planner.checks import checks_of
from sqlalchemy_dynamics.planner.constants import Kinds
from sqlalchemy_dynamics.planner.contents import left_out, with_addresses
from sqlalchemy_dynamics.planner.crm_functions import refuse_left
from sqlalchemy_dynamics.planner.extremes import extremes_of
from sqlalchemy_dynamics.planner.first_rows import first_rows
from sqlalchemy_dynamics.planner.flattening import flattened
from sqlalchemy_dynamics.planner.groups import Grouping, grouping_of
from sqlalchemy_dynamics.planner.guids import Types, order_guids
from sqlalchemy_dynamics.planner.implied import imply
from sqlalchemy_dynamics.planner.inlining import inline
from sqlalchemy_dynamics.planner.joined_groups import joined_shape
from sqlalchemy_dynamics.planner.joined_rows import joined_limits, joined_rows
from sqlalchemy_dynamics.planner.lengths import fits_whole
from sqlalchemy_dynamics.planner.names import Lookup, Occurrence, Sources, find_occurrences
from sqlalchemy_dynamics.planner.needless import Needless, needless
from sqlalchemy_dynamics.planner.needs import columns_needed
from sqlalchemy_dynamics.planner.parts import Depth, grouped_parts
from sqlalchemy_dynamics.planner.plan import Check, Plan, Residual, Scan
from sqlalchemy_dynamics.planner.prefixes import prefix_of, with_prefix
from sqlalchemy_dynamics.planner.pushdown import Translator
from sqlalchemy_dynamics.planner.reasons import reasons
from sqlalchemy_dynamics.planner.residual import (
    is_read_once,
    name_outputs,
    parameters_in,
    read_days,
    read_parameters,
    settle,
    stand_in,
    to_sql,
)
from sqlalchemy_dynamics.planner.rows import leading_scan, limited_scan, plain_rows
from sqlalchemy_dynamics.planner.scans import scans_of
from sqlalchemy_dynamics.planner.semijoins import without_semijoins
from sqlalchemy_dynamics.planner.shape import shape_of
from sqlalchemy_dynamics.planner.shown_names import names_shown
from sqlalchemy_dynamics.planner.tsql_types import settle_types
from sqlalchemy_dynamics.planner.unwrap import unwrapped

__all__ = ["plan_select", "reads_tables"]

_WHOLE = (("Pushdown=false", "tables are fetched whole, and everything is computed here"),)
_MERGED = (("the groups", "they are merged, filtered, sorted and cut here"),)
_FIRST = (("MIN, MAX", "they are read off the first rows in the column's order"),)
_WIRE_LOOKUP = re.compile(r"_(\w+)_value", re.IGNORECASE)


def plan_select(
    tree: exp.Expression,
    lookup: Lookup,
    kinds: Kinds,
    pinned: Mapping[int | str, object],
    pushdown: bool = True,
) -> Plan:
    """Plan one SELECT. The tree is not changed.

    `kinds` holds the type name of each parameter, `pinned` the values of those that
    `Statement.pinned` names. With
    `pushdown` off every table is fetched whole. Raises ProgrammingError for names the organisation does not have.
    """
    tree = _with_logical_names(tree.copy())
    name_outputs(tree)
    settle_types(tree, lookup)
    occurrences = find_occurrences(tree, lookup)
    tables, names = frozenset(each.table.name for each in occurrences), names_shown(tree, occurrences)
    if pushdown:
        inline(tree)
    if pushdown and tree.find(exp.Join, exp.Subquery, exp.CTE):
        translator = _translator(find_occurrences(tree, lookup), lookup, kinds, pinned)
        if flattened(tree, translator.sources):
            translator = _translator(find_occurrences(tree, lookup), lookup, kinds, pinned)
        joined = _joined_groups(tree, lookup, kinds, pinned)
        if joined is not None:
            return replace(joined, tables=tables, names=names)
        without_semijoins(tree, translator)
    downloads, notes = with_addresses(tree, lookup), left_out(tree, lookup)
    alone = _alone(tree, lookup, kinds, pinned) if pushdown else None
    plan = alone or _residual(tree, lookup, kinds, pinned, pushdown)
    told = tuple(note for note in (*plan.notes, *notes) if "/$value" not in note[0])
    return replace(plan, notes=told, downloads=downloads, tables=tables, names=names)


def reads_tables(tree: exp.Expression) -> bool:
    """Say whether a statement reads anything but constants."""
    return tree.find(exp.Table) is not None


def _with_logical_names(tree: exp.Expression) -> exp.Expression:
    """Accept `_parentaccountid_value` for `parentaccountid`; a selected one keeps the name it was asked by."""
    for node in list(tree.find_all(exp.Column)):
        match = _WIRE_LOOKUP.fullmatch(node.name)
        if match is None:
            continue
        name = node.name
        node.set("this", exp.to_identifier(match[1], quoted=True))
        if isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
            node.replace(exp.alias_(node.copy(), name, quoted=True))
    return tree


def _translator(
    occurrences: list[Occurrence],
    lookup: Lookup,
    kinds: Kinds,
    pinned: Mapping[int | str, object],
    pushdown: bool = True,
) -> Translator:
    return Translator(Sources(occurrences), kinds, pinned, lookup, calls_only=not pushdown)


def _alone(tree: exp.Expression, lookup: Lookup, kinds: Kinds, pinned: Mapping[int | str, object]) -> Plan | None:
    """Return the plan of a statement the service answers, with at most a small residual on top of its answer."""
    whole, tree = tree, unwrapped(tree)
    occurrences = find_occurrences(tree, lookup)
    translator = _translator(occurrences, lookup, kinds, pinned)
    joined = joined_rows(tree, occurrences, translator)
    if joined is not None and _sendable(joined.scan, pinned):
        return Plan(joined)
    shape = shape_of(tree, occurrences, translator)
    if shape is None:
        return None
    rows = plain_rows(shape)
    if rows is not None:
        return Plan(rows) if _sendable(rows.scan, pinned) else _residual(tree, lookup, kinds, pinned, True)
    if limited_scan(shape) is not None or leading_scan(shape) is not None:
        return _residual(tree, lookup, kinds, pinned, True)
    grouping, extremes = grouping_of(shape), extremes_of(shape)
    if extremes is not None and not _sendable(extremes, pinned):
        extremes = None
    if grouping is None and extremes is None:
        return None
    checks = checks_of(tree, translator.sources, kinds, where=False)
    unneeded = needless(tree, occurrences, translator)
    if extremes is not None:
        local = Plan(_over_one(shape.select.copy(), _as_needed(extremes, unneeded), kinds, checks), _FIRST)
    else:
        local = _residual(whole, lookup, kinds, pinned, True)
    if grouping is None:
        return local
    return _merging(grouping, _as_needed(grouping.scan, unneeded), kinds, checks, local)


def _merging(grouping: Grouping, scan: Scan, kinds: Kinds, checks: tuple[Check, ...], local: Plan) -> Plan:
    """The service's groups as they are, else merged here, else its rows."""
    merging = Plan(_over_one(grouping.merged(), scan, kinds, checks), _MERGED, fallback=local)
    rows = grouping.rows()
    return merging if rows is None else Plan(rows, fallback=merging)


def _joined_groups(
    tree: exp.Expression, lookup: Lookup, kinds: Kinds, pinned: Mapping[int | str, object]
) -> Plan | None:
    """Return the plan of groups whose keys the service finds along lookups."""
    whole, tree = tree, tree.copy()
    occurrences = find_occurrences(tree, lookup)
    translator = _translator(occurrences, lookup, kinds, pinned)
    unneeded = needless(tree, occurrences, translator)
    shape = joined_shape(tree, occurrences, translator)
    grouping = None if shape is None else grouping_of(shape)
    if shape is None or grouping is None:
        return None
    checks = checks_of(shape.select, shape.sources, kinds, where=False)
    number = next(each.number for each in occurrences if each.node is shape.occurrence.node)
    scan = _as_needed(replace(grouping.scan, number=number), unneeded)
    return _merging(grouping, scan, kinds, checks, _residual(whole, lookup, kinds, pinned, True, Depth.NONE))


def _over_one(select: exp.Select, scan: Scan, kinds: Kinds, checks: tuple[Check, ...]) -> Residual:
    """The statement over the one scan's view; its WHERE is met by every row of it."""
    select.set("where", None)
    speak_text_rule(select, Sources([]), kinds)
    order_guids(select, Types(Sources([]), scan.table))
    table = (select.args.get("from_") or select.args.get("from")).this
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name, quoted=True))
    table.replace(exp.Table(this=exp.to_identifier(scan.view), alias=alias))
    return Residual(to_sql(select), (scan,), parameters_in(select), True, checks)


def _residual(
    tree: exp.Expression,
    lookup: Lookup,
    kinds: Kinds,
    pinned: Mapping[int | str, object],
    pushdown: bool,
    grouping: Depth = Depth.JOINED,
    limits: bool = True,
) -> Plan:
    """The statement over what is fetched of its tables; `grouping` says what of it may be the service's own groups.

    With `limits`, only the first rows where no more are wanted.
    """
    original, tree = tree, tree.copy()
    occurrences = find_occurrences(tree, lookup)
    translator = _translator(occurrences, lookup, kinds, pinned, pushdown)
    unneeded = needless(tree, occurrences, translator)
    implied = imply(tree, occurrences, translator)
    if pushdown:
        implied.keep_looked_up()
    else:
        implied.links.clear()
    limited = first_rows(tree, occurrences, translator) if pushdown and limits else {}
    for scan, others in joined_limits(tree, occurrences, translator) if pushdown and limits else ():
        limited[scan.number] = scan
        implied.said_elsewhere({each.number for each in others})
    parts = grouped_parts(tree, occurrences, translator, grouping if pushdown else Depth.NONE)
    once, sources = is_read_once(tree), translator.sources
    whole = pushdown and limits and not limited and not parts.scans
    prefix = prefix_of(tree, occurrences, sources, implied.settled) if whole else None
    settle(implied.settled)
    checks = checks_of(tree, sources, kinds)
    refuse_left(tree, translator.refused)
    notes = {**translator.refused, **dict(reasons(tree, translator.sources, parts.merging))}
    occurrences = [each for each in occurrences if each.node.root() is tree]
    columns = columns_needed(tree, occurrences)
    order_guids(tree, Types(translator.sources))
    read_days(tree, translator)
    read_parameters(tree, translator)
    speak_text_rule(tree, translator.sources, kinds)
    stand_in(occurrences)
    found, enough = with_prefix(scans_of(occurrences, columns, implied, {**limited, **parts.scans}), prefix)
    if limits and not all(_sendable(scan, pinned) for scan in found):
        return _residual(original, lookup, kinds, pinned, pushdown, grouping, False)
    scans = tuple(_as_needed(scan, unneeded) for scan in found)
    if enough is not None:
        notes.setdefault("LIMIT", "pages are read until enough rows are found")
    work = Residual(to_sql(tree), scans, parameters_in(tree), once and len(scans) == 1, checks, enough)
    local = _residual(original, lookup, kinds, pinned, pushdown, parts.less) if parts.scans else None
    return Plan(work, tuple(notes.items()) if pushdown else _WHOLE, local)


def _sendable(scan: Scan, pinned: Mapping[int | str, object]) -> bool:
    """Rows in one order come with one query, so its lists cannot be sent in portions."""
    return not (scan.order or scan.extremes) or fits_whole(scan.filter, pinned)


def _as_needed(scan: Scan, unneeded: Needless) -> Scan:
    dead, limits = unneeded
    if scan.number in dead:
        return replace(scan, filter=Never(), keys=None)
    return replace(scan, unless=limits[scan.number]) if scan.number in limits else scan
