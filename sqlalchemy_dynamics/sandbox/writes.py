"""POST, PATCH, PUT and DELETE on sets, rows, single properties and `$ref` (sections 5.1 to 5.4).

Each handler runs in one transaction, opened by `writing`.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from sqlalchemy_dynamics.sandbox import reads
from sqlalchemy_dynamics.sandbox.batch import ENTITY
from sqlalchemy_dynamics.sandbox.binding import Target, concrete, lookup_values, target_of
from sqlalchemy_dynamics.sandbox.callers import caller_of
from sqlalchemy_dynamics.sandbox.cascade import delete_row
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused
from sqlalchemy_dynamics.sandbox.linking import link, unlink
from sqlalchemy_dynamics.sandbox.payload import Json
from sqlalchemy_dynamics.sandbox.resources import Key, Resource, find_key, find_row, key_error
from sqlalchemy_dynamics.sandbox.saving import create_row, duplicate_row, store_changes, update_row
from sqlalchemy_dynamics.sandbox.schema import Table
from sqlalchemy_dynamics.sandbox.validation import invalid_property, payload_error, required_missing
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, parse_query

__all__ = [
    "add_reference",
    "change",
    "clear_property",
    "create",
    "delete",
    "remove_reference",
    "replace_parties",
    "set_property",
    "set_reference",
]

_PARTIES = "activityparty"


def create(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer POST on a set, or on a collection of a row (the new row is linked to it)."""
    table = resource.rows
    row_id = create_row(service, request, table, request.json())
    if resource.kind == "collection" and resource.navigation is not None:
        link(service, resource.navigation, _parent(service, resource), concrete(service, table, row_id))
    return _written(service, request, table, row_id, 201)


def replace_parties(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer PUT on the parties of an activity, the only collection that can be replaced (section 5.3)."""
    body = request.json()
    if resource.rows.name != _PARTIES or resource.navigation is None or not isinstance(body.get("value"), list):
        raise key_error(resource)
    _, row_id = _parent(service, resource)
    sql = f"SELECT activitypartyid FROM {_PARTIES} WHERE activityid = ?"
    for row in service.store.query(sql, (row_id,)):
        service.store.delete(resource.rows, str(row[0]))
    for party in body["value"]:
        create_row(service, request, resource.rows, party, {"activityid": row_id}, nested=True)
    return Reply(204)


def change(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer PATCH on a row: update, or create when it is missing and no header forbids it (section 5.4)."""
    if resource.via:
        raise key_error(resource)
    body = request.json()
    try:
        row_id = find_row(service, resource)
    except ODataError as missing:
        if missing.status != 404 or "if-match" in request.headers:
            raise
        return _create_at(service, request, resource, body)
    if request.headers.get("if-none-match", "").strip('" ') == "*":
        raise duplicate_row()
    table = resource.rows
    check_version(service, request, table, row_id)
    changes = _without_key(table, resource.key, body)
    replaces = table.table_type == "Elastic" and "if-match" not in request.headers
    update_row(service, request, table, row_id, _replacing(table, changes) if replaces else changes)
    return _written(service, request, table, row_id, 200, resource.key)


def _replacing(table: Table, body: Json) -> Json:
    """Return the body of an upsert of an elastic row, which replaces the whole row (section 5.4)."""
    plain = {
        column.property: None
        for column in table.columns.values()
        if column.updatable and column.required != "SystemRequired" and not column.is_lookup and column.default is None
    }
    return {**plain, **body}


def _create_at(service: Service, request: Request, resource: Resource, body: Json) -> Reply:
    table, key = resource.rows, resource.key
    assert key is not None
    properties = table.properties()
    in_body = {properties[name].name for name in body if name in properties}
    given = (
        {table.primary_id: key.row_id}
        if key.row_id
        else {name: value for name, value in key.values.items() if name not in in_body}
    )
    row_id = create_row(service, request, table, body, given)
    return _written(service, request, table, row_id, 201, key)


def _without_key(table: Table, key: Key | None, body: Json) -> Json:
    names = {table.columns[name].property for name in key.values} if key else set()
    return {name: value for name, value in body.items() if name not in names}


def check_version(service: Service, request: Request, table: Table, row_id: str) -> None:
    """Compare `If-Match` with the row; raises ODataError 412 when it moved, 400 where versions are not checked."""
    wanted = request.headers.get("if-match", "*").strip()
    if wanted in ("*", '"*"', "null"):
        return
    if not table.optimistic:
        raise ODataError(
            400,
            "0x8006088d",
            (
                f"Optimistic concurrency isn't enabled for entity type {table.name}. The IfVersionMatches value of "
                "ConcurrencyBehavior can only be used if optimistic concurrency is enabled."
            ),
        )
    row = service.store.row(*concrete(service, table, row_id)) or {}
    if wanted != f'W/"{row.get("versionnumber")}"':
        raise ODataError(
            412, "0x80060882", ("The version of the existing record doesn't match the RowVersion property provided.")
        )


def _written(
    service: Service, request: Request, table: Table, row_id: str, status: int, key: Key | None = None
) -> Reply:
    table, row_id = concrete(service, table, row_id)
    address = f"{table.set_name}({key.text if key is not None and key.values else row_id})"
    if request.prefer.get("return") != "representation":
        url = request.root + quote(address, safe="/()=',@!*:;$&+")
        return Reply(204, {"OData-EntityId": url, "Location": url, ENTITY: address})
    reply = represent(service, request, table, row_id, status == 201)
    applied = ",".join(filter(None, ["return=representation", reply.headers.get("Preference-Applied", "")]))
    return Reply(status, {**reply.headers, "Preference-Applied": applied, ENTITY: address}, reply.body)


def represent(service: Service, request: Request, table: Table, row_id: str, expands: bool) -> Reply:
    """Return the row as a GET with the same options would; `$expand` counts on create only (section 1.3)."""
    options = parse_query(request.query)
    kept = [name for name in options if name == "$select" or (expands and name == "$expand")]
    query = "&".join(f"{name}={quote(options[name])}" for name in kept)
    headers = {name: value for name, value in request.headers.items() if name == "prefer"}
    get = Request("GET", f"{table.set_name}({row_id})", query, headers, b"", request.root, request.batched)
    return reads.row(service, get, Resource("row", table, Key(row_id, text=row_id)))


def delete(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer DELETE on a row."""
    if resource.via:
        raise key_error(resource)
    row_id = find_row(service, resource)
    check_version(service, request, resource.rows, row_id)
    delete_row(service, resource.rows, row_id)
    return Reply(204)


def set_property(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer PUT on a single property: `{"value": …}`."""
    body = request.json()
    if "value" not in body:
        raise payload_error(resource.rows, "The property 'value' is missing in the payload of a single property.")
    return _one_property(service, request, resource, body["value"])


def clear_property(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer DELETE on a single property: it becomes null."""
    return _one_property(service, request, resource, None)


def _one_property(service: Service, request: Request, resource: Resource, value: object) -> Reply:
    column = resource.column
    assert column is not None
    if column.is_lookup and not column.plain_guid:
        raise invalid_property(resource.rows, column.property)
    if column.name == resource.rows.primary_id:
        raise Refused(service.switches.key_change, name=column.property)
    row_id = find_row(service, resource)
    check_version(service, request, resource.rows, row_id)
    update_row(service, request, resource.rows, row_id, {column.property: value})
    return Reply(204)


def set_reference(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer PUT on the `$ref` of a lookup."""
    _single(resource)
    target = target_of(service, request, resource.rows, _address(resource, request.json()))
    _point(service, request, resource, target)
    return Reply(204)


def add_reference(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer POST on the `$ref` of a collection."""
    if resource.single or resource.child is not None or resource.navigation is None:
        raise key_error(resource)
    child = target_of(service, request, resource.rows, _address(resource, request.json()))
    link(service, resource.navigation, _parent(service, resource), child)
    return Reply(204)


def remove_reference(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer DELETE on the `$ref` of a lookup, or of one row of a collection (``nav(id)/$ref`` or ``?$id=``)."""
    if resource.single:
        _point(service, request, resource, None)
        return Reply(204)
    assert resource.navigation is not None
    if resource.child is not None:
        child = concrete(service, resource.rows, find_key(service, resource.rows, resource.child))
    elif "$id" in request.options:
        child = target_of(service, request, resource.rows, request.options["$id"])
    else:
        raise ODataError(400, "0x80060888", "The $id of the row to remove from the collection is missing.")
    unlink(service, resource.navigation, _parent(service, resource), child)
    return Reply(204)


def _single(resource: Resource) -> None:
    if not resource.single:
        raise key_error(resource)


def _address(resource: Resource, body: Json) -> object:
    if "@odata.id" not in body:
        raise payload_error(resource.rows, "The property '@odata.id' is missing in the payload of a reference.")
    return body["@odata.id"]


def _parent(service: Service, resource: Resource) -> Target:
    table = service.organisation.tables[resource.via[-1].target] if resource.via else resource.origin or resource.rows
    return concrete(service, table, find_row(service, resource))


def _point(service: Service, request: Request, resource: Resource, target: Target | None) -> None:
    navigation = resource.navigation
    assert navigation is not None
    owner = replace(resource, via=resource.via[:-1])
    table = service.organisation.tables[owner.via[-1].target] if owner.via else resource.origin or resource.rows
    table, row_id = concrete(service, table, find_row(service, owner))
    if target is None and table.columns[navigation.column].required == "SystemRequired":
        raise required_missing()
    current = service.store.row(table, row_id) or {}
    values = lookup_values(table, navigation, target)
    store_changes(service, caller_of(service, request), table, row_id, values, current)
