"""PATCH, PUT and DELETE on rows and properties; conditions; upsert; refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .conftest import Api

ANY = {"If-Match": "*"}


def test_an_update_moves_version_and_time(api: Api, account: str) -> None:
    before = api.row("accounts", account, "versionnumber,modifiedon")
    reply = api("PATCH", f"accounts({account})", {"telephone1": "1"}, **ANY)
    assert reply.status_code == 204
    assert reply.headers["OData-EntityId"] == f"{api.root}accounts({account})"
    after = api.row("accounts", account, "versionnumber,modifiedon,name,telephone1")
    assert after["versionnumber"] > before["versionnumber"]
    assert after["modifiedon"] >= before["modifiedon"]
    assert (after["name"], after["telephone1"]) == ("Writer", "1")


def test_a_representation_of_an_update_is_200_and_ignores_expand(api: Api, account: str) -> None:
    reply = api(
        "PATCH",
        f"accounts({account})?$select=name&$expand=primarycontactid",
        {"name": "B"},
        Prefer="return=representation",
    )
    assert reply.status_code == 200
    assert reply.headers["ETag"] == reply.json()["@odata.etag"]
    assert set(reply.json()) == {"@odata.context", "@odata.etag", "name", "accountid"}


def test_nothing_to_change_is_fine(api: Api, account: str) -> None:
    before = api.row("accounts", account, "versionnumber")
    assert api("PATCH", f"accounts({account})", {}).status_code == 204
    assert api.row("accounts", account, "versionnumber") == before


@pytest.mark.parametrize(
    ("headers", "there", "missing"),
    [
        ({}, 204, 204),
        ({"If-Match": "*"}, 204, (404, "0x80040217")),
        ({"If-Match": 'W/"1"'}, (412, "0x80060882"), (404, "0x80040217")),
        ({"If-None-Match": "*"}, (412, "0x80040237"), 204),
        ({"If-None-Match": "null"}, 204, 204),
    ],
)
def test_conditions_of_a_patch(
    api: Api, account: str, nobody: str, headers: dict[str, str], there: object, missing: object
) -> None:
    for row_id, expected in ((account, there), (nobody, missing)):
        reply = api("PATCH", f"accounts({row_id})", {"name": "C"}, **headers)
        found: object = reply.status_code
        if reply.status_code >= 400:
            found = (reply.status_code, reply.json()["error"]["code"])
        assert found == expected


def test_the_right_version_is_let_through(api: Api, account: str) -> None:
    etag = api.row("accounts", account, "name")["@odata.etag"]
    assert api("PATCH", f"accounts({account})", {"name": "D"}, **{"If-Match": etag}).status_code == 204
    assert api.message("PATCH", f"accounts({account})", {"name": "E"}, **{"If-Match": etag}) == (
        "The version of the existing record doesn't match the RowVersion property provided."
    )
    assert api.refused("DELETE", f"accounts({account})", **{"If-Match": etag}) == (412, "0x80060882")


def test_upsert_tells_created_from_updated_by_status(api: Api, nobody: str) -> None:
    url, headers = f"accounts({nobody})?$select=name", {"Prefer": "return=representation"}
    assert [api("PATCH", url, {"name": "U"}, **headers).status_code for _ in range(2)] == [201, 200]


def test_upsert_by_alternate_key(api: Api) -> None:
    url = "new_samples(new_code='key 1')"
    first = api("PATCH", url, {"new_name": "one"})
    assert first.headers["OData-EntityId"] == f"{api.root}new_samples(new_code='key%201')"
    assert api("PATCH", url, {"new_name": "two", "new_code": "ignored"}).status_code == 204
    found = api("GET", f"{url}?$select=new_name,new_code").json()
    assert (found["new_name"], found["new_code"]) == ("two", "key 1")
    assert api("PATCH", "new_samples(new_code='key 2')", {"new_code": "key 3"}).status_code == 204
    assert api("GET", "new_samples(new_code='key 3')").status_code == 200
    assert api.refused("PATCH", "new_samples(new_code='none')", {"new_name": "x"}, **ANY) == (404, "0x80060891")
    assert api.refused("PATCH", "new_samples(new_name='x')", {"new_name": "x"})[0] == 400


def test_alternate_keys_are_unique_without_case_accents_and_trailing_blanks(api: Api) -> None:
    api.create("new_samples", {"new_code": "Zoë"})
    assert api.refused("POST", "new_samples", {"new_code": "ZOE "}) == (412, "0x80060892")
    other = api.create("new_samples", {"new_code": "other zoe"})
    assert api.refused("PATCH", f"new_samples({other})", {"new_code": "zoe"}) == (412, "0x80060892")
    assert "Entity Key" in api.message("POST", "new_samples", {"new_code": "zoe"})
    for _ in range(2):
        api.create("new_samples", {"new_name": "no code"})


def test_single_properties(api: Api, account: str) -> None:
    assert api("PUT", f"accounts({account})/name", {"value": "Put"}).status_code == 204
    assert api.row("accounts", account, "name")["name"] == "Put"
    assert api("DELETE", f"accounts({account})/name").status_code == 204
    assert api.row("accounts", account, "name")["name"] is None
    assert api.refused("PUT", f"accounts({account})/name", {"nothing": 1}) == (400, "0x80048d19")
    assert api.refused("PUT", f"accounts({account})/numberofemployees", {"value": "x"}) == (400, "0x80048d19")


def test_a_row_is_not_put_and_a_lookup_not_deleted_through(api: Api, account: str) -> None:
    contact = api.create("contacts", {"lastname": "Kept"})
    api("PATCH", f"accounts({account})", {"primarycontactid@odata.bind": f"/contacts({contact})"})
    assert api("PUT", f"accounts({account})", {"name": "x"}).status_code == 405
    assert api("DELETE", f"accounts({account})/primarycontactid").status_code == 405
    assert api("GET", f"contacts({contact})").status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Name": "x"}, "0x80048d19"),
        ({"nosuch": 1}, "0x80048d19"),
        ({"nosuch@odata.bind": "/contacts(00000000-0000-0000-0000-000000000001)"}, "0x80048d19"),
        ({"primarycontactid": "00000000-0000-0000-0000-000000000001"}, "0x80048d19"),
        ({"primarycontactid": {"lastname": "deep"}}, "0x80060888"),
        ({"name": 5}, "0x80048d19"),
        ({"numberofemployees": "many"}, "0x80048d19"),
        ({"numberofemployees": True}, "0x80048d19"),
        ({"donotemail": 1}, "0x80048d19"),
        ({"name": "x" * 161}, "0x80044331"),
        ({"name": "👍" * 81}, "0x80044331"),
        ({"numberofemployees": 2**31}, "0x8004432f"),
        ({"revenue": 1e15}, "0x80044330"),
        ({"industrycode": 99}, "0x8004431a"),
        ({"lastusedincampaign": "yesterday"}, "0x80040239"),
        ({"lastusedincampaign": "1752-12-31"}, "0x80040239"),
        ({"lastusedincampaign": "2023-02-30"}, "0x80040239"),
        ({"ownerid": None}, "0x80040200"),
        ({"ownerid@odata.bind": None}, "0x80040200"),
        ({"statecode": None}, "0x80040200"),
        ({"statecode": 7}, "0x80048408"),
        ({"statecode": 1, "statuscode": 1}, "0x80048408"),
        ({"statuscode": 2}, "0x80048408"),
        ({"statuscode": 99}, "0x80048408"),
    ],
)
def test_bad_bodies_are_400_with_their_code_and_change_nothing(
    api: Api, account: str, body: dict[str, Any], code: str
) -> None:
    before = api.row("accounts", account, "versionnumber,name")
    assert api.refused("PATCH", f"accounts({account})", {"telephone1": "changed", **body}) == (400, code)
    assert api.row("accounts", account, "versionnumber,name") == before


def test_texts_of_refusals(api: Api, account: str) -> None:
    url = f"accounts({account})"
    assert api.message("POST", "tasks", {"subject": "x" * 201}) == (
        "A validation error occurred.  The length of the 'subject' attribute of the 'task' entity exceeded the maximum "
        "allowed length of '200'."
    )
    assert api.message("PATCH", url, {"Name": "x"}).startswith(
        "An error occurred while validating input parameters: Microsoft.Crm.CrmException: Invalid property 'Name' was "
        "found in entity 'Microsoft.Dynamics.CRM.account'. ---> "
    )
    assert (
        "An undeclared property 'parentcustomerid' which only has property annotations in the payload"
        in api.message("POST", "contacts", {"parentcustomerid@odata.bind": url})
    )
    assert api.message("PATCH", url, {"accountcategorycode": 9}).endswith("Accepted Values: 1,2")
    assert api.message("PATCH", url, b"".decode() or ["no object"]) == "The request body must be a JSON object."


def test_missing_rows(api: Api, nobody: str, account: str) -> None:
    assert api.refused("DELETE", f"accounts({nobody})") == (404, "0x80040217")
    assert api.refused("PUT", f"accounts({nobody})/name", {"value": "x"}) == (404, "0x80040217")
    bind = {"primarycontactid@odata.bind": f"/contacts({nobody})"}
    assert api.refused("PATCH", f"accounts({account})", bind) == (404, "0x80040217")
    assert api.message("PATCH", f"accounts({account})", bind) == f"contact With Id = {nobody} Does Not Exist"
    assert api.refused("PATCH", f"accounts({account})", {"primarycontactid@odata.bind": "/contactz(1)"})[0] == 404
    assert (
        api.refused("PATCH", f"accounts({account})", {"primarycontactid@odata.bind": f"/accounts({account})"})[0] == 400
    )


def test_state_and_status_reason(api: Api, account: str) -> None:
    url = f"accounts({account})"
    assert api("PATCH", url, {"statecode": 1}).status_code == 204
    assert api.row("accounts", account, "statuscode")["statuscode"] == 2
    assert api("PATCH", url, {"statecode": 0, "statuscode": 1}).status_code == 204
    task = api.create("tasks", {"subject": "t", "statuscode": 3})
    assert api.row("tasks", task, "statecode,statuscode")["statuscode"] == 3
    assert api("PATCH", f"tasks({task})", {"statecode": 1}).status_code == 204
    assert api.row("tasks", task, "statuscode")["statuscode"] == 5
    assert api.refused("POST", "tasks", {"subject": "t", "statuscode": 5}) == (400, "0x80048408")


def test_some_states_need_their_action(api: Api) -> None:
    opportunity = api.create("opportunities", {"name": "O"})
    url = f"opportunities({opportunity})"
    assert api.refused("PATCH", url, {"statecode": 1, "statuscode": 3}) == (400, "0x80100005")
    won = {"OpportunityClose": {"subject": "Won", "opportunityid@odata.bind": f"/{url}"}, "Status": 3}
    assert api("POST", "WinOpportunity", won).status_code == 204
    assert api.row("opportunities", opportunity, "statecode,statuscode")["statecode"] == 1
    case = api.create("incidents", {"title": "C"})
    assert api.refused("PATCH", f"incidents({case})", {"statecode": 1})[0] == 400
    closed = {"IncidentResolution": {"subject": "Done", "incidentid@odata.bind": f"/incidents({case})"}, "Status": 1000}
    assert api("POST", "CloseIncident", closed).status_code == 204
    assert api.row("incidents", case, "statuscode")["statuscode"] == 1000


def test_dates_by_behaviour(api: Api) -> None:
    row_id = api.create(
        "new_samples",
        {
            "new_moment": "2024-02-29T23:59:58.9+01:00",
            "new_wallclock": "2024-01-02T03:04:05",
            "new_day": "2024-05-06",
            "new_colors": "3, 1",
        },
    )
    row = api.row("new_samples", row_id, "new_moment,new_wallclock,new_day,new_colors")
    assert row["new_moment"] == "2024-02-29T22:59:58Z"
    assert row["new_wallclock"] == "2024-01-02T03:04:05Z"
    assert row["new_day"] == "2024-05-06"
    assert row["new_colors"] == "1,3"
    assert api.refused("PATCH", f"new_samples({row_id})", {"new_colors": "1,77"}) == (400, "0x8004431a")


def test_one_of_many_writers_with_the_same_version_wins(api: Api, account: str) -> None:
    etag = api.row("accounts", account, "name")["@odata.etag"]

    def write(number: int) -> int:
        return api("PATCH", f"accounts({account})", {"name": f"writer {number}"}, **{"If-Match": etag}).status_code

    with ThreadPoolExecutor(8) as pool:
        found = sorted(pool.map(write, range(16)))
    assert found == [204] + [412] * 15


def test_many_upserts_of_one_key_make_one_row(api: Api) -> None:
    def write(number: int) -> int:
        return api("PATCH", "new_samples(new_code='raced')", {"new_name": f"{number}"}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(16))) == {204}
    assert len(api("GET", "new_samples?$filter=new_code eq 'raced'").json()["value"]) == 1


def test_an_owner_may_be_named_by_the_set_of_owners(api: Api, account: str) -> None:
    me = api("GET", "WhoAmI").json()["UserId"]
    assert api("PATCH", f"accounts({account})", {"ownerid@odata.bind": f"/owners({me})"}).status_code == 204
