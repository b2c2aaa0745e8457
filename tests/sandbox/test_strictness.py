"""What the service refuses and a friendlier server would let pass; each is a request that a client can get wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox.faults import parse_fault

FN = "Microsoft.Dynamics.CRM."

REFUSED = [
    ("accounts?$top=1&$top=2", 400, "0x0", "Query option '$top' was specified more than once"),
    ("accounts?$orderby=name asc,", 400, "0x0", "Expression expected at position 9"),
    ("accounts?$filter=contact_customer_accounts/all()", 400, "0x0", "Expression expected"),
    (
        "accounts?$filter=contact_customer_accounts/any(o:fullname eq 'a')",
        400,
        "0x0",
        "Could not find a property named 'fullname' on type 'Microsoft.Dynamics.CRM.account'.",
    ),
    ("accounts?$filter=contact_customer_accounts/any(o:name eq 'a')", 400, "0x0", "'name'"),
    (
        "accounts?$filter=contact_customer_accounts/any(o:contact_customer_contacts/any(c:c/fullname eq 'a'))",
        400,
        "0x0",
        "'contact_customer_contacts' on type 'Microsoft.Dynamics.CRM.account'",
    ),
    (f"accounts?$filter={FN}In(PropertyName='industrycode',PropertyValues=[1])", 400, "0x0", "collection of strings"),
    (f"accounts?$filter={FN}In(PropertyName='name',PropertyValues=[\"O'Brian\"])", 400, "0x0", "Invalid JSON."),
    (f"accounts?$filter={FN}LastXDays(PropertyName='createdon',PropertyValue='3')", 400, "0x0", "whole number"),
    (f"accounts?$filter={FN}InFiscalYear(PropertyName='createdon',PropertyValue='2020')", 400, "0x0", "whole number"),
    ("accounts?$apply=filter(industrycode eq 1)", 400, "0x80060888", "$apply"),
    ("accounts?$apply=aggregate(revenue with sum as 1t)", 400, "0x0", "Syntax error"),
    ("accounts?$expand=primarycontactid(", 400, "0x0", "Syntax error"),
    ("accounts?$expand=primarycontactid,", 400, "0x0", "Syntax error"),
    ("accounts?$expand=primarycontactid($select=fullname;$select=lastname)", 400, "0x0", "more than once"),
    ("accounts?$expand=accountleads_association,createdby($expand=createdby)", 400, "0x80060888", "cannot be nested"),
    ("accounts/Microsoft.Dynamics.CRM.contact", 404, "0x8006088a", "Microsoft.Dynamics.CRM.contact"),
    ("WhoAmI(a=1)", 404, "0x8006088a", "WhoAmI"),
    ("$metadata/x", 404, "0x8006088a", "Resource not found for the segment 'x'."),
    ("accounts?sql=SELECT TOP 5001 name FROM account", 400, "0x80040203", "TOP"),
    ("accounts?sql=SELECT _primarycontactid_value FROM account", 400, "0x80040203", "Invalid column name"),
    (
        "accounts?fetchXml=<fetch datasource='retained'><entity name='account'>"
        "<attribute name='name'/></entity></fetch>",
        400,
        "0x80097528",
        "retained",
    ),
]


@pytest.mark.parametrize(("path", "status", "code", "text"), REFUSED, ids=[row[0][:60] for row in REFUSED])
def test_refused(client: Any, path: str, status: int, code: str, text: str) -> None:
    found = client.get(path).error
    assert found[:2] == (status, code) and text in found[2]


def test_lambda_variables_reach_inner_rows(client: Any) -> None:
    path = "accounts?$filter=contact_customer_accounts/any(o:o/lastname ne null)&$select=name&$top=1"
    assert len(client.get(path).rows) == 1
    inner = "o/contact_customer_contacts/any(c:c/lastname eq o/lastname or c/lastname eq 'x')"
    assert client.get(f"accounts?$filter=contact_customer_accounts/any(o:{inner})").status in (200, 400)


def test_values_with_apostrophes_come_by_alias(client: Any) -> None:
    path = f"accounts?$filter={FN}In(PropertyName=@a,PropertyValues=@b)&@a='name'&@b=[\"O'Brian\"]"
    assert client.get(path).rows == []


def test_a_single_row_takes_no_options_of_collections(client: Any) -> None:
    row_id = client.get("accounts?$select=name&$top=1").rows[0]["accountid"]
    for option in ("$apply=aggregate($count as n)", "$filter=name eq 'a'", "$top=1", "$orderby=name"):
        assert client.get(f"accounts({row_id})?{option}").error[:2] == (400, "0x80060888")


def test_a_cookie_continues_its_own_table_and_order_only(client: Any) -> None:
    link = client.get("accounts?$select=name", Prefer="odata.maxpagesize=2").json["@odata.nextLink"]
    token = link.partition("$skiptoken=")[2]
    assert client.get(f"accounts?$select=name&$skiptoken={token}").status == 200
    for path in ("contacts?$select=fullname", "accounts?$select=name&$orderby=name"):
        assert client.get(f"{path}&$skiptoken={token}").status == 400


@pytest.mark.parametrize("size", ["0", "-1", "many"])
def test_a_page_size_that_is_none_is_not_said_to_be_applied(client: Any, size: str) -> None:
    assert "preference-applied" not in client.get("accounts?$select=name", Prefer=f"odata.maxpagesize={size}").headers


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_a_body_must_be_called_json(client: Any, kind: str) -> None:
    found = client.send("POST", "accounts", b'{"name":"x"}', Content_Type=kind)
    assert found.status == 415
    named = client.send("POST", "accounts", b'{"name":"x"}', Content_Type="application/json; charset=utf-8")
    assert named.status == 204


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("OData_Version", "4.0", 200),
        ("OData_Version", "3.0", 404),
        ("OData_Version", "4.01", 404),
        ("OData_MaxVersion", "4.01", 200),
        ("OData_MaxVersion", "3.0", 404),
        ("Accept", "application/xml", 415),
        ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8", 200),
        ("Accept", "application/json;odata.metadata=full", 200),
    ],
)
def test_versions_and_formats(client: Any, header: str, value: str, status: int) -> None:
    assert client.get("accounts?$select=name&$top=1", **{header: value}).status == status
    assert client.get("accounts/$count", Accept="text/plain").status == 200


def test_metadata_is_xml_only(client: Any) -> None:
    assert client.get("$metadata", Accept="application/json").status == 415
    assert client.get("$metadata", Accept="application/xml").status == 200
    assert client.get("$metadata").headers["content-type"] == "application/xml"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"name":"a","name":"b"}', "Multiple properties with the name 'name'"),
        ('{"@odata.type":"Microsoft.Dynamics.CRM.contact","name":"x"}', "not assignable to the expected type"),
        ('{"primarycontactid":{"@odata.type":"#Microsoft.Dynamics.CRM.account","lastname":"x"}}', "not assignable"),
    ],
)
def test_bodies_refused(client: Any, body: str, text: str) -> None:
    found = client.send("POST", "accounts", body.encode()).error
    assert found[:2] == (400, "0x80048d19") and text in found[2]


def test_the_key_of_a_row_stays(client: Any) -> None:
    row_id = client.get("accounts?$select=name&$top=1").rows[0]["accountid"]
    assert client.send("DELETE", f"accounts({row_id})/accountid").status == 400
    body = json.dumps({"value": "00000000-0000-0000-0000-0000000000aa"}).encode()
    assert client.send("PUT", f"accounts({row_id})/accountid", body).status == 400
    assert client.get(f"accounts({row_id})?$select=accountid").status == 200


def test_an_action_takes_its_own_parameters_only(client: Any) -> None:
    body = json.dumps({"Targets": [{"@odata.type": f"{FN}account", "name": "a"}], "x": 1}).encode()
    assert "'x'" in client.send("POST", f"accounts/{FN}CreateMultiple", body).error[2]


@pytest.mark.parametrize("text", ["429:#1.5", "429:##3", "429:%0", "429:0+", "429:7", "429:nan", "429:-1", "drop:#3+"])
def test_fault_times_that_mean_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="use a rate"):
        parse_fault(text)


@pytest.mark.parametrize("text", ["429:0.05", "429:.5:3", "drop:1", "drop:0", "401:#3", "500:%3", "html:3+"])
def test_fault_times(text: str) -> None:
    assert parse_fault(text).when == text.split(":")[1]


def test_grouping_alone_is_limited_too(client: Any, sandbox: Any) -> None:
    sandbox.service.aggregate_limit = 10
    try:
        assert client.get("accounts?$apply=groupby((industrycode))").error[:2] == (400, "0x8004E023")
        assert client.get("accounts?$apply=filter(name eq null)/groupby((industrycode))").status == 200
    finally:
        sandbox.service.aggregate_limit = 50_000
