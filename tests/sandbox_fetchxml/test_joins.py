"""Link-entities of every type."""

from __future__ import annotations

import pytest

from tests.sandbox_fetchxml.conftest import ALL, Fetcher

MARKED = "<condition attribute='tickersymbol' operator='eq' value='FX'/>"
ONLY = f"<filter>{MARKED}</filter>"
TO_CONTACTS = "name='contact' from='parentcustomerid' to='accountid'"


def link(kind: str, inner: str = "", alias: str = "c") -> str:
    return f"<link-entity {TO_CONTACTS} alias='{alias}' link-type='{kind}'>{inner}</link-entity>"


def names(rows: list[dict[str, str]]) -> list[str]:
    return sorted(row["name"].removeprefix("fx ") for row in rows)


TWO = "<filter><condition attribute='lastname' operator='eq' value='fx two'/></filter>"
NOBODY = "<filter><condition attribute='lastname' operator='eq' value='nobody'/></filter>"


@pytest.mark.parametrize(
    ("kind", "inner", "expected"),
    [
        ("inner", "", ["a", "a", "c"]),
        ("inner", TWO, ["a"]),
        ("outer", "", ["5% [x]", "a", "a", "b", "c", "d"]),
        ("outer", TWO, ["5% [x]", "a", "b", "c", "d"]),
        ("exists", "", ["a", "c"]),
        ("in", TWO, ["a"]),
        ("matchfirstrowusingcrossapply", "", ["a", "c"]),
        ("matchfirstrowusingcrossapply", TWO, ["a"]),
    ],
)
def test_links_of_the_entity(fx: Fetcher, kind: str, inner: str, expected: list[str]) -> None:
    assert names(fx.fetch(f"<attribute name='name'/>{ONLY}{link(kind, inner)}").rows) == expected


@pytest.mark.parametrize(
    ("kind", "inner", "expected"),
    [
        ("any", TWO, ["a"]),
        ("not any", TWO, ["5% [x]", "b", "c", "d"]),
        ("not any", "", ["5% [x]", "b", "d"]),
        ("all", TWO, ["c"]),
        ("all", NOBODY, ["a", "c"]),
        ("not all", TWO, ["a"]),
    ],
)
def test_links_of_a_filter(fx: Fetcher, kind: str, inner: str, expected: list[str]) -> None:
    found = fx.fetch(f"<attribute name='name'/><filter>{MARKED}{link(kind, inner)}</filter>")
    assert names(found.rows) == expected


def test_a_link_in_an_or(fx: Fetcher) -> None:
    either = f"<filter type='or'>{link('any', TWO)}<condition attribute='name' operator='eq' value='fx d'/></filter>"
    assert names(fx.fetch(f"<attribute name='name'/><filter>{MARKED}{either}</filter>").rows) == ["a", "d"]


def test_linked_columns_and_their_annotations(fx: Fetcher) -> None:
    inner = "<attribute name='fullname'/><attribute name='annualincome' alias='income'/><attribute name='ownerid'/>"
    found = fx.fetch(f"<attribute name='name'/>{ONLY}{link('inner', inner + TWO)}", Prefer=ALL)
    row = found.rows[0]
    assert row["c.fullname"] == "fx two" and row["income"] == 7
    assert row["c.ownerid@Microsoft.Dynamics.CRM.lookuplogicalname"] == "systemuser"
    assert row["c.ownerid@OData.Community.Display.V1.FormattedValue"]
    assert row["c.fullname@OData.Community.Display.V1.AttributeName"] == "fullname"
    assert "c.ownerid@Microsoft.Dynamics.CRM.associatednavigationproperty" not in row
    assert found.json["@odata.context"].endswith("$metadata#accounts(name,accountid)")


def test_nested_links_follow_the_outer_one(fx: Fetcher) -> None:
    up = (
        "<link-entity name='account' from='accountid' to='parentcustomerid' alias='up' link-type='inner'>"
        "<attribute name='name'/></link-entity>"
    )
    rows = fx.fetch(f"<attribute name='name'/>{ONLY}{link('outer', TWO + up)}").rows
    assert names(rows) == ["5% [x]", "a", "b", "c", "d"]
    assert [row["up.name"] for row in rows if "up.name" in row] == ["fx a"]


def test_conditions_after_an_outer_join(fx: Fetcher) -> None:
    missing = "<condition entityname='c' attribute='contactid' operator='null'/>"
    found = fx.fetch(f"<attribute name='name'/><filter>{MARKED}{missing}</filter>{link('outer')}")
    assert names(found.rows) == ["5% [x]", "b", "d"]


def test_a_column_compared_with_another_table(fx: Fetcher) -> None:
    same = "<condition attribute='name' operator='eq' valueof='p.lastname'/>"
    to_parent = "<link-entity name='contact' from='parentcustomerid' to='accountid' alias='p' link-type='outer'/>"
    assert fx.fetch(f"<attribute name='name'/><filter>{MARKED}{same}</filter>{to_parent}").rows == []
    other = "<condition attribute='lastname' operator='ne' valueof='acc.name'/>"
    account = "<link-entity name='account' from='accountid' to='parentcustomerid' alias='acc'>{}</link-entity>"
    rows = fx.fetch(f"<attribute name='lastname'/><filter>{other}</filter>{account.format(ONLY)}", table="contact").rows
    assert sorted(row["lastname"] for row in rows) == ["fx a", "fx one", "fx two"]


def test_links_without_alias_are_numbered(fx: Fetcher) -> None:
    bare = f"<link-entity {TO_CONTACTS}><attribute name='fullname'/></link-entity>"
    assert "contact1.fullname" in fx.fetch(f"<attribute name='name'/>{ONLY}{bare}").rows[0]


def test_the_first_match_has_schema_names(fx: Fetcher) -> None:
    first = link("matchfirstrowusingcrossapply", f"<attribute name='fullname'/>{TWO}")
    row = fx.fetch(f"<attribute name='name'/>{ONLY}{first}").rows[0]
    assert row["FullName"] == "fx two" and "c.fullname" not in row


def test_a_link_without_columns_follows_the_relationship(fx: Fetcher) -> None:
    bare = "<link-entity name='account' alias='up' link-type='outer'><attribute name='name'/></link-entity>"
    rows = fx.fetch(f"<attribute name='name'/>{ONLY}{bare}").rows
    assert {row["name"]: row.get("up.name") for row in rows}["fx c"] == "fx b"


def test_a_many_to_many_link(fx: Fetcher) -> None:
    many = next(m for m in fx.sandbox.service.organisation.many_to_many.values() if m.intersect == "teammembership")
    xml = (
        "<fetch><entity name='team'><attribute name='name'/><link-entity name='teammembership' from='teamid' "
        "to='teamid' intersect='true'><link-entity name='systemuser' from='systemuserid' to='systemuserid' "
        "alias='u'><attribute name='fullname'/></link-entity></link-entity></entity></fetch>"
    )
    rows = fx.get(f"teams?fetchXml={xml}").rows
    nav = many.nav1 if many.entity1 == "team" else many.nav2
    members = fx.get(f"teams?$select=name&$expand={nav}($select=fullname)")
    expected = sorted((row["name"], user["fullname"]) for row in members.rows for user in row[nav])
    assert sorted((row["name"], row["u.fullname"]) for row in rows) == expected and expected


def test_fetch_on_a_collection_of_one_row(fx: Fetcher) -> None:
    parent = "00000000-0000-4000-8000-000000000000"
    xml = "<fetch><entity name='contact'><attribute name='lastname'/><order attribute='lastname'/></entity></fetch>"
    found = fx.get(f"accounts({parent})/contact_customer_accounts?fetchXml={xml}")
    assert [row["lastname"] for row in found.rows] == ["fx one", "fx two"]
