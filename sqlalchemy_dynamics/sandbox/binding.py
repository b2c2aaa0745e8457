"""Addresses of rows in bodies: `@odata.bind`, `@odata.id`, `$id`; and what a lookup stores (section 5.1, 5.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from sqlalchemy_dynamics.sandbox.batch import REFERENCE, referred
from sqlalchemy_dynamics.sandbox.failures import ODataError, no_such_segment
from sqlalchemy_dynamics.sandbox.resources import find_key, parse_key
from sqlalchemy_dynamics.sandbox.schema import Navigation, Table
from sqlalchemy_dynamics.sandbox.store import type_column
from sqlalchemy_dynamics.sandbox.validation import payload_error
from sqlalchemy_dynamics.sandbox.values import sql_name
from sqlalchemy_dynamics.sandbox.wire import Request, Service

__all__ = ["Target", "concrete", "lookup_values", "target_of"]

_SERVICE_PATH = re.compile(r"^.*/api/data/v\d+\.\d+/", re.IGNORECASE)
_ORIGIN = re.compile(r"^https?://[^/]*", re.IGNORECASE)
_ADDRESS = re.compile(r"^([A-Za-z_]\w*)\((.*)\)$", re.DOTALL)

Target = tuple[Table, str]
"""A row: its own table (never an abstract one) and its id."""


def target_of(service: Service, request: Request, table: Table, address: object) -> Target:
    """Return the row an address means: ``/set(id)``, ``set(key='x')``, an absolute URL, or ``$n`` in a change set.

    Raises ODataError 404 when there is no such row or set, 400 when the text is no address.
    """
    if not isinstance(address, str):
        raise payload_error(table, "The value of an 'odata.bind' property annotation must be a string with a URL.")
    text = referred(address.strip(), _references(request))
    path = _SERVICE_PATH.sub("", _ORIGIN.sub("", text)).lstrip("/")
    match = _ADDRESS.match(unquote(path))
    if match is None:
        raise payload_error(table, f"The URL '{address}' does not address a single row.")
    found = service.organisation.table_of_set(match[1]) or _set_of_owners(service, match[1])
    if found is None:
        raise no_such_segment(match[1])
    return concrete(service, found, find_key(service, found, parse_key(found, match[2], {})))


def _references(request: Request) -> Mapping[str, str]:
    return {name[len(REFERENCE) :]: value for name, value in request.headers.items() if name.startswith(REFERENCE)}


def _set_of_owners(service: Service, name: str) -> Table | None:
    return service.organisation.tables.get("principal") if name in ("owners", "principals") else None


def concrete(service: Service, table: Table, row_id: str) -> Target:
    """Return the row in its own table: activities and owners are also seen through their abstract tables."""
    if not table.abstract:
        return table, row_id
    sql = f'SELECT ":table" FROM {sql_name(table.name)} WHERE {sql_name(table.primary_id)} = ?'
    found = service.store.query(sql, (row_id,))
    return (service.organisation.tables[str(found[0][0])], row_id) if found else (table, row_id)


def lookup_values(table: Table, navigation: Navigation, target: Target | None) -> dict[str, object]:
    """Return the stored values that point a lookup at a row, or clear it; raises ODataError 400 for a wrong table."""
    column = table.columns[navigation.column]
    values: dict[str, object] = {column.name: None if target is None else target[1]}
    if target is not None and target[0].name != navigation.target and target[0].base != navigation.target:
        raise ODataError(
            400,
            "0x80048d19",
            (
                f"The resource of type '{target[0].name}' cannot be bound to the navigation property "
                f"'{navigation.name}', which takes '{navigation.target}'."
            ),
        )
    if column.polymorphic:
        abstract = target is not None and navigation.target in column.targets and navigation.target != target[0].name
        values[type_column(column)] = None if target is None else navigation.target if abstract else target[0].name
    return values
