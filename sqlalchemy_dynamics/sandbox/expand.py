"""`$expand`: parsed, checked, and rendered as SQL that prints the nested rows (section 4.8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote as encode

from sqlalchemy_dynamics.sandbox.annotations import Wanted, quote
from sqlalchemy_dynamics.sandbox.failures import Refused, bad_request, unknown_property
from sqlalchemy_dynamics.sandbox.grammar import parse_filter
from sqlalchemy_dynamics.sandbox.options import Options, Selection, order_terms, read_options, select_columns
from sqlalchemy_dynamics.sandbox.paging import OrderTerm, skip_token
from sqlalchemy_dynamics.sandbox.predicates import compile_filter
from sqlalchemy_dynamics.sandbox.rows import Pieces, RowShape, row_sql
from sqlalchemy_dynamics.sandbox.schema import Navigation, Table
from sqlalchemy_dynamics.sandbox.scope import Scope, related
from sqlalchemy_dynamics.sandbox.values import sql_name
from sqlalchemy_dynamics.sandbox.wire import Service, split_outside_quotes

__all__ = ["Expand", "Frame", "add_members", "check_expands", "context_of", "parse_expand", "typed_row"]

_LIMIT = 15
_LAST, _FIRST = "LASTROW", "FIRSTROW"
_URL_SAFE = "$=,;&()'/:@*%"
_MANY_TO_ONE = (
    "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested "
    "one-to-many relationship."
)


@dataclass(frozen=True)
class Expand:
    """One expanded navigation with its own options."""

    navigation: Navigation
    options: Options
    raw: str
    reference: bool
    children: tuple[Expand, ...]


def parse_expand(service: Service, table: Table, text: str, nested: bool = False) -> tuple[Expand, ...]:
    """Return the expands of a `$expand`; raises ODataError for what the service refuses."""
    if not text.strip():
        return ()
    found = tuple(_one(service, table, part.strip(), nested) for part in split_outside_quotes(text, ","))
    if any(expand.navigation.many_to_many for expand in found) and any(expand.children for expand in found):
        raise bad_request("$expand on a many-to-many relationship cannot be nested.", "0x80060888")
    return found


def _one(service: Service, table: Table, part: str, nested: bool) -> Expand:
    name, bracket, rest = part.partition("(")
    if not name.strip() or (bracket and not rest.endswith(")")):
        raise bad_request(f"Syntax error at position {len(part)} in '{part}'.")
    name, reference = name.strip().removesuffix("/$ref"), name.strip().endswith("/$ref")
    navigation = service.organisation.navigations(table.name).get(name)
    if navigation is None:
        raise unknown_property(name, table.name)
    raw = rest.rpartition(")")[0] if bracket else ""
    options = [_option(option) for option in split_outside_quotes(raw, ";") if option.strip()]
    given = dict(options)
    if len(given) < len(options):
        raise bad_request(f"An option of $expand was specified more than once in '{part}'.")
    target = service.organisation.tables[navigation.target]
    _check(navigation, given, nested, reference)
    read = replace(read_options(service, {**given, "$expand": ""}), expand=given.get("$expand", ""))
    children = parse_expand(service, target, read.expand, True)
    if navigation.many_to_many and (nested or children):
        raise bad_request("$expand on a many-to-many relationship cannot be nested.", "0x80060888")
    return Expand(navigation, read, raw, reference, children)


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _check(navigation: Navigation, given: dict[str, str], nested: bool, reference: bool) -> None:
    if reference and navigation.collection:
        raise bad_request("Expand with $ref is only supported on lookup type navigation property.", "0x80060888")
    allowed = {"$select", "$filter", "$expand"}
    if navigation.collection and not nested:
        allowed |= {"$orderby", "$top"}
    for name in given:
        if name in ("$skip", "$count", "$search", "$levels", "$apply"):
            raise bad_request(f"The query parameter {name} is not supported in $expand.", "0x80060888")
        if name not in allowed:
            raise bad_request(_MANY_TO_ONE, "0x80060888")


def check_expands(expands: tuple[Expand, ...]) -> None:
    """Raise ODataError 400 when a query has more than 15 expands."""
    if _count(expands) > _LIMIT:
        raise bad_request("Number of link entities in query exceeded maximum limit.", "0x8004430D")


def _count(expands: tuple[Expand, ...]) -> int:
    return sum(1 + _count(expand.children) for expand in expands)


def context_of(select: Selection, expands: tuple[Expand, ...]) -> str:
    """Return what the context URL shows in parentheses, with them."""
    parts = list(select.shown or ())
    for expand in expands:
        inner = ",".join(
            [*(expand.options.select or ()), *(context_of(Selection([], None), (c,))[1:-1] for c in expand.children)]
        )
        parts.append(f"{expand.navigation.name}({inner})")
    return f"({','.join(parts)})" if parts else ""


@dataclass(frozen=True)
class Rendered:
    """SQL text that prints ``,"nav":…`` and the parameters in it."""

    sql: str
    parameters: tuple[object, ...]


@dataclass(frozen=True)
class Frame:
    """What holds for all expands of a query: the annotations wanted, the service root, and how inner rows are cut.

    `in_collection` says that the query returns many rows: rows behind lookups then have no etag, and every expanded
    collection has a next link. `inner_page` is the page size of inner collections when expands are nested.
    """

    service: Service
    wanted: Wanted
    root: str
    in_collection: bool
    inner_page: int | None = None


def render_expand(frame: Frame, scope: Scope, expand: Expand) -> Rendered:
    """Return one expand as SQL."""
    return _collection(frame, scope, expand) if expand.navigation.collection else _single(frame, scope, expand)


def _shape(frame: Frame, inner: Scope, expand: Expand, etag: bool) -> tuple[RowShape, tuple[object, ...]]:
    selection = select_columns(frame.service, inner.table, expand.options.select)
    shape = RowShape(inner.table, selection.columns, inner.alias, etag)
    return shape, add_members(frame, inner, shape, expand.children)


def add_members(frame: Frame, scope: Scope, shape: RowShape, expands: tuple[Expand, ...]) -> tuple[object, ...]:
    """Put the expands of a row into its shape; returns their parameters."""
    parameters: tuple[object, ...] = ()
    for expand in expands:
        if expand.reference:
            column = scope.table.columns[expand.navigation.column]
            shape.columns += [column] if column not in shape.columns else []
        rendered = render_expand(frame, scope, expand)
        shape.members.append(rendered.sql)
        parameters += rendered.parameters
    return parameters


def _inner(scope: Scope, expand: Expand) -> Scope:
    target = scope.service.organisation.tables[expand.navigation.target]
    return Scope(scope.service, target, scope.next_alias("x"), counter=scope.counter)


def _single(frame: Frame, scope: Scope, expand: Expand) -> Rendered:
    inner = _inner(scope, expand)
    navigation, target = expand.navigation, inner.table
    column = scope.table.columns[navigation.column]
    value = f"{scope.alias}.{sql_name(column.name)}"
    where = f"{inner.alias}.{sql_name(target.primary_id)} = {value}"
    if column.polymorphic and not target.abstract:
        where += f" AND {scope.alias}.{sql_name(column.name + ':type')} = {quote(target.name)}"
    row, parameters = _single_row(frame, inner, expand, value)
    condition = _filter(inner, expand)
    found = f"(SELECT {row} FROM {inner.source} WHERE {where}{condition.sql})"
    return Rendered(f"{_head(navigation.name)}||ifnull({found},'null')", parameters + condition.parameters)


def _single_row(frame: Frame, inner: Scope, expand: Expand, value: str) -> tuple[str, tuple[object, ...]]:
    if expand.reference:
        address = f'{{"@odata.id":"{frame.root}{inner.table.set_name}('
        return f"{quote(address)}||{value}||{quote(')' + chr(34) + '}')}", ()
    shape, parameters = _shape(
        frame, inner, expand, not frame.in_collection or frame.service.switches.etag_on_expanded_lookup
    )
    return typed_row(frame.service, shape, frame.wanted), parameters


def typed_row(service: Service, shape: RowShape, wanted: Wanted) -> str:
    """Return the SQL of a row; one of an abstract type says which derived type it is."""
    text = row_sql(service, shape, wanted)
    if not shape.table.abstract:
        return text
    head = '{"@odata.type":"#Microsoft.Dynamics.CRM.'
    return f'{quote(head)}||{shape.alias}.":table"||\'",\'||substr({text},2)'


def _head(name: str) -> str:
    return quote(f',"{name}":')


def _filter(inner: Scope, expand: Expand) -> Rendered:
    if not expand.options.filter:
        return Rendered("", ())
    condition = compile_filter(parse_filter(expand.options.filter, {}, inner.service.switches), inner)
    return Rendered(f" AND {condition.text}", condition.parameters)


def _collection(frame: Frame, scope: Scope, expand: Expand) -> Rendered:
    inner = _inner(scope, expand)
    navigation = expand.navigation
    shape, parameters = _shape(frame, inner, expand, True)
    if frame.in_collection and expand.options.select is not None and navigation.column:
        foreign = inner.table.columns[navigation.column]
        shape.columns += [foreign] if foreign not in shape.columns else []
    link, where = related(navigation, scope.alias, inner)
    condition = _filter(inner, expand)
    terms = order_terms(inner, expand.options.orderby)
    order = ", ".join(f"{term.sql}{' DESC' if term.descending else ''}" for term in terms)
    largest = frame.inner_page or frame.service.max_page_size
    limit = largest if expand.options.top is None else min(largest, expand.options.top)
    body = f"FROM {inner.source}{link} WHERE {where}{condition.sql}"
    row = typed_row(frame.service, shape, frame.wanted)
    rows = f"(SELECT group_concat(r, ',') FROM (SELECT {row} AS r {body} ORDER BY {order} LIMIT {limit}))"
    tail = _next_link(frame, scope, expand, inner, body, order, limit, condition.parameters)
    text = f"{_head(navigation.name)}||'['||ifnull({rows},'')||']'||{tail.sql}"
    return Rendered(text, parameters + condition.parameters + tail.parameters)


def _next_link(
    frame: Frame,
    scope: Scope,
    expand: Expand,
    inner: Scope,
    body: str,
    order: str,
    limit: int,
    parameters: tuple[object, ...],
) -> Rendered:
    """The next link of an expanded collection: always in a list of rows, else (and when nested) where rows are left."""
    owner, name = scope.table, expand.navigation.name
    query = "&".join(part.strip() for part in split_outside_quotes(expand.raw, ";") if part.strip())
    encoded = encode(query, safe=_URL_SAFE)
    start = Pieces().text(f',"{name}@odata.nextLink":"{frame.root}{owner.set_name}(')
    start.add(f"{scope.alias}.{sql_name(owner.primary_id)}").text(f")/{name}")
    if frame.in_collection and frame.inner_page is None:
        return Rendered(start.text(f"?{encoded}" if encoded else "").text('"').sql(), ())
    if expand.options.top is not None:
        return Rendered("''", ())
    key = inner.table.columns[inner.table.primary_id]
    term = OrderTerm(key.name, "", "", guid=True)
    token = skip_token(2, [term], [_LAST], [_FIRST], f' countOfRecords="{limit}"')
    before, _, rest = token.partition(_LAST)
    middle, _, after = rest.partition(_FIRST)
    identity = f"{inner.alias}.{sql_name(key.name)}"
    start.text(f"?{encoded}{'&' if encoded else ''}$skiptoken={before}")
    start.add(f"upper((SELECT {identity} {body} ORDER BY {order} LIMIT 1 OFFSET {limit - 1}))").text(middle)
    start.add(f"upper((SELECT {identity} {body} ORDER BY {order} LIMIT 1))").text(f'{after}"')
    more = f"(SELECT count(*) FROM (SELECT 1 {body} LIMIT {limit + 1})) > {limit}"
    return Rendered(f"CASE WHEN {more} THEN {start.sql()} ELSE '' END", parameters * 3)


def refuse_apply(service: Service, name: str) -> Refused:
    """Return the refusal of an outer option beside `$apply`."""
    return Refused(service.switches.outer_options_with_apply, name=name)
