"""The parts of `$metadata` that are the same in every organisation: definition types, enumerations, query functions."""
# ruff: noqa: E501 - tables of data, many to a line

from __future__ import annotations

__all__ = ["COMPLEX_TYPES", "DEFINITIONS", "ENUMS", "QUERY_FUNCTIONS"]

_S, _N, _A, _C = "Edm.String", "Edm.Int64", "Collection(Edm.String)", "PropertyValue"
QUERY_FUNCTIONS: dict[tuple[tuple[str, str], ...], list[str]] = {
    (("PropertyValues", _A),): ["In", "NotIn", "Between", "NotBetween", "ContainValues", "DoesNotContainValues"],
    ((_C, _S),): ["On", "OnOrBefore", "OnOrAfter", "Under", "UnderOrEqual", "NotUnder", "Above", "AboveOrEqual", "Contains"],
    ((_C, _N),): ["LastXHours", "LastXDays", "LastXWeeks", "LastXMonths", "LastXYears", "NextXHours", "NextXDays", "NextXWeeks", "NextXMonths", "NextXYears", "OlderThanXMinutes", "OlderThanXHours", "OlderThanXDays", "OlderThanXWeeks", "OlderThanXMonths", "OlderThanXYears", "LastXFiscalPeriods", "LastXFiscalYears", "NextXFiscalPeriods", "NextXFiscalYears", "InFiscalYear", "InFiscalPeriod"],
    (("PropertyValue1", _N), ("PropertyValue2", _N)): ["InFiscalPeriodAndYear", "InOrBeforeFiscalPeriodAndYear", "InOrAfterFiscalPeriodAndYear"],
    (): ["Yesterday", "Today", "Tomorrow", "Last7Days", "Next7Days", "LastWeek", "ThisWeek", "NextWeek", "LastMonth", "ThisMonth", "NextMonth", "LastYear", "ThisYear", "NextYear", "ThisFiscalYear", "LastFiscalYear", "NextFiscalYear", "ThisFiscalPeriod", "LastFiscalPeriod", "NextFiscalPeriod", "EqualUserId", "NotEqualUserId", "EqualBusinessId", "NotEqualBusinessId", "EqualUserLanguage", "EqualUserTeams", "EqualUserOrUserTeams", "EqualUserOrUserHierarchy", "EqualUserOrUserHierarchyAndTeams"],
}


def _type(name: str, base: str, key: str = "", abstract: bool = False, **properties: str) -> str:
    head = f'<EntityType Name="{name}" BaseType="mscrm.{base}"{" Abstract=" + chr(34) + "true" + chr(34) if abstract else ""}>'
    inner = f'<Key><PropertyRef Name="{key}" /></Key>' if key else ""
    return head + inner + "".join(f'<Property Name="{n}" Type="{t}" />' for n, t in properties.items()) + "</EntityType>"


_GUID, _BOOL, _INT = "Edm.Guid", "Edm.Boolean", "Edm.Int32"
_LABEL, _MANAGED = "mscrm.Label", "mscrm.BooleanManagedProperty"
_ATTRIBUTE_TYPES = (
    "String", "Memo", "Integer", "BigInt", "Decimal", "Double", "Money", "DateTime", "Boolean", "Lookup", "Image", "File",
    "UniqueIdentifier", "EntityName", "ManagedProperty",
)
_ENUM_TYPES = ("Picklist", "State", "Status", "MultiSelectPicklist")
DEFINITIONS = "".join([
    '<EntityType Name="crmmodelbaseentity" Abstract="true" />',
    _type("MetadataBase", "crmmodelbaseentity", "MetadataId", True, MetadataId=_GUID, HasChanged=_BOOL),
    _type("EntityMetadata", "MetadataBase", LogicalName=_S, SchemaName=_S, EntitySetName=_S, LogicalCollectionName=_S,
          CollectionSchemaName=_S, DisplayName=_LABEL, DisplayCollectionName=_LABEL, Description=_LABEL, PrimaryIdAttribute=_S,
          PrimaryNameAttribute=_S, PrimaryImageAttribute=_S, ObjectTypeCode=_INT, OwnershipType="mscrm.OwnershipTypes",
          TableType=_S, IsActivity=_BOOL, IsIntersect=_BOOL, IsPrivate=_BOOL, IsCustomEntity=_BOOL, IsManaged=_BOOL,
          IsLogicalEntity=_BOOL, ChangeTrackingEnabled=_BOOL, IsOptimisticConcurrencyEnabled=_BOOL, HasNotes=_BOOL,
          HasActivities=_BOOL, DataProviderId=_GUID, DataSourceId=_GUID, CanCreateAttributes=_MANAGED).replace(
              "</EntityType>",
              '<NavigationProperty Name="Attributes" Type="Collection(mscrm.AttributeMetadata)" ContainsTarget="true" />'
              '<NavigationProperty Name="Keys" Type="Collection(mscrm.EntityKeyMetadata)" ContainsTarget="true" />'
              '<NavigationProperty Name="ManyToManyRelationships" Type="Collection(mscrm.ManyToManyRelationshipMetadata)" ContainsTarget="true" />'
              '<NavigationProperty Name="ManyToOneRelationships" Type="Collection(mscrm.OneToManyRelationshipMetadata)" ContainsTarget="true" />'
              '<NavigationProperty Name="OneToManyRelationships" Type="Collection(mscrm.OneToManyRelationshipMetadata)" ContainsTarget="true" />'
              "</EntityType>"),
    _type("AttributeMetadata", "MetadataBase", LogicalName=_S, SchemaName=_S, EntityLogicalName=_S,
          AttributeType="mscrm.AttributeTypeCode", AttributeTypeName="mscrm.AttributeTypeDisplayName", AttributeOf=_S,
          ColumnNumber=_INT, DisplayName=_LABEL, Description=_LABEL, RequiredLevel="mscrm.AttributeRequiredLevelManagedProperty",
          IsPrimaryId=_BOOL, IsPrimaryName=_BOOL, IsValidForCreate=_BOOL, IsValidForRead=_BOOL, IsValidForUpdate=_BOOL,
          IsValidODataAttribute=_BOOL, IsCustomAttribute=_BOOL, IsManaged=_BOOL, SourceType=_INT, AutoNumberFormat=_S),
    _type("EnumAttributeMetadata", "AttributeMetadata", "", True, DefaultFormValue=_INT),
    *(_type(f"{name}AttributeMetadata", "AttributeMetadata") for name in _ATTRIBUTE_TYPES),
    *(_type(f"{name}AttributeMetadata", "EnumAttributeMetadata") for name in _ENUM_TYPES),
    _type("EntityKeyMetadata", "MetadataBase", SchemaName=_S, LogicalName=_S, EntityLogicalName=_S, KeyAttributes=_A,
          EntityKeyIndexStatus="mscrm.EntityKeyIndexStatus", IsManaged=_BOOL),
    _type("RelationshipMetadataBase", "MetadataBase", "", True, SchemaName=_S, IsCustomRelationship=_BOOL, IsManaged=_BOOL,
          RelationshipType="mscrm.RelationshipType"),
    _type("OneToManyRelationshipMetadata", "RelationshipMetadataBase", ReferencedEntity=_S, ReferencedAttribute=_S,
          ReferencingEntity=_S, ReferencingAttribute=_S, ReferencedEntityNavigationPropertyName=_S,
          ReferencingEntityNavigationPropertyName=_S, CascadeConfiguration="mscrm.CascadeConfiguration", IsHierarchical=_BOOL),
    _type("ManyToManyRelationshipMetadata", "RelationshipMetadataBase", Entity1LogicalName=_S, Entity2LogicalName=_S,
          IntersectEntityName=_S, Entity1IntersectAttribute=_S, Entity2IntersectAttribute=_S,
          Entity1NavigationPropertyName=_S, Entity2NavigationPropertyName=_S),
    _type("OptionSetMetadataBase", "MetadataBase", "", True, Name=_S, IsGlobal=_BOOL, IsManaged=_BOOL,
          OptionSetType="mscrm.OptionSetType", DisplayName=_LABEL),
    _type("OptionSetMetadata", "OptionSetMetadataBase", Options="Collection(mscrm.OptionMetadata)"),
    _type("BooleanOptionSetMetadata", "OptionSetMetadataBase", TrueOption="mscrm.OptionMetadata",
          FalseOption="mscrm.OptionMetadata"),
    _type("ManagedPropertyMetadata", "MetadataBase", LogicalName=_S),
])


def _enum(name: str, members: str, start: int = 0) -> str:
    items = [member.partition("=") for member in members.split()]
    inner = "".join(f'<Member Name="{n}" Value="{v or index + start}" />' for index, (n, _, v) in enumerate(items))
    return f'<EnumType Name="{name}">{inner}</EnumType>'


ENUMS = "".join([
    _enum("AttributeTypeCode", "Boolean Customer DateTime Decimal Double Integer Lookup Memo Money Owner PartyList Picklist "
          "State Status String Uniqueidentifier CalendarRules Virtual BigInt ManagedProperty EntityName"),
    _enum("EntityKeyIndexStatus", "Pending InProgress Active Failed"),
    _enum("CascadeType", "NoCascade Cascade Active UserOwned RemoveLink Restrict"),
    _enum("OwnershipTypes", "None UserOwned TeamOwned BusinessOwned=4 OrganizationOwned=8 BusinessParented=16"),
    _enum("AttributeRequiredLevel", "None SystemRequired ApplicationRequired Recommended"),
    _enum("DateTimeFormat", "DateOnly DateAndTime"),
    _enum("IntegerFormat", "None Duration TimeZone Language Locale"),
    _enum("StringFormat", "Email Text TextArea Url TickerSymbol PhoneticGuide VersionNumber Phone"),
    _enum("OptionSetType", "Picklist State Status Boolean"),
    _enum("RelationshipType", "OneToManyRelationship ManyToManyRelationship"),
    _enum("EndpointAccessType", "Default Internet Intranet"),
])


def _complex(name: str, **properties: str) -> str:
    return (f'<ComplexType Name="{name}">' + "".join(f'<Property Name="{n}" Type="{t}" />' for n, t in properties.items())
            + "</ComplexType>")


COMPLEX_TYPES = "".join([
    _complex("WhoAmIResponse", BusinessUnitId=_GUID, UserId=_GUID, OrganizationId=_GUID),
    _complex("EntityRecordCountCollection", Count=_INT, IsReadOnly=_BOOL, Keys=_A, Values="Collection(Edm.Int64)"),
    _complex("RetrieveTotalRecordCountResponse", EntityRecordCountCollection="mscrm.EntityRecordCountCollection"),
    _complex("RetrieveVersionResponse", Version=_S),
    _complex("Label", LocalizedLabels="Collection(mscrm.LocalizedLabel)", UserLocalizedLabel="mscrm.LocalizedLabel"),
    _complex("LocalizedLabel", Label=_S, LanguageCode=_INT, IsManaged=_BOOL, MetadataId=_GUID, HasChanged=_BOOL),
    _complex("BooleanManagedProperty", Value=_BOOL, CanBeChanged=_BOOL, ManagedPropertyLogicalName=_S),
    _complex("AttributeTypeDisplayName", Value=_S),
    _complex("AttributeRequiredLevelManagedProperty", Value="mscrm.AttributeRequiredLevel", CanBeChanged=_BOOL,
             ManagedPropertyLogicalName=_S),
    _complex("CascadeConfiguration", Assign="mscrm.CascadeType", Delete="mscrm.CascadeType", Merge="mscrm.CascadeType",
             Reparent="mscrm.CascadeType", Share="mscrm.CascadeType", Unshare="mscrm.CascadeType", RollupView="mscrm.CascadeType"),
    _complex("OptionMetadata", Value=_INT, Label=_LABEL, Description=_LABEL, Color=_S, ExternalValue=_S, IsManaged=_BOOL,
             MetadataId=_GUID, HasChanged=_BOOL),
])
