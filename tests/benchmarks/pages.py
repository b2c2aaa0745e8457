"""Pages of accounts as the service writes them: an etag per row, the currency that comes with money, paging cookies."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta

from sqlalchemy_dynamics.edm import INTEGER, MONEY, TIMESTAMPTZ, UUID, VARCHAR
from sqlalchemy_dynamics.odata.pages import Field

__all__ = ["FIELDS", "PAGE_ROWS", "SELECT", "next_link", "page", "rows"]

PAGE_ROWS = 5000
FIELDS = (
    Field("accountid", UUID),
    Field("name", VARCHAR),
    Field("accountnumber", VARCHAR),
    Field("revenue", MONEY),
    Field("numberofemployees", INTEGER),
    Field("createdon", TIMESTAMPTZ),
)
SELECT = ",".join(field.wire for field in FIELDS)
_CURRENCY = uuid.UUID(int=0xB7A1_0000_0000_4000_8000_0000_0000_0001)
_BEGAN = datetime(2015, 1, 1)


def rows(count: int, seed: int = 1) -> list[bytes]:
    """Return `count` rows as JSON; every tenth has neither revenue nor employees."""
    chance = random.Random(seed)
    return [_row(chance, number) for number in range(count)]


def page(made: list[bytes], link: str | None = None) -> bytes:
    """Return the reply that holds these rows, and the link to the next page."""
    tail = f',"@odata.nextLink":"{link}"'.encode() if link else b""
    head = b'{"@odata.context":"https://contoso.crm.dynamics.com/api/data/v9.2/$metadata#accounts(%s)","value":['
    return head % SELECT.encode() + b",".join(made) + b"]" + tail + b"}"


def next_link(root: str, number: int) -> str:
    """Return the link to page `number` (from 1) in the form of the service: a cookie in a cookie, encoded twice."""
    key = f"%257b{str(uuid.UUID(int=number)).upper()}%257d"
    inner = (
        f"%253ccookie%2520page%253d%2522{number - 1}%2522%253e%253caccountid%2520last%253d%2522{key}%2522%2520"
        f"first%253d%2522{key}%2522%2520%252f%253e%253c%252fcookie%253e"
    )
    cookie = f"%3Ccookie%20pagenumber=%22{number}%22%20pagingcookie=%22{inner}%22%20istracking=%22False%22%20/%3E"
    return f"{root}accounts?$select={SELECT}&$skiptoken={cookie}"


def _row(chance: random.Random, number: int) -> bytes:
    created = _BEGAN + timedelta(seconds=chance.randrange(3 * 10**8))
    known = number % 10 != 9
    return (
        f'{{"@odata.etag":"W/\\"{number + 10**7}\\"","accountid":"{uuid.UUID(int=chance.getrandbits(128))}",'
        f'"name":"Fabrikam Industries {number}","accountnumber":"ACC-{number:08}",'
        f'"revenue":{f"{chance.randrange(10**9)}.{chance.randrange(100):02}00" if known else "null"},'
        f'"_transactioncurrencyid_value":"{_CURRENCY}",'
        f'"numberofemployees":{chance.randrange(10**4) if known else "null"},"createdon":"{created.isoformat()}Z"}}'
    ).encode()
