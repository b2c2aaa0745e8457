"""Alternate keys: made Pending, indexed in the background, Active or Failed (section 3.5)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from sqlalchemy_dynamics.sandbox.ddl_body import Body, invalid
from sqlalchemy_dynamics.sandbox.ddl_change import Draft, change, clock
from sqlalchemy_dynamics.sandbox.ddl_names import publisher, schema_name
from sqlalchemy_dynamics.sandbox.definitions_table import key_id
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused
from sqlalchemy_dynamics.sandbox.schema import AlternateKey, Table, metadata_id
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service

__all__ = ["create_key", "drop_key", "reactivate", "resume_indexes", "settle_indexes"]

_KINDS = frozenset({"Decimal", "Integer", "String", "DateTime", "Lookup", "Customer", "Picklist"})
_MOST_KEYS, _MOST_COLUMNS, _MOST_BYTES = 10, 16, 900
_STATE = "indexes in the making"


def create_key(draft: Draft, table_name: str, body: Body) -> str:
    """Add an alternate key, Pending; returns its MetadataId."""
    table = draft.table(table_name)
    schema = schema_name(draft, body.check().text("SchemaName") or body.text("LogicalName"), publisher(draft))
    columns = tuple(body.names("KeyAttributes"))
    _check(table, schema.lower(), columns)
    label = next(iter(body.label("DisplayName").values()), schema)
    ident = metadata_id("key", table.name, schema.lower())
    key = AlternateKey(schema.lower(), columns, schema, label, "Pending", ident)
    table.keys[key.name] = key
    _schedule(draft, table.name, key.name)
    return key.metadata_id


def _check(table: Table, name: str, columns: tuple[str, ...]) -> None:
    if name in table.keys:
        raise ODataError(400, "0x80060893", f"An entity key with the name {name} already exists.")
    if any(set(key.columns) == set(columns) for key in table.keys.values()):
        raise ODataError(400, "0x80060894", "An entity key with the selected attributes already exists.")
    if table.table_type in ("Elastic", "Virtual") or table.intersect or table.abstract:
        raise invalid(f"The table '{table.name}' takes no alternate keys.")
    if not 1 <= len(columns) <= _MOST_COLUMNS or len(table.keys) >= _MOST_KEYS:
        raise invalid(f"A key has 1 to {_MOST_COLUMNS} columns, a table at most {_MOST_KEYS} keys.")
    for column in columns:
        if column not in table.columns:
            raise invalid(f"The table '{table.name}' has no column '{column}'.")
        if table.columns[column].kind not in _KINDS:
            raise invalid(f"The column '{column}' is a {table.columns[column].kind}, which no key may contain.")
    bytes_needed = sum(2 * c.max_length if c.kind == "String" else 16 for c in map(table.columns.__getitem__, columns))
    if bytes_needed > _MOST_BYTES:
        raise invalid(f"The key is {bytes_needed} bytes long; {_MOST_BYTES} are allowed.")


def _schedule(draft: Draft, table: str, key: str) -> None:
    due = clock(draft.service) + draft.service.switches.key_index_seconds
    draft.service.state.setdefault(_STATE, []).append((due, table, key))


def resume_indexes(service: Service) -> None:
    """Go on with the indexes that were in the making when the sandbox was closed."""
    waiting = service.state.setdefault(_STATE, [])
    for table in service.organisation.tables.values():
        waiting += [(0.0, table.name, key.name) for key in table.keys.values() if key.status == "Pending"]


def settle_indexes(service: Service) -> None:
    """Build the indexes that are due: the key becomes Active, or Failed when rows collide."""
    waiting: list[tuple[float, str, str]] = service.state.get(_STATE, [])
    if not waiting:
        return
    with service.store.lock:
        now = clock(service)
        due = [item for item in waiting if item[0] <= now]
        service.state[_STATE] = [item for item in waiting if item[0] > now]
        for _, table, key in due:
            known = service.store.organisation.tables.get(table)
            if known is not None and key in known.keys:
                with change(service) as draft:
                    _build(draft, draft.table(table), key)


def _build(draft: Draft, table: Table, name: str) -> None:
    key = table.keys[name]
    try:
        draft.store.unique_index(table, name, key.columns)
    except sqlite3.IntegrityError:
        table.keys[name] = replace(key, status="Failed")
    else:
        table.keys[name] = replace(key, status="Active")


def drop_key(draft: Draft, table_name: str, key: AlternateKey) -> None:
    """Drop an alternate key; raises ODataError for one that belongs to the system."""
    table = draft.table(table_name)
    if table.table_type == "Elastic":
        raise Refused(draft.service.switches.managed_component, kind="EntityKey", name=key.name, done="deleted")
    draft.store.touch(table.name)
    draft.store.drop_index(table, key.name)
    del table.keys[key.name]
    draft.drop("EntityKey", key_id(table, key))


def reactivate(service: Service, request: Request) -> Reply:
    """Try again to index a key that failed (ReactivateEntityKey)."""
    body = Body(request.json(), "ReactivateEntityKey")
    with change(service, request) as draft:
        name, key_name = body.text("EntityLogicalName"), body.text("EntityKeyLogicalName").lower()
        known = draft.organisation.tables.get(name)
        key = known.keys.get(key_name) if known else None
        if key is None:
            raise ODataError(404, "0x80040217", f"Could not find an entity key with name {key_name} on '{name}'.")
        if key.status != "Failed":
            raise invalid(f"The key '{key.name}' is {key.status}; only a failed one can be reactivated.")
        draft.table(name).keys[key.name] = replace(key, status="Pending")
        _schedule(draft, name, key.name)
    return Reply(204)
