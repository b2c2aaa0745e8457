"""The next link is found where the service writes it, and wherever else it may stand."""

from __future__ import annotations

import json

import pytest

from sqlalchemy_dynamics.odata.links import next_link

LINK = "https://host/api/data/v9.2/accounts?$select=name&$skiptoken=%3Ccookie%20pagenumber=%222%22%20/%3E"
NEXT = {"@odata.nextLink": LINK}
ROWS = {"value": [{"name": 'a "quoted" @odata.nextLink":"', "inner": {"@odata.nextLink": "x"}}]}


@pytest.mark.parametrize(
    "reply",
    [
        ROWS | NEXT,
        NEXT | ROWS,
        ROWS | NEXT | {"@odata.count": 2},
        ROWS | NEXT | {"x": {}},
        ROWS | {"x": {"@odata.nextLink": "inner"}},
        ROWS | {"@odata.nextLink": LINK + "é"},
        ROWS | {"@odata.nextLink": LINK + '"\\'},
        ROWS | {"@odata.nextLink": ""},
        ROWS | {"@odata.nextLink": None},
        ROWS | {"x@odata.nextLink": LINK},
        ROWS,
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("plain", [True, False])
def test_the_link_is_that_of_the_reply(reply: dict[str, object], separators: tuple[str, str], plain: bool) -> None:
    body = json.dumps(reply, separators=separators, ensure_ascii=plain).encode()
    assert next_link(body) == reply.get("@odata.nextLink")


def test_a_link_far_from_the_end_is_found() -> None:
    body = json.dumps(NEXT | {"value": [{"name": "x" * 100_000}]}).encode()
    assert next_link(body) == LINK


def test_a_mark_before_the_page_does_no_harm() -> None:
    body = json.dumps(ROWS | NEXT, separators=(",", ":")).encode("utf-8-sig")
    assert next_link(body) == LINK


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"value":[', b'{"value":[],"@odata.nextLink":"https://ho'])
def test_what_is_no_page_has_no_link(body: bytes) -> None:
    assert next_link(body) is None
