"""Rows made and changed, in one transaction each: what every kind of write comes down to (sections 5.1, 5.2)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy_dynamics.sandbox.binding import Target, concrete, lookup_values
from sqlalchemy_dynamics.sandbox.callers import Caller, caller_of
from sqlalchemy_dynamics.sandbox.defaults import complete_new, complete_update, follow_up
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, ODataError, Refused, no_such_row
from sqlalchemy_dynamics.sandbox.filecolumns import settle_images
from sqlalchemy_dynamics.sandbox.linking import link
from sqlalchemy_dynamics.sandbox.payload import Body, Json, read_body
from sqlalchemy_dynamics.sandbox.schema import Navigation, Table
from sqlalchemy_dynamics.sandbox.states import settle_state
from sqlalchemy_dynamics.sandbox.store import type_column
from sqlalchemy_dynamics.sandbox.validation import unsupported_message
from sqlalchemy_dynamics.sandbox.wire import Request, Service

__all__ = ["check_duplicates", "create_row", "duplicate_row", "update_row"]

_KEY_INDEX = re.compile(r":key:([^']+)'")
_NOT_CREATED = frozenset({"activityparty", "organization", "principal"})
_RULES: dict[str, tuple[tuple[str, ...], ...]] = {
    "account": (("name",),),
    "contact": (("emailaddress1",), ("firstname", "lastname")),
    "lead": (("emailaddress1",),),
}
"""Published duplicate-detection rules: rows alike in all columns of one tuple are duplicates."""


def create_row(
    service: Service,
    request: Request,
    table: Table,
    body: Json,
    given: Mapping[str, object] | None = None,
    nested: bool = False,
) -> str:
    """Make a row and everything nested in its body; returns its id.

    `given` are stored values that win over the body. Raises ODataError 400 for bad values, 404 for rows bound to that
    are missing, 412 for keys that exist.
    """
    table = _creatable(service, table, body, nested)
    caller = caller_of(service, request)
    with service.store.transaction():
        service.store.touch(table.name)
        found = read_body(service, request, table, body, True)
        for navigation, parent in found.parents:
            target = _typed(service, navigation, parent)
            made = (target, create_row(service, request, target, parent, nested=True))
            found.values |= lookup_values(table, navigation, made)
        values = {**found.values, **(given or {})}
        settle_state(table, values, {})
        complete_new(service, caller, table, values)
        settle_images(service, table, values)
        check_duplicates(service, request, table, values)
        _written(table, values, lambda: service.store.insert(table, values))
        row_id = str(values[table.primary_id])
        _make_children(service, request, (table, row_id), found)
    return row_id


def _creatable(service: Service, table: Table, body: Json, nested: bool) -> Table:
    if table.abstract:
        table = _cast(service, body) or table
    if table.abstract or table.intersect or (table.name in _NOT_CREATED and not nested):
        raise unsupported_message("Create", table.name)
    return table


def _cast(service: Service, body: Json) -> Table | None:
    kind = str(body.get("@odata.type", "")).lstrip("#").removeprefix(f"{NAMESPACE}.")
    return service.organisation.tables.get(kind)


def _typed(service: Service, navigation: Navigation, body: Json) -> Table:
    target = service.organisation.tables[navigation.target]
    return (_cast(service, body) if target.abstract else None) or target


def _make_children(service: Service, request: Request, parent: Target, found: Body) -> None:
    for navigation, rows in found.children:
        for row in rows:
            child = _typed(service, navigation, row)
            if navigation.many_to_many:
                link(service, navigation, parent, (child, create_row(service, request, child, row, nested=True)))
            else:
                create_row(service, request, child, row, _pointing(child, navigation, parent), nested=True)
    for navigation, targets in found.links:
        for target in targets:
            link(service, navigation, parent, target)


def _pointing(child: Table, navigation: Navigation, parent: Target) -> dict[str, object]:
    column = child.columns[navigation.column]
    values: dict[str, object] = {column.name: parent[1]}
    if column.polymorphic:
        values[type_column(column)] = parent[0].name if parent[0].name in column.targets else navigation.table
    return values


def update_row(
    service: Service, request: Request, table: Table, row_id: str, body: Json, by_action: bool = False
) -> None:
    """Change a row; raises ODataError 404 when it is missing, 400 for bad values, 412 for keys that exist."""
    table, row_id = concrete(service, table, row_id)
    current = service.store.row(table, row_id)
    if current is None:
        raise no_such_row(table.name, row_id)
    caller = caller_of(service, request)
    with service.store.transaction():
        values = read_body(service, request, table, body, False).values
        if not values:
            if not body and not service.switches.empty_patch_allowed:
                raise ODataError(400, "0x80048d19", "The request body has no property to change.")
            return
        settle_state(table, values, current, by_action)
        store_changes(service, caller, table, row_id, values, current)
        check_duplicates(service, request, table, {**current, **values})


def store_changes(
    service: Service,
    caller: Caller,
    table: Table,
    row_id: str,
    values: dict[str, object],
    current: Mapping[str, object],
) -> None:
    """Store changed values and everything that follows from them."""
    follow_up(service, caller, table, values, current)
    complete_update(service, caller, table, values)
    settle_images(service, table, values)
    _written(table, {**current, **values}, lambda: service.store.update(table, row_id, values))


def _written(table: Table, values: Mapping[str, object], write: Callable[[], Any]) -> None:
    try:
        write()
    except sqlite3.IntegrityError as error:
        raise _violated(table, str(error)) from None


def duplicate_row() -> ODataError:
    """Return the 412 for a primary key that exists."""
    return ODataError(412, "0x80040237", "A record with matching key values already exists.")


def _violated(table: Table, text: str) -> ODataError:
    match = _KEY_INDEX.search(text)
    key = table.keys.get(match[1]) if match else None
    if key is None:
        return duplicate_row()
    labels = ", ".join(table.columns[name].label or name for name in key.columns)
    return ODataError(
        412,
        "0x80060892",
        (
            f"Entity Key {key.label or key.name} violated. A record with the same value for {labels} already exists. A "
            "duplicate record cannot be created. Select one or more unique values and try again."
        ),
    )


def check_duplicates(service: Service, request: Request, table: Table, row: Mapping[str, object]) -> None:
    """Apply the duplicate-detection rules when the request asks for it (section 5.6); raises ODataError 412."""
    if request.headers.get("mscrm.suppressduplicatedetection", "true").strip().lower() != "false":
        return
    for names in _RULES.get(table.name, ()):
        if any(row.get(name) is None for name in names):
            continue
        tests = " AND ".join(f"fold({name}) = fold(?)" for name in names)
        sql = f"SELECT 1 FROM {table.name} WHERE {tests} AND {table.primary_id} <> ? LIMIT 1"
        if service.store.query(sql, [*(row[name] for name in names), row[table.primary_id]]):
            raise Refused(service.switches.duplicate_found)
