"""Every code that a write may be refused with: its PEP 249 class and SQLAlchemy's, the row, the columns, what to do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.odata.faults import CODES
from sqlalchemy_dynamics.sandbox import Sandbox, payload, validation
from sqlalchemy_dynamics.sandbox.failures import ODataError

from .conftest import Connect, Sql, control

sa: Any = sqlalchemy
ADD = "INSERT INTO account (accountid, name, description) VALUES (?, ?, ?)"
CHANGE = "UPDATE account SET description = ? WHERE accountid = ?"
TAKE = ADD + " ON CONFLICT (accountid) DO UPDATE SET name = excluded.name, description = excluded.description"
INTEGRITY, DATA, OPERATIONAL = "IntegrityError", "DataError", "OperationalError"
PROGRAMMING, UNSUPPORTED = "ProgrammingError", "NotSupportedError"

# dataverse-web-api 7.3, without what only reading, signing in or changing the schema may meet
CASES = [
    (404, "0x80040217", "contact With Id = 5b3f Does Not Exist", INTEGRITY),
    (404, "0x80060891", "A record with the specified key values does not exist in account entity", INTEGRITY),
    (400, "0x80060890", "The specified key attributes are not a defined key for the account entity", PROGRAMMING),
    (400, "0x80048d19", "Error identified in Payload provided by the user for Entity :'accounts'", PROGRAMMING),
    (400, "0x0", "Could not find a property named 'x' on type 'Microsoft.Dynamics.CRM.account'.", PROGRAMMING),
    (412, "0x80040237", "A record with matching key values already exists.", INTEGRITY),
    (412, "0x80060892", "Entity Key k violated.", INTEGRITY),
    (412, "0x80040333", "A record was not created or updated because a duplicate already exists.", INTEGRITY),
    (412, "0x80060882", "The version of the existing record doesn't match the RowVersion property.", INTEGRITY),
    (400, "0x80060883", "The RowVersion property must be provided.", PROGRAMMING),
    (403, "0x80040220", "Principal user is missing prvCreateAccount privilege", OPERATIONAL),
    (403, "0x80040231", "Principal user is missing privileges", OPERATIONAL),
    (403, "0x80048405", "Access is denied.", OPERATIONAL),
    (403, "0x80040256", "Access is denied.", OPERATIONAL),
    (403, "0x8004f504", "The user does not have update permissions for a secured attribute.", OPERATIONAL),
    (403, "0x8004f503", "The user does not have create permissions for a secured attribute.", OPERATIONAL),
    (403, "0x8004f507", "The user does not have read permissions for a secured attribute.", OPERATIONAL),
    (403, "0x80042f09", "The user has not been assigned any roles.", OPERATIONAL),
    (403, "0x80072560", "The user is not a member of the organization.", OPERATIONAL),
    (400, "0x80044331", "The length of the 'description' attribute of the 'account' entity exceeded 5.", DATA),
    (400, "0x80044330", "A validation error occurred.  The value is outside the valid range.", DATA),
    (400, "0x8004432f", "A validation error occurred.  The value is outside the valid range.", DATA),
    (400, "0x8004431a", "A validation error occurred.", DATA),
    (400, "0x80061005", "The value is out of range.", DATA),
    (400, "0x8004431c", "A boolean is out of range.", DATA),
    (400, "0x80040239", "The date-time format is invalid, or value is outside the supported range.", DATA),
    (400, "0x80048408", "State code is invalid.", DATA),
    (400, "0x80040200", "Required field missing.", INTEGRITY),
    (400, "0x80040203", "Invalid argument.", PROGRAMMING),
    (400, "0x80040216", "An unexpected error occurred.", OPERATIONAL),
    (405, "0x8004023b", "The operation is invalid.", UNSUPPORTED),
    (405, "0x80040315", "Not supported.", UNSUPPORTED),
    (405, "0x80040227", "The object you tried to delete is associated with another object.", INTEGRITY),
    (400, "0x80040265", "A plug-in says no.", OPERATIONAL),
    (413, "0x8004418a", "Request message length is too large.", OPERATIONAL),
    (400, "0x80071151", "An import is in progress.", OPERATIONAL),
    (500, "0x80044150", "Sql error", OPERATIONAL),
]
WITHOUT_HINT = ("0x80060883", "0x0", "0x80040203", "0x8004023b", "0x80040315")


@pytest.fixture(params=CASES, ids=[case[1] for case in CASES])
def refusal(request: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every row whose description says refuse is refused with this."""
    status, code, text, _ = request.param
    checked = validation.checked_value

    def refusing(service: Any, table: Any, column: Any, value: object) -> object:
        if value == "refuse":
            raise ODataError(status, code, text)
        return checked(service, table, column, value)

    monkeypatch.setattr(payload, "checked_value", refusing)
    return request.param


@pytest.fixture(scope="module")
def engine(org: Sandbox) -> Iterator[Any]:
    url = f"dynamics:///?OrganizationUrl={quote(org.url)}&OAuthAccessToken={quote(org.access_token)}&MaxRetries=0"
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


def test_the_class_the_row_and_what_to_do(refusal: Any, engine: Any, connect: Connect) -> None:
    _, code, text, kind = refusal
    key = str(uuid.uuid4())
    with engine.connect() as connection, pytest.raises(getattr(sa.exc, kind)) as wrapped:
        connection.exec_driver_sql(ADD, (key, "alone", "refuse"))
    error: Any = wrapped.value.orig
    assert isinstance(error, getattr(errors, kind)) and isinstance(error, errors.DataverseError)
    assert error.code == code and text in str(error)
    assert f"row 1 of INSERT account (accountid {key})" in str(error)
    if kind in (INTEGRITY, DATA):
        assert "description" in str(error)
    assert CODES[code].hint in str(error) if code in CODES else "Check the names" in str(error)
    assert bool(code in CODES and CODES[code].hint) != (code in WITHOUT_HINT)


def test_the_row_of_many_is_found(refusal: Any, connect: Connect, sql: Sql) -> None:
    status, code, _, kind = refusal
    keys = [str(uuid.uuid4()) for _ in range(5)]
    sets: list[Any] = [(key, "many", "refuse" if number == 2 else "fine") for number, key in enumerate(keys)]
    cursor = connect(MaxRetries=0).cursor()
    for statement, given in ((ADD, sets), (TAKE, sets)):
        with pytest.raises(getattr(errors, kind)) as error:
            cursor.executemany(statement, given)
        assert [each.outcome for each in error.value.results].count("written") == 0
        if status < 500:
            assert f"row 3 of INSERT account (accountid {keys[2]})" in str(error.value)
            assert error.value.results[2].outcome == "refused"
    cursor.executemany(ADD, [(key, "many", "fine") for key in keys])
    with pytest.raises(getattr(errors, kind)):
        cursor.executemany(CHANGE, [(row[2], row[0]) for row in sets])
    going_on = connect(ContinueOnError=True, MaxRetries=0).cursor()
    if status < 500:
        assert going_on.executemany(CHANGE, [(row[2], row[0]) for row in sets]).rowcount == 4
        ((row, failure),) = going_on.failures
        assert row == 3 and isinstance(failure, getattr(errors, kind))
        assert getattr(failure, "code", "") == code


LOST = [
    ("CreateMultiple", ADD, lambda keys: [(key, "lost", "x") for key in keys]),
    ("UpdateMultiple", CHANGE, lambda keys: [("lost", key) for key in keys]),
    ("UpsertMultiple", TAKE, lambda keys: [(key, "lost", "x") for key in keys]),
    ("$batch", "DELETE FROM account WHERE accountid = ?", lambda keys: [(key,) for key in keys]),
    ("accounts", ADD, lambda keys: [(keys[0], "lost", "x")]),
    ("accounts(", CHANGE, lambda keys: [("lost", keys[0])]),
    ("accounts(", TAKE, lambda keys: [(keys[0], "lost", "x")]),
    ("accounts(", "DELETE FROM account WHERE accountid = ?", lambda keys: [(keys[0],)]),
]


@pytest.mark.parametrize(("path", "statement", "sets"), LOST, ids=[f"{case[0]} {case[1][:6]}" for case in LOST])
def test_an_outcome_that_nobody_knows_names_the_ids(
    connect: Connect, sql: Sql, org: Sandbox, path: str, statement: str, sets: Any
) -> None:
    keys = [str(uuid.uuid4()) for _ in range(3)]
    if not statement.startswith("INSERT"):
        connect().cursor().executemany(ADD, [(key, "there", "x") for key in keys])
    given = sets(keys)
    connection = connect(MaxRetries=1)
    control(org, "POST", "faults", {"kind": "504", "when": "1+", "path": path})
    with pytest.raises(errors.OperationalError) as error:
        connection.cursor().executemany(statement, given)
    control(org, "DELETE", "faults")
    assert all(key in str(error.value) for key in keys[: len(given)])
    assert "outcome unknown" in str(error.value)
    assert [each.outcome for each in error.value.results] == ["unknown"] * len(given)


def test_the_same_of_links_and_commits(connect: Connect, sql: Sql, org: Sandbox) -> None:
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    sql("INSERT INTO opportunity (opportunityid, name) VALUES (?, 'lost')", (one,))
    sql("INSERT INTO competitor (competitorid, name) VALUES (?, 'lost')", (two,))
    connection = connect(MaxRetries=1)
    control(org, "POST", "faults", {"kind": "drop", "when": "1+", "path": "$ref"})
    link = "INSERT INTO opportunitycompetitors (opportunityid, competitorid) VALUES (?, ?)"
    with pytest.raises(errors.OperationalError, match=f"outcome unknown: .*{one} with {two}"):
        connection.cursor().execute(link, (one, two))
    control(org, "DELETE", "faults")
    connection.isolation_level = "CHANGESET"
    connection.cursor().executemany(ADD, [(one, "lost", "x"), (two, "lost", "x")])
    control(org, "POST", "faults", {"kind": "504", "when": "1+", "path": "$batch"})
    with pytest.raises(errors.OperationalError, match=f"outcome unknown: .*{one}, {two}") as error:
        connection.commit()
    assert [each.outcome for each in error.value.results] == ["unknown", "unknown"]
    control(org, "DELETE", "faults")
