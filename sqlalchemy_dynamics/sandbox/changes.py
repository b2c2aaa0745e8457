"""Change tracking: `Prefer: odata.track-changes`, delta links, deleted rows (section 8.1)."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from urllib.parse import quote as encode

from sqlalchemy_dynamics.sandbox import listing
from sqlalchemy_dynamics.sandbox.annotations import Wanted
from sqlalchemy_dynamics.sandbox.expand import context_of
from sqlalchemy_dynamics.sandbox.failures import ODataError, bad_request
from sqlalchemy_dynamics.sandbox.options import Options, order_terms, select_columns
from sqlalchemy_dynamics.sandbox.paging import after, read_cookie
from sqlalchemy_dynamics.sandbox.resources import Resource
from sqlalchemy_dynamics.sandbox.scope import Sql
from sqlalchemy_dynamics.sandbox.values import now
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, json_reply

__all__ = ["collection", "count", "token_text"]

_LIFE = timedelta(days=7)
_TOKEN = re.compile(r"(\d+)!(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)")


def token_text(version: int, moment: datetime) -> str:
    """Return a delta token: ``<version>!<MM/dd/yyyy HH:mm:ss>``."""
    return f"{version}!{moment:%m/%d/%Y %H:%M:%S}"


def _since(options: Options) -> int:
    match = _TOKEN.fullmatch(options.deltatoken)
    if match is None:
        raise bad_request("The delta token is not valid.", "0x80040203")
    made = datetime.strptime(match[2] + " +0000", "%m/%d/%Y %H:%M:%S %z")
    if now() - made > _LIFE:
        raise ODataError(
            400, "0x80044352", "Version stamp associated with the client has expired. Please perform a full sync."
        )
    return int(match[1])


def _check(resource: Resource, options: Options) -> None:
    given = {
        "filter": options.filter,
        "orderby": options.orderby,
        "expand": options.expand,
        "top": options.top is not None,
    }
    for name, used in given.items():
        if used:
            message = f'The "${name}" query parameter isn\'t supported when Change Tracking is enabled.'
            raise bad_request(message, "0x80060888")
    if not resource.rows.change_tracking or resource.kind != "set":
        raise bad_request(f"Change tracking is not enabled for entity '{resource.rows.name}'.", "0x80040203")


def collection(service: Service, request: Request, resource: Resource, options: Options) -> Reply:
    """Answer a tracked read (all rows) or a delta link (what changed since)."""
    _check(resource, options)
    rows, table, wanted = listing.start_rows(service, resource), resource.rows, Wanted.of(request)
    since = _since(options) if options.deltatoken else 0
    selection = select_columns(service, table, options.select)
    if options.deltatoken:
        rows.restrict(Sql("t.versionnumber > ?", (since,)))
    row, parameters = listing.row_text(service, rows.scope, selection, (), wanted, request.root, True)
    terms, plan = order_terms(rows.scope, ()), listing.page_plan(service, request, options, table)
    if options.skiptoken:
        cookie = read_cookie(options.skiptoken)
        plan.number = cookie.page
        rows.restrict(after(terms, cookie))
    texts, first, last, more = listing.fetch(service, rows, row, parameters, terms, plan)
    shown = context_of(selection, ())
    if options.deltatoken and not more:
        texts += _deleted(service, request, resource, since)
    context = f"{request.root}$metadata#{table.set_name}{shown}{'/$delta' if options.deltatoken else ''}"
    link = (
        f'"@odata.nextLink":"{listing.next_link(request, plan, terms, last, first)}"'
        if more
        else f'"@odata.deltaLink":"{_delta_link(service, request)}"'
    )
    body = f'{{"@odata.context":{json.dumps(context)},{link},"value":[{",".join(texts)}]}}'
    return json_reply(body, headers=listing.applied(request))


def _delta_link(service: Service, request: Request) -> str:
    kept = [
        part
        for part in request.query.split("&")
        if part and not part.lower().replace("%24", "$").startswith(("$skiptoken", "$deltatoken"))
    ]
    token = encode(token_text(service.store.version, now()), safe="")
    return f"{request.root}{request.path}?{'&'.join([*kept, f'$deltatoken={token}'])}".replace('"', "%22")


def _deleted(service: Service, request: Request, resource: Resource, since: int) -> list[str]:
    found = service.store.query(
        "SELECT DISTINCT id FROM ':deleted' WHERE tbl = ? AND version > ?", (resource.rows.name, since)
    )
    context = json.dumps(f"{request.root}$metadata#{resource.rows.set_name}/$deletedEntity")
    return [f'{{"@odata.context":{context},"id":"{row[0]}","reason":"deleted"}}' for row in found]


def count(service: Service, request: Request, resource: Resource, options: Options) -> Reply:
    """Answer the number of changes since a delta token."""
    since, table = _since(options), resource.rows
    service.store.touch(table.name)
    changed = service.store.query(f'SELECT count(*) FROM "{table.name}" WHERE versionnumber > ?', (since,))[0][0]
    gone = len(_deleted(service, request, resource, since))
    return Reply(200, {"Content-Type": "text/plain"}, b"\xef\xbb\xbf" + str(int(str(changed)) + gone).encode())
