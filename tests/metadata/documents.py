"""Small `$metadata` documents for the tests."""

from __future__ import annotations

HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
    '<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
    '<EntityType Name="crmbaseentity" Abstract="true"/>'
)
TAIL = "</Schema></edmx:DataServices></edmx:Edmx>"


def document(types: str, sets: dict[str, str]) -> bytes:
    """Return a document of these `<EntityType>` elements and these entity sets (set name: type name)."""
    container = "".join(
        f'<EntitySet Name="{name}" EntityType="Microsoft.Dynamics.CRM.{kind}"/>' for name, kind in sets.items()
    )
    return f'{HEAD}{types}<EntityContainer Name="System">{container}</EntityContainer>{TAIL}'.encode()


def entity(name: str, key: str, body: str, base: str = "crmbaseentity", abstract: bool = False) -> str:
    """Return an `<EntityType>`; `key` may be empty for a type that inherits it."""
    keyed = f'<Key><PropertyRef Name="{key}"/></Key>' if key else ""
    flag = ' Abstract="true"' if abstract else ""
    return f'<EntityType Name="{name}" BaseType="mscrm.{base}"{flag}>{keyed}{body}</EntityType>'


def prop(name: str, edm: str = "String", inside: str = "") -> str:
    return f'<Property Name="{name}" Type="Edm.{edm}">{inside}</Property>'


def single(name: str, target: str, constraint: str = "", partner: str = "") -> str:
    """Return a single-valued `<NavigationProperty>`, with a ReferentialConstraint when one is named."""
    inside = f'<ReferentialConstraint Property="{constraint}" ReferencedProperty="x"/>' if constraint else ""
    return (
        f'<NavigationProperty Name="{name}" Type="mscrm.{target}" Nullable="false" Partner="{partner}">'
        f"{inside}</NavigationProperty>"
    )


def many(name: str, target: str, partner: str) -> str:
    return f'<NavigationProperty Name="{name}" Type="Collection(mscrm.{target})" Partner="{partner}"/>'


def annotation(term: str, attributes: str = "", inside: str = "") -> str:
    return f'<Annotation Term="Org.OData.Core.V1.{term}" {attributes}>{inside}</Annotation>'


def permission(member: str) -> str:
    return annotation("Permissions", inside=f"<EnumMember>Org.OData.Core.V1.PermissionType/{member}</EnumMember>")


ACCOUNT = entity(
    "account",
    "accountid",
    prop("name")
    + prop("accountid", "Guid")
    + prop("revenue", "Decimal")
    + prop("revenue_base", "Decimal")
    + prop("exchangerate", "Decimal")
    + prop("industrycode", "Int32")
    + prop("statecode", "Int32")
    + prop("creditonhold", "Boolean")
    + prop("new_sectors")
    + prop("new_rating", "Decimal")
    + prop("new_opened", "DateTimeOffset")
    + prop("new_founded", "Date")
    + prop("createdon", "DateTimeOffset")
    + prop("overriddencreatedon", "DateTimeOffset")
    + prop("versionnumber", "Int64")
    + prop("entityimage", "Binary")
    + prop("entityimage_url")
    + prop("entityimage_timestamp", "Int64")
    + prop("entityimageid", "Guid")
    + prop("stageid", "Guid")
    + prop("_primarycontactid_value", "Guid")
    + prop("_ownerid_value", "Guid")
    + prop("_owninguser_value", "Guid")
    + prop("_masterid_value", "Guid")
    + single("primarycontactid", "contact", "_primarycontactid_value", "account_primary_contact")
    + single("ownerid", "principal", "_ownerid_value", "owner_accounts")
    + single("owninguser", "systemuser", "_owninguser_value", "user_accounts")
    + single("stageid_processstage", "contact", "stageid")
    + many("Account_Tasks", "task", "regardingobjectid_account_task")
    + many("accountleads_association", "contact", "accountleads_association"),
)
CONTACT = entity("contact", "contactid", prop("contactid", "Guid") + prop("fullname"))
PRINCIPAL = (
    entity("principal", "ownerid", prop("ownerid", "Guid"), abstract=True)
    + entity("systemuser", "ownerid", prop("systemuserid", "Guid") + prop("fullname"), base="principal")
    + entity("team", "ownerid", prop("teamid", "Guid") + prop("name"), base="principal")
)
ACTIVITIES = entity(
    "activitypointer",
    "activityid",
    prop("activityid", "Guid")
    + prop("subject")
    + prop("_regardingobjectid_value", "Guid")
    + prop("_ownerid_value", "Guid")
    + single("regardingobjectid_account", "account", "_regardingobjectid_value", "Account_ActivityPointers")
    + single("regardingobjectid_contact", "contact", "_regardingobjectid_value")
    + single("ownerid", "principal", "_ownerid_value"),
    abstract=True,
) + entity(
    "task",
    "activityid",
    prop("percentcomplete", "Int32")
    + single("regardingobjectid_account_task", "account", partner="Account_Tasks")
    + single("ownerid_task", "principal"),
    base="activitypointer",
)
INTERSECT = entity(
    "accountleads",
    "accountleadid",
    prop("accountleadid", "Guid")
    + prop("accountid", "Guid", permission("Read"))
    + prop("leadid", "Guid", permission("Read"))
    + prop("versionnumber", "Int64"),
)
SMALL = document(
    ACCOUNT + CONTACT + PRINCIPAL + ACTIVITIES + INTERSECT,
    {
        "accounts": "account",
        "contacts": "contact",
        "systemusers": "systemuser",
        "teams": "team",
        "activitypointers": "activitypointer",
        "tasks": "task",
        "accountleadscollection": "accountleads",
    },
)
