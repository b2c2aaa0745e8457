"""A JSON body read against a table: values to store, rows to make along with it, rows to link (sections 5.1, 5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy_dynamics.sandbox.binding import Target, lookup_values, target_of
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, Refused, bad_request
from sqlalchemy_dynamics.sandbox.schema import Column, Navigation, Table
from sqlalchemy_dynamics.sandbox.validation import (
    checked_value,
    invalid_property,
    payload_error,
    required_missing,
    undeclared_property,
)
from sqlalchemy_dynamics.sandbox.wire import Request, Service

__all__ = ["Body", "read_body"]

Json = Mapping[str, Any]


@dataclass
class Body:
    """What a body asks for. `values` are stored values by physical column."""

    values: dict[str, object] = field(default_factory=dict)
    parents: list[tuple[Navigation, Json]] = field(default_factory=list)
    """Rows to be made first and pointed to (deep insert into a lookup)."""
    children: list[tuple[Navigation, list[Json]]] = field(default_factory=list)
    """Rows to be made afterwards (deep insert into a collection)."""
    links: list[tuple[Navigation, list[Target]]] = field(default_factory=list)
    """Rows that exist, to be linked to (`@odata.bind` of a collection)."""


def read_body(service: Service, request: Request, table: Table, body: Json, creating: bool) -> Body:
    """Return what the body asks for; read-only columns are passed over. Raises ODataError 400 and 404."""
    found = Body()
    reader = _Reader(service, request, table, creating, found)
    for name, value in body.items():
        reader.member(name, value)
    return found


class _Reader:
    def __init__(self, service: Service, request: Request, table: Table, creating: bool, found: Body) -> None:
        self.service, self.request, self.table, self.creating, self.found = service, request, table, creating, found
        self.properties = table.properties()
        self.navigations = service.organisation.navigations(table.name)

    def member(self, name: str, value: object) -> None:
        bare, annotated, annotation = name.partition("@")
        if annotated and not bare:
            if annotation == "odata.type":
                self._type(str(value).lstrip("#"))
            return
        if annotated:
            self._annotation(bare, annotation, value)
        elif name in self.properties:
            self._value(self.properties[name], value)
        elif name in self.navigations:
            self._navigation(self.navigations[name], value)
        else:
            raise invalid_property(self.table, name)

    def _type(self, name: str) -> None:
        if not self.table.abstract and name not in (f"{NAMESPACE}.{self.table.name}", f"mscrm.{self.table.name}"):
            message = (
                f"A resource with type '{name}' was found, but it is not assignable to the expected type "
                f"'{NAMESPACE}.{self.table.name}'."
            )
            raise payload_error(self.table, message)

    def _annotation(self, name: str, annotation: str, value: object) -> None:
        if annotation != "odata.bind":
            if name not in self.properties and name not in self.navigations:
                raise undeclared_property(self.table, name)
        elif name not in self.navigations:
            raise undeclared_property(self.table, name)
        elif self.navigations[name].collection:
            self._bind_many(self.navigations[name], value)
        else:
            self._bind(self.navigations[name], value)

    def _value(self, column: Column, value: object) -> None:
        if column.is_lookup and not column.plain_guid:
            if not self.service.switches.lookup_value_in_body_ignored:
                raise invalid_property(self.table, column.property)
            return
        if not (column.creatable if self.creating else column.updatable):
            return
        if column.kind == "File" and value is not None:
            raise Refused(self.service.switches.file_in_body, name=column.name)
        self.found.values[column.name] = checked_value(self.service, self.table, column, value)

    def _bind(self, navigation: Navigation, value: object) -> None:
        column = self.table.columns[navigation.column]
        if not (column.creatable if self.creating else column.updatable):
            return
        target = None if value is None else target_of(self.service, self.request, self.table, value)
        if target is None and column.required == "SystemRequired":
            raise required_missing()
        if target is None and self.found.values.get(column.name) is not None:
            return
        self.found.values |= lookup_values(self.table, navigation, target)

    def _bind_many(self, navigation: Navigation, value: object) -> None:
        if not self.creating:
            raise bad_request(
                f"The collection navigation property '{navigation.name}' cannot be bound in an update: use $ref.",
                "0x80048d19",
            )
        addresses = value if isinstance(value, list) else [value]
        targets = [target_of(self.service, self.request, self.table, each) for each in addresses]
        self.found.links.append((navigation, targets))

    def _navigation(self, navigation: Navigation, value: object) -> None:
        if value is None and not navigation.collection:
            self._bind(navigation, None)
            return
        rows = value if navigation.collection else [value]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise payload_error(
                self.table,
                (
                    f"A value of an unexpected kind was found for the navigation property '{navigation.name}'; use "
                    f"'{navigation.name}@odata.bind' to point to a row that exists."
                ),
            )
        if not self.creating:
            raise bad_request(
                f"Deep update of the navigation property '{navigation.name}' is not supported.", "0x80060888"
            )
        if navigation.collection:
            self.found.children.append((navigation, rows))
        else:
            self.found.parents.append((navigation, rows[0]))
