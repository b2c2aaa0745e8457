"""POST on sets: defaults, ids, nested rows, bindings, representations."""

from __future__ import annotations

import re

import pytest

from .conftest import Api


def test_a_create_answers_204_with_the_address_of_the_row(api: Api) -> None:
    reply = api("POST", "accounts", {"name": "A", "revenue": 5000000, "accountcategorycode": 1})
    assert reply.status_code == 204
    assert re.fullmatch(re.escape(api.root) + r"accounts\([0-9a-f-]{36}\)", reply.headers["OData-EntityId"])
    assert reply.headers["OData-Version"] == "4.0"
    assert not reply.content


def test_a_representation_is_201_without_the_address(api: Api) -> None:
    reply = api("POST", "accounts?$select=name", {"name": "A"}, Prefer="return=representation")
    assert reply.status_code == 201
    assert reply.headers["Preference-Applied"] == "return=representation"
    assert "OData-EntityId" not in reply.headers
    body = reply.json()
    assert set(body) == {"@odata.context", "@odata.etag", "name", "accountid"}
    assert body["@odata.context"] == f"{api.root}$metadata#accounts(name)/$entity"


def test_the_service_fills_what_is_not_given(api: Api, account: str) -> None:
    me = api("GET", "WhoAmI").json()
    row = api.row(
        "accounts",
        account,
        "statecode,statuscode,_ownerid_value,_owninguser_value,_owningteam_value,"
        "_owningbusinessunit_value,_createdby_value,createdon,modifiedon,donotemail,versionnumber",
    )
    assert (row["statecode"], row["statuscode"], row["donotemail"]) == (0, 1, False)
    assert row["_ownerid_value"] == row["_owninguser_value"] == row["_createdby_value"] == me["UserId"]
    assert row["_owningteam_value"] is None
    assert row["_owningbusinessunit_value"]
    assert row["createdon"] == row["modifiedon"]
    assert row["@odata.etag"] == f'W/"{row["versionnumber"]}"'


def test_server_made_ids_ascend_in_sql_server_order(api: Api) -> None:
    ids = [api.create("accounts", {"name": f"sequence {number}"}) for number in range(5)]
    rows = api("GET", "accounts?$select=name&$filter=startswith(name,'sequence ')").json()["value"]
    assert [row["accountid"] for row in rows] == ids


def test_a_client_made_id_is_kept_and_refused_twice(api: Api, nobody: str) -> None:
    assert api.create("accounts", {"accountid": nobody, "name": "mine"}) == nobody
    again = api("POST", "accounts", {"accountid": nobody.upper(), "name": "again"})
    assert again.status_code == 412
    assert again.json()["error"] == {
        "code": "0x80040237",
        "message": "A record with matching key values already exists.",
    }


def test_money_has_a_currency_a_rate_and_a_base_amount(api: Api) -> None:
    euro = api("GET", "transactioncurrencies?$filter=isocurrencycode eq 'EUR'").json()["value"][0]
    bind = f"/transactioncurrencies({euro['transactioncurrencyid']})"
    row_id = api.create("accounts", {"name": "€", "revenue": 92, "transactioncurrencyid@odata.bind": bind})
    row = api.row("accounts", row_id, "revenue,revenue_base,exchangerate")
    assert (row["revenue"], row["revenue_base"], row["exchangerate"]) == (92, 100, 0.92)
    assert api("PATCH", f"accounts({row_id})", {"revenue": 46, "revenue_base": 1}).status_code == 204
    assert api.row("accounts", row_id, "revenue_base")["revenue_base"] == 50
    dollars = api.create("accounts", {"name": "$", "revenue": 1})
    assert api.row("accounts", dollars, "revenue")["_transactioncurrencyid_value"]


def test_numbers_are_rounded_and_empty_text_is_null(api: Api) -> None:
    row_id = api.create(
        "new_samples", {"new_name": "", "new_ratio": 1.23456, "new_score": 47.639583, "new_amount": "2.5"}
    )
    text = api("GET", f"new_samples({row_id})?$select=new_name,new_ratio,new_score,new_amount").text
    assert '"new_name":null' in text
    assert '"new_ratio":1.2346000000' in text
    assert '"new_score":47.63958' in text
    assert '"new_amount":2.5000' in text


def test_an_automatic_number_follows_its_format(api: Api) -> None:
    assert (
        api(
            "POST", "SetAutoNumberSeed", {"EntityName": "new_sample", "AttributeName": "new_number", "Value": 70000}
        ).status_code
        == 204
    )
    numbers = [
        api.row("new_samples", api.create("new_samples", {"new_name": "n"}), "new_number")["new_number"]
        for _ in range(2)
    ]
    assert re.fullmatch(r"SAM-70000-[A-Z2-9]{4}", numbers[0])
    assert numbers[1].startswith("SAM-70001-")


def test_read_only_columns_are_passed_over(api: Api) -> None:
    row_id = api.create(
        "accounts",
        {
            "name": "A",
            "createdon": "2001-01-01T00:00:00Z",
            "versionnumber": 1,
            "_primarycontactid_value": "00000000-0000-0000-0000-000000000001",
        },
    )
    row = api.row("accounts", row_id, "createdon,versionnumber,_primarycontactid_value")
    assert row["createdon"] > "2020"
    assert row["versionnumber"] > 1
    assert row["_primarycontactid_value"] is None


def test_a_row_can_be_dated_back(api: Api) -> None:
    row_id = api.create("accounts", {"name": "old", "overriddencreatedon": "2001-02-03T04:05:06.789Z"})
    assert api.row("accounts", row_id, "createdon")["createdon"] == "2001-02-03T04:05:06Z"


def test_composed_texts(api: Api) -> None:
    row_id = api.create(
        "contacts", {"firstname": "Ada", "lastname": "Byron", "fullname": "ignored", "address1_city": "Bath"}
    )
    row = api.row("contacts", row_id, "fullname,address1_city,address1_composite")
    assert (row["fullname"], row["address1_composite"]) == ("Ada Byron", "Bath")
    api("PATCH", f"contacts({row_id})", {"lastname": "Lovelace"})
    assert api.row("contacts", row_id, "fullname")["fullname"] == "Ada Lovelace"


def test_deep_insert_of_any_depth(api: Api) -> None:
    reply = api(
        "POST",
        "accounts?$select=name&$expand=primarycontactid($select=fullname)",
        {
            "name": "Coffee",
            "primarycontactid": {
                "firstname": "Susie",
                "lastname": "Curtis",
                "Contact_Tasks": [{"subject": "Sign invoice"}, {"subject": "Set up display"}],
            },
            "contact_customer_accounts": [{"lastname": "Child"}],
        },
        Prefer="return=representation",
    )
    assert reply.status_code == 201
    contact = reply.json()["primarycontactid"]
    assert contact["fullname"] == "Susie Curtis"
    tasks = api("GET", f"contacts({contact['contactid']})/Contact_Tasks?$select=subject&$orderby=subject").json()[
        "value"
    ]
    assert [task["subject"] for task in tasks] == ["Set up display", "Sign invoice"]
    children = api("GET", f"accounts({reply.json()['accountid']})/contact_customer_accounts?$select=lastname").json()
    assert [child["lastname"] for child in children["value"]] == ["Child"]


def test_a_failed_nested_row_leaves_nothing(api: Api) -> None:
    reply = api(
        "POST",
        "accounts",
        {"name": "Rolled back", "primarycontactid": {"lastname": "Gone", "Contact_Tasks": [{"subject": "x" * 201}]}},
    )
    assert reply.status_code == 400
    assert api("GET", "accounts/$count?$filter=name eq 'Rolled back'").text.lstrip("\ufeff") == "0"
    assert api("GET", "contacts/$count?$filter=lastname eq 'Gone'").text.lstrip("\ufeff") == "0"


@pytest.mark.parametrize(
    "form",
    ["/contacts({0})", "contacts({0})", "{1}contacts({0})", "/api/data/v9.2/contacts({0})", "/contacts(contactid={0})"],
)
def test_every_form_of_an_address_binds(api: Api, form: str) -> None:
    contact = api.create("contacts", {"lastname": "Bound"})
    row_id = api.create("accounts", {"name": "A", "primarycontactid@odata.bind": form.format(contact, api.root)})
    assert api.row("accounts", row_id, "_primarycontactid_value")["_primarycontactid_value"] == contact


def test_binding_by_alternate_key(api: Api) -> None:
    parent = api.create("new_samples", {"new_name": "p", "new_code": "it's/1"})
    row_id = api.create("new_samples", {"new_name": "c", "new_ParentId@odata.bind": "/new_samples(new_code='it''s/1')"})
    assert api.row("new_samples", row_id, "_new_parentid_value")["_new_parentid_value"] == parent


def test_polymorphic_lookups_know_their_table(api: Api, account: str) -> None:
    contact = api.create("contacts", {"lastname": "Customer"})
    row_id = api.create("opportunities", {"name": "O", "customerid_account@odata.bind": f"/accounts({account})"})
    annotated = {"Prefer": 'odata.include-annotations="*"'}
    row = api.row("opportunities", row_id, "_customerid_value", **annotated)
    assert row["_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
    api("PATCH", f"opportunities({row_id})", {"customerid_contact@odata.bind": f"/contacts({contact})"})
    row = api.row("opportunities", row_id, "_customerid_value", **annotated)
    assert row["_customerid_value"] == contact
    assert row["_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"


def test_an_owner_is_a_user_or_a_team(api: Api, account: str) -> None:
    team = api("GET", "teams?$top=1").json()["value"][0]["teamid"]
    assert api("PATCH", f"accounts({account})", {"ownerid@odata.bind": f"/teams({team})"}).status_code == 204
    row = api.row("accounts", account, "_ownerid_value,_owningteam_value,_owninguser_value")
    assert (row["_ownerid_value"], row["_owningteam_value"], row["_owninguser_value"]) == (team, team, None)


def test_collections_bind_on_create(api: Api) -> None:
    task = api.create("tasks", {"subject": "t"})
    row_id = api.create("accounts", {"name": "A", "Account_Tasks@odata.bind": [f"/tasks({task})"]})
    assert api.row("tasks", task, "_regardingobjectid_value")["_regardingobjectid_value"] == row_id


def test_activities_are_seen_in_both_sets(api: Api, account: str) -> None:
    row_id = api.create(
        "tasks", {"subject": "both", "regardingobjectid_account_task@odata.bind": f"/accounts({account})"}
    )
    pointer = api.row("activitypointers", row_id, "subject,activitytypecode")
    assert (pointer["subject"], pointer["activitytypecode"]) == ("both", "task")
    assert api.refused("POST", "activitypointers", {"subject": "x"}) == (400, "0x80040800")
    assert api("DELETE", f"activitypointers({row_id})").status_code == 204
    assert api("GET", f"tasks({row_id})").status_code == 404


def test_activity_parties(api: Api, account: str) -> None:
    contact = api.create("contacts", {"lastname": "Party"})
    row_id = api.create(
        "emails",
        {
            "subject": "m",
            "email_activity_parties": [
                {"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 2}
            ],
        },
    )
    parties = f"emails({row_id})/email_activity_parties"
    assert (
        api(
            "PUT",
            parties,
            {
                "value": [
                    {"partyid_account@odata.bind": f"/accounts({account})", "participationtypemask": 1},
                    {"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 2},
                ]
            },
        ).status_code
        == 204
    )
    found = api("GET", f"{parties}?$select=participationtypemask,_partyid_value").json()["value"]
    assert sorted((party["participationtypemask"], party["_partyid_value"]) for party in found) == [
        (1, account),
        (2, contact),
    ]


def test_impersonation_is_recorded(api: Api) -> None:
    users = api("GET", "systemusers?$select=fullname&$top=5").json()["value"]
    me = api("GET", "WhoAmI").json()["UserId"]
    other = next(user["systemuserid"] for user in users if user["systemuserid"] != me)
    reply = api(
        "POST",
        "accounts?$select=_createdby_value,_createdonbehalfby_value,_ownerid_value",
        {"name": "A"},
        MSCRMCallerID=other,
        Prefer="return=representation",
    ).json()
    assert (reply["_createdby_value"], reply["_createdonbehalfby_value"], reply["_ownerid_value"]) == (other, me, other)
    assert api("GET", "WhoAmI", MSCRMCallerID=other).json()["UserId"] == other
    nobody = "00000000-0000-0000-0000-00000000dead"
    assert api.refused("POST", "accounts", {"name": "A"}, CallerObjectId=nobody) == (403, "0x80072560")


def test_duplicate_detection_only_when_asked(api: Api) -> None:
    body = {"firstname": "Monte", "lastname": "Orton"}
    api.create("contacts", body)
    api.create("contacts", body)
    headers = {"MSCRM.SuppressDuplicateDetection": "false"}
    assert api.refused("POST", "contacts", body, **headers) == (412, "0x80040333")
