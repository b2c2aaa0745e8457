"""Alternate keys and their indexes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sqlalchemy_dynamics.sandbox import Switches
from tests.sandbox_definitions.api import ROOT, Api, column

THING = "EntityDefinitions(LogicalName='new_thing')"
KEY = {"SchemaName": "new_Key", "KeyAttributes": ["new_code"]}
STATUS = f"{THING}/Keys?$select=SchemaName,EntityKeyIndexStatus"


def things(switches: Switches | None = None) -> Api:
    org = Api(switches)
    org.create_table(
        "new_Thing",
        column("String", "new_Code", MaxLength=50),
        column("Memo", "new_Text"),
        column("Integer", "new_No"),
        column("Double", "new_Ratio"),
    )
    return org


def status(org: Api) -> str:
    return str(org.values(STATUS)[0]["EntityKeyIndexStatus"])


def test_a_key_becomes_active_addresses_rows_and_refuses_doubles() -> None:
    org = things()
    made = org.done("POST", f"{THING}/Keys", KEY)
    assert made.headers["OData-EntityId"].startswith(f"{ROOT}{THING}/Keys(")
    assert status(org) == "Active"
    org.done("POST", "new_things", {"new_name": "a", "new_code": "A1"})
    assert org.get("new_things(new_code='a1')?$select=new_name")["new_name"] == "a"
    assert org("POST", "new_things", {"new_name": "b", "new_code": "a1"}).status == 412
    for _ in range(2):
        org.done("POST", "new_things", {"new_name": "no code"})
    assert org.csdl().count('PropertyPath="new_code"') == 2
    org.done("DELETE", f"{THING}/Keys(LogicalName='new_key')")
    assert org.values(STATUS) == []
    org.done("POST", "new_things", {"new_name": "b", "new_code": "a1"})
    assert org("GET", "new_things(new_code='a1')").status == 400


def test_the_index_takes_its_time() -> None:
    org = things(replace(Switches(), key_index_seconds=10))
    org.done("POST", f"{THING}/Keys", KEY)
    assert status(org) == "Pending"
    assert org("GET", "new_things(new_code='a1')").status == 400
    assert org.csdl().count('PropertyPath="new_code"') == 1, "only the sample's"
    org.clock.now += 10
    assert status(org) == "Active"


def test_doubles_fail_the_index_until_it_is_reactivated() -> None:
    org = things()
    for name in ("a", "b"):
        org.done("POST", "new_things", {"new_name": name, "new_code": "same"})
    org.done("POST", f"{THING}/Keys", KEY)
    assert status(org) == "Failed"
    again = {"EntityLogicalName": "new_thing", "EntityKeyLogicalName": "new_key"}
    org.done("POST", "ReactivateEntityKey", again)
    assert status(org) == "Failed"
    row = org.values("new_things?$filter=new_name eq 'b'")[0]["new_thingid"]
    org.done("PATCH", f"new_things({row})", {"new_code": "other"})
    org.done("POST", "ReactivateEntityKey", again)
    assert status(org) == "Active"
    assert org("POST", "ReactivateEntityKey", again).refusal == (400, "0x80040203")
    assert org("POST", "ReactivateEntityKey", {**again, "EntityKeyLogicalName": "x"}).refusal == (404, "0x80040217")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"SchemaName": "new_Key", "KeyAttributes": ["new_no"]}, (400, "0x80060893")),
        ({"SchemaName": "new_Other", "KeyAttributes": ["new_code"]}, (400, "0x80060894")),
        ({"SchemaName": "Other", "KeyAttributes": ["new_no"]}, (400, "0x80040203")),
        ({"SchemaName": "new_Other", "KeyAttributes": []}, (400, "0x80040203")),
        ({"SchemaName": "new_Other", "KeyAttributes": ["nothing"]}, (400, "0x80040203")),
        ({"SchemaName": "new_Other", "KeyAttributes": ["new_text"]}, (400, "0x80040203")),
        ({"SchemaName": "new_Other", "KeyAttributes": ["new_ratio"]}, (400, "0x80040203")),
        ({"SchemaName": "new_Other", "KeyAttributes": "new_no"}, (400, "0x80048d19")),
    ],
)
def test_refused_keys(body: dict[str, object], refusal: tuple[int, str]) -> None:
    org = things()
    org.done("POST", f"{THING}/Keys", KEY)
    assert org("POST", f"{THING}/Keys", body).refusal == refusal


def test_a_key_over_900_bytes() -> None:
    org = things()
    org.add_column("new_thing", column("String", "new_Long", MaxLength=451))
    body = {"SchemaName": "new_Other", "KeyAttributes": ["new_long"]}
    assert org("POST", f"{THING}/Keys", body).refusal == (400, "0x80040203")


def test_a_key_of_a_table_dropped_before_its_index_is_built() -> None:
    org = things(replace(Switches(), key_index_seconds=10))
    org.done("POST", f"{THING}/Keys", KEY)
    org.done("DELETE", THING)
    org.clock.now += 10
    assert org("GET", THING).status == 404
