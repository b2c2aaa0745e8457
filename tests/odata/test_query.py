"""Queries: the requests they become."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlalchemy_dynamics.errors import InternalError
from sqlalchemy_dynamics.odata.filters import Among, Both, Compare, Never, Parameter, Value
from sqlalchemy_dynamics.odata.query import (
    FORMATTED_VALUE,
    LOOKUP_TABLE,
    Aggregate,
    Apply,
    Expand,
    Order,
    Query,
    next_request,
    to_request,
)

OPEN = Compare(("statecode",), "eq", Value(0, "Edm.Int32"))
QUOTED = Among(("name",), tuple(Value(each, "Edm.String") for each in ("a'b", "c", "d", "e")))
STATUS, OWNER = ("statuscode",), ("_ownerid_value",)
SUM, COUNT = Aggregate("sum", ("revenue",), "total"), Aggregate("count", (), "n")


@pytest.mark.parametrize(
    ("query", "url"),
    [
        (Query("accounts"), "accounts"),
        (Query("accounts", filter=Both(())), "accounts"),
        (Query("accounts", ("name", "_ownerid_value")), "accounts?$select=name,_ownerid_value"),
        (
            Query("accounts", ("name",), OPEN, (Order(("name",), True), Order(("accountid",))), top=10),
            "accounts?$select=name&$filter=statecode eq 0&$orderby=name desc,accountid&$top=10",
        ),
        (
            Query("accounts", filter=QUOTED),
            "accounts?$filter=Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)"
            """&@p1='name'&@p2=["a'b","c","d","e"]""",
        ),
        (
            Query(
                "tasks", ("subject",), expand=(Expand("a", ("x", "y"), (Expand("b", ("z",)), Expand("c"))), Expand("d"))
            ),
            "tasks?$select=subject&$expand=a($select=x,y;$expand=b($select=z),c),d",
        ),
        (
            Query("accounts", filter=OPEN, apply=Apply((STATUS, OWNER), (SUM, COUNT))),
            "accounts?$apply=filter(statecode eq 0)"
            "/groupby((statuscode,_ownerid_value),aggregate(revenue with sum as total,$count as n))",
        ),
        (Query("accounts", apply=Apply((STATUS,))), "accounts?$apply=groupby((statuscode))"),
        (Query("accounts", apply=Apply((), (COUNT,))), "accounts?$apply=aggregate($count as n)"),
        (
            Query("accounts", filter=QUOTED, apply=Apply((), (COUNT,))),
            "accounts?$apply=filter(name eq 'a''b' or name eq 'c' or name eq 'd' or name eq 'e')"
            "/aggregate($count as n)",
        ),
    ],
)
def test_urls(query: Query, url: str) -> None:
    request = to_request(query)
    assert unquote(request.url) == url
    assert (request.method, request.body, request.repeatable) == ("GET", None, True)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_arrives(text: str) -> None:
    url = urlsplit(
        "https://host/" + to_request(Query("accounts", filter=Compare(("a",), "eq", Value(text, "Edm.String")))).url
    )
    assert url.fragment == ""
    options = [option.partition("=") for option in url.query.split("&")]
    assert [(name, unquote(value)) for name, _, value in options] == [
        ("$filter", f"a eq '{text.replace(chr(39), chr(39) * 2)}'")
    ]
    assert "+" not in url.query


def test_the_characters_of_a_url_are_encoded_in_values() -> None:
    url = to_request(Query("accounts", filter=Compare(("a",), "eq", Value("+&#%'(ü)", "Edm.String")))).url
    assert url == "accounts?$filter=a%20eq%20'%2B%26%23%25''%28%C3%BC%29'"


BOTH = (FORMATTED_VALUE, LOOKUP_TABLE)
ANNOTATED = (
    'odata.include-annotations="OData.Community.Display.V1.FormattedValue,Microsoft.Dynamics.CRM.lookuplogicalname"'
)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (Query("accounts", top=5), {}),
        (Query("accounts", page_size=500), {"Prefer": "odata.maxpagesize=500"}),
        (Query("accounts", annotations=BOTH, top=5), {"Prefer": ANNOTATED}),
        (Query("accounts", annotations=BOTH, page_size=7), {"Prefer": f"odata.maxpagesize=7,{ANNOTATED}"}),
    ],
)
def test_preferences_are_the_same_on_every_page(query: Query, headers: dict[str, str]) -> None:
    link = "https://host/api/data/v9.2/accounts?$skiptoken=%3Ccookie%20pagenumber=%222%22%3E"
    following = next_request(link, query)
    assert to_request(query).headers == following.headers == headers
    assert (following.method, following.url, following.repeatable) == ("GET", link, True)


@pytest.mark.parametrize(
    "query",
    [
        Query("accounts", top=5, page_size=5),
        Query("accounts", top=5001),
        Query("accounts", apply=Apply((STATUS,)), top=5),
        Query("accounts", apply=Apply((STATUS,)), order=(Order(STATUS),)),
        Query("accounts", apply=Apply((STATUS,)), select=("name",)),
        Query("accounts", apply=Apply((STATUS,)), expand=(Expand("a"),)),
        Query("accounts", filter=Never()),
    ],
)
def test_what_the_service_would_not_honour_is_refused(query: Query) -> None:
    with pytest.raises(InternalError):
        to_request(query)


def test_unbound_values_can_be_shown() -> None:
    query = Query("contacts", filter=Among(("contactid",), (Parameter("step1.keys", "Edm.Guid"),)))
    with pytest.raises(InternalError, match="bind"):
        to_request(query)
    shown = to_request(query, placeholders=True).url
    assert shown.endswith("PropertyValues=%5B{step1.keys}%5D)")
