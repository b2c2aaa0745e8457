"""Stored forms, comparison keys and LIKE."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

import pytest

from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.schema import Column
from sqlalchemy_dynamics.sandbox.values import collate, fold, guid_key, scaled, store_value, t_like


def test_guid_order_is_sql_servers() -> None:
    ids = [
        "01000000-0000-0000-0000-000000000000",
        "00010000-0000-0000-0000-000000000000",
        "00000100-0000-0000-0000-000000000000",
        "00000001-0000-0000-0000-000000000000",
        "00000000-0100-0000-0000-000000000000",
        "00000000-0001-0000-0000-000000000000",
        "00000000-0000-0100-0000-000000000000",
        "00000000-0000-0001-0000-000000000000",
        "00000000-0000-0000-0001-000000000000",
        "00000000-0000-0000-0100-000000000000",
        "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-0000-010000000000",
    ]
    # the order `ORDER BY` gives in SQL Server: the last group weighs most, the first byte of the first group least
    ordered = sorted(ids, key=lambda text: cast("bytes", guid_key(text)))
    assert ordered[-1] == "00000000-0000-0000-0000-010000000000" and ordered[-2] == ids[10]
    assert ordered[-3] == "00000000-0000-0000-0100-000000000000"
    assert ordered[0] == "01000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("one", "other"), [("Ärzte", "arzte"), ("STRASSE", "straße"), ("a ", "A"), ("ﬁne", "FINE"), ("é", "É")]
)
def test_fold_makes_them_equal(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_sort_keys_put_symbols_before_digits_before_letters_and_hyphens_last() -> None:
    words = ["coop", "co-op", "_a", "1a", "[b]", "zebra", "éclair", "Eagle", "co op"]
    assert sorted(words, key=lambda word: str(collate(word))) == [
        "_a",
        "[b]",
        "1a",
        "co op",
        "coop",
        "co-op",
        "Eagle",
        "éclair",
        "zebra",
    ]


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("100%", "100[%]", 1),
        ("1000", "100[%]", 0),
        ("abc", "[a-c]bc", 1),
        ("dbc", "[^a-c]bc", 1),
        ("abc", "[^a-c]bc", 0),
        ("a_b", "a[_]b", 1),
        ("axb", "a_b", 1),
        ("Ärger", "[aä]rg%", 1),
        (None, "%", None),
        ("x]", "x]", 1),
        ("[x", "[[]x", 1),
    ],
)
def test_like_with_brackets(text: str | None, pattern: str, expected: int | None) -> None:
    assert t_like(text, pattern) == expected


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("Money", 12.34, 123400),
        ("Money", "922337203685477.58", 9223372036854775800),
        ("Money", -0.0001, -1),
        ("Decimal", "1.5", 15_000_000),
        ("Integer", 5, 5),
        ("Integer", "200", 200),
        ("Boolean", True, 1),
        ("Uniqueidentifier", "{0F6B2E2C-0000-4000-8000-00000000000A}", "0f6b2e2c-0000-4000-8000-00000000000a"),
        ("DateTime", "2024-01-01T10:00:00.999Z", "2024-01-01T10:00:00Z"),
        ("DateTime", "2024-01-01T10:00:00", "2024-01-01T10:00:00Z"),
        ("DateTime", "2024-01-01T10:00:00+05:30", "2024-01-01T04:30:00Z"),
        ("String", "", None),
        ("String", None, None),
        ("MultiSelectPicklist", "9, 1", "1,9"),
        ("Double", 47.639583, 47.64),
    ],
)
def test_stored_forms(kind: str, value: object, stored: object) -> None:
    assert store_value(Column("x", kind), value) == stored


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Integer", "x"),
        ("Integer", True),
        ("Integer", 1.5),
        ("Boolean", 1),
        ("Uniqueidentifier", "x"),
        ("DateTime", "soon"),
        ("DateTime", 5),
        ("DateTime", "1752-12-31T00:00:00Z"),
        ("String", 5),
        ("Money", "x"),
        ("MultiSelectPicklist", "a,b"),
    ],
)
def test_wrong_types_are_refused(kind: str, value: object) -> None:
    with pytest.raises(ODataError) as refusal:
        store_value(Column("x", kind), value)
    assert refusal.value.status == 400


def test_scaled_numbers_stay_exact_until_64_bits() -> None:
    assert scaled(Decimal("1234567.8901234567"), 10) == 12345678901234567
    assert isinstance(scaled(Decimal("99999999999.5"), 10), float)
