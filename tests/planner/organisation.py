"""A small organisation for planner tests: two tables, a custom one with every kind of column."""

from __future__ import annotations

from sqlalchemy_dynamics import edm
from sqlalchemy_dynamics.metadata.model import Column, Companion, Kind, Model, Navigation, Table


def _column(name: str, sql: edm.SqlType, edm_type: str, **more: object) -> Column:
    return Column(name, str(more.pop("wire", name)), sql, edm=edm_type, **more)  # type: ignore[arg-type]


def _key(name: str) -> Column:
    return _column(name, edm.UUID, "Edm.Guid", kind=Kind.KEY, nullable=False)


def text(name: str) -> Column:
    return _column(name, edm.VARCHAR, "Edm.String")


def integer(name: str) -> Column:
    return _column(name, edm.INTEGER, "Edm.Int32")


def lookup(name: str, **navigations: str) -> Column:
    return _column(name, edm.UUID, "Edm.Guid", wire=f"_{name}_value", kind=Kind.LOOKUP, navigations=navigations)


def named(base: Column, companion: Companion = Companion.NAME) -> Column:
    name = f"{base.name}{companion.value}"
    return Column(name, base.wire, edm.VARCHAR, companion=companion, base=base.name, creatable=False, updatable=False)


def table(
    name: str,
    entity_set: str,
    *columns: Column,
    navigations: tuple[Navigation, ...] = (),
    primary_name: str = "name",
) -> Table:
    return Table(
        name,
        entity_set,
        columns[0].name,
        {column.name: column for column in columns},
        primary_name,
        {navigation.name: navigation for navigation in navigations},
        enriched=True,
    )


_parent = lookup("parentaccountid", account="parentaccountid")
_industry = _column("industrycode", edm.INTEGER, "Edm.Int32", kind=Kind.CHOICE, options={1: "Retail", 2: "Farming"})
_currency = lookup("transactioncurrencyid", transactioncurrency="transactioncurrencyid")
ACCOUNT = table(
    "account",
    "accounts",
    _key("accountid"),
    text("name"),
    text("city"),
    _column("revenue", edm.MONEY, "Edm.Decimal", kind=Kind.MONEY),
    _column("revenue_base", edm.MONEY, "Edm.Decimal"),
    integer("n"),
    _column("flag", edm.BOOLEAN, "Edm.Boolean"),
    _column("createdon", edm.TIMESTAMPTZ, "Edm.DateTimeOffset"),
    _column("birthdate", edm.DATE, "Edm.Date"),
    _industry,
    named(_industry),
    _parent,
    named(_parent),
    _currency,
    navigations=(
        Navigation("contact_customer_accounts", "contact", True, "parentcustomerid", "parentcustomerid_account"),
        Navigation("opportunity_parent_account", "opportunity", True, "parentaccountid", "parentaccountid"),
        Navigation("parentaccountid", "account", False, "parentaccountid"),
    ),
)
_customer = lookup("parentcustomerid", account="parentcustomerid_account", contact="parentcustomerid_contact")
CONTACT = table(
    "contact",
    "contacts",
    _key("contactid"),
    text("fullname"),
    text("city"),
    integer("age"),
    integer("n"),
    _customer,
    named(_customer),
    named(_customer, Companion.TYPE),
    _column("createdon", edm.TIMESTAMPTZ, "Edm.DateTimeOffset"),
    primary_name="fullname",
)
OPPORTUNITY = table(
    "opportunity",
    "opportunities",
    _key("opportunityid"),
    text("name"),
    lookup("parentaccountid", account="parentaccountid"),
    _column("estimatedvalue", edm.MONEY, "Edm.Decimal", kind=Kind.MONEY),
    _column("statecode", edm.INTEGER, "Edm.Int32", kind=Kind.CHOICE, options={0: "Open", 1: "Won"}),
    _currency,
)
_kind = _column(
    "casetypecode",
    edm.INTEGER,
    "Edm.Int32",
    kind=Kind.CHOICE,
    options={1: "Question", 2: "Problem", 3: "Requête", 4: "question "},
)
_tags = _column("tags", edm.VARCHAR, "Edm.String", kind=Kind.MULTICHOICE, options={1: "Red", 2: "Green", 3: "Blue"})
_client = lookup("customerid", account="customerid_account", contact="customerid_contact")
_primary = lookup("primarycontactid", contact="primarycontactid")
_owner = lookup("ownerid", principal="ownerid", systemuser="ownerid", team="ownerid")
_regarding = lookup("regardingid", **{name: f"regardingid_{name}" for name in ("account", "contact", "a", "b", "c")})
INCIDENT = table(
    "incident",
    "incidents",
    _key("incidentid"),
    text("title"),
    _kind,
    named(_kind),
    _tags,
    named(_tags),
    _client,
    named(_client),
    named(_client, Companion.TYPE),
    _primary,
    named(_primary),
    _owner,
    named(_owner),
    named(_owner, Companion.TYPE),
    lookup("owninguser", systemuser="owninguser"),
    lookup("owningteam", team="owningteam"),
    _regarding,
    named(_regarding),
    _column("createdon", edm.TIMESTAMPTZ, "Edm.DateTimeOffset"),
    _column("due", edm.DATE, "Edm.Date"),
    _column("visitat", edm.TIMESTAMP, "Edm.DateTimeOffset"),
    lookup("parentcaseid", incident="parentcaseid"),
    primary_name="title",
)
USER = table("systemuser", "systemusers", _key("systemuserid"), text("fullname"), primary_name="fullname")
TEAM = table("team", "teams", _key("teamid"), text("name"))
TABLES = {each.name: each for each in (ACCOUNT, CONTACT, OPPORTUNITY, INCIDENT, USER, TEAM)}
MODEL = Model(TABLES, {each.entity_set: each.name for each in TABLES.values()})
