"""Relationships: lookups, polymorphic lookups, many-to-many."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox_definitions.api import CRM, ROOT, Api, column, one_to_many

THING = "EntityDefinitions(LogicalName='new_thing')"
RELATIONSHIPS = "RelationshipDefinitions"
LOOKUP = one_to_many("new_account_thing", "account", "new_thing", "new_AccountId")


def many(name: str, one: str, two: str, **members: object) -> dict[str, Any]:
    return {
        "@odata.type": f"{CRM}ManyToManyRelationshipMetadata",
        "SchemaName": name,
        "Entity1LogicalName": one,
        "Entity2LogicalName": two,
        **members,
    }


@pytest.fixture
def thing(org: Api) -> Api:
    org.create_table()
    return org


def test_a_lookup_is_usable_from_both_ends(thing: Api) -> None:
    cascade = {"Delete": "Restrict", "Assign": "Cascade"}
    made = thing.done("POST", RELATIONSHIPS, {**LOOKUP, "CascadeConfiguration": cascade})
    found = thing.get(f"{RELATIONSHIPS}(SchemaName='new_account_thing')/{CRM}OneToManyRelationshipMetadata")
    assert made.headers["OData-EntityId"] == f"{ROOT}{RELATIONSHIPS}({found['MetadataId']})"
    assert (found["ReferencingAttribute"], found["ReferencingEntityNavigationPropertyName"]) == (
        "new_accountid",
        "new_AccountId",
    )
    assert (
        found["CascadeConfiguration"]["Delete"] == "Restrict" and found["CascadeConfiguration"]["Share"] == "NoCascade"
    )
    account = thing.values("accounts?$top=1")[0]["accountid"]
    thing.done("POST", "new_things", {"new_name": "a", "new_AccountId@odata.bind": f"/accounts({account})"})
    row = thing.values("new_things?$expand=new_AccountId($select=name)&$select=new_name")[0]
    assert row["new_AccountId"]["accountid"] == account
    back = thing.get(f"accounts({account})?$select=name&$expand=new_account_thing($select=new_name)")
    assert back["new_account_thing"][0]["new_name"] == "a"
    assert '<NavigationProperty Name="new_AccountId" Type="mscrm.account"' in thing.csdl()


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (one_to_many("new_account_thing", "account", "new_thing", "new_Other"), (400, "0x8004432b")),
        (one_to_many("account_thing", "account", "new_thing", "new_Other"), (400, "0x80040203")),
        (one_to_many("new_r", "nothing", "new_thing", "new_Other"), (400, "0x80040217")),
        (one_to_many("new_r", "account", "nothing", "new_Other"), (400, "0x80040217")),
        (one_to_many("new_r", "account", "new_thing", "new_Name"), (400, "0x80047013")),
        (one_to_many("new_r", "account", "new_thing", "new_AccountId"), (400, "0x80047013")),
        (one_to_many("new_r", "account", "new_thing", "new_O", ReferencedAttribute="name"), (400, "0x80040203")),
        (
            one_to_many("new_r", "account", "new_thing", "new_O", CascadeConfiguration={"Delete": "Maybe"}),
            (400, "0x80040203"),
        ),
        ({"SchemaName": "new_r"}, (400, "0x80040203")),
        (many("new_account_thing", "account", "new_thing"), (400, "0x8004432b")),
        (many("new_m", "account", "nothing"), (400, "0x80040217")),
        (many("new_m", "account", "new_thing", IntersectEntityName="new_sample"), (400, "0x8004700b")),
    ],
)
def test_refused_relationships(thing: Api, body: dict[str, Any], refusal: tuple[int, str]) -> None:
    thing.done("POST", RELATIONSHIPS, LOOKUP)
    before = len(thing.values(f"{RELATIONSHIPS}?$select=SchemaName"))
    assert thing("POST", RELATIONSHIPS, body).refusal == refusal
    assert len(thing.values(f"{RELATIONSHIPS}?$select=SchemaName")) == before


def test_a_second_target_makes_a_lookup_polymorphic(thing: Api) -> None:
    thing.done("POST", RELATIONSHIPS, LOOKUP)
    account = thing.values("accounts?$top=1")[0]["accountid"]
    contact = thing.values("contacts?$top=1")[0]["contactid"]
    thing.done("POST", "new_things", {"new_name": "old", "new_AccountId@odata.bind": f"/accounts({account})"})
    thing.done("POST", RELATIONSHIPS, one_to_many("new_contact_thing", "contact", "new_thing", "new_AccountId"))
    assert thing.get(f"{THING}/Attributes(LogicalName='new_accountid')")["Targets"] == ["account", "contact"]
    thing.done("POST", "new_things", {"new_name": "new", "new_AccountId_contact@odata.bind": f"/contacts({contact})"})
    rows = thing.values("new_things?$select=new_name,_new_accountid_value", prefer='odata.include-annotations="*"')
    note = "_new_accountid_value@Microsoft.Dynamics.CRM.lookuplogicalname"
    assert {row["new_name"]: row[note] for row in rows} == {"old": "account", "new": "contact"}
    thing.done("DELETE", f"{RELATIONSHIPS}(SchemaName='new_contact_thing')")
    rows = thing.values("new_things?$select=new_name,_new_accountid_value")
    assert {row["new_name"]: row["_new_accountid_value"] for row in rows} == {"old": account, "new": None}
    thing.done("DELETE", f"{RELATIONSHIPS}(SchemaName='new_account_thing')")
    assert "new_accountid" not in thing.names("new_thing"), "the lookup goes with its last relationship"


def test_polymorphic_and_customer_lookups(thing: Api) -> None:
    def body(lookup: str, *targets: str) -> dict[str, Any]:
        ones = [
            {"SchemaName": f"{lookup}_{target}".lower(), "ReferencedEntity": target, "ReferencingEntity": "new_thing"}
            for target in targets
        ]
        return {
            "OneToManyRelationships": ones,
            "Lookup": {**column("Lookup", lookup), "@odata.type": f"{CRM}ComplexLookupAttributeMetadata"},
        }

    made = thing.done("POST", "CreatePolymorphicLookupAttribute", body("new_Item", "account", "product")).json
    found = thing.get(f"{THING}/Attributes({made['AttributeId']})")
    assert found["Targets"] == ["account", "product"] and len(made["RelationshipIds"]) == 2
    assert {"new_Item_account", "new_Item_product"} <= thing.service.organisation.navigations("new_thing").keys()
    made = thing.done("POST", "CreateCustomerRelationships", body("new_Buyer", "account", "contact")).json
    assert made["@odata.context"].endswith("#Microsoft.Dynamics.CRM.CreateCustomerRelationshipsResponse")
    found = thing.get(f"{THING}/Attributes({made['AttributeId']})")
    assert found["AttributeTypeName"] == {"Value": "CustomerType"} and found["AttributeType"] == "Customer"
    refused = thing("POST", "CreateCustomerRelationships", body("new_Else", "account", "product"))
    assert refused.refusal == (400, "0x80040203")


def test_many_to_many(thing: Api) -> None:
    thing.done("POST", RELATIONSHIPS, many("new_thing_account", "new_thing", "account"))
    found = thing.get(f"{RELATIONSHIPS}(SchemaName='new_thing_account')")
    assert (found["IntersectEntityName"], found["Entity1IntersectAttribute"], found["Entity2IntersectAttribute"]) == (
        "new_thing_account",
        "new_thingid",
        "accountid",
    )
    account = thing.values("accounts?$top=1")[0]["accountid"]
    row = thing.done("POST", "new_things", {"new_name": "a"}).headers["OData-EntityId"].rpartition("(")[2][:-1]
    thing.done("POST", f"new_things({row})/new_thing_account/$ref", {"@odata.id": f"{ROOT}accounts({account})"})
    assert thing.values(f"new_things({row})/new_thing_account?$select=name")[0]["accountid"] == account
    assert len(thing.values("new_thing_accountset")) == 1
    thing.done("DELETE", f"{RELATIONSHIPS}({found['MetadataId']})")
    assert thing("GET", "new_thing_accountset").status == 404


def test_many_to_many_with_itself(thing: Api) -> None:
    thing.done("POST", RELATIONSHIPS, many("new_friends", "new_thing", "new_thing"))
    found = thing.get(f"{RELATIONSHIPS}(SchemaName='new_friends')")
    assert (found["Entity1IntersectAttribute"], found["Entity2IntersectAttribute"]) == (
        "new_thingidone",
        "new_thingidtwo",
    )
    assert found["Entity1NavigationPropertyName"] != found["Entity2NavigationPropertyName"]


def test_put_changes_cascades(thing: Api) -> None:
    thing.done("POST", RELATIONSHIPS, LOOKUP)
    url = f"{RELATIONSHIPS}(SchemaName='new_account_thing')"
    body = thing.get(url)
    body["CascadeConfiguration"]["Delete"] = "Cascade"
    thing.done("PUT", url, body)
    assert thing.get(url)["CascadeConfiguration"]["Delete"] == "Cascade"
    assert thing("PUT", url, {**body, "SchemaName": "new_other"}).refusal == (400, "0x80040203")


def test_a_lookup_column_can_be_dropped_with_its_relationship(thing: Api) -> None:
    thing.done("POST", RELATIONSHIPS, LOOKUP)
    thing.done("DELETE", f"{THING}/Attributes(LogicalName='new_accountid')")
    assert thing("GET", f"{RELATIONSHIPS}(SchemaName='new_account_thing')").status == 404
    assert "new_account_thing" not in thing.csdl()


def test_relationships_that_stay(thing: Api) -> None:
    assert thing("DELETE", f"{RELATIONSHIPS}(SchemaName='account_parent_account')").refusal == (403, "0x80048405")
    thing.done("POST", RELATIONSHIPS, LOOKUP)
    thing.done("POST", f"{THING}/Keys", {"SchemaName": "new_Key", "KeyAttributes": ["new_accountid"]})
    assert thing("DELETE", f"{RELATIONSHIPS}(SchemaName='new_account_thing')").refusal == (400, "0x8004f01f")
