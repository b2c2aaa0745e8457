"""Columns of every creatable type: created, changed and dropped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox_definitions.api import CRM, ROOT, Api, choice, column, label

THING = "EntityDefinitions(LogicalName='new_thing')"
COLUMNS = f"{THING}/Attributes"


def of(name: str) -> str:
    return f"{COLUMNS}(LogicalName='{name}')"


@pytest.fixture
def thing(org: Api) -> Api:
    org.create_table()
    return org


@pytest.mark.parametrize(
    ("body", "edm", "written"),
    [
        (column("String", "new_X", MaxLength=20, FormatName={"Value": "Email"}), "Edm.String", "a@b.example"),
        (column("Memo", "new_X", MaxLength=5000, Format="TextArea"), "Edm.String", "long"),
        (column("Integer", "new_X", MinValue=0, MaxValue=9, Format="None"), "Edm.Int32", 5),
        (column("BigInt", "new_X"), "Edm.Int64", 2**40),
        (
            column("Decimal", "new_X", MinValue=-100000000000.0, MaxValue=100000000000.0, Precision=3),
            "Edm.Decimal",
            1.5,
        ),
        (column("Double", "new_X", Precision=5), "Edm.Double", 0.25),
        (column("Money", "new_X", PrecisionSource=2), "Edm.Decimal", 10.5),
        (column("DateTime", "new_X", Format="DateAndTime"), "Edm.DateTimeOffset", "2024-02-29T10:00:00Z"),
        (
            column("DateTime", "new_X", Format="DateOnly", DateTimeBehavior={"Value": "DateOnly"}),
            "Edm.Date",
            "2024-02-29",
        ),
        (column("Boolean", "new_X", DefaultValue=True), "Edm.Boolean", False),
        (column("Picklist", "new_X", OptionSet=choice((1, "One"))), "Edm.Int32", 1),
        (column("MultiSelectPicklist", "new_X", OptionSet=choice((1, "One"), (2, "Two"))), "Edm.String", "1,2"),
    ],
)
def test_a_new_column_is_described_and_holds_values(
    thing: Api, body: dict[str, Any], edm: str, written: object
) -> None:
    thing.done("POST", "new_things", {"new_name": "old row"})
    made = thing.done("POST", COLUMNS, body)
    found = thing.get(of("new_x"))
    assert made.headers["OData-EntityId"] == f"{ROOT}{COLUMNS}({found['MetadataId']})"
    assert found["@odata.type"] == f"#{body['@odata.type']}"
    assert found["IsCustomAttribute"] and not found["IsManaged"] and found["SchemaName"] == "new_X"
    told = {name: value for name, value in body.items() if name in found and name not in ("@odata.type", "DisplayName")}
    assert {name: found[name] for name in told} == told
    assert f'<Property Name="new_x" Type="{edm}"' in thing.csdl()
    assert thing.values("new_things?$select=new_x")[0]["new_x"] is None
    thing.done("POST", "new_things", {"new_name": "new row", "new_x": written})
    rows = thing.values("new_things?$select=new_x&$filter=new_name eq 'new row'")
    assert rows[0]["new_x"] == written


def test_money_brings_its_company(thing: Api) -> None:
    before = thing.names("new_thing")
    thing.add_column("new_thing", column("Money", "new_Price"))
    company = {"new_price", "new_price_base", "transactioncurrencyid", "transactioncurrencyidname", "exchangerate"}
    assert thing.names("new_thing") - before == company
    before = thing.names("new_thing")
    thing.add_column("new_thing", column("Money", "new_Cost"))
    assert thing.names("new_thing") - before == {"new_cost", "new_cost_base"}


def test_files_and_images_bring_parts(thing: Api) -> None:
    thing.add_column("new_thing", column("File", "new_Doc", MaxSizeInKB=1024))
    thing.add_column("new_thing", column("Image", "new_Pic", CanStoreFullImage=True, IsPrimaryImage=True))
    names = thing.names("new_thing")
    assert {"new_doc", "new_doc_name", "new_pic", "new_pic_url", "new_pic_timestamp", "new_picid"} <= names
    assert thing.get(f"{THING}/PrimaryImageAttribute")["value"] == "new_pic"
    assert thing.get(of("new_pic_url"))["AttributeOf"] == "new_picid"
    assert thing.get(of("new_doc"))["MaxSizeInKB"] == 1024


def test_auto_numbers_and_their_seed(thing: Api) -> None:
    thing.add_column("new_thing", column("String", "new_No", AutoNumberFormat="T-{SEQNUM:5}"))
    seed = {"EntityName": "new_thing", "AttributeName": "new_no", "Value": 2000}
    thing.done("POST", "SetAutoNumberSeed", seed)
    thing.done("POST", "new_things", {"new_name": "x"})
    assert thing.values("new_things?$select=new_no")[0]["new_no"] == "T-02000"
    assert thing("POST", "SetAutoNumberSeed", {**seed, "AttributeName": "new_name"}).refusal == (400, "0x80040203")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (column("String", "new_Name"), (400, "0x80047013")),
        (column("String", "Other"), (400, "0x80040203")),
        (column("String", "new_X", MaxLength=4001), (400, "0x80040203")),
        (column("String", "new_X", FormatName={"Value": "Poem"}), (400, "0x80040203")),
        (column("String", "new_X", AutoNumberFormat="{RANDSTRING:7}"), (400, "0x80040203")),
        (column("Memo", "new_X", MaxLength=1_048_577), (400, "0x80040203")),
        (column("Integer", "new_X", MinValue=5, MaxValue=1), (400, "0x80040203")),
        (column("Decimal", "new_X", Precision=11), (400, "0x80040203")),
        (column("Double", "new_X", Precision=6), (400, "0x80040203")),
        (
            column("DateTime", "new_X", Format="DateAndTime", DateTimeBehavior={"Value": "DateOnly"}),
            (400, "0x80040203"),
        ),
        (column("Image", "new_X", MaxSizeInKB=30721), (400, "0x80040203")),
        (column("Picklist", "new_X"), (400, "0x80040203")),
        (column("Picklist", "new_X", OptionSet=choice((1, "a"), (1, "b"))), (400, "0x80040203")),
        (column("Picklist", "new_X", OptionSet=choice(IsGlobal=True)), (400, "0x80048403")),
        (column("Lookup", "new_X"), (400, "0x80040203")),
        (column("State", "new_X"), (400, "0x80040203")),
        (column("UniqueIdentifier", "new_X"), (400, "0x80040203")),
        (column("String", "new_X", RequiredLevel={"Value": "SystemRequired"}), (400, "0x80040203")),
        (column("String", "new_X", Precision=2), (400, "0x80048d19")),
        (column("Integer", "new_X", MinValue="small"), (400, "0x80048d19")),
        (column("Nonsense", "new_X"), (400, "0x80048d19")),
    ],
)
def test_refused_columns(thing: Api, body: dict[str, Any], refusal: tuple[int, str]) -> None:
    before = thing.names("new_thing")
    assert thing("POST", COLUMNS, body).refusal == refusal
    assert thing.names("new_thing") == before


def test_put_replaces_a_column(thing: Api) -> None:
    thing.add_column(
        "new_thing",
        column(
            "String",
            "new_X",
            MaxLength=10,
            DisplayName=label("X", german="Das X"),
            RequiredLevel={"Value": "Recommended"},
        ),
    )
    cast = f"{of('new_x')}/{CRM}StringAttributeMetadata"
    body = {name: value for name, value in thing.get(cast).items() if not name.startswith("@")}
    body |= {"@odata.type": f"{CRM}StringAttributeMetadata", "MaxLength": 50}
    thing.done("PUT", f"{COLUMNS}({body['MetadataId']})", body, **{"mscrm__mergelabels": "true"})
    found = thing.get(of("new_x"))
    assert (found["MaxLength"], found["RequiredLevel"]["Value"]) == (50, "Recommended")
    thing.done("PUT", of("new_x"), {"@odata.type": f"{CRM}StringAttributeMetadata", "DisplayName": label("Y")})
    found = thing.get(of("new_x"))
    assert (found["MaxLength"], found["RequiredLevel"]["Value"]) == (100, "None"), "back to the defaults"
    assert [item["Label"] for item in found["DisplayName"]["LocalizedLabels"]] == ["Y"], "German is lost"


def test_put_changes_limits_that_writes_obey(thing: Api) -> None:
    thing.add_column("new_thing", column("String", "new_X", MaxLength=3))
    assert thing("POST", "new_things", {"new_name": "a", "new_x": "four"}).status == 400
    thing.done("PUT", of("new_x"), column("String", "new_X", MaxLength=4))
    thing.done("POST", "new_things", {"new_name": "a", "new_x": "four"})


def test_put_keeps_options_and_labels_of_the_systems_columns(org: Api) -> None:
    account = "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='industrycode')"
    body = {"@odata.type": f"{CRM}PicklistAttributeMetadata", "DisplayName": label("Branch")}
    org.done("PUT", account, body)
    found = org.get(f"{account}/{CRM}PicklistAttributeMetadata?$expand=OptionSet($select=Options)")
    assert found["DisplayName"]["UserLocalizedLabel"]["Label"] == "Branch"
    assert len(found["OptionSet"]["Options"]) == 33


@pytest.mark.parametrize(
    ("name", "body", "refusal"),
    [
        ("new_name", column("Memo", "new_Name"), (400, "0x80040203")),
        ("new_name", column("String", "new_Other"), (400, "0x80040203")),
        ("ownerid", column("String", "OwnerId"), (400, "0x80040203")),
        ("createdbyname", column("String", "CreatedByName"), (403, "0x80048405")),
        ("nothing", column("String", "new_Nothing"), (404, "0x80040217")),
    ],
)
def test_what_put_cannot_change(thing: Api, name: str, body: dict[str, Any], refusal: tuple[int, str]) -> None:
    assert thing("PUT", of(name), body).refusal == refusal


def test_a_moment_becomes_a_day_once(thing: Api) -> None:
    thing.add_column("new_thing", column("DateTime", "new_X", Format="DateOnly"))
    thing.done("POST", "new_things", {"new_name": "a", "new_x": "2024-02-29T00:00:00Z"})
    day = column("DateTime", "new_X", Format="DateOnly", DateTimeBehavior={"Value": "DateOnly"})
    thing.done("PUT", of("new_x"), day)
    assert thing.values("new_things?$select=new_x")[0]["new_x"] == "2024-02-29"
    assert thing("PUT", of("new_x"), column("DateTime", "new_X", Format="DateOnly")).refusal == (400, "0x80040203")


def test_dropping_columns(thing: Api) -> None:
    before = thing.names("new_thing")
    for body in (column("String", "new_X"), column("File", "new_Doc"), column("Image", "new_Pic")):
        thing.add_column("new_thing", body)
    thing.done("POST", "new_things", {"new_name": "a", "new_x": "value"})
    assert thing.values("new_things?$orderby=new_x&$select=new_x")[0]["new_x"] == "value"
    for name in ("new_x", "new_doc", "new_pic"):
        thing.done("DELETE", of(name), **{"if_match": "*"})
    assert thing.names("new_thing") == before
    assert thing("GET", "new_things?$select=new_x").refusal == (400, "0x0")
    thing.add_column("new_thing", column("Integer", "new_X"))
    assert thing.values("new_things?$select=new_x")[0]["new_x"] is None, "the old values are gone"


@pytest.mark.parametrize("name", ["new_name", "new_thingid", "createdon", "ownerid", "createdbyname"])
def test_columns_that_stay(thing: Api, name: str) -> None:
    assert thing("DELETE", of(name)).refusal == (403, "0x80048405")


def test_parts_stay_and_columns_of_keys_too(thing: Api) -> None:
    thing.add_column("new_thing", column("Money", "new_Price"))
    assert thing("DELETE", of("new_price_base")).refusal == (403, "0x80048405")
    thing.add_column("new_thing", column("String", "new_Code", MaxLength=20))
    thing.done("POST", f"{THING}/Keys", {"SchemaName": "new_Key", "KeyAttributes": ["new_code"]})
    assert thing("DELETE", of("new_code")).refusal == (400, "0x8004f01f")


def test_columns_of_large_seeded_tables_start_empty(org: Api) -> None:
    org.add_column("account", column("String", "new_Nick"))
    rows = org.values("accounts?$select=name,new_nick")
    assert len(rows) == 20 and {row["new_nick"] for row in rows} == {None}
    org.add_column("task", column("String", "new_Nick"))
    assert org.values("tasks?$select=new_nick")
    assert (
        org("POST", "EntityDefinitions(LogicalName='activitypointer')/Attributes", column("String", "new_N")).status
        == 403
    )
