"""All 69 query functions answer; those about time and the caller are checked against rows made for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox.csdl_fixed import QUERY_FUNCTIONS
from sqlalchemy_dynamics.sandbox.functions import BUILDERS
from sqlalchemy_dynamics.sandbox.periods import FIXED_PERIODS, NUMBERED_PERIODS, fiscal_period

NOW = datetime(2024, 5, 15, 13, 45, 30, tzinfo=UTC)  # a Wednesday


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T00:00:00+00:00")


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("Yesterday", "2024-05-14", "2024-05-15"),
        ("Today", "2024-05-15", "2024-05-16"),
        ("Tomorrow", "2024-05-16", "2024-05-17"),
        ("LastWeek", "2024-05-05", "2024-05-12"),
        ("ThisWeek", "2024-05-12", "2024-05-19"),
        ("NextWeek", "2024-05-19", "2024-05-26"),
        ("LastMonth", "2024-04-01", "2024-05-01"),
        ("ThisMonth", "2024-05-01", "2024-06-01"),
        ("NextMonth", "2024-06-01", "2024-07-01"),
        ("LastYear", "2023-01-01", "2024-01-01"),
        ("ThisYear", "2024-01-01", "2025-01-01"),
        ("NextYear", "2025-01-01", "2026-01-01"),
        ("ThisFiscalYear", "2024-01-01", "2025-01-01"),
        ("ThisFiscalPeriod", "2024-04-01", "2024-07-01"),
        ("LastFiscalPeriod", "2024-01-01", "2024-04-01"),
        ("NextFiscalPeriod", "2024-07-01", "2024-10-01"),
    ],
)
def test_calendar_units(name: str, start: str, end: str) -> None:
    assert FIXED_PERIODS[name](NOW) == (day(start), day(end))


def test_numbered_periods() -> None:
    assert NUMBERED_PERIODS["LastXDays"](NOW, 3)[0] == day("2024-05-12")
    assert NUMBERED_PERIODS["LastXHours"](NOW, 2)[0] == NOW.replace(hour=11, minute=0, second=0)
    assert NUMBERED_PERIODS["NextXMonths"](NOW.replace(month=1, day=31), 1)[1] == day("2024-03-01")
    assert NUMBERED_PERIODS["OlderThanXMinutes"](NOW, 30) == (None, NOW - timedelta(minutes=30))
    assert NUMBERED_PERIODS["OlderThanXYears"](NOW, 1) == (None, day("2023-05-15"))
    assert NUMBERED_PERIODS["LastXFiscalPeriods"](NOW, 2) == (day("2023-10-01"), day("2024-04-01"))
    assert fiscal_period(4, 2023) == (day("2023-10-01"), day("2024-01-01"))


def test_there_are_69_and_each_is_built() -> None:
    names = [name for group in QUERY_FUNCTIONS.values() for name in group]
    assert len(names) == 69 and set(names) == set(BUILDERS)


ARGUMENTS = {
    "PropertyValues": '["1","2"]',
    "PropertyValue1": "2",
    "PropertyValue2": "2023",
}


def column_for(name: str) -> tuple[str, str]:
    if "ContainValues" in name:
        return "new_samples", "new_colors"
    if name in ("In", "NotIn", "Between", "NotBetween", "EqualUserLanguage"):
        return "accounts", "numberofemployees"
    if "Under" in name or "Above" in name:
        return "accounts", "accountid"
    return "accounts", "ownerid" if "User" in name else "owningbusinessunit" if "Business" in name else "createdon"


@pytest.mark.parametrize("name", sorted(set(BUILDERS) - {"Contains"}))
def test_each_function_answers_over_http(client: Any, name: str) -> None:
    parameters = next(p for p, names in QUERY_FUNCTIONS.items() if name in names)
    table, column = column_for(name)
    text = f"PropertyName='{column}'"
    for parameter, kind in parameters:
        value = ARGUMENTS.get(parameter)
        if value is None and kind == "Edm.String":
            value = (
                "'2020-05-05'" if name.startswith("On") else f"'{client.get('accounts?$top=1').rows[0]['accountid']}'"
            )
        text += f",{parameter}={value or '3'}"
    answer = client.get(f"{table}?$select=statecode&$top=5&$filter=Microsoft.Dynamics.CRM.{name}({text})")
    assert answer.status == 200, answer.body
    assert isinstance(answer.rows, list)


def test_relative_dates_find_rows_around_now(client: Any) -> None:
    now = datetime.now(UTC)
    moments = {"old": now - timedelta(days=400), "hour": now - timedelta(minutes=50), "ahead": now + timedelta(days=2)}
    client.control(
        "POST",
        "rows",
        {
            "table": "new_sample",
            "rows": [
                {"new_name": f"relative {name}", "new_moment": moment.isoformat()} for name, moment in moments.items()
            ],
        },
    )

    def found(call: str) -> set[str]:
        rows = client.get(
            f"new_samples?$select=new_name&$filter=startswith(new_name,'relative') and Microsoft.Dynamics.CRM.{call}"
        ).rows
        return {row["new_name"].split()[1] for row in rows}

    assert found("LastXHours(PropertyName='new_moment',PropertyValue=1)") == {"hour"}
    assert found("NextXDays(PropertyName='new_moment',PropertyValue=3)") == {"ahead"}
    assert found("OlderThanXMonths(PropertyName='new_moment',PropertyValue=6)") == {"old"}
    assert found("LastXYears(PropertyName='new_moment',PropertyValue=2)") == {"old", "hour"}
    assert found("Next7Days(PropertyName='new_moment')") == {"ahead"}


def test_functions_about_the_caller(client: Any) -> None:
    me = client.get("WhoAmI").json
    mine = client.get(
        "accounts?$select=_ownerid_value&$filter=Microsoft.Dynamics.CRM.EqualUserId(PropertyName='ownerid')"
    ).rows
    assert mine and {row["_ownerid_value"] for row in mine} == {me["UserId"]}
    others = client.get(
        "accounts?$select=name&$filter=Microsoft.Dynamics.CRM.NotEqualUserId(PropertyName='ownerid')"
    ).rows
    assert len(mine) + len(others) == 300
    teams = {
        team["teamid"]
        for team in client.get(f"systemusers({me['UserId']})/teammembership_association?$select=name").rows
    }
    by_team = client.get(
        "accounts?$select=_ownerid_value&$filter=Microsoft.Dynamics.CRM.EqualUserTeams(PropertyName='ownerid')"
    )
    assert {row["_ownerid_value"] for row in by_team.rows} <= teams
