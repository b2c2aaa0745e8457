"""Comparisons of one column together: what excludes each other, what adds nothing, what must stay."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product

import pytest

from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filters import Both, Compare, Either, Filter, Match, Never, Null, Parameter, Value

N, TEXT = ("n",), ("name",)


def number(op: str, value: object, edm: str = "Edm.Int32") -> Compare:
    return Compare(N, op, Value(value, edm))


def text(op: str, value: str) -> Compare:
    return Compare(TEXT, op, Value(value, "Edm.String"))


@pytest.mark.parametrize(
    "terms",
    [
        (number("eq", 1), number("eq", 2)),
        (number("gt", 5), number("lt", 5)),
        (number("ge", 5), number("lt", 5)),
        (number("gt", 7), number("le", 5)),
        (number("eq", 3), number("ne", 3)),
        (number("eq", 3), number("gt", 3)),
        (number("eq", 3), Null(N)),
        (Match(TEXT, "contains", Value("a", "Edm.String")), Null(TEXT)),
        (Null(N), Null(N, negated=True)),
    ],
)
def test_excluding_each_other(terms: tuple[Filter, ...]) -> None:
    assert simplify(Both(terms)) == Never()


def test_the_tightest_stay() -> None:
    terms = (number("ge", 1), number("lt", 9), number("gt", 3), number("le", 20), number("gt", 1), number("ne", 5))
    assert simplify(Both(terms)) == Both((number("lt", 9), number("gt", 3), number("ne", 5)))
    assert simplify(Both((number("ge", 4), number("gt", 4)))) == number("gt", 4)
    assert simplify(Both((number("eq", 4), number("ge", 1), Null(N, negated=True)))) == number("eq", 4)
    days = [Compare(("d",), "ge", Value(date(2024, month, 1), "Edm.Date")) for month in (1, 2)]
    assert simplify(Both(tuple(days))) == days[1]
    moment = Compare(N, "eq", Value(datetime(2024, 1, 1, tzinfo=UTC), "Edm.DateTimeOffset"))
    assert simplify(Both((moment, moment))) == moment


def test_texts_and_parameters_are_left_alone() -> None:
    for terms in (
        (text("eq", "a"), text("eq", "A")),
        (number("eq", 1), Compare(N, "eq", Parameter(1, "Edm.Int32"))),
        (number("eq", 1), Compare(("m",), "eq", Value(2, "Edm.Int32"))),
    ):
        assert simplify(Both(terms)) == Both(terms)


def test_alternatives_are_not_narrowed() -> None:
    either = Either((number("eq", 1), number("eq", 2)))
    assert simplify(either) == either


_OPS = {
    "eq": lambda one, two: one == two,
    "ne": lambda one, two: one != two,
    "gt": lambda one, two: one > two,
    "ge": lambda one, two: one >= two,
    "lt": lambda one, two: one < two,
    "le": lambda one, two: one <= two,
}


def _true(node: Filter, value: Decimal) -> bool:
    if isinstance(node, Both):
        return all(_true(term, value) for term in node.terms)
    if isinstance(node, Never):
        return False
    assert isinstance(node, Compare) and isinstance(node.operand, Value)
    return bool(_OPS[node.op](value, node.operand.value))


def test_every_three_comparisons_keep_their_meaning() -> None:
    leaves = [number(op, Decimal(value), "Edm.Decimal") for op in _OPS for value in (1, 2, 3)]
    values = [Decimal(half) / 2 for half in range(1, 8)]
    for terms in product(leaves, repeat=3):
        simple = simplify(Both(terms))
        assert [_true(simple, value) for value in values] == [_true(Both(terms), value) for value in values], terms
