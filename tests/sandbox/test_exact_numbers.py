"""Sums beyond 64 bits, and money beside decimals."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from sqlalchemy_dynamics.sandbox import Sandbox
from sqlalchemy_dynamics.sandbox.sums import ExactSum
from tests.sandbox.conftest import Client

LARGEST = "922337203685477"


def _sum(*values: object) -> object:
    total = ExactSum()
    for value in values:
        total.step(value)
    return total.finalize()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), None),
        ((None,), None),
        ((1, None, 2), 3),
        ((2**63 - 1, 1), str(2**63)),
        ((-(2**63), -1), str(-(2**63) - 1)),
        ((1, 0.5), 1.5),
        ((0.0,), 0.0),
    ],
)
def test_exact_sum(values: tuple[object, ...], expected: object) -> None:
    assert _sum(*values) == expected


@pytest.mark.parametrize("method", ["sum", "average"])
def test_money_that_outgrows_64_bits(client: Any, method: str) -> None:
    for _ in range(3):
        body = f'{{"name":"largest","revenue":{LARGEST}.0000}}'.encode()
        assert client.send("POST", "accounts", body).status == 204
    path = f"accounts?$apply=filter(name eq 'largest')/aggregate(revenue with {method} as x)"
    expected = {"sum": f"{int(LARGEST) * 3}.000000000", "average": f"{LARGEST}.000000000"}[method]
    assert f'"x":{expected}'.encode() in client.get(path).body


def test_money_and_decimals_compare_by_value(client: Any) -> None:
    body = b'{"name":"scales","revenue":5}'
    assert client.send("POST", "accounts", body).status == 204
    path = "accounts?$select=name,revenue,exchangerate&$filter=name eq 'scales' and revenue"
    row = client.get(f"{path} ne null").rows[0]
    assert row["exchangerate"] < 5
    assert len(client.get(f"{path} gt exchangerate").rows) == 1
    assert client.get(f"{path} lt exchangerate").rows == []


def decimals(org: Sandbox, precision: int, **more: object) -> None:
    """Make, or with `more` change, a decimal column."""
    body: dict[str, object] = {"@odata.type": "Microsoft.Dynamics.CRM.DecimalAttributeMetadata"}
    body |= {"SchemaName": "new_Wide", "Precision": precision, **more}
    path = "EntityDefinitions(LogicalName='account')/Attributes"
    reply = httpx.request(
        "PUT" if more else "POST",
        f"{org.url}/api/data/v9.2/{path}" + ("(LogicalName='new_wide')" if more else ""),
        json=body,
        headers={"Authorization": f"Bearer {org.access_token}"},
    )
    assert reply.status_code == 204, reply.text


@pytest.mark.parametrize(
    ("precision", "largest"),
    [(0, "99999999999"), (5, "99999999999.99999"), (6, "99999999999.999999"), (7, "-99999999999.9999999"),
     (8, "92233720368.12345678"), (10, "922337203.1234567891")],
)  # fmt: skip
def test_decimals_are_exact_over_their_range(precision: int, largest: str) -> None:
    with Sandbox(rows=2) as org:
        decimals(org, precision)
        client = Client(org)
        (row, other) = client.get("accounts?$select=accountid").rows
        for row_id, number in ((row["accountid"], largest), (other["accountid"], "1")):
            assert client.send("PATCH", f"accounts({row_id})", f'{{"new_wide":{number}}}'.encode()).status == 204
        whole, _, places = largest.partition(".")
        shown = f'"new_wide":{whole}.{places.ljust(10, "0")}'.encode()
        found = client.get(f"accounts?$select=new_wide&$filter=new_wide eq {largest}").body
        assert found.count(b'"accountid"') == 1 and shown in found
        assert shown in client.get(f"accounts({row['accountid']})/new_wide").body.replace(b'"value"', b'"new_wide"')
        top = "max" if largest[0] != "-" else "min"
        assert (
            shown.replace(b"new_wide", b"x") in client.get(f"accounts?$apply=aggregate(new_wide with {top} as x)").body
        )
        total = Decimal(largest) + 1
        answer = client.get("accounts?$apply=aggregate(new_wide with sum as x)").body.decode()
        assert Decimal(re.findall(r'"x":([-\d.]+)', answer)[0]) == total


def test_a_new_precision_keeps_the_values() -> None:
    with Sandbox(rows=1) as org:
        decimals(org, 3)
        client = Client(org)
        (row,) = client.get("accounts?$select=accountid").rows
        assert client.send("PATCH", f"accounts({row['accountid']})", b'{"new_wide":12345678.125}').status == 204
        for precision in (10, 8, 2):
            decimals(org, precision, MinValue=-100000000000)
            assert b'"new_wide":12345678.1250000000' in client.get("accounts?$select=new_wide").body
            assert len(client.get("accounts?$select=new_wide&$filter=new_wide gt 12345678.124").rows) == 1


def test_decimals_of_different_precision_compare_by_value(client: Any) -> None:
    body = b'{"new_name":"precise","new_ratio":1.5,"new_exact":1.5}'
    assert client.send("POST", "new_samples", body).status == 204
    path = "new_samples?$select=new_name&$filter=new_name eq 'precise' and new_ratio"
    assert len(client.get(f"{path} eq new_exact").rows) == 1
    assert client.get(f"{path} lt new_exact").rows == []
    fetch = (
        "<fetch><entity name='new_sample'><attribute name='new_name'/><filter><condition attribute='new_name' "
        "operator='eq' value='precise'/><condition attribute='new_ratio' operator='eq' valueof='new_exact'/></filter>"
        "</entity></fetch>"
    )
    assert len(client.get(f"new_samples?fetchXml={quote(fetch)}").rows) == 1
