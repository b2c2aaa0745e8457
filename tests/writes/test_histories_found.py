"""What random histories found, each as a statement of its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, control
from .histories.tables import RESTRICTED, key_of

ONE, TWO = key_of("account", 1), key_of("account", 2)


def test_computed_upserts_take_choices_by_label_and_number_side_by_side(sql: Sql) -> None:
    insert = "INSERT INTO account (accountid, industrycode, numberofemployees) VALUES (?, ?, ?), (?, ?, ?) "
    add = "numberofemployees = coalesce(account.numberofemployees, 0) + excluded.numberofemployees"
    choose = "industrycode = coalesce(account.industrycode, excluded.industrycode)"
    values = (ONE, 1, 5, TWO, "Accounting", 7)
    for sets in (add, f"{add}, {choose}"):
        found = sql(f"{insert} ON CONFLICT (accountid) DO UPDATE SET {sets} RETURNING industrycode", values)
        assert found.fetchall() == [(1,), (1,)]
    found = sql("SELECT numberofemployees FROM account WHERE accountid IN (?, ?) ORDER BY 1", (ONE, TWO))
    assert found.fetchall() == [(10,), (14,)]


def test_a_row_is_known_again_by_what_the_service_keeps_of_it(sql: Sql, connect: Connect, org: Sandbox) -> None:
    """Empty text becomes NULL, moments lose their fractions: the row of a lost answer is no other's."""
    moment = datetime(2024, 2, 29, 12, 0, 0, 250_000, UTC)
    sql("DELETE FROM new_sample WHERE new_sampleid = ?", (key_of("new_sample", 1),))
    insert = "INSERT INTO new_sample (new_sampleid, new_name, new_moment, new_amount) VALUES (?, '', ?, 1.00005)"
    connection = connect()
    control(org, "POST", "faults", {"kind": "drop", "when": "#1"})
    assert connection.cursor().execute(insert, (key_of("new_sample", 1), moment)).rowcount == 1


def test_a_lookup_that_was_not_set_is_not_taken_for_set(sql: Sql, connect: Connect, org: Sandbox) -> None:
    """Another writer was faster, and no answer came: the row does not point where it was to point."""
    sql("DELETE FROM account WHERE accountid IN (?, ?)", (ONE, TWO))
    sql("INSERT INTO account (accountid, name) VALUES (?, 'one'), (?, 'two')", (ONE, TWO))
    connection = connect()
    change = "UPDATE account SET parentaccountid = ? WHERE accountid = ? AND versionnumber = 1"
    control(org, "POST", "faults", {"kind": "503", "when": "#1", "arg": 0})
    with pytest.raises(errors.OperationalError, match="outcome unknown"):
        connection.cursor().execute(change, (TWO, ONE))


def test_the_sandbox_deletes_after_a_refused_delete_too() -> None:
    """Tables that were first looked into while a change set was undone are there for the next one."""
    with Sandbox(rows=0) as org:
        org.service.organisation.one_to_many[RESTRICTED].cascade["Delete"] = "Restrict"
        cursor = dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token).cursor()
        cursor.execute("INSERT INTO account (accountid, name) VALUES (?, 'one'), (?, 'two')", (ONE, TWO))
        cursor.execute("INSERT INTO new_sample (new_name, new_accountid) VALUES ('x', ?)", (TWO,))
        for _ in range(2):
            with pytest.raises(errors.IntegrityError):
                cursor.execute("DELETE FROM account WHERE accountid IN (?, ?)", (ONE, TWO))


@pytest.fixture
def ends(sql: Sql) -> tuple[str, list[str]]:
    """An opportunity and two competitors."""
    one, others = key_of("opportunity", 1), [key_of("competitor", 1), key_of("competitor", 2)]
    for table, keys in (("opportunity", [one]), ("competitor", others)):
        for key in keys:
            sql(f"DELETE FROM {table} WHERE {table}id = ?", (key,))
            sql(f"INSERT INTO {table} ({table}id, name) VALUES (?, 'link')", (key,))
    return one, others


LINK = "INSERT INTO opportunitycompetitors (opportunityid, competitorid) VALUES (?, ?)"


@pytest.mark.parametrize("level", ["AUTOCOMMIT", "CHANGESET"])
def test_links_of_a_lost_answer_are_looked_up(
    connect: Connect, sql: Sql, org: Sandbox, ends: tuple[str, list[str]], level: str
) -> None:
    one, (first, second) = ends
    connection = connect()
    sql("SELECT count(*) FROM opportunitycompetitors").fetchall()
    connection.isolation_level = level
    control(org, "POST", "faults", {"kind": "drop", "when": "#1"})
    connection.cursor().execute(f"{LINK}, (?, ?)", (one, first, one, second))
    connection.commit()
    found = sql("SELECT count(*) FROM opportunitycompetitors WHERE opportunityid = ?", (one,))
    assert found.fetchone() == (2,)


def test_a_key_given_twice_is_never_written(connect: Connect, sql: Sql, org: Sandbox) -> None:
    sql("DELETE FROM account WHERE accountid = ?", (ONE,))
    sql("INSERT INTO account (accountid, name) VALUES (?, 'one')", (ONE,))
    connection = connect()
    control(org, "POST", "faults", {"kind": "503", "when": "#1", "arg": 0})
    with pytest.raises(errors.IntegrityError):
        connection.cursor().execute("INSERT INTO account (accountid, name) VALUES (?, 'x'), (?, NULL)", (ONE, ONE))


@pytest.mark.parametrize(("first", "count"), [("drop", 1), ("503", None)])
@pytest.mark.parametrize("last", ["500", "401"])
def test_an_error_after_a_lost_answer_is_no_refusal(
    connect: Connect, sql: Sql, org: Sandbox, first: str, count: int | None, last: str
) -> None:
    """What the service says of itself, or of the token, tells nothing of the attempt before."""
    sql("DELETE FROM account WHERE accountid = ?", (ONE,))
    connection = connect()
    control(org, "POST", "faults", {"kind": first, "when": "#1", "arg": 0})
    control(org, "POST", "faults", {"kind": last, "when": "#2"})
    insert = "INSERT INTO account (accountid, name) VALUES (?, 'lost')"
    if count is None:
        with pytest.raises(errors.OperationalError, match=f"outcome unknown.*{ONE}"):
            connection.cursor().execute(insert, (ONE,))
    else:
        assert connection.cursor().execute(insert, (ONE,)).rowcount == count


@pytest.mark.parametrize("kind", ["500", "drop"])
def test_no_row_is_blamed_when_the_refused_one_cannot_be_looked_for(
    connect: Connect, sql: Sql, org: Sandbox, kind: str
) -> None:
    """Row 1 is refused; the service fails while that is being found out."""
    sql("DELETE FROM account WHERE accountid IN (?, ?)", (ONE, TWO))
    sql("INSERT INTO account (accountid, name) VALUES (?, 'one')", (ONE,))
    connection = connect(MaxRetries=0)
    control(org, "POST", "faults", {"kind": kind, "when": "2+"})
    with pytest.raises(errors.IntegrityError, match="nothing was written of 2 rows") as e:
        connection.cursor().executemany("INSERT INTO account (accountid, name) VALUES (?, 'x')", [(ONE,), (TWO,)])
    control(org, "DELETE", "faults")
    assert [each.outcome for each in e.value.results] == ["not written", "not written"]
    assert "row 2" not in str(e.value)
