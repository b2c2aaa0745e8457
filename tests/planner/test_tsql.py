"""What SqlDialect=tsql reads runs, and means what the driver's own spelling means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.errors import InterfaceError, NotSupportedError, ProgrammingError
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
    ("SELECT name + address1_city AS t, (name + telephone1) + '!' AS u FROM account",
     "SELECT name || address1_city AS t, name || telephone1 || '!' AS u FROM account"),
    ("SELECT d.n + d.c AS t, numberofemployees + 1 AS p FROM "
     "(SELECT name AS n, address1_city AS c, numberofemployees FROM account) d",
     "SELECT name || address1_city AS t, numberofemployees + 1 AS p FROM account"),
    ("SELECT name FROM account WHERE createdon >= '20230101' AND createdon BETWEEN '20200101' AND '20991231 12:00'",
     "SELECT name FROM account WHERE createdon >= '2023-01-01' AND createdon < '2099-12-31 12:00:00'"),
    ("SELECT name FROM account WHERE createdon < CAST('20230101' AS DATETIME) OR name = '20230101'",
     "SELECT name FROM account WHERE createdon < '2023-01-01'"),
    ("SELECT DATEDIFF(day, '20240101', createdon) AS d, YEAR('2024-02-29') AS y, MONTH('20240229') AS m FROM account",
     "SELECT date_diff('day', TIMESTAMP '2024-01-01', createdon) AS d, 2024 AS y, 2 AS m FROM account"),
    ("SELECT CHAR(65) + NCHAR(8364) AS l, CAST(name AS CHAR(2)) AS c FROM account",
     "SELECT 'A€' AS l, left(name, 2) AS c FROM account"),
    ("SELECT PATINDEX('%a%', name) AS p, QUOTENAME(name) AS q, QUOTENAME('a\"b', '\"') AS r FROM account",
     "SELECT strpos(name, 'a') AS p, '[' || replace(name, ']', ']]') || ']' AS q, '\"a\"\"b\"' AS r FROM account"),
    ("SELECT DATETIMEFROMPARTS(2024, 2, 29, 1, 2, 3, 0) AS a, DATETIME2FROMPARTS(2024, 2, 29, 1, 2, 3, 5, 1) AS b, "
     "DATEFROMPARTS(2024, 2, 29) AS c, SMALLDATETIMEFROMPARTS(2024, 2, 29, 1, 2) AS d",
     "SELECT TIMESTAMP '2024-02-29 01:02:03' AS a, TIMESTAMP '2024-02-29 01:02:03.5' AS b, DATE '2024-02-29' AS c, "
     "TIMESTAMP '2024-02-29 01:02:00' AS d"),
    ("SELECT name FROM account WHERE createdon >= CONVERT(datetime, '01/02/2023 ', 103)",
     "SELECT name FROM account WHERE createdon >= '2023-02-01'"),
    ("SELECT CONVERT(date, '12/31/2023', 101) AS a, CONVERT(date, N'31.12.2023', 104) AS b, "
     "CONVERT(datetime, '2023-12-31 10:11:12', 120) AS c",
     "SELECT DATE '2023-12-31' AS a, DATE '2023-12-31' AS b, TIMESTAMP '2023-12-31 10:11:12' AS c"),
    ("SELECT CONVERT(VARCHAR(30), createdon, 121) AS a, CONVERT(VARCHAR(30), createdon, 104) AS b FROM account",
     "SELECT strftime(createdon, '%Y-%m-%d %H:%M:%S.000') AS a, strftime(createdon, '%d.%m.%Y') AS b FROM account"),
    ("SELECT TOP 3 WITH TIES name, statecode AS s FROM account ORDER BY s DESC",
     "SELECT name, statecode AS s FROM account WHERE statecode = (SELECT max(statecode) FROM account)"),
    ("SELECT TOP (2) WITH TIES numberofemployees FROM account ORDER BY 1 DESC",
     "SELECT numberofemployees FROM account QUALIFY rank() OVER (ORDER BY numberofemployees DESC) <= 2"),
    ("SELECT name COLLATE database_default AS n FROM account WHERE name COLLATE Latin1_General_100_CI_AI_SC LIKE 'A%'",
     "SELECT name AS n FROM account WHERE name LIKE 'A%'"),
    ("SELECT [100%].[name] AS [$Name] FROM [dbo].[account] AS [100%] ORDER BY [$Name]",
     "SELECT name AS \"$Name\" FROM account"),
]  # fmt: skip
REFUSED = {
    "SELECT CONVERT(date, createdon, 103) FROM account": "CAST(x AS DATE)",
    "SELECT CONVERT(date, '31/31/2023', 103)": "is no date of style 103",
    "SELECT CONVERT(varchar(10), createdon, 99) FROM account": "knows the styles",
    "SELECT DATALENGTH(name) FROM account": "LEN(x)",
    "SELECT STR(1.5, 5, 1)": "CAST(ROUND(x, n) AS VARCHAR(20))",
    "SELECT ISNUMERIC(name) FROM account": "TRY_CAST(x AS DECIMAL(38, 10))",
    "SELECT ISDATE(name) FROM account": "TRY_CAST(x AS DATETIME)",
    "SELECT FORMAT(revenue, 'N2') FROM account": "CAST(x AS DECIMAL(20, 2))",
    "SELECT SWITCHOFFSET(createdon, '+02:00') FROM account": "AT TIME ZONE 'Europe/Berlin'",
    "SELECT createdon AT TIME ZONE 'W. Europe Standard Time' FROM account": "IANA",
    "SELECT CHAR(200)": "NCHAR",
    "SELECT PATINDEX('%[0-9]%', name) FROM account": "plain text",
    "SELECT 0xAB": "bind a parameter",
    "SELECT TOP 3 WITH TIES name FROM account": "needs an ORDER BY",
    "SELECT DISTINCT TOP 3 WITH TIES name FROM account ORDER BY name": "in a subquery",
    "SELECT name FROM account ORDER BY name COLLATE Latin1_General_CI_AS": "without case and accents",
    "SELECT name FROM account WHERE name COLLATE SQL_Latin1_General_CP1_CS_AI = 'x'": "leave it out",
    "SELECT name FROM account WHERE name COLLATE Latin1_General_BIN2 = 'x'": "leave it out",
}


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


@pytest.mark.parametrize(("tsql", "alternative"), REFUSED.items())
def test_what_is_not_exact_names_the_alternative(
    both: tuple[dbapi.Connection, dbapi.Connection], tsql: str, alternative: str
) -> None:
    with pytest.raises((NotSupportedError, ProgrammingError)) as raised:
        _answer(both[0], tsql)
    assert alternative in str(raised.value)


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
