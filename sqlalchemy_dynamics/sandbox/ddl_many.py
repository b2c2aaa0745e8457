"""Many-to-many relationships: the relationship and the table behind it."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox.ddl_body import Body, invalid
from sqlalchemy_dynamics.sandbox.ddl_change import Draft
from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.schema import Column, ManyToMany, Organisation, Table, metadata_id

__all__ = ["create_many", "drop_many"]


def create_many(draft: Draft, body: Body, name: str) -> str:
    """Add a many-to-many relationship and its table; returns the MetadataId."""
    organisation = draft.organisation
    sides = [organisation.tables.get(body.text(f"Entity{side}LogicalName")) for side in (1, 2)]
    one, two = sides
    if one is None or two is None:
        raise ODataError(400, "0x80040217", "Could not find the entities of the many-to-many relationship.")
    if "Elastic" in (one.table_type, two.table_type) or one.intersect or two.intersect:
        raise invalid("Elastic and intersect tables take no part in many-to-many relationships.")
    intersect = body.text("IntersectEntityName", name).lower()
    if intersect in organisation.tables:
        raise ODataError(
            400, "0x8004700b", "An entity with the specified name already exists. Please specify a unique name."
        )
    first, second = one.primary_id, two.primary_id
    if first == second:
        first, second = f"{first}one", f"{second}two"
    nav1 = body.text("Entity1NavigationPropertyName", name)
    nav2 = body.text("Entity2NavigationPropertyName", name if one is not two else f"{name}_two")
    relationship = ManyToMany(
        name, one.name, two.name, intersect, first, second, nav1, nav2, True, metadata_id("relationship", name)
    )
    table = draft.add(_table(organisation, intersect, first, second))
    organisation.relate(relationship)
    draft.store.drop_table(table)
    draft.store.create_table(table)
    draft.store.index_order(table)
    draft.table(one.name)
    draft.table(two.name)
    return relationship.metadata_id


def _table(organisation: Organisation, name: str, first: str, second: str) -> Table:
    table = Table(
        name,
        f"{name}set",
        f"{name}id",
        label=name,
        plural=name,
        intersect=True,
        ownership="None",
        change_tracking=False,
        optimistic=False,
        custom=True,
        seeded=False,
        object_type_code=max([10000, *(other.object_type_code for other in organisation.tables.values())]) + 1,
    )
    for column in (table.primary_id, first, second):
        table.add(Column(column, "Uniqueidentifier", creatable=False, updatable=False, required="SystemRequired"))
    table.add(Column("versionnumber", "BigInt", "VersionNumber", creatable=False, updatable=False))
    return table


def drop_many(draft: Draft, relationship: ManyToMany) -> None:
    """Take a many-to-many relationship and its table away."""
    table = draft.organisation.tables.pop(relationship.intersect, None)
    del draft.organisation.many_to_many[relationship.schema_name]
    draft.drop("Relationship", relationship.metadata_id)
    for side in {relationship.entity1, relationship.entity2} & draft.organisation.tables.keys():
        draft.table(side)
    if table is not None:
        draft.store.drop_table(table)
        draft.drop("Entity", table.metadata_id)
        draft.changed.discard(table.name)
