"""Aggregates over more rows than the service aggregates at once: partitions, then rows, never a wrong number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox, aggregate
from tests.execute.conftest import control, requests_of

STATEMENTS = [
    "SELECT count(*) FROM account",
    "SELECT count(*) FROM account WHERE statecode = 0",
    "SELECT count(*), sum(numberofemployees), avg(numberofemployees), count(address1_city) FROM account",
    "SELECT address1_city, count(*), sum(revenue), avg(revenue) FROM account GROUP BY address1_city",
    "SELECT statecode, industrycode, min(revenue), max(revenue) FROM account GROUP BY statecode, industrycode",
    "SELECT DISTINCT address1_city FROM account",
    "SELECT max(createdon), min(createdon) FROM account WHERE statecode = 1",
    "SELECT max(numberofemployees), min(revenue) FROM account",
    "SELECT count(*), max(createdon) FROM account",
    "SELECT sum(numberofemployees) FROM account WHERE statecode = 7",
    "SELECT statecode, owneridname, count(*) FROM account GROUP BY statecode, owneridname",
    "SELECT a.address1_city, count(*), sum(o.estimatedvalue) FROM opportunity o JOIN account a "
    "ON a.accountid = o.parentaccountid GROUP BY a.address1_city",
    "SELECT a.industrycodename, count(*), avg(o.estimatedvalue) FROM opportunity o LEFT JOIN account a "
    "ON a.accountid = o.parentaccountid GROUP BY 1",
    "SELECT sum(CASE WHEN statecode = 1 THEN revenue ELSE 0 END), count(*) FILTER (WHERE statecode = 0) FROM account",
    "SELECT numberofemployees % 3, count(CASE WHEN revenue > 1000 THEN 1 END) FROM account GROUP BY 1",
    "SELECT address1_city FROM account UNION SELECT address1_city FROM contact",
    "SELECT a.address1_city, count(*) FROM account a JOIN (SELECT address1_city AS c FROM contact GROUP BY 1 "
    "ORDER BY count(*) DESC, 1 LIMIT 3) s ON s.c = a.address1_city GROUP BY 1",
]


@pytest.fixture(scope="module")
def org() -> Iterator[Sandbox]:
    with Sandbox(rows=1500, seed=9, aggregate_limit=400) as sandbox:
        rows = [{"name": f"No date {number}", "createdon": None} for number in range(5)]
        control(sandbox, "POST", "rows", {"table": "account", "rows": rows})
        yield sandbox


def _answer(org: Sandbox, sql: str, **properties: Any) -> list[tuple[Any, ...]]:
    with dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token, **properties) as connection:
        found = connection.cursor().execute(sql).fetchall()
    return sorted(found, key=lambda row: repr(row).casefold())


def _rounded(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [[Decimal(f"{value:.9g}") if isinstance(value, float) else value for value in row] for row in rows]


@pytest.mark.parametrize("sql", STATEMENTS)
def test_partitions_add_up(org: Sandbox, sql: str) -> None:
    assert _rounded(_answer(org, sql)) == _rounded(_answer(org, sql, Pushdown=False))


def test_partitions_are_asked_for(org: Sandbox) -> None:
    _answer(org, "SELECT count(*) FROM account")
    control(org, "DELETE", "requests")
    assert _answer(org, "SELECT count(*) FROM account") == [(1505,)]
    urls = [request["url"] for request in requests_of(org)]
    assert any("createdon%20eq%20null" in url for url in urls)
    assert sum("createdon%20ge" in url for url in urls) >= 4
    assert not any("$select=accountid" in url for url in urls)


def test_what_was_refused_is_not_asked_again(org: Sandbox) -> None:
    sql = "SELECT industrycode, count(*) AS n FROM account GROUP BY industrycode ORDER BY n"
    first = _answer(org, sql)
    control(org, "DELETE", "requests")
    assert _answer(org, sql) == first
    assert [request["status"] for request in requests_of(org) if request["status"] != 200] == []


def test_more_groups_than_the_service_returns_are_asked_for_once() -> None:
    sql = (
        "SELECT a.accountnumber, count(*) FROM contact c JOIN account a ON a.accountid = c.parentcustomerid GROUP BY 1"
    )
    with Sandbox(rows=8000) as many:
        first = _answer(many, sql)
        asked = [request["url"] for request in requests_of(many) if "$apply" in request["url"]]
        control(many, "DELETE", "requests")
        assert _answer(many, sql) == first == _answer(many, sql, Pushdown=False)
        assert len(first) > 5000 and len(asked) == 1
        assert not any("$apply" in request["url"] for request in requests_of(many))


def test_a_table_without_createdon_is_counted_by_rows(org: Sandbox) -> None:
    with dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token) as connection:
        table = connection.catalog.table("accountleads")
    assert table is not None and "createdon" not in table.columns
    assert _answer(org, "SELECT count(*) FROM accountleads") == _answer(
        org, "SELECT count(*) FROM accountleads", Pushdown=False
    )


def test_texts_of_one_group_keep_their_letters_in_expressions() -> None:
    """Their group shows one spelling: what depends on the letters is computed from the rows."""
    with Sandbox(rows=0) as few:
        names = ["Straße", "STRASSE", "straße ", "Oslo"]
        control(few, "POST", "rows", {"table": "account", "rows": [{"name": name} for name in names]})
        assert _answer(few, "SELECT length(name), count(*) FROM account GROUP BY 1") == [(4, 1), (6, 1), (7, 2)]
        assert _answer(few, "SELECT count(*) FROM account GROUP BY upper(name)") == [(1,), (3,)]


def test_columns_along_lookups_under_other_names_are_read_from_rows(
    org: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    join = "contact c JOIN account a ON a.accountid = c.parentcustomerid"
    sql = f"SELECT a.address1_country, count(*) FROM {join} GROUP BY 1"
    named = aggregate._group

    def otherwise(rows: Any, path: str) -> Any:
        return replace(named(rows, path), name=path.replace("/", "_"))

    monkeypatch.setattr(aggregate, "_group", otherwise)
    found = _answer(org, sql)
    assert found == _answer(org, sql, Pushdown=False) and len(found) > 2
