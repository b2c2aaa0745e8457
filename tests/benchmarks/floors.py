"""The floors: what a bare loop over the same pages costs with other people's fastest libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import orjson
import urllib3

from tests.benchmarks.pages import SELECT

__all__ = ["httpx_bytes", "httpx_msgspec", "httpx_msgspec_streamed", "urllib3_bytes", "urllib3_orjson"]

_HEADERS = {"Accept": "application/json", "Authorization": "Bearer x", "OData-Version": "4.0"}
_NEXT = "@odata.nextLink"


class _Account(msgspec.Struct, gc=False):
    accountid: str | None = None
    name: str | None = None
    accountnumber: str | None = None
    revenue: Decimal | None = None
    numberofemployees: int | None = None
    createdon: datetime | None = None


class _Page(msgspec.Struct):
    value: list[_Account]
    link: str | None = msgspec.field(default=None, name=_NEXT)


def urllib3_bytes(root: str) -> Callable[[], int]:
    """Read every page and look at nothing but its length and its next link."""
    pool = urllib3.PoolManager()
    return lambda: sum(map(len, _bodies(root, lambda url: pool.request("GET", url, headers=_HEADERS).data)))


def httpx_bytes(root: str) -> Callable[[], int]:
    """The same with httpx."""
    client = httpx.Client(headers=_HEADERS)
    return lambda: sum(map(len, _bodies(root, lambda url: client.get(url).content)))


def urllib3_orjson(root: str) -> Callable[[], int]:
    """urllib3 and orjson to a list of tuples of JSON values (numbers as floats, times as text)."""
    pool = urllib3.PoolManager()

    def read() -> int:
        rows: list[tuple[Any, ...]] = []
        url: str | None = _first(root)
        while url is not None:
            reply = orjson.loads(pool.request("GET", url, headers=_HEADERS).data)
            rows += [
                (
                    row["accountid"],
                    row["name"],
                    row["accountnumber"],
                    row["revenue"],
                    row["numberofemployees"],
                    row["createdon"],
                )
                for row in reply["value"]
            ]
            url = reply.get(_NEXT)
        return len(rows)

    return read


def httpx_msgspec(root: str) -> Callable[[], int]:
    """httpx and msgspec to a list of tuples of typed values, as the driver gives them."""
    pages = _typed_pages(root)
    return lambda: len([row for page in pages() for row in page])


def httpx_msgspec_streamed(root: str) -> Callable[[], int]:
    """The same, one page in memory at a time."""
    pages = _typed_pages(root)
    return lambda: sum(map(len, pages()))


def _typed_pages(root: str) -> Callable[[], Iterator[list[tuple[Any, ...]]]]:
    client = httpx.Client(headers=_HEADERS)
    decoder = msgspec.json.Decoder(_Page)

    def pages() -> Iterator[list[tuple[Any, ...]]]:
        url: str | None = _first(root)
        while url is not None:
            reply = decoder.decode(client.get(url).content)
            yield list(map(msgspec.structs.astuple, reply.value))
            url = reply.link

    return pages


def _first(root: str) -> str:
    return f"{root}accounts?$select={SELECT}"


def _bodies(root: str, get: Callable[[str], bytes]) -> Iterator[bytes]:
    """The link is cut out of the last kilobyte, so that no JSON is read."""
    url: str | None = _first(root)
    while url is not None:
        body = get(url)
        yield body
        _, found, tail = body[-1024:].rpartition(b'"@odata.nextLink":"')
        url = tail.rstrip(b'"}').decode() if found else None
