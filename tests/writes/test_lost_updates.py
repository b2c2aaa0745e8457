"""UPDATE … SET x = x + 1: what was computed from a row is written to the version it was computed from."""

from __future__ import annotations

import uuid

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.execute import guarding
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, sent
from .test_computed_upserts import Raced

ADD = "INSERT INTO account (accountid, name, revenue) VALUES (?, ?, 1)"
ONE_MORE = "UPDATE account SET revenue = revenue + 1 WHERE name = ?"


def made(sql: Sql, count: int) -> tuple[str, list[str]]:
    name, keys = uuid.uuid4().hex, [str(uuid.uuid4()) for _ in range(count)]
    for key in keys:
        sql(ADD, (key, name))
    return name, keys


def total(sql: Sql, name: str) -> object:
    return (sql("SELECT sum(revenue) FROM account WHERE name = ?", (name,)).fetchone() or (None,))[0]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("many", [False, True])
def test_a_row_changed_meanwhile_is_read_again(sql: Sql, connect: Connect, count: int, many: bool) -> None:
    name, keys = made(sql, count)
    raced = Raced(connect(), lambda: sql("UPDATE account SET revenue = 100 WHERE accountid = ?", keys[:1]))
    cursor = raced.connection.cursor()
    cursor.executemany(ONE_MORE, [(name,)]) if many else cursor.execute(ONE_MORE, (name,))
    assert raced.done and cursor.rowcount == count
    assert total(sql, name) == 101 + 2 * (count - 1)


def test_a_row_that_is_gone_or_moved_away_is_no_row(sql: Sql, connect: Connect) -> None:
    name, keys = made(sql, 3)
    raced = Raced(
        connect(), lambda: sql("UPDATE account SET name = 'moved', revenue = 7 WHERE accountid = ?", keys[:1])
    )
    cursor = raced.connection.cursor().execute(ONE_MORE + " RETURNING accountid, revenue", (name,))
    assert cursor.rowcount == 2 and {row[0] for row in cursor.fetchall()} == set(keys[1:])
    raced = Raced(connect(), lambda: sql("DELETE FROM account WHERE accountid = ?", keys[1:2]))
    assert raced.connection.cursor().execute(ONE_MORE, (name,)).rowcount == 1
    assert sql("SELECT revenue FROM account WHERE accountid = ?", keys[:1]).fetchone() == (7,)


def test_somebody_who_never_stops(sql: Sql, connect: Connect) -> None:
    name, keys = made(sql, 2)
    connection = connect()

    def again(request: HttpRequest, response: object) -> None:
        if request.method == "GET":
            sql("UPDATE account SET description = ? WHERE accountid = ?", (uuid.uuid4().hex, keys[0]))

    connection.on_request = again
    with pytest.raises(errors.IntegrityError, match=r"row \d of UPDATE account.*nothing was written of 2 rows"):
        connection.cursor().execute(ONE_MORE, (name,))
    assert total(sql, name) == 2


def test_values_from_elsewhere_need_no_version(sql: Sql, org: Sandbox) -> None:
    name, _ = made(sql, 3)
    sent(org)
    sql("UPDATE account SET description = 'x' WHERE name = ?", (name,))
    sql("UPDATE account SET description = (SELECT max(lastname) FROM contact) WHERE name = ?", (name,))
    assert sent(org).count("POST accounts/Microsoft.Dynamics.CRM.UpdateMultiple") == 2
    sql(ONE_MORE, (name,))
    assert sent(org)[-1] == "POST $batch"
    steps = sql("EXPLAIN " + ONE_MORE.replace("?", "'x'")).fetchall()
    assert steps[-1][2] == "POST $batch: PATCH accounts({step1.keys}), If-Match: {step1.version}"


def test_thousands_go_in_units(sql: Sql, connect: Connect) -> None:
    name = uuid.uuid4().hex
    keys = [str(uuid.uuid4()) for _ in range(1200)]
    connect().cursor().executemany(ADD, [(key, name) for key in keys])
    raced = Raced(connect(), lambda: sql("UPDATE account SET revenue = 100 WHERE accountid = ?", keys[700:701]))
    assert raced.connection.cursor().execute(ONE_MORE, (name,)).rowcount == 1200
    assert total(sql, name) == 2 * 1199 + 101


def test_a_change_set_fails_at_commit(sql: Sql, connect: Connect) -> None:
    name, keys = made(sql, 2)
    connection = connect()
    connection.isolation_level = "CHANGESET"
    assert connection.cursor().execute(ONE_MORE, (name,)).rowcount == 2
    sql("UPDATE account SET revenue = 100 WHERE accountid = ?", keys[:1])
    with pytest.raises(errors.IntegrityError, match=r"read it again.*nothing was written of 2 rows"):
        connection.commit()
    assert total(sql, name) == 101
    assert connection.cursor().execute(ONE_MORE, (name,)).rowcount == 2
    connection.commit()
    assert total(sql, name) == 103


@pytest.mark.parametrize("count", [1, 3])
def test_tables_without_versions_take_the_last_value(
    org: Sandbox, sql: Sql, connect: Connect, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(guarding, "_UNGUARDED", set())
    monkeypatch.setattr(org.service.organisation.tables["account"], "optimistic", False)
    name, keys = made(sql, count)
    connection = connect()
    connection.isolation_level = "CHANGESET"
    connection.cursor().execute("UPDATE account SET revenue = revenue + 1, name = name WHERE name = ?", (name,))
    with pytest.raises(errors.NotSupportedError, match="no optimistic concurrency"):
        connection.commit()
    connection.cursor().execute(ONE_MORE, (name,))
    connection.commit()
    monkeypatch.setattr(guarding, "_UNGUARDED", set())
    assert sql(ONE_MORE, (name,)).rowcount == count
    add_to = ADD + " ON CONFLICT (accountid) DO UPDATE SET revenue = account.revenue + excluded.revenue"
    monkeypatch.setattr(guarding, "_UNGUARDED", set())
    assert connect().cursor().executemany(add_to, [(key, "x") for key in keys]).rowcount == count
    assert total(sql, name) == 4 * count
