"""POST, PUT and DELETE of tables, and the CreateEntities action (section 3.4)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy_dynamics.sandbox.ddl_attributes import attach, relationships_of
from sqlalchemy_dynamics.sandbox.ddl_body import Body, invalid
from sqlalchemy_dynamics.sandbox.ddl_change import Draft
from sqlalchemy_dynamics.sandbox.ddl_columns import new_column, texts_of
from sqlalchemy_dynamics.sandbox.ddl_many import drop_many
from sqlalchemy_dynamics.sandbox.ddl_names import Publisher, publisher, schema_name, set_name
from sqlalchemy_dynamics.sandbox.ddl_relationships import unrelate
from sqlalchemy_dynamics.sandbox.ddl_standard import add_standard, enable_activities, enable_notes
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused
from sqlalchemy_dynamics.sandbox.schema import ManyToMany, OneToMany, Table

__all__ = ["create_table", "drop_table", "put_table"]

_OWNERSHIPS = frozenset({"UserOwned", "OrganizationOwned", "None"})
_TYPES = frozenset({"Standard", "Elastic", "Virtual", "Activity"})
_KEPT = (
    "IsAuditEnabled",
    "IsValidForQueue",
    "IsConnectionsEnabled",
    "IsMappable",
    "IsDuplicateDetectionEnabled",
    "CanCreateAttributes",
    "CanCreateForms",
    "CanCreateViews",
    "CanCreateCharts",
    "IsVisibleInMobile",
    "IsVisibleInMobileClient",
    "IsReadOnlyInMobileClient",
    "IsOfflineInMobileClient",
    "EntityColor",
    "IconVectorName",
    "IconLargeName",
    "IconMediumName",
    "IconSmallName",
    "EntityHelpUrl",
    "EntityHelpUrlEnabled",
    "IsQuickCreateEnabled",
    "IsSLAEnabled",
    "IsDocumentManagementEnabled",
    "IsOneNoteIntegrationEnabled",
    "IsKnowledgeManagementEnabled",
    "AutoCreateAccessTeams",
    "ExternalName",
    "ExternalCollectionName",
    "HasFeedback",
    "HasEmailAddresses",
    "ActivityTypeMask",
    "AutoRouteToOwnerQueue",
    "IsAvailableOffline",
    "IsReadingPaneEnabled",
    "IsMailMergeEnabled",
    "SyncToExternalSearchIndex",
    "IsBusinessProcessEnabled",
    "IsRetrieveAuditEnabled",
    "IsRetrieveMultipleAuditEnabled",
)


def create_table(draft: Draft, body: Body) -> Table:
    """Add a table with its primary name and any more columns; the system's columns come by themselves."""
    owner = publisher(draft)
    schema = schema_name(draft, body.check().text("SchemaName") or body.text("LogicalName"), owner)
    name = schema.lower()
    if name in draft.organisation.tables:
        raise ODataError(
            400, "0x8004700b", "An entity with the specified name already exists. Please specify a unique name."
        )
    activity = body.flag("IsActivity")
    columns = [Body(item, "AttributeMetadata") for item in body.items("Attributes")]
    primary = _primary(columns, activity)
    wanted_set = body.text("EntitySetName")
    taken = draft.organisation.table_of_set(wanted_set) is not None
    table = Table(
        name,
        wanted_set if wanted_set and not taken else set_name(draft.organisation, name),
        "activityid" if activity else f"{name}id",
        primary,
        schema_name=schema,
        object_type_code=max([10000, *(t.object_type_code for t in draft.organisation.tables.values())]) + 1,
        ownership=body.choice("OwnershipType", _OWNERSHIPS, "UserOwned"),
        base="activitypointer" if activity else "",
        is_activity=activity,
        table_type=body.choice("TableType", _TYPES, "Standard") if not activity else "Standard",
        custom=True,
        seeded=False,
        change_tracking=body.flag("ChangeTrackingEnabled", True),
    )
    _describe(draft, table, body, None)
    draft.add(table)
    _fill(draft, table, columns, owner)
    draft.store.drop_table(table)
    draft.store.create_table(table)
    draft.store.index_order(table)
    _features(draft, table, body)
    return table


def _primary(columns: list[Body], activity: bool) -> str:
    primaries = [column for column in columns if column.flag("IsPrimaryName")]
    if activity and not primaries:
        return "subject"
    if len(primaries) != 1 or primaries[0].type != "StringAttributeMetadata":
        raise invalid("A table needs exactly one String column with IsPrimaryName.")
    return primaries[0].text("SchemaName").lower()


def _fill(draft: Draft, table: Table, columns: list[Body], owner: Publisher) -> None:
    add_standard(draft.organisation, table)
    for body in columns:
        column = new_column(draft, table, body.check(), owner)
        if column.custom:
            attach(draft, table, column)
    if table.primary_name in table.columns and not table.is_activity:
        table.columns = {  # the key and the name come first
            **{name: table.columns[name] for name in (table.primary_id, table.primary_name)},
            **table.columns,
        }


def _describe(draft: Draft, table: Table, body: Body, old: Table | None) -> None:
    language = draft.organisation.language
    own = {language: old.label, **old.labels} if old else None
    table.labels = texts_of(draft, body, "DisplayName", language, own)
    table.label = table.labels.get(language, table.schema_name)
    plural = _kept(old, "DisplayCollectionName", old.plural) if old else None
    plurals = texts_of(draft, body, "DisplayCollectionName", language, plural)
    description = _kept(old, "Description", old.description) if old else None
    descriptions = texts_of(draft, body, "Description", language, description)
    table.plural, table.description = plurals.get(language, table.label), descriptions.get(language, "")
    table.extra = {name: body.values[name] for name in _KEPT if body.given(name)}
    for member, found in (("DisplayCollectionName", plurals), ("Description", descriptions)):
        if len(found) > 1:
            table.extra[f"texts:{member}"] = found


def _kept(old: Table, member: str, base: str) -> dict[int, str]:
    more = old.extra.get(f"texts:{member}")
    return {1033: base, **(more if isinstance(more, dict) else {})}


def _features(draft: Draft, table: Table, body: Body) -> None:
    if body.flag("HasNotes") and not table.has_notes:
        enable_notes(draft, table)
    if body.flag("HasActivities") and not table.has_activities:
        enable_activities(draft, table)


def put_table(draft: Draft, name: str, body: Body) -> None:
    """Replace the definition of a table; notes, activities and change tracking can be switched on only."""
    old = draft.organisation.tables[name]
    for member, value in (("SchemaName", old.schema_name), ("LogicalName", old.name)):
        if body.check().text(member, value).lower() != value.lower():
            raise invalid(f"The {member} of '{old.schema_name}' cannot be changed.")
    if body.choice("OwnershipType", _OWNERSHIPS | {old.ownership}, old.ownership) != old.ownership:
        raise invalid(f"The OwnershipType of '{old.schema_name}' cannot be changed.")
    table = draft.table(name)
    before = replace(old)
    _describe(draft, table, body, before)
    table.change_tracking = old.change_tracking or body.flag("ChangeTrackingEnabled")
    _features(draft, table, body)


def drop_table(draft: Draft, name: str) -> None:
    """Drop a table and its relationships; raises ODataError when lookups of other tables point to it (0x8004f01f)."""
    table, switches = draft.organisation.tables[name], draft.service.switches
    if not table.custom or table.intersect:
        raise Refused(switches.managed_component, kind="Entity", name=name, done="deleted")
    related = relationships_of(draft, name)
    users = [r for r in related if isinstance(r, OneToMany) and r.custom and r.referenced == name != r.referencing]
    if users:
        raise Refused(switches.component_in_use, kind="Entity", ident=table.metadata_id, count=len(users))
    for relationship in related:
        if isinstance(relationship, ManyToMany):
            drop_many(draft, relationship)
        elif relationship.referencing == name:
            del draft.organisation.one_to_many[relationship.schema_name]
            draft.drop("Relationship", relationship.metadata_id)
        else:
            unrelate(draft, relationship)
    del draft.organisation.tables[name]
    draft.changed.discard(name)
    draft.store.drop_table(table)
    draft.drop("Entity", table.metadata_id)
