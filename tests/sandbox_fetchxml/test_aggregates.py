"""Totals, groups and parts of dates, against the same sums made here."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox
from tests.sandbox_fetchxml.conftest import ALL, Fetcher

ONLY = "<filter><condition attribute='tickersymbol' operator='eq' value='FX'/></filter>"


def totals(fx: Fetcher, inner: str, table: str = "account", **headers: str) -> list[dict[str, Any]]:
    return fx.fetch(inner, "aggregate='true'", table, **headers).rows


def test_every_total(fx: Fetcher) -> None:
    row = totals(
        fx,
        "".join(
            f"<attribute name='{column}' alias='{alias}' aggregate='{method}'{more}/>"
            for column, alias, method, more in (
                ("accountid", "n", "count", ""),
                ("revenue", "valued", "countcolumn", ""),
                ("address1_city", "cities", "countcolumn", " distinct='true'"),
                ("revenue", "total", "sum", ""),
                ("revenue", "mean", "avg", ""),
                ("numberofemployees", "mean_of_whole", "avg", ""),
                ("revenue", "low", "min", ""),
                ("lastonholdtime", "last", "max", ""),
                ("creditlimit", "none", "sum", ""),
            )
        )
        + ONLY,
    )[0]
    assert row["n"] == 5 and row["valued"] == 3 and row["cities"] == 3
    assert row["total"] == 60.5 and abs(row["mean"] - 60.5 / 3) < 1e-6 and row["low"] == 10
    assert row["mean_of_whole"] == 2, "the mean of whole numbers is cut off"
    assert row["last"] == "2024-02-01T00:00:00Z" and row["none"] == 0


def test_groups(fx: Fetcher) -> None:
    rows = totals(
        fx,
        "<attribute name='address1_city' alias='city' groupby='true'/>"
        f"<attribute name='accountid' alias='n' aggregate='count'/>{ONLY}",
    )
    assert {row.get("city"): row["n"] for row in rows} == {"Oslo": 2, "Rome": 1, "örebro": 1, None: 1}


def test_group_order_and_labels(fx: Fetcher) -> None:
    rows = totals(
        fx,
        "<attribute name='industrycode' alias='kind' groupby='true'/>"
        "<attribute name='accountid' alias='n' aggregate='count'/>"
        "<order alias='n' descending='true'/><order alias='kind'/>",
        Prefer=ALL,
    )
    formatted = "kind@OData.Community.Display.V1.FormattedValue"
    keys = [(-row["n"], row.get(formatted, "").lower()) for row in rows]
    assert keys == sorted(keys) and len(rows) > 3
    assert all("@odata.etag" not in row for row in rows)


def test_groups_by_lookup(fx: Fetcher) -> None:
    rows = totals(
        fx,
        "<attribute name='parentcustomerid' alias='who' groupby='true'/>"
        "<attribute name='contactid' alias='n' aggregate='count'/>",
        "contact",
        Prefer=ALL,
    )
    expected = Counter(row["_parentcustomerid_value"] for row in fx.every("contacts?$select=_parentcustomerid_value"))
    assert {row.get("who"): row["n"] for row in rows} == expected
    kinds = {row["who@Microsoft.Dynamics.CRM.lookuplogicalname"] for row in rows if "who" in row}
    assert kinds <= {"account", "contact"} and kinds


@pytest.mark.parametrize(
    ("part", "of"),
    [
        ("day", lambda day: day.day),
        ("month", lambda day: day.month),
        ("year", lambda day: day.year),
        ("quarter", lambda day: (day.month + 2) // 3),
        ("fiscal-period", lambda day: f"Quarter {(day.month + 2) // 3} FY{day.year}"),
        ("fiscal-year", lambda day: f"FY{day.year}"),
        ("week", lambda day: int(day.strftime("%U")) + (0 if date(day.year, 1, 1).weekday() == 6 else 1)),
    ],
)
def test_parts_of_dates(fx: Fetcher, part: str, of: Any) -> None:
    rows = totals(
        fx,
        f"<attribute name='createdon' alias='part' groupby='true' dategrouping='{part}'/>"
        "<attribute name='accountid' alias='n' aggregate='count'/><order alias='part'/>",
    )
    days = [date.fromisoformat(row["createdon"][:10]) for row in fx.every("accounts?$select=createdon")]
    expected = Counter(map(of, sorted(days) if part.startswith("fiscal") else sorted(days, key=of)))
    assert [(row["part"], row["n"]) for row in rows] == list(expected.items())


def test_fiscal_labels(fx: Fetcher) -> None:
    row = totals(
        fx,
        "<attribute name='lastonholdtime' alias='p' groupby='true' dategrouping='fiscal-period'/>"
        f"<attribute name='lastonholdtime' alias='y' groupby='true' dategrouping='fiscal-year'/>{ONLY}"
        "<order alias='y' descending='true'/>",
        Prefer=ALL,
    )[0]
    formatted = "@OData.Community.Display.V1.FormattedValue"
    assert (row[f"p{formatted}"], row[f"y{formatted}"]) == ("Quarter 1 FY2024", "FY2024")
    year = totals(
        fx,
        "<attribute name='lastonholdtime' alias='y' groupby='true' dategrouping='year'/>"
        f"{ONLY}<order alias='y' descending='true'/>",
        Prefer=ALL,
    )[0]
    assert (year["y"], year[f"y{formatted}"]) == (2024, "2,024")


def test_totals_over_a_link(fx: Fetcher) -> None:
    link = (
        "<link-entity name='contact' from='parentcustomerid' to='accountid' alias='c' link-type='outer'>"
        "<attribute name='contactid' alias='n' aggregate='countcolumn'/>"
        "<attribute name='annualincome' alias='income' aggregate='sum'/></link-entity>"
    )
    rows = totals(fx, f"<attribute name='name' alias='who' groupby='true'/>{ONLY}{link}")
    assert {row["who"]: (row["n"], row.get("income")) for row in rows} == {
        "fx a": (2, 12),
        "fx b": (0, 0),
        "fx c": (1, 0),
        "fx d": (0, 0),
        "fx 5% [x]": (0, 0),
    }


def test_the_limit_of_rows(fx: Fetcher) -> None:
    count = "<attribute name='accountid' alias='n' aggregate='count'/>"
    assert fx.fetch(count, "aggregate='true' aggregatelimit='10'").error[:2] == (400, "0x8004E023")
    assert fx.fetch(f"{count}{ONLY}", "aggregate='true' aggregatelimit='5'").rows == [{"n": 5}]
    with Sandbox(rows=50, aggregate_limit=40) as small:
        assert Fetcher(small).fetch(count, "aggregate='true' aggregatelimit='60'").error[1] == "0x8004E023"


def test_pages_of_groups(fx: Fetcher) -> None:
    inner = "<attribute name='name' alias='who' groupby='true'/>"
    whole = totals(fx, inner, Prefer=ALL)
    first = fx.fetch(inner, "aggregate='true' count='7' page='1'", Prefer=ALL)
    second = fx.fetch(inner, "aggregate='true' count='7' page='2'", Prefer=ALL)
    assert first.json["@Microsoft.Dynamics.CRM.morerecords"] is True
    assert first.rows + second.rows == whole[:14]
