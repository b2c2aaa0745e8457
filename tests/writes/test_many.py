"""executemany: many rows in few requests, counted exactly, the row that fails named."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, sent

ADD = "INSERT INTO account (accountid, name, revenue) VALUES (?, ?, ?)"


def test_thousands_of_rows_go_in_parallel_portions(connect: Connect, org: Sandbox) -> None:
    cursor = connect().cursor()
    rows = [(str(uuid.uuid4()), "many", number) for number in range(2500)]
    assert cursor.executemany(ADD, rows).rowcount == 2500
    assert len(sent(org)) < 15
    changed = [(number + 1, key) for key, _, number in rows]
    assert cursor.executemany("UPDATE account SET revenue = ? WHERE accountid = ?", changed).rowcount == 2500
    assert cursor.execute("SELECT sum(revenue) FROM account WHERE name = 'many'").fetchone() == (2500 * 2501 // 2,)
    assert cursor.execute("DELETE FROM account WHERE name = 'many'").rowcount == 2500
    assert cursor.execute("SELECT count(*) FROM account WHERE name = 'many'").fetchone() == (0,)


def test_the_row_that_fails_is_named(sql: Sql, connect: Connect) -> None:
    cursor = connect().cursor()
    taken = str(uuid.uuid4())
    sql(ADD, (taken, "taken", 1))
    rows = [(str(uuid.uuid4()), "named", number) for number in range(70)]
    rows[41] = (taken, "named", 41)
    with pytest.raises(errors.IntegrityError, match=f"row 42 of INSERT account .accountid {taken}"):
        cursor.executemany(ADD, rows)
    assert sql("SELECT count(*) FROM account WHERE name = 'named'").fetchone() == (0,)


def test_versions_and_missing_rows_count_for_themselves(sql: Sql, connect: Connect) -> None:
    keys = [str(uuid.uuid4()) for _ in range(4)]
    for key in keys:
        sql(ADD, (key, "versions", 1))
    versions: dict[str, int] = dict(
        sql("SELECT accountid, versionnumber FROM account WHERE name = 'versions'").fetchall()
    )
    sql("UPDATE account SET revenue = 9 WHERE accountid = ?", keys[1:2])
    sets: list[Any] = [(5, key, versions[key]) for key in keys]
    sets.insert(2, (5, str(uuid.uuid4()), 1))
    change = "UPDATE account SET revenue = ? WHERE accountid = ? AND versionnumber = ?"
    assert connect().cursor().executemany(change, sets).rowcount == 3
    found = sql("SELECT revenue FROM account WHERE name = 'versions' ORDER BY revenue").fetchall()
    assert [int(row[0]) for row in found] == [5, 5, 5, 9]


def test_deletes_that_are_restricted_name_the_row(sql: Sql, connect: Connect) -> None:
    cursor = connect().cursor()
    keys = [str(uuid.uuid4()) for _ in range(3)]
    for key in keys:
        sql(ADD, (key, "gone", 1))
    assert cursor.executemany("DELETE FROM account WHERE accountid = ?", [(key,) for key in keys * 2]).rowcount == 3


def test_the_same_row_twice_keeps_its_order(sql: Sql, connect: Connect) -> None:
    key = str(uuid.uuid4())
    sql(ADD, (key, "twice", 1))
    sets = [(number, key) for number in range(5)]
    assert connect().cursor().executemany("UPDATE account SET revenue = ? WHERE accountid = ?", sets).rowcount == 5
    assert sql("SELECT revenue FROM account WHERE accountid = ?", (key,)).fetchone() == (4,)


def test_what_reads_rows_sees_what_was_written_before(sql: Sql, connect: Connect) -> None:
    sql(ADD, (str(uuid.uuid4()), "counter", 0))
    cursor = connect().cursor()
    assert (
        cursor.executemany("UPDATE account SET revenue = revenue + ? WHERE name = 'counter'", [(1,)] * 3).rowcount == 3
    )
    assert sql("SELECT revenue FROM account WHERE name = 'counter'").fetchone() == (3,)


def test_rows_named_by_other_columns_are_looked_for_together(connect: Connect, org: Sandbox) -> None:
    cursor = connect().cursor()
    add = "INSERT INTO account (accountnumber, name, numberofemployees) VALUES (?, 'together', ?)"
    cursor.executemany(add, [(f"T{number}", number % 3) for number in range(300)])
    sent(org)
    change = "UPDATE account SET description = ? WHERE accountnumber = ?"
    sets: list[Any] = [(f"d{number}", f"t{number} ") for number in range(300)]
    assert cursor.executemany(change, sets).rowcount == 300
    assert len(sent(org)) <= 6
    asked = cursor.execute("SELECT count(DISTINCT description) FROM account WHERE name = 'together'")
    assert asked.fetchone() == (300,)
    sets = [("first", "T1"), ("second", "t1"), ("nobody", "T999"), ("NULL", None), ("third", "T1")]
    assert cursor.executemany(change, sets).rowcount == 3
    assert cursor.executemany(change, [sets[0], sets[2], sets[4]]).rowcount == 2
    asked = cursor.execute("SELECT description FROM account WHERE accountnumber = 'T1'")
    assert asked.fetchone() == ("third",)
    sent(org)
    drop = "DELETE FROM account WHERE numberofemployees = ? AND accountnumber = ?"
    assert cursor.executemany(drop, [(0, f"T{number}") for number in (*range(300), 3)]).rowcount == 100
    assert len(sent(org)) <= 6


def test_what_is_set_may_be_what_is_looked_for(sql: Sql, connect: Connect) -> None:
    sql("INSERT INTO account (accountnumber, name) VALUES ('chain 1', 'chained')")
    change = "UPDATE account SET accountnumber = ? WHERE accountnumber = ?"
    assert connect().cursor().executemany(change, [("chain 2", "chain 1"), ("chain 3", "chain 2")]).rowcount == 2
    assert sql("SELECT accountnumber FROM account WHERE name = 'chained'").fetchone() == ("chain 3",)


def test_many_sets_wait_for_commit_together(sql: Sql, connect: Connect) -> None:
    rows = [(f"W{number}",) for number in range(250)]
    connect().cursor().executemany("INSERT INTO account (accountnumber, name) VALUES (?, 'waits')", rows)
    connection = connect()
    connection.isolation_level = "CHANGESET"
    change = "UPDATE account SET description = ? WHERE accountnumber = ?"
    assert connection.cursor().executemany(change, [("w", *row) for row in rows]).rowcount == 250
    counted = "SELECT count(*) FROM account WHERE name = 'waits' AND description = 'w'"
    assert sql(counted).fetchone() == (0,)
    connection.commit()
    assert sql(counted).fetchone() == (250,)


def test_mixed_values_and_nulls(sql: Sql, connect: Connect) -> None:
    sets = [("nulls", None, 1), ("nulls", "x", None), ("nulls", None, None)]
    cursor = connect().cursor()
    cursor.executemany("INSERT INTO account (name, description, numberofemployees) VALUES (?, ?, ?)", sets)
    found = sql("SELECT description, numberofemployees FROM account WHERE name = 'nulls'").fetchall()
    assert sorted(map(repr, found)) == sorted(map(repr, [(None, 1), ("x", None), (None, None)]))
    with pytest.raises(errors.ProgrammingError, match="no rows"):
        cursor.executemany("INSERT INTO account (name) VALUES (?) RETURNING accountid", [("x",)])


def test_continue_on_error_reports_the_rows(connect: Connect, sql: Sql) -> None:
    taken = str(uuid.uuid4())
    sql(ADD, (taken, "taken", 1))
    rows: list[Any] = [(str(uuid.uuid4()), "goes on", number) for number in range(20)]
    rows[3], rows[11] = (taken, "goes on", 3), (str(uuid.uuid4()), "goes on", "many")
    cursor = connect(ContinueOnError=True).cursor().executemany(ADD, rows)
    assert cursor.rowcount == 18
    (four, duplicate), (twelve, malformed) = cursor.failures
    assert (four, twelve) == (4, 12)
    assert isinstance(duplicate, errors.IntegrityError) and isinstance(malformed, errors.DataError)
    assert sql("SELECT count(*) FROM account WHERE name = 'goes on'").fetchone() == (18,)


def test_arrow_tables_are_rows(connect: Connect, sql: Sql) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"name": ["arrow"] * 3, "revenue": [1, None, 3]})
    cursor = connect().cursor().executemany("INSERT INTO account (name, revenue) VALUES (?, ?)", table)
    assert cursor.rowcount == 3
    assert sql("SELECT sum(revenue) FROM account WHERE name = 'arrow'").fetchone() == (4,)


def test_arrow_columns_are_named_markers(connect: Connect, sql: Sql) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"r": [1, None], "n": ["named", "named"], "more": [0, 0]})
    reader = pyarrow.RecordBatchReader.from_batches(table.schema, table.to_batches())
    for rows in (table, table.to_batches()[0], reader):
        named = connect().cursor().executemany("INSERT INTO account (name, revenue) VALUES (:n, :r)", rows)
        assert named.rowcount == 2
    assert sql("SELECT count(*), sum(revenue) FROM account WHERE name = 'named'").fetchone() == (6, 3)
