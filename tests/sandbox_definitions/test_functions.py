"""RetrieveMetadataChanges, RetrieveEntity, RetrieveAllEntities, publishing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox_definitions.api import CRM, ROOT, Api, column

THING = "EntityDefinitions(LogicalName='new_thing')"


def condition(name: str, operator: str, kind: str, value: object) -> dict[str, Any]:
    return {"PropertyName": name, "ConditionOperator": operator, "Value": {"Type": kind, "Value": value}}


def changes(org: Api, query: object = None, stamp: str = "", **options: str) -> Any:
    given = {"Query": "@p1", "ClientVersionStamp": "@p3"}
    wanted = [f"{name}={alias}" for name, alias in given.items() if (query if alias == "@p1" else stamp)]
    if "filters" in options:
        wanted.append(
            "DeletedMetadataFilters=Microsoft.Dynamics.CRM.DeletedMetadataFilters'" + options["filters"] + "'"
        )
    text = f"@p1={json.dumps(query)}&@p3='{stamp}'"
    return org.get(f"RetrieveMetadataChanges({','.join(wanted)})?{text}", consistency="Strong")


def test_one_table_with_picked_members_of_its_columns(still: Api) -> None:
    query = {
        "Properties": {"AllProperties": False, "PropertyNames": ["LogicalName", "EntitySetName", "Attributes"]},
        "Criteria": {
            "FilterOperator": "And",
            "Conditions": [condition("LogicalName", "Equals", "System.String", "account")],
        },
        "AttributeQuery": {"Properties": {"PropertyNames": ["LogicalName", "MaxLength", "OptionSet"]}},
    }
    found = changes(still, query)
    assert found["@odata.context"] == f"{ROOT}$metadata#{CRM}RetrieveMetadataChangesResponse"
    assert found["DeletedMetadata"] == {"Count": 0, "IsReadOnly": False, "Keys": [], "Values": []}
    (account,) = found["EntityMetadata"]
    assert (account["EntitySetName"], account["SchemaName"], account["DisplayName"]) == ("accounts", "Account", None)
    columns = {item["LogicalName"]: item for item in account["Attributes"]}
    assert columns["name"]["@odata.type"] == f"#{CRM}ComplexStringAttributeMetadata"
    assert (columns["name"]["MaxLength"], columns["name"]["FormatName"]) == (160, None)
    assert len(columns["industrycode"]["OptionSet"]["Options"]) == 33
    assert account["Keys"] == [] == account["OneToManyRelationships"]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ([condition("LogicalName", "In", "System.String[]", '["account","lead"]')], {"account", "lead"}),
        ([condition("IsCustomEntity", "Equals", "System.Boolean", "true")], {"new_sample"}),
        (
            [
                condition("ObjectTypeCode", "GreaterThan", "System.Int32", "0"),
                condition("ObjectTypeCode", "LessThan", "System.Int32", "3"),
            ],
            {"account", "contact"},
        ),
        ([condition("LogicalName", "Equals", "System.String", "nothing")], set()),
    ],
)
def test_criteria(still: Api, criteria: list[dict[str, Any]], expected: set[str]) -> None:
    found = changes(still, {"Criteria": {"Conditions": criteria}, "Properties": {"PropertyNames": []}})
    assert {item["LogicalName"] for item in found["EntityMetadata"]} == expected


def test_nested_criteria_and_bad_ones(still: Api) -> None:
    either = {
        "FilterOperator": "Or",
        "Conditions": [condition("LogicalName", "Equals", "System.String", "account")],
        "Filters": [{"Conditions": [condition("LogicalName", "Equals", "System.String", "task")]}],
    }
    found = changes(still, {"Criteria": either, "Properties": {"PropertyNames": []}})
    assert {item["LogicalName"] for item in found["EntityMetadata"]} == {"account", "task"}
    bad = json.dumps({"Criteria": {"Conditions": [condition("Nothing", "Equals", "System.String", "x")]}})
    assert still("GET", f"RetrieveMetadataChanges(Query=@p1)?@p1={bad}").refusal == (400, "0x80040203")
    assert still("GET", "RetrieveMetadataChanges(Query=@p1)?@p1=[").refusal == (400, "0x80048d19")


@pytest.mark.parametrize(("kind", "value"), [("System.String[]", "[x"), ("System.Int32", "many")])
def test_values_that_are_none(still: Api, kind: str, value: str) -> None:
    query = json.dumps({"Criteria": {"Conditions": [condition("LogicalName", "In", kind, value)]}})
    assert still("GET", f"RetrieveMetadataChanges(Query=@p1)?@p1={query}").refusal == (400, "0x80040203")


def test_only_what_changed_since_a_stamp(org: Api) -> None:
    narrow = {"Properties": {"PropertyNames": ["LogicalName"]}}
    stamp = changes(org, narrow)["ServerVersionStamp"]
    assert changes(org, narrow, stamp)["EntityMetadata"] == []
    org.create_table()
    org.add_column("account", column("String", "new_Nick"))
    found = changes(org, narrow, stamp)
    assert {"new_thing", "account"} <= {item["LogicalName"] for item in found["EntityMetadata"]}
    gone = org.get(f"{THING}?$select=LogicalName")["MetadataId"]
    stamp = found["ServerVersionStamp"]
    org.done("DELETE", THING)
    found = changes(org, narrow, stamp)
    assert found["EntityMetadata"] == []
    assert found["DeletedMetadata"]["Keys"] == ["Entity"] and found["DeletedMetadata"]["Values"] == [[gone]]
    org.done("DELETE", "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='new_nick')")
    assert "Attribute" in changes(org, narrow, stamp, filters="All")["DeletedMetadata"]["Keys"]


def test_an_expired_stamp(still: Api) -> None:
    found = still("GET", "RetrieveMetadataChanges(ClientVersionStamp=@p3)?@p3='99999999!x'")
    assert found.refusal == (400, "0x80044352")
    assert found.message.startswith("Version stamp associated with the client has expired.")


def test_retrieve_entity_and_all_entities(still: Api) -> None:
    call = (
        "RetrieveEntity(EntityFilters=Microsoft.Dynamics.CRM.EntityFilters'Entity,Attributes',LogicalName='account',"
        "MetadataId=00000000-0000-0000-0000-000000000000,RetrieveAsIfPublished=true)"
    )
    account = still.get(call)["EntityMetadata"]
    assert account["DisplayName"]["UserLocalizedLabel"]["Label"] == "Account"
    assert {"name", "accountid"} <= {item["LogicalName"] for item in account["Attributes"]}
    assert account["OneToManyRelationships"] == []
    every = still.get(
        "RetrieveAllEntities(EntityFilters=Microsoft.Dynamics.CRM.EntityFilters'Relationships',"
        "RetrieveAsIfPublished=true)"
    )["EntityMetadata"]
    contact = next(item for item in every if item["LogicalName"] == "contact")
    assert contact["Attributes"] == [] and contact["ManyToOneRelationships"]
    assert still("GET", call.replace("'account'", "'nothing'")).refusal == (404, "0x80040217")
    assert still("GET", "RetrieveEntity(LogicalName='nothing')").refusal == (404, "0x8006088a")


def test_publishing(org: Api) -> None:
    xml = "<importexportxml><entities><entity>{}</entity></entities></importexportxml>"
    assert org.done("POST", "PublishAllXml").status == 204
    assert org.done("POST", "PublishXml", {"ParameterXml": xml.format("account")}).status == 204
    assert org("POST", "PublishXml", {"ParameterXml": xml.format("nothing")}).refusal == (404, "0x80040217")
    assert org("POST", "PublishXml", {"ParameterXml": "<importexportxml>"}).refusal == (400, "0x80040203")
