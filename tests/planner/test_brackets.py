"""`[name]` is a name, and DuckDB's lists, arrays and subscripts stay what they are."""

from __future__ import annotations

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.planner.brackets import quoted_names

NAMES = [
    (
        "SELECT [name] FROM [dbo].[account] WHERE [statecode] = 1",
        'SELECT "name" FROM "dbo"."account" WHERE "statecode" = 1',
    ),
    ("SELECT[name]FROM[account]", 'SELECT"name"FROM"account"'),
    ("SELECT count(*) [Number of rows]", 'SELECT count(*) "Number of rows"'),
    ("SELECT sum(n) AS [2024, in USD]", 'SELECT sum(n) AS "2024, in USD"'),
    ("SELECT [Customer's name] FROM t [Last, First]", 'SELECT "Customer\'s name" FROM t "Last, First"'),
    ('SELECT [a]]b], [c"d]', 'SELECT "a]b", "c""d"'),
    ("-- [a]\n[b] /* [c] */", '-- [a]\n"b" /* [c] */'),
    (
        "select [_].[name] from (select [$Table].[name] from [dbo].[account] as [$Table]) as [_]",
        'select "_"."name" from (select "$Table"."name" from "dbo"."account" as "$Table") as "_"',
    ),
    (
        "select [$Table], [100%].[a], [100%], [2024].*, [1, 2].b from t [$Table], u AS [2024] join [$x] on",
        'select "$Table", "100%"."a", "100%", "2024".*, "1, 2".b from t "$Table", u AS "2024" join "$x" on',
    ),
]
LISTS = [
    "SELECT [1, 2, 3][2], x[1], x[1:2], m['key'], (a)[i], \"q\"[1]",
    "WHERE n IN [1, 2] AND c = ANY(ARRAY['x', 'y']) AND d = ANY(ARRAY[a, b])",
    "SELECT [x + 1 FOR x IN [1, 2]], [], [[a, b], [1]], list_contains([a, b], c)",
    "SELECT '[a]', \"[b]\", `[c]`, $$[d]$$, ['a]b', 'c']",
    "WHERE n IN [:one, :two] OR n IN [?, $1] OR n IN [-1, {'a': 1}] OR n IN [$one] OR n = ANY([$one]) OR n IN [$a, $b]",
    "SELECT [1, 2].list_sum(), x[1].y, m['key'].\"y\", (a)[$i].z, [1 % 2, 3]",
]
TSQL_NAMES = [
    ("SELECT [1, 2], [?], [$Table].[100%]", 'SELECT "1, 2", "?", "$Table"."100%"'),
    ("SELECT t.[Account[Name]]], 'a [b]'[c] FROM t[d]", 'SELECT t."Account[Name]", \'a [b]\'"c" FROM t"d"'),
]


@pytest.mark.parametrize(("sql", "quoted"), NAMES)
def test_names(sql: str, quoted: str) -> None:
    assert quoted_names(sql) == quoted


@pytest.mark.parametrize("sql", LISTS)
def test_lists(sql: str) -> None:
    assert quoted_names(sql) == sql


@pytest.mark.parametrize(("sql", "quoted"), TSQL_NAMES)
def test_tsql_has_no_lists(sql: str, quoted: str) -> None:
    assert quoted_names(sql, lists=False) == quoted


@pytest.mark.parametrize("dialect", ["dynamics", "tsql"])
def test_folded_tables_of_power_bi(dialect: str) -> None:
    folded = "from [dbo].[account] as [$Table]) as [_] order by [_].[name]"
    asked = f"select top 1001 [_].[name], [_].[100%] from (select [$Table].[name] as [name], 1 as [100%] {folded}"
    url = f"dynamics://sandbox/?rows=5&SqlDialect={dialect}"
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        found = cursor.execute(asked).fetchall()
        assert found == cursor.execute("SELECT name, 1 FROM account ORDER BY name").fetchall()
        assert len(found) == 5


def test_answers() -> None:
    with dbapi.connect("dynamics://sandbox/?rows=5") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT string_split('a b', ' ')[2] AS [second], [1, 2][1], list_contains([1], 1)")
        assert cursor.description is not None
        assert (cursor.fetchall(), cursor.description[0][0]) == ([("b", 1, True)], "second")
        found = cursor.execute("SELECT [name][1:1] FROM [account] WHERE [name] <> ALL(ARRAY['x', 'y'])").fetchall()
        assert sorted(row[0] for row in found) == sorted(
            row[0][:1] for row in cursor.execute("SELECT name FROM account").fetchall()
        )
        assert cursor.execute("SELECT unnest([1, 2])").fetchall() == [(1,), (2,)]
        assert cursor.execute("SELECT unnest(['ß ', 'b'])").fetchall() == [("ß ",), ("b",)]
