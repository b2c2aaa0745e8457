"""The one table of routes: (method, kind of resource) to handler. Rooms beside the core `register` theirs."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy_dynamics.sandbox import operations, reads
from sqlalchemy_dynamics.sandbox.annotations import Wanted
from sqlalchemy_dynamics.sandbox.callers import caller_of
from sqlalchemy_dynamics.sandbox.csdl_writer import write_csdl
from sqlalchemy_dynamics.sandbox.ddl_change import current
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused
from sqlalchemy_dynamics.sandbox.replies import ReplyCache
from sqlalchemy_dynamics.sandbox.resources import DEFINITION_SETS, Resource, key_error, resolve
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, json_reply

__all__ = ["ROUTES", "Route", "answer", "register"]

Route = Callable[[Service, Request, Resource], Reply]
_log = logging.getLogger(__name__)
IMPERSONATION = ("callerobjectid", "mscrmcallerid")
_JSON_ONLY = frozenset({"service", "set", "collection", "row", "child", "operation", "bound", "definitions", "ref"})
URL_LIMIT, BATCHED_URL_LIMIT = 32_768, 65_536


def service_document(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET on the service root (section 1.1)."""
    names = [table.set_name for table in service.organisation.tables.values() if table.set_name]
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in sorted([*names, *DEFINITION_SETS])]
    return json_reply({"@odata.context": f"{request.root}$metadata", "value": sets})


def metadata(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET $metadata (section 2); annotations on request."""
    annotated = request.options.get("annotations") == "true" or bool(Wanted.of(request))
    organisation = service.organisation
    key = ("document", organisation.version, annotated)
    with service.lock:
        if service.state.get("metadata", (None,))[0] != key:
            body = organisation.document or write_csdl(organisation, annotated)
            service.state["metadata"] = (key, body)
        return Reply(200, {"Content-Type": "application/xml"}, service.state["metadata"][1])


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "service"): service_document,
    ("GET", "metadata"): metadata,
    ("GET", "set"): reads.collection,
    ("GET", "collection"): reads.collection,
    ("GET", "set-count"): reads.count,
    ("GET", "collection-count"): reads.count,
    ("GET", "row"): reads.row,
    ("GET", "child"): reads.child,
    ("GET", "column"): reads.property_value,
    ("GET", "value"): reads.raw_value,
    ("GET", "ref"): reads.references,
    ("GET", "operation"): operations.operation,
    ("POST", "operation"): operations.operation,
    ("GET", "bound"): operations.bound_route,
    ("POST", "bound"): operations.bound_route,
}


def register(method: str, kind: str, route: Route) -> None:
    """Add or replace a route."""
    ROUTES[method, kind] = route


def answer(service: Service, request: Request) -> Reply:
    """Answer one request of the Web API; refusals become replies."""
    try:
        limit = BATCHED_URL_LIMIT if request.batched else URL_LIMIT
        if len(request.root) + len(request.path) + len(request.query) + 1 > limit:
            raise ODataError(414, "", "The request URI is too long.")
        service = _impersonating(current(service, request), request)
        kept = _replies(service).get(service, request)
        if kept is not None:
            return kept
        moment = (service.store.writes, service.organisation.version)
        resource = resolve(service, request)
        _check_media(service, request, resource)
        route = ROUTES.get((request.method, resource.kind))
        if route is None:
            raise key_error(resource)
        reply = route(service, request, resource)
        if resource.kind in ("set", "collection"):
            _replies(service).put(service, request, moment, reply)
        return reply
    except ODataError as refusal:
        return error_reply(refusal, bool(Wanted.of(request)))
    except Exception as error:  # answered and logged: a fault of the sandbox ends no server
        if isinstance(error, sqlite3.OperationalError) and str(error) == "interrupted":
            return error_reply(Refused(service.switches.timeout), bool(Wanted.of(request)))
        _log.exception("%s %s?%s", request.method, request.path, request.query)
        return error_reply(ODataError(500, "0x80040216", "An unexpected error occurred."))


def _check_media(service: Service, request: Request, resource: Resource) -> None:
    """Refuse a body that is not said to be JSON, rows as anything but JSON, $metadata as anything but XML, and
    versions of OData but 4.0 (sections 0.1, 1.2, 2)."""
    for name in ("odata-version", "odata-maxversion"):
        version = request.headers.get(name, "4.0").partition(";")[0].strip()
        if not (version == "4.0" or (name == "odata-maxversion" and version > "4.0")):
            raise Refused(service.switches.odata_version, name=f"{request.root}{request.path}")
    given = request.headers.get("content-type", "")
    raw = resource.kind in ("batch", "column", "value") and request.method in ("POST", "PATCH")
    if request.body and not raw and re.split("[;,]", given)[0].strip().lower() != "application/json":
        raise Refused(service.switches.content_type, name=given)
    accepted = request.headers.get("accept", "*/*")
    if resource.kind == "metadata" and not re.search(r"xml|\*/\*|application/\*", accepted):
        raise Refused(service.switches.metadata_as_json, name=accepted)
    if (
        resource.kind in _JSON_ONLY
        and request.method == "GET"
        and not re.search(r"json|\*/\*|application/\*", accepted)
    ):
        raise Refused(service.switches.rows_as_xml, name=accepted)


def _impersonating(service: Service, request: Request) -> Service:
    if not any(name in request.headers for name in IMPERSONATION):
        return service
    return replace(service, impersonated=caller_of(service, request).user_id)


def _replies(service: Service) -> ReplyCache:
    kept = service.state.setdefault("replies", ReplyCache())
    assert isinstance(kept, ReplyCache)
    return kept


def error_reply(error: ODataError, annotated: bool = False) -> Reply:
    """Return the reply of a refusal (section 7.2)."""
    if error.status == 204:
        return Reply(204)
    body: dict[str, object] = {"code": error.code, "message": error.message}
    if annotated:
        body["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"] = "0"
        body["@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode"] = "2"
        body["@Microsoft.PowerApps.CDS.HelpLink"] = (
            f"http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a{error.code[2:]}"
        )
        body["@Microsoft.PowerApps.CDS.TraceText"] = ""
        body["@Microsoft.PowerApps.CDS.InnerError.Message"] = error.message
    return json_reply(
        json.dumps({"error": body}, ensure_ascii=False, separators=(",", ":")), error.status, error.headers
    )
