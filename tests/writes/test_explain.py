"""EXPLAIN of writes shows the reading and the request that changes rows, and sends neither."""

from __future__ import annotations

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, sent

CASES = [
    ("INSERT INTO account (name) VALUES ('x')", ["POST accounts"]),
    (
        "INSERT INTO account (name) VALUES ('x'), ('y')",
        ["POST accounts/Microsoft.Dynamics.CRM.CreateMultiple: 2 rows"],
    ),
    (
        "INSERT INTO account (name) SELECT lastname FROM contact",
        ["GET contacts?$select=lastname", "POST accounts/Microsoft.Dynamics.CRM.CreateMultiple: {step1.rows}"],
    ),
    ("UPDATE account SET name = 'x' WHERE accountid = ?", ["PATCH accounts({1})"]),
    (
        "UPDATE account SET name = ? WHERE accountid = ? AND versionnumber = 5",
        ['PATCH accounts({2}), If-Match: W/"5"'],
    ),
    (
        "UPDATE account SET revenue = 1 WHERE name = 'x'",
        [
            "GET accounts?$select=accountid&$filter=name%20eq%20'x'",
            "POST accounts/Microsoft.Dynamics.CRM.UpdateMultiple: {step1.keys}",
        ],
    ),
    ("DELETE FROM account WHERE accountid IN (?, ?)", ["POST $batch: DELETE accounts(2 rows)"]),
    (
        "INSERT INTO opportunitycompetitors (opportunityid, competitorid) VALUES (?, ?)",
        ["POST opportunities({opportunityid})/opportunitycompetitors_association/$ref"],
    ),
    (
        "INSERT INTO activityparty (activityid, partyid) VALUES (?, ?)",
        [
            "the parties of each activity are read, and put back as a whole list",
            "PUT {activity}/{activity}_activity_parties",
        ],
    ),
    (
        "INSERT INTO new_sample (new_code, new_name) VALUES ('a', 'b') ON CONFLICT (new_code) DO NOTHING",
        ["ON CONFLICT: the rows that exist by new_code are read first, then changed or left alone", "POST new_samples"],
    ),
]


@pytest.mark.parametrize(("statement", "details"), CASES, ids=[statement for statement, _ in CASES])
def test_steps(connect: Connect, org: Sandbox, statement: str, details: list[str]) -> None:
    connection = connect(ReadOnly=True)
    steps = connection.explain(statement)
    assert [detail for _, _, detail in steps] == details
    assert [kind for _, kind, _ in steps].count("write") == 1
    assert connection.cursor().execute(f"EXPLAIN {statement}", (1,) * statement.count("?")).fetchall()
    assert not [each for each in sent(org) if not each.startswith(("GET $metadata", "POST $batch", "GET Entity"))]


def test_explain_analyze_writes_and_counts(sql: Sql, connect: Connect) -> None:
    sql("INSERT INTO account (name) VALUES ('counted'), ('counted')")
    counted = sql("EXPLAIN ANALYZE DELETE FROM account WHERE name = 'counted'").fetchall()
    assert [row[1] for row in counted] == ["request", "write", "note"]
    assert counted[-1][2:5] == ("the whole statement", 2, 2) and counted[-1][6] > 0
    assert sql("SELECT count(*) FROM account WHERE name = 'counted'").fetchall() == [(0,)]
    with pytest.raises(errors.NotSupportedError, match="ReadOnly"):
        connect(ReadOnly=True).cursor().execute("EXPLAIN ANALYZE DELETE FROM account WHERE name = 'counted'")
