"""Operators of conditions, with their null rules."""

from __future__ import annotations

import pytest

from tests.sandbox_fetchxml.conftest import IDS, Fetcher

EVERY = {"a", "b", "c", "d", "5% [x]"}


def values(*items: object) -> str:
    return "".join(f"<value>{item}</value>" for item in items)


def condition(attribute: str, operator: str, value: object = None, inner: str = "") -> str:
    given = f" value='{value}'" if value is not None else ""
    return f"<condition attribute='{attribute}' operator='{operator}'{given}>{inner}</condition>"


CASES = [
    (condition("revenue", "eq", "20.5"), {"b"}),
    (condition("revenue", "ne", "20.5"), EVERY - {"b"}),
    (condition("revenue", "neq", "20.50"), EVERY - {"b"}),
    (condition("revenue", "gt", 10), {"b", "c"}),
    (condition("revenue", "ge", 10), {"a", "b", "c"}),
    (condition("revenue", "lt", 30), {"a", "b"}),
    (condition("revenue", "le", 30), {"a", "b", "c"}),
    (condition("address1_city", "eq", "OSLO"), {"a", "b"}),
    (condition("address1_city", "eq", "orebro"), {"5% [x]"}),
    (condition("name", "like", "fx _"), {"a", "b", "c", "d"}),
    (condition("name", "like", "%[ab]"), {"a", "b"}),
    (condition("address1_city", "not-like", "os%"), EVERY - {"a", "b"}),
    (condition("address1_city", "begins-with", "OS"), {"a", "b"}),
    (condition("address1_city", "not-begin-with", "os"), EVERY - {"a", "b"}),
    (condition("address1_city", "ends-with", "ME"), {"c"}),
    (condition("address1_city", "not-end-with", "me"), EVERY - {"c"}),
    (condition("address1_city", "null"), {"d"}),
    (condition("address1_city", "not-null"), EVERY - {"d"}),
    (condition("address1_city", "in", inner=values("oslo", "Rome")), {"a", "b", "c"}),
    (condition("industrycode", "in", inner=values(1, 3)), {"a", "c"}),
    (condition("industrycode", "not-in", inner=values(1, 3)), EVERY - {"a", "c"}),
    (condition("revenue", "between", inner=values(10, "20.5")), {"a", "b"}),
    (condition("revenue", "not-between", inner=values(10, "20.5")), EVERY - {"a", "b"}),
    (condition("creditonhold", "eq", 1), {"a"}),
    (condition("creditonhold", "eq", "false"), EVERY - {"a"}),
    (condition("lastonholdtime", "on", "2024-01-31"), {"a"}),
    (condition("lastonholdtime", "on-or-before", "2024-01-31"), {"a", "c"}),
    (condition("lastonholdtime", "on-or-after", "2024-01-31"), {"a", "b"}),
    (condition("lastonholdtime", "in-fiscal-year", 2024), {"a", "b"}),
    (condition("lastonholdtime", "in-fiscal-period", 4), {"c"}),
    (condition("lastonholdtime", "in-fiscal-period-and-year", inner=values(1, 2024)), {"a", "b"}),
    (condition("lastonholdtime", "in-or-before-fiscal-period-and-year", inner=values(4, 2023)), {"c"}),
    (condition("lastonholdtime", "in-or-after-fiscal-period-and-year", inner=values(4, 2023)), {"a", "b", "c"}),
    (condition("lastonholdtime", "olderthan-x-years", 1), {"a", "b", "c"}),
    (condition("lastonholdtime", "last-x-hours", 1), set()),
    (condition("createdon", "today"), EVERY),
    (condition("createdon", "this-month"), EVERY),
    (condition("createdon", "this-fiscal-year"), EVERY),
    (condition("createdon", "last-seven-days"), EVERY),
    (condition("createdon", "last-x-days", 1), EVERY),
    (condition("lastonholdtime", "next-x-weeks", 2), set()),
    (condition("createdon", "yesterday"), set()),
    (condition("createdon", "last-x-fiscal-periods", 2), set()),
    (condition("ownerid", "eq-userid"), EVERY),
    (condition("ownerid", "ne-userid"), set()),
    (condition("ownerid", "eq-useroruserteams"), EVERY),
    (condition("owningbusinessunit", "eq-businessid"), EVERY),
    (condition("accountid", "under", IDS[0]), {"b", "c"}),
    (condition("accountid", "eq-or-under", IDS[0]), {"a", "b", "c"}),
    (condition("accountid", "not-under", IDS[0]), EVERY - {"b", "c"}),
    (condition("accountid", "above", IDS[2]), {"a", "b"}),
    (condition("accountid", "eq-or-above", IDS[2]), {"a", "b", "c"}),
    (condition("primarycontactid", "eq", f"{{{IDS[10].upper()}}}"), {"a"}),
    ("<condition attribute='name' operator='eq' valueof='description'/>", {"d"}),
    ("<condition attribute='name' operator='ne' valueof='description'/>", {"5% [x]"}),
    ("<condition attribute='description' operator='ne' valueof='name'/>", {"a", "b", "c", "5% [x]"}),
    (
        f"<filter type='or'>{condition('revenue', 'eq', 10)}<filter>{condition('revenue', 'ge', 30)}"
        f"{condition('address1_city', 'eq', 'rome')}</filter></filter>",
        {"a", "c"},
    ),
    ("<filter type='or'/>", EVERY),
    (condition("primarycontactidname", "like", "fx o%"), {"a"}),
    (condition("parentaccountidname", "null"), EVERY - {"b", "c"}),
    (condition("owneridtype", "eq", 8), EVERY),
    (condition("owneridtype", "eq", "team"), set()),
    (condition("creditonholdname", "eq", "yes"), {"a"}),
]


@pytest.mark.parametrize(("xml", "expected"), CASES, ids=[case[0][11:70] for case in CASES])
def test_conditions(fx: Fetcher, xml: str, expected: set[str]) -> None:
    assert {name.removeprefix("fx ") for name in fx.marked(xml)} == expected


@pytest.mark.parametrize(
    "operator",
    [
        "tomorrow",
        "next-seven-days",
        "last-week",
        "this-week",
        "next-week",
        "last-month",
        "next-month",
        "last-year",
        "this-year",
        "next-year",
        "last-fiscal-year",
        "next-fiscal-year",
        "last-fiscal-period",
        "this-fiscal-period",
        "next-fiscal-period",
    ],
)
def test_relative_dates_know_their_column(fx: Fetcher, operator: str) -> None:
    recent = fx.marked(condition("lastonholdtime" if operator.startswith("next") else "createdon", operator))
    assert len(recent) == (5 if operator.startswith("this") else 0)


@pytest.mark.parametrize(
    "operator",
    [
        f"{word}-x-{unit}"
        for word in ("last", "next")
        for unit in ("hours", "days", "weeks", "months", "years", "fiscal-years", "fiscal-periods")
    ]
    + [f"olderthan-x-{unit}" for unit in ("minutes", "hours", "days", "weeks", "months", "years")],
)
def test_numbered_dates(fx: Fetcher, operator: str) -> None:
    found, everyone = fx.marked(condition("modifiedon", operator, 3)), {f"fx {name}" for name in EVERY}
    assert found <= everyone
    if not operator.startswith("next"):  # rows of this very second may be among the next ones, older ones are not
        assert found in (set(), everyone)
    assert fx.fetch(f"<filter>{condition('modifiedon', operator, 'x')}</filter>").status == 400


def test_multi_select_values(fx: Fetcher) -> None:
    table = fx.sandbox.service.organisation.tables["contact"]
    multi = [column.name for column in table.columns.values() if column.kind == "MultiSelectPicklist"]
    if not multi:
        table = fx.sandbox.service.organisation.tables["new_sample"]
        multi = [column.name for column in table.columns.values() if column.kind == "MultiSelectPicklist"]
    name = multi[0]
    xml = (
        "<fetch><entity name='{}'><attribute name='{}'/><filter><condition attribute='{}' operator='{}'>"
        "<value>{}</value></condition></filter></entity></fetch>"
    )
    rows = [row[name] for row in fx.every(f"{table.set_name}?$select={name}")]
    value = next(text.split(",")[0] for text in rows if text)
    for operator, expected in (
        ("contain-values", [text for text in rows if text and value in text.split(",")]),
        ("not-contain-values", [text for text in rows if not text or value not in text.split(",")]),
    ):
        found = fx.get(f"{table.set_name}?fetchXml={xml.format(table.name, name, name, operator, value)}").rows
        assert sorted(row.get(name, "") for row in found) == sorted(text or "" for text in expected)
