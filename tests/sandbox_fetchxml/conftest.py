"""A sandbox with a few rows of known values beside the seeded ones, and a way to send FetchXML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox
from tests.sandbox.conftest import Answer, Client

ALL = 'odata.include-annotations="*"'
IDS = [f"00000000-0000-4000-8000-{number:012d}" for number in range(20)]


class Fetcher(Client):
    """Sends FetchXML."""

    def fetch(
        self, inner: str, attributes: str = "", table: str = "account", extra: str = "", **headers: str
    ) -> Answer:
        table_of = {"account": "accounts", "contact": "contacts", "opportunity": "opportunities"}
        xml = f"<fetch {attributes}><entity name='{table}'>{inner}</entity></fetch>"
        return self.get(f"{table_of[table]}?fetchXml={quote(xml, safe='')}{extra}", **headers)

    def marked(self, conditions: str, columns: str = "<attribute name='name'/>") -> set[str]:
        """The names of the known accounts that fulfil the conditions."""
        inner = f"{columns}<filter><condition attribute='tickersymbol' operator='eq' value='FX'/>{conditions}</filter>"
        return {row["name"] for row in self.fetch(inner).rows}


ACCOUNTS: list[dict[str, Any]] = [
    {
        "name": "fx a",
        "revenue": 10,
        "numberofemployees": 1,
        "address1_city": "Oslo",
        "industrycode": 1,
        "creditonhold": True,
        "lastonholdtime": "2024-01-31T23:30:00Z",
        "primarycontactid": IDS[10],
    },
    {
        "name": "fx b",
        "revenue": 20.5,
        "numberofemployees": 2,
        "address1_city": "Oslo",
        "industrycode": 2,
        "creditonhold": False,
        "lastonholdtime": "2024-02-01T00:00:00Z",
        "parentaccountid": IDS[0],
    },
    {
        "name": "fx c",
        "revenue": 30,
        "numberofemployees": 4,
        "address1_city": "Rome",
        "industrycode": 3,
        "creditonhold": False,
        "lastonholdtime": "2023-12-31T12:00:00Z",
        "parentaccountid": IDS[1],
    },
    {"name": "fx d", "description": "fx d", "creditonhold": False},
    {"name": "fx 5% [x]", "address1_city": "örebro", "description": "other", "creditonhold": False},
]
CONTACTS: list[dict[str, Any]] = [
    {
        "contactid": IDS[10],
        "lastname": "fx one",
        "fullname": "fx one",
        "parentcustomerid": IDS[0],
        "parentcustomerid:type": "account",
        "annualincome": 5,
    },
    {
        "contactid": IDS[11],
        "lastname": "fx two",
        "fullname": "fx two",
        "parentcustomerid": IDS[0],
        "parentcustomerid:type": "account",
        "annualincome": 7,
    },
    {
        "contactid": IDS[12],
        "lastname": "fx a",
        "fullname": "fx a",
        "parentcustomerid": IDS[2],
        "parentcustomerid:type": "account",
    },
]


@pytest.fixture(scope="module")
def fx() -> Iterator[Fetcher]:
    with Sandbox(rows=120, seed=5) as running:
        client = Fetcher(running)
        rows = [{"accountid": IDS[number], "tickersymbol": "FX", **row} for number, row in enumerate(ACCOUNTS)]
        assert client.control("POST", "rows", {"table": "account", "rows": rows}).status < 300
        assert client.control("POST", "rows", {"table": "contact", "rows": CONTACTS}).status < 300
        yield client
