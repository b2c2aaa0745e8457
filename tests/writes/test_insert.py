"""INSERT: keys, lookups, choices, what is left out, what is refused before anything is sent."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Sql, sent


def new_account(sql: Sql, name: str = "Parent") -> str:
    key = str(uuid.uuid4())
    sql("INSERT INTO account (accountid, name) VALUES (?, ?)", (key, name))
    return key


def test_values_come_back_with_what_the_service_made(sql: Sql, org: Sandbox) -> None:
    cursor = sql(
        "INSERT INTO account (name, revenue, numberofemployees, description) VALUES (?, ?, ?, NULL) "
        "RETURNING accountid, name, revenue, createdon, statecode, description",
        ("Contoso", "12.5", 7),
    )
    row = cursor.fetchone()
    assert row is not None and cursor.rowcount == 1
    assert row[1:3] == ("Contoso", Decimal("12.5")) and isinstance(row[3], datetime) and row[4:] == (0, None)
    assert sent(org) == ["POST accounts"]


def test_keys_are_made_here_and_sort_by_time(sql: Sql, org: Sandbox) -> None:
    rows = sql("INSERT INTO account (name) VALUES ('a'), ('b') RETURNING accountid").fetchall()
    keys = [row[0] for row in rows]
    assert len(set(keys)) == 2 and all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}", k) for k in keys
    )
    assert keys[0][-12:] <= keys[1][-12:] and int(keys[0][-12:], 16) > 1_600_000_000_000
    assert sent(org) == ["POST accounts/Microsoft.Dynamics.CRM.CreateMultiple"]


def test_a_given_key_is_honoured_and_not_taken_twice(sql: Sql) -> None:
    key = new_account(sql)
    with pytest.raises(errors.IntegrityError, match=f"row 1 of INSERT account .accountid {key}"):
        sql("INSERT INTO account (accountid, name) VALUES (?, 'again')", (key,))


LOOKUPS = [
    ("INSERT INTO contact (lastname, parentcustomerid) VALUES (?, ?)", lambda key: ("guid", key)),
    ("INSERT INTO contact (lastname, parentcustomerid) VALUES (?, ?)", lambda key: ("pair", ("account", key))),
    (
        "INSERT INTO contact (lastname, parentcustomerid, parentcustomeridtype) VALUES (?, ?, 'account')",
        lambda key: ("companion", key),
    ),
    ("INSERT INTO contact (lastname, _parentcustomerid_value) VALUES (?, ?)", lambda key: ("wire", key.upper())),
]


@pytest.mark.parametrize(("statement", "values"), LOOKUPS, ids=["guid", "pair", "companion", "wire name"])
def test_lookups_bind_the_right_table(sql: Sql, statement: str, values: Any) -> None:
    key = new_account(sql)
    sql(statement, values(key))
    row = sql(
        "SELECT parentcustomerid, parentcustomeridtype FROM contact WHERE parentcustomerid = ?", (key,)
    ).fetchone()
    assert row == (key, "account")


def test_a_bare_guid_of_an_unknown_table_is_looked_up(sql: Sql, connect: Any, org: Sandbox) -> None:
    key = new_account(sql)
    other = connect()
    other.cursor().execute("INSERT INTO contact (lastname, parentcustomerid) VALUES ('x', ?)", (key,))
    assert sent(org) == ["GET accounts", "POST contacts"]
    with pytest.raises(errors.IntegrityError, match=r"parentcustomerid: no row .* in "):
        sql("INSERT INTO contact (lastname, parentcustomerid) VALUES ('x', ?)", (str(uuid.uuid4()),))


def test_choices_dates_and_booleans(sql: Sql) -> None:
    row = sql(
        "INSERT INTO account (name, industrycode, donotemail, accountcategorycode, lastusedincampaign) "
        "VALUES ('c', 'accounting', 'Yes', 2, DATE '2024-02-03') "
        "RETURNING industrycode, industrycodename, donotemail, accountcategorycode, lastusedincampaign"
    ).fetchone()
    assert row is not None and row[:4] == (1, "Accounting", True, 2) and row[4].date() == date(2024, 2, 3)


def test_select_expressions_and_defaults(sql: Sql) -> None:
    assert sql("INSERT INTO account (name) SELECT 'copy ' || lastname FROM contact LIMIT 3").rowcount == 3
    assert sql(
        "INSERT INTO account (name, revenue) VALUES (upper('up'), 1 + 2) RETURNING name, revenue"
    ).fetchall() == [("UP", Decimal(3))]
    assert sql("INSERT INTO account DEFAULT VALUES").rowcount == 1
    assert sql(
        "INSERT INTO account (name, revenue) VALUES ('d', DEFAULT) RETURNING upper(name), revenue"
    ).fetchall() == [("D", None)]


REFUSED = [
    ("INSERT INTO account (nme) VALUES ('x')", errors.ProgrammingError, "no column nme"),
    ("INSERT INTO acount (name) VALUES ('x')", errors.ProgrammingError, "no table named acount"),
    ("INSERT INTO account VALUES ('x')", errors.ProgrammingError, "name the columns"),
    ("INSERT INTO account (name, name) VALUES ('x', 'y')", errors.ProgrammingError, "named twice"),
    (
        "INSERT INTO account (name, createdon) VALUES ('x', '2020-01-01')",
        errors.ProgrammingError,
        "overriddencreatedon",
    ),
    ("INSERT INTO account (name, revenue_base) VALUES ('x', 1)", errors.ProgrammingError, "set revenue instead"),
    (
        "INSERT INTO account (name, industrycodename) VALUES ('x', 'y')",
        errors.ProgrammingError,
        "set industrycode instead",
    ),
    (
        "INSERT INTO account (name, industrycode) VALUES ('x', 'y')",
        errors.DataError,
        "account.industrycode has no choice",
    ),
    ("INSERT INTO account (name, tickersymbol) VALUES ('x', '12345678901')", errors.DataError, "takes 10 characters"),
    ("INSERT INTO account (name) VALUES ('x'), (5)", errors.DataError, "row 2: account.name"),
    ("INSERT INTO account (name, revenue) VALUES ('x')", errors.ProgrammingError, "2 columns are named and 1 values"),
    (
        "INSERT INTO contact (lastname, parentcustomerid, parentcustomeridtype) "
        "VALUES ('x', '00000000-0000-0000-0000-000000000001', 'lead')",
        errors.DataError,
        "parentcustomerid leads to account, contact, not to lead",
    ),
]


@pytest.mark.parametrize(("statement", "error", "text"), REFUSED, ids=[text for _, _, text in REFUSED])
def test_refused_before_anything_is_sent(sql: Sql, org: Sandbox, statement: str, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        sql(statement)
    assert not [each for each in sent(org) if not each.startswith("GET")]


def test_one_bad_row_stops_all_and_is_named(sql: Sql) -> None:
    missing = str(uuid.uuid4())
    with pytest.raises(errors.IntegrityError, match=r"row 2 of INSERT account .*Does Not Exist"):
        sql(
            "INSERT INTO account (name, parentaccountid) VALUES ('unit', NULL), ('unit', ?), ('unit', NULL)", (missing,)
        )
    assert sql("SELECT count(*) FROM account WHERE name = 'unit'").fetchone() == (0,)


def test_read_only_connections_write_nothing(connect: Any, org: Sandbox) -> None:
    cursor = connect(ReadOnly=True).cursor()
    for statement in ("INSERT INTO account (name) VALUES ('x')", "DELETE FROM account WHERE name = 'x'"):
        with pytest.raises(errors.NotSupportedError, match="ReadOnly"):
            cursor.execute(statement)
    assert sent(org) == []
