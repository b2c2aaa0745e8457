"""POST, PUT and DELETE of relationships; customer and polymorphic lookups (section 3.4)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy_dynamics.sandbox.ddl_attributes import attach, forget_column
from sqlalchemy_dynamics.sandbox.ddl_body import Body, invalid
from sqlalchemy_dynamics.sandbox.ddl_change import Draft
from sqlalchemy_dynamics.sandbox.ddl_columns import fill_column
from sqlalchemy_dynamics.sandbox.ddl_many import create_many, drop_many
from sqlalchemy_dynamics.sandbox.ddl_names import Publisher, publisher, schema_name
from sqlalchemy_dynamics.sandbox.definitions_table import CASCADES as CASCADE_NAMES
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused
from sqlalchemy_dynamics.sandbox.schema import Column, ManyToMany, OneToMany, Table, metadata_id
from sqlalchemy_dynamics.sandbox.standard import CASCADES
from sqlalchemy_dynamics.sandbox.store import type_column
from sqlalchemy_dynamics.sandbox.values import sql_name

__all__ = ["create_lookups", "create_relationship", "drop_relationship", "put_relationship", "unrelate"]

_CASCADE_VALUES = frozenset({"NoCascade", "Cascade", "Active", "UserOwned", "RemoveLink", "Restrict"})


def existing_table(draft: Draft, name: str) -> Table:
    """Return a table a body names; raises ODataError 400 when there is none."""
    found = draft.organisation.tables.get(name)
    if found is None or found.name == "principal":
        raise ODataError(
            400, "0x80040217", f"Could not find an entity with name {name} and id 00000000-0000-0000-0000-000000000000."
        )
    return found


def create_relationship(draft: Draft, body: Body) -> str:
    """Add a one-to-many relationship with its lookup, or a many-to-many one; returns its MetadataId."""
    if body.check().type == "ManyToManyRelationshipMetadata":
        return create_many(draft, body, unique_name(draft, body, publisher(draft)))
    if body.type != "OneToManyRelationshipMetadata":
        raise invalid("A relationship needs an @odata.type: OneToMany- or ManyToManyRelationshipMetadata.")
    lookup = body.inner("Lookup", "LookupAttributeMetadata").check()
    referencing = draft.table(existing_table(draft, body.text("ReferencingEntity")).name)
    name = lookup.text("SchemaName").lower()
    known = referencing.columns.get(name)
    if known is None:
        column = new_lookup(draft, referencing, lookup, "Lookup")
        return relate(draft, referencing, column, body, column.schema_name).metadata_id
    target = body.text("ReferencedEntity")
    if known.kind != "Lookup" or not known.custom or target in known.targets:
        raise ODataError(400, "0x80047013", "An attribute with the specified name already exists")
    column = replace(known)
    referencing.columns[name] = column
    return relate(draft, referencing, column, body, f"{column.schema_name}_{target}").metadata_id


def unique_name(draft: Draft, body: Body, owner: Publisher) -> str:
    """Return the schema name of a new relationship; raises ODataError 0x8004432b when it is taken."""
    name = schema_name(draft, body.text("SchemaName"), owner)
    organisation = draft.organisation
    if name.lower() in {known.lower() for known in (*organisation.one_to_many, *organisation.many_to_many)}:
        raise ODataError(400, "0x8004432b", f"The schema name {name} for type EntityRelationship is not unique.")
    return name


def new_lookup(draft: Draft, table: Table, body: Body, kind: str) -> Column:
    """Add the lookup column of a body to a table, without targets yet."""
    name = schema_name(draft, body.text("SchemaName"), publisher(draft), "The SchemaName of the lookup")
    column = fill_column(draft, Column(name.lower(), kind, name, custom=True), body)
    attach(draft, table, column)
    return column


def relate(draft: Draft, referencing: Table, column: Column, body: Body, navigation: str) -> OneToMany:
    """Make a lookup column point to the table of a body; sqlite follows."""
    referenced = existing_table(draft, body.text("ReferencedEntity"))
    if body.text("ReferencedAttribute", referenced.primary_id) != referenced.primary_id:
        raise invalid(f"ReferencedAttribute must be the primary key '{referenced.primary_id}'.")
    name = unique_name(draft, body, publisher(draft))
    relationship = OneToMany(
        name,
        referenced.name,
        referenced.primary_id,
        referencing.name,
        column.name,
        body.text("ReferencingEntityNavigationPropertyName", navigation),
        body.text("ReferencedEntityNavigationPropertyName", name),
        _cascade(body),
        True,
        body.flag("IsHierarchical"),
        metadata_id=metadata_id("relationship", name),
    )
    taken = draft.organisation.navigations(referencing.name)
    if relationship.referencing_nav in taken or relationship.referencing_nav in referencing.properties():
        raise invalid(f"'{referencing.name}' already has a property '{relationship.referencing_nav}'.")
    _aim(draft, referencing, column, referenced.name)
    draft.organisation.relate(relationship)
    return relationship


def _aim(draft: Draft, table: Table, column: Column, target: str) -> None:
    before = column.targets
    column.targets = (*before, target)
    draft.store.add_column(table, column)
    if len(before) == 1:
        types, own = sql_name(type_column(column)), sql_name(column.name)
        draft.store.execute(f"UPDATE {sql_name(table.name)} SET {types} = ? WHERE {own} IS NOT NULL", (before[0],))


def _cascade(body: Body) -> dict[str, str]:
    given = body.inner("CascadeConfiguration", "CascadeConfiguration") if body.given("CascadeConfiguration") else None
    if given is None:
        return dict(CASCADES)
    return {name: given.choice(name, _CASCADE_VALUES, CASCADES.get(name, "NoCascade")) for name in CASCADE_NAMES}


def create_lookups(draft: Draft, body: Body, kind: str) -> tuple[list[str], str]:
    """Add a lookup with several targets; returns the relationships' MetadataIds and the column's."""
    bodies = [Body(item, "OneToManyRelationshipMetadata") for item in body.items("OneToManyRelationships")]
    names = {item.text("ReferencingEntity") for item in bodies}
    if len(names) != 1:
        raise invalid("OneToManyRelationships must be given, all with the same ReferencingEntity.")
    if kind == "Customer" and {item.text("ReferencedEntity") for item in bodies} != {"account", "contact"}:
        raise invalid("A customer lookup needs one relationship with account and one with contact.")
    table = draft.table(existing_table(draft, names.pop()).name)
    column = new_lookup(draft, table, body.inner("Lookup", "LookupAttributeMetadata"), kind)
    made = [
        relate(draft, table, column, item, f"{column.schema_name}_{item.text('ReferencedEntity')}") for item in bodies
    ]
    return [one.metadata_id for one in made], column.metadata_id


def put_relationship(draft: Draft, old: OneToMany | ManyToMany, body: Body) -> None:
    """Change the cascades of a one-to-many relationship; names and tables cannot be changed."""
    if body.check().text("SchemaName", old.schema_name) != old.schema_name:
        raise invalid(f"The SchemaName of '{old.schema_name}' cannot be changed.")
    if isinstance(old, OneToMany):
        changed = replace(old, cascade=_cascade(body), hierarchical=body.flag("IsHierarchical"))
        draft.organisation.relate(changed)
        draft.table(old.referencing)


def drop_relationship(draft: Draft, relationship: OneToMany | ManyToMany) -> None:
    """Drop a relationship, and its lookup column when no other relationship has it."""
    if not relationship.custom:
        managed = draft.service.switches.managed_component
        raise Refused(managed, kind="EntityRelationship", name=relationship.schema_name, done="deleted")
    if isinstance(relationship, ManyToMany):
        drop_many(draft, relationship)
        return
    table = draft.organisation.tables[relationship.referencing]
    column = table.columns[relationship.attribute]
    users = [key for key in table.keys.values() if column.name in key.columns]
    if users and len(column.targets) == 1:
        used = draft.service.switches.component_in_use
        raise Refused(used, kind="EntityRelationship", ident=relationship.metadata_id, count=len(users))
    unrelate(draft, relationship)


def unrelate(draft: Draft, relationship: OneToMany) -> None:
    """Take a one-to-many relationship away; rows that point through it point to nothing."""
    del draft.organisation.one_to_many[relationship.schema_name]
    draft.drop("Relationship", relationship.metadata_id)
    table = draft.table(relationship.referencing)
    column = table.columns[relationship.attribute]
    left = tuple(target for target in column.targets if target != relationship.referenced)
    if not left:
        forget_column(draft, table, column)
        return
    store, quoted = draft.store, sql_name(type_column(column))
    if not table.abstract:
        store.touch(table.name)
        store.execute(
            f"UPDATE {sql_name(table.name)} SET {sql_name(column.name)} = NULL, {quoted} = NULL WHERE {quoted} = ?",
            (relationship.referenced,),
        )
    table.columns[column.name] = replace(column, targets=left)
