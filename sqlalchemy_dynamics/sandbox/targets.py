"""Rows as arguments of operations: references to rows that exist, and rows described (section 4.12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy_dynamics.sandbox.binding import Target, concrete, target_of
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, payload_refusal
from sqlalchemy_dynamics.sandbox.resources import Key, find_key
from sqlalchemy_dynamics.sandbox.wire import Request, Service

__all__ = ["described", "row_of", "type_of"]


def type_of(given: Mapping[str, Any], declared: str = "") -> str:
    """Return the table a row argument is of: its ``@odata.type``, or what the parameter declares."""
    named = str(given.get("@odata.type", "")).lstrip("#").removeprefix(f"{NAMESPACE}.")
    return named or declared


def row_of(service: Service, request: Request, given: Mapping[str, Any], declared: str = "") -> Target:
    """Return the row an argument stands for: ``{"@odata.type": …, "accountid": …}`` or ``{"@odata.id": …}``.

    Raises ODataError 404 when there is no such row, 400 when the argument has no key or is of another table.
    """
    kind = type_of(given, declared)
    table = service.organisation.tables.get(kind)
    if "@odata.id" in given:
        any_table = table or next(iter(service.organisation.tables.values()))
        found = target_of(service, request, any_table, given["@odata.id"])
        if table is not None and table.name not in (found[0].name, found[0].base):
            raise payload_refusal(f"A row of '{found[0].name}' was found where one of '{table.name}' was expected.")
        return found
    key = None if table is None else given.get(table.primary_id) or given.get(table.key)
    if table is None or not key:
        raise payload_refusal("An entity parameter needs '@odata.type' and its primary key.")
    return concrete(service, table, find_key(service, table, Key(str(key).lower())))


def described(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row argument as the body of a create or an update."""
    return {name: value for name, value in given.items() if name not in ("@odata.type", "@odata.id")}
