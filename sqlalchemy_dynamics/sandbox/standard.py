"""The columns every table has without asking: what the service adds to a new table, a money, image or file column."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox.schema import Choice, Column, OneToMany, Option, Organisation, Table

__all__ = [
    "CASCADES",
    "add_currency",
    "add_image_parts",
    "add_lookup",
    "add_owner",
    "add_primary_key",
    "add_state",
    "add_system",
]

CASCADES = {
    "Assign": "NoCascade", "Delete": "RemoveLink", "Merge": "NoCascade", "Reparent": "NoCascade", "Share": "NoCascade",
    "Unshare": "NoCascade",
}
NO_CASCADES = {**CASCADES, "Delete": "NoCascade"}
USER_COLUMNS = {
    "createdby": "CreatedBy", "modifiedby": "ModifiedBy", "createdonbehalfby": "CreatedOnBehalfBy",
    "modifiedonbehalfby": "ModifiedOnBehalfBy",
}


def add_primary_key(table: Table, schema_name: str) -> None:
    """Add the primary key column."""
    table.add(Column(
        table.primary_id, "Uniqueidentifier", schema_name, label=table.label, required="SystemRequired", updatable=False
    ))


def add_lookup(
    organisation: Organisation, table: Table, column: Column, targets: list[tuple[str, str, str]],
    constraint: bool = True,
) -> None:
    """Add a lookup column and one relationship per target (table, collection navigation, single navigation)."""
    column.targets = tuple(dict.fromkeys([*column.targets, *(target for target, _, _ in targets)]))
    table.add(column)
    for target, back, forward in targets:
        organisation.relate(OneToMany(
            back, target, _key_of(organisation, target), table.name, column.name, forward, back,
            dict(CASCADES if column.updatable else NO_CASCADES), column.custom, constraint=constraint,
        ))


def _key_of(organisation: Organisation, target: str) -> str:
    known = organisation.tables.get(target)
    return known.primary_id if known else f"{target}id"


def add_system(organisation: Organisation, table: Table, back: dict[str, str]) -> None:
    """Add created/modified, version, import and time-zone columns; `back` names the users' navigation properties."""
    for name, schema_name in (("createdon", "CreatedOn"), ("modifiedon", "ModifiedOn")):
        table.add(Column(name, "DateTime", schema_name, label=words(schema_name), format="DateAndTime",
                         creatable=False, updatable=False))
    for name, schema_name in USER_COLUMNS.items():
        nav = back.get(name, f"lk_{table.name}_{name}")
        column = Column(name, "Lookup", schema_name, label=words(schema_name), creatable=False, updatable=False)
        add_lookup(organisation, table, column, [("systemuser", nav, name)])
    table.add(Column("versionnumber", "BigInt", "VersionNumber", label="Version Number", creatable=False,
                     updatable=False, minimum=-(2.0**63), maximum=2.0**63))
    table.add(Column("importsequencenumber", "Integer", "ImportSequenceNumber", label="Import Sequence Number",
                     updatable=False))
    table.add(Column("overriddencreatedon", "DateTime", "OverriddenCreatedOn", label="Record Created On",
                     format="DateOnly", updatable=False))
    table.add(Column("timezoneruleversionnumber", "Integer", "TimeZoneRuleVersionNumber",
                     label="Time Zone Rule Version Number", minimum=-1))
    table.add(Column("utcconversiontimezonecode", "Integer", "UTCConversionTimeZoneCode",
                     label="UTC Conversion Time Zone Code", minimum=-1))


def add_owner(organisation: Organisation, table: Table, back: dict[str, str]) -> None:
    """Add owner columns of a user-owned table."""
    owner = Column("ownerid", "Owner", "OwnerId", label="Owner", required="SystemRequired")
    add_lookup(organisation, table, owner, [("principal", back.get("ownerid", f"owner_{table.name}"), "ownerid")])
    owner.targets = ("systemuser", "team")
    for name, schema_name, target, nav in (
        ("owninguser", "OwningUser", "systemuser", f"user_{table.name}"),
        ("owningteam", "OwningTeam", "team", f"team_{table.name}"),
        ("owningbusinessunit", "OwningBusinessUnit", "businessunit", f"business_unit_{table.name}"),
    ):
        column = Column(name, "Lookup", schema_name, label=words(schema_name), creatable=False, updatable=False)
        add_lookup(organisation, table, column, [(target, back.get(name, nav), name)])


def add_state(table: Table, states: list[tuple[Option, list[Option]]]) -> None:
    """Add statecode and statuscode: each state with its status reasons, the first of which is its default."""
    state = Choice(f"{table.name}_statecode", "State", [option for option, _ in states], label="Status")
    status = Choice(f"{table.name}_statuscode", "Status", [], label="Status Reason")
    for option, reasons in states:
        option.default_status = reasons[0].value
        for reason in reasons:
            reason.state = option.value
            status.options.append(reason)
    table.add(Column("statecode", "State", "statecode" if table.custom else "StateCode", label="Status", choice=state,
                     required="SystemRequired", default=states[0][0].value))
    table.add(Column("statuscode", "Status", "statuscode" if table.custom else "StatusCode", label="Status Reason",
                     choice=status, default=states[0][1][0].value))


def add_currency(organisation: Organisation, table: Table, back: dict[str, str]) -> None:
    """Add transactioncurrencyid and exchangerate, which come with the first money column."""
    if "transactioncurrencyid" in table.columns:
        return
    nav = back.get("transactioncurrencyid", f"TransactionCurrency_{table.name}")
    column = Column("transactioncurrencyid", "Lookup", "TransactionCurrencyId", label="Currency")
    add_lookup(organisation, table, column, [("transactioncurrency", nav, "transactioncurrencyid")])
    table.add(Column("exchangerate", "Decimal", "ExchangeRate", label="Exchange Rate", precision=10, creatable=False,
                     updatable=False, minimum=1e-10, maximum=1e11))


def add_base_amount(table: Table, money: Column) -> None:
    """Add the read-only amount in the base currency of a money column."""
    table.add(Column(f"{money.name}_base", "Money", f"{money.schema_name}_Base", label=f"{money.label} (Base)",
                     precision=money.precision, minimum=money.minimum, maximum=money.maximum, creatable=False,
                     updatable=False, custom=money.custom))


def add_image_parts(table: Table, image: Column) -> None:
    """Add the read-only url, timestamp and id of an image column."""
    for suffix, kind in (("_url", "String"), ("_timestamp", "BigInt"), ("id", "Uniqueidentifier")):
        table.add(Column(f"{image.name}{suffix}", kind, f"{image.schema_name}{suffix}", label=f"{image.label} {suffix}",
                         max_length=200, creatable=False, updatable=False, custom=image.custom))


def words(schema_name: str) -> str:
    """Return a label for a schema name: ``PrimaryContactId`` gives ``Primary Contact``."""
    name = schema_name.removeprefix("new_")
    parts: list[str] = []
    for mark, before in zip(name, " " + name, strict=False):
        if mark == "_" or (mark.isupper() and not before.isupper() and before != " "):
            parts.append(" ")
        if mark != "_":
            parts.append(mark)
    text = " ".join("".join(parts).split())
    return text.removesuffix(" Id") if text != "Id" else text
