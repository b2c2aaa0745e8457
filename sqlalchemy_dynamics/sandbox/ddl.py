"""Requests that change the schema: POST, PUT and DELETE on the definition sets, and the actions beside them."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

from sqlalchemy_dynamics.sandbox.ddl_attributes import create_column, drop_column, put_column
from sqlalchemy_dynamics.sandbox.ddl_body import Body, invalid
from sqlalchemy_dynamics.sandbox.ddl_change import Draft, change
from sqlalchemy_dynamics.sandbox.ddl_keys import create_key, drop_key, reactivate
from sqlalchemy_dynamics.sandbox.ddl_relationships import (
    create_lookups,
    create_relationship,
    drop_relationship,
    put_relationship,
)
from sqlalchemy_dynamics.sandbox.ddl_tables import create_table, drop_table, put_table
from sqlalchemy_dynamics.sandbox.definitions import Target, find
from sqlalchemy_dynamics.sandbox.definitions_types import TYPES
from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.optionsets import create_choice, drop_choice, update_choice
from sqlalchemy_dynamics.sandbox.resources import Resource
from sqlalchemy_dynamics.sandbox.schema import Column, ManyToMany, OneToMany
from sqlalchemy_dynamics.sandbox.sequences import seed_number
from sqlalchemy_dynamics.sandbox.wire import Handler, Reply, Request, Service, json_reply, response_type

__all__ = ["DDL_ACTIONS", "delete", "patch", "post", "put"]


def _base(declared: str) -> str:
    while TYPES[declared].base:
        declared = TYPES[declared].base
    return declared


def _refused(request: Request) -> ODataError:
    return ODataError(405, "0x80060888", f"The requested resource does not support the method {request.method}.")


def _table_of(target: Target) -> str:
    if target.parent is None:
        raise invalid("The definition belongs to no table.")
    return target.parent.name


def _column(draft: Draft, target: Target) -> Column:
    table, name = draft.organisation.tables[_table_of(target)], target.one.name
    return table.columns.get(name) or Column(name, "Virtual", attribute_of=name)


def _relationship(draft: Draft, name: str) -> OneToMany | ManyToMany:
    return draft.organisation.one_to_many.get(name) or draft.organisation.many_to_many[name]


_CREATE: dict[str, Callable[[Draft, Target, Body], str]] = {
    "EntityMetadata": lambda draft, target, body: create_table(draft, body).metadata_id,
    "AttributeMetadata": lambda draft, target, body: create_column(draft, _table_of(target), body),
    "EntityKeyMetadata": lambda draft, target, body: create_key(draft, _table_of(target), body),
    "RelationshipMetadataBase": lambda draft, target, body: create_relationship(draft, body),
    "OptionSetMetadataBase": lambda draft, target, body: create_choice(draft, body.check()).metadata_id,
}
_PUT: dict[str, Callable[[Draft, Target, Body], None]] = {
    "EntityMetadata": lambda draft, target, body: put_table(draft, target.one.name, body),
    "AttributeMetadata": lambda draft, target, body: put_column(draft, _table_of(target), _column(draft, target), body),
    "RelationshipMetadataBase": lambda draft, target, body: put_relationship(
        draft, _relationship(draft, target.one.name), body
    ),
    "OptionSetMetadataBase": lambda draft, target, body: update_choice(
        draft, draft.organisation.choices[target.one.name], body.check()
    ),
}
_DELETE: dict[str, Callable[[Draft, Target], None]] = {
    "EntityMetadata": lambda draft, target: drop_table(draft, target.one.name),
    "AttributeMetadata": lambda draft, target: drop_column(draft, _table_of(target), _column(draft, target)),
    "EntityKeyMetadata": lambda draft, target: drop_key(
        draft, _table_of(target), draft.organisation.tables[_table_of(target)].keys[target.one.name]
    ),
    "RelationshipMetadataBase": lambda draft, target: drop_relationship(draft, _relationship(draft, target.one.name)),
    "OptionSetMetadataBase": lambda draft, target: drop_choice(draft, draft.organisation.choices[target.one.name]),
}


def post(service: Service, request: Request, resource: Resource) -> Reply:
    """Create a component: 204 with its address, in the form the request used."""
    target = find(service.organisation, list(resource.segments))
    create = _CREATE.get(_base(target.declared))
    below = "Relationship" in target.declared and target.parent is not None
    if target.kind != "many" or create is None or below:
        raise _refused(request)
    with change(service, request) as draft:
        ident = create(draft, target, Body(request.json(), target.declared))
    address = f"{request.root}{request.path}({ident})"
    return Reply(204, {"OData-EntityId": address, "Location": address})


def put(service: Service, request: Request, resource: Resource) -> Reply:
    """Replace a definition."""
    target = find(service.organisation, list(resource.segments))
    replace = _PUT.get(_base(target.declared))
    if target.kind != "one" or replace is None:
        raise _refused(request)
    with change(service, request) as draft:
        replace(draft, target, Body(request.json(), target.one.type))
    return Reply(204)


def delete(service: Service, request: Request, resource: Resource) -> Reply:
    """Drop a component."""
    target = find(service.organisation, list(resource.segments))
    drop = _DELETE.get(_base(target.declared))
    if target.kind != "one" or drop is None:
        raise _refused(request)
    with change(service, request) as draft:
        drop(draft, target)
    return Reply(204)


def patch(service: Service, request: Request, resource: Resource) -> Reply:
    """Refuse PATCH: definitions are replaced as a whole (section 3.4)."""
    find(service.organisation, list(resource.segments))
    raise ODataError(400, "0x80060888", "The PATCH operation is not supported on metadata entities; use PUT.")


def _lookups(kind: str, name: str) -> Handler:
    def create(service: Service, request: Request) -> Reply:
        with change(service, request) as draft:
            relationships, column = create_lookups(draft, Body(request.json(), name), kind)
        return json_reply(
            {
                "@odata.context": f"{request.root}$metadata#{response_type(name)}",
                "RelationshipIds": relationships,
                "AttributeId": column,
            }
        )

    return create


def create_entities(service: Service, request: Request) -> Reply:
    """Create several tables at once: all or none (CreateEntities)."""
    with change(service, request) as draft:
        for item in Body(request.json(), "CreateEntities").items("Entities"):
            create_table(draft, Body(item, "EntityMetadata"))
    return Reply(204)


def set_auto_number_seed(service: Service, request: Request) -> Reply:
    """Set the next number of an auto-number column (SetAutoNumberSeed)."""
    body = Body(request.json(), "SetAutoNumberSeed")
    name, attribute = body.text("EntityName"), body.text("AttributeName")
    table = service.organisation.tables.get(name)
    column = table.columns.get(attribute) if table else None
    if column is None or not column.auto_number:
        raise invalid(f"'{attribute}' is no auto-number column of '{name}'.")
    seed_number(service, name, attribute, body.whole("Value", 1000))
    return Reply(204)


def publish_all(service: Service, request: Request) -> Reply:
    """Publish everything; the Web API shows changes without it (section 3.4)."""
    return Reply(204)


def publish(service: Service, request: Request) -> Reply:
    """Publish the components an XML document names; raises ODataError 400 when it is none."""
    text = Body(request.json(), "PublishXml").text("ParameterXml")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise invalid(f"ParameterXml is no XML document: {error}") from None
    for found in root.iter("entity"):
        if (found.text or "").strip() not in service.organisation.tables:
            raise ODataError(404, "0x80040217", f"Could not find an entity with name {found.text}.")
    return Reply(204)


DDL_ACTIONS: dict[str, Handler] = {
    "CreateCustomerRelationships": _lookups("Customer", "CreateCustomerRelationships"),
    "CreatePolymorphicLookupAttribute": _lookups("Lookup", "CreatePolymorphicLookupAttribute"),
    "CreateEntities": create_entities,
    "ReactivateEntityKey": reactivate,
    "SetAutoNumberSeed": set_auto_number_seed,
    "PublishXml": publish,
    "PublishAllXml": publish_all,
}
