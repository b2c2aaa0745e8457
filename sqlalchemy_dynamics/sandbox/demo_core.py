"""Accounts, contacts, cases and activities in the demo organisation, in the notation that `demo` reads."""
# ruff: noqa: E501 - tables of data, many to a line

from __future__ import annotations

TABLES = """
Account accounts user 1 name money
  date LastUsedInCampaign LastOnHoldTime
  bool DoNotPostalMail DoNotBulkPostalMail DoNotEMail DoNotBulkEMail ParticipatesInWorkflow DoNotFax DoNotSendMM
  bool FollowEmail DoNotPhone CreditOnHold
  money CreditLimit Revenue MarketCap
  text Telephone2:50 EMailAddress3 WebSiteURL:200 Address1_StateOrProvince:50 Address1_Line2:250 Telephone1:50
  text Address1_PostalCode:20 Fax:50 TickerSymbol:10 Address1_City:80 AccountNumber:20 Address1_Line1:250
  text FtpSiteURL:200 SIC:20 Name:160 Address1_Country:80 EMailAddress1 EMailAddress2
  memo Address1_Composite:1000 Description
  int NumberOfEmployees OnHoldTime
  double Address1_Longitude Address1_Latitude
  choice OwnershipCode 1=Public|2=Private|3=Subsidiary|4=Other
  lookup PrimaryContactId contact:account_primary_contact
  lookup TerritoryId territory:territory_accounts
  choice ShippingMethodCode 1=Default Value
  lookup OriginatingLeadId lead:account_originating_lead
  choice PaymentTermsCode 1=Net 30|2=2% 10, Net 30|3=Net 45|4=Net 60
  lookup DefaultPriceLevelId pricelevel:price_level_accounts
  choice AccountRatingCode 1=Default Value
  choice CustomerTypeCode 1=Competitor|2=Consultant|3=Customer|4=Investor|5=Partner|6=Influencer|7=Press|8=Prospect|9=Reseller|10=Supplier|11=Vendor|12=Other
  choice BusinessTypeCode 1=Default Value
  choice CustomerSizeCode 1=Default Value
  choice AccountClassificationCode 1=Default Value
  choice Address1_AddressTypeCode 1=Bill To|2=Ship To|3=Primary|4=Other
  lookup ParentAccountId account:account_parent_account
  choice TerritoryCode 1=Default Value
  choice PreferredAppointmentDayCode 0=Sunday|1=Monday|2=Tuesday|3=Wednesday|4=Thursday|5=Friday|6=Saturday
  choice PreferredContactMethodCode 1=Any|2=Email|3=Phone|4=Fax|5=Mail
  lookup PreferredSystemUserId systemuser:system_user_accounts
  choice PreferredAppointmentTimeCode 1=Morning|2=Afternoon|3=Evening
  choice IndustryCode 1=Accounting|2=Agriculture and Non-petrol Natural Resource Extraction|3=Broadcasting Printing and Publishing|4=Brokers|5=Building Supply Retail|6=Business Services|7=Consulting|8=Consumer Services|9=Design, Direction and Creative Management|10=Distributors, Dispatchers and Processors|11=Doctor's Offices and Clinics|12=Durable Manufacturing|13=Eating and Drinking Places|14=Entertainment Retail|15=Equipment Rental and Leasing|16=Financial|17=Food and Tobacco Processing|18=Inbound Capital Intensive Processing|19=Inbound Repair and Services|20=Insurance|21=Legal Services|22=Non-Durable Merchandise Retail|23=Outbound Consumer Service|24=Petrochemical Extraction and Distribution|25=Service Retail|26=SIG Affiliations|27=Social Services|28=Special Outbound Trade Contractors|29=Specialty Realty|30=Transportation|31=Utility Creation and Distribution|32=Vehicle Retail|33=Wholesale
  choice AccountCategoryCode 1=Preferred Customer|2=Standard
  date LastOnHoldTime
  states 0=Active:1=Active|1=Inactive:2=Inactive
  back ownerid:owner_accounts createdby:lk_accountbase_createdby modifiedby:lk_accountbase_modifiedby
  back owningbusinessunit:business_unit_accounts transactioncurrencyid:transactioncurrency_account
  back createdonbehalfby:lk_accountbase_createdonbehalfby owningteam:team_accounts owninguser:user_accounts
  back modifiedonbehalfby:lk_accountbase_modifiedonbehalfby
Contact contacts user 2 fullname money
  text Fax Telephone1 LastName MobilePhone Address1_StateOrProvince Address1_PostalCode Address1_Line1 EmployeeId
  text FirstName SpousesName Address1_City FtpSiteURL Salutation Suffix Department EMailAddress1 JobTitle
  text NickName WebSiteURL AssistantPhone Company FullName ManagerName GovernmentId ManagerPhone Address1_Line2
  text Address1_Country Home2 Telephone2 Pager AssistantName EMailAddress3 MiddleName EMailAddress2 Callback
  text ChildrensNames Business2 ExternalUserIdentifier:50
  bool DoNotFax DoNotBulkEMail DoNotBulkPostalMail FollowEmail DoNotEMail ParticipatesInWorkflow
  bool DoNotSendMM DoNotPhone DoNotPostalMail CreditOnHold
  day Anniversary BirthDate
  double Address1_Latitude Address1_Longitude
  memo Description Address1_Composite
  int NumberOfChildren
  money AnnualIncome CreditLimit
  date LastUsedInCampaign
  choice HasChildrenCode 1=Default Value
  choice AccountRoleCode 1=Decision Maker|2=Employee|3=Influencer
  choice PreferredAppointmentTimeCode 1=Morning|2=Afternoon|3=Evening
  choice Address1_AddressTypeCode 1=Default Value
  choice PaymentTermsCode 1=Net 30|2=2% 10, Net 30|3=Net 45|4=Net 60
  choice FamilyStatusCode 1=Single|2=Married|3=Divorced|4=Widowed
  choice CustomerSizeCode 1=Default Value
  lookup ParentCustomerId account:contact_customer_accounts contact:contact_customer_contacts
  choice GenderCode 1=Male|2=Female
  choice TerritoryCode 1=Default Value
  choice LeadSourceCode 1=Advertisement|2=Employee Referral|3=External Referral|4=Partner|5=Public Relations|6=Seminar|7=Trade Show|8=Web|9=Word of Mouth|10=Other
  choice PreferredAppointmentDayCode 0=Sunday|1=Monday|2=Tuesday|3=Wednesday|4=Thursday|5=Friday|6=Saturday
  lookup DefaultPriceLevelId pricelevel:price_level_contacts
  lookup PreferredSystemUserId systemuser:system_user_contacts
  choice ShippingMethodCode 1=Airborne|2=DHL|3=FedEx|4=UPS|5=Postal Mail|6=Full Load|7=Will Call
  choice EducationCode 1=Default Value
  lookup OriginatingLeadId lead:contact_originating_lead
  choice CustomerTypeCode 1=Default Value
  choice PreferredContactMethodCode 1=Any|2=Email|3=Phone|4=Fax|5=Mail
  states 0=Active:1=Active|1=Inactive:2=Inactive
  back createdonbehalfby:lk_contact_createdonbehalfby modifiedonbehalfby:lk_contact_modifiedonbehalfby
  back createdby:lk_contactbase_createdby owningbusinessunit:business_unit_contacts owningteam:team_contacts
  back owninguser:contact_owning_user ownerid:owner_contacts transactioncurrencyid:transactioncurrency_contact
  back modifiedby:lk_contactbase_modifiedby
Annotation annotations user 5 subject
  memo DocumentBody NoteText
  text Subject MimeType ObjectTypeCode Langid StepId FileName
  bool IsDocument
  int FileSize
  lookup ObjectId account:Account_Annotation list:List_Annotation contact:Contact_Annotation salesorder:SalesOrder_Annotation competitor:Competitor_Annotation incident:Incident_Annotation campaign:Campaign_Annotation lead:Lead_Annotation quote:Quote_Annotation invoice:Invoice_Annotation product:Product_Annotation opportunity:Opportunity_Annotation
  back modifiedonbehalfby:lk_annotationbase_modifiedonbehalfby owningbusinessunit:business_unit_annotations
  back createdby:lk_annotationbase_createdby owninguser:annotation_owning_user ownerid:owner_annotations
  back createdonbehalfby:lk_annotationbase_createdonbehalfby modifiedby:lk_annotationbase_modifiedby
  back owningteam:team_annotations
ActivityPointer activitypointers user 4200 subject money
  bool IsBilled IsWorkflowCreated IsRegularActivity
  date ScheduledEnd ActualStart SentOn ScheduledStart ActualEnd
  memo Description
  int ScheduledDurationMinutes ActualDurationMinutes
  text Subject:200 ActivityTypeCode ActivityAdditionalParams
  lookup RegardingObjectId account:Account_ActivityPointers contact:Contact_ActivityPointers salesorder:SalesOrder_ActivityPointers opportunity:Opportunity_ActivityPointers invoice:Invoice_ActivityPointers quote:Quote_ActivityPointers lead:Lead_ActivityPointers incident:Incident_ActivityPointers campaign:Campaign_ActivityPointers
  choice PriorityCode 0=Low|1=Normal|2=High
  choice DeliveryPriorityCode 0=Low|1=Normal|2=High
  states 0=Open:1=Open|1=Completed:2=Completed|2=Canceled:3=Canceled|3=Scheduled:4=Scheduled
  back createdby:lk_activitypointer_createdby transactioncurrencyid:TransactionCurrency_ActivityPointer
  back ownerid:owner_activitypointers owninguser:user_activity owningbusinessunit:business_unit_activitypointer
  back modifiedonbehalfby:lk_activitypointer_modifiedonbehalfby
  back createdonbehalfby:lk_activitypointer_createdonbehalfby modifiedby:lk_activitypointer_modifiedby
  back owningteam:team_activity
Appointment appointments organization 4201 subject <activitypointer
  text Category Location SubCategory Modifiedfieldsmask GlobalObjectId
  bool Isdraft IsAllDayEvent
  date Originalstartdate
  int Outlookownerapptid Isunsafe
  choice Attachmenterrors 0=None|1=The appointment was saved as a Microsoft Dynamics 365 appointment record, but not all the attachments could be saved with it.
  states 0=Open:1=Free,2=Tentative|1=Completed:3=Completed|2=Canceled:4=Canceled|3=Scheduled:5=Busy,6=Out of Office
  navs regardingobjectid_invoice:Invoice_Appointments regardingobjectid_incident:Incident_Appointments
  navs owningbusinessunit:business_unit_appointment_activities regardingobjectid_campaign:Campaign_Appointments
  navs regardingobjectid_quote:Quote_Appointments modifiedonbehalfby:lk_appointment_modifiedonbehalfby
  navs modifiedby:lk_appointment_modifiedby regardingobjectid_lead:Lead_Appointments
  navs regardingobjectid_opportunity:Opportunity_Appointments regardingobjectid_contact:Contact_Appointments
  navs createdonbehalfby:lk_appointment_createdonbehalfby regardingobjectid_account:Account_Appointments
  navs transactioncurrencyid:TransactionCurrency_Appointment createdby:lk_appointment_createdby
  navs regardingobjectid_salesorder:SalesOrder_Appointments owningteam:team_appointment
  navs owninguser:user_appointment
Email emails organization 4202 subject <activitypointer
  guid Reminderactioncardid EmailTrackingId ConversationTrackingId
  text TrackingToken Emailremindertext SubCategory Category SubmittedBy ToRecipients MimeType Inreplyto MessageId
  text ConversationIndex Sender
  bool ReadReceiptRequested Compressed DirectionCode DeliveryReceiptRequested Followemailuserpreference
  bool Isemailreminderset Isemailfollowed
  date Emailreminderexpirytime Delayedemailsendtime Lastopenedtime
  int Isunsafe Replycount Emailreminderstatus Linksclickedcount DeliveryAttempts OpenCount AttachmentCount
  int Emailremindertype Baseconversationindexhash AttachmentOpenCount
  choice CorrelationMethod 0=None|1=Skipped|2=XHeader|3=InReplyTo|4=TrackingToken|5=ConversationIndex|6=SmartMatching|7=Custom
  lookup Sendersaccount account:Account_Email_SendersAccount
  choice Notifications 0=None
  states 0=Open:1=Draft,8=Failed|1=Completed:2=Completed,3=Sent,4=Received,6=Pending Send,7=Sending|2=Canceled:5=Canceled
  navs transactioncurrencyid:TransactionCurrency_Email regardingobjectid_lead:Lead_Emails
  navs regardingobjectid_salesorder:SalesOrder_Emails regardingobjectid_opportunity:Opportunity_Emails
  navs regardingobjectid_invoice:Invoice_Emails owningbusinessunit:business_unit_email_activities
  navs owninguser:user_email modifiedby:lk_email_modifiedby regardingobjectid_incident:Incident_Emails
  navs owningteam:team_email regardingobjectid_campaign:Campaign_Emails
  navs createdonbehalfby:lk_email_createdonbehalfby modifiedonbehalfby:lk_email_modifiedonbehalfby
  navs regardingobjectid_account:Account_Emails createdby:lk_email_createdby
  navs regardingobjectid_contact:Contact_Emails regardingobjectid_quote:Quote_Emails
PhoneCall phonecalls organization 4210 subject <activitypointer
  text SubCategory Category PhoneNumber
  bool DirectionCode
  states 0=Open:1=Open|1=Completed:2=Made,4=Received|2=Canceled:3=Canceled
  navs regardingobjectid_lead:Lead_Phonecalls regardingobjectid_opportunity:Opportunity_Phonecalls
  navs transactioncurrencyid:TransactionCurrency_PhoneCall regardingobjectid_contact:Contact_Phonecalls
  navs modifiedonbehalfby:lk_phonecall_modifiedonbehalfby regardingobjectid_account:Account_Phonecalls
  navs regardingobjectid_invoice:Invoice_Phonecalls createdby:lk_phonecall_createdby
  navs createdonbehalfby:lk_phonecall_createdonbehalfby regardingobjectid_incident:Incident_Phonecalls
  navs owningbusinessunit:business_unit_phone_call_activities regardingobjectid_salesorder:SalesOrder_Phonecalls
  navs modifiedby:lk_phonecall_modifiedby owningteam:team_phonecall
  navs regardingobjectid_campaign:Campaign_Phonecalls regardingobjectid_quote:Quote_Phonecalls
  navs owninguser:user_phonecall
Task tasks organization 4212 subject <activitypointer
  text SubCategory Category
  int PercentComplete
  states 0=Open:2=Not Started,3=In Progress,4=Waiting on someone else,7=Deferred|1=Completed:5=Completed|2=Canceled:6=Canceled
  navs regardingobjectid_lead:Lead_Tasks regardingobjectid_contact:Contact_Tasks owningteam:team_task
  navs regardingobjectid_quote:Quote_Tasks regardingobjectid_opportunity:Opportunity_Tasks
  navs owningbusinessunit:business_unit_task_activities transactioncurrencyid:TransactionCurrency_Task
  navs regardingobjectid_campaign:Campaign_Tasks regardingobjectid_invoice:Invoice_Tasks
  navs regardingobjectid_account:Account_Tasks modifiedby:lk_task_modifiedby createdby:lk_task_createdby
  navs createdonbehalfby:lk_task_createdonbehalfby regardingobjectid_salesorder:SalesOrder_Tasks
  navs owninguser:user_task modifiedonbehalfby:lk_task_modifiedonbehalfby
  navs regardingobjectid_incident:Incident_Tasks
Incident incidents user 112 title money
  text Title Productserialnumber EmailAddress TicketNumber
  bool BlockedProfile IsEscalated Decremententitlementterm ActivitiesComplete CheckEmail FirstResponseSent
  bool RouteCase
  date ResponseBy FollowUpBy ResolveBy EscalatedOn
  memo Description
  choice CaseTypeCode 1=Question|2=Problem|3=Request
  choice ResolveBySlaStatus 1=In Progress|2=Nearing Noncompliance|3=Succeeded|4=Noncompliant
  choice PriorityCode 1=High|2=Normal|3=Low
  lookup ParentCaseId incident:incident_parent_incident
  lookup PrimaryContactId contact:contact_as_primary_contact
  choice SeverityCode 1=Default Value
  choice CaseOriginCode 1=Phone|2=Email|3=Web|2483=Facebook|3986=Twitter
  lookup ProductId product:product_incidents
  choice IncidentStageCode 1=Default Value
  lookup CustomerId contact:incident_customer_contacts account:incident_customer_accounts
  lookup SubjectId subject:subject_incidents
  choice CustomerSatisfactionCode 1=Very Dissatisfied|2=Dissatisfied|3=Neutral|4=Satisfied|5=Very Satisfied
  lookup ExistIngCase incident:incident_existingcase
  states 0=Active:1=In Progress,2=On Hold,3=Waiting for Details,4=Researching|1=Resolved:5=Problem Solved,1000=Information Provided|2=Canceled:6=Canceled,2000=Merged
  back modifiedonbehalfby:lk_incidentbase_modifiedonbehalfby transactioncurrencyid:TransactionCurrency_Incident
  back owningteam:team_incidents owningbusinessunit:business_unit_incidents createdby:lk_incidentbase_createdby
  back owninguser:system_user_incidents createdonbehalfby:lk_incidentbase_createdonbehalfby
  back ownerid:owner_incidents modifiedby:lk_incidentbase_modifiedby
Queue queues user 2020 name money
  text Name EmailAddress
  bool IgnoreUnsolicitedEmail Isemailaddressapprovedbyo365admin
  memo Description
  int NumberOfMembers NumberOfItems
  choice QueueViewType 0=Public|1=Private
  choice OutgoingEmailDeliveryMethod 0=None|1=Microsoft Dynamics 365 for Outlook|2=Server-Side Synchronization or Email Router
  choice IncomingEmailDeliveryMethod 0=None|1=Microsoft Dynamics 365 for Outlook|2=Server-Side Synchronization or Email Router|3=Forward Mailbox
  choice Emailrouteraccessapproval 0=Empty|1=Approved|2=Pending Approval|3=Rejected
  choice QueueTypeCode 1=Default Value
  choice IncomingEmailFilterIngMethod 0=All email messages|1=Email messages in response to Dynamics 365 email|2=Email messages from Dynamics 365 Leads, Contacts and Accounts|3=Email messages from Dynamics 365 records that are email enabled|4=No email messages
  states 0=Active:1=Active|1=Inactive:2=Inactive
  back owningbusinessunit:business_unit_queues2 ownerid:owner_queues createdby:lk_queuebase_createdby
  back modifiedonbehalfby:lk_queue_modifiedonbehalfby transactioncurrencyid:TransactionCurrency_Queue
  back createdonbehalfby:lk_queue_createdonbehalfby modifiedby:lk_queuebase_modifiedby
QueueItem queueitems organization 2029 title money
  date EnteredOn Workeridmodifiedon
  text Title
  lookup WorkerId systemuser:lk_queueitembase_workerid team:team_queueitembase_workerid
  lookup QueueId queue:queue_entries
  lookup ObjectId activitypointer:ActivityPointer_QueueItem incident:Incident_QueueItem
  choice ObjectTypeCode 1=Default Value
  states 0=Active:1=Active|1=Inactive:2=Inactive
  back createdby:lk_queueitembase_createdby modifiedby:lk_queueitembase_modifiedby
  back modifiedonbehalfby:lk_queueitem_modifiedonbehalfby transactioncurrencyid:TransactionCurrency_QueueItem
  back createdonbehalfby:lk_queueitem_createdonbehalfby
Territory territories organization 2013 name money
  memo Description
  text Name
  lookup ManagerId systemuser:system_user_territories
  back createdonbehalfby:lk_territory_createdonbehalfby createdby:lk_territorybase_createdby
  back modifiedonbehalfby:lk_territory_modifiedonbehalfby modifiedby:lk_territorybase_modifiedby
  back transactioncurrencyid:TransactionCurrency_Territory
Subject subjects organization 129 title
  memo Description
  text Title
  int FeatureMask
  lookup ParentSubject subject:subject_parent_subject
  back createdby:lk_subjectbase_createdby modifiedby:lk_subjectbase_modifiedby
  back modifiedonbehalfby:lk_subject_modifiedonbehalfby createdonbehalfby:lk_subject_createdonbehalfby
ActivityParty activityparties none 135 -
  text AddressUsed Exchangeentryid
  bool DoNotPhone DoNotPostalMail DoNotFax Ispartydeleted DoNotEMail
  date ScheduledStart ScheduledEnd
  int AddressUsedEmailColumnNumber
  double Effort
  lookup ActivityId activitypointer:activitypointer_activity_parties:activityid_activitypointer
  choice ParticipationTypeMask 1=Sender|2=To Recipient|3=CC Recipient|4=BCC Recipient|5=Required attendee|6=Optional attendee|7=Organizer|8=Regarding|9=Owner|10=Resource|11=Customer
  lookup PartyId incident:incident_activity_parties invoice:invoice_activity_parties queue:queue_activity_parties systemuser:system_user_activity_parties salesorder:salesorder_activity_parties quote:quote_activity_parties lead:lead_activity_parties opportunity:opportunity_activity_parties campaign:campaign_activity_parties account:account_activity_parties contact:contact_activity_parties
  more ActivityId appointment:appointment_activity_parties:activityid_appointment phonecall:phonecall_activity_parties:activityid_phonecall task:task_activity_parties:activityid_task email:email_activity_parties:activityid_email
Connection connections user 3234 name money
  date EffectiveEnd EffectiveStart
  text Name
  memo Description
  bool IsMaster
  choice Record1ObjectTypeCode 1=Account|2=Contact
  choice Record2ObjectTypeCode 1=Account|2=Contact
  lookup Record1Id contact:contact_connections1 systemuser:systemuser_connections1 territory:territory_connections1 invoice:invoice_connections1 quote:quote_connections1 campaign:campaign_connections1 team:team_connections1 competitor:competitor_connections1 list:list_connections1 incident:incident_connections1 product:product_connections1 opportunity:opportunity_connections1 account:account_connections1 lead:lead_connections1 activitypointer:activitypointer_connections1 salesorder:salesorder_connections1 pricelevel:pricelevel_connections1
  lookup Relatedconnectionid connection:connection_related_connection
  lookup Record2Id lead:lead_connections2 account:account_connections2 systemuser:systemuser_connections2 team:team_connections2 territory:territory_connections2 quote:quote_connections2 incident:incident_connections2 list:list_connections2 pricelevel:pricelevel_connections2 salesorder:salesorder_connections2 competitor:competitor_connections2 product:product_connections2 opportunity:opportunity_connections2 invoice:invoice_connections2 activitypointer:activitypointer_connections2 contact:contact_connections2 campaign:campaign_connections2
  states 0=Active:1=Active|1=Inactive:2=Inactive
  back modifiedby:modifiedby_connection transactioncurrencyid:TransactionCurrency_Connection
  back createdby:createdby_connection createdonbehalfby:lk_connectionbase_createdonbehalfby
  back modifiedonbehalfby:lk_connectionbase_modifiedonbehalfby owningbusinessunit:business_unit_connections
  back ownerid:owner_connections
"""
