from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics.edm import DATE, DOUBLE, INTEGER, MONEY, TIMESTAMP, TIMESTAMPTZ, UUID, VARCHAR, decimal
from sqlalchemy_dynamics.errors import OperationalError
from sqlalchemy_dynamics.metadata import csdl
from sqlalchemy_dynamics.metadata.definitions import enrich, requests_for
from sqlalchemy_dynamics.metadata.model import Companion, Key, Kind, Table
from sqlalchemy_dynamics.odata.messages import HttpResponse
from tests.metadata.answers import ACCOUNT_DEFINITIONS, Definitions
from tests.metadata.documents import SMALL
from tests.shared import METADATA_FILES, RECORDINGS

PLAIN = csdl.parse(SMALL).tables["account"]


def asked(table: Table, definitions: Definitions) -> Table:
    return enrich(table, [definitions.answer(request) for request in requests_for(table)])


@pytest.fixture(scope="module")
def account() -> Table:
    return asked(PLAIN, ACCOUNT_DEFINITIONS)


def refusing(**statuses: int) -> Definitions:
    known = ACCOUNT_DEFINITIONS
    return Definitions(known.definition, known.attributes, known.keys, statuses)


def test_requests_are_gets_of_one_cast_each() -> None:
    requests = requests_for(PLAIN)
    assert {request.method for request in requests} == {"GET"}
    assert all(
        request.repeatable and request.url.startswith("EntityDefinitions(LogicalName='account')")
        for request in requests
    )
    casts = [
        url.partition("AttributeMetadata")[0].rpartition(".")[2] for url in (r.url for r in requests) if "CRM." in url
    ]
    assert casts == [
        "String", "Memo", "MultiSelectPicklist", "Decimal", "Money", "Integer", "DateTime", "Boolean", "Picklist",
        "State",
        "Status", "Image"
    ]  # fmt: skip
    assert not any(option in request.url for request in requests for option in ("$top", "$orderby", " "))


def test_casts_no_column_can_have_are_not_asked_for() -> None:
    requests = requests_for(csdl.parse(SMALL).tables["contact"])
    assert [r.url for r in requests if "DateTime" in r.url or "Picklist" in r.url] == [
        "EntityDefinitions(LogicalName='contact')/Attributes/Microsoft.Dynamics.CRM.MultiSelectPicklistAttributeMetadata"
        "?$select=LogicalName,DefaultFormValue&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)"
    ]


def test_a_table_without_entity_set_has_no_definition() -> None:
    principal = csdl.parse(SMALL).tables["principal"]
    assert requests_for(principal) == ()
    assert enrich(principal, []) is principal


def test_the_table_is_described(account: Table) -> None:
    assert account.enriched and not account.custom and not account.intersect
    assert (account.label, account.description, account.primary_name) == ("Account", "A customer", "name")


def test_texts(account: Table) -> None:
    name = account.columns["name"]
    assert (name.label, name.description, name.length, name.format) == ("Name", "What it is called", 160, "Text")
    assert name.required and name.nullable


def test_only_the_key_is_not_nullable(account: Table) -> None:
    assert [c.name for c in account.columns.values() if not c.nullable] == ["accountid"]
    assert account.columns["accountid"].kind is Kind.KEY and not account.columns["accountid"].updatable


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("revenue", MONEY),
        ("exchangerate", decimal(24, 12)),
        ("new_rating", decimal(14, 2)),
        ("industrycode", INTEGER),
        ("new_sectors", VARCHAR),
        ("new_opened", TIMESTAMP),
        ("new_founded", DATE),
        ("createdon", TIMESTAMPTZ),
        ("primarycontactid", UUID),
    ],
)
def test_exact_types(account: Table, name: str, expected: object) -> None:
    assert account.columns[name].type == expected


def test_a_behaviour_changed_after_the_document_was_read_decides() -> None:
    changed = [
        {**one, "DateTimeBehavior": {"Value": "DateOnly"}} if one["LogicalName"] == "new_opened" else one
        for one in ACCOUNT_DEFINITIONS.attributes
    ]
    column = asked(PLAIN, Definitions(ACCOUNT_DEFINITIONS.definition, changed)).columns["new_opened"]
    assert (column.type, column.edm) == (DATE, "Edm.Date")


def test_choices(account: Table) -> None:
    assert account.columns["industrycode"].kind is Kind.CHOICE
    assert account.columns["industrycode"].options == {1: "Accounting", 2: "Farming"}
    assert account.columns["statecode"].options == {0: "Active", 1: "Inactive"}
    assert account.columns["new_sectors"].kind is Kind.MULTICHOICE
    assert account.columns["new_sectors"].options == {7: "Old", 8: "New"}
    assert account.columns["creditonhold"].options == {0: "No", 1: "Yes"}


def test_choices_and_lookups_have_companions_directly_behind(account: Table) -> None:
    names = list(account.columns)
    for base in ("industrycode", "statecode", "new_sectors", "primarycontactid", "ownerid"):
        made = account.columns[names[names.index(base) + 1]]
        assert (made.name, made.companion, made.base) == (base + "name", Companion.NAME, base)
        assert made.read_only and made.type == VARCHAR and made.wire == account.columns[base].wire
    assert "owneridtype" in names and "creditonholdname" not in names
    assert "industrycodename" not in PLAIN.columns


def test_what_may_not_be_read_is_no_column(account: Table) -> None:
    assert "stageid" in PLAIN.columns and "stageid" not in account.columns


def test_columns_keep_their_order(account: Table) -> None:
    def real(table: Table) -> list[str]:
        return [c.name for c in table.columns.values() if c.companion is None and c.name != "stageid"]

    assert real(account) == real(PLAIN)


def test_writability_is_narrowed_never_widened() -> None:
    loose = [{**one, "IsValidForCreate": True, "IsValidForUpdate": True} for one in ACCOUNT_DEFINITIONS.attributes]
    table = asked(PLAIN, Definitions(ACCOUNT_DEFINITIONS.definition, loose))
    assert table.columns["createdon"].read_only and table.columns["revenue_base"].read_only
    strict = [{**one, "IsValidForCreate": False} for one in ACCOUNT_DEFINITIONS.attributes]
    name = asked(PLAIN, Definitions(ACCOUNT_DEFINITIONS.definition, strict)).columns["name"]
    assert (name.creatable, name.updatable) == (False, True)


def test_only_active_keys_of_known_columns(account: Table) -> None:
    assert account.keys == (Key("new_code", ("name", "primarycontactid")),)


def test_auto_numbers() -> None:
    numbered = [{**one, "AutoNumberFormat": "A-{SEQNUM:5}"} for one in ACCOUNT_DEFINITIONS.attributes]
    assert asked(PLAIN, Definitions(ACCOUNT_DEFINITIONS.definition, numbered)).columns["name"].auto_number


@pytest.mark.parametrize("status", [400, 403, 404, 501])
def test_a_refused_table_stays_plain(status: int) -> None:
    assert asked(PLAIN, refusing(Attributes=status)) is PLAIN


def test_a_refused_cast_costs_only_what_it_tells() -> None:
    table = asked(PLAIN, refusing(Picklist=403, Keys=404))
    assert table.enriched and table.columns["industrycode"].kind is Kind.CHOICE
    assert table.columns["industrycode"].options == {}
    assert table.columns["name"].length == 160 and table.keys == PLAIN.keys


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_an_error(status: int) -> None:
    with pytest.raises(OperationalError, match=str(status)):
        asked(PLAIN, refusing(Picklist=status))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"value": [{"LogicalName": 1}]}', b""])
def test_a_reply_that_is_not_definitions_is_an_error(body: bytes) -> None:
    with pytest.raises(OperationalError, match="something else"):
        enrich(PLAIN, [HttpResponse(200, body=body)] * 3)


_WHOLE = ("MaxLength", "Precision", "Value", "DefaultFormValue")


def restored(value: Any, key: str = "") -> Any:
    """The recording holds every scalar as text: give them their JSON types back."""
    if isinstance(value, dict):
        return {name: restored(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return [restored(member) for member in value]
    if value in ("True", "False", ""):
        return {"True": True, "False": False, "": None}[value]
    return int(value) if key in _WHOLE and value.lstrip("-").isdigit() else value


def genuine_account() -> Definitions:
    recording = restored(json.loads((RECORDINGS / "account-definition.json").read_text()))
    attributes = [one for name, found in recording.items() if name.endswith("Attributes") for one in found]
    return Definitions(recording["EntityDefinition"], attributes)


def genuine_opportunity() -> Definitions:
    recording = json.loads((RECORDINGS / "opportunity-definition.json").read_text())
    definition = recording["EntityMetadata"][0]
    return Definitions(definition, definition["Attributes"], definition["Keys"])


@pytest.fixture
def genuine() -> Iterator[dict[str, Table]]:
    if not (METADATA_FILES and RECORDINGS.is_dir()):
        pytest.skip("the folder ../shared is not here")
    tables = csdl.parse(METADATA_FILES[0].read_bytes()).tables
    yield {
        "account": asked(tables["account"], genuine_account()),
        "opportunity": asked(tables["opportunity"], genuine_opportunity()),
    }


def test_the_genuine_account(genuine: dict[str, Table]) -> None:
    account = genuine["account"]
    columns = account.columns
    assert (account.primary_name, account.kind, account.label) == ("name", "Standard", "Partner")
    assert columns["name"].length == 160 and columns["name"].required
    assert columns["exchangerate"].type == decimal(24, 12)
    assert columns["industrycode"].options[1] == "Accounting" and "industrycodename" in columns
    assert columns["revenue"].type == MONEY and columns["address1_latitude"].type == DOUBLE
    assert columns["createdon"].type == TIMESTAMPTZ and columns["createdon"].read_only
    assert columns["overriddencreatedon"].creatable and not columns["overriddencreatedon"].updatable
    assert columns["parentaccountid"].label and columns["parentaccountid"].navigations == {"account": "parentaccountid"}
    assert columns["address1_composite"].read_only


def test_the_genuine_opportunity(genuine: dict[str, Table]) -> None:
    columns = genuine["opportunity"].columns
    assert genuine["opportunity"].enriched
    assert columns["statecode"].options.keys() == {0, 1, 2}
    assert columns["statecodename"].companion is Companion.NAME
    assert columns["estimatedvalue"].kind is Kind.MONEY
    assert columns["actualclosedate"].format == "DateOnly"
    assert columns["customeridtype"].companion is Companion.TYPE
