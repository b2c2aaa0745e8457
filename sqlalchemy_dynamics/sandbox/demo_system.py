"""The tables of the system: users, teams, solutions, views, jobs in the demo organisation, in the notation that `demo` reads."""
# ruff: noqa: E501 - tables of data, many to a line

from __future__ import annotations

TABLES = """
SystemUser systemusers organization 8 fullname <principal
  text Title NickName Address1_StateOrProvince LastName HomePhone GovernmentId Salutation MobilePhone FirstName
  text Disabledreason EmployeeId InternalEmailAddress PersonalEmailAddress Address1_Line1 Address1_Line2
  text Address1_City FullName MiddleName Address1_PostalCode Mobilealertemail JobTitle ApplicationIduri
  text Address1_Country DomainName Address1_Telephone1:64 WindowsLiveId
  guid ApplicationId AzureActiveDirectoryObjectId
  double Address1_Latitude Address1_Longitude
  int Userlicensetype
  bool Issyncwithdirectory Defaultfilterspopulated IsIntegrationUser IsDisabled
  bool Isemailaddressapprovedbyo365admin Displayinserviceviews IsLicensed
  memo Address1_Composite
  lookup QueueId queue:queue_system_user
  choice PreferredAddressCode 1=Mailing Address|2=Other Address
  lookup TerritoryId territory:territory_system_users
  lookup BusinessUnitId businessunit:business_unit_system_users
  choice InviteStatusCode 0=Invitation Not Sent|1=Invited|2=Invitation Near Expired|3=Invitation Expired|4=Invitation Accepted|5=Invitation Rejected|6=Invitation Revoked
  lookup ParentSystemUserId systemuser:user_parent_user
  choice OutgoingEmailDeliveryMethod 0=None|1=Microsoft Dynamics 365 for Outlook|2=Server-Side Synchronization or Email Router
  choice PreferredEmailCode 1=Default Value
  choice PreferredPhoneCode 1=Main Phone|2=Other Phone|3=Home Phone|4=Mobile Phone
  choice Emailrouteraccessapproval 0=Empty|1=Approved|2=Pending Approval|3=Rejected
  choice AccessMode 0=Read-Write|1=Administrative|2=Read|3=Support User|4=Non-interactive|5=Delegated Admin
  choice Address1_AddressTypeCode 1=Default Value
  choice IncomingEmailDeliveryMethod 0=None|1=Microsoft Dynamics 365 for Outlook|2=Server-Side Synchronization or Email Router|3=Forward Mailbox
  choice CalType 0=Professional|1=Administrative|2=Basic
  back modifiedonbehalfby:lk_systemuser_modifiedonbehalfby createdby:lk_systemuserbase_createdby
  back transactioncurrencyid:TransactionCurrency_SystemUser modifiedby:lk_systemuserbase_modifiedby
  back createdonbehalfby:lk_systemuser_createdonbehalfby
  plain OrganizationId organization:organization_system_users:organizationid_organization
Team teams organization 9 name <principal
  text Name EmailAddress
  bool SystemManaged IsDefault
  memo Description
  lookup RegardingObjectId territory:territory_Teams lead:lead_Teams pricelevel:pricelevel_Teams product:product_Teams uom:uom_Teams uomschedule:uomschedule_Teams campaign:campaign_Teams list:list_Teams incident:incident_Teams invoice:invoice_Teams invoicedetail:invoicedetail_Teams opportunityproduct:opportunityproduct_Teams quote:quote_Teams quotedetail:quotedetail_Teams salesorder:salesorder_Teams salesorderdetail:salesorderdetail_Teams competitor:competitor_Teams opportunity:opportunity_Teams
  lookup BusinessUnitId businessunit:business_unit_teams
  lookup QueueId queue:queue_team
  choice TeamType 0=Owner|1=Access|2=Security Group|3=Office Group
  lookup AdministratorId systemuser:lk_teambase_administratorid
  back modifiedonbehalfby:lk_team_modifiedonbehalfby transactioncurrencyid:TransactionCurrency_Team
  back modifiedby:lk_teambase_modifiedby createdby:lk_teambase_createdby
  back createdonbehalfby:lk_team_createdonbehalfby
  plain OrganizationId organization:organization_teams:organizationid_organization
BusinessUnit businessunits organization 10 name money
  bool Workflowsuspended IsDisabled
  text Divisionname TickerSymbol Disabledreason Fileasname Address1_City EmailAddress Name Address1_PostalCode
  text FtpSiteURL Costcenter Address1_Line2 Address1_Country Address1_StateOrProvince Address1_Line1 WebSiteURL
  memo Description
  double CreditLimit Address1_Longitude Address1_Latitude
  int Inheritancemask
  choice Address1_AddressTypeCode 1=Default Value
  lookup ParentBusinessUnitId businessunit:business_unit_parent_business_unit
  back transactioncurrencyid:TransactionCurrency_BusinessUnit modifiedby:lk_businessunitbase_modifiedby
  back createdonbehalfby:lk_businessunit_createdonbehalfby createdby:lk_businessunitbase_createdby
  back modifiedonbehalfby:lk_businessunit_modifiedonbehalfby
Organization organizations organization 1019 name
  text Dateformatstring CurrencySymbol Name Timeformatstring Schemanameprefix NumberFormat
  int PricingDecimalPrecision MaxUploadFileSize FiscalPeriodType Sessiontimeoutinmins LocaleId
  date FiscalCalendarStart
  memo BlockedAttachments
  guid Sqlaccessgroupid
  bool Isautosaveenabled IsAuditEnabled
  choice LanguageCode 1=Default Value
  choice WeekStartDayCode 1=Default Value
  lookup BaseCurrencyId transactioncurrency:basecurrency_organization
  choice Plugintracelogsetting 0=Off|1=Exception|2=All
  back modifiedonbehalfby:lk_organization_modifiedonbehalfby createdonbehalfby:lk_organization_createdonbehalfby
  back createdby:lk_organizationbase_createdby modifiedby:lk_organizationbase_modifiedby
Publisher publishers organization 7101 friendlyname
  text FriendlyName Address1_Country Pinpointpublisherdefaultlocale CustomizationPrefix Address1_Line1
  text Address1_PostalCode Address1_Line2 Address1_StateOrProvince UniqueName Address1_City EmailAddress
  text SupportingWebSiteUrl
  bool IsReadonly
  memo Description
  bigint Pinpointpublisherid
  int CustomizationOptionValuePrefix
  double Address1_Longitude Address1_Latitude
  choice Address1_AddressTypeCode 1=Default Value
  back createdby:lk_publisher_createdby modifiedby:lk_publisher_modifiedby
  back modifiedonbehalfby:lk_publisherbase_modifiedonbehalfby
  back createdonbehalfby:lk_publisherbase_createdonbehalfby
Solution solutions organization 7100 friendlyname
  memo Description
  bigint Pinpointsolutionid Pinpointpublisherid
  date InstalledOn Updatedon
  text FriendlyName Pinpointsolutiondefaultlocale UniqueName Version Pinpointassetid SolutionPackageVersion
  int SolutionType
  bool IsVisible IsManaged
  lookup ParentSolutionId solution:solution_parent_solution
  lookup PublisherId publisher:publisher_solution
  back createdby:lk_solution_createdby modifiedby:lk_solution_modifiedby
  back modifiedonbehalfby:lk_solutionbase_modifiedonbehalfby createdonbehalfby:lk_solutionbase_createdonbehalfby
Role roles organization 1036 name
  guid SolutionId RoleIdUnique
  text Name
  bool IsManaged
  lookup BusinessUnitId businessunit:business_unit_roles
  lookup ParentRootRoleId role:role_parent_root_role
  lookup ParentRoleId role:role_parent_role
  back createdonbehalfby:lk_role_createdonbehalfby modifiedby:lk_rolebase_modifiedby
  back modifiedonbehalfby:lk_role_modifiedonbehalfby createdby:lk_rolebase_createdby
  plain OrganizationId organization:organization_roles:organizationid_organization
SavedQuery savedqueries organization 1039 name
  memo Offlinesqlquery ColumnSetXml ConditionalFormatting QueryApi LayoutXml FetchXml Description
  bool IsManaged Isuserdefined IsDefault IsQuickFindQuery IsCustom
  int Organizationtaborder QueryType Queryappusage
  text AdvancedGroupBy Layoutjson Returnedtypecode Name
  guid SolutionId Savedqueryidunique
  states 0=Active:1=Active|1=Inactive:2=Inactive
  back modifiedby:lk_savedquerybase_modifiedby createdonbehalfby:lk_savedquery_createdonbehalfby
  back modifiedonbehalfby:lk_savedquery_modifiedonbehalfby createdby:lk_savedquerybase_createdby
UserQuery userqueries user 4230 name
  text Returnedtypecode AdvancedGroupBy Name Layoutjson
  int QueryType
  memo ColumnSetXml FetchXml Description ConditionalFormatting LayoutXml Offlinesqlquery
  states 0=Active:1=Active|1=Inactive:2=Inactive
  back ownerid:owner_userquerys modifiedby:lk_userquery_modifiedby owningteam:team_userquery
  back createdonbehalfby:lk_userquery_createdonbehalfby modifiedonbehalfby:lk_userquery_modifiedonbehalfby
  back createdby:lk_userquery_createdby owningbusinessunit:business_unit_userquery owninguser:user_userquery
AsyncOperation asyncoperations user 4700 name
  int RetryCount Depth
  memo FriendlyMessage Data RecurrencePattern Message
  text HostId MessageName PrimaryEntityType Name
  bigint Sequence
  guid RequestId CorrelationId
  date CompletedOn StartedOn
  double ExecutionTimeSpan
  choice OperationType 1=System Event|10=Workflow|13=Bulk Delete|24=Duplicate Detection|54=Execute Async Request|75=Index Management
  lookup RegardingObjectId opportunity:Opportunity_AsyncOperations businessunit:BusinessUnit_AsyncOperations team:Team_AsyncOperations lead:Lead_AsyncOperations transactioncurrency:TransactionCurrency_AsyncOperations opportunityproduct:OpportunityProduct_AsyncOperations account:Account_AsyncOperations salesorder:SalesOrder_AsyncOperations queueitem:QueueItem_AsyncOperations queue:Queue_AsyncOperations organization:Organization_AsyncOperations systemuser:SystemUser_AsyncOperations campaign:Campaign_AsyncOperations incident:Incident_AsyncOperations connection:Connection_AsyncOperations role:Role_AsyncOperations salesorderdetail:SalesOrderDetail_AsyncOperations subject:Subject_AsyncOperations uomschedule:UoMSchedule_AsyncOperations savedquery:SavedQuery_AsyncOperations product:Product_AsyncOperations invoicedetail:InvoiceDetail_AsyncOperations list:List_AsyncOperations competitor:Competitor_AsyncOperations quotedetail:QuoteDetail_AsyncOperations annotation:Annotation_AsyncOperations userquery:UserQuery_AsyncOperations contact:Contact_AsyncOperations quote:Quote_AsyncOperations territory:Territory_AsyncOperations invoice:Invoice_AsyncOperations uom:UoM_AsyncOperations activitypointer:ActivityPointer_AsyncOperations pricelevel:PriceLevel_AsyncOperations
  choice ErrorCode 1=Default Value
  states 0=Ready:0=Waiting For Resources|1=Suspended:10=Waiting|2=Locked:20=In Progress,21=Pausing,22=Canceling|3=Completed:30=Succeeded,31=Failed,32=Canceled
  back createdby:lk_asyncoperation_createdby owningbusinessunit:business_unit_asyncoperation
  back modifiedby:lk_asyncoperation_modifiedby createdonbehalfby:lk_asyncoperation_createdonbehalfby
  back ownerid:owner_asyncoperations owningteam:team_asyncoperation
  back modifiedonbehalfby:lk_asyncoperation_modifiedonbehalfby owninguser:system_user_asyncoperation
SdkMessage sdkmessages organization 4606 name
  bool Expand Template AutoTransact IsActive IsReadonly
  int Availability CustomizationLevel
  text CategoryName Name ThrottleSettings
  back createdby:createdby_sdkmessage createdonbehalfby:lk_sdkmessage_createdonbehalfby
  back modifiedby:modifiedby_sdkmessage modifiedonbehalfby:lk_sdkmessage_modifiedonbehalfby
SdkMessageFilter sdkmessagefilters organization 4607 -
  bool IsManaged IsVisible WorkflowSdkStepEnabled IsCustomProcessingStepAllowed
  text SecondaryObjectTypeCode PrimaryObjectTypeCode
  int CustomizationLevel Restrictionlevel Availability
  guid SdkMessageFilterIdUnique SolutionId
  lookup SdkMessageId sdkmessage:sdkmessageid_sdkmessagefilter
  back modifiedby:modifiedby_sdkmessagefilter createdby:createdby_sdkmessagefilter
  back createdonbehalfby:lk_sdkmessagefilter_createdonbehalfby
  back modifiedonbehalfby:lk_sdkmessagefilter_modifiedonbehalfby
Principal - none 7 -
"""
