"""`$expand`: parsed, checked, and rendered as SQL that prints the nested rows (section 4.8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote as encode

from sqlalchemy_dynamics.sandbox.annotations import Wanted, quote
from sqlalchemy_dynamics.sandbox.failures import Refused, bad_request, unknown_property
from sqlalchemy_dynamics.sandbox.grammar import parse_filter
from sqlalchemy_dynamics.sandbox.options import Options, Selection, order_terms, read_options, select_columns
from sqlalchemy_dynamics.sandbox.predicates import Scope, compile_filter, related
from sqlalchemy_dynamics.sandbox.rows import RowShape, row_sql
from sqlalchemy_dynamics.sandbox.schema import Navigation, Table
from sqlalchemy_dynamics.sandbox.values import sql_name
from sqlalchemy_dynamics.sandbox.wire import Service, split_outside_quotes

__all__ = ["Expand", "Rendered", "check_expands", "context_of", "parse_expand", "render_expand"]

_LIMIT = 15
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
    return tuple(_one(service, table, part.strip(), nested) for part in split_outside_quotes(text, ",") if part.strip())


def _one(service: Service, table: Table, part: str, nested: bool) -> Expand:
    name, bracket, rest = part.partition("(")
    name, reference = name.strip().removesuffix("/$ref"), name.strip().endswith("/$ref")
    navigation = service.organisation.navigations(table.name).get(name)
    if navigation is None:
        raise unknown_property(name, table.name)
    raw = rest.rpartition(")")[0] if bracket else ""
    given = dict(_option(option) for option in split_outside_quotes(raw, ";") if option.strip())
    target = service.organisation.tables[navigation.target]
    _check(navigation, given, nested, reference)
    options = replace(read_options(service, {**given, "$expand": ""}), expand=given.get("$expand", ""))
    children = parse_expand(service, target, options.expand, True)
    if navigation.many_to_many and (nested or children):
        raise bad_request("$expand on a many-to-many relationship cannot be nested.", "0x80060888")
    return Expand(navigation, options, raw, reference, children)


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


def render_expand(
    service: Service, scope: Scope, expand: Expand, wanted: Wanted, root: str, in_collection: bool, path: str = ""
) -> Rendered:
    """Return one expand as SQL. `in_collection` says that the outer query returns many rows (no etag on lookups)."""
    if expand.navigation.collection:
        return _collection(service, scope, expand, wanted, root)
    return _single(service, scope, expand, wanted, root, in_collection)


def _shape(
    service: Service, inner: Scope, expand: Expand, wanted: Wanted, root: str, in_collection: bool, etag: bool
) -> tuple[RowShape, tuple[object, ...]]:
    selection = select_columns(service, inner.table, expand.options.select)
    shape = RowShape(inner.table, selection.columns, inner.alias, etag)
    parameters: tuple[object, ...] = ()
    for child in expand.children:
        rendered = render_expand(service, inner, child, wanted, root, in_collection)
        shape.members.append(rendered.sql)
        parameters += rendered.parameters
    return shape, parameters


def _inner(service: Service, scope: Scope, expand: Expand) -> Scope:
    target = service.organisation.tables[expand.navigation.target]
    return Scope(service, target, scope.next_alias("x"), counter=scope.counter)


def _single(service: Service, scope: Scope, expand: Expand, wanted: Wanted, root: str, in_collection: bool) -> Rendered:
    inner = _inner(service, scope, expand)
    navigation, target = expand.navigation, inner.table
    column = scope.table.columns[navigation.column]
    value = f"{scope.alias}.{sql_name(column.name)}"
    where = f"{inner.alias}.{sql_name(target.primary_id)} = {value}"
    if column.polymorphic and not target.abstract:
        where += f" AND {scope.alias}.{sql_name(column.name + ':type')} = {quote(target.name)}"
    if expand.reference:
        row: str = f"'{{\"@odata.id\":\"{root}{target.set_name}('||{value}||')\"}}'"
        parameters: tuple[object, ...] = ()
    else:
        etag = not in_collection or service.switches.etag_on_expanded_lookup
        shape, parameters = _shape(service, inner, expand, wanted, root, in_collection, etag)
        row = _typed_row(service, shape, wanted)
    condition = _filter(service, inner, expand)
    sql = (
        f"{quote(f',{chr(34)}{navigation.name}{chr(34)}:')}||ifnull((SELECT {row} FROM {inner.source} "
        f"WHERE {where}{condition.sql}),'null')"
    )
    return Rendered(sql, parameters + condition.parameters)


def _typed_row(service: Service, shape: RowShape, wanted: Wanted) -> str:
    """A row of an abstract type says which derived type it is."""
    text = row_sql(service, shape, wanted)
    if not shape.table.abstract:
        return text
    kind = f'\'{{"@odata.type":"#Microsoft.Dynamics.CRM.\'||{shape.alias}.":table"||\'",\''
    return f"{kind}||substr({text},2)"


def _filter(service: Service, inner: Scope, expand: Expand) -> Rendered:
    if not expand.options.filter:
        return Rendered("", ())
    condition = compile_filter(parse_filter(expand.options.filter, {}, service.switches), inner)
    return Rendered(f" AND {condition.text}", condition.parameters)


def _collection(service: Service, scope: Scope, expand: Expand, wanted: Wanted, root: str) -> Rendered:
    inner = _inner(service, scope, expand)
    navigation = expand.navigation
    shown = expand.options.select
    shape, parameters = _shape(service, inner, expand, wanted, root, True, True)
    if shown is not None and navigation.column and not navigation.many_to_many:
        foreign = inner.table.columns[navigation.column]
        if foreign not in shape.columns:
            shape.columns.append(foreign)
    link, where = related(navigation, scope.alias, inner)
    condition = _filter(service, inner, expand)
    terms = order_terms(inner, expand.options.orderby)
    order = ", ".join(f"{term.sql}{' DESC' if term.descending else ''}" for term in terms)
    limit = min(service.max_page_size, expand.options.top if expand.options.top is not None else service.max_page_size)
    row = _typed_row(service, shape, wanted)
    rows = (
        f"(SELECT group_concat(r, ',') FROM (SELECT {row} AS r FROM {inner.source}{link} "
        f"WHERE {where}{condition.sql} ORDER BY {order} LIMIT {limit}))"
    )
    owner = scope.table
    query = "&".join(part.strip() for part in split_outside_quotes(expand.raw, ";") if part.strip())
    next_link = (
        f',"{navigation.name}@odata.nextLink":"{root}{owner.set_name}(\'||{scope.alias}.'
        f"{sql_name(owner.primary_id)}||')/{navigation.name}{'?' + encode(query, safe=_URL_SAFE) if query else ''}\""
    )
    head = quote(f',"{navigation.name}":[')
    link_text = (
        "'"
        + next_link.replace("'||", "\0")
        .replace("||'", "\1")
        .replace("'", "''")
        .replace("\0", "'||")
        .replace("\1", "||'")
        + "'"
    )
    return Rendered(f"{head}||ifnull({rows},'')||']'||{link_text}", parameters + condition.parameters)


def refuse_apply(service: Service, name: str) -> Refused:
    """Return the refusal of an outer option beside `$apply`."""
    return Refused(service.switches.outer_options_with_apply, name=name)
