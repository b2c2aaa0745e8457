"""Parties of activities as rows: added and taken away, the list put back whole."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, sent
from .histories.faults import AFTER, Gate

ADD = "INSERT INTO activityparty (activityid, partyid, participationtypemask) VALUES (?, ?, ?)"
HELD = "SELECT partyid, partyidtype, participationtypemask FROM activityparty WHERE activityid = ? ORDER BY 3"


@pytest.fixture
def email(sql: Sql) -> tuple[str, str, str]:
    """An e-mail without parties, an account and a contact."""
    keys = tuple(str(uuid.uuid4()) for _ in range(3))
    sql("INSERT INTO email (activityid, subject) VALUES (?, 'parties')", keys[:1])
    sql("INSERT INTO account (accountid, name) VALUES (?, 'party')", keys[1:2])
    sql("INSERT INTO contact (contactid, lastname) VALUES (?, 'party')", keys[2:])
    return keys[0], keys[1], keys[2]


def test_parties_come_and_go(sql: Sql, connect: Connect, email: tuple[str, str, str]) -> None:
    activity, account, contact = email
    assert sql(ADD, (("email", activity), ("account", account), 1)).rowcount == 1
    sets: list[Any] = [(activity, ("contact", contact), 2), (("email", activity), account, 3)]
    assert connect().cursor().executemany(ADD, sets).rowcount == 2
    held = [(account, "account", 1), (contact, "contact", 2), (account, "account", 3)]
    assert sql(HELD, (activity,)).fetchall() == held
    gone = "DELETE FROM activityparty WHERE activityid = ? AND participationtypemask = 2 RETURNING partyid"
    assert sql(gone, (activity,)).fetchall() == [(contact,)]
    assert sql(HELD, (activity,)).fetchall() == [held[0], held[2]]


def test_what_parties_cannot_do(sql: Sql, email: tuple[str, str, str]) -> None:
    activity, account, _ = email
    with pytest.raises(errors.IntegrityError, match="there is no activity"):
        sql(ADD, (str(uuid.uuid4()), ("account", account), 1))
    with pytest.raises(errors.ProgrammingError, match="give activityid"):
        sql("INSERT INTO activityparty (partyid) VALUES (?)", (("account", account),))
    with pytest.raises(errors.NotSupportedError, match="are links"):
        sql("UPDATE activityparty SET participationtypemask = 1 WHERE activityid = ?", (activity,))


def _headers(connection: dbapi.Connection) -> list[Mapping[str, str]]:
    """Keep the headers of all PUTs that are sent."""
    found: list[Mapping[str, str]] = []

    def keep(request: HttpRequest, _: HttpResponse) -> None:
        if request.method == "PUT":
            found.append(request.headers)

    connection.on_request = keep
    return found


def test_write_options_are_sent_with_parties(connect: Connect, email: tuple[str, str, str]) -> None:
    activity, account, _ = email
    connection = connect(BypassPlugins=True, SolutionUniqueName="parts")
    found = _headers(connection)
    connection.write_options = {"SuppressFlows": True}
    connection.cursor().execute(ADD, (("email", activity), ("account", account), 1))
    connection.cursor().execute("DELETE FROM activityparty WHERE activityid = ?", (activity,))
    wanted = {
        "MSCRM.BypassCustomPluginExecution": "true",
        "MSCRM.SolutionUniqueName": "parts",
        "MSCRM.SuppressCallbackRegistrationExpanderJob": "true",
    }
    assert [wanted.items() <= each.items() for each in found] == [True, True]


TWO = "INSERT INTO activityparty (activityid, partyid, participationtypemask) VALUES (?, ?, 2), (?, ?, 3)"


def test_parties_of_several_activities_are_one_unit(sql: Sql, email: tuple[str, str, str]) -> None:
    first, account, contact = email
    second = str(uuid.uuid4())
    sql("INSERT INTO email (activityid, subject) VALUES (?, 'more parties')", (second,))
    with pytest.raises(errors.IntegrityError, match="row 2 of parties of email") as caught:
        sql(TWO, (("email", first), ("account", account), ("email", second), ("contact", str(uuid.uuid4()))))
    assert [(each.row, each.outcome) for each in caught.value.results] == [(1, "not written"), (2, "refused")]
    assert sql(HELD, (first,)).fetchall() == []
    assert sql(TWO, (("email", first), ("account", account), second, ("contact", contact))).rowcount == 2
    assert sql(HELD, (first,)).fetchall() == [(account, "account", 2)]
    assert sql(HELD, (second,)).fetchall() == [(contact, "contact", 3)]
    assert sql("DELETE FROM activityparty WHERE activityid IN (?, ?)", (first, second)).rowcount == 2
    assert sql(HELD, (first,)).fetchall() == sql(HELD, (second,)).fetchall() == []


@pytest.mark.parametrize("bad", [0, 3, 6])
def test_the_party_refused_is_named(sql: Sql, email: tuple[str, str, str], bad: int) -> None:
    activity, account, _ = email
    sql(ADD, (("email", activity), ("account", account), 1))
    parties = [("contact", str(uuid.uuid4())) if number == bad else ("account", account) for number in range(7)]
    statement = "INSERT INTO activityparty (activityid, partyid, participationtypemask) VALUES " + ", ".join(
        7 * ["(?, ?, 2)"]
    )
    with pytest.raises(errors.IntegrityError, match=f"row {bad + 1} of parties of email") as caught:
        sql(statement, [value for party in parties for value in (activity, party)])
    outcomes = [each.outcome for each in caught.value.results]
    assert outcomes == ["refused" if number == bad else "not written" for number in range(7)]
    assert sql(HELD, (activity,)).fetchall() == [(account, "account", 1)]


def test_values_of_parties_are_checked_first(sql: Sql, org: Sandbox, email: tuple[str, str, str]) -> None:
    activity, account, _ = email
    sent(org)
    with pytest.raises(errors.DataError, match=r"row 2: activityparty\.activityid"):
        sql(TWO, (activity, ("account", account), "nonsense", ("account", account)))
    with pytest.raises(errors.DataError, match=r"row 2: activityparty\.partyid leads to"):
        sql(TWO, (activity, ("account", account), activity, ("activitymimeattachment", account)))
    assert sent(org) == []


def test_a_set_of_parties_that_is_refused(connect: Connect, sql: Sql, email: tuple[str, str, str]) -> None:
    activity, account, contact = email
    sets: list[Any] = [(activity, party, 2) for party in (("account", account), ("contact", account))]
    sets.append((activity, ("contact", contact), 3))
    with pytest.raises(errors.IntegrityError, match="row 2 of parties of email") as caught:
        connect().cursor().executemany(ADD, sets)
    assert [each.outcome for each in caught.value.results] == ["written", "refused", "not written"]
    cursor = connect(ContinueOnError=True).cursor()
    assert cursor.executemany(ADD, sets).rowcount == 2
    assert [row for row, _ in cursor.failures] == [2]
    assert len(sql(HELD, (activity,)).fetchall()) == 3


def test_a_lost_answer_is_told(org: Sandbox, connect: Connect, sql: Sql, email: tuple[str, str, str]) -> None:
    activity, account, contact = email
    sql(ADD, (("email", activity), ("account", account), 1))
    connection = connect(MaxRetries=0)
    connection.cursor().execute(HELD, (activity,))
    gate = Gate(org)
    gate.arm({2: AFTER})
    try:
        with pytest.raises(errors.OperationalError, match=f"outcome unknown.*look up: {activity}") as caught:
            connection.cursor().execute(ADD, (("email", activity), ("contact", contact), 2))
    finally:
        gate.arm()
    assert [(each.row, each.outcome) for each in caught.value.results] == [(1, "unknown")]
    assert len(sql(HELD, (activity,)).fetchall()) == 2
