"""The organisation behind the page server as its `$metadata` tells it: five tables that refer to each other."""

from __future__ import annotations

__all__ = ["METADATA"]

# entity set, columns by Edm type, lookups by target
_TABLES: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "account": (
        "accounts",
        {
            "name": "String",
            "accountnumber": "String",
            "revenue": "Decimal",
            "numberofemployees": "Int32",
            "createdon": "DateTimeOffset",
            "statecode": "Int32",
        },
        {"primarycontactid": "contact", "owninguser": "systemuser", "owningbusinessunit": "businessunit"},
    ),
    "contact": (
        "contacts",
        {"fullname": "String", "emailaddress1": "String", "statecode": "Int32"},
        {"accountid": "account", "owninguser": "systemuser"},
    ),
    "opportunity": (
        "opportunities",
        {"name": "String", "estimatedvalue": "Decimal", "statecode": "Int32", "createdon": "DateTimeOffset"},
        {"parentaccountid": "account", "parentcontactid": "contact", "owninguser": "systemuser"},
    ),
    "systemuser": ("systemusers", {"fullname": "String"}, {"businessunitid": "businessunit"}),
    "businessunit": ("businessunits", {"name": "String"}, {"parentbusinessunitid": "businessunit"}),
}


def _entity_type(name: str, columns: dict[str, str], lookups: dict[str, str]) -> str:
    properties = {f"{name}id": "Guid", **columns, **{f"_{lookup}_value": "Guid" for lookup in lookups}}
    return (
        f'<EntityType Name="{name}" BaseType="mscrm.crmbaseentity"><Key><PropertyRef Name="{name}id" /></Key>'
        + "".join(f'<Property Name="{wire}" Type="Edm.{kind}" />' for wire, kind in properties.items())
        + "".join(
            f'<NavigationProperty Name="{lookup}" Type="mscrm.{target}" Nullable="false">'
            f'<ReferentialConstraint Property="_{lookup}_value" ReferencedProperty="{target}id" /></NavigationProperty>'
            for lookup, target in lookups.items()
        )
        + "</EntityType>"
    )


METADATA = (
    '<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    '<edmx:DataServices><Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" '
    'xmlns="http://docs.oasis-open.org/odata/ns/edm"><EntityType Name="crmbaseentity" Abstract="true" />'
    + "".join(_entity_type(name, columns, lookups) for name, (_, columns, lookups) in _TABLES.items())
    + '<EntityContainer Name="System">'
    + "".join(
        f'<EntitySet Name="{entity_set}" EntityType="Microsoft.Dynamics.CRM.{name}" />'
        for name, (entity_set, _, _) in _TABLES.items()
    )
    + "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"
).encode()
