"""Unbound functions that only read: WhoAmI, RetrieveVersion, RetrieveTotalRecordCount (section 4.12)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from sqlalchemy_dynamics.sandbox.callers import caller_of
from sqlalchemy_dynamics.sandbox.failures import ODataError, bad_request, no_such_segment
from sqlalchemy_dynamics.sandbox.resources import Resource
from sqlalchemy_dynamics.sandbox.wire import Handler, Reply, Request, Service, json_reply, response_type

__all__ = ["ACTIONS", "BOUND", "FUNCTIONS", "bound_route", "operation"]


def who_am_i(service: Service, request: Request) -> Reply:
    """Answer WhoAmI; under impersonation the user acted for."""
    caller = caller_of(service, request)
    return json_reply(
        {
            "@odata.context": f"{request.root}$metadata#{response_type('WhoAmI')}",
            "BusinessUnitId": caller.business_unit_id,
            "UserId": caller.user_id,
            "OrganizationId": service.organization_id,
        }
    )


def retrieve_version(service: Service, request: Request) -> Reply:
    """Answer RetrieveVersion."""
    return json_reply(
        {"@odata.context": f"{request.root}$metadata#{response_type('RetrieveVersion')}", "Version": "9.2.24014.00198"}
    )


def retrieve_total_record_count(service: Service, request: Request) -> Reply:
    """Answer RetrieveTotalRecordCount(EntityNames=[…]): whole tables, no cap (section 4.7)."""
    names = _names(request)
    for name in names:
        if name not in service.organisation.tables:
            raise bad_request(f"The entity with a name = '{name}' was not found in the MetadataCache.", "0x80040217")
    counts = [service.store.count(name) for name in names]
    return json_reply(
        {
            "@odata.context": f"{request.root}$metadata#{response_type('RetrieveTotalRecordCount')}",
            "EntityRecordCountCollection": {"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts},
        }
    )


def _names(request: Request) -> list[str]:
    match = re.search(r"EntityNames\s*=\s*(@\w+|\[.*?\])", request.segments[0])
    text = match[1] if match else ""
    text = request.options.get(text, text)
    try:
        return [str(name) for name in json.loads(text.replace("'", '"'))]
    except ValueError:
        raise bad_request("The parameter 'EntityNames' must be a collection of strings.") from None


FUNCTIONS: dict[str, Handler] = {
    "WhoAmI": who_am_i,
    "RetrieveVersion": retrieve_version,
    "RetrieveTotalRecordCount": retrieve_total_record_count,
}
"""Unbound functions (GET) by name; rooms beside the core add theirs."""
_WITHOUT_PARAMETERS = frozenset({"WhoAmI", "RetrieveVersion"})
ACTIONS: dict[str, Handler] = {}
"""Unbound actions (POST) by name."""
BOUND: dict[tuple[str, str], Callable[[Service, Request, Resource], Reply]] = {}
"""Bound operations by (method, name)."""


def operation(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer an unbound function or action; the wrong verb is a 404 (section 4.12)."""
    if resource.name in _WITHOUT_PARAMETERS and (resource.arguments or "").strip():
        raise no_such_segment(resource.name)
    known, other = (FUNCTIONS, ACTIONS) if request.method == "GET" else (ACTIONS, FUNCTIONS)
    if resource.name in known:
        return known[resource.name](service, request)
    if resource.name in other:
        message = f"No HTTP resource was found that matches the request URI '{request.root}{request.path}'."
        raise ODataError(404, "", message)
    raise no_such_segment(resource.name)


def bound_route(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer an operation bound to a set or a row."""
    handler = BOUND.get((request.method, resource.name))
    if handler is None:
        raise no_such_segment(f"Microsoft.Dynamics.CRM.{resource.name}")
    return handler(service, request, resource)
