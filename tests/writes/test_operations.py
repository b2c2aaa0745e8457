"""EXEC and CALL of what `$metadata` offers, and the procedures about links."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.metadata.operations import parse_operations
from sqlalchemy_dynamics.sandbox import Sandbox

from ..shared import FOLDER
from .conftest import Connect, Sql, control, sent


def test_functions_answer_typed_rows(sql: Sql, org: Sandbox) -> None:
    cursor = sql("EXEC dbo.WhoAmI")
    assert [(column[0], str(column[1])) for column in cursor.description or ()] == [
        ("BusinessUnitId", "UUID"),
        ("UserId", "UUID"),
        ("OrganizationId", "UUID"),
    ]
    assert all(len(value) == 36 for value in cursor.fetchall()[0])
    assert cursor.nextset() is None
    assert sent(org)[-1] == "GET WhoAmI()"
    (text,) = sql("CALL RetrieveTotalRecordCount(EntityNames => '[\"account\"]')").fetchall()[0]
    counted = sql("SELECT count(*) FROM account").fetchone()
    assert json.loads(text)["Values"] == [counted[0] if counted else None]


EVERY: dict[str, Any] = {
    "Text": "it's ü",
    "Number": -5,
    "Big": 2**62,
    "Exact": Decimal("12345678901234567890.1234567891"),
    "Amount": Decimal("1.5"),
    "Ratio": 0.25,
    "Flag": False,
    "Moment": datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC),
    "Id": uuid.UUID("7eb682f1-ca75-e511-80d4-00155d2a68d1"),
    "Choice": 727000000,
    "Texts": ["a", "b"],
    "Rights": "readaccess, 2",
}


def test_every_type_of_parameter_goes_and_comes_back(connect: Connect) -> None:
    cursor = connect().cursor()
    assert cursor.callproc("dbo.new_Repeat", {"@Text": "ab"}) == {"@Text": "ab"} and cursor.fetchall() == [("abab",)]
    assert cursor.callproc("new_Echo", EVERY) == EVERY
    names = [column[0] for column in cursor.description or ()]
    found = dict(zip(names, cursor.fetchall()[0], strict=True))
    expected = EVERY | {"Id": str(EVERY["Id"]), "Texts": '["a","b"]', "Rights": "ReadAccess, WriteAccess"}
    expected |= {"Row": None, "Rows": None}
    assert found == expected
    kinds = {column[0]: str(column[1]) for column in cursor.description or ()}
    assert (kinds["Exact"], kinds["Moment"], kinds["Ratio"], kinds["Big"]) == (
        "DECIMAL(38,10)",
        "TIMESTAMP WITH TIME ZONE",
        "DOUBLE",
        "BIGINT",
    )


def test_literals_become_what_is_declared(sql: Sql) -> None:
    cursor = sql(
        "EXECUTE [new_Echo] @Number = '3', @Exact = 1.50, @Flag = 1, @Moment = '2024-02-03', @Choice = NULL, "
        "@Id = '{7EB682F1-CA75-E511-80D4-00155D2A68D1}', @Rights = 3, @Texts = N'[\"x\"]'"
    )
    found = dict(zip([column[0] for column in cursor.description or ()], cursor.fetchall()[0], strict=True))
    assert {name: found[name] for name in ("Number", "Exact", "Flag", "Choice", "Texts", "Rights")} == {
        "Number": 3,
        "Exact": Decimal("1.50"),
        "Flag": True,
        "Choice": None,
        "Texts": '["x"]',
        "Rights": "ReadAccess, WriteAccess",
    }
    assert found["Moment"] == datetime(2024, 2, 3, tzinfo=UTC)
    assert found["Id"] == "7eb682f1-ca75-e511-80d4-00155d2a68d1"


@pytest.fixture
def account(sql: Sql) -> str:
    key = str(uuid.uuid4())
    sql("INSERT INTO account (accountid, name) VALUES (?, 'operated on')", (key,))
    return key


@pytest.mark.parametrize(
    "form", ["{}", "account:{}", "account({})", "/accounts({})", "pair", "uuid", "mapping", "json"]
)
def test_rows_are_given_in_many_ways(connect: Connect, account: str, form: str) -> None:
    forms: dict[str, Any] = {
        "pair": ("account", account),
        "uuid": uuid.UUID(account),
        "mapping": {"accountid": account},
        "json": json.dumps({"@odata.type": "account", "accountid": account}),
    }
    cursor = connect().cursor()
    cursor.callproc("new_Echo", {"Account": forms.get(form, form.format(account))})
    row = dict(zip([column[0] for column in cursor.description or ()], cursor.fetchall()[0], strict=True))["Row"]
    assert json.loads(row) == {"@odata.type": "#Microsoft.Dynamics.CRM.account", "accountid": account}


def test_an_opportunity_is_won_with_columns_by_their_sql_names(sql: Sql, org: Sandbox) -> None:
    key = str(uuid.uuid4())
    sql("INSERT INTO opportunity (opportunityid, name) VALUES (?, 'o')", (key,))
    close = {"subject": "won", "opportunityid": key, "actualrevenue": Decimal("12.50")}
    cursor = sql("EXEC WinOpportunity @OpportunityClose = :close, @Status = 3", {"close": close})
    assert (cursor.description, cursor.rowcount, cursor.fetchall()) == (None, -1, [])
    assert sent(org)[-1] == "POST WinOpportunity"
    select = "SELECT statecode, statuscode FROM opportunity WHERE opportunityid = ?"
    assert sql(select, (key,)).fetchall() == [(1, 3)]
    select = "SELECT subject, actualrevenue FROM opportunityclose WHERE opportunityid = ?"
    assert sql(select, (key,)).fetchall() == [("won", Decimal("12.5000"))]
    with pytest.raises(errors.DatabaseError, match="already been closed"):
        sql("EXEC WinOpportunity ?, -1", (close,))


def test_bound_operations(sql: Sql, account: str) -> None:
    user = sql("EXEC WhoAmI").fetchall()[0][1]
    for target in ("'systemuser:{}'", "'systemusers({})'"):
        cursor = sql(f"EXEC RetrievePrincipalAccess @entity = {target.format(user)}, @Target = 'account:{account}'")
        assert cursor.fetchall()[0][0].startswith("ReadAccess, WriteAccess")
    contact = str(uuid.uuid4())
    sql("INSERT INTO contact (contactid, lastname) VALUES (?, 'x')", (contact,))
    note = sql("EXEC new_AddNoteToContact @Target = ?, @NoteTitle = 't', @NoteText = 'n'", (contact,))
    assert [(column[0], str(column[1])) for column in note.description or ()] == [("annotationid", "UUID")]
    found = sql("SELECT subject FROM annotation WHERE annotationid = ?", note.fetchall()[0])
    assert found.fetchall() == [("t",)]


def test_a_parameter_called_target_leaves_the_row_its_own_name(sql: Sql) -> None:
    queue, task = str(uuid.uuid4()), str(uuid.uuid4())
    sql("INSERT INTO queue (queueid, name) VALUES (?, 'q')", (queue,))
    sql("INSERT INTO task (activityid, subject) VALUES (?, 't')", (task,))
    item = sql("EXEC AddToQueue @entity = ?, @Target = ?", (queue, ("task", task))).fetchall()[0][0]
    assert sql("SELECT objectid FROM queueitem WHERE queueitemid = ?", (item,)).fetchall() == [(task,)]
    assert sql("EXEC AddToQueue ?, ?", (queue, f"task:{task}")).fetchall() == [(item,)]


def test_mixed_rows_say_their_table(sql: Sql) -> None:
    lead = str(uuid.uuid4())
    sql("INSERT INTO lead (leadid, subject, lastname, companyname) VALUES (?, 's', 'L', 'C')", (lead,))
    flags = "@CreateAccount = TRUE, @CreateContact = 1, @CreateOpportunity = 'false', @Status = -1"
    cursor = sql(f"EXEC QualifyLead @Target = 'lead:{lead}', {flags}")
    assert [column[0] for column in cursor.description or ()] == ["table", "accountid", "contactid"]
    rows = cursor.fetchall()
    assert [(row[0], row[1] is None, row[2] is None) for row in rows] == [
        ("account", False, True),
        ("contact", True, False),
    ]
    found = sql("SELECT parentcustomerid FROM contact WHERE contactid = ?", (rows[1][2],))
    assert found.fetchall() == [(rows[0][1],)]


def test_rows_told_column_by_column(sql: Sql, account: str) -> None:
    contact, other = str(uuid.uuid4()), str(uuid.uuid4())
    sql("INSERT INTO contact (contactid, lastname) VALUES (?, 'x')", (contact,))
    targets: list[dict[str, Any]] = [
        {"contactid": contact, "parentcustomerid": ["account", account], "jobtitle": "boss", "gendercode": 2},
        {"contactid": other, "lastname": "y", "parentcustomerid": account, "parentcustomeridtype": "account"},
    ]
    rows = [{"@odata.type": "contact", **each} for each in targets]
    sql("EXEC UpsertMultiple @Target = 'contact', @Targets = ?", (rows,))
    select = "SELECT parentcustomerid, jobtitle, gendercode FROM contact WHERE contactid IN (?, ?) ORDER BY lastname"
    assert sql(select, (contact, other)).fetchall() == [(account, "boss", 2), (account, None, None)]
    sql("EXEC UpdateMultiple 'contacts', ?", ([{"@odata.type": "contact", "contactid": contact, "jobtitle": None}],))
    assert sql(select, (contact, other)).fetchall()[0] == (account, None, 2)
    for wrong, text in (
        ({"parentcustomerid": account}, "may lead to account, contact"),
        ({"createdon": "2024-01-01"}, "made by the service"),
        ({"gendercode": "x"}, "Targets.0.: contact.gendercode"),
    ):
        with pytest.raises((errors.DataError, errors.ProgrammingError), match=text):
            sql("EXEC UpdateMultiple 'contact', ?", ([{"@odata.type": "contact", "contactid": contact, **wrong}],))


def test_operations_on_a_table(sql: Sql) -> None:
    targets = [{"@odata.type": "account", "name": "one"}, {"@odata.type": "account", "name": "two"}]
    cursor = sql("EXEC CreateMultiple @Target = 'account', @Targets = ?", (targets,))
    ids = json.loads(cursor.fetchall()[0][0])
    names = sql("SELECT name FROM account WHERE accountid IN (?, ?) ORDER BY name", ids).fetchall()
    assert names == [("one",), ("two",)]


def test_sharing_with_nested_values(sql: Sql, account: str) -> None:
    team = str(uuid.uuid4())
    sql("INSERT INTO team (teamid, name) VALUES (?, 't')", (team,))
    access = {"Principal": ("team", team), "AccessMask": ["ReadAccess", "ShareAccess"]}
    sql("EXEC GrantAccess @Target = ?, @PrincipalAccess = ?", (("account", account), access))
    (text,) = sql("EXEC RetrieveSharedPrincipalsAndAccess @Target = ?", (("account", account),)).fetchall()[0]
    (share,) = json.loads(text)
    assert (share["AccessMask"], share["Principal"]["teamid"]) == ("ReadAccess, ShareAccess", team)
    with pytest.raises(errors.ProgrammingError, match="PrincipalAccess has no Principle; did you mean Principal"):
        sql("EXEC GrantAccess @Target = ?, @PrincipalAccess = ?", (("account", account), {"Principle": team}))


def test_a_row_comes_back_with_its_columns(sql: Sql, account: str) -> None:
    cursor = sql(f"EXEC InitializeFrom 'account:{account}', 'contact', 'All'")
    found = dict(zip([column[0] for column in cursor.description or ()], cursor.fetchall()[0], strict=True))
    assert found["table"] == "contact"
    assert found["parentcustomerid_account@odata.bind"] == f"accounts({account})"


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("EXEC Nothing", "not a valid stored procedure"),
        ("EXEC WinOportunity", "not a valid stored procedure; did you mean WinOpportunity"),
        ("EXEC GetOAuthAccesToken", "did you mean GetOAuthAccessToken"),
        ("EXEC WhoAmI @x = 1", "has no input x; it has none"),
        ("CALL WhoAmI(1)", "has 0 inputs"),
        ("EXEC RetrieveTotalRecordCount @EntityNames = 'account'", "JSON"),
        ("EXEC RetrieveTotalRecordCount", "needs @EntityNames .a list of String"),
        ("EXEC RetrieveTotalRecordCount @EntityNames = NULL", "needs @EntityNames"),
        ("EXEC WinOpportunity @Staus = 3", "has no input staus; did you mean Status.; it has OpportunityClose, Status"),
        ("EXEC WinOpportunity @Status = 3", "needs @OpportunityClose .a row of opportunityclose"),
        ("EXEC WinOpportunity @OpportunityClose = 'x', @Status = 3", "row"),
        ("EXEC WinOpportunity @OpportunityClose = '{\"subjct\": 1}', @Status = 3", "did you mean subject"),
        ("EXEC WinOpportunity @OpportunityClose = '{\"subject\": \"x\"}', @Status = 'won'", "Status.*Edm.Int32"),
        ("EXEC new_Echo @Number = 1.5", "new_Echo: Number: .*Edm.Int32"),
        ("EXEC new_Echo @Number = 2147483648", "between"),
        ("EXEC new_Echo @Text = 5", "wants text"),
        ("EXEC new_Echo @Flag = 'maybe'", "true or false"),
        ("EXEC new_Echo @Moment = 'soon'", "Moment: .*DateTimeOffset"),
        ("EXEC new_Echo @Id = 'x'", "Id: .*Guid"),
        ("EXEC new_Echo @Rights = 'ReadAcess'", "none of None.*did you mean ReadAccess"),
        ("EXEC new_Echo @Row = '7eb682f1-ca75-e511-80d4-00155d2a68d1'", "a row of any table"),
        ("EXEC new_Echo @Row = 'acount:7eb682f1-ca75-e511-80d4-00155d2a68d1'", "no table acount; did you mean account"),
        ("EXEC new_Echo @Account = 'contact:7eb682f1-ca75-e511-80d4-00155d2a68d1'", "a row of account, not of contact"),
        ("EXEC new_Echo @Account = 'account:5'", "is not the id of a row"),
        ('EXEC new_Echo @Row = \'{"name": "x"}\'', "give '@odata.type'"),
        ("EXEC QualifyLead @CreateAccount = 1", "works on a row of lead: give @Target"),
        ("EXEC QualifyLead 'account:7eb682f1-ca75-e511-80d4-00155d2a68d1'", "a row of lead, not of account"),
        ("EXEC CreateMultiple @Target = 'acount', @Targets = '[]'", "does not work on acount|no table"),
        ("EXEC WinOpportunity @Status = @s OUTPUT", "OUTPUT"),
        ("EXEC @r = WhoAmI", "no return value"),
        ("DECLARE @s INT = 3", "no variables"),
    ],
)
def test_wrong_calls_send_nothing(sql: Sql, org: Sandbox, statement: str, text: str) -> None:
    with pytest.raises((errors.ProgrammingError, errors.DataError, errors.NotSupportedError), match=text):
        sql(statement, {"s": 1} if "@s OUT" in statement else None)
    assert all(
        request.startswith(("GET $metadata", "GET EntityDefinitions", "GET RetrieveMeta")) for request in sent(org)
    )


def test_built_in_procedures_cost_no_metadata(connect: Connect, org: Sandbox) -> None:
    connection = connect()
    connection.cursor().execute("CALL ListNavigationProperties('account')")
    with pytest.raises(errors.DatabaseError):
        connection.cursor().execute("EXEC RefreshOAuthAccessToken")
    assert sent(org) == []


def test_explain_shows_the_request(sql: Sql, org: Sandbox, account: str) -> None:
    sent(org)
    (row,) = sql("EXPLAIN EXEC new_Repeat @Text = 'a b', @Times = 2").fetchall()
    assert row == (1, "call", "GET new_Repeat(Text=@p1,Times=@p2)?@p1=%27a%20b%27&@p2=2")
    (row,) = sql("EXPLAIN EXEC new_Echo @Account = ?, @Exact = 1.50", (account,)).fetchall()
    assert row[2] == (
        'POST new_Echo {"Exact":1.50,"Account":{"@odata.type":"Microsoft.Dynamics.CRM.account",'
        f'"accountid":"{account}"}}}}'
    )
    assert sql("EXPLAIN EXEC new_Echo @Text = :text").fetchall() == [(1, "call", "new_Echo(Text)")]
    assert not any("new_" in request for request in sent(org))


def test_read_only_connections_call_functions_alone(connect: Connect, org: Sandbox) -> None:
    cursor = connect(ReadOnly=True).cursor()
    assert cursor.execute("EXEC new_Repeat 'a'").fetchall() == [("aa",)]
    with pytest.raises(errors.NotSupportedError, match="new_Echo: the connection is read-only"):
        cursor.execute("EXEC new_Echo @Text = 'a'")
    assert sent(org)[-1].startswith("GET new_Repeat")


def test_a_change_set_has_no_actions(connect: Connect, account: str) -> None:
    connection = connect()
    connection.isolation_level = "CHANGESET"
    cursor = connection.cursor()
    cursor.execute("UPDATE account SET name = 'waits' WHERE accountid = ?", (account,))
    assert cursor.execute("EXEC new_Repeat 'a'").fetchall() == [("aa",)]
    with pytest.raises(errors.NotSupportedError, match="outside of the change set"):
        cursor.execute("EXEC new_Echo @Text = 'a'")
    connection.rollback()


def test_actions_carry_the_headers_of_writes(connect: Connect) -> None:
    connection = connect(BypassPlugins=True)
    seen: list[Any] = []
    connection.on_request = lambda request, reply: seen.append((request.method, dict(request.headers)))
    connection.cursor().execute("EXEC new_Echo @Text = 'a'")
    assert seen[-1][0] == "POST" and seen[-1][1]["MSCRM.BypassCustomPluginExecution"] == "true"
    with pytest.warns(Warning, match="rollback"):
        connection.rollback()


@pytest.mark.parametrize("kind", ["drop", "503", "truncate"])
def test_an_action_whose_answer_is_lost_is_not_repeated(connect: Connect, org: Sandbox, kind: str) -> None:
    cursor = connect(MaxRetries=3).cursor()
    cursor.execute("EXEC new_Repeat 'a'")
    sent(org)
    control(org, "POST", "faults", {"kind": kind, "when": "#1", "path": "new_Echo"})
    with pytest.raises(errors.OperationalError, match="outcome unknown: the answer to new_Echo was lost"):
        cursor.execute("EXEC new_Echo @Text = 'a'")
    assert sent(org) == ["POST new_Echo"]


def test_a_throttled_action_and_a_lost_function_are_repeated(connect: Connect, org: Sandbox) -> None:
    cursor = connect(MaxRetries=3).cursor()
    cursor.execute("EXEC new_Repeat 'a'")
    control(org, "POST", "faults", {"kind": "429", "when": "#1", "arg": 0, "path": "new_Echo"})
    control(org, "POST", "faults", {"kind": "503", "when": "#1", "arg": 0, "path": "new_Repeat"})
    sent(org)
    cursor.execute("EXEC new_Echo @Text = 'a'")
    cursor.execute("EXEC new_Repeat 'a'")
    assert sent(org) == ["POST new_Echo", "POST new_Echo", "GET new_Repeat(Text=@p1)", "GET new_Repeat(Text=@p1)"]


def test_procedures_through_sqlalchemy(org: Sandbox, account: str) -> None:
    arguments = {"OrganizationUrl": org.url, "OAuthAccessToken": org.access_token}
    engine = sqlalchemy.create_engine("dynamics://", connect_args=arguments)
    with engine.begin() as connection:
        statement = sqlalchemy.text("EXEC new_Echo @Text = :text, @Account = :row, @Texts = :texts")
        row = connection.execute(statement, {"text": "x", "row": account, "texts": ["p", "q"]}).one()
        assert (row.Text, json.loads(row.Texts)) == ("x", ["p", "q"])
        raw = connection.connection.cursor()
        raw.callproc("new_Repeat", ["ab", 3])
        assert raw.fetchall() == [("ababab",)]
    engine.dispose()


GENUINE = FOLDER / "metadata" / "annotated-german.xml"


@pytest.mark.skipif(not GENUINE.exists(), reason="no folder with genuine metadata beside the checkout")
def test_genuine_operations_are_read() -> None:
    found = parse_operations(GENUINE.read_bytes())
    assert len(found.by_name) > 300
    items = found.by_name["additemcampaign"]
    assert {each.target.type for each in items if each.target} == {"campaign", "list", "product", "salesliterature"}
    assert [(each.name, each.type) for each in items[0].parameters] == [("Campaign", "campaign")]
    assert found.by_name["whoami"][0].is_function
