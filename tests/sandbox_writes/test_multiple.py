"""CreateMultiple and its siblings; BulkDelete."""

from __future__ import annotations

import time
from typing import Any

from .conftest import Api

TYPE = "Microsoft.Dynamics.CRM.account"


def targets(*rows: dict[str, Any], kind: str = TYPE) -> dict[str, Any]:
    return {"Targets": [{"@odata.type": kind, **row} for row in rows]}


def action(api: Api, name: str, body: object, set_name: str = "accounts") -> Any:
    return api("POST", f"{set_name}/Microsoft.Dynamics.CRM.{name}", body)


def test_many_rows_are_created_in_order(api: Api) -> None:
    reply = action(api, "CreateMultiple", targets({"name": "m1"}, {"name": "m2", "revenue": 1}))
    assert reply.status_code == 200
    body = reply.json()
    assert body["@odata.context"] == f"{api.root}$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse"
    assert [api.row("accounts", row_id, "name")["name"] for row_id in body["Ids"]] == ["m1", "m2"]


def test_one_bad_row_and_none_is_created(api: Api, account: str) -> None:
    assert action(api, "CreateMultiple", targets({"name": "none"}, {"name": "none", "nosuch": 1})).status_code == 400
    reply = action(api, "CreateMultiple", targets({"name": "none"}, {"name": "none", "accountid": account}))
    assert reply.status_code == 412
    assert reply.json()["error"] == {"code": "0x80040237", "message": "Cannot insert duplicate key."}
    assert api("GET", "accounts/$count?$filter=name eq 'none'").text.lstrip("\ufeff") == "0"


def test_every_target_needs_its_type(api: Api) -> None:
    for body in ({"Targets": [{"name": "x"}]}, targets({"name": "x"}, kind="Microsoft.Dynamics.CRM.contact")):
        reply = action(api, "CreateMultiple", body)
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "0x80048d19")
    assert action(api, "CreateMultiple", {}).json()["error"]["code"] == "0x80040203"
    hashed = targets({"name": "x"}, kind=f"#{TYPE}")
    assert action(api, "CreateMultiple", hashed).status_code == 200


def test_many_rows_are_updated_or_none(api: Api, account: str, nobody: str) -> None:
    other = api.create("accounts", {"name": "other"})
    body = targets({"accountid": account, "telephone1": "1"}, {"accountid": other, "name": "renamed"})
    assert action(api, "UpdateMultiple", body).status_code == 204
    assert api.row("accounts", account, "telephone1,name")["telephone1"] == "1"
    assert api.row("accounts", other, "name")["name"] == "renamed"
    reply = action(api, "UpdateMultiple", targets({"accountid": account, "telephone1": "2"}, {"accountid": nobody}))
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == f"Account With Ids = {nobody} Do Not Exist"
    assert api.row("accounts", account, "telephone1")["telephone1"] == "1"
    assert action(api, "UpdateMultiple", targets({"telephone1": "2"})).status_code == 400


def test_many_rows_are_created_or_updated(api: Api, nobody: str) -> None:
    kind = "Microsoft.Dynamics.CRM.new_sample"
    body = targets(
        {"@odata.id": "new_samples(new_code='u1')", "new_name": "a"},
        {"new_sampleid": nobody, "new_name": "b"},
        kind=kind,
    )
    for _ in range(2):
        assert action(api, "UpsertMultiple", body, "new_samples").status_code == 204
    assert api("GET", "new_samples(new_code='u1')?$select=new_name").json()["new_name"] == "a"
    assert api.row("new_samples", nobody, "new_name")["new_name"] == "b"
    repeated = targets({"@odata.id": "new_samples(new_code='u1')", "new_code": "u1"}, kind=kind)
    reply = action(api, "UpsertMultiple", repeated, "new_samples")
    assert (reply.status_code, reply.json()["error"]["message"]) == (400, "An unexpected error occurred.")


def test_standard_tables_have_no_delete_multiple(api: Api, account: str) -> None:
    reply = action(api, "DeleteMultiple", targets({"accountid": account}))
    assert reply.status_code == 501
    assert reply.json()["error"]["message"] == "DeleteMultiple has not yet been implemented."


def query(conditions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "QuerySet": [
            {"EntityName": "account", "Criteria": {"FilterOperator": "And", "Conditions": conditions, **more}}
        ],
        "JobName": "clean up",
        "SendEmailNotification": False,
        "ToRecipients": [],
        "CCRecipients": [],
        "RecurrencePattern": "",
        "StartDateTime": "2026-01-01T00:00:00Z",
    }


def finished(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    job = api("POST", "BulkDelete", body).json()["JobId"]
    for _ in range(500):
        row = api.row("asyncoperations", job, "name,operationtype,statecode,statuscode")
        if row["statecode"] == 3:
            return row
        time.sleep(0.01)
    raise AssertionError("the job did not end")


def test_bulk_delete_is_a_job(api: Api) -> None:
    ids = [api.create("accounts", {"name": f"bulk {n}", "numberofemployees": n}) for n in range(4)]
    values = [{"Value": row_id, "Type": "System.Guid"} for row_id in ids[:2]]
    row = finished(api, query([{"AttributeName": "accountid", "Operator": "In", "Values": values}]))
    assert (row["name"], row["operationtype"], row["statuscode"]) == ("clean up", 13, 30)
    assert [api("GET", f"accounts({row_id})").status_code for row_id in ids] == [404, 404, 200, 200]
    conditions: list[dict[str, Any]] = [
        {"AttributeName": "name", "Operator": "Like", "Values": ["bulk%"]},
        {"AttributeName": "numberofemployees", "Operator": "Equal", "Values": [{"Value": "3"}]},
    ]
    finished(api, query(conditions))
    assert [api("GET", f"accounts({row_id})").status_code for row_id in ids[2:]] == [200, 404]


def test_bulk_delete_refuses_what_it_cannot_read(api: Api) -> None:
    assert api.refused("POST", "BulkDelete", {}) == (400, "0x80040203")
    assert api.refused("POST", "BulkDelete", {**query([]), "QuerySet": []}) == (400, "0x80040200")
    assert api.refused("POST", "BulkDelete", query([{"AttributeName": "nosuch", "Operator": "Null"}])) == (
        400,
        "0x80041103",
    )
    assert api.refused("POST", "BulkDelete", {**query([]), "QuerySet": [{"EntityName": "nosuch"}]}) == (
        400,
        "0x80041102",
    )
