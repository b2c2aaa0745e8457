"""Pages: all rows or an error, never fewer in silence; no request that is not needed."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.execute.conftest import Connect, control, requests_of

ALL = "SELECT accountid, name, revenue, createdon FROM account"
LOCAL = "SELECT accountid, upper(name) FROM account"

# Faults that retries outlast: the answer must be complete.
OUTLASTED = [
    {"kind": "429", "when": "%3", "arg": "0"},
    {"kind": "503", "when": "#2"},
    {"kind": "502", "when": "%4"},
    {"kind": "504", "when": "#1"},
    {"kind": "drop", "when": "%3"},
    {"kind": "truncate", "when": "#3"},
]
# Faults that stay: an error must come, whatever was fetched before.
STAYING = [
    {"kind": "503", "when": "3+"},
    {"kind": "500", "when": "3+"},
    {"kind": "truncate", "when": "2+"},
    {"kind": "drop", "when": "2+"},
    {"kind": "html", "when": "2+"},
    {"kind": "repeat", "when": "2+"},
    {"kind": "401", "when": "#3"},  # a token given by hand cannot be renewed
    {"kind": "429", "when": "2+", "arg": "0"},
]


@pytest.fixture(scope="module")
def whole(org: Sandbox) -> set[str]:
    from sqlalchemy_dynamics import dbapi

    with dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token) as connection:
        return {row[0] for row in connection.cursor().execute(ALL).fetchall()}


@pytest.mark.parametrize("sql", [ALL, LOCAL], ids=["direct", "residual"])
@pytest.mark.parametrize("fault", OUTLASTED, ids=lambda fault: f"{fault['kind']} {fault['when']}")
def test_outlasted_faults_lose_nothing(
    org: Sandbox, connect: Connect, whole: set[str], sql: str, fault: dict[str, Any]
) -> None:
    connection = connect(MaxRetries=6)
    control(org, "POST", "faults", fault)
    rows = connection.cursor().execute(sql).fetchall()
    assert len(rows) == len(whole) == 3000
    assert {row[0] for row in rows} == whole
    assert any(request["status"] != 200 for request in requests_of(org)) or fault["kind"] in ("drop", "truncate")


@pytest.mark.parametrize("sql", [ALL, LOCAL], ids=["direct", "residual"])
@pytest.mark.parametrize("fault", STAYING, ids=lambda fault: f"{fault['kind']} {fault['when']}")
def test_staying_faults_are_errors(org: Sandbox, connect: Connect, sql: str, fault: dict[str, Any]) -> None:
    connection = connect(MaxRetries=1, RetryDeadline=5)
    control(org, "POST", "faults", fault)
    with pytest.raises(errors.OperationalError):
        connection.cursor().execute(sql).fetchall()


def test_slow_bytes_end_at_the_deadline(org: Sandbox, connect: Connect) -> None:
    connection = connect(TotalTimeout=1, MaxRetries=0)
    control(org, "POST", "faults", {"kind": "slow", "when": "1+", "arg": "200"})
    with pytest.raises(errors.OperationalError):
        connection.cursor().execute(ALL).fetchall()


def test_server_pages_of_their_own_size(org: Sandbox, connect: Connect, whole: set[str]) -> None:
    """The server's pages hold 500 rows, whatever was asked for."""
    rows = connect().cursor().execute(ALL).fetchall()
    assert {row[0] for row in rows} == whole
    assert len(requests_of(org)) == 6


def test_a_limit_stops_paging(org: Sandbox, connect: Connect) -> None:
    rows = connect().cursor().execute("SELECT name FROM account LIMIT 700").fetchall()
    assert len(rows) == 700
    assert len(requests_of(org)) == 2


def test_closing_stops_paging(org: Sandbox, connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute(ALL)
    assert len(cursor.fetchmany(10)) == 10
    cursor.close()
    assert len(requests_of(org)) <= 2


def test_nothing_is_fetched_before_it_is_read(org: Sandbox, connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute(ALL)
    assert cursor.description is not None and [column[0] for column in cursor.description][:2] == ["accountid", "name"]
    assert requests_of(org) == []


@pytest.mark.parametrize("sql", [ALL, LOCAL], ids=["direct", "residual"])
def test_cancel_stops_between_pages(org: Sandbox, connect: Connect, sql: str) -> None:
    cursor = connect().cursor()
    control(org, "POST", "faults", {"kind": "slow", "when": "2+", "arg": "20000"})
    cursor.execute(sql)
    threading.Timer(0.3, cursor.cancel).start()
    with pytest.raises(errors.StatementCancelled):
        cursor.fetchall()
    control(org, "DELETE", "faults")
    assert len(cursor.execute("SELECT name FROM account LIMIT 2").fetchall()) == 2


def test_arrow_and_tuples_agree(connect: Connect) -> None:
    connection = connect()
    sql = "SELECT accountid, name, revenue, createdon, statecode, donotemail FROM account ORDER BY createdon LIMIT 50"
    rows = connection.cursor().execute(sql).fetchall()
    table = connection.cursor().execute(sql).fetch_arrow_table()
    assert [tuple(row.values()) for row in table.to_pylist()] == rows


def test_a_long_url_travels_in_a_batch(org: Sandbox, connect: Connect, whole: set[str]) -> None:
    keys = sorted(whole)[:900]
    marks = ", ".join("?" * len(keys))
    sql = f"SELECT accountid FROM account WHERE accountid IN ({marks}) ORDER BY createdon"
    rows = connect().cursor().execute(sql, keys).fetchall()
    assert sorted(row[0] for row in rows) == keys
    assert {request["method"] for request in requests_of(org)} == {"POST"}


@pytest.mark.parametrize("tail", ["", " LIMIT 2500", " ORDER BY createdon LIMIT 900"])
def test_a_very_long_list_is_cut_into_portions(org: Sandbox, connect: Connect, whole: set[str], tail: str) -> None:
    keys = sorted(whole)[: 2900 if "ORDER" not in tail else 1000]
    marks = ", ".join("?" * len(keys))
    sql = f"SELECT accountid FROM account WHERE accountid IN ({marks}){tail}"
    rows = connect().cursor().execute(sql, keys).fetchall()
    wanted = int(tail.rpartition(" ")[2] or len(keys))
    assert len({row[0] for row in rows}) == len(rows) == wanted and {row[0] for row in rows} <= set(keys)
    counted = connect().cursor().execute(f"SELECT count(*) FROM account WHERE accountid IN ({marks})", keys).fetchall()
    assert counted == [(len(keys),)]
