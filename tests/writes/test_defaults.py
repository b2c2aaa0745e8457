"""DEFAULT in INSERT, UPDATE and ON CONFLICT: what the metadata says a new row gets, else NULL."""

from __future__ import annotations

import uuid

from .conftest import Connect, Sql


def test_inserts_leave_the_column_out(sql: Sql) -> None:
    row = sql(
        "INSERT INTO account (name, creditonhold, statuscode, description) VALUES (?, DEFAULT, DEFAULT, DEFAULT), "
        "(upper(?), DEFAULT, 1, 'told') RETURNING name, creditonhold, statuscode, description",
        ("default one", "default two"),
    )
    assert row.fetchall() == [("default one", False, 1, None), ("DEFAULT TWO", False, 1, "told")]


def test_updates_send_the_default_or_null(sql: Sql, connect: Connect) -> None:
    key = str(uuid.uuid4())
    sql("INSERT INTO account (accountid, name, creditonhold, revenue) VALUES (?, 'd', true, 5)", (key,))
    sql("UPDATE account SET creditonhold = DEFAULT, revenue = DEFAULT, name = name || '!' WHERE accountid = ?", (key,))
    found = sql("SELECT creditonhold, revenue, name FROM account WHERE accountid = ?", (key,)).fetchone()
    assert found == (False, None, "d!")
    sql("UPDATE account SET creditonhold = true WHERE accountid = ?", (key,))
    cursor = connect().cursor()
    assert cursor.executemany("UPDATE account SET creditonhold = DEFAULT WHERE accountid = ?", [(key,)]).rowcount == 1
    assert sql("SELECT creditonhold FROM account WHERE accountid = ?", (key,)).fetchone() == (False,)


def test_upserts_set_a_row_that_exists_to_it(sql: Sql) -> None:
    keys = [str(uuid.uuid4()) for _ in range(2)]
    sql("INSERT INTO account (accountid, name, creditonhold) VALUES (?, 'd', true), (?, 'd', true)", keys)
    sql(
        "INSERT INTO account (accountid, name) VALUES (?, 'e') "
        "ON CONFLICT (accountid) DO UPDATE SET creditonhold = DEFAULT, description = DEFAULT",
        keys[:1],
    )
    sql(
        "INSERT INTO account (accountid, creditonhold) VALUES (?, DEFAULT) "
        "ON CONFLICT (accountid) DO UPDATE SET creditonhold = excluded.creditonhold",
        keys[1:],
    )
    found = sql("SELECT name, creditonhold FROM account WHERE accountid IN (?, ?)", keys).fetchall()
    assert found == [("d", False)] * 2
