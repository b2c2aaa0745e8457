"""Literals: what each Edm type accepts, its text, and that text and value are each other's inverse."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlalchemy_dynamics.errors import DataError, NotSupportedError
from sqlalchemy_dynamics.odata.literals import (
    convert,
    encode,
    escape_wildcards,
    function_text,
    json_value,
    literal,
    quote,
    string_list,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=10)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Edm.Guid": st.uuids(),
    "Edm.String": TEXT,
    "Edm.Byte": st.integers(0, 255),
    "Edm.Int16": st.integers(-(2**15), 2**15 - 1),
    "Edm.Int32": st.integers(-(2**31), 2**31 - 1),
    "Edm.Int64": st.integers(-(2**63), 2**63 - 1),
    "Edm.Decimal": DECIMALS,
    "Edm.Single": st.floats(allow_nan=False, allow_infinity=False),
    "Edm.Double": st.floats(allow_nan=False, allow_infinity=False),
    "Edm.Boolean": st.booleans(),
    "Edm.DateTimeOffset": st.datetimes() | st.datetimes(timezones=st.just(timezone(timedelta(hours=5.5)))),
    "Edm.Date": st.dates(),
    "Edm.Binary": st.binary(),
    "Edm.TimeOfDay": st.times(),
    "Edm.Duration": st.timedeltas(timedelta(-(10**6)), timedelta(10**6)),
}
ANY = st.sampled_from(sorted(VALUES)).flatmap(lambda edm: st.tuples(st.just(edm), VALUES[edm]))


@given(ANY)
def test_text_and_value_are_inverse(case: tuple[str, Any]) -> None:
    edm, value = case
    try:
        canonical = convert(value, edm)
    except DataError:  # an offset that leads out of the calendar
        assert isinstance(value, datetime) and value.year in (1, 9999)
        return
    assert convert(canonical, edm) == canonical
    assert convert(function_text(value, edm), edm) == canonical
    assert function_text(canonical, edm) == function_text(value, edm)


@given(TEXT)
def test_quoted_text_comes_back_after_encoding(text: str) -> None:
    sent = encode(literal(text, "Edm.String"))
    assert re.fullmatch(r"[A-Za-z0-9%'~._-]*", sent)
    assert unquote(sent)[1:-1].replace("''", "'") == text


@given(st.lists(TEXT))
def test_string_lists_come_back_after_encoding(texts: list[str]) -> None:
    sent = encode(string_list(texts))
    assert not re.search(r"[+&#\s\"]", sent)
    assert json.loads(unquote(sent)) == texts


GUID = "7eb682f1-ca75-e511-80d4-00155d2a68d1"


@pytest.mark.parametrize(
    ("value", "edm", "text"),
    [
        (uuid.UUID(GUID), "Edm.Guid", GUID),
        ("{7EB682F1-CA75-E511-80D4-00155D2A68D1}", "Edm.Guid", GUID),
        ("O'Brian", "Edm.String", "'O''Brian'"),
        ("", "Edm.String", "''"),
        (5, "Edm.Int32", "5"),
        (5.0, "Edm.Int32", "5"),
        (Decimal("5.00"), "Edm.Int64", "5"),
        (" 5 ", "Edm.Int32", "5"),
        ("5.0", "Edm.Int32", "5"),
        (Decimal("1.50"), "Edm.Decimal", "1.50"),
        (Decimal("1E+3"), "Edm.Decimal", "1000"),
        (Decimal("-0E+5"), "Edm.Decimal", "0"),
        (Decimal("1E-10"), "Edm.Decimal", "0.0000000001"),
        (7, "Edm.Decimal", "7"),
        (0.1, "Edm.Decimal", "0.1"),
        (47.6, "Edm.Double", "47.6"),
        (Decimal("47.6"), "Edm.Double", "47.6"),
        (True, "Edm.Boolean", "true"),
        (0, "Edm.Boolean", "false"),
        ("TRUE", "Edm.Boolean", "true"),
        (datetime(2016, 9, 28, 22, 57, 53), "Edm.DateTimeOffset", "2016-09-28T22:57:53Z"),
        (datetime(2016, 9, 28, 22, 57, 53, 1000, UTC), "Edm.DateTimeOffset", "2016-09-28T22:57:53.001000Z"),
        ("2016-09-29T00:57:53+02:00", "Edm.DateTimeOffset", "2016-09-28T22:57:53Z"),
        ("2016-09-28 22:57", "Edm.DateTimeOffset", "2016-09-28T22:57:00Z"),
        (date(2016, 9, 28), "Edm.DateTimeOffset", "2016-09-28T00:00:00Z"),
        (date(2016, 9, 28), "Edm.Date", "2016-09-28"),
        (datetime(2016, 9, 28), "Edm.Date", "2016-09-28"),
        ("2016-09-28T00:00:00Z", "Edm.Date", "2016-09-28"),
        (b"\x00\xff", "Edm.Binary", "binary'AP8='"),
        ("_-8=", "Edm.Binary", "binary'/+8='"),
        (time(8, 5), "Edm.TimeOfDay", "08:05:00"),
        (timedelta(days=-1, hours=-2), "Edm.Duration", "duration'-P1DT7200S'"),
        ("PT1H30M", "Edm.Duration", "duration'P0DT5400S'"),
    ],
)
def test_literals(value: object, edm: str, text: str) -> None:
    assert literal(value, edm) == text


@pytest.mark.parametrize(
    ("value", "edm"),
    [
        ("no guid", "Edm.Guid"),
        (5, "Edm.Guid"),
        (5, "Edm.String"),
        ("half \ud800", "Edm.String"),
        (2**31, "Edm.Int32"),
        (-1, "Edm.Byte"),
        (5.5, "Edm.Int32"),
        (float("nan"), "Edm.Int32"),
        (True, "Edm.Int32"),
        ("five", "Edm.Int32"),
        ("1_000", "Edm.Int32"),
        ("1e999999999", "Edm.Int64"),
        (None, "Edm.Int32"),
        (Decimal("NaN"), "Edm.Decimal"),
        (Decimal("1E+40"), "Edm.Decimal"),
        (float("inf"), "Edm.Decimal"),
        ("1_0", "Edm.Decimal"),
        ([], "Edm.Decimal"),
        (float("inf"), "Edm.Double"),
        (False, "Edm.Double"),
        (2, "Edm.Boolean"),
        ("yes", "Edm.Boolean"),
        ("tomorrow", "Edm.DateTimeOffset"),
        (5, "Edm.DateTimeOffset"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "Edm.DateTimeOffset"),
        (datetime(2016, 9, 28, 1), "Edm.Date"),
        ("2016-13-01", "Edm.Date"),
        ("*", "Edm.Binary"),
        (5, "Edm.Binary"),
        ("25:00", "Edm.TimeOfDay"),
        ("P", "Edm.Duration"),
        ("PT", "Edm.Duration"),
        (5, "Edm.Duration"),
    ],
)
def test_unfit_values_are_data_errors_that_name_the_type(value: object, edm: str) -> None:
    with pytest.raises(DataError, match=edm):
        literal(value, edm)


def test_unknown_types_are_not_supported() -> None:
    with pytest.raises(NotSupportedError, match=r"Edm\.Stream"):
        literal("x", "Edm.Stream")


def test_long_values_are_cut_in_the_message() -> None:
    with pytest.raises(DataError) as caught:
        convert("x" * 10_000, "Edm.Int32")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("value", "edm", "expected"),
    [
        (None, "Edm.Int32", None),
        ("5", "Edm.Int32", 5),
        (1.5, "Edm.Decimal", Decimal("1.5")),
        (1, "Edm.Boolean", True),
        ("it's", "Edm.String", "it's"),
        (uuid.UUID(GUID), "Edm.Guid", GUID),
        (b"\x00\xff", "Edm.Binary", "AP8="),
        (datetime(2016, 9, 28), "Edm.DateTimeOffset", "2016-09-28T00:00:00Z"),
    ],
)
def test_json_values(value: object, edm: str, expected: object) -> None:
    found = json_value(value, edm)
    assert found == expected and type(found) is type(expected)


def test_wildcards_are_bracketed() -> None:
    assert escape_wildcards("50%_[a]") == "50[%][_][[]a]"


def test_structure_stays_readable_and_values_do_not() -> None:
    text = "(a/b eq 'x & y+z#100%;@/') and c=@p1"
    assert encode(text) == "(a/b%20eq%20'x%20%26%20y%2Bz%23100%25%3B%40%2F')%20and%20c=@p1"
    assert encode("n($select=a;$expand=b)", ";") == "n($select=a;$expand=b)"
    assert quote("a'b") == "'a''b'"
