"""How the seeded values of a column are made: one table by (table, column), one by column name, one by kind."""
# ruff: noqa: E501 - tables of data, many to a line

from __future__ import annotations

import re

from sqlalchemy_dynamics.sandbox import pools
from sqlalchemy_dynamics.sandbox import row_makers as rows
from sqlalchemy_dynamics.sandbox import value_makers as values
from sqlalchemy_dynamics.sandbox.schema import Column, Table
from sqlalchemy_dynamics.sandbox.value_makers import Maker

__all__ = ["maker", "stage"]

BY_COLUMN: dict[tuple[str, str], Maker] = {
    ("account", "name"): values.name, ("account", "primarycontactid"): rows.numbered("contact", 0.15),
    ("account", "accountnumber"): values.number_text("ACC-", 0.1), ("account", "parentaccountid"): rows.parent,
    ("contact", "parentcustomerid"): rows.numbered("account", 0.15), ("contact", "parentcontactid"): rows.parent,
    ("opportunity", "name"): values.topic, ("opportunity", "parentaccountid"): rows.numbered("account", 0.2),
    ("opportunity", "actualvalue"): values.when_state(1, rows.money), ("opportunity", "actualclosedate"): values.when_state(1, values.moment),
    ("opportunity", "closeprobability"): values.percent, ("task", "percentcomplete"): values.percent, ("incident", "title"): values.topic, ("incident", "ticketnumber"): values.number_text("CAS-"),
    ("lead", "companyname"): values.name, ("systemuser", "domainname"): values.email, ("systemuser", "internalemailaddress"): values.email,
    ("systemuser", "ownerid"): rows.key, ("team", "ownerid"): rows.key, ("systemuser", "isdisabled"): values.constant(0),
    ("systemuser", "organizationid"): rows.numbered("organization", 0), ("team", "organizationid"): rows.numbered("organization", 0),
    ("systemuser", "businessunitid"): rows.numbered("businessunit", 0), ("team", "businessunitid"): rows.numbered("businessunit", 0),
    ("quote", "quotenumber"): values.number_text("QUO-"), ("salesorder", "ordernumber"): values.number_text("ORD-"),
    ("invoice", "invoicenumber"): values.number_text("INV-"), ("product", "productnumber"): values.number_text("P-"),
    ("new_sample", "new_code"): values.number_text("C", 0.1), ("new_sample", "new_parentid"): rows.parent,
    ("new_sample", "new_name"): values.name, ("activityparty", "activityid"): rows.numbered("activitypointer", 0),
    ("businessunit", "parentbusinessunitid"): values.constant(None),
}
BY_NAME: dict[str, Maker] = {
    "versionnumber": rows.version, "statecode": rows.state, "statuscode": rows.status, "createdon": rows.created, "modifiedon": rows.modified,
    "createdby": rows.user, "modifiedby": rows.user, "createdonbehalfby": rows.user, "modifiedonbehalfby": rows.user, "ownerid": rows.owner,
    "owninguser": values.constant(None), "owningteam": values.constant(None), "owningbusinessunit": values.constant(None),
    "transactioncurrencyid": rows.currency, "exchangerate": values.constant(10**10), "fullname": values.full_name,
    "firstname": values.pool(pools.FIRST_NAMES), "lastname": lambda batch, column: batch.pick(pools.LAST_NAMES, 0.02),
    "jobtitle": values.pool(pools.TITLES), "address1_city": values.pool(pools.CITIES), "address1_country": values.pool(pools.COUNTRIES),
    "address1_stateorprovince": values.pool(pools.REGIONS), "address1_line1": values.pool(pools.STREETS), "subject": values.topic,
    "name": values.name, "companyname": values.name, "importsequencenumber": values.constant(None), "overriddencreatedon": values.constant(None),
    "timezoneruleversionnumber": values.constant(0), "utcconversiontimezonecode": values.constant(None), "masterid": values.constant(None),
    "traversedpath": values.constant(None),
}
BY_PATTERN: tuple[tuple[re.Pattern[str], Maker], ...] = (
    (re.compile(r"email(address)?\d?$"), values.email),
    (re.compile(r"(telephone|phone|fax|pager)\d?$"), values.phone),
    (re.compile(r"_city$"), values.pool(pools.CITIES)),
)
BY_KIND: dict[str, Maker] = {
    "EntityName": values.entity_name, "String": values.text, "Memo": values.text, "Integer": values.whole, "BigInt": values.big, "Decimal": values.decimal, "Money": rows.money,
    "Double": values.double, "Boolean": values.boolean, "DateTime": values.moment, "Picklist": values.choice, "State": rows.state, "Status": rows.status,
    "MultiSelectPicklist": values.choices, "Lookup": rows.lookup, "Customer": rows.lookup, "Owner": rows.owner, "Uniqueidentifier": values.guid,
}
_FIRST = {"createdon": 1, "statecode": 1, "statuscode": 2, "modifiedon": 2, "firstname": 1, "lastname": 1,
          "transactioncurrencyid": 1, "exchangerate": 2, "ownerid": 1}


def stage(table: Table, column: Column) -> int:
    """Return when a column is made: those that others follow come first."""
    return 0 if column.name == table.primary_id else _FIRST.get(column.name, 4 if column.name.endswith("_base") else 3)


def _is_part(table: Table, column: Column) -> bool:
    """Whether the column belongs to an image or a file column, whose contents are not seeded."""
    parts = {"Image": ("_url", "_timestamp", "id"), "File": ("_name",)}
    return any(column.name == f"{other.name}{suffix}" for other in table.columns.values() if other.kind in parts
               for suffix in parts[other.kind])


def maker(table: Table, column: Column) -> Maker | None:
    """Return how the values of a column are made; None leaves it null."""
    if column.name == table.primary_id:
        return rows.key
    if (table.name, column.name) in BY_COLUMN:
        return BY_COLUMN[table.name, column.name]
    if column.name == table.primary_name and table.name not in ("contact", "lead", "systemuser"):
        return BY_NAME.get(column.name, values.name)
    if table.intersect and column.kind == "Uniqueidentifier":
        return rows.side
    if column.name in BY_NAME:
        return BY_NAME[column.name]
    if _is_part(table, column):
        return None
    if column.kind == "String":
        found = next((make for pattern, make in BY_PATTERN if pattern.search(column.name)), None)
        if found:
            return found
    return BY_KIND.get(column.kind)
