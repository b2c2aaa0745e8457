"""What SqlDialect=tsql reads runs, and means what the driver's own spelling means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.sandbox import Sandbox

PAIRS = [
    ("SELECT TOP 3 [name] FROM [account] ORDER BY [name]", "SELECT name FROM account ORDER BY name LIMIT 3"),
    (
        "SELECT name FROM account ORDER BY name OFFSET 2 ROWS FETCH NEXT 3 ROWS ONLY",
        "SELECT name FROM account ORDER BY name LIMIT 3 OFFSET 2",
    ),
    ("SELECT label = name + N'!' FROM account", "SELECT name || '!' AS label FROM account"),
    ("SELECT name + ' ' + address1_city AS a FROM account", "SELECT name || ' ' || address1_city AS a FROM account"),
    (
        "SELECT CONVERT(VARCHAR(10), createdon, 120) AS d FROM account",
        "SELECT strftime(createdon, '%Y-%m-%d') AS d FROM account",
    ),
    ("SELECT CONVERT(NVARCHAR(3), name) AS s FROM account", "SELECT left(name, 3) AS s FROM account"),
    (
        "SELECT CONVERT(VARCHAR(50), CONVERT(INT, '7')) AS s FROM account",
        "SELECT CAST(CAST('7' AS INT) AS VARCHAR) AS s FROM account",
    ),
    (
        "SELECT DATEPART(weekday, createdon) AS w, DATEPART(hh, createdon) AS h FROM account",
        "SELECT dayofweek(createdon) + 1 AS w, hour(createdon) AS h FROM account",
    ),
    (
        "SELECT DATEADD(mm, -1, createdon) AS a, EOMONTH(createdon, 1) AS e FROM account",
        "SELECT createdon - INTERVAL 1 MONTH AS a, last_day(createdon + INTERVAL 1 MONTH) AS e FROM account",
    ),
    (
        "SELECT DATEDIFF(ww, '2024-01-06', '2024-01-07') AS w, DATEDIFF(dd, createdon, modifiedon) AS d FROM account",
        "SELECT 1 AS w, date_diff('day', createdon, modifiedon) AS d FROM account",
    ),
    (
        "SELECT FORMAT(createdon, 'dd.MM.yyyy HH:mm') AS f, DATENAME(month, createdon) AS n FROM account",
        "SELECT strftime(createdon, '%d.%m.%Y %H:%M') AS f, monthname(createdon) AS n FROM account",
    ),
    (
        "SELECT IIF(revenue > 100, 1, 0) AS i, ISNULL(name, '') AS n, STUFF(name, 2, 1, '-') AS s FROM account",
        "SELECT CASE WHEN revenue > 100 THEN 1 ELSE 0 END AS i, coalesce(name, '') AS n, "
        "substr(name, 1, 1) || '-' || substr(name, 3) AS s FROM account",
    ),
    ("SELECT LEN(name + '  ') AS l, COUNT_BIG(*) AS c FROM account GROUP BY name",
     "SELECT length(rtrim(name)) AS l, count(*) AS c FROM account GROUP BY name"),
    ("SELECT name FROM account WHERE name LIKE '%[_]%' OR name LIKE 'C%'",
     "SELECT name FROM account WHERE name LIKE '%!_%' ESCAPE '!' OR name LIKE 'C%'"),
    ("SELECT name FROM account WHERE name LIKE '%[_]!a%' ESCAPE '!' OR name LIKE '%![%' ESCAPE '!'",
     "SELECT name FROM account WHERE name LIKE '%!_a%' ESCAPE '!' OR name LIKE '%[%'"),
    ("SELECT name FROM account WHERE createdon >= DATEADD(mm, DATEDIFF(mm, 0, CAST('2024-02-10' AS datetime)), 0)",
     "SELECT name FROM account WHERE createdon >= '2024-02-01'"),
    ("SELECT dbo.account.name, len(dbo.account.name) AS l FROM dbo.account WHERE dbo.account.statecode = 1",
     "SELECT name, length(rtrim(name)) AS l FROM account WHERE statecode = 1"),
    ("SELECT DATEADD(day, DATEDIFF(day, 0, createdon), 0) AS d, REPLICATE(name, 2) AS r FROM account",
     "SELECT date_trunc('day', createdon) AS d, name || name AS r FROM account"),
    ("SELECT CAST(revenue AS MONEY) AS m, CAST(createdon AS DATETIME2) AS d, CAST(1 AS BIT) AS b FROM account",
     "SELECT CAST(revenue AS DECIMAL(19,4)) AS m, CAST(createdon AS TIMESTAMP) AS d, TRUE AS b FROM account"),
    (
        "SELECT a.name, c.fullname FROM account a CROSS APPLY (SELECT TOP 1 x.fullname FROM contact x "
        "WHERE x.parentcustomerid = a.accountid ORDER BY x.fullname) c",
        "SELECT a.name, min(c.fullname) AS fullname FROM account a JOIN contact c ON c.parentcustomerid = a.accountid "
        "WHERE c.fullname IS NOT NULL GROUP BY a.accountid, a.name",
    ),
    (
        "SELECT name FROM account WHERE createdon > DATEADD(year, -100, GETDATE()) AND createdon < GETDATE() + 1",
        "SELECT name FROM account WHERE createdon IS NOT NULL",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[dbapi.Connection, dbapi.Connection]]:
    with Sandbox(rows=25, seed=4) as org:
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        yield dbapi.connect(url, SqlDialect="tsql"), dbapi.connect(url)


def _answer(connection: dbapi.Connection, sql: str, values: Any = ()) -> tuple[list[str], list[tuple[Any, ...]]]:
    with connection.cursor() as cursor:
        rows = cursor.execute(sql, values).fetchall()
        return [column[0] for column in cursor.description or ()], sorted(rows, key=repr)


@pytest.mark.parametrize(("tsql", "own"), PAIRS)
def test_means_the_same(both: tuple[dbapi.Connection, dbapi.Connection], tsql: str, own: str) -> None:
    assert _answer(both[0], tsql) == _answer(both[1], own)


def test_variables_are_named_parameters(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    sql = "SELECT name FROM account WHERE statecode = @state"
    assert _answer(both[0], sql, {"state": 0}) == _answer(both[1], "SELECT name FROM account WHERE statecode = 0")


def test_a_column_without_a_name_keeps_its_text(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    assert _answer(both[0], "SELECT DATEADD(day, 1, createdon), LEN(name) FROM account")[0] == [
        "DATEADD(day, 1, createdon)",
        "LENGTH(name)",
    ]


def test_dialects_are_two() -> None:
    with pytest.raises(InterfaceError, match="SqlDialect"):
        dbapi.connect("dynamics://sandbox/", SqlDialect="oracle")
