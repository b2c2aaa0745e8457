"""Columns, order, distinct rows, pages, counts."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

import pytest

from tests.sandbox_fetchxml.conftest import ALL, Fetcher

COOKIE = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
MORE = "@Microsoft.Dynamics.CRM.morerecords"
ONLY = "<filter><condition attribute='tickersymbol' operator='eq' value='FX'/></filter>"


def test_columns_currency_and_key(fx: Fetcher) -> None:
    found = fx.fetch(
        "<attribute name='name'/><attribute name='revenue' alias='money'/><attribute name='ownerid'/>"
        f"{ONLY}<order attribute='name'/>"
    )
    row = found.rows[1]
    assert found.json["@odata.context"].split("#")[1] == (
        "accounts(name,revenue,_ownerid_value,ownerid,_transactioncurrencyid_value,transactioncurrencyid,accountid,"
        "ownerid(),transactioncurrencyid())"
    )
    assert row["name"] == "fx a" and row["money"] == 10 and row["_ownerid_value"] and row["accountid"]
    assert row["@odata.etag"].startswith('W/"') and "money" not in found.rows[0], "nulls are left out"


def test_no_columns_and_every_column(fx: Fetcher) -> None:
    assert fx.fetch(ONLY).rows == fx.fetch(f"<all-attributes/>{ONLY}").rows
    assert set(fx.fetch(f"<no-attrs/>{ONLY}").rows[0]) == {"@odata.etag", "accountid"}
    every = fx.fetch(f"<all-attributes/>{ONLY}", "top='1'")
    plain = fx.get(f"accounts({every.rows[0]['accountid']})").json
    assert every.rows[0] == {k: v for k, v in plain.items() if v is not None and k != "@odata.context"}


def test_top_and_order(fx: Fetcher) -> None:
    rows = fx.fetch(f"<attribute name='revenue'/>{ONLY}<order attribute='revenue' descending='true'/>", "top='3'").rows
    assert [row["revenue"] for row in rows] == [30, 20.5, 10]


def test_choices_sort_by_label(fx: Fetcher) -> None:
    inner = (
        "<attribute name='preferredcontactmethodcode'/><order attribute='preferredcontactmethodcode'/><filter>"
        "<condition attribute='preferredcontactmethodcode' operator='not-null'/></filter>"
    )
    formatted = "preferredcontactmethodcode@OData.Community.Display.V1.FormattedValue"
    rows = fx.fetch(inner, Prefer=ALL).rows
    labels = [row[formatted].lower() for row in rows]
    numbers = [row["preferredcontactmethodcode"] for row in fx.fetch(inner, "useraworderby='true'").rows]
    assert numbers == sorted(numbers) and labels == sorted(labels)
    assert [row["preferredcontactmethodcode"] for row in rows] != numbers


def test_order_by_lookup_link_and_entity_name(fx: Fetcher) -> None:
    link = (
        "<link-entity name='account' from='accountid' to='parentcustomerid' alias='a'><attribute name='name'/>"
        "<filter><condition attribute='tickersymbol' operator='eq' value='FX'/></filter>{}</link-entity>"
    )
    last = "<attribute name='lastname'/><order attribute='lastname' descending='true'/>"
    by_link = fx.fetch(link.format("<order attribute='name'/>"), table="contact").rows
    assert [row["a.name"] for row in by_link] == ["fx a", "fx a", "fx c"]
    own_first = fx.fetch(last + link.format("<order attribute='name'/>"), table="contact").rows
    assert [row["lastname"] for row in own_first] == ["fx two", "fx one", "fx a"]
    named = (
        "<attribute name='lastname'/><order entityname='a' attribute='name' descending='true'/>"
        "<order attribute='lastname'/>"
    )
    rows = fx.fetch(named + link.format(""), table="contact").rows
    assert [row["lastname"] for row in rows] == ["fx a", "fx one", "fx two"]


def test_companions_of_lookups_and_choices(fx: Fetcher) -> None:
    inner = "<attribute name='name'/><attribute name='parentaccountidname'/><attribute name='creditonholdname'/>"
    rows = fx.fetch(f"{inner}{ONLY}<order attribute='parentaccountidname' descending='true'/>").rows
    assert [row.get("parentaccountidname") for row in rows[:3]] == ["fx b", "fx a", None]
    assert rows[0]["creditonholdname"] == "No"


def test_distinct(fx: Fetcher) -> None:
    inner = f"<attribute name='address1_city'/>{ONLY}<order attribute='address1_city'/>"
    rows = fx.fetch(inner, "distinct='true'").rows
    assert rows == [{}, {"address1_city": "örebro"}, {"address1_city": "Oslo"}, {"address1_city": "Rome"}]


def every_page(fx: Fetcher, inner: str, size: int, table: str = "account") -> tuple[list[dict[str, Any]], int]:
    """Follow cookies the way the documentation says."""
    rows, page, cookie, pages = [], 1, "", 0
    while True:
        given = f" paging-cookie={quoteattr(cookie)}" if cookie else ""
        found = fx.fetch(inner, f"count='{size}' page='{page}'{given}", table, Prefer=ALL)
        rows += found.rows
        pages += 1
        if MORE not in found.json:
            assert COOKIE not in found.json
            return rows, pages
        outer = found.json[COOKIE]
        page = int(re.findall(r'pagenumber="(\d+)"', outer)[0])
        inner_cookie = re.search(r'pagingcookie="([^"]*)"', outer)
        cookie = unquote(unquote(inner_cookie[1])) if inner_cookie else ""


@pytest.mark.parametrize(
    "inner",
    [
        "<attribute name='name'/>",
        "<attribute name='name'/><order attribute='name'/>",
        "<attribute name='name'/><order attribute='revenue' descending='true'/><order attribute='industrycode'/>",
        "<attribute name='name'/><order attribute='primarycontactid'/><order attribute='createdon' descending='true'/>",
        "<attribute name='name'/><link-entity name='contact' from='parentcustomerid' to='accountid' link-type='outer'"
        " alias='c'><attribute name='contactid'/></link-entity>",
        "<attribute name='name'/><link-entity name='contact' from='parentcustomerid' to='accountid' alias='c'>"
        "<attribute name='contactid'/><order attribute='lastname'/></link-entity>",
    ],
)
def test_pages_join_to_the_whole(fx: Fetcher, inner: str) -> None:
    whole = fx.fetch(inner, Prefer=ALL).rows
    paged, pages = every_page(fx, inner, 17)
    assert paged == whole and pages == -(-len(whole) // 17)


@pytest.mark.parametrize("column", ["primarycontactid", "industrycode", "name", "revenue", "createdon"])
def test_orders_of_large_tables(fx: Fetcher, monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    expected = fx.fetch(f"<attribute name='name'/><order attribute='{column}' descending='true'/>", Prefer=ALL).rows
    monkeypatch.setattr("sqlalchemy_dynamics.sandbox.store._INDEX_FROM", 10)
    inner = f"<attribute name='name'/><order attribute='{column}' descending='true'/>"
    assert every_page(fx, inner, 40)[0] == expected
    name = f"_{column}_value" if column.endswith("id") else column
    assert fx.get(f"accounts?$select=name&$orderby={name} desc").status == 200


def test_distinct_pages(fx: Fetcher) -> None:
    inner = "<attribute name='name'/>"
    first, second = (fx.fetch(inner, f"distinct='true' count='9' page='{page}'").rows for page in (1, 2))
    assert first + second == fx.fetch(inner, "distinct='true'").rows[:18]


def test_pages_without_cookie_and_page_preference(fx: Fetcher) -> None:
    inner = "<attribute name='name'/>"
    whole = fx.fetch(inner).rows
    assert fx.fetch(inner, "count='10' page='3'").rows == whole[20:30]
    preferred = fx.fetch(inner, Prefer="odata.maxpagesize=4")
    assert preferred.rows == whole[:4] and "@odata.nextLink" not in preferred.json
    assert preferred.headers["preference-applied"] == "odata.maxpagesize=4"


def test_counts(fx: Fetcher) -> None:
    found = fx.fetch(f"<attribute name='name'/>{ONLY}", "count='2'", extra="&$count=true")
    assert found.json["@odata.count"] == 5 and len(found.rows) == 2
    asked = fx.fetch(ONLY, "returntotalrecordcount='true' count='2'", Prefer=ALL).json
    assert asked["@Microsoft.Dynamics.CRM.totalrecordcount"] == asked["@odata.count"] == 5
    assert asked["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False
    assert fx.fetch(ONLY, Prefer=ALL).json["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1


def test_children_are_counted(fx: Fetcher) -> None:
    rows = fx.fetch(
        f"<attribute name='name'/><attribute name='accountid' rowaggregate='CountChildren' alias='below'/>{ONLY}"
    ).rows
    assert {row["name"][3:]: row["below"] for row in rows} == {"a": 1, "b": 1, "c": 0, "d": 0, "5% [x]": 0}


def test_inside_a_batch(fx: Fetcher) -> None:
    xml = f"<fetch><entity name='account'><attribute name='name'/>{ONLY}</entity></fetch>".replace(" ", "%20")
    body = (
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"GET accounts?fetchXml={xml} HTTP/1.1\r\nAccept: application/json\r\n\r\n--b--\r\n"
    )
    answer = fx.send("POST", "$batch", body.encode(), Content_Type="multipart/mixed; boundary=b")
    assert answer.status == 200 and answer.body.count(b'"name":"fx ') == 5


def test_texts_that_are_encoded_twice(fx: Fetcher) -> None:
    xml = "%253Cfetch%2520top%253D'1'%253E%253Centity%2520name%253D'account'%252F%253E%253C%252Ffetch%253E"
    assert len(fx.get(f"accounts?fetchXml={xml}").rows) == 1
