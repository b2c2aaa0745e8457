"""Definition sets: addresses, casts, selections, filters, expansions."""

from __future__ import annotations

import pytest

from tests.sandbox_definitions.api import CRM, ROOT, Api

ACCOUNT = "EntityDefinitions(LogicalName='account')"
SAMPLE = "EntityDefinitions(LogicalName='new_sample')"


def test_a_table_is_found_by_name_and_by_id(still: Api) -> None:
    by_name = still.get(f"{ACCOUNT}?$select=LogicalName,EntitySetName,PrimaryIdAttribute,ObjectTypeCode,TableType")
    assert by_name["@odata.context"] == (
        f"{ROOT}$metadata#EntityDefinitions(LogicalName,EntitySetName,PrimaryIdAttribute,ObjectTypeCode,TableType)/$entity"
    )
    assert (by_name["EntitySetName"], by_name["ObjectTypeCode"], by_name["TableType"]) == ("accounts", 1, "Standard")
    by_id = still.get(f"EntityDefinitions({by_name['MetadataId']})")
    assert by_id["PrimaryNameAttribute"] == "name"
    assert by_id["DisplayName"]["UserLocalizedLabel"]["Label"] == "Account"
    assert by_id["CanCreateAttributes"]["ManagedPropertyLogicalName"] == "cancreateattributes"


def test_a_collection_has_no_pages_and_always_the_id(still: Api) -> None:
    found = still.get("EntityDefinitions?$select=LogicalName&$count=true", prefer="odata.maxpagesize=2")
    assert found["@odata.count"] == len(found["value"]) > 40
    assert all(item.keys() == {"LogicalName", "MetadataId"} for item in found["value"])
    assert "@odata.nextLink" not in found
    assert still("GET", "EntityDefinitions/$count").text == f"\ufeff{len(found['value'])}"


def test_uncast_columns_name_their_type(still: Api) -> None:
    found = {item["LogicalName"]: item for item in still.values(f"{ACCOUNT}/Attributes")}
    assert found["name"]["@odata.type"] == f"#{CRM}StringAttributeMetadata"
    assert found["name"]["MaxLength"] == 160
    assert found["primarycontactid"]["Targets"] == ["contact"]
    assert found["ownerid"]["AttributeTypeName"] == {"Value": "OwnerType"}
    assert "@odata.type" not in found["statecodename"]


def test_virtual_companions_say_whose_they_are(still: Api) -> None:
    url = f"{ACCOUNT}/Attributes?$select=LogicalName,AttributeOf,IsValidODataAttribute,AttributeTypeName"
    found = {item["LogicalName"]: item for item in still.values(url)}
    of = {
        name: found[name]["AttributeOf"] for name in ("primarycontactidname", "industrycodename", "owneridtype", "name")
    }
    assert of == {
        "primarycontactidname": "primarycontactid",
        "industrycodename": "industrycode",
        "owneridtype": "ownerid",
        "name": None,
    }
    assert found["industrycodename"]["AttributeTypeName"] == {"Value": "VirtualType"}
    assert not found["primarycontactidname"]["IsValidODataAttribute"]
    own = {item["LogicalName"] for item in still.values(f"{url}&$filter=AttributeOf eq null")}
    assert "name" in own and "primarycontactidname" not in own


@pytest.mark.parametrize(
    ("kind", "select", "name", "expected"),
    [
        ("String", "MaxLength,FormatName", "new_code", {"MaxLength": 20, "FormatName": {"Value": "Text"}}),
        ("Memo", "MaxLength", "new_notes", {"MaxLength": 4000}),
        ("Integer", "MinValue,MaxValue", "new_count", {"MinValue": -(2**31), "MaxValue": 2**31 - 1}),
        ("BigInt", "MaxValue", "new_big", {"MaxValue": 2**63 - 1}),
        ("Decimal", "Precision", "new_exact", {"Precision": 10}),
        ("Double", "Precision", "new_score", {"Precision": 5}),
        ("Money", "PrecisionSource,IsBaseCurrency", "new_amount_base", {"PrecisionSource": 2, "IsBaseCurrency": True}),
        (
            "DateTime",
            "DateTimeBehavior,Format",
            "new_day",
            {"DateTimeBehavior": {"Value": "DateOnly"}, "Format": "DateOnly"},
        ),
        ("Lookup", "Targets", "new_itemid", {"Targets": ["account", "contact", "product"]}),
        ("Image", "IsPrimaryImage", "new_picture", {"IsPrimaryImage": False}),
        ("File", "MaxSizeInKB", "new_document", {"MaxSizeInKB": 32768}),
        ("UniqueIdentifier", "IsPrimaryId", "new_sampleid", {"IsPrimaryId": True}),
        (
            "MultiSelectPicklist",
            "AttributeType,AttributeTypeName",
            "new_colors",
            {"AttributeType": "Virtual", "AttributeTypeName": {"Value": "MultiSelectPicklistType"}},
        ),
    ],
)
def test_a_cast_shows_the_members_of_the_type(
    still: Api, kind: str, select: str, name: str, expected: dict[str, object]
) -> None:
    cast = f"{CRM}{kind}AttributeMetadata"
    many = {
        item["LogicalName"]: item for item in still.values(f"{SAMPLE}/Attributes/{cast}?$select=LogicalName,{select}")
    }
    assert {key: many[name][key] for key in expected} == expected
    one = still.get(f"{SAMPLE}/Attributes(LogicalName='{name}')/{cast}?$select={select}")
    assert {key: one[key] for key in expected} == expected
    assert one["@odata.context"].endswith(f"/Attributes/{cast}({select})/$entity")


def test_choices_are_expanded_with_their_options(still: Api) -> None:
    url = (
        f"{SAMPLE}/Attributes/{CRM}PicklistAttributeMetadata?$select=LogicalName"
        "&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)"
    )
    found = {item["LogicalName"]: item for item in still.values(url)}
    assert [o["Value"] for o in found["new_color"]["OptionSet"]["Options"]] == [727000000, 727000001, 727000002]
    assert found["new_color"]["GlobalOptionSet"] is None
    assert found["new_size"]["GlobalOptionSet"]["Options"][1]["Label"]["UserLocalizedLabel"]["Label"] == "Medium"
    assert found["new_color"]["OptionSet@odata.context"].endswith(
        f"/{CRM}PicklistAttributeMetadata/OptionSet(Options)/$entity"
    )
    flag = still.values(
        f"{SAMPLE}/Attributes/{CRM}BooleanAttributeMetadata?$select=LogicalName"
        "&$expand=OptionSet($select=TrueOption,FalseOption)"
    )[0]["OptionSet"]
    assert (flag["TrueOption"]["Value"], flag["FalseOption"]["Label"]["UserLocalizedLabel"]["Label"]) == (1, "No")


def test_states_and_reasons_know_each_other(still: Api) -> None:
    path = "EntityDefinitions(LogicalName='incident')/Attributes"
    states = still.get(f"{path}(LogicalName='statecode')/{CRM}StateAttributeMetadata/OptionSet?$select=Options")[
        "Options"
    ]
    reasons = still.get(f"{path}(LogicalName='statuscode')/{CRM}StatusAttributeMetadata/OptionSet?$select=Options")[
        "Options"
    ]
    assert states[0]["@odata.type"] == f"#{CRM}StateOptionMetadata"
    by_value = {reason["Value"]: reason["State"] for reason in reasons}
    assert all(by_value[state["DefaultStatus"]] == state["Value"] for state in states)


def test_expanding_columns_and_keys_of_a_table(still: Api) -> None:
    found = still.get(
        f"{SAMPLE}?$select=LogicalName&$expand=Attributes($select=LogicalName,AttributeType;"
        "$filter=AttributeType eq 'Money';$count=true),Keys($select=KeyAttributes,EntityKeyIndexStatus)"
    )
    money = ["new_amount", "new_amount_base"]
    assert [item["LogicalName"] for item in found["Attributes"]] == money
    assert found["Attributes@odata.count"] == 2
    assert found["Keys"][0]["KeyAttributes"] == ["new_code"]
    assert found["Keys"][0]["EntityKeyIndexStatus"] == "Active"


def test_relationships_from_both_ends_and_by_themselves(still: Api) -> None:
    ones = {item["SchemaName"]: item for item in still.values(f"{ACCOUNT}/OneToManyRelationships")}
    assert ones["account_parent_account"]["ReferencingAttribute"] == "parentaccountid"
    many = still.values("EntityDefinitions(LogicalName='contact')/ManyToOneRelationships")
    assert "contact_customer_accounts" in {item["SchemaName"] for item in many}
    n_n = still.values("EntityDefinitions(LogicalName='team')/ManyToManyRelationships?$select=IntersectEntityName")
    assert "teammembership" in {item["IntersectEntityName"] for item in n_n}
    named = still.get("RelationshipDefinitions(SchemaName='account_parent_account')")
    assert named["@odata.type"] == f"#{CRM}OneToManyRelationshipMetadata"
    assert named["CascadeConfiguration"]["Assign"] == "NoCascade"
    cast = still.values(
        f"RelationshipDefinitions/{CRM}OneToManyRelationshipMetadata?$select=SchemaName"
        "&$filter=ReferencingEntity eq 'contact'"
    )
    assert "contact_customer_accounts" in {item["SchemaName"] for item in cast}


def test_global_choices_and_managed_properties(still: Api) -> None:
    found = still.get("GlobalOptionSetDefinitions(Name='new_sizes')")
    assert found["IsGlobal"] and found["OptionSetType"] == "Picklist" and len(found["Options"]) == 3
    assert still.get(f"GlobalOptionSetDefinitions({found['MetadataId']})/{CRM}OptionSetMetadata")["Name"] == "new_sizes"
    assert "iscustomizable" in {item["LogicalName"] for item in still.values("ManagedPropertyDefinitions")}


def test_single_properties(still: Api) -> None:
    assert still("GET", f"{ACCOUNT}/ObjectTypeCode/$value").text == "1"
    assert still("GET", f"{ACCOUNT}/IsCustomEntity/$value").text == "false"
    assert still.get(f"{ACCOUNT}/LogicalName")["value"] == "account"
    assert still.get(f"{ACCOUNT}/DisplayName")["value"]["LocalizedLabels"][0]["LanguageCode"] == 1033
    assert still("GET", f"{ACCOUNT}/SettingOf/$value").status == 204


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("LogicalName eq 'account' or LogicalName eq 'contact'", {"account", "contact"}),
        ("LogicalName ne 'account' and ObjectTypeCode gt 0 and ObjectTypeCode lt 3", {"contact"}),
        ("ObjectTypeCode ge 1 and ObjectTypeCode le 2", {"account", "contact"}),
        ("IsCustomEntity eq true", {"new_sample"}),
        ("not (IsCustomEntity eq false)", {"new_sample"}),
        ("IsActivity and OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'None'", set()),
        ("CanCreateAttributes/Value eq false", set()),
        ("PrimaryImageAttribute eq 'entityimage' and SchemaName eq 'Lead'", {"lead"}),
    ],
)
def test_filters(still: Api, condition: str, expected: set[str]) -> None:
    url = f"EntityDefinitions?$select=LogicalName&$filter={condition}"
    assert {item["LogicalName"] for item in still.values(url)} == expected


def test_ids_and_levels_in_filters(still: Api) -> None:
    ident = still.get(f"{ACCOUNT}?$select=LogicalName")["MetadataId"]
    assert (
        still.values(f"EntityDefinitions?$select=LogicalName&$filter=MetadataId eq {ident}")[0]["LogicalName"]
        == "account"
    )
    url = (
        f"{ACCOUNT}/Attributes?$select=LogicalName&$filter=RequiredLevel/Value eq "
        "Microsoft.Dynamics.CRM.AttributeRequiredLevel'SystemRequired' and AttributeOf eq null"
    )
    assert {"accountid", "ownerid"} <= {item["LogicalName"] for item in still.values(url)}
