"""Choices: local and global ones, and the actions on single options."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox_definitions.api import CRM, Api, choice, column, label

THING = "EntityDefinitions(LogicalName='new_thing')"
GLOBAL = "GlobalOptionSetDefinitions"
LOCAL = {"EntityLogicalName": "new_thing", "AttributeLogicalName": "new_color"}


@pytest.fixture
def thing(org: Api) -> Api:
    org.create_table("new_Thing", column("Picklist", "new_Color", OptionSet=choice((None, "Red"), (None, "Green"))))
    return org


def options(org: Api, name: str = "new_color", kind: str = "Picklist") -> dict[int, str]:
    url = f"{THING}/Attributes(LogicalName='{name}')/{CRM}{kind}AttributeMetadata/OptionSet?$select=Options"
    return {item["Value"]: item["Label"]["UserLocalizedLabel"]["Label"] for item in org.get(url)["Options"]}


def test_values_come_from_the_publishers_option_prefix(thing: Api) -> None:
    assert options(thing) == {100000000: "Red", 100000001: "Green"}
    body = column("Picklist", "contoso_Size", OptionSet=choice((None, "Small"), (5, "Odd"), (None, "Large")))
    thing.done("POST", f"{THING}/Attributes", body, **{"mscrm__solutionuniquename": "ContosoCore"})
    assert options(thing, "contoso_size") == {727000000: "Small", 5: "Odd", 727000001: "Large"}


def test_insert_update_order_delete(thing: Api) -> None:
    made = thing.done("POST", "InsertOptionValue", {**LOCAL, "Label": label("Blue", german="Blau")})
    assert made.json == {"@odata.context": made.json["@odata.context"], "NewOptionValue": 100000002}
    thing.done("POST", "InsertOptionValue", {**LOCAL, "Value": 7, "Label": label("Grey")})
    assert options(thing) == {100000000: "Red", 100000001: "Green", 100000002: "Blue", 7: "Grey"}
    thing.done("POST", "new_things", {"new_name": "a", "new_color": 7})
    change = {**LOCAL, "Value": 100000002, "Label": label("Azure"), "MergeLabels": True}
    thing.done("POST", "UpdateOptionValue", change)
    column_url = f"{THING}/Attributes(LogicalName='new_color')/{CRM}PicklistAttributeMetadata?$expand=OptionSet"
    labels = thing.get(column_url)["OptionSet"]["Options"][2]["Label"]["LocalizedLabels"]
    assert {item["LanguageCode"]: item["Label"] for item in labels} == {1033: "Azure", 1031: "Blau"}
    thing.done("POST", "UpdateOptionValue", {**change, "MergeLabels": False})
    labels = thing.get(column_url)["OptionSet"]["Options"][2]["Label"]["LocalizedLabels"]
    assert [item["LanguageCode"] for item in labels] == [1033]
    order = [7, 100000002, 100000001, 100000000]
    thing.done("POST", "OrderOption", {**LOCAL, "Values": order})
    assert list(options(thing)) == order
    thing.done("POST", "DeleteOptionValue", {**LOCAL, "Value": 7})
    assert 7 not in options(thing)
    assert thing.values("new_things?$select=new_color")[0]["new_color"] == 7, "rows keep the number"
    assert thing("POST", "new_things", {"new_name": "a", "new_color": 7}).status == 400


def test_status_reasons(thing: Api) -> None:
    local = {"EntityLogicalName": "new_thing", "AttributeLogicalName": "statuscode"}
    made = thing.done("POST", "InsertStatusValue", {**local, "Label": label("On hold"), "StateCode": 0}).json
    reasons = options(thing, "statuscode", "Status")
    assert reasons[made["NewOptionValue"]] == "On hold"
    thing.done("POST", "new_things", {"new_name": "a", "statuscode": made["NewOptionValue"]})
    assert thing("POST", "InsertStatusValue", {**local, "Label": label("x"), "StateCode": 9}).refusal == (
        400,
        "0x80040203",
    )
    assert thing("POST", "InsertOptionValue", {**local, "Label": label("x")}).refusal == (400, "0x80040203")
    assert thing("POST", "DeleteOptionValue", {**local, "Value": 2}).refusal == (400, "0x80040203"), (
        "the last of its state"
    )
    state = {"EntityLogicalName": "new_thing", "AttributeLogicalName": "statecode", "Value": 1, "MergeLabels": True}
    thing.done("POST", "UpdateStateValue", {**state, "Label": label("Closed")})
    assert options(thing, "statecode", "State") == {0: "Active", 1: "Closed"}


@pytest.mark.parametrize(
    ("action", "body", "refusal"),
    [
        ("InsertOptionValue", {**LOCAL, "Value": 100000000, "Label": label("x")}, (400, "0x80040203")),
        ("InsertOptionValue", {"Label": label("x")}, (400, "0x80040203")),
        ("InsertOptionValue", {"OptionSetName": "nothing", "Label": label("x")}, (404, "0x80040217")),
        ("UpdateOptionValue", {**LOCAL, "Value": 100000000, "Label": label("x")}, (400, "0x80040203")),
        ("UpdateOptionValue", {**LOCAL, "Value": 1, "Label": label("x"), "MergeLabels": True}, (400, "0x80040203")),
        ("DeleteOptionValue", {**LOCAL, "Value": 1}, (400, "0x80040203")),
        ("OrderOption", {**LOCAL, "Values": [100000000]}, (400, "0x80040203")),
    ],
)
def test_refused_actions(thing: Api, action: str, body: dict[str, Any], refusal: tuple[int, str]) -> None:
    assert thing("POST", action, body).refusal == refusal
    assert thing("GET", action).status == 404


def test_a_global_choice_is_shared(thing: Api) -> None:
    shared = {**choice((1, "Low"), (2, "High")), "Name": "new_levels", "IsGlobal": True, "DisplayName": label("Levels")}
    thing.done("POST", GLOBAL, shared)
    ident = thing.get(f"{GLOBAL}(Name='new_levels')")["MetadataId"]
    for name, bound in (("new_First", f"/{GLOBAL}({ident})"), ("new_Second", f"/{GLOBAL}(Name='new_levels')")):
        thing.add_column("new_thing", {**column("Picklist", name), "GlobalOptionSet@odata.bind": bound})
    thing.done("POST", "InsertOptionValue", {"OptionSetName": "new_levels", "Value": 3, "Label": label("Top")})
    assert options(thing, "new_first") == options(thing, "new_second") == {1: "Low", 2: "High", 3: "Top"}
    thing.done("POST", "new_things", {"new_name": "a", "new_second": 3})
    found = thing("DELETE", f"{GLOBAL}({ident})")
    assert found.refusal == (400, "0x8004f01f") and "referenced by 2 other components" in found.message
    thing.done(
        "PUT",
        f"{GLOBAL}({ident})",
        {"@odata.type": f"{CRM}OptionSetMetadata", "Name": "new_levels", "DisplayName": label("Ranks")},
    )
    found = thing.get(f"{GLOBAL}({ident})")
    assert found["DisplayName"]["UserLocalizedLabel"]["Label"] == "Ranks" and len(found["Options"]) == 3
    for name in ("new_first", "new_second"):
        thing.done("DELETE", f"{THING}/Attributes(LogicalName='{name}')")
    thing.done("DELETE", f"{GLOBAL}({ident})")
    assert thing("GET", f"{GLOBAL}(Name='new_levels')").status == 404


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({**choice((1, "x")), "Name": "New_Sizes", "IsGlobal": True}, (400, "0x80044345")),
        ({**choice((1, "x")), "Name": "sizes", "IsGlobal": True}, (400, "0x80040203")),
        ({**choice((1, "x"), (1, "y")), "Name": "new_other", "IsGlobal": True}, (400, "0x80040203")),
        ({**choice((1, "x")), "Name": "new_other", "Nonsense": 1}, (400, "0x80048d19")),
    ],
)
def test_refused_global_choices(org: Api, body: dict[str, Any], refusal: tuple[int, str]) -> None:
    assert org("POST", GLOBAL, body).refusal == refusal


def test_binding_to_a_choice_that_is_not_there(thing: Api) -> None:
    body = {**column("Picklist", "new_X"), "GlobalOptionSet@odata.bind": f"/{GLOBAL}(Name='nothing')"}
    assert thing("POST", f"{THING}/Attributes", body).refusal == (404, "0x80040217")
