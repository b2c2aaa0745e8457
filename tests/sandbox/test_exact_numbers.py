"""Sums beyond 64 bits, and money beside decimals."""

from __future__ import annotations

from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox.sums import ExactSum

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
