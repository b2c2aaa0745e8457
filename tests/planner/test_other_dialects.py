"""What sqlglot's base dialect writes (Superset sends charts through it), and names from elsewhere, runs both ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.errors import NotSupportedError
from sqlalchemy_dynamics.sandbox import Sandbox

STATEMENTS = [
    "SELECT DATE_TRUNC('MONTH', createdon) AS m, COUNT(*) AS c FROM account GROUP BY DATE_TRUNC('MONTH', createdon) "
    "ORDER BY m LIMIT 5",
    "SELECT DATE_TRUNC('MONTH', createdon) AS createdon, COUNT(*) AS c FROM account "
    "WHERE createdon >= CAST('2022-01-01 00:00:00.000000' AS TIMESTAMP) "
    "AND createdon < CAST('2024-01-01 00:00:00.000000' AS TIMESTAMP) GROUP BY DATE_TRUNC('MONTH', createdon)",
    "SELECT name AS name FROM account WHERE NOT name IN ('x', 'y') AND NOT name IS NULL",
    "SELECT STR_POSITION(name, 'a') AS p, STRPOS(name, 'a') AS q, CHARINDEX('a', name) AS r FROM account",
    "SELECT GROUP_CONCAT(name, ',') IS NULL AS a, GROUP_CONCAT(name) IS NULL AS b FROM account",
    "SELECT name FROM account WHERE createdon < CURRENT_TIMESTAMP() AND createdon > CURRENT_DATE - INTERVAL '99' YEAR",
    "SELECT DATE_ADD(createdon, INTERVAL '1' DAY) AS a, DATE_SUB(createdon, INTERVAL '1' DAY) AS b FROM account",
    "SELECT TIMESTAMP_TRUNC(createdon, MONTH) AS t, TS_OR_DS_TO_DATE(createdon) AS d FROM account",
    "SELECT IF(revenue > 100, 'a', 'b') AS i, SAFE_DIVIDE(revenue, 0) AS s FROM account",
    "SELECT LOGICAL_OR(creditonhold) AS o, COUNT_IF(revenue > 100) AS c FROM account",
    "SELECT JSON_EXTRACT_SCALAR('{\"a\": 1}', '$.a') AS j FROM account",
    "SELECT TIME_TO_STR(createdon, '%Y') AS y, TO_CHAR(createdon, 'YYYY-MM-DD HH24:MI') AS c FROM account",
    "SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY revenue) AS p, MEDIAN(revenue) AS m FROM account",
    "SELECT CAST(CAST(createdon AS DATE) AS TIMESTAMP) AS c, EXTRACT(DOW FROM createdon) AS d FROM account",
    "SELECT name FROM account WHERE LOWER(name) LIKE LOWER('%A%') AND creditonhold IS TRUE",
    "SELECT COALESCE(name, '') || 'x' AS a, CONCAT(name, 'x') AS b, SUBSTRING(name, 1, 2) AS c FROM account",
    "SELECT name FROM account ORDER BY name FETCH FIRST 2 ROWS ONLY",
    "SELECT `name` FROM `account` /* a comment */ WHERE [name] IS NOT NULL",
    "SELECT DATEADD(month, -1, createdon) AS a, DATEPART(year, createdon) AS y, EOMONTH(createdon) AS e FROM account",
    "SELECT SQUARE(2) AS s, STDEV(revenue) AS d, COUNT_BIG(*) AS c FROM account",
    "SELECT COUNT(*) AS rowcount FROM (SELECT name FROM account LIMIT 50000) AS rowcount_qry",
]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[dbapi.Connection, dbapi.Connection]]:
    with Sandbox(rows=25, seed=4) as org:
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        yield dbapi.connect(url), dbapi.connect(url, Pushdown=False)


def _answer(connection: dbapi.Connection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    with connection.cursor() as cursor:
        rows = cursor.execute(sql).fetchall()
        return [column[0] for column in cursor.description or ()], sorted(rows, key=repr)


@pytest.mark.parametrize("sql", STATEMENTS)
def test_runs_both_ways(both: tuple[dbapi.Connection, dbapi.Connection], sql: str) -> None:
    pushed, local = (_answer(connection, sql) for connection in both)
    assert pushed == local
    assert pushed[1] or " IS TRUE" in sql


def test_the_clock_stands_still(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    sql = "SELECT DISTINCT now() = CURRENT_TIMESTAMP AND CURRENT_DATE = CAST(now() AS DATE) AS same FROM account"
    assert _answer(both[0], sql)[1] == [(True,)]


def test_a_moment_is_called_by_its_text(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    assert _answer(both[0], "SELECT CURRENT_TIMESTAMP, now() - INTERVAL 1 DAY AS y FROM account LIMIT 1")[0] == [
        "CURRENT_TIMESTAMP()",
        "y",
    ]


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT max(x, 2), min(x, 2) FROM (VALUES (1), (2), (3)) AS t (x)", ([3, 2], [1, 2])),
        ("SELECT jaro_winkler_similarity('ab', 'ac', 0.99), jaro_winkler_similarity('ab', 'AB')", (0.0, 0.0)),
        ("SELECT regexp_replace('aXa', 'A', 'b', 'gi'), regexp_extract('xa', '(A)', 1, 'i')", ("bXb", "a")),
        ("SELECT reduce([1, 2, 3], (x, y) -> x + y, 10), list_transform([1, 2], x -> x + 1)", (16, [2, 3])),
        (
            "SELECT list_filter([1, 2], lambda x: x > 1), list_transform([[1]], x -> list_apply(x, y -> 7))",
            ([2], [[7]]),
        ),
        (
            """SELECT upper(j -> 'a'), length(j -> 'b' ->> 1) FROM (VALUES ('{"a": "x", "b": [1, 25]}')) AS t (j)""",
            ('"X"', 2),
        ),
        ("SELECT arg_max(x, x, 2), stddev(x) > 1.5 FROM (VALUES (1), (2), (5)) AS t (x)", ([5, 2], True)),
    ],
)
def test_arguments_are_kept(both: tuple[dbapi.Connection, dbapi.Connection], sql: str, answer: tuple[Any, ...]) -> None:
    assert [_answer(connection, sql)[1] for connection in both] == [[answer], [answer]]


def test_the_largest_values_are_no_maximum_of_the_service(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    for sql in (
        "SELECT max(numberofemployees, 2) AS m FROM account",
        "SELECT statecode, min(numberofemployees, 2) AS m FROM account GROUP BY statecode",
        "SELECT max(createdon, 2) AS m FROM account",
    ):
        pushed, local = (_answer(connection, sql) for connection in both)
        assert pushed == local
        assert isinstance(pushed[1][0][-1], list)


def test_a_filtered_star_is_its_columns(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    for connection in both:
        chosen = _answer(connection, "SELECT name, * LIKE 'Account_u%' FROM account")
        assert chosen == _answer(connection, "SELECT name, accountnumber FROM account")
        assert _answer(connection, "SELECT * ILIKE 'name' FROM account")[0] == ["name"]
        assert _answer(connection, "SELECT v.* FROM (SELECT * LIKE 'nam_' FROM account) AS v")[0] == ["name"]


@pytest.mark.parametrize(
    "star",
    ["* NOT LIKE 'n%'", "a.* LIKE 'n%'", "* EXCLUDE (name) LIKE 'n%'", "* GLOB 'n*'", "* SIMILAR TO 'n.*'", "* ~ 'n'",
     "* LIKE '!%' ESCAPE '!'", "* LIKE lower('N%')"],
)  # fmt: skip
def test_other_filters_of_stars_are_refused(both: tuple[dbapi.Connection, dbapi.Connection], star: str) -> None:
    with pytest.raises(NotSupportedError, match="COLUMNS"):
        _answer(both[0], f"SELECT {star} FROM account AS a")
