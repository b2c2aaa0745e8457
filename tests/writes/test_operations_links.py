"""CreateAssociation, RemoveAssociation, ListAssociations, ListNavigationProperties."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, control, sent

MANY = "opportunitycompetitors_association"


@pytest.fixture
def ends(sql: Sql, org: Sandbox) -> tuple[str, str]:
    """An opportunity and a competitor."""
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    sql("INSERT INTO opportunity (opportunityid, name) VALUES (?, 'p')", (one,))
    sql("INSERT INTO competitor (competitorid, name) VALUES (?, 'p')", (two,))
    sent(org)
    return one, two


def test_navigation_properties_are_listed(sql: Sql) -> None:
    cursor = sql("CALL ListNavigationProperties('Opportunity')")
    assert [column[0] for column in cursor.description or ()] == [
        "NavigationProperty",
        "ToTable",
        "IsCollection",
        "LookupColumn",
    ]
    ways = cursor.fetchall()
    assert (MANY, "competitor", True, None) in ways
    assert ("customerid_account", "account", False, "customerid") in ways
    assert ("opportunity_quotes", "quote", True, "opportunityid") in ways


def test_many_to_many_links_from_both_ends(sql: Sql, org: Sandbox, ends: tuple[str, str]) -> None:
    one, two = ends
    there = f"@FromTable = 'opportunity', @FromId = '{one}', @NavigationProperty = '{MANY.upper()}'"
    back = f"'competitor', '{two}', '{MANY}'"
    made = sql(f"EXEC CreateAssociation {there}, @ToTable = 'competitor', @ToId = '{two}'")
    assert ([column[0] for column in made.description or ()], made.fetchall()) == (["Success"], [("true",)])
    assert sent(org) == [f"POST opportunities({one})/{MANY}/$ref"]
    assert sql(f"EXEC ListAssociations {there}").fetchall() == [("competitor", two)]
    assert sql(f"EXEC ListAssociations {back}").fetchall() == [("opportunity", one)]
    assert sql("SELECT competitorid FROM opportunitycompetitors WHERE opportunityid = ?", (one,)).fetchall() == [(two,)]
    with pytest.raises(errors.IntegrityError, match="duplicate key"):
        sql(f"CALL CreateAssociation({back}, 'opportunity', '{one}')")
    assert sql(f"CALL RemoveAssociation({back}, NULL, '{one}')").fetchall() == [("true",)]
    assert sql(f"EXEC ListAssociations {there}").fetchall() == []


def test_one_to_many_links_set_the_lookup(sql: Sql, org: Sandbox, ends: tuple[str, str]) -> None:
    account, way = str(uuid.uuid4()), "opportunity_customer_accounts"
    sql("INSERT INTO account (accountid, name) VALUES (?, 'a')", (account,))
    sql("CALL CreateAssociation(?, ?, ?, ?, ?)", ("account", account, way, "opportunity", ends[0]))
    select = "SELECT customerid FROM opportunity WHERE opportunityid = ?"
    assert sql(select, (ends[0],)).fetchall() == [(account,)]
    assert sql("CALL ListAssociations(?, ?, ?)", ("account", account, way)).fetchall() == [("opportunity", ends[0])]
    sql("CALL RemoveAssociation(?, ?, ?, ?, ?)", ("account", account, way, "opportunity", ends[0]))
    assert sql(select, (ends[0],)).fetchall() == [(None,)]
    assert sent(org).count(f"DELETE accounts({account})/{way}({ends[0]})/$ref") == 1


def test_a_lookup_is_pointed_and_cleared(connect: Connect, sql: Sql, org: Sandbox, ends: tuple[str, str]) -> None:
    account = str(uuid.uuid4())
    sql("INSERT INTO account (accountid, name) VALUES (?, 'a')", (account,))
    cursor = connect().cursor()
    given: dict[str, Any] = {"FromTable": "opportunity", "FromId": ends[0], "NavigationProperty": "customerid_account"}
    cursor.callproc("ListAssociations", given)
    assert cursor.fetchall() == []
    cursor.callproc("CreateAssociation", {**given, "ToId": account})
    assert sent(org)[-1] == f"PUT opportunities({ends[0]})/customerid_account/$ref"
    cursor.callproc("ListAssociations", given)
    assert cursor.fetchall() == [("account", account)]
    cursor.callproc("RemoveAssociation", given)
    assert sent(org)[-1] == f"DELETE opportunities({ends[0]})/customerid_account/$ref"
    assert sql("SELECT customerid FROM opportunity WHERE opportunityid = ?", (ends[0],)).fetchall() == [(None,)]


def test_owners_and_activities_say_their_own_table(sql: Sql, ends: tuple[str, str]) -> None:
    user = sql("EXEC WhoAmI").fetchall()[0][1]
    assert sql("CALL ListAssociations('opportunity', ?, 'owninguser')", (ends[0],)).fetchall() == [("systemuser", user)]
    assert sql("CALL ListAssociations('opportunity', ?, 'ownerid')", (ends[0],)).fetchall() == [("systemuser", user)]


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("CALL ListNavigationProperties('acount')", "no table acount; did you mean account"),
        ("CALL ListNavigationProperties('')", "needs @TableName"),
        ("CALL ListNavigationProperties", "needs @TableName"),
        ("EXEC ListAssociations 'opportunity', '{0}', 'opportunitycompetitors'", f"did you mean {MANY}"),
        ("EXEC ListAssociations 'opportunity', 'x', '" + MANY + "'", "FromId is not the id of a row|not the id"),
        ("EXEC ListAssociations @FromTable = 'opportunity', @FromID = '{0}'", "needs @NavigationProperty"),
        ("EXEC ListAssociations @FormTable = 'opportunity'", "no input FormTable; did you mean FromTable"),
        ("EXEC CreateAssociation 'opportunity', '{0}', '" + MANY + "', 'competitor'", "needs @ToId"),
        ("EXEC CreateAssociation 'opportunity', '{0}', '" + MANY + "', 'account', '{1}'", "rows of competitor, not of"),
        ("EXEC CreateAssociation 'opportunity', NULL, '" + MANY + "', 'competitor', '{1}'", "needs @FromId"),
        ("EXEC CreateAssociation 'opportunity', '{0}', 'ownerid', NULL, '{1}'", "several tables: give @ToTable"),
    ],
)
def test_wrong_links_send_nothing(sql: Sql, org: Sandbox, ends: tuple[str, str], statement: str, text: str) -> None:
    with pytest.raises((errors.ProgrammingError, errors.DataError), match=text):
        sql(statement.format(*ends))
    assert sent(org) == []


def test_rows_that_are_missing(sql: Sql, ends: tuple[str, str]) -> None:
    nobody = str(uuid.uuid4())
    for one, two in ((ends[0], nobody), (nobody, ends[1])):
        with pytest.raises(errors.DatabaseError, match="Does Not Exist"):
            sql("CALL CreateAssociation('opportunity', ?, ?, 'competitor', ?)", (one, MANY, two))
    with pytest.raises(errors.DatabaseError, match="Does Not Exist"):
        sql("CALL ListAssociations('opportunity', ?, ?)", (nobody, MANY))


def test_where_no_link_may_change(connect: Connect, org: Sandbox, ends: tuple[str, str]) -> None:
    call = ("CALL CreateAssociation('opportunity', ?, ?, 'competitor', ?)", (ends[0], MANY, ends[1]))
    with pytest.raises(errors.NotSupportedError, match="read-only"):
        connect(ReadOnly=True).cursor().execute(*call)
    connection = connect()
    connection.isolation_level = "CHANGESET"
    with pytest.raises(errors.NotSupportedError, match="change set"):
        connection.cursor().execute(*call)
    assert sent(org) == []


@pytest.mark.parametrize("kind", ["drop", "truncate", "503"])
def test_a_link_whose_answer_is_lost_is_made_once(
    connect: Connect, org: Sandbox, ends: tuple[str, str], kind: str
) -> None:
    cursor = connect(MaxRetries=3).cursor()
    control(org, "POST", "faults", {"kind": kind, "when": "#1", "arg": 0, "path": MANY})
    cursor.execute("CALL CreateAssociation('opportunity', ?, ?, 'competitor', ?)", (ends[0], MANY, ends[1]))
    assert cursor.fetchall() == [("true",)]
    cursor.execute("CALL ListAssociations('opportunity', ?, ?)", (ends[0], MANY))
    assert cursor.fetchall() == [("competitor", ends[1])]


def test_explain_shows_the_link(sql: Sql, org: Sandbox, ends: tuple[str, str]) -> None:
    explained = sql("EXPLAIN CALL CreateAssociation('opportunity', ?, ?, 'competitor', ?)", (ends[0], MANY, ends[1]))
    (row,) = explained.fetchall()
    assert row[2].startswith(f"POST opportunities({ends[0]})/{MANY}/$ref " + '{"@odata.id":"http')
    assert sql("EXPLAIN CALL ListNavigationProperties('account')").fetchall()[0][2] == (
        "ListNavigationProperties(TableName)"
    )
    assert sent(org) == []
