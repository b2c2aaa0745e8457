"""The preview parameter `?sql=`: what it understands, what it refuses, how rows come."""
# ruff: noqa: E501 - statements read best on one line

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox.sql_text import Condition, Group, Name, SqlSyntax, parse_sql


def sql(client: Any, text: str, **headers: str) -> Any:
    from urllib.parse import quote

    table = text.split("FROM ")[1].split()[0] if "FROM " in text else "account"
    return client.get(f"{table}s?sql={quote(text)}", **headers)


def test_rows_omit_nulls_and_carry_the_key(client: Any) -> None:
    answer = sql(
        client,
        "SELECT name, numberofemployees AS people FROM account WHERE numberofemployees IS NULL OR numberofemployees > 10 ORDER BY name",
    )
    assert answer.json["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1
    rows = answer.rows
    assert any("people" not in row for row in rows) and all("accountid" in row for row in rows)
    some = next(row for row in rows if "people" in row)
    assert some["people@OData.Community.Display.V1.AttributeName"] == "numberofemployees"
    odata = client.get(
        "accounts?$select=name&$filter=numberofemployees eq null or numberofemployees gt 10&$orderby=name"
    ).rows
    assert [row["accountid"] for row in rows] == [row["accountid"] for row in odata]


PAIRS = [
    ("name LIKE 'co%'", "startswith(name,'co')"),
    ("industrycode IN (1, 3)", "(industrycode eq 1 or industrycode eq 3)"),
    ("revenue BETWEEN 100 AND 100000.5", "(revenue ge 100 and revenue le 100000.5)"),
    (
        "statecode <> 0 AND (industrycode = 1 OR industrycode = 2)",
        "(statecode eq 1 and (industrycode eq 1 or industrycode eq 2))",
    ),
    ("createdon >= '2020-01-01'", "createdon ge 2020-01-01"),
    ("followemail = 1", "followemail eq true"),
    ("primarycontactid IS NOT NULL", "_primarycontactid_value ne null"),
    ("name NOT LIKE '%o%'", "(not contains(name,'o') and name ne null)"),
]


@pytest.mark.parametrize(("where", "odata"), PAIRS, ids=[pair[0] for pair in PAIRS])
def test_conditions(client: Any, where: str, odata: str) -> None:
    found = {row["accountid"] for row in sql(client, f"SELECT accountid FROM account WHERE {where}").rows}
    assert found == {row["accountid"] for row in client.get(f"accounts?$select=name&$filter={odata}").rows}


def test_joins(client: Any) -> None:
    inner = sql(
        client,
        "SELECT a.name, c.fullname FROM account AS a INNER JOIN contact AS c ON a.primarycontactid = c.contactid",
    ).rows
    left = sql(
        client, "SELECT a.name, c.fullname FROM account a LEFT OUTER JOIN contact c ON a.primarycontactid = c.contactid"
    ).rows
    have = client.get("accounts?$select=name&$filter=_primarycontactid_value ne null").rows
    assert len(inner) == len(have) and len(left) == 300 and all("c.fullname" in row for row in inner)


def test_groups_and_aggregates(client: Any) -> None:
    groups = sql(
        client, "SELECT industrycode, COUNT(*) AS n, SUM(revenue) AS total FROM account GROUP BY industrycode"
    ).rows
    apply = client.get("accounts?$apply=groupby((industrycode),aggregate($count as n,revenue with sum as total))").rows
    assert sorted(map(str, groups)) == sorted(map(str, apply))
    distinct = sql(client, "SELECT DISTINCT address1_city FROM account").rows
    assert len(distinct) == len(client.get("accounts?$apply=groupby((address1_city))").rows)
    counts = sql(
        client, "SELECT COUNT(industrycode) AS filled, COUNT(DISTINCT industrycode) AS kinds FROM account"
    ).rows[0]
    assert counts["kinds"] == sum("industrycode" in row for row in apply) and counts["filled"] < 300


def test_top_offset_and_paging(client: Any) -> None:
    every = [row["accountid"] for row in sql(client, "SELECT name FROM account ORDER BY name").rows]
    assert [r["accountid"] for r in sql(client, "SELECT TOP 7 name FROM account ORDER BY name").rows] == every[:7]
    window = sql(client, "SELECT name FROM account ORDER BY name OFFSET 10 ROWS FETCH NEXT 5 ROWS ONLY").rows
    assert [r["accountid"] for r in window] == every[10:15]
    paged = client.every("accounts?sql=SELECT name FROM account ORDER BY name", Prefer="odata.maxpagesize=90")
    assert [r["accountid"] for r in paged] == every


REFUSED = [
    "SELECT * FROM account",
    "SELECT name FROM account HAVING 1 = 1",
    "SELECT name FROM account UNION SELECT name FROM account",
    "SELECT a.name FROM account a RIGHT JOIN contact c ON a.accountid = c.contactid",
    "SELECT UPPER(name) FROM account",
    "SELECT name FROM account WHERE name = accountnumber",
    "SELECT name FROM account WHERE revenue + 1 = 2",
    "SELECT nope FROM account",
    "SELECT name FROM account WHERE industrycode IN (SELECT industrycode FROM account)",
    "SELECT name, COUNT(*) AS n FROM account",
    "SELECT SUM(statecode) AS s FROM account",
    "SELECT name FROM account ORDER BY",
    "DELETE FROM account",
    "SELECT fullname FROM contact",
]


@pytest.mark.parametrize("text", REFUSED)
def test_refusals(client: Any, text: str) -> None:
    answer = client.get(f"accounts?sql={text.replace('+', '%2B')}")
    assert answer.status == 400 and answer.error[1] in ("0x80040203", "0x8004112f")


def test_switched_off(client: Any, sandbox: Any) -> None:
    service, before = sandbox.service, sandbox.service.switches
    service.switches = replace(before, sql_parameter=False)
    try:
        assert client.get("accounts?sql=SELECT name FROM account").error[:2] == (400, "0x80060888")
    finally:
        service.switches = before


def test_tree() -> None:
    tree = parse_sql("SELECT TOP (3) a.[name] x FROM account AS a WHERE a.name = N'it''s' OR b <> -1.5 AND c IS NULL;")
    assert tree.top == 3 and tree.items[0].alias == "x" and tree.items[0].name == Name("name", "a")
    assert tree.where == Group(
        "OR",
        (
            Condition(Name("name", "a"), "=", ("it's",)),
            Group("AND", (Condition(Name("b"), "<>", ("-1.5",)), Condition(Name("c"), "IS NULL"))),
        ),
    )
    with pytest.raises(SqlSyntax, match="HAVING"):
        parse_sql("SELECT a FROM b GROUP BY a HAVING a = 1")
