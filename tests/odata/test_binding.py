"""Binding: parameters to values, NULL and unfit values as SQL sees them, and the simplification after it."""

from __future__ import annotations

import math
import operator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlalchemy_dynamics.errors import DataError, ProgrammingError
from sqlalchemy_dynamics.odata.binding import among, bind, compare, simplify
from sqlalchemy_dynamics.odata.filters import (
    All,
    Among,
    Both,
    Compare,
    CrmCall,
    Either,
    Filter,
    Has,
    Match,
    Never,
    Null,
    Parameter,
    Value,
)
from tests.odata.test_filters import ROWS, TREES, is_true

N, S = ("n",), ("s",)
NOT_NULL = Null(N, negated=True)


def n(op: str, value: int) -> Compare:
    return Compare(N, op, Value(value, "Edm.Int32"))


def p(key: int | str, edm: str = "Edm.Int32") -> Parameter:
    return Parameter(key, edm)


@pytest.mark.parametrize(
    ("wanted", "values", "expected"),
    [
        (Compare(N, "gt", p(1)), [5], n("gt", 5)),
        (Compare(N, "gt", p("low")), {"low": "5"}, n("gt", 5)),
        (n("gt", 5), [], n("gt", 5)),
        (Compare(N, "eq", p(1)), [None], Never()),
        (Compare(N, "ne", p(1)), [None], Never()),
        (Match(S, "contains", p(1, "Edm.String")), ["x"], Match(S, "contains", Value("x", "Edm.String"))),
        (Match(S, "contains", p(1, "Edm.String"), negated=True), [None], Never()),
        (Among(N, (p(1), Value(3, "Edm.Int32"))), [None], Among(N, (Value(3, "Edm.Int32"),))),
        (Among(N, (p(1), p(2))), [None, None], Never()),
        (Among(N, (p(1), Value(3, "Edm.Int32")), negated=True), [None], Never()),
        (Among(N, (p(1),)), [[1, 2, 1]], Among(N, (Value(1, "Edm.Int32"), Value(2, "Edm.Int32")))),
        (Among(N, (p(1),)), [()], Never()),
        (Among(N, (p(1),)), [2**31], Never()),
        (Among(N, (p(1),), negated=True), [5.5], NOT_NULL),
        (
            CrmCall("LastXDays", ("d",), (p(1, "Edm.Int64"),)),
            [7],
            CrmCall("LastXDays", ("d",), (Value(7, "Edm.Int64"),)),
        ),
        (CrmCall("LastXDays", ("d",), (p(1, "Edm.Int64"),)), [None], Never()),
        (Both((n("gt", 1), Compare(N, "lt", p(1)))), [None], Never()),
        (Either((n("gt", 1), Compare(N, "lt", p(1)))), [None], n("gt", 1)),
        (Has(("T",), Compare(N, "lt", p(1))), [None], Never()),
        (Has(("T",)), [], Has(("T",))),
        (Has(("T",), Compare(N, "lt", p(1)), negated=True), [None], Both(())),
        (Has(("T",), Both(()), negated=True), [], Has(("T",), negated=True)),
        (All(("T",), Compare(N, "lt", p(1))), [None], All(("T",), Never())),
        (Null(N), [], Null(N)),
        (n("gt", 2**40), [], Never()),
        (Both((Both(()), n("gt", 1))), [], n("gt", 1)),
        (Both((Both(()),)), [], Both(())),
        (Either((Both(()), n("gt", 1))), [], Both(())),
        (Has(("T",), Both(())), [], Has(("T",))),
        (All(("T",), Both(())), [], Both(())),
    ],
)
def test_bind(wanted: Filter, values: list[object] | dict[str, object], expected: Filter) -> None:
    assert bind(wanted, values) == expected


def test_a_missing_value_is_named() -> None:
    with pytest.raises(ProgrammingError, match="'low'"):
        bind(Compare(N, "eq", p("low")), {})


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(DataError, match=r"Edm\.Guid"):
        bind(Compare(("id",), "eq", p(1, "Edm.Guid")), ["abc"])


NUMBERS = st.sampled_from([-(2**40), -(2**31) - 1, -(2**31), 2**31 - 1, 2**31, 2**40, 5, Decimal("5.5"), -5.5, 5.0])
COLUMN = st.sampled_from([-(2**31), -6, -5, 4, 5, 6, 2**31 - 1, None])
DAYS = st.sampled_from([date(1, 1, 1), date(2020, 5, 5), datetime(2020, 5, 5), datetime(2020, 5, 5, 12), date.max])
DATES = st.sampled_from([date(1753, 1, 1), date(2020, 5, 4), date(2020, 5, 5), date(2020, 5, 6), date.max, None])
OPS = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])


@given(COLUMN, OPS, NUMBERS)
def test_numbers_outside_and_between_compare_as_in_sql(held: int | None, op: str, value: float) -> None:
    wanted = compare(N, op, value, "Edm.Int32")
    assert _true(wanted, held) == (held is not None and getattr(operator, op)(held, value))


@given(DATES, OPS, DAYS)
def test_days_against_moments_compare_as_in_sql(held: date | None, op: str, value: date) -> None:
    moment = value if isinstance(value, datetime) else datetime.combine(value, datetime.min.time())
    expected = held is not None and getattr(operator, op)(datetime.combine(held, datetime.min.time()), moment)
    assert _true(compare(N, op, value, "Edm.Date"), held) == expected


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2020, 1, 1, 0, 0, 3))


@given(MOMENTS, OPS, MOMENTS)
def test_fractions_of_a_second_compare_as_in_sql(held: datetime, op: str, value: datetime) -> None:
    stored = held.replace(microsecond=0, tzinfo=UTC)
    wanted = compare(N, op, value, "Edm.DateTimeOffset")
    assert _true(wanted, stored) == getattr(operator, op)(stored, value.replace(tzinfo=UTC))


def _true(wanted: Filter, held: object) -> bool:
    return not isinstance(wanted, Never) and is_true(wanted, {"n": held})


def test_moments_before_the_calendar_of_the_service_are_not_sent() -> None:
    assert compare(("d",), "ge", datetime.min, "Edm.DateTimeOffset") == Null(("d",), negated=True)
    first = datetime(1753, 1, 1, tzinfo=UTC)
    assert compare(("d",), "ge", first, "Edm.DateTimeOffset") == Compare(
        ("d",), "ge", Value(first, "Edm.DateTimeOffset")
    )


def test_among_keeps_distinct_canonical_values() -> None:
    upper, lower = "{7EB682F1-CA75-E511-80D4-00155D2A68D1}", "7eb682f1-ca75-e511-80d4-00155d2a68d1"
    assert among(("id",), [upper, lower, None], "Edm.Guid") == Among(("id",), (Value(lower, "Edm.Guid"),))


@given(TREES, ROWS)
def test_simplified_filters_mean_the_same(tree: Filter, row: dict[str, object]) -> None:
    simple = simplify(tree)
    assert (simple != Never() and is_true(simple, row)) == is_true(tree, row)


def test_simplified_nodes_are_flat() -> None:
    tree = Both((n("gt", 1), Both((n("lt", 9), Either((n("ne", 2), Never())))), n("gt", 1)))
    assert simplify(tree) == Both((n("gt", 1), n("lt", 9), n("ne", 2)))


@pytest.mark.parametrize("edm", ["Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Double"])
@pytest.mark.parametrize(
    ("value", "above"),
    [
        *((math.inf, True), (-math.inf, False), (math.nan, True), (10**400, True), (-(10**400), False)),
        *((Decimal("NaN"), True), (Decimal("sNaN"), True), (Decimal("-Infinity"), False), (Decimal("1e350"), True)),
    ],
)
def test_what_no_number_reaches_lies_above_or_below_all(edm: str, value: object, above: bool) -> None:
    assert compare(N, "eq", value, edm) == Never()
    assert compare(N, "ne", value, edm) == NOT_NULL
    assert compare(N, "lt", value, edm) == compare(N, "le", value, edm) == (NOT_NULL if above else Never())
    assert compare(N, "gt", value, edm) == compare(N, "ge", value, edm) == (Never() if above else NOT_NULL)
    assert among(N, [value, 1], edm) == among(N, [1], edm)
