"""Parties of activities as rows: added and taken away, the list put back whole."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from sqlalchemy_dynamics import errors

from .conftest import Connect, Sql

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
