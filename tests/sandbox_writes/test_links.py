"""`$ref` on lookups and collections, and what a DELETE does to the rows around."""

from __future__ import annotations

import pytest

from .conftest import Api


def test_a_lookup_is_replaced_and_cleared(api: Api, account: str) -> None:
    contact = api.create("contacts", {"lastname": "Ref"})
    url = f"accounts({account})/primarycontactid/$ref"
    assert api("PUT", url, {"@odata.id": f"{api.root}contacts({contact})"}).status_code == 204
    assert api("GET", url).json()["@odata.id"] == f"{api.root}contacts({contact})"
    assert api("DELETE", url).status_code == 204
    assert api.row("accounts", account, "_primarycontactid_value")["_primarycontactid_value"] is None
    assert api("POST", url, {"@odata.id": f"contacts({contact})"}).status_code == 405
    assert api.refused("PUT", url, {"id": "x"})[0] == 400


def test_a_polymorphic_lookup_is_replaced(api: Api, account: str) -> None:
    opportunity = api.create("opportunities", {"name": "O"})
    url = f"opportunities({opportunity})/customerid_account/$ref"
    assert api("PUT", url, {"@odata.id": f"accounts({account})"}).status_code == 204
    assert api("GET", f"opportunities({opportunity})/customerid_account?$select=name").json()["name"] == "Writer"


@pytest.mark.parametrize(
    "removal",
    [
        "{parent}/opportunity_customer_accounts({child})/$ref",
        "{parent}/opportunity_customer_accounts/$ref?$id={root}opportunities({child})",
    ],
)
def test_one_to_many_links(api: Api, account: str, removal: str) -> None:
    child = api.create("opportunities", {"name": "O"})
    parent = f"accounts({account})"
    reply = api(
        "POST", f"{parent}/opportunity_customer_accounts/$ref", {"@odata.id": f"{api.root}opportunities({child})"}
    )
    assert reply.status_code == 204
    assert api.row("opportunities", child, "_customerid_value")["_customerid_value"] == account
    assert api("DELETE", removal.format(parent=parent, child=child, root=api.root)).status_code == 204
    assert api.row("opportunities", child, "_customerid_value")["_customerid_value"] is None


def test_many_to_many_links(api: Api) -> None:
    opportunity = api.create("opportunities", {"name": "O"})
    competitor = api.create("competitors", {"name": "Rival"})
    links = f"opportunities({opportunity})/opportunitycompetitors_association"
    body = {"@odata.id": f"competitors({competitor})"}
    assert api("POST", f"{links}/$ref", body).status_code == 204
    assert api.refused("POST", f"{links}/$ref", body) == (412, "0x80040237")
    assert [row["name"] for row in api("GET", links).json()["value"]] == ["Rival"]
    back = f"competitors({competitor})/opportunitycompetitors_association"
    assert [row["name"] for row in api("GET", back).json()["value"]] == ["O"]
    assert api("DELETE", f"{back}({opportunity})/$ref").status_code == 204
    assert api("GET", links).json()["value"] == []
    assert api.refused("POST", f"{links}/$ref", {"@odata.id": f"opportunities({opportunity})"})[0] == 400
    assert api.refused("POST", "opportunitycompetitorscollection", {})[0] == 400


def test_a_post_to_a_collection_links_the_new_row(api: Api, account: str) -> None:
    reply = api("POST", f"accounts({account})/contact_customer_accounts", {"lastname": "Linked"})
    assert reply.status_code == 204
    found = api("GET", f"accounts({account})/contact_customer_accounts?$select=lastname").json()["value"]
    assert [row["lastname"] for row in found] == ["Linked"]


def test_a_delete_takes_along_clears_or_is_refused(api: Api, account: str) -> None:
    child = api.create("accounts", {"name": "child", "parentaccountid@odata.bind": f"/accounts({account})"})
    note = api.create("annotations", {"subject": "n", "objectid_account@odata.bind": f"/accounts({account})"})
    task = api.create("tasks", {"subject": "t", "regardingobjectid_account_task@odata.bind": f"/accounts({account})"})
    before = api.row("accounts", child, "versionnumber")["versionnumber"]
    assert api("DELETE", f"accounts({account})").status_code == 204
    after = api.row("accounts", child, "_parentaccountid_value,versionnumber")
    assert after["_parentaccountid_value"] is None
    assert after["versionnumber"] > before
    assert api("GET", f"annotations({note})").status_code == 404
    assert api("GET", f"tasks({task})").status_code == 404
    currency = api("GET", "transactioncurrencies?$filter=isocurrencycode eq 'USD'").json()["value"][0]
    assert api.refused("DELETE", f"transactioncurrencies({currency['transactioncurrencyid']})") == (405, "0x80040227")


def test_a_refused_delete_leaves_everything(api: Api) -> None:
    team = api.create("teams", {"name": "Owners"})
    owned = api.create("accounts", {"name": "owned", "ownerid@odata.bind": f"/teams({team})"})
    assert api.refused("DELETE", f"teams({team})") == (405, "0x80040227")
    assert api.row("accounts", owned, "_ownerid_value")["_ownerid_value"] == team
    assert api("DELETE", f"accounts({owned})").status_code == 204
    assert api("DELETE", f"teams({team})").status_code == 204


def test_rows_that_point_at_each_other_can_be_deleted(api: Api) -> None:
    first = api.create("new_samples", {"new_name": "1"})
    second = api.create("new_samples", {"new_name": "2", "new_ParentId@odata.bind": f"/new_samples({first})"})
    api("PATCH", f"new_samples({first})", {"new_ParentId@odata.bind": f"/new_samples({second})"})
    assert api("DELETE", f"new_samples({first})").status_code == 204
    assert api.row("new_samples", second, "_new_parentid_value")["_new_parentid_value"] is None
