"""UPDATE and DELETE: by key, by version, by any WHERE; what is read, what is sent, how many rows."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, sent


@pytest.fixture
def keys(sql: Sql, org: Sandbox) -> list[str]:
    """Three accounts of one unique name and of revenues 1, 2, 3."""
    name = f"T{uuid.uuid4()}"
    rows = [(str(uuid.uuid4()), name, number) for number in (1, 2, 3)]
    for row in rows:
        sql("INSERT INTO account (accountid, name, revenue) VALUES (?, ?, ?)", row)
    sent(org)
    return [name, *(row[0] for row in rows)]


def test_a_key_alone_needs_no_read(sql: Sql, org: Sandbox, keys: list[str]) -> None:
    assert sql("UPDATE account SET revenue = ? WHERE accountid = ?", (5, keys[1])).rowcount == 1
    assert sql("UPDATE account SET revenue = 6 WHERE account.accountid IN (?, ?)", keys[2:]).rowcount == 2
    assert sql("DELETE FROM account WHERE accountid = ?", (keys[1].upper(),)).rowcount == 1
    assert [each.partition(" ")[0] for each in sent(org)] == ["PATCH", "POST", "DELETE"]


def test_a_missing_row_is_no_row_and_is_not_made(sql: Sql, keys: list[str]) -> None:
    nobody = str(uuid.uuid4())
    assert sql("UPDATE account SET revenue = 5 WHERE accountid = ?", (nobody,)).rowcount == 0
    assert sql("UPDATE account SET revenue = 9 WHERE accountid IN (?, ?, ?)", (keys[1], nobody, keys[2])).rowcount == 2
    assert sql("DELETE FROM account WHERE accountid IN (?, ?, ?)", (keys[1], nobody, keys[2])).rowcount == 2
    assert sql("SELECT count(*) FROM account WHERE accountid = ?", (nobody,)).fetchone() == (0,)
    assert sql("UPDATE account SET revenue = 5 WHERE accountid = NULL").rowcount == 0


def test_versions_guard_updates_and_deletes(sql: Sql, keys: list[str]) -> None:
    (version,) = sql("SELECT versionnumber FROM account WHERE accountid = ?", (keys[1],)).fetchone() or (0,)
    change = "UPDATE account SET revenue = 8 WHERE accountid = ? AND versionnumber = ? RETURNING versionnumber"
    cursor = sql(change, (keys[1], version))
    assert cursor.rowcount == 1 and cursor.fetchall()[0][0] > version
    stale = sql(change, (keys[1], version))
    assert stale.rowcount == 0 and stale.fetchall() == []
    assert sql("DELETE FROM account WHERE accountid = ? AND versionnumber = ?", (keys[1], version)).rowcount == 0


def test_any_where_and_any_expression(sql: Sql, org: Sandbox, keys: list[str]) -> None:
    cursor = sql("UPDATE account SET revenue = revenue * 10, description = upper('x') WHERE name = ? AND revenue > 1 "
                 "RETURNING revenue, description", keys[:1])  # fmt: skip
    assert sorted(cursor.fetchall()) == [(Decimal(20), "X"), (Decimal(30), "X")] and cursor.rowcount == 2
    assert sent(org)[:2] == ["GET accounts", "POST $batch"]


def test_update_from_and_correlated(sql: Sql, keys: list[str]) -> None:
    sql("INSERT INTO contact (lastname, parentcustomerid) VALUES (?, ?)", (keys[0], keys[1]))
    update = (
        "UPDATE account AS a SET description = c.lastname FROM contact c "
        "WHERE c.parentcustomerid = a.accountid AND a.name = ?"
    )
    assert sql(update, keys[:1]).rowcount == 1
    counted = (
        "UPDATE account SET numberofemployees = "
        "(SELECT count(*) FROM contact c WHERE c.parentcustomerid = account.accountid) WHERE name = ?"
    )
    assert sql(counted, keys[:1]).rowcount == 3
    found = sql(
        "SELECT description, numberofemployees FROM account WHERE name = ? ORDER BY revenue", keys[:1]
    ).fetchall()
    assert found == [(keys[0], 1), (None, 0), (None, 0)]


def test_what_an_update_reads_it_does_not_meet_again(sql: Sql, keys: list[str]) -> None:
    assert sql("UPDATE account SET revenue = revenue + 1 WHERE name = ? AND revenue < 4", keys[:1]).rowcount == 3
    found = sql("SELECT revenue FROM account WHERE name = ? ORDER BY revenue", keys[:1]).fetchall()
    assert found == [(Decimal(2),), (Decimal(3),), (Decimal(4),)]


def test_lookups_are_set_and_cleared(sql: Sql, keys: list[str]) -> None:
    sql("UPDATE account SET parentaccountid = ? WHERE accountid = ?", (keys[1], keys[2]))
    assert sql("SELECT parentaccountid FROM account WHERE accountid = ?", (keys[2],)).fetchone() == (keys[1],)
    sql("UPDATE account SET parentaccountid = NULL, description = NULL WHERE accountid = ?", (keys[2],))
    assert sql("SELECT parentaccountid FROM account WHERE accountid = ?", (keys[2],)).fetchone() == (None,)


def test_deleted_rows_are_returned(sql: Sql, keys: list[str]) -> None:
    cursor = sql("DELETE FROM account WHERE name = ? AND revenue < 3 RETURNING revenue, lower(name)", keys[:1])
    assert sorted(cursor.fetchall()) == [(Decimal(1), keys[0].lower()), (Decimal(2), keys[0].lower())]
    assert cursor.rowcount == 2
    assert sql("DELETE FROM account WHERE name = ? RETURNING *", keys[:1]).fetchall()[0][0] == keys[3]


def test_states_are_ordinary_columns(sql: Sql, keys: list[str]) -> None:
    row = sql(
        "UPDATE account SET statecode = 'Inactive' WHERE accountid = ? RETURNING statecode, statuscode", keys[1:2]
    )
    assert row.fetchone() == (1, 2)


REFUSED = [
    ("UPDATE account SET name = 'x'", "AllowUnfilteredWrites"),
    ("DELETE FROM account", "AllowUnfilteredWrites"),
    ("UPDATE account SET accountid = 'x' WHERE name = 'x'", "is the key"),
    ("UPDATE account SET versionnumber = 5 WHERE name = 'x'", "version_id_generator=False"),
    ("UPDATE account SET industrycodename = 'x' WHERE name = 'x'", "set industrycode instead"),
    ("UPDATE account SET overriddencreatedon = '2020-01-01' WHERE name = 'x'", "only an INSERT may set it"),
    ("UPDATE account SET nme = 'x' WHERE name = 'x'", "no column nme"),
    ("UPDATE account SET name = 'x' WHERE nme = 'x'", "nme"),
]


@pytest.mark.parametrize(("statement", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_refused_before_anything_is_sent(sql: Sql, org: Sandbox, statement: str, text: str) -> None:
    with pytest.raises((errors.ProgrammingError, errors.NotSupportedError), match=text):
        sql(statement)
    assert sent(org) == []


def test_whole_tables_change_when_asked_for(connect: Connect) -> None:
    cursor = connect(AllowUnfilteredWrites=True).cursor()
    count: Any = cursor.execute("SELECT count(*) FROM account").fetchone()
    assert cursor.execute("UPDATE account SET description = 'all'").rowcount == count[0]


def test_an_unknown_target_names_the_row(sql: Sql, keys: list[str]) -> None:
    with pytest.raises(errors.IntegrityError, match=r"row 1 of UPDATE account .*Does Not Exist"):
        sql("UPDATE account SET parentaccountid = ? WHERE accountid = ?", (str(uuid.uuid4()), keys[1]))
