"""The functions and actions the sandbox declares in `$metadata` and serves: one notation, read once (section 2.1).

A line is ``kind [table.]Name Parameter:Type … > ReturnType``. ``[]`` makes a type a collection, ``!`` a parameter one
that must be given, ``?`` one of a function that may be left out. Names of types are those of Edm, or of the schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy_dynamics.sandbox.schema import Organisation

__all__ = ["ANY_ROW", "Operation", "Parameter", "declared", "find"]

ANY_ROW = "crmbaseentity"
_EDM = frozenset(
    "Binary Boolean DateTimeOffset Decimal Double Guid Int32 Int64 String".split()  # noqa: SIM905 - reads as the notation
)
_OPERATIONS = """
function WhoAmI > WhoAmIResponse
function RetrieveVersion > RetrieveVersionResponse
function RetrieveTotalRecordCount EntityNames:String[]! > RetrieveTotalRecordCountResponse
function RetrieveMetadataChanges Query:EntityQueryExpression? DeletedMetadataFilters:DeletedMetadataFilters? ClientVersionStamp:String? AppModuleId:Guid? > RetrieveMetadataChangesResponse
function RetrieveEntity EntityFilters:EntityFilters! LogicalName:String? MetadataId:Guid! RetrieveAsIfPublished:Boolean! > RetrieveEntityResponse
function RetrieveAllEntities EntityFilters:EntityFilters! RetrieveAsIfPublished:Boolean! > RetrieveAllEntitiesResponse
function RetrieveSharedPrincipalsAndAccess Target:crmbaseentity! > RetrieveSharedPrincipalsAndAccessResponse
function systemuser.RetrievePrincipalAccess Target:crmbaseentity! > RetrievePrincipalAccessResponse
function team.RetrievePrincipalAccess Target:crmbaseentity! > RetrievePrincipalAccessResponse
function incident.CalculateTotalTimeIncident > CalculateTotalTimeIncidentResponse
function InitializeFrom EntityMoniker:crmbaseentity! TargetEntityName:String! TargetFieldType:TargetFieldType! > crmbaseentity
function new_Repeat Text:String! Times:Int32? > new_RepeatResponse
action WinOpportunity OpportunityClose:opportunityclose! Status:Int32!
action LoseOpportunity OpportunityClose:opportunityclose! Status:Int32!
action CloseIncident IncidentResolution:incidentresolution! Status:Int32!
action CloseQuote QuoteClose:quoteclose! Status:Int32!
action WinQuote QuoteClose:quoteclose! Status:Int32!
action lead.QualifyLead CreateAccount:Boolean! CreateContact:Boolean! CreateOpportunity:Boolean! OpportunityCurrencyId:transactioncurrency OpportunityCustomerId:crmbaseentity SourceCampaignId:campaign Status:Int32! > crmbaseentity[]
action Merge Target:crmbaseentity! Subordinate:crmbaseentity! UpdateContent:crmbaseentity! PerformParentingChecks:Boolean!
action GrantAccess Target:crmbaseentity! PrincipalAccess:PrincipalAccess
action ModifyAccess Target:crmbaseentity! PrincipalAccess:PrincipalAccess
action RevokeAccess Target:crmbaseentity! Revokee:crmbaseentity!
action team.AddMembersTeam Members:systemuser[]!
action team.RemoveMembersTeam Members:systemuser[]!
action queue.AddToQueue Target:crmbaseentity! SourceQueue:queue QueueItemProperties:queueitem > AddToQueueResponse
action email.SendEmail IssueSend:Boolean! TrackingToken:String > SendEmailResponse
action BulkDelete QuerySet:QueryExpression[] JobName:String! SendEmailNotification:Boolean! ToRecipients:activityparty[]! CCRecipients:activityparty[]! RecurrencePattern:String! StartDateTime:DateTimeOffset! SourceImportId:Guid RunNow:Boolean > BulkDeleteResponse
action crmbaseentity[].CreateMultiple Targets:crmbaseentity[]! > CreateMultipleResponse
action crmbaseentity[].UpdateMultiple Targets:crmbaseentity[]!
action crmbaseentity[].UpsertMultiple Targets:crmbaseentity[]!
action crmbaseentity[].DeleteMultiple Targets:crmbaseentity[]!
action InitializeFileBlocksUpload Target:crmbaseentity! FileName:String! FileAttributeName:String! > InitializeFileBlocksUploadResponse
action UploadBlock BlockId:String! BlockData:Binary! FileContinuationToken:String!
action CommitFileBlocksUpload FileName:String! MimeType:String! BlockList:String[]! FileContinuationToken:String! > CommitFileBlocksUploadResponse
action InitializeFileBlocksDownload Target:crmbaseentity! FileAttributeName:String! > InitializeFileBlocksDownloadResponse
action DownloadBlock Offset:Int64 BlockLength:Int64 FileContinuationToken:String! > DownloadBlockResponse
action DeleteFile FileId:Guid!
action InsertOptionValue OptionSetName:String AttributeLogicalName:String EntityLogicalName:String Value:Int32 Label:Label Description:Label ParentValues:Int32[] SolutionUniqueName:String > InsertOptionValueResponse
action InsertStatusValue OptionSetName:String AttributeLogicalName:String EntityLogicalName:String Value:Int32 Label:Label Description:Label StateCode:Int32! SolutionUniqueName:String > InsertStatusValueResponse
action UpdateOptionValue OptionSetName:String AttributeLogicalName:String EntityLogicalName:String Value:Int32! Label:Label Description:Label MergeLabels:Boolean! ParentValues:Int32[] SolutionUniqueName:String
action UpdateStateValue OptionSetName:String AttributeLogicalName:String EntityLogicalName:String Value:Int32! Label:Label Description:Label MergeLabels:Boolean! DefaultStatusCode:Int32
action DeleteOptionValue OptionSetName:String AttributeLogicalName:String EntityLogicalName:String Value:Int32! SolutionUniqueName:String
action OrderOption OptionSetName:String AttributeLogicalName:String EntityLogicalName:String Values:Int32[]! SolutionUniqueName:String
action CreateCustomerRelationships Lookup:ComplexLookupAttributeMetadata OneToManyRelationships:ComplexOneToManyRelationshipMetadata[] SolutionUniqueName:String > CreateCustomerRelationshipsResponse
action CreatePolymorphicLookupAttribute Lookup:ComplexLookupAttributeMetadata OneToManyRelationships:ComplexOneToManyRelationshipMetadata[] SolutionUniqueName:String > CreatePolymorphicLookupAttributeResponse
action CreateEntities Entities:ComplexEntityMetadata[]!
action ReactivateEntityKey EntityKeyLogicalName:String! EntityLogicalName:String!
action SetAutoNumberSeed EntityName:String! AttributeName:String! Value:Int64!
action PublishXml ParameterXml:String!
action PublishAllXml
action contact.new_AddNoteToContact NoteTitle:String! NoteText:String! > annotation
action new_Echo Text:String Number:Int32 Big:Int64 Exact:Decimal Amount:Decimal Ratio:Double Flag:Boolean Moment:DateTimeOffset Id:Guid Choice:Int32 Row:crmbaseentity Account:account Rows:crmbaseentity[] Texts:String[] Rights:AccessRights > new_EchoResponse
"""  # noqa: E501 - an operation is a line


@dataclass(frozen=True)
class Parameter:
    """One parameter, or what an operation is bound to or returns; `type` as in the notation."""

    name: str
    type: str
    collection: bool = False
    required: bool = False
    optional: bool = False

    @property
    def edm(self) -> str:
        """The Edm type, ``""`` for a type of the schema."""
        return f"Edm.{self.type}" if self.type in _EDM else ""

    @property
    def csdl(self) -> str:
        """The type as `$metadata` writes it."""
        one = self.edm or f"mscrm.{self.type}"
        return f"Collection({one})" if self.collection else one


@dataclass(frozen=True)
class Operation:
    """A function or an action. `target` is what it is bound to, None when it is called at the root."""

    name: str
    is_function: bool
    parameters: tuple[Parameter, ...]
    target: Parameter | None = None
    returns: Parameter | None = None


def _parameter(text: str) -> Parameter:
    name, _, kind = text.partition(":")
    bare = kind.rstrip("!?")
    return Parameter(name, bare.removesuffix("[]"), bare.endswith("[]"), kind.endswith("!"), kind.endswith("?"))


def _read(line: str) -> Operation:
    head, _, returned = line.partition(" > ")
    kind, full, *given = head.split()
    bound, _, name = full.rpartition(".")
    target = _parameter(f"{'entityset' if bound.endswith('[]') else 'entity'}:{bound}!") if bound else None
    returns = _parameter(f":{returned}!") if returned else None
    return Operation(name, kind == "function", tuple(map(_parameter, given)), target, returns)


_DECLARED = tuple(map(_read, _OPERATIONS.strip().splitlines()))
_NEEDED = {
    "opportunityclose",
    "incidentresolution",
    "quoteclose",
    "queueitem",
    "campaign",
    "transactioncurrency",
    "annotation",
    "account",
}
_NEEDS = {
    "GrantAccess": "principalobjectaccess",
    "ModifyAccess": "principalobjectaccess",
    "RevokeAccess": "principalobjectaccess",
    "RetrieveSharedPrincipalsAndAccess": "principalobjectaccess",
    "RetrievePrincipalAccess": "principalobjectaccess",
    "BulkDelete": "asyncoperation",
}


def declared(organisation: Organisation) -> Iterator[Operation]:
    """Yield the operations whose tables the organisation has."""
    for each in _DECLARED:
        kinds = {parameter.type for parameter in each.parameters} & _NEEDED
        kinds |= {each.target.type} - {ANY_ROW} if each.target else set()
        kinds |= {_NEEDS[each.name]} if each.name in _NEEDS else set()
        if kinds <= organisation.tables.keys():
            yield each


def find(organisation: Organisation, name: str, table: str = "", collection: bool = False) -> Operation | None:
    """Return the operation of that name that is called at the root, or on a row (or the set) of `table`."""
    for each in declared(organisation):
        target = each.target
        if each.name != name or (target is None) == bool(table):
            continue
        if target is None or (target.type in (ANY_ROW, table) and target.collection == collection):
            return each
    return None
