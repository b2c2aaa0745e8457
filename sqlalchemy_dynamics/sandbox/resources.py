"""What a path names: a set, a row (by id or alternate key), a column, a navigation, `$ref`, `$count`, an operation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy_dynamics.sandbox.failures import (
    NAMESPACE,
    ODataError,
    bad_request,
    no_such_key,
    no_such_row,
    no_such_segment,
    undefined_key,
)
from sqlalchemy_dynamics.sandbox.grammar import parse_literal
from sqlalchemy_dynamics.sandbox.nodes import Literal
from sqlalchemy_dynamics.sandbox.predicates import stored_literal
from sqlalchemy_dynamics.sandbox.schema import Column, Navigation, Table
from sqlalchemy_dynamics.sandbox.switches import Switches
from sqlalchemy_dynamics.sandbox.values import KINDS, sql_name
from sqlalchemy_dynamics.sandbox.wire import Request, Service, split_outside_quotes

__all__ = ["DEFINITION_SETS", "Key", "Resource", "find_row", "parse_key", "resolve"]

DEFINITION_SETS = frozenset(
    {"EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions", "ManagedPropertyDefinitions"}
)
_SEGMENT = re.compile(r"^([^()]*)(?:\((.*)\))?$", re.DOTALL)
_GUID = re.compile(r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")


@dataclass(frozen=True)
class Key:
    """How a path addresses a row: by id, or by the stored values of an alternate key's columns."""

    row_id: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True)
class Resource:
    """A resolved path. `kind` is the second half of a route's key (see `router.ROUTES`)."""

    kind: str
    table: Table | None = None
    key: Key | None = None
    navigation: Navigation | None = None
    column: Column | None = None
    name: str = ""
    arguments: str | None = None
    single: bool = True
    """For ``ref``: whether it is one reference."""
    child: Key | None = None
    """For ``ref`` below a collection: the row named in ``nav(key)/$ref``."""
    via: tuple[Navigation, ...] = ()
    """Lookups between the row of `key` (of table `origin`) and the row meant."""
    origin: Table | None = None
    segments: tuple[str, ...] = ()

    @property
    def rows(self) -> Table:
        assert self.table is not None
        return self.table


def resolve(service: Service, request: Request) -> Resource:
    """Return what the path names; raises ODataError 404 for unknown names, 400 for malformed keys."""
    segments = request.segments
    if not segments:
        return Resource("service")
    head = segments[0]
    name, arguments = _split(head)
    if head in ("$metadata", "$batch"):
        if len(segments) > 1:
            raise no_such_segment(segments[1])
        return Resource(head[1:])
    if name in DEFINITION_SETS:
        return Resource("definitions", name=name, segments=tuple(segments))
    table = service.organisation.table_of_set(name)
    if table is None:
        if len(segments) == 1 and (name[:1].isupper() or "_" in name):
            return Resource("operation", name=name, arguments=arguments)
        raise no_such_segment(name)
    found = Resource("set", table, segments=tuple(segments))
    if arguments is not None:
        found = replace(found, kind="row", key=parse_key(table, arguments, request.options))
    for segment in segments[1:]:
        found = _step(service, found, segment, request)
    return found


def _split(segment: str) -> tuple[str, str | None]:
    match = _SEGMENT.match(segment)
    if match is None:
        raise no_such_segment(segment)
    return match[1], match[2]


def _step(service: Service, found: Resource, segment: str, request: Request) -> Resource:
    name, arguments = _split(segment)
    if name.startswith(f"{NAMESPACE}."):
        return _cast_or_operation(service, found, name.removeprefix(f"{NAMESPACE}."), arguments)
    if name in ("$count", "$ref", "$value"):
        return _special(found, name)
    if found.kind != "row":
        raise no_such_segment(segment)
    table = found.rows
    column = table.properties().get(name)
    navigation = service.organisation.navigations(table.name).get(name)
    if column is not None and arguments is None:
        return replace(found, kind="column", column=column, navigation=navigation)
    if navigation is None:
        raise no_such_segment(name)
    return _navigate(service, found, navigation, arguments, request)


def _navigate(
    service: Service, found: Resource, navigation: Navigation, arguments: str | None, request: Request
) -> Resource:
    target = service.organisation.tables[navigation.target]
    if navigation.collection:
        child = parse_key(target, arguments, request.options) if arguments is not None else None
        return replace(
            found,
            kind="collection" if child is None else "child",
            origin=found.origin or found.rows,
            table=target,
            navigation=navigation,
            child=child,
        )
    return replace(
        found, table=target, origin=found.origin or found.rows, via=(*found.via, navigation), navigation=navigation
    )


def _special(found: Resource, name: str) -> Resource:
    if name == "$count" and found.kind in ("set", "collection"):
        return replace(found, kind=f"{found.kind}-count")
    if name == "$value" and found.kind == "column":
        return replace(found, kind="value")
    if name == "$ref":
        if found.kind == "column" and found.navigation is not None:
            return replace(found, kind="ref")
        if found.kind == "row" and found.via:
            return replace(found, kind="ref")
        if found.kind in ("collection", "child"):
            return replace(found, kind="ref", single=False)
    raise no_such_segment(name)


def _cast_or_operation(service: Service, found: Resource, name: str, arguments: str | None) -> Resource:
    cast = service.organisation.tables.get(name)
    castable = cast is not None and found.table is not None and found.table.name in (cast.name, cast.base)
    if castable and arguments is None:
        return replace(found, table=cast)
    return replace(found, kind="bound", name=name, arguments=arguments)


def parse_key(table: Table, text: str, aliases: Mapping[str, str]) -> Key:
    """Return the key between the parentheses of a path; raises ODataError 400 when it cannot be one."""
    text = text.strip()
    bare = aliases.get(text, text) if text.startswith("@") else text
    if _GUID.match(bare):
        return Key(bare.lower(), text=text)
    if "=" not in text:
        raise bad_request("Bad Request - Error in query syntax.", "0x80060888")
    values: dict[str, object] = {}
    for part in split_outside_quotes(text, ","):
        name, _, value = part.partition("=")
        values[name.strip()] = value.strip()
    if list(values) == [table.key] and _GUID.match(str(values[table.key])):
        return Key(str(values[table.key]).lower(), text=text)
    return Key(values=_alternate(table, values), text=text)


def _alternate(table: Table, values: Mapping[str, object]) -> dict[str, object]:
    properties = table.properties()
    columns = {properties[name].name: name for name in values if name in properties}
    if len(columns) != len(values) or not any(
        set(key.columns) == set(columns) and key.status == "Active" for key in table.keys.values()
    ):
        raise undefined_key(table.name)
    stored = {}
    for column, name in columns.items():
        literal = parse_literal(str(values[name]), Switches())
        assert isinstance(literal, Literal)
        stored[column] = None if literal.kind == "null" else stored_literal(table.columns[column], literal)
    return stored


def find_row(service: Service, resource: Resource) -> str:
    """Return the id of the row a resource means; raises ODataError 404 when there is none."""
    assert resource.key is not None
    origin = resource.origin or resource.rows
    row_id = find_key(service, origin, resource.key)
    table = origin
    for navigation in resource.via:
        row_id = follow(service, table, row_id, navigation)
        table = service.organisation.tables[navigation.target]
    return row_id


def find_key(service: Service, table: Table, key: Key) -> str:
    """Return the id of the row with that key; raises ODataError 404 when there is none."""
    service.store.touch(table.name)
    if key.row_id:
        sql = f"SELECT 1 FROM {sql_name(table.name)} WHERE {sql_name(table.primary_id)} = ?"
        if not service.store.query(sql, (key.row_id,)):
            raise no_such_row(table.name, key.row_id)
        return key.row_id
    tests, parameters = [], []
    for name, value in key.values.items():
        equal = KINDS[table.columns[name].kind].equal
        tests.append(f"{equal(sql_name(name))} = {equal('?')}" if value is not None else f"{sql_name(name)} IS NULL")
        parameters += [value] if value is not None else []
    found = service.store.query(
        f"SELECT {sql_name(table.primary_id)} FROM {sql_name(table.name)} WHERE {' AND '.join(tests)}", parameters
    )
    if not found:
        raise no_such_key(table.name)
    return str(found[0][0])


def follow(service: Service, table: Table, row_id: str, navigation: Navigation) -> str:
    """Return the id a lookup of a row points to; raises ODataError 204 when the lookup is empty."""
    column = table.columns[navigation.column]
    row = service.store.row(table, row_id) or {}
    value = row.get(column.name)
    target = service.organisation.tables[navigation.target]
    if value is None or (column.polymorphic and not target.abstract and row.get(f"{column.name}:type") != target.name):
        raise ODataError(204, "", "")
    return str(value)


def key_error(resource: Resource) -> ODataError:
    """Return the refusal of a method the resource does not have."""
    return ODataError(405, "0x80060888", f"The requested resource does not support this method ({resource.kind}).")
