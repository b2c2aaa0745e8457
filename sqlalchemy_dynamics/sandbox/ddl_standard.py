"""What the service adds to a new table by itself: system columns, notes, activities (section 3.5)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy_dynamics.sandbox.ddl_change import Draft
from sqlalchemy_dynamics.sandbox.schema import AlternateKey, Column, OneToMany, Option, Organisation, Table
from sqlalchemy_dynamics.sandbox.standard import (
    CASCADES,
    add_lookup,
    add_owner,
    add_primary_key,
    add_state,
    add_system,
)

__all__ = ["add_standard", "enable_activities", "enable_notes"]


def add_standard(organisation: Organisation, table: Table) -> None:
    """Add the columns every table of its kind has."""
    if table.is_activity:
        for column in organisation.tables["activitypointer"].columns.values():
            table.add(replace(column, inherited=True, metadata_id=""))
        return
    add_primary_key(table, f"{table.schema_name}Id")
    add_system(organisation, table, {})
    if table.ownership == "UserOwned":
        add_owner(organisation, table, {})
    elif "organization" in organisation.tables:
        column = Column(
            "organizationid", "Lookup", "OrganizationId", label="Organization Id", creatable=False, updatable=False
        )
        add_lookup(organisation, table, column, [("organization", f"organization_{table.name}", "organizationid")])
    if table.table_type == "Elastic":
        _add_elastic(table)
    else:
        active, inactive = Option(0, "Active"), Option(1, "Inactive")
        add_state(table, [(active, [Option(1, "Active")]), (inactive, [Option(2, "Inactive")])])
        for column in (table.columns["statecode"], table.columns["statuscode"]):
            if column.choice:
                column.choice.custom = True


def _add_elastic(table: Table) -> None:
    table.add(Column("partitionid", "String", "PartitionId", label="Partition Id", max_length=1024, updatable=False))
    table.add(Column("ttlinseconds", "Integer", "TTLInSeconds", label="Time to live", minimum=0, maximum=2**31 - 1))
    name = "KeyForNoSqlEntityWithPKPartitionId"
    table.keys[name.lower()] = AlternateKey(name.lower(), (table.primary_id, "partitionid"), name, name)


def enable_notes(draft: Draft, table: Table) -> None:
    """Let notes be attached to the rows of a table."""
    table.has_notes = True
    annotation = draft.organisation.tables.get("annotation")
    if annotation is not None and "objectid" in annotation.columns:
        _aim(draft, table, "annotation", "objectid", f"{table.name}_Annotations", f"objectid_{table.name}", True)


def enable_activities(draft: Draft, table: Table) -> None:
    """Let activities regard the rows of a table."""
    table.has_activities = True
    pointer = draft.organisation.tables.get("activitypointer")
    if pointer is None or "regardingobjectid" not in pointer.columns:
        return
    navigation = f"regardingobjectid_{table.name}"
    _aim(draft, table, "activitypointer", "regardingobjectid", f"{table.name}_ActivityPointers", navigation, True)
    for derived in draft.organisation.derived("activitypointer"):
        back = f"{table.name}_{(derived.plural or derived.schema_name).replace(' ', '')}"
        _aim(draft, table, derived.name, "regardingobjectid", back, f"{navigation}_{derived.name}", False)


def _aim(draft: Draft, table: Table, referencing: str, column: str, back: str, forward: str, constraint: bool) -> None:
    owner = draft.table(referencing)
    owner.columns[column] = replace(owner.columns[column], targets=(*owner.columns[column].targets, table.name))
    draft.organisation.relate(
        OneToMany(
            back,
            table.name,
            table.primary_id,
            referencing,
            column,
            forward,
            back,
            {**CASCADES, "Delete": "Cascade"},
            constraint=constraint,
        )
    )
