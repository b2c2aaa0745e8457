"""EXEC and CALL of what `$metadata` offers, and the procedures about links."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import Any

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.metadata.operations import parse_operations
from sqlalchemy_dynamics.odata.operations import call_action, call_function
from sqlalchemy_dynamics.sandbox import Sandbox

from ..shared import FOLDER
from .conftest import Connect, Sql, sent


def test_functions_answer_typed_rows(sql: Sql, org: Sandbox) -> None:
    cursor = sql("EXEC WhoAmI")
    assert [(column[0], str(column[1])) for column in cursor.description or ()] == [
        ("BusinessUnitId", "UUID"),
        ("UserId", "UUID"),
        ("OrganizationId", "UUID"),
    ]
    assert all(len(value) == 36 for value in cursor.fetchall()[0])
    assert sent(org)[-1] == "GET WhoAmI()"
    (text,) = sql("CALL RetrieveTotalRecordCount(EntityNames => '[\"account\"]')").fetchall()[0]
    counted = sql("SELECT count(*) FROM account").fetchone()
    assert json.loads(text)["Values"] == [counted[0] if counted else None]


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("EXEC Nothing", "not a valid stored procedure"),
        ("EXEC WhoAmI @x = 1", "has no input x"),
        ("CALL WhoAmI(1)", "has 0 inputs"),
        ("EXEC RetrieveTotalRecordCount @EntityNames = 'account'", "JSON"),
    ],
)
def test_wrong_calls(sql: Sql, statement: str, text: str) -> None:
    with pytest.raises((errors.ProgrammingError, errors.DataError), match=text):
        sql(statement)


def test_links_by_procedure(sql: Sql, connect: Connect, org: Sandbox) -> None:
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    sql("INSERT INTO opportunity (opportunityid, name) VALUES (?, 'p')", (one,))
    sql("INSERT INTO competitor (competitorid, name) VALUES (?, 'p')", (two,))
    ways = sql("CALL ListNavigationProperties('opportunity')").fetchall()
    assert ("opportunitycompetitors_association", "competitor", True, None) in ways
    along = "@FromTable = 'opportunity', @FromId = ?, @NavigationProperty = 'opportunitycompetitors_association'"
    assert sql(f"EXEC CreateAssociation {along}, @ToTable = 'competitor', @ToId = ?", (one, two)).fetchall() == [
        ("true",)
    ]
    assert sql(f"EXEC ListAssociations {along}", (one,)).fetchall() == [("competitor", two)]
    assert sql(f"EXEC RemoveAssociation {along}, @ToTable = 'competitor', @ToId = ?", (one, two)).rowcount == -1
    assert sql(f"EXEC ListAssociations {along}", (one,)).fetchall() == []
    with pytest.raises(errors.ProgrammingError, match="ListNavigationProperties"):
        sql("EXEC ListAssociations 'opportunity', ?, 'nowhere'", (one,))
    with pytest.raises(errors.NotSupportedError, match="read-only"):
        connect(ReadOnly=True).cursor().execute(
            f"EXEC RemoveAssociation {along}, @ToTable = 'x', @ToId = ?", (one, two)
        )


def address_of(kind: str, text: str) -> str | None:
    return {"account": f"accounts({text})"}.get(kind)


def test_requests_of_operations() -> None:
    values: dict[str, Any] = {
        "Name": ("O'Neil & co", "Edm.String", False),
        "On": ("2024-02-03", "Edm.DateTimeOffset", False),
        "Row": ("7eb682f1-ca75-e511-80d4-00155d2a68d1", "account", False),
        "Kind": ("Default", "Level", False),
        "None": (None, "Edm.Int32", False),
    }
    request = call_function("accounts(x)", "Do", values, address_of, frozenset({"Level"}))
    assert request.url.startswith("accounts(x)/Microsoft.Dynamics.CRM.Do(Name=@p1,On=@p2,Row=@p3,Kind=@p4,None=@p5)?")
    assert "@p1=%27O%27%27Neil%20%26%20co%27&@p2=2024-02-03T00%3A00%3A00Z" in request.url
    assert "@p4=Microsoft.Dynamics.CRM.Level%27Default%27&@p5=null" in request.url
    body = call_action(
        "",
        "Do",
        {
            "Amount": (Decimal("1.50"), "Edm.Decimal", False),
            "Entity": ('{"@odata.type": "Microsoft.Dynamics.CRM.task", "subject": "x"}', "crmbaseentity", False),
            "Ids": ('["7EB682F1-ca75-e511-80d4-00155d2a68d1"]', "Edm.Guid", True),
        },
        address_of,
    ).body
    assert body is not None and b'"Amount":1.50' in body and b'"subject":"x"' in body and b'["7eb682f1' in body


GENUINE = FOLDER / "metadata" / "annotated-german.xml"


@pytest.mark.skipif(not GENUINE.exists(), reason="no folder with genuine metadata beside the checkout")
def test_genuine_operations_are_read() -> None:
    found = parse_operations(GENUINE.read_bytes())
    assert len(found.by_name) > 300
    items = found.by_name["additemcampaign"]
    assert {each.target.type for each in items if each.target} == {"campaign", "list", "product", "salesliterature"}
    assert [(each.name, each.type) for each in items[0].parameters] == [("Campaign", "campaign")]
    assert found.by_name["whoami"][0].is_function
