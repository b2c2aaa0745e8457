"""AUTOCOMMIT, and CHANGESET: all of a transaction's changes at COMMIT, or none of them."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import orm

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.execute.transactions import Transaction
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, control, sent
from .test_orm import Account, Contact

ADD = "INSERT INTO account (accountid, name, revenue) VALUES (?, ?, ?)"


@pytest.fixture
def buffered(connect: Connect) -> Iterator[dbapi.Connection]:
    connection = connect()
    connection.isolation_level = "CHANGESET"
    yield connection
    connection.rollback()


def test_rollback_after_sent_writes_warns_once(connect: Connect) -> None:
    connection = connect()
    connection.rollback()
    connection.cursor().execute(ADD, (str(uuid.uuid4()), "warned", 1))
    with pytest.warns(dbapi.Warning, match="CHANGESET"):
        connection.rollback()
    connection.cursor().execute(ADD, (str(uuid.uuid4()), "warned", 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        connection.rollback()
        connection.cursor().execute(ADD, (str(uuid.uuid4()), "warned", 1))
        connection.commit()
        connection.rollback()


def test_writes_that_name_or_read_a_local_table_wait_too(buffered: dbapi.Connection, org: Sandbox) -> None:
    cursor, key = buffered.cursor(), str(uuid.uuid4())
    cursor.execute(ADD, (key, "local", 1))
    cursor.execute("INSERT INTO contact (lastname, parentcustomerid) VALUES ('of sys_connection_props', ?)", (key,))
    cursor.execute("INSERT INTO account (name) SELECT propertyname FROM sys_connection_props LIMIT 2")
    cursor.execute(
        "INSERT INTO contact (lastname, parentcustomerid) "
        "SELECT propertyname, ? FROM sys_connection_props WHERE propertyname = 'timeout'",
        [("account", key)],
    )
    assert [each for each in sent(org) if not each.startswith("GET")] == []
    buffered.commit()
    assert sent(org) == ["POST $batch"]


def test_nothing_of_an_interrupted_statement_waits(
    buffered: dbapi.Connection, org: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Transaction.add

    def interrupted(self: Transaction, *arguments: Any) -> None:
        add(self, *arguments)
        raise KeyboardInterrupt

    cursor = buffered.cursor()
    cursor.execute(ADD, (str(uuid.uuid4()), "whole", 1))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Transaction, "add", interrupted)
        cursor.execute(ADD, (str(uuid.uuid4()), "interrupted", 1))
    buffered.commit()
    assert sent(org) == ["POST accounts"]


def test_commit_sends_one_change_set(buffered: dbapi.Connection, sql: Sql, org: Sandbox) -> None:
    cursor, key, other = buffered.cursor(), str(uuid.uuid4()), str(uuid.uuid4())
    assert cursor.execute(ADD, (key, "set", 1)).rowcount == 1
    cursor.execute("INSERT INTO contact (lastname, parentcustomerid) VALUES ('set', ?)", (key,))
    cursor.execute("UPDATE account SET revenue = 2 WHERE accountid = ?", (key,))
    assert cursor.executemany(ADD, [(other, "set", 3), (str(uuid.uuid4()), "set", 4)]).rowcount == 2
    cursor.execute("DELETE FROM account WHERE accountid = ?", (other,))
    assert [each for each in sent(org) if not each.startswith("GET")] == []
    buffered.commit()
    assert sent(org) == ["POST $batch"]
    assert sql("SELECT revenue FROM account WHERE name = 'set' ORDER BY revenue").fetchall() == [(2,), (4,)]
    assert sql("SELECT count(*) FROM contact WHERE parentcustomerid = ?", (key,)).fetchone() == (1,)


def test_rollback_discards(buffered: dbapi.Connection, org: Sandbox) -> None:
    buffered.cursor().execute(ADD, (str(uuid.uuid4()), "discarded", 1))
    buffered.rollback()
    buffered.commit()
    assert sent(org) == []


def test_one_refusal_undoes_all_and_is_named(buffered: dbapi.Connection, sql: Sql) -> None:
    taken = str(uuid.uuid4())
    sql(ADD, (taken, "taken", 1))
    cursor = buffered.cursor()
    cursor.execute(ADD, (str(uuid.uuid4()), "refused", 1))
    cursor.execute(ADD, (taken, "refused", 2))
    cursor.execute(ADD, (str(uuid.uuid4()), "refused", 3))
    with pytest.raises(errors.IntegrityError, match=f"row 2 of INSERT account .accountid {taken}"):
        buffered.commit()
    assert sql("SELECT count(*) FROM account WHERE name = 'refused'").fetchone() == (0,)
    buffered.commit()


def test_a_stale_version_fails_the_commit(buffered: dbapi.Connection, sql: Sql) -> None:
    key = str(uuid.uuid4())
    sql(ADD, (key, "versioned", 1))
    (version,) = sql("SELECT versionnumber FROM account WHERE accountid = ?", (key,)).fetchone() or (0,)
    sql("UPDATE account SET revenue = 2 WHERE accountid = ?", (key,))
    change = "UPDATE account SET revenue = 3 WHERE accountid = ? AND versionnumber = ?"
    assert buffered.cursor().execute(change, (key, version)).rowcount == 1
    with pytest.raises(errors.IntegrityError, match="RowVersion"):
        buffered.commit()


def test_what_could_not_be_honest_is_refused(buffered: dbapi.Connection) -> None:
    cursor = buffered.cursor()
    cursor.execute(ADD, (str(uuid.uuid4()), "pending", 1))
    for reading in (
        "SELECT count(*) FROM account",
        "UPDATE account SET revenue = revenue + 1 WHERE name = 'pending'",
        "DELETE FROM account WHERE name = 'pending'",
    ):
        with pytest.raises(errors.NotSupportedError, match="account has changes that wait for COMMIT"):
            cursor.execute(reading)
    assert cursor.execute("SELECT count(*) FROM contact").fetchone() is not None
    with pytest.raises(errors.NotSupportedError, match="1000 operations"):
        cursor.executemany(ADD, [(str(uuid.uuid4()), "pending", 1)] * 1000)
    with pytest.raises(errors.InterfaceError, match="commit or roll back"):
        buffered.isolation_level = "AUTOCOMMIT"
    with pytest.raises(errors.InterfaceError, match="SERIALIZABLE"):
        buffered.isolation_level = "SERIALIZABLE"


def test_what_a_waiting_delete_takes_along_is_read_until_commit(buffered: dbapi.Connection, sql: Sql) -> None:
    account, contact = str(uuid.uuid4()), str(uuid.uuid4())
    sql(ADD, (account, "parent", 1))
    sql("INSERT INTO contact (contactid, parentcustomerid) VALUES (?, ?)", (contact, ("account", account)))
    cursor, count = buffered.cursor(), f"SELECT count(*) FROM contact WHERE contactid = '{contact}'"
    cursor.execute("DELETE FROM account WHERE accountid = ?", (account,))
    assert cursor.execute(count).fetchone() == (1,)
    buffered.commit()
    assert cursor.execute(count).fetchone() == (0,)


NAMES = {
    "account": ("name", "contact", "parentcustomeridname"),
    "contact": ("lastname", "account", "primarycontactidname"),
    "task": ("subject", "activityparty", "activityidname"),
    "team": ("name", "account", "owneridname"),
}


@pytest.mark.parametrize("table", NAMES)
def test_names_that_wait_are_not_read_through_lookups(buffered: dbapi.Connection, sql: Sql, table: str) -> None:
    column, reader, shown = NAMES[table]
    key = "activityid" if table == "task" else f"{table}id"
    (row,) = sql(f"SELECT {key} FROM {table} LIMIT 1").fetchone() or ("",)
    cursor = buffered.cursor()
    cursor.execute(f"UPDATE {table} SET {column} = 'waiting' WHERE {key} = ?", (row,))
    for reading in (
        f"SELECT {shown} FROM {reader}",
        f"SELECT * FROM {reader}",
        f"SELECT count(*) FROM {reader} AS r WHERE r.{shown} = 'old'",
        f"WITH r AS (SELECT * FROM {reader}) SELECT upper({shown}) FROM r",
        *([f"UPDATE {reader} SET description = {shown} WHERE {shown} IS NOT NULL"] if table != "task" else []),
    ):
        with pytest.raises(errors.NotSupportedError, match=f"{reader}.{shown} shows names of {table}.*no_autoflush"):
            cursor.execute(reading)
    base = shown.removesuffix("name")
    assert cursor.execute(f"SELECT count(*), min({base}) FROM {reader}").fetchone()
    assert cursor.execute("SELECT name, transactioncurrencyidname FROM competitor").fetchall()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE account SET description = 'd', revenue = 1, accountnumber = 'n' WHERE accountid = '{}'",
        "INSERT INTO account (accountid, name) VALUES (uuid(), 'made')",
        "DELETE FROM account WHERE accountid = '{}'",
        "INSERT INTO contact (contactid, lastname) VALUES (uuid(), 'made')",
        "UPDATE contact SET jobtitle = 'j' WHERE contactid = '{}'",
    ],
)
def test_changes_without_a_name_let_names_be_read(buffered: dbapi.Connection, sql: Sql, change: str) -> None:
    pending = "contact" if " contact " in change else "account"
    (row,) = sql(f"SELECT {pending}id FROM {pending} LIMIT 1").fetchone() or ("",)
    buffered.cursor().execute(change.format(row))
    reader = "account" if pending == "contact" else "contact"
    shown = {"account": "primarycontactidname", "contact": "parentcustomeridname"}[reader]
    assert buffered.cursor().execute(f"SELECT {shown} FROM {reader} WHERE {shown} IS NOT NULL LIMIT 3").fetchall()


def test_all_activities_are_not_read_while_one_waits(buffered: dbapi.Connection) -> None:
    buffered.cursor().execute("INSERT INTO task (subject) VALUES ('waiting')")
    with pytest.raises(errors.NotSupportedError, match="activitypointer has changes"):
        buffered.cursor().execute("SELECT count(*) FROM activitypointer")


@pytest.mark.parametrize("fault", ["drop", "503", "truncate"])
def test_a_lost_commit_is_not_doubled(buffered: dbapi.Connection, sql: Sql, org: Sandbox, fault: str) -> None:
    cursor, key, name = buffered.cursor(), str(uuid.uuid4()), f"lost {fault}"
    sql(ADD, (key, "old", 1))
    cursor.execute(ADD, (str(uuid.uuid4()), name, 1))
    cursor.execute("INSERT INTO account (name) VALUES (?)", (name,))
    cursor.execute("UPDATE account SET name = ? WHERE accountid = ?", (name, key))
    control(org, "POST", "faults", {"kind": fault, "when": "#1", "arg": 0})
    buffered.commit()
    assert sql("SELECT count(*) FROM account WHERE name = ?", (name,)).fetchone() == (3,)


def test_the_unit_of_work_runs_in_a_change_set(engine: Any, org: Sandbox) -> None:
    sa: Any = sqlalchemy
    buffering = engine.execution_options(isolation_level="CHANGESET")
    with orm.Session(buffering) as session:
        account = Account(name="unit", revenue=1, contacts=[Contact(lastname="u1"), Contact(lastname="u2")])
        session.add(account)
        session.flush()
        account.revenue = 2
        session.flush()
        assert [each for each in sent(org) if not each.startswith("GET")] == []
        session.commit()
        assert [each for each in sent(org) if not each.startswith("GET")] == ["POST $batch"]
        assert account.versionnumber > 0 and account.revenue == 2 and len(account.contacts) == 2
        account.contacts[0].lastname = "changed"
        session.delete(account.contacts[1])
        session.commit()
        assert [contact.lastname for contact in account.contacts] == ["changed"]
        session.add(Account(name="never"))
        session.flush()
        session.rollback()
        assert session.scalar(sa.select(sa.func.count()).where(Account.name == "never")) == 0


def test_reflected_models_run_in_a_change_set(engine: Any) -> None:
    sa: Any = sqlalchemy
    table = sa.Table("account", sa.MetaData(), autoload_with=engine)
    base: Any = orm.declarative_base(metadata=table.metadata)
    model = type("Reflected", (base,), {"__table__": table})
    with orm.Session(engine.execution_options(isolation_level="CHANGESET")) as session:
        rows = [model(name=f"r{n}") for n in range(3)]
        session.add_all(rows)
        session.commit()
        assert [(row.name, row.statecode) for row in rows] == [("r0", 0), ("r1", 0), ("r2", 0)]


def test_a_statement_that_fails_leaves_nothing_for_commit(buffered: dbapi.Connection, sql: Sql, org: Sandbox) -> None:
    cursor = buffered.cursor()
    cursor.execute(ADD, (str(uuid.uuid4()), "kept", 1))
    with pytest.raises(errors.DataError, match="row 2"):
        cursor.executemany(ADD, [(str(uuid.uuid4()), "left", 1), (str(uuid.uuid4()), "left", "much")])
    for returning in ("upper(name)", "name"):
        statement = "INSERT INTO account (accountid, name) VALUES (?, 'left')"
        if returning == "name":
            statement += " ON CONFLICT (accountid) DO UPDATE SET name = excluded.name"
        with pytest.raises(errors.NotSupportedError, match="RETURNING under CHANGESET"):
            cursor.execute(f"{statement} RETURNING {returning}", (str(uuid.uuid4()),))
    sent(org)
    buffered.commit()
    assert sql("SELECT name FROM account WHERE name IN ('kept', 'left')").fetchall() == [("kept",)]


def test_options_are_the_whole_change_sets(buffered: dbapi.Connection, org: Sandbox) -> None:
    seen: list[HttpRequest] = []
    watched = dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token)
    watched.on_request = lambda request, response: seen.append(request)
    watched.isolation_level = "CHANGESET"
    cursor = watched.cursor()
    watched.write_options = {"BypassPlugins": True}
    cursor.execute(ADD, (str(uuid.uuid4()), "options", 1))
    cursor.execute(ADD, (str(uuid.uuid4()), "options", 2))
    watched.write_options = {}
    with pytest.raises(errors.NotSupportedError, match="same write options throughout"):
        cursor.execute(ADD, (str(uuid.uuid4()), "options", 3))
    cursor.execute("SELECT lastname FROM contact LIMIT 1").fetchall()
    cursor.execute("EXPLAIN DELETE FROM account WHERE name = 'x'")
    watched.commit()
    batch = seen[-1]
    assert batch.headers["MSCRM.BypassCustomPluginExecution"] == "true"
    assert (batch.body or b"").count(b"MSCRM.BypassCustomPluginExecution: true") == 2
    cursor.execute(ADD, (str(uuid.uuid4()), "options", 3))
    watched.commit()
    assert "MSCRM.BypassCustomPluginExecution" not in seen[-1].headers
    watched.close()


def test_the_answer_of_a_commit_names_every_row(buffered: dbapi.Connection, sql: Sql) -> None:
    taken, other = str(uuid.uuid4()), str(uuid.uuid4())
    sql(ADD, (taken, "named", 1))
    cursor = buffered.cursor()
    cursor.execute(ADD, (other, "named", 1))
    cursor.execute(ADD, (taken, "named", 1))
    with pytest.raises(errors.IntegrityError, match="nothing was written of 2 rows") as error:
        buffered.commit()
    assert [(each.key, each.outcome) for each in error.value.results] == [(other, "not written"), (taken, "refused")]


def test_values_are_presumed_until_commit(buffered: dbapi.Connection, org: Sandbox) -> None:
    cursor = buffered.cursor()
    statement = "INSERT INTO account (name, revenue) VALUES ('presumed', 5) RETURNING accountid, name, revenue, {}"
    sent(org)
    row = cursor.execute(statement.format("createdon, statecode")).fetchone()
    assert row is not None and row[0] and row[1:] == ("presumed", 5, None, None)
    key = row[0]
    assert cursor.execute("UPDATE account SET name = 'p2' WHERE accountid = ?", (key,)).rowcount == 1
    assert cursor.execute("DELETE FROM account WHERE accountid = ?", (str(uuid.uuid4()),)).rowcount == 1
    assert [each for each in sent(org) if not each.startswith("GET")] == []
    with pytest.raises(errors.IntegrityError, match="Does Not Exist"):
        buffered.commit()


def test_a_block_commits_unless_an_error_leaves_it(connect: Connect, sql: Sql) -> None:
    kept, gone = str(uuid.uuid4()), str(uuid.uuid4())
    with connect() as connection:
        connection.isolation_level = "CHANGESET"
        connection.cursor().execute(ADD, (kept, "kept", 1))
    with pytest.raises(ZeroDivisionError), connect() as connection:
        connection.isolation_level = "CHANGESET"
        connection.cursor().execute(ADD, (gone, "gone", 1))
        raise ZeroDivisionError
    with pytest.raises(errors.IntegrityError), connect() as connection:
        connection.isolation_level = "CHANGESET"
        connection.cursor().execute(ADD, (kept, "twice", 1))
    assert connection.closed
    assert sql("SELECT name FROM account WHERE accountid IN (?, ?)", (kept, gone)).fetchall() == [("kept",)]
