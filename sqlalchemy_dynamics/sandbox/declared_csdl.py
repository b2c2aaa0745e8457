"""Functions, actions and their types as `$metadata` writes them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy_dynamics.sandbox.declared import Operation, Parameter, declared
from sqlalchemy_dynamics.sandbox.schema import Organisation

__all__ = ["RESPONSES", "imports_csdl", "operations_csdl", "types_csdl"]

_OPTIONAL = '<Annotation Term="Org.OData.Core.V1.OptionalParameter" />'
RESPONSES: dict[str, str] = {
    "AddToQueueResponse": "QueueItemId:Guid",
    "BulkDeleteResponse": "JobId:Guid",
    "CalculateTotalTimeIncidentResponse": "TotalTime:Int64",
    "CommitFileBlocksUploadResponse": "FileId:Guid FileSizeInBytes:Int64",
    "CreateCustomerRelationshipsResponse": "RelationshipIds:Guid[] AttributeId:Guid",
    "CreateMultipleResponse": "Ids:Guid[]",
    "CreatePolymorphicLookupAttributeResponse": "RelationshipIds:Guid[] AttributeId:Guid",
    "DownloadBlockResponse": "Data:Binary",
    "InitializeFileBlocksDownloadResponse": (
        "FileContinuationToken:String FileSizeInBytes:Int64 FileName:String IsChunkingSupported:Boolean"
    ),
    "InitializeFileBlocksUploadResponse": "FileContinuationToken:String",
    "InsertOptionValueResponse": "NewOptionValue:Int32",
    "InsertStatusValueResponse": "NewOptionValue:Int32",
    "RetrievePrincipalAccessResponse": "AccessRights:AccessRights",
    "RetrieveSharedPrincipalsAndAccessResponse": "PrincipalAccesses:PrincipalAccess[]",
    "RetrieveAllEntitiesResponse": "EntityMetadata:ComplexEntityMetadata[] Timestamp:String",
    "RetrieveEntityResponse": "EntityMetadata:ComplexEntityMetadata",
    "RetrieveMetadataChangesResponse": "EntityMetadata:ComplexEntityMetadata[] ServerVersionStamp:String",
    "SendEmailResponse": "Subject:String",
    "new_EchoResponse": (
        "Text:String Number:Int32 Big:Int64 Exact:Decimal Amount:Decimal Ratio:Double Flag:Boolean "
        "Moment:DateTimeOffset Id:Guid Choice:Int32 Texts:String[] Rights:AccessRights"
    ),
    "new_RepeatResponse": "Text:String",
    "ComplexEntityMetadata": "LogicalName:String SchemaName:String EntitySetName:String MetadataId:Guid",
    "ComplexLookupAttributeMetadata": "SchemaName:String DisplayName:Label Targets:String[]",
    "ComplexOneToManyRelationshipMetadata": "SchemaName:String ReferencedEntity:String ReferencingEntity:String",
    "QueryBase": "",
    "Object": "Type:String Value:String",
    "ColumnSet": "AllColumns:Boolean Columns:String[]",
    "ConditionExpression": "EntityName:String AttributeName:String Operator:ConditionOperator Values:Object[]",
    "FilterExpression": (
        "FilterOperator:LogicalOperator Conditions:ConditionExpression[] Filters:FilterExpression[] "
        "IsQuickFindFilter:Boolean"
    ),
    "QueryExpression": (
        "Distinct:Boolean NoLock:Boolean Criteria:FilterExpression EntityName:String ColumnSet:ColumnSet TopCount:Int32"
    ),
    "MetadataPropertiesExpression": "AllProperties:Boolean PropertyNames:String[]",
    "MetadataConditionExpression": "PropertyName:String ConditionOperator:String Value:Object",
    "MetadataFilterExpression": (
        "Conditions:MetadataConditionExpression[] FilterOperator:LogicalOperator Filters:MetadataFilterExpression[]"
    ),
    "EntityQueryExpression": "Criteria:MetadataFilterExpression Properties:MetadataPropertiesExpression",
}
"""Complex types in the notation of `declared`."""
_LINKS = {"PrincipalAccess": "Principal:crmbaseentity", "new_EchoResponse": "Row:crmbaseentity Rows:crmbaseentity[]"}
"""Members of complex types that are rows: navigation properties."""
_ENUMS: dict[str, tuple[bool, str]] = {
    "AccessRights": (
        True,
        "None=0 ReadAccess=1 WriteAccess=2 AppendAccess=4 AppendToAccess=16 CreateAccess=32 DeleteAccess=65536 "
        "ShareAccess=262144 AssignAccess=524288",
    ),
    "DeletedMetadataFilters": (True, "Default=1 Attribute=2 Relationship=4 Label=8 OptionSet=16 All=31"),
    "EntityFilters": (True, "Entity=1 Attributes=2 Privileges=4 Relationships=8 All=15"),
    "LogicalOperator": (False, "And=0 Or=1"),
    "TargetFieldType": (False, "All=0 ValidForCreate=1 ValidForUpdate=2 ValidForRead=3"),
    "ConditionOperator": (
        False,
        "Equal=0 NotEqual=1 GreaterThan=2 LessThan=3 GreaterEqual=4 LessEqual=5 Like=6 NotLike=7 In=8 NotIn=9 "
        "Between=10 NotBetween=11 Null=12 NotNull=13",
    ),
}


def members_of(enumeration: str) -> dict[str, int] | None:
    """Return the members of an enumeration that operations use; None for another type."""
    if enumeration not in _ENUMS:
        return None
    pairs = (text.split("=") for text in _ENUMS[enumeration][1].split())
    return {name: int(value) for name, value in pairs}


def _member(text: str) -> Parameter:
    name, _, kind = text.partition(":")
    return Parameter(name, kind.removesuffix("[]"), kind.endswith("[]"))


def _facet(parameter: Parameter) -> str:
    return ' Unicode="false"' if parameter.type == "String" else ""


def types_csdl() -> Iterator[str]:
    """Yield the enumerations and complex types of the operations."""
    for name, (flags, members) in _ENUMS.items():
        inner = "".join('<Member Name="{}" Value="{}" />'.format(*each.split("=")) for each in members.split())
        yield f'<EnumType Name="{name}"{" IsFlags=" + chr(34) + "true" + chr(34) if flags else ""}>{inner}</EnumType>'
    texts = {**RESPONSES, "PrincipalAccess": "AccessMask:AccessRights"}
    for name, text in texts.items():
        links = "".join(
            f'<NavigationProperty Name="{each.name}" Type="{each.csdl}"'
            f"{'' if each.collection else ' Nullable=' + chr(34) + 'false' + chr(34)} />"
            for each in map(_member, _LINKS.get(name, "").split())
        )
        inner = "".join(
            f'<Property Name="{each.name}" Type="{each.csdl}"{_facet(each)} />' for each in map(_member, text.split())
        )
        base = ' BaseType="mscrm.QueryBase"' if name == "QueryExpression" else ""
        yield f'<ComplexType Name="{name}"{base}>{links}{inner}</ComplexType>'


def operations_csdl(organisation: Organisation) -> Iterator[str]:
    """Yield the functions and actions."""
    for each in declared(organisation):
        word = "Function" if each.is_function else "Action"
        bound = ' IsBound="true"' if each.target else ""
        inner = "".join(_inner(each))
        yield f'<{word} Name="{each.name}"{bound}>{inner}</{word}>' if inner else f'<{word} Name="{each.name}" />'


def _inner(operation: Operation) -> Iterator[str]:
    for each in (*([operation.target] if operation.target else ()), *operation.parameters):
        nullable = ' Nullable="false"' if each.required else ""
        head = f'<Parameter Name="{each.name}" Type="{each.csdl}"{nullable}{_facet(each)}'
        yield f"{head}>{_OPTIONAL}</Parameter>" if each.optional else f"{head} />"
    if operation.returns is not None:
        yield f'<ReturnType Type="{operation.returns.csdl}" Nullable="false" />'


def imports_csdl(organisation: Organisation) -> Iterator[str]:
    """Yield the imports of the container: what is called at the root."""
    for each in declared(organisation):
        if each.target is None:
            word = "Function" if each.is_function else "Action"
            yield f'<{word}Import Name="{each.name}" {word}="Microsoft.Dynamics.CRM.{each.name}" />'
