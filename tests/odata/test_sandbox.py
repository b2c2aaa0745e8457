"""Requests of this room answered by the sandbox, an independent reading of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unicodedata import combining, normalize

import httpx
import pytest

from sqlalchemy_dynamics.edm import INTEGER, MONEY, UUID, VARCHAR
from sqlalchemy_dynamics.errors import DataverseError
from sqlalchemy_dynamics.odata.batch import pack, unpack
from sqlalchemy_dynamics.odata.binding import among
from sqlalchemy_dynamics.odata.faults import check
from sqlalchemy_dynamics.odata.filters import Among, Both, Compare, Either, Filter, Match, Null, Value
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse, Send
from sqlalchemy_dynamics.odata.pages import ArrowDecoder, Field, RowDecoder
from sqlalchemy_dynamics.odata.query import FORMATTED_VALUE, Aggregate, Apply, Expand, Query, next_request, to_request
from sqlalchemy_dynamics.sandbox import Sandbox

FIELDS = (
    Field("accountid", UUID),
    Field("name", VARCHAR),
    Field("numberofemployees", INTEGER),
    Field("revenue", MONEY),
    Field("_primarycontactid_value", UUID),
    Field("_primarycontactid_value", VARCHAR, FORMATTED_VALUE),
)
ACCOUNTS = Query("accounts", tuple(dict.fromkeys(field.wire for field in FIELDS)), annotations=(FORMATTED_VALUE,))


@pytest.fixture(scope="module")
def send() -> Iterator[Send]:
    with Sandbox(rows=120, seed=3, auth=False) as sandbox, httpx.Client() as client:

        def answer(request: HttpRequest) -> HttpResponse:
            url = request.url if "://" in request.url else f"{sandbox.url}/api/data/v9.2/{request.url}"
            reply = client.request(request.method, url, headers=dict(request.headers), content=request.body)
            return HttpResponse(reply.status_code, dict(reply.headers), reply.content)

        yield answer


def fetch(send: Send, query: Query, fields: tuple[Field, ...] = FIELDS) -> list[tuple[Any, ...]]:
    rows, request = [], to_request(query)
    while True:
        body = check(send(request)).body
        page = RowDecoder(fields).decode(body)
        assert ArrowDecoder(fields).decode(body).rows.num_rows == len(page.rows)
        rows += page.rows
        if page.next_link is None:
            return rows
        request = next_request(page.next_link, query)


@pytest.fixture(scope="module")
def everything(send: Send) -> list[tuple[Any, ...]]:
    return fetch(send, ACCOUNTS)


def test_pages_of_any_size_hold_the_same_rows(send: Send, everything: list[tuple[Any, ...]]) -> None:
    assert len(everything) == len({row[0] for row in everything}) >= 120
    assert sorted(fetch(send, replace(ACCOUNTS, page_size=7))) == sorted(everything)
    assert len(fetch(send, replace(ACCOUNTS, top=5))) == 5


NAME = ("name",)
LOOKUP = ("_primarycontactid_value",)


def fold(text: str | None) -> str:
    """Text as the service compares it: without case and accents."""
    return "".join(c for c in normalize("NFD", text or "").casefold() if not combining(c))


def wanted_of(rows: list[tuple[Any, ...]]) -> list[tuple[Filter, Callable[[tuple[Any, ...]], bool]]]:
    """Filters, and the same in Python; a NULL is never wanted but by Null."""
    names = sorted({row[1] for row in rows})[:6]
    folded = [fold(name) for name in names]
    contacts = sorted({row[4] for row in rows if row[4]})[:6]
    number = rows[0][2]
    letter = names[0][1]
    return [
        (Compare(NAME, "ne", Value(names[0], "Edm.String")), lambda row: fold(row[1]) != folded[0]),
        (Compare(("numberofemployees",), "ne", Value(number, "Edm.Int32")), lambda row: row[2] not in (None, number)),
        (Null(LOOKUP), lambda row: row[4] is None),
        (among(LOOKUP, contacts, "Edm.Guid"), lambda row: row[4] in contacts),
        (among(LOOKUP, contacts, "Edm.Guid", True), lambda row: row[4] not in (None, *contacts)),
        (among(LOOKUP, contacts[:2], "Edm.Guid", True), lambda row: row[4] not in (None, *contacts[:2])),
        (among(NAME, [*names, "O'Brian \"&+#%"], "Edm.String"), lambda row: fold(row[1]) in folded),
        (
            Match(NAME, "contains", Value(letter, "Edm.String"), negated=True),
            lambda row: fold(letter) not in fold(row[1]),
        ),
        (Match(NAME, "contains", Value("%", "Edm.String")), lambda row: "%" in row[1]),
        (
            Both(
                (Null(LOOKUP, True), Either((among(("name",), names[:2], "Edm.String"), Null(("numberofemployees",)))))
            ),
            lambda row: row[4] is not None and (fold(row[1]) in folded[:2] or row[2] is None),
        ),
    ]


def test_filters_keep_the_rows_that_sql_means(send: Send, everything: list[tuple[Any, ...]]) -> None:
    for wanted, keeps in wanted_of(everything):
        expected = sorted(row for row in everything if keeps(row))
        assert sorted(fetch(send, replace(ACCOUNTS, filter=wanted))) == expected, wanted


def test_any_text_can_be_compared_with(send: Send) -> None:
    for text in ("O'Brian", '+&#%=?/;@$,:()[]{}"\\<>|^`~', "Grüße, 東京 \U0001f600", "' or 1 eq 1 or name eq '"):
        value = Value(text, "Edm.String")
        assert fetch(send, replace(ACCOUNTS, filter=Compare(("name",), "eq", value))) == []
        assert fetch(send, replace(ACCOUNTS, filter=Among(("name",), (value, Value("nobody", "Edm.String"))))) == []


def test_groups(send: Send, everything: list[tuple[Any, ...]]) -> None:
    query = Query(
        "accounts",
        filter=Null(("revenue",), negated=True),
        apply=Apply((), (Aggregate("sum", ("revenue",), "total"), Aggregate("count", (), "n"))),
    )
    revenues: list[Decimal] = [row[3] for row in everything if row[3] is not None]
    ((total, count),) = fetch(send, query, (Field("total", MONEY), Field("n", INTEGER)))
    assert (total, count) == (sum(revenues), len(revenues))


def test_expanded_columns(send: Send, everything: list[tuple[Any, ...]]) -> None:
    query = Query("accounts", ("accountid",), expand=(Expand("primarycontactid", ("fullname",)),))
    fields = (Field("accountid", UUID), Field("fullname", VARCHAR, through=("primarycontactid",)))
    assert sorted(fetch(send, query, fields)) == sorted((row[0], row[5]) for row in everything)


def test_batches(send: Send) -> None:
    read = to_request(replace(ACCOUNTS, filter=Null(LOOKUP)))
    missing = HttpRequest("GET", "accounts(00000000-0000-0000-0000-000000000001)")
    first, failed, last = unpack(send(pack([read, missing, read], "batch_1", continue_on_error=True)), 3)
    assert isinstance(first, HttpResponse) and isinstance(last, HttpResponse) and isinstance(failed, HttpResponse)
    assert RowDecoder(FIELDS).decode(last.body) == RowDecoder(FIELDS).decode(first.body)
    with pytest.raises(DataverseError, match="0x80040217"):
        check(failed)
    assert len(unpack(send(pack([read, missing, read], "batch_1")), 3)) == 2
