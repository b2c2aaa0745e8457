"""Lists of any length: sent in portions where that is exact, computed here where no request can hold them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Sequence

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox

NAMES = ["a", "A", "á", "Straße", "strasse", "co-op", "b"]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[dbapi.Connection, dbapi.Connection]]:
    with Sandbox(rows=0) as org:
        rows = [{"name": name, "numberofemployees": number} for number, name in enumerate(NAMES)]
        body = json.dumps({"table": "account", "rows": rows}).encode()
        request = urllib.request.Request(f"{org.url}/_sandbox/rows", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as reply:
            assert reply.status == 200
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        yield dbapi.connect(url), dbapi.connect(url, Pushdown=False)


def _found(connection: dbapi.Connection, sql: str, values: Sequence[str] = ()) -> list[int]:
    with connection.cursor() as cursor:
        return sorted(row[0] for row in cursor.execute(sql, values).fetchall())


def _texts(count: int) -> str:
    return ", ".join(["'a'", "'STRASSE'", *(f"'value {number}'" for number in range(count)), "'Á'", "'straße '"])


NUMBERS = ", ".join(map(str, range(100_000, 104_600)))
CONDITIONS = {
    f"name IN ({_texts(700)})": [0, 1, 2, 3, 4],
    f"name NOT IN ({_texts(1400)})": [5, 6],
    f"numberofemployees IN (1, 2, {NUMBERS}) OR name = 'b'": [1, 2, 6],
    f"numberofemployees NOT IN (1, 2, {NUMBERS}) AND name LIKE '%o%'": [5],
    f"NOT (numberofemployees IN ({NUMBERS}) OR numberofemployees < 5)": [5, 6],
    f"name <> '{'é' * 10_000}' AND numberofemployees = 1": [1],
    f"year(createdon) IN ({', '.join(map(str, range(1800, 2600)))})": [0, 1, 2, 3, 4, 5, 6],
    " AND ".join(f"numberofemployees <> {number}" for number in range(5, 705)): [0, 1, 2, 3, 4],
    " OR ".join(f"(name = 'v{number}' AND numberofemployees = {number})" for number in range(30)): [],
}


@pytest.mark.parametrize(("condition", "wanted"), CONDITIONS.items(), ids=lambda value: str(value)[:30])
def test_same_rows(both: tuple[dbapi.Connection, dbapi.Connection], condition: str, wanted: list[int]) -> None:
    sql = f"SELECT numberofemployees FROM account WHERE {condition}"
    assert [_found(connection, sql) for connection in both] == [wanted, wanted]


LONG = "é" * 20_000
MANY = ["a", "STRASSE", *(f"{number} {'w' * 200}" for number in range(300)), "Á"]
MARKERS = ", ".join("?" * len(MANY))
PARAMETERS: list[tuple[str, list[str], list[int]]] = [
    ("name <> ?", [LONG], [0, 1, 2, 3, 4, 5, 6]),
    ("name <> ? AND description IS NULL AND name <> ?", ["x" * 30_000, "y" * 30_000], [0, 1, 2, 3, 4, 5, 6]),
    ("name = ? OR name = 'b'", [LONG], [6]),
    ("name IN (?, 'b', ?)", [LONG, LONG + "1"], [6]),
    (f"name IN ({MARKERS})", MANY, [0, 1, 2, 3, 4]),
    (f"name NOT IN ({MARKERS})", MANY, [5, 6]),
    (f"name IN ({MARKERS}) AND numberofemployees <> 3 AND name <> ?", [*MANY, "ö" * 5_000], [0, 1, 2, 4]),
    (f"name IN ({MARKERS}) ORDER BY numberofemployees LIMIT 9", MANY, [0, 1, 2, 3, 4]),
    ("name <> ? ORDER BY numberofemployees DESC LIMIT 2", [LONG], [5, 6]),
    ("NOT EXISTS (SELECT 1 FROM contact c WHERE c.parentcustomerid = accountid AND c.fullname = ?)", [LONG],
     [0, 1, 2, 3, 4, 5, 6]),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "values", "wanted"), PARAMETERS, ids=lambda value: str(value)[:30])
def test_long_parameters(
    both: tuple[dbapi.Connection, dbapi.Connection], condition: str, values: list[str], wanted: list[int]
) -> None:
    sql = f"SELECT numberofemployees FROM account WHERE {condition}"
    assert [_found(connection, sql, values) for connection in both] == [wanted, wanted]


def test_ordered_lists_are_sent_in_portions(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    sql = f"SELECT numberofemployees FROM account WHERE numberofemployees IN (1, 2, 3, {NUMBERS})"
    assert _found(both[0], f"{sql} ORDER BY numberofemployees DESC LIMIT 2") == [2, 3]
    assert _found(both[0], sql.replace("SELECT numberofemployees", "SELECT max(numberofemployees)")) == [3]


def test_each_row_is_counted_once(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    sql = f"SELECT count(*) FROM account WHERE name IN ({_texts(700)})"
    assert [_found(connection, sql) for connection in both] == [[5], [5]]


def test_explain_says_that_it_is_too_long(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    with both[0].cursor() as cursor:
        steps = cursor.execute(
            f"EXPLAIN SELECT name FROM account WHERE numberofemployees NOT IN ({NUMBERS})"
        ).fetchall()
    assert [kind for _, kind, detail in steps if "too long for a request" in detail] == ["note"]
