"""The registries other rooms add to: procedures and local tables; both answer without a token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.edm import BIGINT, INTEGER, TIMESTAMPTZ, VARCHAR
from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.execute import calls, local
from sqlalchemy_dynamics.execute.result import ListResult, ResultColumn
from tests.execute.conftest import Connect


@pytest.fixture
def connection() -> Iterator[dbapi.Connection]:
    """Nobody answers at that address: whatever sends a request fails."""
    with dbapi.connect(OrganizationUrl="http://127.0.0.1:9", OAuthAccessToken="none", MaxRetries=0) as made:
        yield made


def test_a_room_adds_a_procedure(connection: dbapi.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(caller: calls.Caller, name: str) -> calls.Procedure | None:
        def run(arguments: Mapping[str, Any]) -> ListResult:
            return ListResult([ResultColumn("n", INTEGER)], [(arguments["n"] * 2,)])

        return calls.Procedure("Double", ("n",), run) if name.lower() == "double" else None

    monkeypatch.setattr(calls, "FINDERS", [*calls.FINDERS, doubled])
    cursor = connection.cursor()
    assert cursor.execute("EXEC double @n = ?", [21]).fetchall() == [(42,)]
    assert cursor.callproc("DOUBLE", [4]) == [4] and cursor.fetchall() == [(8,)]
    assert connection.explain("CALL Double(n => ?)") == [(1, "call", "Double(n)")]
    with pytest.raises(ProgrammingError, match="twice"):
        cursor.execute("EXEC Double 1, n = 2")
    with pytest.raises(NotSupportedError, match="EXPLAIN ANALYZE"):
        cursor.execute("EXPLAIN ANALYZE EXEC Double 1")


def test_a_text_that_names_a_local_table_is_a_text(connect: Connect) -> None:
    steps = connect().explain("SELECT name FROM account WHERE name = 'sys_connection_props' -- it isn't read")
    assert steps == [(1, "request", "GET accounts?$select=name&$filter=name%20eq%20'sys_connection_props'")]


def test_a_room_adds_a_local_table(connection: dbapi.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(session: object, catalog: object, secrets: local.Secrets) -> Iterator[Mapping[str, object]]:
        secrets["*** 2 ***"] = "canary"
        yield {"id": 1, "name": "Ä", "big": 2**40, "moment": "2024-05-06T07:08:09Z"}
        yield {"id": 2, "name": "*** 2 ***", "big": None, "moment": None}

    columns = {"id": INTEGER, "name": VARCHAR, "big": BIGINT, "moment": TIMESTAMPTZ}
    monkeypatch.setitem(local.LOCAL_TABLES, "sys_made", local.LocalTable("sys_made", columns, rows))
    cursor = connection.cursor()
    assert cursor.execute("SELECT id, big FROM SYS_MADE s WHERE name = 'a'").fetchall() == [(1, 2**40)]
    assert cursor.execute("SELECT name FROM sys_made ORDER BY id DESC LIMIT 1").fetchall() == [("canary",)]
    counted = (
        "WITH m AS (SELECT * FROM sys_made) SELECT count(*), max(moment) IS NULL FROM m JOIN sys_connection_props p ON "
    )
    assert cursor.execute(counted + "p.propertyname = 'timeout'").fetchall() == [(2, False)]
    table = cursor.execute("SELECT name FROM sys_made WHERE id = 2").fetch_arrow_table()
    assert table.column("name").to_pylist() == ["*** 2 ***"]
    steps = connection.explain("SELECT id FROM sys_made WHERE id > ?")
    assert steps[0] == (1, "note", "sys_made is answered here, without a request")
    with pytest.raises(ProgrammingError, match="nosuch"):
        cursor.execute("SELECT nosuch FROM sys_made")
    analyzed = cursor.execute("EXPLAIN ANALYZE SELECT id FROM sys_made").fetchall()
    assert analyzed[0][1:5] == ("note", "sys_made is answered here, without a request", None, 2)
