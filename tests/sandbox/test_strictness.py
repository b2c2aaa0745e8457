"""Where a friendlier server would let pass what the service does not; each is a request that a client can get wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox.faults import parse_fault

FN = "Microsoft.Dynamics.CRM."


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
