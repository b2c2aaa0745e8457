"""CreateMultiple, UpdateMultiple, UpsertMultiple, DeleteMultiple: many rows in one action on a set (section 6.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from urllib.parse import unquote

from sqlalchemy_dynamics.sandbox.cascade import delete_row
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, ODataError, Refused
from sqlalchemy_dynamics.sandbox.payload import Json
from sqlalchemy_dynamics.sandbox.resources import Key, Resource, find_key, key_error, parse_key
from sqlalchemy_dynamics.sandbox.saving import create_row, update_row
from sqlalchemy_dynamics.sandbox.schema import Table
from sqlalchemy_dynamics.sandbox.validation import payload_error
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, json_reply, response_type

__all__ = ["MULTIPLE"]

_ELASTIC = "Elastic"


def create_multiple(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer CreateMultiple: the ids in order. An id that exists is 412 "Cannot insert duplicate key."."""
    table = resource.rows
    ids = []
    with _unit(service, table):
        for target in _targets(request, resource):
            try:
                ids.append(create_row(service, request, table, target))
            except ODataError as refusal:
                if refusal.code == "0x80040237":
                    refusal.message = "Cannot insert duplicate key."
                raise
    return json_reply({"@odata.context": f"{request.root}$metadata#{response_type('CreateMultiple')}", "Ids": ids})


def update_multiple(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer UpdateMultiple; rows that are missing are named together in the 404."""
    table = resource.rows
    targets = [(target, _key(table, target)) for target in _targets(request, resource)]
    missing = [key.text for _, key in targets if _find(service, table, key) is None]
    if missing:
        raise ODataError(404, "0x80040217", f"{table.label or table.name} With Ids = {', '.join(missing)} Do Not Exist")
    with _unit(service, table):
        for target, key in targets:
            update_row(service, request, table, find_key(service, table, key), target)
    return Reply(204)


def upsert_multiple(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer UpsertMultiple; key columns of ``@odata.id`` must not be in the body as well."""
    table = resource.rows
    with _unit(service, table):
        for target in _targets(request, resource):
            key = _given_key(table, target)
            row_id = _find(service, table, key) if key is not None else None
            if row_id is not None:
                update_row(service, request, table, row_id, target)
            else:
                create_row(service, request, table, target, key.values if key is not None else None)
    return Reply(204)


def delete_multiple(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer DeleteMultiple, which only elastic tables have."""
    table = resource.rows
    if table.table_type != _ELASTIC:
        raise Refused(service.switches.delete_multiple)
    for target in list(_targets(request, resource)):
        delete_row(service, table, find_key(service, table, _key(table, target)))
    return Reply(204)


def _unit(service: Service, table: Table) -> AbstractContextManager[None]:
    """All or nothing, except on elastic tables."""
    return nullcontext() if table.table_type == _ELASTIC else service.store.transaction()


def _targets(request: Request, resource: Resource) -> Iterator[Json]:
    if resource.key is not None:
        raise key_error(resource)
    table = resource.rows
    body = request.json()
    if others := [name for name in body if name != "Targets" and not name.startswith("@")]:
        message = f"The parameter '{others[0]}' in the request payload is not a valid parameter for the operation."
        raise payload_error(table, message)
    targets = body.get("Targets")
    if not isinstance(targets, list) or not all(isinstance(target, dict) for target in targets):
        raise payload_error(table, "The parameter 'Targets' must be a collection of rows.")
    for target in targets:
        kind = str(target.get("@odata.type", "")).lstrip("#")
        if kind != f"{NAMESPACE}.{table.name}":
            raise payload_error(
                table,
                (
                    f"Every item of 'Targets' needs the annotation '@odata.type' with '{NAMESPACE}.{table.name}'; "
                    f"found '{kind}'."
                ),
            )
        yield target


def _given_key(table: Table, target: Mapping[str, Any]) -> Key | None:
    row_id = target.get(table.primary_id) or target.get(table.key)
    if isinstance(row_id, str):
        return parse_key(table, row_id, {})
    address = target.get("@odata.id")
    if not isinstance(address, str) or "(" not in address:
        return None
    key = parse_key(table, unquote(address[address.index("(") + 1 : address.rindex(")")]), {})
    if any(table.columns[name].property in target for name in key.values):
        raise ODataError(400, "0x80040216", "An unexpected error occurred.")
    return key


def _key(table: Table, target: Mapping[str, Any]) -> Key:
    key = _given_key(table, target)
    if key is None:
        raise payload_error(table, f"Every item of 'Targets' needs the key '{table.primary_id}'.")
    return key


def _find(service: Service, table: Table, key: Key) -> str | None:
    try:
        return find_key(service, table, key)
    except ODataError:
        return None


MULTIPLE: dict[tuple[str, str], Callable[[Service, Request, Resource], Reply]] = {
    ("POST", "CreateMultiple"): create_multiple,
    ("POST", "UpdateMultiple"): update_multiple,
    ("POST", "UpsertMultiple"): upsert_multiple,
    ("POST", "DeleteMultiple"): delete_multiple,
}
"""Bound actions, for `operations.BOUND`."""
