"""What the real service refuses, with its status, code and text where the reference has it verified."""
# ruff: noqa: E501 - URLs read best on one line

from __future__ import annotations

from typing import Any

import pytest

NO_PROPERTY = "Could not find a property named '{}' on type 'Microsoft.Dynamics.CRM.account'."
FN = "Microsoft.Dynamics.CRM."
REFUSALS = [
    ("accounts?$skip=10", 400, "0x80060888", "Skip Clause is not supported in CRM"),
    ("accounts?$search=x", 400, "0x80060888", "$search"),
    ("accounts?$format=json", 400, "0x80060888", "$format"),
    ("accounts?$compute=a", 400, "0x80060888", "$compute"),
    ("accounts?$Select=name", 400, "0x80060888", "$Select"),
    ("Accounts", 404, "0x8006088a", "Resource not found for the segment 'Accounts'."),
    ("account", 404, "0x8006088a", "Resource not found for the segment 'account'."),
    ("nothing", 404, "0x8006088a", "Resource not found for the segment 'nothing'."),
    ("accounts?$select=Name", 400, "0x0", NO_PROPERTY.format("Name")),
    ("accounts?$select=primarycontactidname", 400, "0x0", NO_PROPERTY.format("primarycontactidname")),
    ("accounts?$filter=nope eq 1", 400, "0x0", NO_PROPERTY.format("nope")),
    ("accounts?$orderby=nope", 400, "0x0", NO_PROPERTY.format("nope")),
    ("accounts?$expand=PrimaryContactId", 400, "0x0", NO_PROPERTY.format("PrimaryContactId")),
    ("accounts?$filter=name in ('a','b')", 501, "0x80040216", "The method or operation is not implemented."),
    ("accounts?$filter=numberofemployees add 1 eq 2", 400, "0x8006088a", "add"),
    ("accounts?$filter=-numberofemployees eq 2", 400, "0x8006088a", "-"),
    ("accounts?$filter=length(name) eq 3", 400, "0x8006088a", "length"),
    ("accounts?$filter=tolower(name) eq 'a'", 400, "0x8006088a", "tolower"),
    ("accounts?$filter=year(createdon) eq 2025", 400, "0x8006088a", "year"),
    ("accounts?$filter=now() gt createdon", 400, "0x8006088a", "now"),
    ("accounts?$filter=madeup(name) eq 'a'", 400, "0x0", "An unknown function with name 'madeup' was found."),
    ("accounts?$filter=name eq 'a", 400, "0x0", "There is an unterminated literal at position"),
    ("accounts?$filter=name eq", 400, "0x0", "position"),
    ("accounts?$filter=statecode eq 'Active'", 400, "0x0", "'Edm.Int32' and 'Edm.String' for operator kind 'Equal'."),
    ("accounts?$filter=name eq 5", 400, "0x0", "'Edm.String' and 'Edm.Int32'"),
    ("accounts?$filter=followemail eq 1", 400, "0x0", "'Edm.Boolean' and 'Edm.Int32'"),
    (
        "accounts?$filter=primarycontactid eq 5f3e0f0c-0000-0000-0000-000000000001",
        400,
        "0x0",
        "Found operand types 'Microsoft.Dynamics.CRM.contact' and 'Edm.Guid' for operator kind 'Equal'.",
    ),
    (
        "accounts?$filter=contains(revenue,'1')",
        400,
        "0x0",
        "No function signature for the function with name 'contains'",
    ),
    (
        f"accounts?$filter=not {FN}In(PropertyName='name',PropertyValues=[\"a\"])",
        400,
        "0x80060888",
        "Not operator along with the Custom Named Condition operators is not allowed",
    ),
    (f"accounts?$filter={FN}Nope(PropertyName='name')", 400, "0x0", "An unknown function"),
    (f"accounts?$filter={FN}In(PropertyName='nope',PropertyValues=[\"a\"])", 400, "0x0", NO_PROPERTY.format("nope")),
    (
        f"accounts?$filter={FN}In(PropertyName='primarycontactid/fullname',PropertyValues=[\"a\"])",
        400,
        "0x80060888",
        "column",
    ),
    (f"accounts?$filter={FN}In(PropertyName='name',PropertyValues=['a','O'Brien'])", 400, "0x0", ""),
    (f"accounts?$filter={FN}LastXDays(PropertyName='name',PropertyValue=7)", 400, "0x80040203", "no date"),
    (f"opportunities?$filter={FN}LastXHours(PropertyName='estimatedclosedate',PropertyValue=7)", 400, "0x80040203", ""),
    ("accounts?$filter=primarycontactid/contact_customer_contacts/any()", 400, "0x80060888", "lookup"),
    ("accounts?$orderby=length(name)", 400, "0x8006088a", "length"),
    ("new_samples?$orderby=new_colors", 400, "0x80060888", "sorted"),
    ("accounts?$top=-1", 400, "0x0", "$top"),
    ("accounts?$count=yes", 400, "0x0", "$count"),
    ("accounts?$apply=groupby((createdon))", 400, "0x80060888", "date"),
    (
        "accounts?$apply=groupby((industrycode),aggregate($count as n))&$orderby=n",
        400,
        "0x80060888",
        "The query node SingleValueOpenPropertyAccess is not supported",
    ),
    ("accounts?$apply=groupby((industrycode),aggregate($count as n))&$top=3", 400, "0x80060888", "$top"),
    ("accounts?$apply=aggregate(name with countdistinct as n)", 400, "0x80060888", "countdistinct"),
    (
        "accounts?$apply=aggregate(statecode with sum as n)",
        400,
        "0x8004112f",
        "is not supported for attribute of type State.",
    ),
    ("accounts?$apply=aggregate($count as n,$count as n)", 400, "0x80041130", ""),
    (
        "accounts?$expand=contact_customer_accounts/$ref",
        400,
        "0x80060888",
        "Expand with $ref is only supported on lookup type navigation property.",
    ),
    (
        "accounts?$expand=primarycontactid($top=1)",
        400,
        "0x80060888",
        "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested "
        "one-to-many relationship.",
    ),
    (
        "accounts?$expand=primarycontactid($expand=contact_customer_contacts($orderby=fullname))",
        400,
        "0x80060888",
        "Only $select and $filter clause can be provided",
    ),
    ("accounts?$expand=contact_customer_accounts($skip=1)", 400, "0x80060888", "$skip"),
    ("accounts?$expand=contact_customer_accounts($count=true)", 400, "0x80060888", "$count"),
    ("accounts?$expand=accountleads_association($expand=createdby)", 400, "0x80060888", "many-to-many"),
    (
        "accounts(00000000-0000-0000-0000-000000000001)",
        404,
        "0x80040217",
        "account With Id = 00000000-0000-0000-0000-000000000001 Does Not Exist",
    ),
    ("accounts(00000000-0000-0000-000000000001)", 400, "0x80060888", "Error in query syntax."),
    (
        "accounts(name='x')",
        400,
        "0x0",
        "The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.account'. Ensure that the names and number",
    ),
    ("accounts(00000000-0000-0000-0000-000000000001)/contact_customer_accounts", 404, "0x80040217", "Does Not Exist"),
    ("accounts/name", 404, "0x8006088a", "Resource not found for the segment 'name'."),
    ("accounts?$skiptoken=rubbish", 400, "0x80060888", "$skiptoken"),
    (
        "accounts?$deltatoken=1!01/01/2019 00:00:00",
        400,
        "0x80044352",
        "Version stamp associated with the client has expired.",
    ),
    ("accounts/Microsoft.Dynamics.CRM.Nope", 404, "0x8006088a", "Nope"),
    ("Nope()", 404, "0x8006088a", "Nope"),
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


@pytest.mark.parametrize(("path", "status", "code", "text"), REFUSALS, ids=[case[0][:70] for case in REFUSALS])
def test_refusal(client: Any, path: str, status: int, code: str, text: str) -> None:
    found = client.get(path).error
    assert found[:2] == (status, code)
    assert text in found[2]


def test_sixteen_expands_are_too_many(client: Any) -> None:
    names = [
        "primarycontactid",
        "createdby",
        "modifiedby",
        "owninguser",
        "owningteam",
        "owningbusinessunit",
        "transactioncurrencyid",
        "territoryid",
        "parentaccountid",
        "defaultpricelevelid",
        "preferredsystemuserid",
        "originatingleadid",
        "createdonbehalfby",
        "modifiedonbehalfby",
        "ownerid",
        "contact_customer_accounts",
    ]
    fifteen = ",".join(
        f"{name}($select={'ownerid' if name == 'ownerid' else ''})".replace("($select=)", "") for name in names[:15]
    )
    assert client.get(f"accounts?$select=name&$top=1&$expand={fifteen}").status == 200
    assert client.get(f"accounts?$select=name&$top=1&$expand={fifteen},{names[15]}").error[:2] == (400, "0x8004430D")


def test_url_longer_than_32_kb(client: Any) -> None:
    chain = " or ".join(f"numberofemployees eq {number}" for number in range(1400))
    assert client.get(f"accounts?$select=name&$filter={chain}").status == 414


def test_aggregate_over_too_many_rows(client: Any, sandbox: Any) -> None:
    sandbox.service.aggregate_limit = 299
    try:
        assert client.get("accounts?$apply=aggregate($count as n)").error == (
            400,
            "0x8004E023",
            "The maximum record limit is exceeded. Reduce the number of records.",
        )
        few = "accounts?$apply=filter(industrycode eq 3)/aggregate($count as n)"
        assert client.get(few).status == 200
    finally:
        sandbox.service.aggregate_limit = 50_000


def test_change_tracking_refuses_other_options(client: Any) -> None:
    for name, option in (
        ("filter", "$filter=statecode eq 0"),
        ("orderby", "$orderby=name"),
        ("top", "$top=1"),
        ("expand", "$expand=createdby"),
    ):
        found = client.get(f"accounts?$select=name&{option}", Prefer="odata.track-changes").error
        assert found[2] == f'The "${name}" query parameter isn\'t supported when Change Tracking is enabled.'


def test_wrong_method_is_405(client: Any) -> None:
    assert client.send("PUT", "$metadata").status == 405


def test_error_annotations_on_request(client: Any) -> None:
    found = client.get("accounts?$skip=1", Prefer='odata.include-annotations="*"').json["error"]
    assert found["@Microsoft.PowerApps.CDS.InnerError.Message"] == found["message"]
    assert "@Microsoft.PowerApps.CDS.HelpLink" in found
