"""MERGE with one update and one insert is an upsert; every other form is refused before anything is sent."""

from __future__ import annotations

import uuid

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, sent

COMMON = (
    "MERGE INTO account AS t USING (VALUES (?, ?), (?, ?)) AS s(name, id) ON t.accountid = s.id "
    "WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (accountid, name) VALUES (s.id, s.name)"
)


def test_rows_that_stand_in_the_statement(sql: Sql, org: Sandbox) -> None:
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    assert sql(COMMON, ("m one", one, "m two", two)).rowcount == 2
    assert sql(COMMON, ("m three", one, "m four", two)).rowcount == 2
    assert sent(org) == ["POST accounts/Microsoft.Dynamics.CRM.UpsertMultiple"] * 2
    found = sql("SELECT name FROM account WHERE accountid IN (?, ?) ORDER BY name", (one, two)).fetchall()
    assert found == [("m four",), ("m three",)]


def test_computed_conditional_and_returned(sql: Sql) -> None:
    low, high, new = (str(uuid.uuid4()) for _ in range(3))
    sql("INSERT INTO account (accountid, name, revenue) VALUES (?, 'low', 1), (?, 'high', 100)", (low, high))
    cursor = sql(
        "MERGE account t USING (SELECT column1 AS id, 5 AS more FROM (VALUES (?), (?), (?)) v(column1)) s "
        "ON (s.id = t.accountid) WHEN MATCHED AND t.revenue < 50 THEN UPDATE SET t.revenue = t.revenue + s.more * 2 "
        "WHEN NOT MATCHED BY TARGET THEN INSERT (accountid, name, revenue) VALUES (s.id, 'new', s.more) "
        "RETURNING name, revenue",
        (low, high, new),
    )
    assert sorted(cursor.fetchall()) == [("low", 11), ("new", 5)]


def test_rows_of_another_table(sql: Sql) -> None:
    sql("INSERT INTO contact (lastname, description) VALUES ('merged', 'text')")
    statement = (
        "MERGE INTO account a USING contact c ON a.accountid = c.contactid AND c.contactid = a.accountid "
        "WHEN MATCHED THEN UPDATE SET description = c.description "
        "WHEN NOT MATCHED THEN INSERT (accountid, name, description) VALUES (c.contactid, c.lastname, c.description)"
    )
    assert sql(statement).rowcount > 1
    assert sql("SELECT description FROM account WHERE name = 'merged'").fetchone() == ("text",)


def test_many_sets(sql: Sql, connect: Connect) -> None:
    one = "MERGE INTO account t USING (VALUES (?, ?)) s(id, more) ON t.accountid = s.id WHEN MATCHED THEN UPDATE " \
        "SET revenue = t.revenue + s.more WHEN NOT MATCHED THEN INSERT (accountid, name, revenue) " \
        "VALUES (s.id, 'many merged', s.more)"  # fmt: skip
    keys = [str(uuid.uuid4()) for _ in range(20)]
    assert connect().cursor().executemany(one, [(key, 1) for key in keys * 3]).rowcount == 60
    assert sql("SELECT sum(revenue) FROM account WHERE name = 'many merged'").fetchone() == (60,)


MATCHED = "WHEN MATCHED THEN UPDATE SET name = s.name"
MISSING = "WHEN NOT MATCHED THEN INSERT (accountid, name) VALUES (s.accountid, s.name)"
REFUSED = [
    (f"ON t.accountid = s.accountid {MISSING}", "once each"),
    (f"ON t.accountid = s.accountid {MATCHED}", "once each"),
    (f"ON t.accountid = s.accountid WHEN MATCHED THEN DELETE {MISSING}", "once each"),
    (f"ON t.accountid = s.accountid {MATCHED} {MISSING} WHEN NOT MATCHED BY SOURCE THEN DELETE", "once each"),
    (f"ON t.accountid = s.accountid AND t.name = 'x' {MATCHED} {MISSING}", "nothing else"),
    (f"ON t.accountid = s.accountid OR t.name = s.name {MATCHED} {MISSING}", "nothing else"),
    (f"ON accountid = s.accountid {MATCHED} {MISSING}", "nothing else"),
    (f"ON t.accountid = s.parentaccountid {MATCHED} {MISSING}", "value that ON compares"),
    (f"ON t.accountid = s.accountid WHEN MATCHED THEN UPDATE SET name = s.description {MISSING}", "does not insert"),
    (
        f"ON t.accountid = s.accountid {MATCHED} WHEN NOT MATCHED AND s.name > 'x' "
        "THEN INSERT (accountid, name) VALUES (s.accountid, s.name)",
        "no further condition",
    ),
    (f"ON t.accountid = s.accountid {MATCHED} WHEN NOT MATCHED THEN INSERT VALUES (s.accountid, s.name)", "name its"),
]


@pytest.mark.parametrize(("rest", "text"), REFUSED, ids=[f"{n} {text}" for n, (_, text) in enumerate(REFUSED)])
def test_refused(sql: Sql, org: Sandbox, rest: str, text: str) -> None:
    with pytest.raises(errors.NotSupportedError, match=text) as refused:
        sql(f"MERGE INTO account t USING account s {rest}")
    assert "ON CONFLICT (key) DO UPDATE" in str(refused.value)
    assert sent(org) == []
