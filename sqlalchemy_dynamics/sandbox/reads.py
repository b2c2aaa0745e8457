"""GET on data: sets, navigations, rows, columns, references and counts (sections 1.6, 4)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from sqlalchemy_dynamics.sandbox import aggregate, changes
from sqlalchemy_dynamics.sandbox.annotations import Wanted, quote
from sqlalchemy_dynamics.sandbox.expand import (
    Expand,
    check_expands,
    context_of,
    parse_expand,
    refuse_apply,
    render_expand,
)
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused, no_such_row
from sqlalchemy_dynamics.sandbox.grammar import parse_filter
from sqlalchemy_dynamics.sandbox.options import Options, Selection, order_terms, read_options, select_columns
from sqlalchemy_dynamics.sandbox.paging import OrderTerm, after, read_cookie, skip_token
from sqlalchemy_dynamics.sandbox.predicates import Scope, Sql, compile_filter, related
from sqlalchemy_dynamics.sandbox.resources import Resource, find_row
from sqlalchemy_dynamics.sandbox.rows import RowShape, row_sql
from sqlalchemy_dynamics.sandbox.schema import Table
from sqlalchemy_dynamics.sandbox.values import KINDS, sql_name
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, json_reply

__all__ = ["Rows", "collection", "count", "property_value", "raw_value", "references", "row", "row_text", "start_rows"]

TOTAL = "Microsoft.Dynamics.CRM.totalrecordcount"
EXCEEDED = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"
VERSION = "Microsoft.Dynamics.CRM.globalmetadataversion"


@dataclass
class Rows:
    """A query for rows in the making: scope, conditions, and the join a navigation needs."""

    scope: Scope
    link: str = ""
    conditions: list[Sql] = field(default_factory=list)

    def restrict(self, sql: Sql) -> None:
        self.conditions.append(sql)

    @property
    def where(self) -> str:
        return f" WHERE {' AND '.join(c.text for c in self.conditions)}" if self.conditions else ""

    @property
    def parameters(self) -> tuple[object, ...]:
        return tuple(parameter for condition in self.conditions for parameter in condition.parameters)

    @property
    def body(self) -> str:
        """FROM and WHERE."""
        return f" FROM {self.scope.source}{self.link}{self.where}"


def start_rows(service: Service, resource: Resource) -> Rows:
    """Return the query for the rows of a set, or of a collection navigation of one row."""
    rows = Rows(Scope(service, resource.rows))
    if resource.navigation is None or resource.kind == "set":
        return rows
    navigation = resource.navigation
    parent = service.organisation.tables[navigation.table]
    row_id = find_row(service, resource)
    rows.link, where = related(navigation, "p", rows.scope)
    rows.link += f" JOIN {sql_name(parent.name)} AS p ON p.{sql_name(parent.primary_id)} = {quote(row_id)}"
    rows.restrict(Sql(where))
    return rows


def collection(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET on a set or a collection navigation."""
    options = read_options(service, request.options)
    if options.deltatoken or "odata.track-changes" in request.prefer:
        return changes.collection(service, request, resource, options)
    if options.apply:
        _only_filter(service, options)
        return aggregate.apply(service, request, resource, options)
    rows = start_rows(service, resource)
    return page(service, request, resource, options, rows)


def _only_filter(service: Service, options: Options) -> None:
    outer = {"$orderby": options.orderby, "$top": options.top is not None, "$count": options.count,
             "$select": options.select is not None, "$expand": options.expand, "$skiptoken": options.skiptoken}
    for name, given in outer.items():
        if name == "$orderby" and given:
            raise ODataError(400, "0x80060888", "The query node SingleValueOpenPropertyAccess is not supported")
        if given:
            raise refuse_apply(service, name)


@dataclass
class _Page:
    size: int
    limit: int
    continues: bool
    number: int = 1


def page_size(service: Service, request: Request, options: Options, table: Table) -> _Page:
    """Return how many rows a reply holds and whether a next link may follow (section 4.6)."""
    largest = service.switches.elastic_page_size if table.table_type == "Elastic" else service.max_page_size
    asked = request.prefer.get("odata.maxpagesize", "")
    if asked.isdigit() and int(asked) > 0:
        size = min(int(asked), largest)
        return _Page(size, size, True)
    if options.top is None:
        return _Page(largest, largest, True)
    if options.top <= largest:
        return _Page(options.top, options.top, False)
    return _Page(largest, options.top, service.switches.top_over_page_continues)


def page(service: Service, request: Request, resource: Resource, options: Options, rows: Rows) -> Reply:
    """Answer one page of rows."""
    table, wanted = resource.rows, Wanted.of(request)
    selection = select_columns(service, table, options.select)
    expands = parse_expand(service, table, options.expand)
    check_expands(expands)
    if options.filter:
        rows.restrict(_condition(service, options, rows.scope))
    total = _total(service, rows) if options.count else None
    terms = order_terms(rows.scope, tuple(options.aliases.get(p, p) for p in options.orderby))
    row, row_parameters = row_text(service, rows.scope, selection, expands, wanted, request.root, True)
    plan = page_size(service, request, options, table)
    if options.skiptoken:
        cookie = read_cookie(options.skiptoken)
        plan.number = cookie.page
        rows.restrict(after(terms, cookie.last))
    texts, first, last, more = _fetch(service, rows, row, row_parameters, terms, plan)
    context = f"{request.root}$metadata#{table.set_name}{context_of(selection, expands)}"
    head = [f'"@odata.context":{json.dumps(context, ensure_ascii=False)}']
    head += _counts(service, wanted, total)
    tail = f',"@odata.nextLink":"{_next_link(request, plan, terms, last, first)}"' if more else ""
    return _reply(request, f'{{{",".join(head)},"value":[{",".join(texts)}]{tail}}}')


def _condition(service: Service, options: Options, scope: Scope) -> Sql:
    return compile_filter(parse_filter(options.filter, options.aliases, service.switches), scope)


def row_text(
    service: Service, scope: Scope, selection: Selection, expands: tuple[Expand, ...], wanted: Wanted, root: str,
    in_collection: bool,
) -> tuple[str, tuple[object, ...]]:
    """Return the SQL of one row as JSON text and its parameters."""
    shape = RowShape(scope.table, selection.columns, scope.alias)
    parameters: tuple[object, ...] = ()
    for expand in expands:
        rendered = render_expand(service, scope, expand, wanted, root, in_collection)
        shape.members.append(rendered.sql)
        parameters += rendered.parameters
    text = row_sql(service, shape, wanted)
    if scope.table.abstract:
        kind = f"'{{\"@odata.type\":\"#Microsoft.Dynamics.CRM.'||{scope.alias}.\":table\"||'\",'"
        text = f"{kind}||substr({text},2)"
    return text, parameters


def _fetch(
    service: Service, rows: Rows, row: str, parameters: tuple[object, ...], terms: list[OrderTerm], plan: _Page
) -> tuple[list[str], list[object], list[object], bool]:
    shown = ", ".join(term.shown for term in terms)
    order = ", ".join(f"{term.sql}{' DESC' if term.descending else ''}" for term in terms)
    size = min(plan.size, plan.limit - (plan.number - 1) * plan.size) if plan.limit > plan.size else plan.size
    if len(terms) > 1 and not rows.link and not rows.scope.joins:
        service.store.index_for(rows.scope.table, [f"{term.sql.replace(rows.scope.alias + '.', '')}{' DESC' if term.descending else ''}" for term in terms])
    sql = f"SELECT {row}, {shown}{rows.body} ORDER BY {order} LIMIT {size + 1}"
    found = service.store.query(sql, (*parameters, *rows.parameters))
    shown_rows = found[:size]
    more = len(found) > size and plan.continues and plan.number * plan.size < max(plan.limit, plan.size + 1)
    if plan.limit <= plan.size:
        more = len(found) > size and plan.continues
    texts = [str(item[0]) for item in shown_rows]
    return texts, list(shown_rows[0][1:]) if texts else [], list(shown_rows[-1][1:]) if texts else [], more


def _next_link(request: Request, plan: _Page, terms: list[OrderTerm], last: list[object], first: list[object]) -> str:
    kept = [part for part in request.query.split("&") if part and not part.lower().startswith(("$skiptoken", "%24skiptoken"))]
    token = skip_token(plan.number + 1, terms, last, first)
    link = f"{request.root}{request.path}?{'&'.join([*kept, f'$skiptoken={token}'])}"
    return link.replace("\\", "%5C").replace('"', "%22")


def _total(service: Service, rows: Rows) -> int:
    limit = service.count_limit
    sql = f"SELECT count(*) FROM (SELECT 1{rows.body} LIMIT {limit + 1})"
    return int(str(service.store.query(sql, rows.parameters)[0][0]))


def _counts(service: Service, wanted: Wanted, total: int | None) -> list[str]:
    limit = service.count_limit
    parts = [f'"@odata.count":{min(total, limit)}'] if total is not None else []
    if wanted(TOTAL):
        parts.append(f'"@{TOTAL}":{-1 if total is None else min(total, limit)}')
    if wanted(EXCEEDED):
        parts.append(f'"@{EXCEEDED}":{"true" if total is not None and total > limit else "false"}')
    if wanted(VERSION):
        parts.append(f'"@{VERSION}":"{service.organisation.version}"')
    return parts


def applied(request: Request) -> dict[str, str]:
    """Return the Preference-Applied header for what was honoured."""
    names = ("odata.maxpagesize", "odata.include-annotations", "odata.track-changes")
    found = [f'{name}="{v}"' if "annot" in name else f"{name}={v}" if v else name
             for name, v in request.prefer.items() if name in names]
    return {"Preference-Applied": ",".join(found)} if found else {}


def _reply(request: Request, body: str) -> Reply:
    return json_reply(body, headers=applied(request))


def count(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET …/$count: text with a byte order mark, capped (section 4.7)."""
    options = read_options(service, request.options)
    if options.deltatoken:
        return changes.count(service, request, resource, options)
    kind = "set" if resource.kind == "set-count" else "collection"
    rows = start_rows(service, _as(resource, kind))
    if options.filter:
        rows.restrict(_condition(service, options, rows.scope))
    total = _total(service, rows)
    if service.switches.count_segment_capped:
        total = min(total, service.count_limit)
    return Reply(200, {"Content-Type": "text/plain"}, b"\xef\xbb\xbf" + str(total).encode())


def _as(resource: Resource, kind: str) -> Resource:
    return replace(resource, kind=kind)


def row(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET on one row."""
    options = read_options(service, {k: v for k, v in request.options.items() if k not in ("$count",)})
    for name, given in (("$filter", options.filter), ("$orderby", options.orderby), ("$top", options.top is not None)):
        if given:
            raise Refused(service.switches.query_option, name=name)
    row_id = find_row(service, resource)
    table, wanted = resource.rows, Wanted.of(request)
    selection = select_columns(service, table, options.select)
    expands = parse_expand(service, table, options.expand)
    check_expands(expands)
    scope = Scope(service, table)
    text, parameters = row_text(service, scope, selection, expands, wanted, request.root, False)
    version = "t.versionnumber" if "versionnumber" in table.columns else "0"
    found = service.store.query(
        f"SELECT {text}, {version} FROM {scope.source} WHERE t.{sql_name(table.primary_id)} = ?", (*parameters, row_id)
    )
    if not found:
        raise no_such_row(table.name, row_id)
    etag = f'W/"{found[0][1]}"'
    if request.headers.get("if-none-match") == etag and table.optimistic and not expands and not wanted:
        return Reply(304, {"ETag": etag})
    context = f"{request.root}$metadata#{table.set_name or 'principals'}{context_of(selection, expands)}/$entity"
    body = f'{{"@odata.context":{json.dumps(context, ensure_ascii=False)},{str(found[0][0])[1:]}'
    return json_reply(body, headers={"ETag": etag, **applied(request)})


def property_value(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET on one property of a row; an image or null property without value is 204."""
    text = _column_json(service, resource)
    if text == "null":
        return Reply(204)
    assert resource.column is not None
    context = f"{request.root}$metadata#{resource.segments[0]}/{resource.column.property}"
    return json_reply(f'{{"@odata.context":{json.dumps(context)},"value":{text}}}')


def _column_json(service: Service, resource: Resource) -> str:
    assert resource.column is not None
    row_id, table = find_row(service, resource), resource.rows
    sql = KINDS[resource.column.kind].json(sql_name(resource.column.name))
    found = service.store.query(
        f"SELECT {sql} FROM {sql_name(table.name)} WHERE {sql_name(table.primary_id)} = ?", (row_id,)
    )
    return str(found[0][0])


def raw_value(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET …/property/$value: the bare text."""
    text = _column_json(service, resource)
    if text == "null":
        return Reply(204)
    bare = json.loads(text, parse_float=str) if text.startswith('"') else text
    return Reply(200, {"Content-Type": "text/plain"}, str(bare).encode())


def references(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET …/$ref: addresses instead of rows."""
    if resource.single:
        row_id = find_row(service, resource)
        link = f"{request.root}{resource.rows.set_name}({row_id})"
        return json_reply({"@odata.context": f"{request.root}$metadata#$ref", "@odata.id": link})
    rows = start_rows(service, _as(resource, "collection"))
    key = f"t.{sql_name(resource.rows.primary_id)}"
    found = service.store.query(f"SELECT {key}{rows.body} ORDER BY guidkey({key}) LIMIT {service.max_page_size}", rows.parameters)
    links: list[object] = [{"@odata.id": f"{request.root}{resource.rows.set_name}({item[0]})"} for item in found]
    return json_reply({"@odata.context": f"{request.root}$metadata#Collection($ref)", "value": links})
