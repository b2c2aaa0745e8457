"""RETURNING: parameters in it, other tables, and errors in it, which come before anything is written."""

from __future__ import annotations

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, sent


def test_parameters_in_returning(sql: Sql) -> None:
    made = sql("INSERT INTO account (name) VALUES (?) RETURNING name || ?", ["Para", "x"])
    assert made.fetchall() == [("Parax",)]
    changed = sql("UPDATE account SET description = ? WHERE name = ? RETURNING description || ?", ["d", "Para", "y"])
    assert changed.fetchall() == [("dy",)]
    named = sql("INSERT INTO account (name) VALUES (:a) RETURNING name || :b", {"a": "Named", "b": "z"})
    assert named.fetchall() == [("Namedz",)]
    taken = sql(
        "INSERT INTO new_sample (new_code) VALUES (?) ON CONFLICT (new_code) DO UPDATE SET new_name = ? "
        "RETURNING new_code || ?",
        ["para", "x", "z"],
    )
    assert taken.fetchall() == [("paraz",)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO account (name) VALUES ('Never') RETURNING nosuch(name)",
        "INSERT INTO account (name) VALUES ('Never') RETURNING upper(nosuch)",
        "INSERT INTO account (name) VALUES ('Never') RETURNING sum(1 + 1)",
        "INSERT INTO account (name) VALUES ('Never') RETURNING name, excluded.name",
        "INSERT INTO account (name) VALUES ('Never') RETURNING name || ?",
        "UPDATE account SET description = 'x' FROM contact c WHERE c.parentcustomerid = account.accountid "
        "RETURNING c.description",
    ],
)
def test_an_error_in_returning_comes_before_the_write(statement: str, connect: Connect, org: Sandbox) -> None:
    cursor = connect().cursor()
    with pytest.raises((errors.ProgrammingError, errors.NotSupportedError)):
        cursor.execute(statement)
    assert all(not line.startswith(("POST accounts", "PATCH")) for line in sent(org))


def test_delete_returns_what_its_other_tables_hold(sql: Sql) -> None:
    key = sql("INSERT INTO account (name) VALUES ('Gone') RETURNING accountid").fetchall()[0][0]
    sql("INSERT INTO contact (lastname, parentcustomerid) VALUES ('Stays', ?)", [("account", key)])
    gone = sql(
        "DELETE FROM account USING contact c WHERE c.parentcustomerid = account.accountid AND account.name = 'Gone' "
        "RETURNING account.name, c.lastname"
    )
    assert gone.fetchall() == [("Gone", "Stays")]


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("INSERT INTO account (name) SELECT name, accountid FROM account", "1 columns are named and 2 are selected"),
        ("INSERT INTO account (name, description) SELECT name FROM account", "2 columns are named and 1 are selected"),
        ("INSERT OR IGNORE INTO account (name) VALUES ('x')", "INSERT OR IGNORE is not supported: use ON CONFLICT"),
        ("INSERT OR REPLACE INTO account (name) VALUES ('x')", "INSERT OR REPLACE is not supported"),
        ("UPDATE account SET name = 'a', name = 'b' WHERE name = 'c'", "column name is named twice"),
    ],
)
def test_what_would_be_written_wrongly_is_refused(statement: str, text: str, sql: Sql) -> None:
    with pytest.raises(errors.DatabaseError, match=text):
        sql(statement)


def test_a_value_that_returning_cannot_compute_says_that_the_row_is_written(sql: Sql) -> None:
    with pytest.raises(errors.DataError, match="The rows are written: 1 of them; only RETURNING failed"):
        sql("INSERT INTO account (name, accountnumber) VALUES ('Half', 'R4') RETURNING CAST(accountnumber AS INT)")
    assert sql("SELECT count(*) FROM account WHERE name = 'Half'").fetchone() == (1,)
