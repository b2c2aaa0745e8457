"""Labels, names and types asked of the service find what comparing them here finds, with literals and parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox

ACCOUNT = [
    "{c} = {v}",
    "{c} <> {v}",
    "NOT {c} = {v}",
    "{c} IN ({v}, 'nobody at all')",
    "{c} NOT IN ({v})",
    "{c} LIKE '%a%'",
    "NOT {c} LIKE 'A%'",
    "{c} LIKE 'a_c%'",
    "{c} IS NULL",
    "{c} IS NOT NULL",
    "{c} IS DISTINCT FROM {v}",
    "{c} IS NOT DISTINCT FROM {v}",
    "{c} = {v} OR name LIKE 'B%'",
    "lower({c}) = {v}",
]
COLUMNS = [
    ("account", "industrycodename"),
    ("account", "statecodename"),
    ("account", "primarycontactidname"),
    ("account", "parentaccountidname"),
    ("account", "owneridname"),
    ("account", "owneridtype"),
    ("contact", "parentcustomeridname"),
    ("contact", "parentcustomeridtype"),
    ("contact", "gendercodename"),
    ("task", "regardingobjectidname"),
]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[dbapi.Connection, dbapi.Connection]]:
    with Sandbox(rows=60, seed=3) as org:
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        yield dbapi.connect(url), dbapi.connect(url, Pushdown=False)


def _rows(connection: dbapi.Connection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return sorted(cursor.execute(sql, values).fetchall())


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: str(value))
def test_same_rows(both: tuple[dbapi.Connection, dbapi.Connection], table: str, column: str) -> None:
    pushed, local = both
    key = f"{'activity' if table == 'task' else table}id"
    found = _rows(local, f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT 2")
    text = found[0][0] if found else "nothing"
    for condition in ACCOUNT:
        where = (
            condition.replace("name LIKE", "subject LIKE" if table == "task" else "lastname LIKE")
            if (table != "account" and " OR " in condition)
            else condition
        )
        for value, values in (("'" + text.replace("'", "''") + "'", ()), ("?", (text,)), ("?", (None,))):
            sql = f"SELECT {key} FROM {table} WHERE {where.format(c=column, v=value)}"
            given = values * where.count("{v}")
            assert _rows(pushed, sql, *given) == _rows(local, sql, *given), (sql, given)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT statecodename, count(*) FROM account GROUP BY statecodename",
        "SELECT industrycodename, industrycode, sum(revenue), avg(numberofemployees) FROM account GROUP BY 1, 2",
        "SELECT owneridname, count(*) FROM contact WHERE statuscodename IS NOT NULL GROUP BY owneridname",
        "SELECT DISTINCT primarycontactidname FROM account WHERE owneridname LIKE '%a%'",
        "SELECT parentcustomeridname, gendercodename, max(createdon) FROM contact GROUP BY ALL",
        "SELECT gendercodename, count(*) AS c FROM contact GROUP BY 1 HAVING count(*) > 2 ORDER BY gendercodename DESC",
    ],
)
def test_same_groups(both: tuple[dbapi.Connection, dbapi.Connection], sql: str) -> None:
    pushed, local = both
    assert sorted(pushed.cursor().execute(sql).fetchall(), key=repr) == sorted(
        local.cursor().execute(sql).fetchall(), key=repr
    )


def test_groups_by_labels_are_one_request(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    steps = both[0].explain("SELECT owneridname, statecodename, count(*) FROM account GROUP BY 1, 2")
    assert steps[0] == (
        1,
        "request",
        "GET accounts?$apply=groupby((_ownerid_value,statecode),aggregate($count%20as%20m_rows))",
    )
    assert [kind for _, kind, _ in steps].count("request") == 1


def test_orders_by_the_name_of_a_lookup(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    sql = "SELECT primarycontactidname FROM account ORDER BY primarycontactidname DESC LIMIT 20"
    pushed, local = (list(connection.cursor().execute(sql).fetchall()) for connection in both)
    assert pushed == local
    assert len(pushed) == 20


def test_conditions_of_labels_are_one_request(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    steps = both[0].explain("SELECT name FROM account WHERE industrycodename = ? AND owneridtype = ?", ("x", "team"))
    assert [kind for _, kind, _ in steps] == ["note"]
    steps = both[0].explain("SELECT name FROM account WHERE statecodename = ?", ("active",))
    assert steps == [(1, "request", "GET accounts?$select=name&$filter=statecode%20eq%200")]
