"""Tables that actions write to, in the notation that `demo` reads: what closed a row, and shares. None is seeded."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox.schema import Column, Organisation, Table
from sqlalchemy_dynamics.sandbox.standard import add_primary_key

__all__ = ["TABLES", "add_shares"]

TABLES = """
OpportunityClose opportunitycloses organization 4208 subject <activitypointer empty
  text SubCategory Category
  money ActualRevenue
  lookup OpportunityId opportunity:Opportunity_OpportunityClose
  lookup CompetitorId competitor:competitor_opportunity_activities
  states 0=Open:1=Open|1=Completed:2=Completed|2=Canceled:3=Canceled
  navs createdby:lk_opportunityclose_createdby modifiedby:lk_opportunityclose_modifiedby
  navs createdonbehalfby:lk_opportunityclose_createdonbehalfby owninguser:user_opportunityclose
  navs modifiedonbehalfby:lk_opportunityclose_modifiedonbehalfby owningteam:team_opportunityclose
  navs owningbusinessunit:business_unit_opportunity_close_activities
  navs transactioncurrencyid:transactioncurrency_opportunityclose
IncidentResolution incidentresolutions organization 4206 subject <activitypointer empty
  text SubCategory Category
  int TimeSpent
  lookup IncidentId incident:Incident_IncidentResolutions
  states 0=Open:1=Open|1=Completed:2=Closed|2=Canceled:3=Canceled
  navs createdby:lk_incidentresolution_createdby modifiedby:lk_incidentresolution_modifiedby
  navs createdonbehalfby:lk_incidentresolution_createdonbehalfby owninguser:user_incidentresolution
  navs modifiedonbehalfby:lk_incidentresolution_modifiedonbehalfby owningteam:team_incidentresolution
  navs owningbusinessunit:business_unit_incident_resolution_activities
QuoteClose quotecloses organization 4211 subject <activitypointer empty
  text SubCategory Category QuoteNumber
  int Revision
  lookup QuoteId quote:Quote_QuoteClose
  states 0=Open:1=Open|1=Completed:2=Completed|2=Canceled:3=Canceled
  navs createdby:lk_quoteclose_createdby modifiedby:lk_quoteclose_modifiedby
  navs createdonbehalfby:lk_quoteclose_createdonbehalfby owninguser:user_quoteclose
  navs modifiedonbehalfby:lk_quoteclose_modifiedonbehalfby owningteam:team_quoteclose
  navs owningbusinessunit:business_unit_quote_close_activities
"""
_SHARE_COLUMNS = {
    "objectid": "Uniqueidentifier",
    "objecttypecode": "EntityName",
    "principalid": "Uniqueidentifier",
    "principaltypecode": "EntityName",
    "accessrightsmask": "Integer",
    "inheritedaccessrightsmask": "Integer",
    "changedon": "DateTime",
    "versionnumber": "BigInt",
}


def add_shares(organisation: Organisation) -> None:
    """Add the table of shares: read-only, written by actions."""
    name = "principalobjectaccess"
    table = Table(
        name,
        f"{name}set",
        f"{name}id",
        schema_name="PrincipalObjectAccess",
        label="Principal Object Access",
        plural="Principal Object Accesses",
        object_type_code=11,
        ownership="None",
        change_tracking=False,
        optimistic=False,
        seeded=False,
    )
    add_primary_key(table, "PrincipalObjectAccessId")
    for column, kind in _SHARE_COLUMNS.items():
        table.add(Column(column, kind, label=column, creatable=False, updatable=False))
    organisation.add(table)
