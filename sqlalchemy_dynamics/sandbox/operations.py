"""Functions and actions: found among the declared ones, their arguments checked, handed to what serves them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy_dynamics.sandbox.arguments import arguments_of, function_arguments
from sqlalchemy_dynamics.sandbox.callers import caller_of
from sqlalchemy_dynamics.sandbox.declared import Operation, find
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, ODataError, bad_request, no_such_segment
from sqlalchemy_dynamics.sandbox.resources import Resource, find_row
from sqlalchemy_dynamics.sandbox.schema import Table
from sqlalchemy_dynamics.sandbox.wire import Handler, Reply, Request, Service, json_reply, response_type

__all__ = ["ACTIONS", "BOUND", "FUNCTIONS", "SERVED", "Call", "bound_route", "operation"]


@dataclass(frozen=True)
class Call:
    """One call: its arguments by name are of the declared types; those left out are not in it."""

    service: Service
    request: Request
    operation: Operation
    arguments: Mapping[str, Any]
    resource: Resource

    @property
    def row(self) -> tuple[Table, str]:
        """The row it is bound to; raises ODataError 404 when there is none."""
        return self.resource.rows, find_row(self.service, self.resource)

    def reply(self, **members: object) -> Reply:
        """Return the answer of the operation's own response type."""
        context = f"{self.request.root}$metadata#{response_type(self.operation.name)}"
        return json_reply({"@odata.context": context, **members})


def who_am_i(call: Call) -> Reply:
    """Answer WhoAmI; under impersonation the user acted for."""
    caller = caller_of(call.service, call.request)
    return call.reply(
        BusinessUnitId=caller.business_unit_id, UserId=caller.user_id, OrganizationId=call.service.organization_id
    )


def retrieve_version(call: Call) -> Reply:
    """Answer RetrieveVersion."""
    return call.reply(Version="9.2.24014.00198")


def retrieve_total_record_count(call: Call) -> Reply:
    """Answer RetrieveTotalRecordCount(EntityNames=[…]): whole tables, no cap (section 4.7)."""
    service, names = call.service, call.arguments["EntityNames"]
    for name in names:
        if name not in service.organisation.tables:
            raise bad_request(f"The entity with a name = '{name}' was not found in the MetadataCache.", "0x80040217")
    counts = [service.store.count(name) for name in names]
    return call.reply(
        EntityRecordCountCollection={"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts}
    )


SERVED: dict[str, Callable[[Call], Reply]] = {
    "WhoAmI": who_am_i,
    "RetrieveVersion": retrieve_version,
    "RetrieveTotalRecordCount": retrieve_total_record_count,
}
"""What answers a declared operation, each in one transaction; rooms beside the core add theirs."""
FUNCTIONS: dict[str, Handler] = {}
"""Unbound functions that read their arguments themselves, by name."""
ACTIONS: dict[str, Handler] = {}
"""Unbound actions that read their body themselves, by name."""
BOUND: dict[tuple[str, str], Callable[[Service, Request, Resource], Reply]] = {}
"""Bound operations that read their body themselves, by (method, name)."""


def operation(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer an unbound function or action; the wrong verb is a 404 (section 4.12)."""
    return _answer(service, request, resource, find(service.organisation, resource.name), resource.name)


def bound_route(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer an operation bound to a set or a row."""
    found = find(service.organisation, resource.name, resource.rows.name, resource.key is None)
    return _answer(service, request, resource, found, f"{NAMESPACE}.{resource.name}")


def _answer(service: Service, request: Request, resource: Resource, found: Operation | None, segment: str) -> Reply:
    if found is None:
        raise _unknown(service, resource.name, segment)
    if (request.method == "GET") != found.is_function:
        message = f"No HTTP resource was found that matches the request URI '{request.root}{request.path}'."
        raise ODataError(404, "", message)
    if found.is_function:
        arguments = function_arguments(service.organisation, found, request, resource.arguments or "")
    else:
        arguments = arguments_of(service.organisation, found, request)
    serve = SERVED.get(found.name)
    if serve is None:
        return _by_itself(service, request, resource, found)
    with service.store.transaction():
        return serve(Call(service, request, found, arguments, resource))


def _unknown(service: Service, name: str, segment: str) -> ODataError:
    """The refusal of an operation that is not served: 501 where the organisation's own document declares it."""
    if re.search(rf'<(?:Action|Function) Name="{re.escape(name)}"'.encode(), service.organisation.document):
        return ODataError(501, "0x80040315", f"The sandbox does not run '{name}', which $metadata declares.")
    return no_such_segment(segment)


def _by_itself(service: Service, request: Request, resource: Resource, found: Operation) -> Reply:
    if found.target is not None:
        return BOUND[request.method, found.name](service, request, resource)
    return (FUNCTIONS if found.is_function else ACTIONS)[found.name](service, request)
