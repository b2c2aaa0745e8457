"""Actions and functions: what they change, what they answer, and what is refused before they begin."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from .conftest import Api

_NS = "{http://docs.oasis-open.org/odata/ns/edm}"
_TYPE = "Microsoft.Dynamics.CRM"


def ref(kind: str, row_id: str, key: str = "") -> dict[str, str]:
    return {"@odata.type": f"{_TYPE}.{kind}", key or f"{kind}id": row_id}


def close(lookup: str, address: str) -> dict[str, Any]:
    return {"subject": "done", f"{lookup}@odata.bind": address}


@pytest.fixture
def contact(api: Api) -> str:
    return api.create("contacts", {"lastname": "Reader"})


def test_metadata_declares_what_is_served(api: Api) -> None:
    schema = next(ElementTree.fromstring(api("GET", "$metadata").content).iter(f"{_NS}Schema"))
    (win,) = (each for each in schema.iter(f"{_NS}Action") if each.get("Name") == "WinOpportunity")
    assert [(each.get("Name"), each.get("Type"), each.get("Nullable")) for each in win] == [
        ("OpportunityClose", "mscrm.opportunityclose", "false"),
        ("Status", "Edm.Int32", "false"),
    ]
    (qualify,) = (each for each in schema.iter(f"{_NS}Action") if each.get("Name") == "QualifyLead")
    assert qualify.get("IsBound") == "true"
    assert next(iter(qualify)).attrib == {"Name": "entity", "Type": "mscrm.lead", "Nullable": "false"}
    assert qualify[-1].attrib == {"Type": "Collection(mscrm.crmbaseentity)", "Nullable": "false"}
    imports = {each.get("Name"): each.get("Action") for each in schema.iter(f"{_NS}ActionImport")}
    assert imports["Merge"] == f"{_TYPE}.Merge" and "QualifyLead" not in imports
    known = {each.get("Name") for kind in ("EntityType", "ComplexType", "EnumType") for each in schema.iter(_NS + kind)}
    types = {
        each.get("Type", "") for word in ("Parameter", "ReturnType", "Property") for each in schema.iter(_NS + word)
    }
    named = {found[1] for each in types if (found := re.search(r"mscrm\.(\w+)", each))}
    assert named <= known


@pytest.mark.parametrize(
    ("method", "url", "body", "status", "text"),
    [
        ("POST", "NoSuchAction", {}, 404, "Resource not found for the segment 'NoSuchAction'."),
        ("GET", "PublishAllXml", None, 404, "No HTTP resource was found"),
        ("POST", "WhoAmI", {}, 404, "No HTTP resource was found"),
        ("POST", "AddMembersTeam", {"Members": []}, 404, "Resource not found for the segment 'AddMembersTeam'."),
        ("POST", "WinOpportunity", {"Status": 3}, 400, "Required field 'OpportunityClose' is missing for RequestName"),
        ("POST", "WinOpportunity", {"status": 3}, 400, "The parameter 'status' in the request payload is not a valid"),
        ("POST", "WinOpportunity", {"OpportunityClose": {}, "Status": "3"}, 400, "expected type 'Edm.Int32'"),
        ("POST", "WinOpportunity", {"OpportunityClose": {}, "Status": True}, 400, "expected type 'Edm.Int32'"),
        ("POST", "WinOpportunity", {"OpportunityClose": "x", "Status": 3}, 400, "An object was expected"),
        ("POST", "WinOpportunity", {"OpportunityClose": {}, "Status": 3}, 400, "does not say which opportunity"),
        ("POST", "new_Echo", {"Number": 2**31}, 400, "expected type 'Edm.Int32'"),
        ("POST", "new_Echo", {"Id": "no"}, 400, "expected type 'Edm.Guid'"),
        ("POST", "new_Echo", {"Moment": "yesterday"}, 400, "expected type 'Edm.DateTimeOffset'"),
        ("POST", "new_Echo", {"Exact": "1.5"}, 400, "expected type 'Edm.Decimal'"),
        ("POST", "new_Echo", {"Rights": "Everything"}, 400, "Requested value 'Everything' was not found."),
        ("POST", "new_Echo", {"Texts": "a"}, 400, "must be a collection"),
        ("POST", "new_Echo", {"Row": {"accountid": "x"}}, 400, "needs the annotation '@odata.type'"),
        ("POST", "new_Echo", {"Account": {"@odata.type": f"{_TYPE}.contact"}}, 400, "which takes"),
        ("GET", "new_Repeat(Text=@t,Other=1)?@t='x'", None, 404, "Resource not found for the segment 'new_Repeat'."),
        ("GET", "new_Repeat()", None, 404, "Resource not found for the segment 'new_Repeat'."),
        ("GET", "new_Repeat(Text=5)", None, 400, "expected type 'Edm.String'"),
    ],
)
def test_refusals(api: Api, method: str, url: str, body: Any, status: int, text: str) -> None:
    reply = api(method, url, body)
    assert (reply.status_code, text in reply.json()["error"]["message"]) == (status, True), reply.text


def test_an_opportunity_is_won_once(api: Api) -> None:
    one = api.create("opportunities", {"name": "won"})
    body = {"Status": 3, "OpportunityClose": {**close("opportunityid", f"opportunities({one})"), "actualrevenue": 7.5}}
    assert api("POST", "WinOpportunity", body).status_code == 204
    assert api.row("opportunities", one, "statecode,statuscode") | {"statecode": 1, "statuscode": 3} == api.row(
        "opportunities", one, "statecode,statuscode"
    )
    made = api("GET", f"opportunitycloses?$filter=_opportunityid_value eq {one}").json()["value"]
    assert [(each["subject"], each["actualrevenue"], each["statecode"]) for each in made] == [("done", 7.5, 1)]
    again = api("POST", "WinOpportunity", body).json()["error"]["message"]
    assert again == "The opportunity has already been closed."
    other = api.create("opportunities", {"name": "wrong status"})
    wrong = {"Status": 5, "OpportunityClose": close("opportunityid", f"opportunities({other})")}
    assert api.refused("POST", "WinOpportunity", wrong) == (400, "0x80048408")
    assert api("GET", f"opportunitycloses?$filter=_opportunityid_value eq {other}").json()["value"] == []
    assert api("POST", "LoseOpportunity", {**wrong, "Status": -1}).status_code == 204


def test_an_opportunity_with_open_quotes_stays_open(api: Api) -> None:
    one = api.create("opportunities", {"name": "quoted"})
    quote = api.create("quotes", {"name": "q", "opportunityid@odata.bind": f"opportunities({one})"})
    win = {"Status": 3, "OpportunityClose": close("opportunityid", f"opportunities({one})")}
    assert "quotes" in api("POST", "WinOpportunity", win).json()["error"]["message"]
    lost = {"Status": 5, "QuoteClose": close("quoteid", f"quotes({quote})")}
    assert api("POST", "CloseQuote", lost).status_code == 400
    assert api("PATCH", f"quotes({quote})", {"statecode": 1, "statuscode": 2}).status_code == 204
    assert api("POST", "CloseQuote", lost).status_code == 204
    assert api("POST", "WinOpportunity", win).status_code == 204


def test_a_case_is_resolved(api: Api) -> None:
    case = api.create("incidents", {"title": "c"})
    task = api.create(
        "tasks",
        {
            "subject": "t",
            "actualdurationminutes": 90,
            "regardingobjectid_incident_task@odata.bind": f"/incidents({case})",
        },
    )
    assert api("GET", f"incidents({case})/{_TYPE}.CalculateTotalTimeIncident()").json()["TotalTime"] == 0
    assert api("PATCH", f"tasks({task})", {"statecode": 1}).status_code == 204
    assert api("GET", f"incidents({case})/{_TYPE}.CalculateTotalTimeIncident()").json()["TotalTime"] == 90
    body = {"Status": 5, "IncidentResolution": {"subject": "r", "incidentid": {"incidentid": case}}}
    assert api("POST", "CloseIncident", body).status_code == 204
    assert api.row("incidents", case, "statecode")["statecode"] == 1


def test_a_lead_is_qualified(api: Api) -> None:
    lead = api.create("leads", {"subject": "s", "companyname": "C", "firstname": "F", "lastname": "L"})
    body = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": True, "Status": 3}
    reply = api("POST", f"leads({lead})/{_TYPE}.QualifyLead", body)
    made = {each["@odata.type"].rpartition(".")[2]: each for each in reply.json()["value"]}
    assert set(made) == {"account", "contact", "opportunity"}
    contact = api.row("contacts", made["contact"]["contactid"], "fullname,_parentcustomerid_value")
    assert contact["_parentcustomerid_value"] == made["account"]["accountid"]
    opportunity = api.row("opportunities", made["opportunity"]["opportunityid"], "_originatingleadid_value,name")
    assert (opportunity["_originatingleadid_value"], opportunity["name"]) == (lead, "s")
    assert api.row("leads", lead, "statecode")["statecode"] == 1
    assert api("POST", f"leads({lead})/{_TYPE}.QualifyLead", body).status_code == 400


def test_rows_are_merged(api: Api, account: str) -> None:
    other = api.create("accounts", {"name": "other"})
    contact = api.create("contacts", {"lastname": "x", "parentcustomerid_account@odata.bind": f"accounts({other})"})
    body = {
        "Target": ref("account", account),
        "Subordinate": ref("account", other),
        "UpdateContent": {"@odata.type": f"{_TYPE}.account", "telephone1": "77"},
        "PerformParentingChecks": False,
    }
    assert api("POST", "Merge", body).status_code == 204
    assert api.row("accounts", account, "telephone1")["telephone1"] == "77"
    assert api.row("accounts", other, "statecode")["statecode"] == 1
    assert api.row("contacts", contact, "_parentcustomerid_value")["_parentcustomerid_value"] == account
    assert api("POST", "Merge", {**body, "Subordinate": ref("account", account)}).status_code == 400
    assert api("POST", "Merge", {**body, "Subordinate": ref("contact", contact)}).status_code == 400


def test_rows_are_shared(api: Api, account: str) -> None:
    team = api.create("teams", {"name": "shared with"})
    access = {"Principal": ref("team", team), "AccessMask": "ReadAccess,WriteAccess"}
    target = {"Target": ref("account", account)}

    def rights() -> str:
        url = f"teams({team})/{_TYPE}.RetrievePrincipalAccess(Target=@t)?@t={{'@odata.id':'accounts({account})'}}"
        return str(api("GET", url).json()["AccessRights"])

    assert rights() == "None"
    assert api("POST", "GrantAccess", {**target, "PrincipalAccess": access}).status_code == 204
    assert rights() == "ReadAccess, WriteAccess"
    assert api("POST", "GrantAccess", {**target, "PrincipalAccess": {**access, "AccessMask": "ShareAccess"}}).is_success
    assert rights() == "ReadAccess, WriteAccess, ShareAccess"
    assert api("POST", "ModifyAccess", {**target, "PrincipalAccess": {**access, "AccessMask": "ReadAccess"}}).is_success
    shared = api("GET", f"RetrieveSharedPrincipalsAndAccess(Target=@t)?@t={{'@odata.id':'accounts({account})'}}").json()
    assert [(each["AccessMask"], each["Principal"]["teamid"]) for each in shared["PrincipalAccesses"]] == [
        ("ReadAccess", team)
    ]
    assert (
        api("GET", f"principalobjectaccessset?$filter=objectid eq {account}").json()["value"][0]["accessrightsmask"]
        == 1
    )
    assert api("POST", "RevokeAccess", {**target, "Revokee": ref("team", team)}).status_code == 204
    assert rights() == "None"


def test_members_of_teams(api: Api) -> None:
    team = api.create("teams", {"name": "members"})
    user = api("GET", "WhoAmI").json()["UserId"]
    body = {"Members": [ref("systemuser", user)]}
    members = f"teams({team})/teammembership_association?$select=systemuserid"
    for _ in range(2):
        assert api("POST", f"teams({team})/{_TYPE}.AddMembersTeam", body).status_code == 204
        assert [each["systemuserid"] for each in api("GET", members).json()["value"]] == [user]
    assert api("POST", f"teams({team})/{_TYPE}.RemoveMembersTeam", body).status_code == 204
    assert api("GET", members).json()["value"] == []
    assert api("POST", f"queues({team})/{_TYPE}.AddMembersTeam", body).status_code == 404


def test_an_email_is_sent_once(api: Api, contact: str) -> None:
    user = api("GET", "WhoAmI").json()["UserId"]
    parties = [
        {"participationtypemask": 1, "partyid_systemuser@odata.bind": f"systemusers({user})"},
        {"participationtypemask": 2, "partyid_contact@odata.bind": f"contacts({contact})"},
    ]
    email = api.create("emails", {"subject": "hello", "email_activity_parties": parties})
    lonely = api.create("emails", {"subject": "to nobody", "email_activity_parties": parties[:1]})
    send = f"emails({{}})/{_TYPE}.SendEmail"
    assert "recipient" in api("POST", send.format(lonely), {"IssueSend": True}).json()["error"]["message"]
    assert api("POST", send.format(email), {"IssueSend": True}).json()["Subject"] == "hello"
    assert api.row("emails", email, "statuscode")["statuscode"] == 3
    assert api("POST", send.format(email), {"IssueSend": True}).status_code == 400


def test_custom_operations(api: Api, account: str, contact: str) -> None:
    given = {"Text": "a", "Number": -5, "Big": 2**62, "Exact": 1.25, "Flag": False, "Texts": ["x", "y"]}
    given |= {"Id": account, "Moment": "2024-02-03T04:05:06Z", "Rights": "ReadAccess, WriteAccess", "Choice": None}
    reply = api("POST", "new_Echo", {**given, "Row": {"@odata.id": f"accounts({account})"}}).json()
    assert reply.items() >= given.items() and reply["Row"]["accountid"] == account
    assert (
        b'"Exact":12345678901234567890.1234567891'
        in api.http.post(
            "new_Echo",
            content=b'{"Exact":12345678901234567890.1234567891}',
            headers={"Content-Type": "application/json"},
        ).content
    )
    assert api("GET", "new_Repeat(Text=@t,Times=3)?@t='it''s '").json()["Text"] == "it's " * 3
    assert api("GET", "new_Repeat(Text='ab')").json()["Text"] == "abab"
    note = api("POST", f"contacts({contact})/{_TYPE}.new_AddNoteToContact", {"NoteTitle": "t", "NoteText": "n"}).json()
    assert api.row("annotations", note["annotationid"], "_objectid_value")["_objectid_value"] == contact
    url = f"InitializeFrom(EntityMoniker=@e,TargetEntityName='contact',TargetFieldType={_TYPE}.TargetFieldType'All')"
    new = api("GET", f"{url}?@e={{'@odata.id':'accounts({account})'}}").json()
    assert new["parentcustomerid_account@odata.bind"] == f"accounts({account})"
    assert new["@odata.type"] == f"#{_TYPE}.contact"


def part(number: int, method: str, url: str, body: str) -> str:
    head = f"--c\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\n"
    return f"{head}{method} /api/data/v9.2/{url} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n"


def test_an_action_in_a_change_set_is_undone_with_it(api: Api, account: str) -> None:
    one = api.create("opportunities", {"name": "undone"})
    win = f'{{"Status":3,"OpportunityClose":{{"opportunityid@odata.bind":"opportunities({one})"}}}}'
    parts = part(1, "POST", "WinOpportunity", win) + part(2, "PATCH", f"accounts({account})", '{"nothing":"x"}')
    body = f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{parts}--c--\r\n--b--\r\n"
    reply = api.http.post("$batch", content=body, headers={"Content-Type": "multipart/mixed; boundary=b"})
    assert reply.status_code == 400 and "nothing" in reply.text
    assert api.row("opportunities", one, "statecode")["statecode"] == 0
