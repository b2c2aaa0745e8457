"""The tables of the sales area in the demo organisation, in the notation that `demo` reads."""
# ruff: noqa: E501 - tables of data, many to a line

from __future__ import annotations

TABLES = """
Opportunity opportunities user 3 name money
  date Scheduleproposalmeeting ScheduleFollowUp_Qualify ScheduleFollowUp_Prospect
  text StepName Name EmailAddress
  memo Customerpainpoints Description ProposedSolution CustomerNeed QuoteComments QualificationComments
  memo CurrentSituation
  bool PursuitDecision ConfirmInterest Completefinalproposal Captureproposalfeedback IdentifyPursuitTeam
  bool IdentifyCompetitors Developproposal Presentproposal IdentifyCustomerContacts DecisionMaker FileDebrief
  bool CompleteInternalReview ResolveFeedback IsRevenueSystemCalculated ParticipatesInWorkflow SendThankYouNote
  bool EvaluateFit Presentfinalproposal
  money TotalLineItemDiscountAmount EstimatedValue TotalAmount TotalTax TotalLineItemAmount TotalDiscountAmount
  money DiscountAmount FreightAmount ActualValue TotalAmountLessFreight BudgetAmount
  day EstimatedCloseDate ActualCloseDate FinalDecisionDate
  int CloseProbability
  decimal DiscountPercentage
  guid StepId
  choice PurchaseTimeframe 0=Immediate|1=This Quarter|2=Next Quarter|3=This Year|4=Unknown
  choice SalesStage 0=Qualify|1=Develop|2=Propose|3=Close
  lookup ParentAccountId account:opportunity_parent_account
  choice PriorityCode 0=Low|1=Normal|2=High
  choice Skippricecalculation 0=Do Price Calc Always|1=Skip Price Calc On Retrieve
  choice TimeLine 0=Immediate|1=This Quarter|2=Next Quarter|3=This Year|4=Not known
  lookup CustomerId account:opportunity_customer_accounts contact:opportunity_customer_contacts
  choice PricingErrorCode 0=None|1=Detail Error|2=Missing Price Level|3=Inactive Price Level|4=Missing Quantity|5=Missing Unit Price|6=Missing Product
  choice PurchaseProcess 0=Individual|1=Committee|2=Unknown
  choice Need 0=Must have|1=Should have|2=Good to have|3=No need
  choice SalesStageCode 1=Default Value
  choice InitialCommunication 0=Contacted|1=Not Contacted
  lookup ParentContactId contact:opportunity_parent_contact
  choice BudgetStatus 0=No Committed Budget|1=May Buy|2=Can Buy|3=Will Buy
  lookup PriceLevelId pricelevel:price_level_opportunties
  lookup CampaignId campaign:campaign_opportunities
  choice OpportunityRatingCode 1=Hot|2=Warm|3=Cold
  lookup OriginatingLeadId lead:opportunity_originating_lead
  states 0=Open:1=In Progress,2=On Hold|1=Won:3=Won|2=Lost:4=Canceled,5=Out-Sold
  back owningteam:team_opportunities owningbusinessunit:business_unit_opportunities
  back owninguser:opportunity_owning_user ownerid:owner_opportunitys
  back modifiedonbehalfby:lk_opportunity_modifiedonbehalfby modifiedby:lk_opportunitybase_modifiedby
  back createdby:lk_opportunitybase_createdby createdonbehalfby:lk_opportunity_createdonbehalfby
  back transactioncurrencyid:transactioncurrency_opportunity
Lead leads user 4 fullname money
  double Address1_Latitude Address1_Longitude EstimatedValue
  date LastUsedInCampaign ScheduleFollowUp_Qualify ScheduleFollowUp_Prospect
  memo Description QualificationComments Address1_Composite
  text SIC FirstName JobTitle EMailAddress2 Address1_StateOrProvince LastName Address1_City EMailAddress3
  text CompanyName Pager Address1_Line2 MobilePhone Address1_Line1 Address1_PostalCode MiddleName
  text Address1_Country WebSiteURL Fax Salutation FullName Subject EMailAddress1 Telephone1 Telephone2
  money Revenue EstimatedAmount BudgetAmount
  bool EvaluateFit ParticipatesInWorkflow DoNotEMail FollowEmail DoNotFax DoNotPhone DecisionMaker
  bool ConfirmInterest DoNotBulkEMail DoNotSendMM DoNotPostalMail
  int NumberOfEmployees
  day EstimatedCloseDate
  choice SalesStage 0=Qualify|1=Develop|2=Propose|3=Close
  choice SalesStageCode 1=Default Value
  choice BudgetStatus 0=No Committed Budget|1=May Buy|2=Can Buy|3=Will Buy
  choice PriorityCode 1=Default Value
  lookup ParentContactId contact:lead_parent_contact
  lookup ParentAccountId account:lead_parent_account
  lookup OriginatingCaseId incident:OriginatingCase_Lead
  choice PurchaseProcess 0=Individual|1=Committee|2=Unknown
  choice Address1_AddressTypeCode 1=Default Value
  choice InitialCommunication 0=Contacted|1=Not Contacted
  lookup CampaignId campaign:campaign_leads
  choice LeadSourceCode 1=Advertisement|2=Employee Referral|3=External Referral|4=Partner|5=Public Relations|6=Seminar|7=Trade Show|8=Web|9=Word of Mouth|10=Other
  choice LeadQualityCode 1=Hot|2=Warm|3=Cold
  choice IndustryCode 1=Accounting|2=Agriculture and Non-petrol Natural Resource Extraction|3=Broadcasting Printing and Publishing|4=Brokers|5=Building Supply Retail|6=Business Services|7=Consulting|8=Consumer Services|12=Doctor's Offices and Clinics|14=Eating and Drinking Places
  lookup QualifyingOpportunityId opportunity:lead_qualifying_opportunity
  choice PurchaseTimeframe 0=Immediate|1=This Quarter|2=Next Quarter|3=This Year|4=Unknown
  lookup CustomerId account:lead_customer_accounts contact:lead_customer_contacts
  choice PreferredContactMethodCode 1=Any|2=Email|3=Phone|4=Fax|5=Mail
  choice Need 0=Must have|1=Should have|2=Good to have|3=No need
  states 0=Open:1=New,2=Contacted|1=Qualified:3=Qualified|2=Disqualified:4=Lost,5=Cannot Contact,6=No Longer Interested,7=Canceled
  back owningbusinessunit:business_unit_leads modifiedonbehalfby:lk_lead_modifiedonbehalfby
  back owningteam:lead_owning_team createdonbehalfby:lk_lead_createdonbehalfby owninguser:lead_owning_user
  back modifiedby:lk_leadbase_modifiedby createdby:lk_leadbase_createdby
  back transactioncurrencyid:transactioncurrency_lead ownerid:owner_leads
Product products organization 1024 name money
  money StandardCost CurrentCost Price
  text HierarchyPath ProductUrl SupplierName VendorName Size Name VendorId VendorPartNumber ProductNumber
  decimal QuantityOnHand
  int Dmtimportstate QuantityDecimal
  day ValidFromDate ValidToDate
  memo Description
  bool IsKit
  choice ProductStructure 1=Product|2=Product Family|3=Product Bundle
  lookup DefaultUomScheduleId uomschedule:unit_of_measurement_schedule_products
  lookup PriceLevelId pricelevel:price_level_products
  lookup SubjectId subject:subject_products
  lookup ParentProductId product:product_parent_product
  choice ProductTypeCode 1=Sales Inventory|2=Miscellaneous Charges|3=Services|4=Flat Fees
  lookup DefaultUomId uom:unit_of_measurement_products
  states 0=Active:1=Active|1=Retired:2=Retired|2=Draft:0=Draft|3=Under Revision:3=Under Revision
  back createdby:lk_productbase_createdby createdonbehalfby:lk_product_createdonbehalfby
  back transactioncurrencyid:transactioncurrency_product modifiedby:lk_productbase_modifiedby
  back modifiedonbehalfby:lk_product_modifiedonbehalfby
Quote quotes user 1084 name money
  text BillTo_City EmailAddress QuoteNumber ShipTo_City BillTo_ContactName ShipTo_Country ShipTo_Line3
  text ShipTo_Name ShipTo_Line1 BillTo_Telephone ShipTo_Telephone BillTo_Name BillTo_StateOrProvince
  text BillTo_PostalCode BillTo_Line1 BillTo_Line3 BillTo_Line2 ShipTo_ContactName ShipTo_StateOrProvince
  text ShipTo_PostalCode BillTo_Fax ShipTo_Line2 ShipTo_Fax Name BillTo_Country
  date EffectiveTo RequestDeliveryBy EffectiveFrom
  memo BillTo_Composite Description ShipTo_Composite
  guid ShipTo_AddressId BillTo_AddressId
  money TotalLineItemAmount TotalAmount FreightAmount TotalTax TotalAmountLessFreight TotalDiscountAmount
  money DiscountAmount TotalLineItemDiscountAmount
  day ExpiresOn ClosedOn
  bool Willcall
  decimal DiscountPercentage
  int RevisionNumber
  choice PaymentTermsCode 1=Net 30|2=2% 10, Net 30|3=Net 45|4=Net 60
  lookup PriceLevelId pricelevel:price_level_quotes
  choice Skippricecalculation 0=Do Price Calc Always|1=Skip Price Calc On Retrieve
  choice PricingErrorCode 0=None|1=Detail Error|2=Missing Price Level|3=Inactive Price Level|4=Missing Quantity|5=Missing Unit Price|6=Missing Product
  choice ShippingMethodCode 1=Airborne|2=DHL|3=FedEx|4=UPS|5=Postal Mail|6=Full Load|7=Will Call
  choice ShipTo_FreightTermsCode 1=Default Value
  lookup OpportunityId opportunity:opportunity_quotes
  lookup CustomerId contact:quote_customer_contacts account:quote_customer_accounts
  lookup CampaignId campaign:campaign_quotes
  choice FreightTermsCode 1=FOB|2=No Charge
  states 0=Draft:1=In Progress|1=Active:2=In Progress,3=Open|2=Won:4=Won|3=Closed:5=Lost,6=Canceled,7=Revised
  back owninguser:system_user_quotes owningbusinessunit:business_unit_quotes owningteam:team_quotes
  back modifiedonbehalfby:lk_quote_modifiedonbehalfby transactioncurrencyid:transactioncurrency_quote
  back createdby:lk_quotebase_createdby ownerid:owner_quotes modifiedby:lk_quotebase_modifiedby
  back createdonbehalfby:lk_quote_createdonbehalfby
SalesOrder salesorders user 1088 name money
  text ShipTo_ContactName ShipTo_StateOrProvince ShipTo_PostalCode ShipTo_Line3 BillTo_Telephone ShipTo_Line2
  text ShipTo_Fax ShipTo_Telephone BillTo_Name ShipTo_Country EmailAddress ShipTo_Name Name OrderNumber
  text BillTo_StateOrProvince BillTo_Line2 BillTo_PostalCode BillTo_Fax BillTo_City BillTo_Country
  text BillTo_ContactName SubmitStatusDescription ShipTo_City ShipTo_Line1 BillTo_Line3 BillTo_Line1
  date DateFulfilled RequestDeliveryBy LastBackofficeSubmit SubmitDate
  money TotalLineItemDiscountAmount TotalTax DiscountAmount FreightAmount TotalLineItemAmount
  money TotalAmountLessFreight TotalDiscountAmount TotalAmount
  bool Willcall IsPriceLocked
  memo BillTo_Composite Description ShipTo_Composite
  decimal DiscountPercentage
  guid BillTo_AddressId ShipTo_AddressId
  int SubmitStatus
  lookup CampaignId campaign:campaign_orders
  choice ShipTo_FreightTermsCode 1=Default Value
  lookup QuoteId quote:quote_orders
  choice PaymentTermsCode 1=Net 30|2=2% 10, Net 30|3=Net 45|4=Net 60
  lookup OpportunityId opportunity:opportunity_sales_orders
  choice Skippricecalculation 0=Do Price Calc Always|1=Skip Price Calc On Retrieve
  choice ShippingMethodCode 1=Airborne|2=DHL|3=FedEx|4=UPS|5=Postal Mail|6=Full Load|7=Will Call
  lookup CustomerId contact:order_customer_contacts account:order_customer_accounts
  lookup PriceLevelId pricelevel:price_level_orders
  choice FreightTermsCode 1=FOB|2=No Charge
  choice PriorityCode 0=Low|1=Normal|2=High
  choice PricingErrorCode 0=None|1=Detail Error|2=Missing Price Level|3=Inactive Price Level|4=Missing Quantity|5=Missing Unit Price|6=Missing Product
  states 0=Active:1=New,2=Pending|1=Submitted:3=In Progress|2=Canceled:4=No Money|3=Fulfilled:100001=Complete,100002=Partial|4=Invoiced:100003=Invoiced
  back modifiedby:lk_salesorderbase_modifiedby ownerid:owner_salesorders owninguser:system_user_orders
  back transactioncurrencyid:transactioncurrency_salesorder owningbusinessunit:business_unit_orders
  back modifiedonbehalfby:lk_salesorder_modifiedonbehalfby createdonbehalfby:lk_salesorder_createdonbehalfby
  back owningteam:team_orders createdby:lk_salesorderbase_createdby
Invoice invoices user 1090 name money
  text BillTo_Line1 ShipTo_StateOrProvince Name BillTo_Name ShipTo_Country BillTo_Country ShipTo_PostalCode
  text BillTo_Fax ShipTo_Line1 EmailAddress BillTo_Line3 ShipTo_Line2 BillTo_Telephone BillTo_City ShipTo_Fax
  text BillTo_Line2 BillTo_PostalCode InvoiceNumber ShipTo_Telephone ShipTo_Line3 BillTo_StateOrProvince
  text ShipTo_City ShipTo_Name
  bool Willcall IsPriceLocked
  decimal DiscountPercentage
  money TotalDiscountAmount TotalAmount TotalTax DiscountAmount TotalLineItemDiscountAmount TotalLineItemAmount
  money TotalAmountLessFreight FreightAmount
  date LastBackofficeSubmit Datedelivered
  memo ShipTo_Composite BillTo_Composite Description
  day Duedate
  choice ShippingMethodCode 1=Airborne|2=DHL|3=FedEx|4=UPS|5=Postal Mail|6=Full Load|7=Will Call
  choice Skippricecalculation 0=Do Price Calc Always|1=Skip Price Calc On Retrieve
  lookup OpportunityId opportunity:opportunity_invoices
  lookup CustomerId contact:invoice_customer_contacts account:invoice_customer_accounts
  choice ShipTo_FreightTermsCode 1=Default Value
  choice PriorityCode 0=Low|1=Normal|2=High
  lookup SalesOrderId salesorder:order_invoices
  choice PaymentTermsCode 1=Net 30|2=2% 10, Net 30|3=Net 45|4=Net 60
  choice PricingErrorCode 0=None|1=Detail Error|2=Missing Price Level|3=Inactive Price Level|4=Missing Quantity|5=Missing Unit Price|6=Missing Product
  lookup PriceLevelId pricelevel:price_level_invoices
  states 0=Active:1=New,2=Partially Shipped,4=Billed,5=Booked,6=Installed|1=Closed (deprecated):3=Canceled (deprecated),7=Paid in Full (deprecated)|2=Paid:100001=Complete,100002=Partial|3=Canceled:100003=Canceled
  back modifiedby:lk_invoicebase_modifiedby owningbusinessunit:business_unit_invoices
  back transactioncurrencyid:transactioncurrency_invoice owninguser:system_user_invoices
  back createdonbehalfby:lk_invoice_createdonbehalfby ownerid:owner_invoices
  back modifiedonbehalfby:lk_invoice_modifiedonbehalfby owningteam:team_invoices
  back createdby:lk_invoicebase_createdby
PriceLevel pricelevels organization 1022 name money
  date BeginDate EndDate
  text Name
  memo Description
  choice ShippingMethodCode 1=Airborne|2=DHL|3=FedEx|4=UPS|5=Postal Mail|6=Full Load|7=Will Call
  choice PaymentMethodCode 1=Default Value
  choice FreightTermsCode 1=FOB|2=No Charge
  states 0=Active:100001=Active|1=Inactive:100002=Inactive
  back modifiedonbehalfby:lk_pricelevel_modifiedonbehalfby createdonbehalfby:lk_pricelevel_createdonbehalfby
  back createdby:lk_pricelevelbase_createdby modifiedby:lk_pricelevelbase_modifiedby
  back transactioncurrencyid:transactioncurrency_pricelevel
Competitor competitors organization 123 name money
  int ReportingYear ReportingQuarter
  memo Weaknesses Address1_Composite Threats KeyProduct Opportunities Strengths Overview
  text Name Address1_PostalCode Address1_City Address1_StateOrProvince TickerSymbol Address1_Line2 WebSiteURL
  text Address1_Country Referenceinfourl Address1_Line1
  double WinPercentage Address1_Latitude Address1_Longitude
  money Reportedrevenue
  choice Address1_AddressTypeCode 1=Default Value
  back modifiedby:lk_competitorbase_modifiedby createdby:lk_competitorbase_createdby
  back transactioncurrencyid:transactioncurrency_competitor modifiedonbehalfby:lk_competitor_modifiedonbehalfby
  back createdonbehalfby:lk_competitor_createdonbehalfby
Campaign campaigns user 4400 name money
  date ActualStart ActualEnd ProposedStart ProposedEnd
  memo Description Message Objective
  text Codename EmailAddress PromotionCodename Name
  int ExpectedResponse
  money OtherCost BudgetedCost ExpectedRevenue TotalCampaignActivityActualCost TotalActualCost
  bool IsTemplate
  choice TypeCode 1=Advertisement|2=Direct Marketing|3=Event|4=Co-branding|5=Other
  lookup PriceListId pricelevel:PriceList_Campaigns
  states 0=Active:0=Proposed,1=Ready To Launch,2=Launched,3=Completed,4=Canceled,5=Suspended|1=Inactive:6=Inactive
  back owninguser:SystemUser_Campaigns transactioncurrencyid:transactioncurrency_campaign
  back owningteam:team_Campaigns createdby:lk_campaign_createdby modifiedby:lk_campaign_modifiedby
  back modifiedonbehalfby:lk_campaign_modifiedonbehalfby owningbusinessunit:BusinessUnit_Campaigns
  back ownerid:owner_campaigns createdonbehalfby:lk_campaign_createdonbehalfby
List lists user 4300 listname money
  date LastUsedOn
  bool DoNotsendonoptout Lockstatus IgnoreInactiveListMembers Type
  text ListName Source
  memo Query Description Purpose
  money Cost
  int MemberCount
  choice MemberType 1=Account|2=Contact|4=Lead
  choice CreatedFromCode 1=Account|2=Contact|4=Lead
  states 0=Active:0=Active|1=Inactive:1=Inactive
  back ownerid:owner_lists createdonbehalfby:lk_list_createdonbehalfby owningteam:team_list owninguser:user_list
  back owningbusinessunit:business_unit_list modifiedonbehalfby:lk_list_modifiedonbehalfby
  back transactioncurrencyid:transactioncurrency_list modifiedby:lk_list_modifiedby createdby:lk_list_createdby
Uom uoms organization 1055 name
  bool IsScheduleBaseUom
  decimal Quantity
  text Name
  lookup BaseUom uom:unit_of_measurement_base_unit
  lookup UomScheduleId uomschedule:unit_of_measure_schedule_conversions
  back createdby:lk_uombase_createdby createdonbehalfby:lk_uom_createdonbehalfby
  back modifiedonbehalfby:lk_uom_modifiedonbehalfby modifiedby:lk_uombase_modifiedby
UomSchedule uomschedules organization 1056 name
  text BaseUomName Name
  memo Description
  states 0=Active:1=Active|1=Inactive:2=Inactive
  back modifiedby:lk_uomschedulebase_modifiedby createdby:lk_uomschedulebase_createdby
  back modifiedonbehalfby:lk_uomschedule_modifiedonbehalfby createdonbehalfby:lk_uomschedule_createdonbehalfby
TransactionCurrency transactioncurrencies organization 9105 currencyname money
  text ISOCurrencyCode CurrencyName CurrencySymbol
  int CurrencyPrecision
  decimal ExchangeRate:10
  states 0=Active:1=Active|1=Inactive:2=Inactive
  back createdonbehalfby:lk_transactioncurrency_createdonbehalfby
  back modifiedby:lk_transactioncurrencybase_modifiedby
  back modifiedonbehalfby:lk_transactioncurrency_modifiedonbehalfby
  back createdby:lk_transactioncurrencybase_createdby
OpportunityProduct opportunityproducts organization 1083 opportunityproductname money
  memo Description
  int LineItemNumber SequenceNumber Propertyconfigurationstatus
  money PricePerUnit ExtendedAmount VolumeDiscountAmount Tax ManualDiscountAmount BaseAmount
  guid Productassociationid Parentbundleid
  bool IsProductOverridden IsPriceOverridden
  text ProductName ProductDescription OpportunityProductName
  decimal Quantity
  lookup OpportunityId opportunity:product_opportunities
  lookup ProductId product:opportunity_products
  choice PricingErrorCode 0=None|1=Detail Error|2=Missing Price Level|3=Inactive Price Level|4=Missing Quantity|5=Missing Unit Price|6=Missing Product
  choice ProductTypeCode 1=Sales Inventory|2=Miscellaneous Charges|3=Services|4=Flat Fees
  lookup Parentbundleidref opportunityproduct:opportunityproduct_parentref_opportunityproduct:parentbundleidref_opportunityproduct
  choice Skippricecalculation 0=Do Price Calc Always|1=Skip Price Calc On Retrieve
  choice OpportunityStateCode 1=Default Value
  lookup UomId uom:unit_of_measurement_opportunity_products
  back owningteam:team_opportunityproduct transactioncurrencyid:transactioncurrency_opportunityproduct
  back createdby:lk_opportunityproductbase_createdby modifiedby:lk_opportunityproductbase_modifiedby
  back modifiedonbehalfby:lk_opportunityproduct_modifiedonbehalfby
  back createdonbehalfby:lk_opportunityproduct_createdonbehalfby
QuoteDetail quotedetails organization 1085 quotedetailname money
  bool IsProductOverridden IsPriceOverridden Willcall
  date RequestDeliveryBy
  money Tax BaseAmount ManualDiscountAmount ExtendedAmount VolumeDiscountAmount PricePerUnit
  text ShipTo_StateOrProvince ShipTo_ContactName ShipTo_PostalCode ShipTo_Line2 ShipTo_Country ProductDescription
  text ShipTo_Name ProductName ShipTo_Telephone ShipTo_Fax QuoteDetailName ShipTo_Line1 ShipTo_Line3 ShipTo_City
  guid Parentbundleid Productassociationid ShipTo_AddressId
  int Propertyconfigurationstatus SequenceNumber LineItemNumber
  memo Description
  decimal Quantity
  choice QuoteStateCode 1=Default Value
  lookup Salesrepid systemuser:system_user_quotedetail
  lookup Parentbundleidref quotedetail:quotedetail_parentref_quotedetail:parentbundleidref_quotedetail
  choice PricingErrorCode 0=None|1=Detail Error|2=Missing Price Level|3=Inactive Price Level|4=Missing Quantity|5=Missing Unit Price|6=Missing Product
  lookup ProductId product:product_quote_details
  lookup UomId uom:unit_of_measurement_quote_details
  lookup QuoteId quote:quote_details
  choice ProductTypeCode 1=Sales Inventory|2=Miscellaneous Charges|3=Services|4=Flat Fees
  choice ShipTo_FreightTermsCode 1=Default Value
  choice Skippricecalculation 0=Do Price Calc Always|1=Skip Price Calc On Retrieve
  back owningteam:team_quotedetail createdby:lk_quotedetailbase_createdby
  back createdonbehalfby:lk_quotedetail_createdonbehalfby transactioncurrencyid:transactioncurrency_quotedetail
  back modifiedonbehalfby:lk_quotedetail_modifiedonbehalfby modifiedby:lk_quotedetailbase_modifiedby
SalesOrderDetail salesorderdetails organization 1089 salesorderdetailname money
  text ProductName ShipTo_Country ShipTo_Line2 ShipTo_Line3 ShipTo_Name SalesOrderDetailName
  text ShipTo_StateOrProvince ProductDescription ShipTo_Line1 ShipTo_Telephone ShipTo_Fax ShipTo_ContactName
  text ShipTo_PostalCode ShipTo_City
  memo Description
  bool IsPriceOverridden SalesOrderIsPriceLocked IsProductOverridden Iscopied Willcall
  decimal Quantityshipped Quantity Quantitycancelled Quantitybackordered
  money ExtendedAmount PricePerUnit Tax BaseAmount VolumeDiscountAmount ManualDiscountAmount
  guid ShipTo_AddressId Productassociationid Parentbundleid
  date RequestDeliveryBy
  int LineItemNumber SequenceNumber Propertyconfigurationstatus
  choice ShipTo_FreightTermsCode 1=Default Value
  choice Skippricecalculation 0=Do Price Calc Always|1=Skip Price Calc On Retrieve
  choice PricingErrorCode 0=None|1=Detail Error|2=Missing Price Level|3=Inactive Price Level|4=Missing Quantity|5=Missing Unit Price|6=Missing Product
  choice SalesOrderStateCode 1=Default Value
  lookup Parentbundleidref salesorderdetail:salesorderdetail_parentref_salesorderdetail:parentbundleidref_salesorderdetail
  lookup SalesOrderId salesorder:order_details
  lookup Salesrepid systemuser:system_user_salesorderdetail
  lookup QuoteDetailId quotedetail:msdyn_quotedetail_salesorderdetail:QuoteDetailId
  lookup ProductId product:product_order_details
  choice ProductTypeCode 1=Sales Inventory|2=Miscellaneous Charges|3=Services|4=Flat Fees
  lookup UomId uom:unit_of_measurement_order_details
  back owningteam:team_salesorderdetail createdonbehalfby:lk_salesorderdetail_createdonbehalfby
  back createdby:lk_salesorderdetailbase_createdby modifiedonbehalfby:lk_salesorderdetail_modifiedonbehalfby
  back transactioncurrencyid:transactioncurrency_salesorderdetail modifiedby:lk_salesorderdetailbase_modifiedby
InvoiceDetail invoicedetails organization 1091 invoicedetailname money
  text ShipTo_Name ShipTo_Country InvoiceDetailName ShipTo_Line1 ShipTo_Telephone ProductDescription ShipTo_Line3
  text ShipTo_Fax ShipTo_City ShipTo_Line2 ProductName ShipTo_StateOrProvince ShippingTrackingNumber
  text ShipTo_PostalCode
  guid Productassociationid Parentbundleid
  bool IsProductOverridden Willcall IsPriceOverridden Iscopied InvoiceIsPriceLocked
  money Tax ExtendedAmount VolumeDiscountAmount BaseAmount PricePerUnit ManualDiscountAmount
  decimal Quantityshipped Quantitybackordered Quantity Quantitycancelled
  int LineItemNumber Propertyconfigurationstatus SequenceNumber
  date ActualDeliveryOn
  memo Description
  choice Skippricecalculation 0=Do Price Calc Always|1=Skip Price Calc On Retrieve
  lookup Parentbundleidref invoicedetail:invoicedetail_parentref_invoicedetail:parentbundleidref_invoicedetail
  lookup InvoiceId invoice:invoice_details
  lookup SalesOrderDetailId salesorderdetail:msdyn_salesorderdetail_invoicedetail:SalesOrderDetailId
  choice ShipTo_FreightTermsCode 1=Default Value
  lookup UomId uom:unit_of_measurement_invoice_details
  lookup ProductId product:product_invoice_details
  choice ProductTypeCode 1=Sales Inventory|2=Miscellaneous Charges|3=Services|4=Flat Fees
  lookup Salesrepid systemuser:system_user_invoicedetail
  choice PricingErrorCode 0=None|1=Detail Error|2=Missing Price Level|3=Inactive Price Level|4=Missing Quantity|5=Missing Unit Price|6=Missing Product
  choice InvoiceStateCode 1=Default Value
  back owningteam:team_invoicedetail modifiedby:lk_invoicedetailbase_modifiedby
  back createdonbehalfby:lk_invoicedetail_createdonbehalfby
  back modifiedonbehalfby:lk_invoicedetail_modifiedonbehalfby
  back transactioncurrencyid:transactioncurrency_invoicedetail createdby:lk_invoicedetailbase_createdby
"""
