"""A write that fails says exactly which rows were written and which were not; ContinueOnError writes the good ones."""

from __future__ import annotations

import pickle
import uuid
from typing import Any

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, control

ADD = "INSERT INTO account (accountid, name, revenue) VALUES (?, ?, ?)"
CHANGE = "UPDATE account SET revenue = ? WHERE accountid = ?"
MISSING_PARENT = "UPDATE account SET parentaccountid = ? WHERE accountid = ?"
TAKE = (
    "INSERT INTO account (accountid, name, revenue) VALUES (?, ?, ?) "
    "ON CONFLICT (accountid) DO UPDATE SET name = excluded.name, revenue = excluded.revenue"
)
ADD_TO = (
    "INSERT INTO account (accountid, name, revenue) VALUES (?, ?, ?) "
    "ON CONFLICT (accountid) DO UPDATE SET revenue = account.revenue + excluded.revenue"
)


def rows(count: int, name: str) -> list[Any]:
    return [(str(uuid.uuid4()), name, number) for number in range(count)]


def names(sql: Sql, name: str) -> set[str]:
    return {row[0] for row in sql("SELECT accountid FROM account WHERE name = ?", (name,)).fetchall()}


def by_outcome(error: errors.DatabaseError) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in error.results:
        found.setdefault(each.outcome, set()).add(each.key)
    return found


@pytest.mark.parametrize("threads", [1, 4])
def test_portions_that_were_written_are_told(sql: Sql, connect: Connect, threads: int) -> None:
    taken, name = str(uuid.uuid4()), f"portions {threads}"
    sql(ADD, (taken, "taken", 1))
    sets = rows(1500, name)
    sets[700] = (taken, name, 700)
    with pytest.raises(
        errors.IntegrityError, match=r"row 701 of INSERT account .*written: rows 1-\d+.*refused: rows 701"
    ) as e:
        connect(MaxConcurrency=threads).cursor().executemany(ADD, sets)
    found = by_outcome(e.value)
    assert [each.row for each in e.value.results] == list(range(1, 1501))
    assert found["written"] == names(sql, name) and found["refused"] == {taken}
    assert found["written"] | found["not written"] | found["refused"] == {row[0] for row in sets}
    refused = e.value.results[700]
    assert (refused.row, refused.outcome, refused.error) == (701, "refused", e.value)


def test_results_travel_between_processes(sql: Sql) -> None:
    taken = str(uuid.uuid4())
    sql(ADD, (taken, "pickled", 1))
    with pytest.raises(errors.DataverseIntegrityError) as e:
        sql("INSERT INTO account (accountid, name) VALUES (?, 'u'), (?, 'u')", (taken, str(uuid.uuid4())))
    copy = pickle.loads(pickle.dumps(e.value))
    assert (str(copy), copy.code, copy.status) == (str(e.value), e.value.code, e.value.status)
    assert [each[:3] for each in copy.results] == [each[:3] for each in e.value.results]
    assert copy.results[0].error is copy


def test_one_statement_is_one_unit(sql: Sql) -> None:
    taken = str(uuid.uuid4())
    sql(ADD, (taken, "unit", 1))
    with pytest.raises(errors.IntegrityError, match=r"row 2 of INSERT .*\[nothing was written of 3 rows\]") as e:
        sql(
            "INSERT INTO account (accountid, name) VALUES (?, 'u'), (?, 'u'), (?, 'u')",
            (str(uuid.uuid4()), taken, str(uuid.uuid4())),
        )
    assert [each.outcome for each in e.value.results] == ["not written", "refused", "not written"]


def test_what_single_statements_did_before(sql: Sql, connect: Connect) -> None:
    """Sets that read tables are run at once: those before the one refused stay."""
    for name in ("s1", "s2", "s3"):
        sql(ADD, (str(uuid.uuid4()), name, 1))
    cursor = connect().cursor()
    change = "UPDATE account SET description = name || ?, parentaccountid = ? WHERE name = ?"
    with pytest.raises(errors.IntegrityError, match=r"row 2 .*written: rows 1; refused: rows 2; not written: rows 3"):
        cursor.executemany(change, [("!", None, "s1"), ("!", str(uuid.uuid4()), "s2"), ("!", None, "s3")])
    assert sql("SELECT description FROM account WHERE name = 's1'").fetchone() == ("s1!",)


def test_rows_that_are_missing_are_unmatched(sql: Sql, connect: Connect) -> None:
    made = rows(4, "unmatched")
    connect().cursor().executemany(ADD, made)
    sets = [(5, key) for key, _, _ in made]
    sets.insert(1, (5, str(uuid.uuid4())))
    sets.append((5, "no guid"))
    with pytest.raises(errors.DataError, match=r"row 6: .*nothing was written"):
        connect().cursor().executemany(CHANGE, sets)
    assert connect().cursor().executemany(CHANGE, sets[:5]).rowcount == 4


@pytest.mark.parametrize("statement", [ADD, TAKE, ADD_TO, CHANGE, MISSING_PARENT])
def test_going_on_writes_every_good_row(sql: Sql, connect: Connect, statement: str) -> None:
    name = f"going on {uuid.uuid4().hex[:6]}"
    made = rows(450, name)
    if statement in (CHANGE, MISSING_PARENT):
        connect().cursor().executemany(ADD, made)
        parent = made[0][0]
        sets: list[Any] = [(7 if statement is CHANGE else parent, row[0]) for row in made]
        sets[17] = (10**16 if statement is CHANGE else str(uuid.uuid4()), made[17][0])
        sets[333] = ("much", made[333][0])
        column, good = ("revenue", 7) if statement is CHANGE else ("parentaccountid", parent)
    else:
        taken = str(uuid.uuid4())
        sql(ADD, (taken, "taken", 1))
        sets = list(made)
        sets[17] = (taken, name, 17) if statement is ADD else (made[17][0], name, 10**16)
        sets[333] = (made[333][0], name, "much")
        column, good = "name", name
    cursor = connect(ContinueOnError=True).cursor().executemany(statement, sets)
    assert cursor.rowcount == 448
    assert [row for row, _ in cursor.failures] == [18, 334]
    assert all(isinstance(error, errors.DatabaseError) and str(error) for _, error in cursor.failures)
    count = sql(f"SELECT count(*) FROM account WHERE name = ? AND {column} = ?", (name, good)).fetchone()
    assert count == (448,)


def test_a_computed_value_that_is_refused(sql: Sql, connect: Connect) -> None:
    made = rows(40, "computed badly")
    connect().cursor().executemany(ADD, [(key, name, 9 * 10**14) for key, name, _ in made])
    sets = [(key, name, 9 * 10**14 if number in (7, 23) else 1) for number, (key, name, _) in enumerate(made)]
    with pytest.raises(errors.DataError, match=r"row 8: account\.revenue takes .*nothing was written of 40 rows"):
        connect().cursor().executemany(ADD_TO, sets)
    cursor = connect(ContinueOnError=True).cursor().executemany(ADD_TO, sets)
    assert cursor.rowcount == 38 and [row for row, _ in cursor.failures] == [8, 24]
    found = sql("SELECT count(*) FROM account WHERE name = 'computed badly' AND revenue > 900000000000000").fetchone()
    assert found == (38,)


def test_a_row_the_service_refuses_has_its_code(sql: Sql, connect: Connect) -> None:
    made = rows(3, "codes")
    sets = [(key, name, str(uuid.uuid4()) if number == 1 else None) for key, name, number in made]
    statement = (
        "INSERT INTO account (accountid, name, parentaccountid) VALUES (?, ?, ?) ON CONFLICT (accountid) "
        "DO UPDATE SET name = excluded.name, parentaccountid = excluded.parentaccountid"
    )
    cursor = connect(ContinueOnError=True).cursor().executemany(statement, sets)
    assert cursor.rowcount == 2 and names(sql, "codes") == {made[0][0], made[2][0]}
    ((row, error),) = cursor.failures
    assert row == 2 and isinstance(error, errors.DataverseIntegrityError) and error.code == "0x80040217"
    assert f"row 2 of INSERT account (accountid {made[1][0]})" in str(error)


def test_a_limit_ends_even_what_goes_on(connect: Connect, org: Sandbox, sql: Sql) -> None:
    connection = connect(ContinueOnError=True, MaxRetries=0, MaxConcurrency=1)
    control(org, "POST", "faults", {"kind": "429", "when": "2+", "arg": 0, "path": "CreateMultiple"})
    sets = rows(900, "limit")
    with pytest.raises(errors.ThrottledError, match="written: rows 1-200; not written: rows 201-900") as e:
        connection.cursor().executemany(ADD, sets)
    control(org, "DELETE", "faults")
    assert by_outcome(e.value)["written"] == names(sql, "limit")
