"""A scan and its parameter values as queries, and the fields to read from their replies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy_dynamics.edm import SqlType, decimal
from sqlalchemy_dynamics.execute.portions import KEYS_PER_REQUEST, portions
from sqlalchemy_dynamics.metadata.model import AUDIT, Column, Companion
from sqlalchemy_dynamics.odata.binding import bind, simplify
from sqlalchemy_dynamics.odata.filters import Among, Both, Filter, Never, Null, Path, Value
from sqlalchemy_dynamics.odata.pages import Field
from sqlalchemy_dynamics.odata.query import (
    FORMATTED_VALUE,
    LOOKUP_TABLE,
    MOST_ROWS,
    Aggregate,
    Apply,
    Expand,
    Order,
    Query,
)
from sqlalchemy_dynamics.planner.plan import Groups, Limit, Marker, Measure, Scan

__all__ = ["KEYS_PER_REQUEST", "Ask", "asks_of", "field_of", "fields_of"]

Values = Mapping[int | str, object]
_ANNOTATIONS = {Companion.NAME: FORMATTED_VALUE, Companion.TYPE: LOOKUP_TABLE}


@dataclass(frozen=True)
class Ask:
    """One query, the fields its rows are read as, and how many rows are wanted of it (None: all).

    When `lazy`, a page is asked for only after the one before was looked at.
    """

    query: Query
    fields: tuple[Field, ...]
    wanted: int | None = None
    lazy: bool = False


def asks_of(
    scan: Scan,
    values: Values | None,
    page_size: int | None = None,
    keys: Sequence[object] | None = None,
    among: Sequence[Scan] = (),
) -> list[Ask]:
    """Return the queries of a scan; none when its condition can never be true, or its rows come with another's.

    `among` are all scans of the plan: those read through this one are expanded in its queries.

    With `values` None the parameters stay in the filter, for EXPLAIN. `keys` are the values of `scan.keys`, sent in
    several queries when they are many. Raises DataError, ProgrammingError for values that do not fit.
    """
    if scan.through is not None or any(_is_zero(marker, values) for marker in scan.unless):
        return []
    if scan.groups is not None:
        return _grouped(scan, values)
    wanted = _wanted(scan, values)
    query = Query(
        scan.table.entity_set,
        select=_selected(scan),
        order=_with_key(scan, scan.order),
        annotations=_annotations(scan.columns),
        expand=_expands(scan, among),
    )
    fields = fields_of(scan, among)
    if scan.extremes:
        return [Ask(query, fields, 1) for query in _first_rows(scan, query, values)]
    lazy = scan.leading is not None
    bound = ((_bound(Both((scan.filter, *more)), values), order) for more, order in _parts(scan, keys))
    conditions = ((each, order) for condition, order in bound for each in _sent(condition, bool(scan.order)))
    return [
        Ask(_sized(replace(query, filter=_unless_empty(each), order=order), wanted, page_size), fields, wanted, lazy)
        for each, order in conditions
        if each != Never() and wanted != 0
    ]


def _is_zero(limit: Marker, values: Values | None) -> bool:
    return values is not None and Limit(limit).bound(values)[0] == 0


def _selected(scan: Scan) -> tuple[str, ...]:
    """The audit table tells its changes wrongly unless it is asked whose they are as well."""
    wires = dict.fromkeys(column.wire for column in scan.columns)
    if scan.table.name == AUDIT and "changedata" in wires:
        columns = (scan.table.columns.get(name) for name in ("objectid", "objecttypecode"))
        wires.update(dict.fromkeys(column.wire for column in columns if column is not None))
    return tuple(wires)


def _first_rows(scan: Scan, query: Query, values: Values | None) -> Iterator[Query]:
    for order in scan.extremes:
        condition = _bound(Both((scan.filter, Null(order.path, negated=True))), values)
        if condition != Never():
            yield replace(query, filter=condition, order=(order,), top=1)


def _expands(scan: Scan, among: Sequence[Scan]) -> tuple[Expand, ...]:
    return _united(
        Expand(navigation, tuple(column.wire for column in inner.columns), _expands(inner, among))
        for navigation, inner in _inside(scan, among)
    )


def _united(expands: Iterable[Expand]) -> tuple[Expand, ...]:
    """Name each navigation property once, whatever it is expanded for."""
    found: dict[str, Expand] = {}
    for each in expands:
        known = found.get(each.navigation, Expand(each.navigation))
        select = tuple(dict.fromkeys((*known.select, *each.select)))
        found[each.navigation] = Expand(each.navigation, select, _united((*known.expand, *each.expand)))
    return tuple(found.values())


def _inside(scan: Scan, among: Sequence[Scan]) -> Iterator[tuple[str, Scan]]:
    for each in among:
        if each.through is not None and each.through[0] == scan.number:
            yield each.through[1], each


def fields_of(scan: Scan, among: Sequence[Scan] = (), path: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """Return the fields of a scan's reply, those of the scans expanded in it behind its own."""
    prefix = f"{scan.number}." if path else ""
    fields = [field_of(column, prefix, path) for column in scan.columns]
    for navigation, inner in _inside(scan, among):
        fields += fields_of(inner, among, (*path, navigation))
    return tuple(fields)


def _sent(condition: Filter, ordered: bool) -> Iterator[Filter]:
    """Rows in one order come with one query; else long lists are cut into several."""
    return iter((condition,)) if ordered else portions(condition)


def _chunks(scan: Scan, keys: Sequence[object] | None) -> Iterator[tuple[Filter, ...]]:
    """The keys in portions that fit a URL; without keys one portion that demands nothing."""
    if scan.keys is None or keys is None:
        yield ()
        return
    column = scan.keys.column
    for start in range(0, len(keys), KEYS_PER_REQUEST):
        chunk = keys[start : start + KEYS_PER_REQUEST]
        yield (Among((column.wire,), tuple(Value(key, column.edm) for key in chunk)),)


def field_of(column: Column, prefix: str = "", path: tuple[str, ...] = ()) -> Field:
    """Return how a column is read: its property, or the annotation a companion is made of."""
    annotation = _ANNOTATIONS.get(column.companion) if column.companion is not None else None
    return Field(column.wire, column.type, annotation, prefix + column.name, path)


def _sized(query: Query, wanted: int | None, page_size: int | None) -> Query:
    """`$top` for what fits one page; the service ignores it beside a page size."""
    if wanted is not None and wanted <= (page_size or MOST_ROWS):
        return replace(query, top=wanted)
    return replace(query, page_size=page_size)


def _wanted(scan: Scan, values: Values | None) -> int | None:
    if values is None and not (isinstance(scan.limit.count, int) and isinstance(scan.limit.offset or 0, int)):
        return None
    count, skip = scan.limit.bound(values or {})
    return None if count is None else count + skip


def _bound(condition: Filter, values: Values | None) -> Filter:
    return simplify(condition) if values is None else bind(condition, values)


def _unless_empty(condition: Filter) -> Filter | None:
    return None if condition == Both(()) else condition


def _parts(scan: Scan, keys: Sequence[object] | None) -> Iterator[tuple[tuple[Filter, ...], tuple[Order, ...]]]:
    """Further conditions and the order under them: portions of keys, rows with a value apart from those without.

    The service has NULLs first ascending and last descending: these are the other way round.
    """
    for chunk in _chunks(scan, keys):
        if scan.apart is None:
            yield chunk, _with_key(scan, scan.order)
        else:
            with_value = (*chunk, Null(scan.apart, negated=True)), _with_key(scan, scan.order)
            without = (*chunk, Null(scan.apart)), _with_key(scan, scan.order[1:])
            yield from (without, with_value) if scan.order[0].descending else (with_value, without)


def _with_key(scan: Scan, order: tuple[Order, ...]) -> tuple[Order, ...]:
    """Append the key as tie-breaker, so that pages neither repeat nor lose rows of equal sort keys."""
    key = (scan.table.columns[scan.table.primary_key].wire,)
    if not order or any(each.path == key for each in order):
        return order
    return (*order, Order(key))


def _grouped(scan: Scan, values: Values | None) -> list[Ask]:
    assert scan.groups is not None
    groups, asks = scan.groups, list[Ask]()
    for further, measures in groups.queries:
        fields = (*map(field_of, groups.keys), *map(_measure_field, measures))
        for part, paths in _sides(groups):
            terms = (scan.filter, *(each for each in (further, part) if each is not None))
            apply = Apply(paths, tuple(map(_aggregate, measures)))
            asks += _grouping(scan, _bound(Both(terms), values), apply, fields)
    if groups.left is not None:
        rows = groups.queries[0][1][0]
        asks += _grouping(scan, _bound(scan.filter, values), Apply((), (_aggregate(rows),)), (_measure_field(rows),))
    return asks


def _sides(groups: Groups) -> Iterator[tuple[Filter | None, tuple[Path, ...]]]:
    """Yield what to group by under which condition; over rows that look up nothing, by that first."""
    if groups.left is None:
        yield None, groups.paths
        return
    yield Null(groups.left.key, negated=True), groups.paths
    others = (path for path in groups.paths if path[0] != groups.left.navigation)
    yield Null(groups.left.lookup), tuple(dict.fromkeys((groups.left.lookup, *others)))


def _grouping(scan: Scan, condition: Filter, apply: Apply, fields: tuple[Field, ...]) -> list[Ask]:
    named = _annotations(scan.groups.keys) if scan.groups is not None and apply.groups else ()
    query = Query(scan.table.entity_set, filter=_unless_empty(condition), apply=apply, annotations=named)
    return [] if condition == Never() else [Ask(query, fields)]


def _aggregate(measure: Measure) -> Aggregate:
    path = () if measure.method == "count" or measure.column is None else (measure.column.wire,)
    return Aggregate(measure.method, path, measure.alias)


def _annotations(columns: Iterable[Column]) -> tuple[str, ...]:
    wanted = {column.companion for column in columns}
    return tuple(name for companion, name in _ANNOTATIONS.items() if companion in wanted)


def _measure_field(measure: Measure) -> Field:
    """Sums come with places of their own (440000.000000000); whole numbers are read as decimals for that."""
    return Field(measure.alias, decimal(38, 10) if _is_exact(measure.type) else measure.type)


def _is_exact(kind: SqlType) -> bool:
    return kind.family in ("DECIMAL", "HUGEINT", "INTEGER", "BIGINT")
