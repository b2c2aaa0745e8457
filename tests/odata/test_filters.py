"""Filters: their text, and that the service's NULL rules make of it what SQL means."""

from __future__ import annotations

import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlalchemy_dynamics.errors import InternalError, NotSupportedError
from sqlalchemy_dynamics.odata.filter_text import render
from sqlalchemy_dynamics.odata.filters import (
    All,
    Among,
    Both,
    ColumnCompare,
    Compare,
    CrmCall,
    Either,
    Filter,
    Has,
    Match,
    Never,
    Null,
    Operand,
    Parameter,
    Value,
)
from tests.odata.server_rules import matches


def text(value: str) -> Value:
    return Value(value, "Edm.String")


def number(value: int) -> Value:
    return Value(value, "Edm.Int32")


NAME, CODE, OWNER = ("name",), ("code",), ("_ownerid_value",)
ONE, TWO = Compare(CODE, "eq", number(1)), Compare(CODE, "eq", number(2))
CRM = "Microsoft.Dynamics.CRM."


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Compare(NAME, "eq", text("O'Brian")), "name eq 'O''Brian'"),
        (Compare(("primarycontactid", "fullname"), "ge", text("M")), "primarycontactid/fullname ge 'M'"),
        (Compare(CODE, "ne", number(5)), "code ne 5 and code ne null"),
        (ColumnCompare(("a",), "gt", ("b",)), "a gt b"),
        (ColumnCompare(("a",), "ne", ("b",)), "a ne b and a ne null and b ne null"),
        (Null(NAME), "name eq null"),
        (Null(NAME, negated=True), "name ne null"),
        (Match(NAME, "contains", text("50%'")), "contains(name,'50[%]''')"),
        (Match(NAME, "startswith", text("a_["), negated=True), "not startswith(name,'a[_][[]') and name ne null"),
        (Among(CODE, (number(1),)), "code eq 1"),
        (Among(CODE, (number(1),), negated=True), "code ne 1 and code ne null"),
        (Among(CODE, (number(1), number(1), number(2))), "code eq 1 or code eq 2"),
        (Among(CODE, (number(1), number(2)), negated=True), "code ne 1 and code ne 2 and code ne null"),
        (
            Among(CODE, tuple(map(number, (1, 2, 3, 4)))),
            f"""{CRM}In(PropertyName='code',PropertyValues=["1","2","3","4"])""",
        ),
        (
            Among(OWNER, tuple(map(text, "abcd")), negated=True),
            f"""{CRM}NotIn(PropertyName='ownerid',PropertyValues=["a","b","c","d"]) and _ownerid_value ne null""",
        ),
        (
            Among(("parent", "code"), tuple(map(number, (1, 2, 3, 4)))),
            "parent/code eq 1 or parent/code eq 2 or parent/code eq 3 or parent/code eq 4",
        ),
        (CrmCall("Today", ("createdon",)), f"{CRM}Today(PropertyName='createdon')"),
        (
            CrmCall("LastXDays", ("createdon",), (Value(7, "Edm.Int64"),)),
            f"{CRM}LastXDays(PropertyName='createdon',PropertyValue=7)",
        ),
        (CrmCall("Under", OWNER, (text("a'b"),)), f"{CRM}Under(PropertyName='ownerid',PropertyValue='a''b')"),
        (
            CrmCall("InFiscalPeriodAndYear", ("d",), (Value(1, "Edm.Int64"), Value(2024, "Edm.Int64"))),
            f"{CRM}InFiscalPeriodAndYear(PropertyName='d',PropertyValue1=1,PropertyValue2=2024)",
        ),
        (
            CrmCall("DoesNotContainValues", ("colours",), (text("1"),)),
            f"""{CRM}DoesNotContainValues(PropertyName='colours',PropertyValues=["1"]) and colours ne null""",
        ),
        (CrmCall("NotEqualUserId", OWNER), f"{CRM}NotEqualUserId(PropertyName='ownerid') and _ownerid_value ne null"),
        (Both((ONE, Either((TWO, Null(NAME))))), "code eq 1 and (code eq 2 or name eq null)"),
        (Either((ONE, Both((TWO, Null(NAME))))), "code eq 1 or (code eq 2 and name eq null)"),
        (Either((ONE, Compare(NAME, "ne", text("x")))), "code eq 1 or (name ne 'x' and name ne null)"),
        (
            Both((Compare(CODE, "ne", number(1)), Compare(CODE, "ne", number(2)), Compare(CODE, "ne", number(3)))),
            "code ne 1 and code ne null and code ne 2 and code ne 3",
        ),
        (Both((ONE, Both((TWO, ONE)), ONE)), "code eq 1 and code eq 2"),
        (Both((Either((ONE, TWO)),)), "code eq 1 or code eq 2"),
        (Has(("Account_Tasks",)), "Account_Tasks/any()"),
        (
            Has(("Account_Tasks",), Both((Compare(("subject",), "ne", text("x")), Has(("Notes",), ONE)))),
            "Account_Tasks/any(o1:o1/subject ne 'x' and o1/subject ne null and o1/Notes/any(o2:o2/code eq 1))",
        ),
        (Both((Has(("Tasks",), ONE, negated=True), TWO)), "not Tasks/any(o1:o1/code eq 1) and code eq 2"),
        (All(("Account_Tasks",), ONE), "Account_Tasks/all(o1:o1/code eq 1)"),
        (All(("Account_Tasks",), Never()), "not Account_Tasks/any()"),
        (
            Has(("Tasks",), Among(CODE, tuple(map(number, (1, 2, 3, 4))))),
            "Tasks/any(o1:o1/code eq 1 or o1/code eq 2 or o1/code eq 3 or o1/code eq 4)",
        ),
    ],
)
def test_text(wanted: Filter, expected: str) -> None:
    rendered = render(wanted)
    assert rendered.text == expected
    assert rendered.aliases == ()


def test_values_with_quotes_travel_by_alias() -> None:
    rendered = render(Both((ONE, Among(NAME, tuple(map(text, ("OKafor", "O'Brian", "a", "b")))))))
    assert rendered.text == f"code eq 1 and {CRM}In(PropertyName=@p1,PropertyValues=@p2)"
    assert rendered.aliases == (("@p1", "'name'"), ("@p2", """["OKafor","O'Brian","a","b"]"""))


def test_without_aliases_such_values_become_a_chain() -> None:
    rendered = render(Among(NAME, tuple(map(text, ("a'", "b", "c", "d")))), aliases=False)
    assert rendered.text == "name eq 'a''' or name eq 'b' or name eq 'c' or name eq 'd'"
    assert rendered.aliases == ()


def test_unbound_parameters() -> None:
    wanted = Both(
        (Compare(NAME, "eq", Parameter(1, "Edm.String")), Among(CODE, (Parameter("step1.keys", "Edm.Int32"),)))
    )
    with pytest.raises(InternalError, match="parameter 1"):
        render(wanted)
    shown = render(wanted, placeholders=True)
    assert shown.text == f"name eq {{1}} and {CRM}In(PropertyName='code',PropertyValues=[{{step1.keys}}])"


def test_never_is_not_sent() -> None:
    with pytest.raises(InternalError, match="no row"):
        render(Never())


@pytest.mark.parametrize("wrong", [CrmCall("Today", ("parent", "createdon")), Has(("T",), CrmCall("Today", CODE))])
def test_functions_work_on_the_queried_table_only(wrong: Filter) -> None:
    with pytest.raises(NotSupportedError, match="Today"):
        render(wrong)


NUMBERS = st.integers(0, 3)
TEXTS = st.text("ab'%_[]*", max_size=3)
ROWS = st.fixed_dictionaries(
    {"n": st.none() | NUMBERS, "m": st.none() | NUMBERS, "s": st.none() | TEXTS, "t": st.none() | TEXTS}
)
OPS = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])
FLAG = st.booleans()
N_OPERANDS = st.lists(NUMBERS.map(number), min_size=1, max_size=6).map(tuple)
S_OPERANDS = st.lists(TEXTS.map(text), min_size=1, max_size=6).map(tuple)
LEAVES: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Compare, st.just(("n",)), OPS, NUMBERS.map(number)),
    st.builds(Compare, st.just(("s",)), OPS, TEXTS.map(text)),
    st.builds(ColumnCompare, st.just(("n",)), OPS, st.just(("m",))),
    st.builds(Null, st.sampled_from([("n",), ("s",)]), FLAG),
    st.builds(Match, st.just(("s",)), st.sampled_from(["contains", "startswith", "endswith"]), TEXTS.map(text), FLAG),
    st.builds(Among, st.just(("n",)), N_OPERANDS, FLAG),
    st.builds(Among, st.just(("t",)), S_OPERANDS, FLAG),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        .map(tuple)
        .flatmap(lambda terms: st.sampled_from([Both(terms), Either(terms)]))
    ),
    max_leaves=8,
)


def is_true(node: Any, row: dict[str, Any]) -> bool:
    """SQL's TRUE, straight from the tree's definition."""
    if isinstance(node, (Both, Either)):
        return (all if isinstance(node, Both) else any)(is_true(term, row) for term in node.terms)
    left = row[(node.left if isinstance(node, ColumnCompare) else node.path)[0]]
    if isinstance(node, Null):
        return (left is None) != node.negated
    if left is None:
        return False
    if isinstance(node, ColumnCompare):
        right = row[node.right[0]]
        return right is not None and bool(getattr(operator, node.op)(left, right))
    if isinstance(node, Among):
        return (left in [_constant(each) for each in node.operands]) != node.negated
    found = _constant(node.operand)
    if isinstance(node, Compare):
        return bool(getattr(operator, node.op)(left, found))
    tests = {"contains": found in left, "startswith": left.startswith(found), "endswith": left.endswith(found)}
    return bool(tests[node.kind] != node.negated)


def _constant(operand: Operand) -> Any:
    assert isinstance(operand, Value)
    return operand.value


@given(TREES, ROWS, FLAG)
def test_the_service_returns_what_sql_means(tree: Filter, row: dict[str, Any], aliases: bool) -> None:
    rendered = render(tree, aliases=aliases)
    assert matches(rendered.text, row, rendered.aliases) == is_true(tree, row), rendered
