"""Constants that can never fit, and rows that nobody wants: known before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from sqlalchemy_dynamics.errors import DataError, ProgrammingError
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.execute.conftest import Connect, control, requests_of

NEVER = [
    ("SELECT name FROM account WHERE revenue > 'abc'", [], "'abc' is no DECIMAL(19,4), the type of revenue"),
    ("SELECT name FROM account WHERE accountid = 'abc'", [], "'abc' is no UUID, the type of accountid"),
    ("SELECT name FROM account WHERE createdon > 'yesterday-ish'", [], "'yesterday-ish' is no TIMESTAMP"),
    ("SELECT name FROM account WHERE createdon > DATE '2024-02-30'", [], "date field value out of range"),
    ("SELECT name FROM account WHERE createdon = TRUE", [], "TRUE is no TIMESTAMP"),
    ("SELECT name FROM account WHERE statecode = 'NoSuchLabel'", [], "labels are in statecodename"),
    ("SELECT name FROM account WHERE industrycode = ?", ["Retail"], "'Retail' is no INTEGER"),
    ("SELECT name FROM account WHERE donotemail = 'maybe'", [], "'maybe' is no BOOLEAN"),
    ("SELECT name FROM account WHERE name = 'x' OR revenue > ?", ["abc"], "revenue > ?: 'abc' is no DECIMAL"),
    ("SELECT name FROM account WHERE accountid = ?", [5], "5 is no UUID"),
    ("SELECT name FROM account WHERE numberofemployees IN (1, 'x')", [], "'x' is no INTEGER"),
    ("SELECT name FROM account WHERE numberofemployees BETWEEN 1 AND 'x'", [], "'x' is no INTEGER"),
    ("SELECT count(*) FROM account WHERE revenue > 'abc'", [], "'abc' is no DECIMAL"),
    ("SELECT name FROM account GROUP BY name HAVING count(*) > 'x'", [], "'x' is no BIGINT"),
    ("SELECT name FROM account WHERE revenue + 'abc' > 5", [], "'abc' is no DOUBLE"),
    ("SELECT name FROM account WHERE year(createdon) = 'abc'", [], "'abc' is no BIGINT"),
    ("SELECT name FROM account WHERE 1 = 'a'", [], "Could not convert string 'a' to INT32"),
    ("SELECT CAST('abc' AS INTEGER) FROM account LIMIT 3", [], "Could not convert string 'abc' to INT32"),
    ("SELECT name FROM account WHERE createdon > now() - INTERVAL 'x'", [], "Could not convert string 'x' to INTERVAL"),
    ("SELECT strftime(createdon, '%Q') FROM account", [], "Unrecognized format"),
    (
        "SELECT a.name FROM account a JOIN contact c ON c.parentcustomerid = a.accountid WHERE a.revenue > 'abc'",
        [],
        "a.revenue > 'abc': 'abc' is no DECIMAL",
    ),
    (
        "SELECT name FROM account WHERE accountid IN (SELECT contactid FROM contact WHERE numberofchildren = 'x')",
        [],
        "'x' is no INTEGER, the type of numberofchildren",
    ),
]
WRONG = [
    ("SELECT name FROM account LIMIT 'a'", [], "LIMIT needs a whole number"),
    ("SELECT name FROM account OFFSET 'x'", [], "OFFSET needs a whole number"),
    ("SELECT name FROM account LIMIT ?", ["a"], "LIMIT needs a whole number"),
    ("SELECT name FROM account WHERE name = 5", [], "name is text and is not compared with 5; write '5'"),
    ("SELECT name FROM account WHERE name LIKE ?", [5], "pass a text"),
    ("SELECT name FROM account WHERE name LIKE 'a%' ESCAPE '!!'", [], "ESCAPE takes one character"),
    ("SELECT regexp_matches(name, '(') FROM account", [], "missing )"),
]


@pytest.fixture(autouse=True)
def known(org: Sandbox, connect: Connect) -> None:
    """The tables' definitions are loaded, so that the log holds requests for rows only."""
    connect().explain("SELECT 1 FROM account, contact")
    control(org, "DELETE", "requests")


@pytest.mark.parametrize(("sql", "values", "words"), NEVER)
def test_a_constant_that_never_fits(org: Sandbox, connect: Connect, sql: str, values: list[Any], words: str) -> None:
    with pytest.raises(DataError) as failure:
        connect().cursor().execute(sql, values)
    assert words in str(failure.value)
    assert requests_of(org) == []


@pytest.mark.parametrize(("sql", "values", "words"), WRONG)
def test_a_statement_that_is_wrong(org: Sandbox, connect: Connect, sql: str, values: list[Any], words: str) -> None:
    with pytest.raises(ProgrammingError) as failure:
        connect().cursor().execute(sql, values)
    assert words in str(failure.value)
    assert requests_of(org) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CASE WHEN name IS NULL THEN CAST('none' AS INTEGER) END FROM account LIMIT 1",
        "SELECT TRY_CAST('abc' AS INTEGER) FROM account LIMIT 1",
        "SELECT coalesce(name, CAST(CAST('x' AS VARCHAR) AS VARCHAR)) FROM account LIMIT 1",
        "SELECT name FROM account WHERE numberofemployees > '5' LIMIT 1",
        "SELECT name FROM account WHERE revenue > ' 5 ' LIMIT 1",
        "SELECT name FROM account WHERE createdon > '2001-01-01' LIMIT 1",
        "SELECT name FROM account WHERE donotemail = 'no' LIMIT 1",
        "SELECT name FROM account WHERE statecodename <> 'NoSuchLabel' LIMIT 1",
    ],
)
def test_what_may_stand(connect: Connect, sql: str) -> None:
    assert len(connect().cursor().execute(sql).fetchall()) == 1


NOTHING = [
    ("SELECT * FROM (SELECT name, revenue * 2 AS x FROM account) q LIMIT 0", [], ["name VARCHAR", "x DECIMAL(29,4)"]),
    ("SELECT industrycode FROM account GROUP BY industrycode LIMIT 0", [], ["industrycode INTEGER"]),
    ("SELECT createdon, count(*) AS k FROM account GROUP BY createdon LIMIT ?", [0],
     ["createdon TIMESTAMP WITH TIME ZONE", "k BIGINT"]),
    ("SELECT industrycode, count(*) AS k FROM account GROUP BY industrycode LIMIT ?", [0],
     ["industrycode INTEGER", "k BIGINT"]),
    ("SELECT max(revenue) AS m FROM account LIMIT 0", [], ["m DECIMAL(19,4)"]),
    ("SELECT * FROM (SELECT createdon, count(*) AS k FROM account GROUP BY createdon) q WHERE 1 = 0", [],
     ["createdon TIMESTAMP WITH TIME ZONE", "k BIGINT"]),
    ("SELECT a.name FROM account a JOIN contact c ON c.parentcustomerid = a.accountid LIMIT ?", [0], ["name VARCHAR"]),
    ("SELECT name FROM account UNION SELECT fullname FROM contact LIMIT 0", [], ["name VARCHAR"]),
    ("SELECT a.name FROM account a, (SELECT contactid FROM contact LIMIT 0) c", [], ["name VARCHAR"]),
    ("SELECT (SELECT count(*) FROM contact) AS k FROM account WHERE 1 = 0", [], ["k BIGINT"]),
    ("SELECT name FROM account WHERE numberofemployees = 1 AND numberofemployees = 2", [], ["name VARCHAR"]),
    ("SELECT name FROM account WHERE numberofemployees IS NULL AND numberofemployees = 1", [], ["name VARCHAR"]),
    ("SELECT name FROM account WHERE numberofemployees BETWEEN 5 AND 3", [], ["name VARCHAR"]),
    ("SELECT name FROM account WHERE numberofemployees IN (1, 2) AND numberofemployees = 4", [], ["name VARCHAR"]),
    ("SELECT name FROM account WHERE statecodename = 'NoSuchLabel'", [], ["name VARCHAR"]),
    ("SELECT row_number() OVER (ORDER BY name) AS r FROM account LIMIT 0", [], ["r BIGINT"]),
    ("WITH q AS (SELECT createdon FROM account GROUP BY createdon) SELECT * FROM q a JOIN q b ON TRUE WHERE FALSE", [],
     ["createdon TIMESTAMP WITH TIME ZONE", "createdon TIMESTAMP WITH TIME ZONE"]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "values", "columns"), NOTHING)
def test_nothing_is_asked(org: Sandbox, connect: Connect, sql: str, values: list[Any], columns: list[str]) -> None:
    cursor = connect().cursor().execute(sql, values)
    assert cursor.description is not None
    assert [f"{each[0]} {each[1]}".split("(")[0] for each in cursor.description] == [c.split("(")[0] for c in columns]
    assert cursor.fetchall() == []
    assert requests_of(org) == []


def test_an_aggregate_of_nothing_is_a_row(org: Sandbox, connect: Connect) -> None:
    cursor = (
        connect()
        .cursor()
        .execute("SELECT count(*) FROM (SELECT name, count(*) AS k FROM account GROUP BY name) WHERE FALSE")
    )
    assert cursor.fetchall() == [(0,)]
    assert requests_of(org) == []


def test_an_outer_join_with_nothing_keeps_its_rows(org: Sandbox, connect: Connect) -> None:
    sql = "SELECT count(*) FROM account a LEFT JOIN (SELECT contactid FROM contact LIMIT 0) c ON TRUE"
    assert connect().cursor().execute(sql).fetchall() == [(3000,)]
    assert all("contacts" not in each["url"] for each in requests_of(org))
