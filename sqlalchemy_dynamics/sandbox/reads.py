"""GET on data: sets, navigations, rows, columns, references and counts (sections 1.6, 4)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy_dynamics.sandbox import aggregate, changes
from sqlalchemy_dynamics.sandbox.annotations import Wanted
from sqlalchemy_dynamics.sandbox.expand import check_expands, context_of, parse_expand, refuse_apply
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused, no_such_row
from sqlalchemy_dynamics.sandbox.fetch_answer import answer_fetch, answer_saved, answer_user
from sqlalchemy_dynamics.sandbox.listing import (
    Rows,
    applied,
    condition,
    fetch,
    next_link,
    page_plan,
    row_text,
    start_rows,
)
from sqlalchemy_dynamics.sandbox.options import Options, order_terms, read_options, select_columns
from sqlalchemy_dynamics.sandbox.paging import after, read_cookie
from sqlalchemy_dynamics.sandbox.resources import Key, Resource, find_key, find_row
from sqlalchemy_dynamics.sandbox.schema import Table
from sqlalchemy_dynamics.sandbox.scope import Scope
from sqlalchemy_dynamics.sandbox.sql_query import answer_sql
from sqlalchemy_dynamics.sandbox.values import json_of, sql_name
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, json_reply

__all__ = [
    "LANGUAGES",
    "Rows",
    "child",
    "collection",
    "count",
    "property_value",
    "raw_value",
    "references",
    "row",
    "row_text",
    "start_rows",
]

TOTAL = "Microsoft.Dynamics.CRM.totalrecordcount"
EXCEEDED = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"
VERSION = "Microsoft.Dynamics.CRM.globalmetadataversion"


LANGUAGES: dict[str, Callable[[Service, Request, Resource], Reply]] = {
    "sql": answer_sql,
    "fetchXml": answer_fetch,
    "savedQuery": answer_saved,
    "userQuery": answer_user,
}
"""Query options that bring a language of their own (``fetchXml``, ``savedQuery``, ``sql``): who answers."""


def collection(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET on a set or a collection navigation."""
    for name in request.options:
        if name in LANGUAGES:
            return LANGUAGES[name](service, request, resource)
    options = read_options(service, request.options)
    if options.deltatoken or "odata.track-changes" in request.prefer:
        return changes.collection(service, request, resource, options)
    if options.apply:
        _only_filter(service, options)
        return aggregate.apply(service, request, resource, options)
    rows = start_rows(service, resource, request.options.get("partitionId", ""))
    return page(service, request, resource, options, rows)


def _only_filter(service: Service, options: Options) -> None:
    outer = {
        "$orderby": options.orderby,
        "$top": options.top is not None,
        "$count": options.count,
        "$select": options.select is not None,
        "$expand": options.expand,
        "$skiptoken": options.skiptoken,
    }
    for name, given in outer.items():
        if name == "$orderby" and given:
            raise ODataError(400, "0x80060888", "The query node SingleValueOpenPropertyAccess is not supported")
        if given:
            raise refuse_apply(service, name)


def page(service: Service, request: Request, resource: Resource, options: Options, rows: Rows) -> Reply:
    """Answer one page of rows."""
    table, wanted = resource.rows, Wanted.of(request)
    selection = select_columns(service, table, options.select)
    expands = parse_expand(service, table, options.expand)
    check_expands(expands)
    if options.filter:
        rows.restrict(condition(service, options, rows.scope))
    total = _total(service, rows) if options.count else None
    terms = order_terms(rows.scope, tuple(options.aliases.get(p, p) for p in options.orderby))
    plan = page_plan(service, request, options, table)
    inner_page = plan.size if "odata.maxpagesize" in request.prefer else None
    row, row_parameters = row_text(service, rows.scope, selection, expands, wanted, request.root, True, inner_page)
    if options.skiptoken:
        cookie = read_cookie(options.skiptoken)
        plan.number = cookie.page
        rows.restrict(after(terms, cookie))
    texts, first, last, more = fetch(service, rows, row, row_parameters, terms, plan)
    context = f"{request.root}$metadata#{table.set_name}{context_of(selection, expands)}"
    head = [f'"@odata.context":{json.dumps(context, ensure_ascii=False)}']
    head += _counts(service, wanted, total, _count_limit(service, table))
    tail = f',"@odata.nextLink":"{next_link(request, plan, terms, last, first)}"' if more else ""
    return _reply(request, f'{{{",".join(head)},"value":[{",".join(texts)}]{tail}}}')


def _count_limit(service: Service, table: Table) -> int:
    elastic = table.table_type == "Elastic"
    return min(service.count_limit, service.switches.elastic_page_size) if elastic else service.count_limit


def _total(service: Service, rows: Rows) -> int:
    limit = _count_limit(service, rows.scope.table)
    sql = f"SELECT count(*) FROM (SELECT 1{rows.body} LIMIT {limit + 1})"
    return int(str(service.store.query(sql, rows.parameters)[0][0]))


def _counts(service: Service, wanted: Wanted, total: int | None, limit: int) -> list[str]:
    parts = [f'"@odata.count":{min(total, limit)}'] if total is not None else []
    if wanted(TOTAL):
        parts.append(f'"@{TOTAL}":{-1 if total is None else min(total, limit)}')
    if wanted(EXCEEDED):
        parts.append(f'"@{EXCEEDED}":{"true" if total is not None and total > limit else "false"}')
    if wanted(VERSION):
        parts.append(f'"@{VERSION}":"{service.organisation.version}"')
    return parts


def _reply(request: Request, body: str) -> Reply:
    return json_reply(body, headers=applied(request))


def child(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET on one row of a collection navigation, ``accounts(id)/contact_customer_accounts(id)``."""
    assert resource.child is not None
    rows = start_rows(service, replace(resource, kind="collection"))
    row_id = find_key(service, resource.rows, resource.child)
    found = service.store.query(f"SELECT t.{sql_name(resource.rows.primary_id)}{rows.body}", rows.parameters)
    if (row_id,) not in found:
        raise no_such_row(resource.rows.name, row_id)
    return row(service, request, Resource("row", resource.rows, Key(row_id)))


def count(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET …/$count: text with a byte order mark, capped (section 4.7)."""
    options = read_options(service, request.options)
    if options.deltatoken:
        return changes.count(service, request, resource, options)
    kind = "set" if resource.kind == "set-count" else "collection"
    rows = start_rows(service, _as(resource, kind))
    if options.filter:
        rows.restrict(condition(service, options, rows.scope))
    total = _total(service, rows)
    if service.switches.count_segment_capped:
        total = min(total, _count_limit(service, resource.rows))
    return Reply(200, {"Content-Type": "text/plain"}, b"\xef\xbb\xbf" + str(total).encode())


def _as(resource: Resource, kind: str) -> Resource:
    return replace(resource, kind=kind)


def row(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET on one row."""
    options = read_options(service, {k: v for k, v in request.options.items() if k not in ("$count",)})
    collections_only = {
        "$filter": options.filter,
        "$orderby": options.orderby,
        "$top": options.top is not None,
        "$apply": options.apply,
        "$skiptoken": options.skiptoken,
        "$deltatoken": options.deltatoken,
    }
    for name, given in collections_only.items():
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
    sql = json_of(resource.column, sql_name(resource.column.name))
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
    found = service.store.query(
        f"SELECT {key}{rows.body} ORDER BY guidkey({key}) LIMIT {service.max_page_size}", rows.parameters
    )
    links: list[object] = [{"@odata.id": f"{request.root}{resource.rows.set_name}({item[0]})"} for item in found]
    return json_reply({"@odata.context": f"{request.root}$metadata#Collection($ref)", "value": links})
