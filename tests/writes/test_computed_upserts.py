"""ON CONFLICT DO UPDATE computed from the rows that exist: many sets are read together, and nobody's change is lost."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, sent

ADD = "INSERT INTO account (accountid, name, revenue) VALUES (?, ?, ?)"
ADD_TO = ADD + " ON CONFLICT (accountid) DO UPDATE SET revenue = account.revenue + excluded.revenue"


def test_a_thousand_sets_are_a_few_requests(sql: Sql, connect: Connect, org: Sandbox) -> None:
    made: list[Any] = [(str(uuid.uuid4()), "computed", number) for number in range(1000)]
    cursor = connect().cursor()
    cursor.executemany(ADD, made[:500])
    sent(org)
    assert cursor.executemany(ADD_TO, made).rowcount == 1000
    requests = sent(org)
    assert len([each for each in requests if each.startswith("POST")]) == 1
    assert len(requests) <= 12
    found = sql("SELECT sum(revenue), count(*) FROM account WHERE name = 'computed'").fetchone()
    assert found == (sum(range(1000)) + sum(range(500)), 1000)


def test_a_row_named_again_meets_what_was_written(sql: Sql, connect: Connect) -> None:
    keys = [str(uuid.uuid4()) for _ in range(10)]
    sets = [(key, "again", 1) for _ in range(4) for key in keys]
    assert connect().cursor().executemany(ADD_TO, sets).rowcount == 40
    assert sql("SELECT sum(revenue) FROM account WHERE name = 'again'").fetchone() == (40,)


def test_parameters_of_the_expression_are_each_sets_own(sql: Sql, connect: Connect) -> None:
    keys = [str(uuid.uuid4()) for _ in range(4)]
    statement = ADD + " ON CONFLICT (accountid) DO UPDATE SET revenue = account.revenue * ?"
    cursor = connect().cursor()
    cursor.executemany(ADD, [(key, "own", 10) for key in keys])
    cursor.executemany(statement, [(key, "own", 0, factor) for key, factor in zip(keys, (2, 2, 3, 3), strict=True)])
    found = sql("SELECT revenue FROM account WHERE name = 'own' ORDER BY revenue").fetchall()
    assert found == [(20,), (20,), (30,), (30,)]


@pytest.mark.parametrize("count", [1, 3])
def test_no_change_of_another_is_lost(sql: Sql, connect: Connect, count: int) -> None:
    """Another writer changes the row between the reading and the writing: it is read again."""
    keys = [str(uuid.uuid4()) for _ in range(count)]
    for key in keys:
        sql(ADD, (key, f"raced {count}", 1))
    raced = Raced(connect(), lambda: sql("UPDATE account SET revenue = 100 WHERE accountid = ?", keys[:1]))
    raced.connection.cursor().executemany(ADD_TO, [(key, "x", 5) for key in keys])
    assert raced.done
    found = sql("SELECT revenue FROM account WHERE accountid = ?", keys[:1]).fetchone()
    assert found == (105,)


class Raced:
    """A connection into whose statement something comes, after its first reading."""

    def __init__(self, connection: dbapi.Connection, then: Any) -> None:
        self.connection, self.done, self._then = connection, False, then
        connection.on_request = self._after

    def _after(self, request: HttpRequest, response: HttpResponse) -> None:
        if request.method == "GET" and "accounts" in request.url and not self.done:
            self.done = True
            self._then()
