"""Members of tables, alternate keys, relationships and managed properties (section 3.2)."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox.labels import label, managed_property, texts
from sqlalchemy_dynamics.sandbox.schema import AlternateKey, ManyToMany, OneToMany, Organisation, Table, metadata_id

__all__ = [
    "MANAGED_PROPERTIES",
    "key_id",
    "key_members",
    "managed_members",
    "relationship_members",
    "relationship_type",
    "table_members",
]

CASCADES = ("Assign", "Delete", "Archive", "Merge", "Reparent", "Share", "Unshare", "RollupView")
MANAGED_PROPERTIES = (
    "canmodifyauditsettings",
    "canmodifyglobalfiltersettings",
    "canmodifyissortablesettings",
    "iscustomizable",
    "isrenameable",
    "canmodifysearchsettings",
    "canmodifyrequirementlevelsettings",
    "canmodifyadditionalsettings",
    "canmodifybehavior",
    "cancreateattributes",
    "cancreateforms",
    "cancreateviews",
    "cancreatecharts",
)
_ALWAYS = {
    "IsAuditEnabled": "canmodifyauditsettings",
    "IsValidForQueue": "canmodifyqueuesettings",
    "IsConnectionsEnabled": "canmodifyconnectionsettings",
    "IsCustomizable": "iscustomizable",
    "IsRenameable": "isrenameable",
    "IsMappable": "ismappable",
    "IsDuplicateDetectionEnabled": "canmodifyduplicatedetectionsettings",
    "CanCreateAttributes": "cancreateattributes",
    "CanCreateForms": "cancreateforms",
    "CanCreateViews": "cancreateviews",
    "CanCreateCharts": "cancreatecharts",
    "CanBeRelatedEntityInRelationship": "canberelatedentityinrelationship",
    "CanBePrimaryEntityInRelationship": "canbeprimaryentityinrelationship",
    "CanBeInManyToMany": "canbeinmanytomany",
    "CanBeInCustomEntityAssociation": "canbeincustomentityassociation",
    "CanEnableSyncToExternalSearchIndex": "canenablesynctoexternalsearchindex",
    "CanModifyAdditionalSettings": "canmodifyadditionalsettings",
    "CanChangeHierarchicalRelationship": "canchangehierarchicalrelationship",
    "CanChangeTrackingBeEnabled": "canchangetrackingbeenabled",
    "IsMailMergeEnabled": "canmodifymailmergesettings",
    "IsVisibleInMobile": "canmodifymobilevisibility",
    "IsVisibleInMobileClient": "canmodifymobileclientvisibility",
    "IsReadOnlyInMobileClient": "canmodifymobileclientreadonly",
    "IsOfflineInMobileClient": "canmodifymobileclientoffline",
}
_OFF = frozenset({"IsAuditEnabled", "IsValidForQueue", "CanChangeHierarchicalRelationship", "IsReadOnlyInMobileClient"})
_PLAIN: dict[str, object] = {
    "ActivityTypeMask": 0,
    "AutoRouteToOwnerQueue": False,
    "CanTriggerWorkflow": True,
    "EntityHelpUrlEnabled": False,
    "EntityHelpUrl": None,
    "IsDocumentManagementEnabled": False,
    "IsOneNoteIntegrationEnabled": False,
    "IsInteractionCentricEnabled": False,
    "IsKnowledgeManagementEnabled": False,
    "IsSLAEnabled": False,
    "IsBPFEntity": False,
    "IsDocumentRecommendationsEnabled": False,
    "IsMSTeamsIntegrationEnabled": False,
    "SettingOf": None,
    "DataProviderId": None,
    "DataSourceId": None,
    "AutoCreateAccessTeams": False,
    "IsActivity": False,
    "IsActivityParty": False,
    "IsRetrieveAuditEnabled": False,
    "IsRetrieveMultipleAuditEnabled": False,
    "IsArchivalEnabled": False,
    "IsRetentionEnabled": False,
    "ClusterMode": None,
    "IsAvailableOffline": True,
    "IsChildEntity": False,
    "IsAIRUpdated": True,
    "IconLargeName": None,
    "IconMediumName": None,
    "IconSmallName": None,
    "IconVectorName": None,
    "IsCustomEntity": False,
    "IsBusinessProcessEnabled": False,
    "SyncToExternalSearchIndex": False,
    "IsOptimisticConcurrencyEnabled": True,
    "ChangeTrackingEnabled": False,
    "IsImportable": True,
    "IsIntersect": False,
    "IsManaged": False,
    "IsEnabledForCharts": True,
    "IsEnabledForTrace": False,
    "IsValidForAdvancedFind": True,
    "DaysSinceRecordLastModified": 0,
    "MobileOfflineFilters": None,
    "IsReadingPaneEnabled": True,
    "IsQuickCreateEnabled": False,
}
_LATER: dict[str, object] = {
    "RecurrenceBaseEntityLogicalName": None,
    "IsStateModelAware": False,
    "EnforceStateTransitions": False,
    "ExternalName": None,
    "EntityColor": None,
    "ExternalCollectionName": None,
    "IsEnabledForExternalChannels": False,
    "IsPrivate": False,
    "UsesBusinessDataLabelTable": False,
    "IsLogicalEntity": False,
    "HasFeedback": False,
    "IsSolutionAware": False,
    "CreatedOn": "1900-01-01T00:00:00Z",
    "ModifiedOn": "1900-01-01T00:00:00Z",
    "HasEmailAddresses": False,
    "OwnerId": None,
    "OwnerIdType": 8,
    "OwningBusinessUnit": None,
}


def table_members(organisation: Organisation, table: Table) -> dict[str, object]:
    """Return all members of a table's definition."""
    language, managed = organisation.language, not table.custom
    display = texts(table.label, table.labels, language)
    plural = _others(table, "DisplayCollectionName", table.plural, language)
    members: dict[str, object] = {
        **_PLAIN,
        "IsActivity": table.is_activity,
        "IsCustomEntity": table.custom,
        "IsOptimisticConcurrencyEnabled": table.optimistic,
        "ChangeTrackingEnabled": table.change_tracking,
        "IsIntersect": table.intersect,
        "IsManaged": managed,
        **_names(table),
        **_LATER,
        "HasNotes": table.has_notes,
        "HasActivities": table.has_activities,
        "TableType": "Activity" if table.is_activity else table.table_type,
        "MetadataId": table.metadata_id,
        "HasChanged": None,
        "Description": label(
            _others(table, "Description", table.description, language),
            language,
            managed,
            "table",
            table.name,
            "description",
        ),
        "DisplayCollectionName": label(plural, language, managed, "table", table.name, "plural"),
        "DisplayName": label(display, language, managed, "table", table.name),
        **{name: managed_property(name not in _OFF, True, prop) for name, prop in _ALWAYS.items()},
        "Privileges": [],
        "Settings": [],
    }
    members.update((name, value) for name, value in table.extra.items() if name in members)
    return members


def _others(table: Table, member: str, base: str, language: int) -> dict[int, str]:
    kept = table.extra.get(f"texts:{member}")
    return texts(base, kept if isinstance(kept, dict) else {}, language)


def _names(table: Table) -> dict[str, object]:
    image = next((column.name for column in table.columns.values() if column.primary_image), None)
    plural = (table.plural or f"{table.schema_name}s").replace(" ", "")
    return {
        "LogicalName": table.name,
        "ObjectTypeCode": table.object_type_code,
        "OwnershipType": table.ownership,
        "PrimaryNameAttribute": table.primary_name or None,
        "PrimaryImageAttribute": image,
        "PrimaryIdAttribute": table.primary_id,
        "ReportViewName": f"Filtered{table.schema_name}",
        "SchemaName": table.schema_name,
        "IntroducedVersion": "1.0.0.0" if table.custom else "5.0.0.0",
        "LogicalCollectionName": table.set_name or f"{table.name}s",
        "CollectionSchemaName": f"{table.schema_name}s" if table.custom else plural,
        "EntitySetName": table.set_name,
    }


def key_id(table: Table, key: AlternateKey) -> str:
    """Return the MetadataId of an alternate key."""
    return key.metadata_id or metadata_id("key", table.name, key.name)


def key_members(organisation: Organisation, table: Table, key: AlternateKey) -> dict[str, object]:
    """Return all members of an alternate key."""
    language, managed = organisation.language, not table.custom
    return {
        "EntityLogicalName": table.name,
        "SchemaName": key.schema_name or key.name,
        "LogicalName": key.name,
        "KeyAttributes": list(key.columns),
        "EntityKeyIndexStatus": key.status,
        "IsManaged": managed,
        "IntroducedVersion": "1.0.0.0",
        "IsSynchronous": False,
        "IsExportKey": False,
        "IsSecondaryKey": False,
        "MetadataId": key_id(table, key),
        "HasChanged": None,
        "AsyncJob": None,
        "DisplayName": label(texts(key.label, {}, language), language, managed, "key", table.name, key.name),
        "IsCustomizable": managed_property(True, not managed, "iscustomizable"),
    }


def relationship_type(relationship: OneToMany | ManyToMany) -> str:
    """Return the metadata type of a relationship."""
    return "OneToManyRelationshipMetadata" if isinstance(relationship, OneToMany) else "ManyToManyRelationshipMetadata"


def relationship_members(organisation: Organisation, relationship: OneToMany | ManyToMany) -> dict[str, object]:
    """Return all members of a relationship."""
    kind = relationship_type(relationship).removesuffix("Metadata")
    base = {
        "IsCustomRelationship": relationship.custom,
        "IsValidForAdvancedFind": True,
        "SchemaName": relationship.schema_name,
        "SecurityTypes": "None",
        "IsManaged": not relationship.custom,
        "RelationshipType": kind,
        "IntroducedVersion": "1.0.0.0",
        "MetadataId": relationship.metadata_id,
        "HasChanged": None,
        "IsCustomizable": managed_property(True, relationship.custom, "iscustomizable"),
    }
    if isinstance(relationship, OneToMany):
        return {
            **_one_to_many(relationship),
            **base,
            **_menu("AssociatedMenuConfiguration"),
            "CascadeConfiguration": {name: relationship.cascade.get(name, "NoCascade") for name in CASCADES},
        }
    return {
        **_many_to_many(relationship),
        **base,
        **_menu("Entity1AssociatedMenuConfiguration"),
        **_menu("Entity2AssociatedMenuConfiguration"),
    }


def _one_to_many(one: OneToMany) -> dict[str, object]:
    return {
        "ReferencedAttribute": one.referenced_attribute,
        "ReferencedEntity": one.referenced,
        "ReferencingAttribute": one.attribute,
        "ReferencingEntity": one.referencing,
        "IsHierarchical": one.hierarchical,
        "EntityKey": None,
        "IsRelationshipAttributeDenormalized": False,
        "ReferencedEntityNavigationPropertyName": one.referenced_nav,
        "ReferencingEntityNavigationPropertyName": one.referencing_nav,
        "RelationshipBehavior": 1,
        "IsDenormalizedLookup": False,
        "DenormalizedAttributeName": None,
        "RelationshipAttributes": [],
    }


def _many_to_many(many: ManyToMany) -> dict[str, object]:
    return {
        "Entity1LogicalName": many.entity1,
        "Entity2LogicalName": many.entity2,
        "IntersectEntityName": many.intersect,
        "Entity1IntersectAttribute": many.attribute1,
        "Entity2IntersectAttribute": many.attribute2,
        "Entity1NavigationPropertyName": many.nav1,
        "Entity2NavigationPropertyName": many.nav2,
    }


def _menu(name: str) -> dict[str, object]:
    return {
        name: {
            "Behavior": "UseCollectionName",
            "Group": "Details",
            "Order": 10000,
            "IsCustomizable": True,
            "Icon": None,
            "ViewId": "00000000-0000-0000-0000-000000000000",
            "AvailableOffline": True,
            "MenuId": "",
            "QueryApi": "",
            "Label": {"LocalizedLabels": [], "UserLocalizedLabel": None},
        }
    }


def managed_members(name: str) -> dict[str, object]:
    """Return all members of a managed property's definition."""
    return {
        "MetadataId": metadata_id("managed", name),
        "HasChanged": None,
        "LogicalName": name,
        "IsGlobalForOperation": False,
        "IsPrivate": False,
        "Operation": "Update",
        "EnablesEntityName": None,
        "ManagedPropertyType": "CustomEvaluator",
        "EnablesAttributeName": None,
        "ErrorCode": None,
        "EvaluationPriority": "Essential",
        "IntroducedVersion": "5.0.0.0",
        "Description": label({}, 1033, True),
        "DisplayName": label({}, 1033, True),
    }
