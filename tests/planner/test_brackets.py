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
]
LISTS = [
    "SELECT [1, 2, 3][2], x[1], x[1:2], m['key'], (a)[i], \"q\"[1]",
    "WHERE n IN [1, 2] AND c = ANY(ARRAY['x', 'y']) AND d = ANY(ARRAY[a, b])",
    "SELECT [x + 1 FOR x IN [1, 2]], [], [[a, b], [1]], list_contains([a, b], c)",
    "SELECT '[a]', \"[b]\", `[c]`, $$[d]$$, ['a]b', 'c']",
    "WHERE n IN [:one, :two] OR n IN [?, $1] OR n IN [-1, {'a': 1}]",
]


@pytest.mark.parametrize(("sql", "quoted"), NAMES)
def test_names(sql: str, quoted: str) -> None:
    assert quoted_names(sql) == quoted


@pytest.mark.parametrize("sql", LISTS)
def test_lists(sql: str) -> None:
    assert quoted_names(sql) == sql


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
