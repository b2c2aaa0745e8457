"""Sets, rows, properties, references, paging, headers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest


def test_select_returns_the_columns_the_key_and_the_currency(client: Any) -> None:
    row = client.get("accounts?$select=name,revenue&$top=1").rows[0]
    assert list(row) == ["@odata.etag", "name", "revenue", "_transactioncurrencyid_value", "accountid"]
    assert row["@odata.etag"].startswith('W/"')


def test_context_shows_what_was_selected(client: Any) -> None:
    answer = client.get("accounts?$select=name,_primarycontactid_value&$top=1")
    assert answer.json["@odata.context"] == f"{client.root}$metadata#accounts(name,_primarycontactid_value)"
    assert client.get("accounts?$top=1").json["@odata.context"].endswith("$metadata#accounts")


def test_without_select_every_property_comes_with_nulls(client: Any) -> None:
    row = client.get("accounts?$top=1").rows[0]
    assert len(row) > 60 and None in row.values() and "_ownerid_value" in row


def test_money_has_four_places_and_decimals_ten(client: Any) -> None:

    body = client.get("new_samples?$select=new_exact,new_amount&$filter=new_exact ne null and new_amount ne null").body
    for row in json.loads(body, parse_float=Decimal)["value"]:
        assert row["new_amount"].as_tuple().exponent == -4
        assert row["new_exact"].as_tuple().exponent == -10


def test_server_side_paging_gives_each_row_once(client: Any) -> None:
    whole = client.every("accounts?$select=name")
    paged = client.every("accounts?$select=name", Prefer="odata.maxpagesize=70")
    assert len(whole) == 300
    assert [r["accountid"] for r in paged] == [r["accountid"] for r in whole]


@pytest.mark.parametrize(
    "order",
    [
        "name",
        "name desc",
        "revenue",
        "revenue desc,name",
        "createdon desc",
        "_primarycontactid_value",
        "_ownerid_value desc",
        "accountid desc",
        "industrycode,statecode desc",
        "primarycontactid/fullname",
        "followemail",
    ],
)
def test_paging_under_every_order_loses_and_doubles_nothing(client: Any, order: str) -> None:
    path = f"accounts?$select=name&$orderby={order}"
    whole = [row["accountid"] for row in client.get(path).rows]
    paged = [row["accountid"] for row in client.every(path, Prefer="odata.maxpagesize=37")]
    assert paged == whole and len(set(paged)) == 300


def test_the_next_link_is_the_documented_cookie(client: Any) -> None:
    link = client.get("accounts?$select=name", Prefer="odata.maxpagesize=5").json["@odata.nextLink"]
    token = link.split("$skiptoken=")[1]
    assert token.startswith(
        "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e%253caccountid"
        "%2520last%253d%2522%257b"
    )
    assert token.endswith("%253c%252fcookie%253e%22%20istracking=%22False%22%20/%3E")
    inner = unquote(unquote(token)).split('pagingcookie="')[1]
    assert inner.startswith('<cookie page="1"><accountid last="{')


def test_default_order_is_the_order_of_guids_in_sql_server(client: Any) -> None:
    ids = [row["accountid"] for row in client.get("accounts?$select=name").rows]
    assert ids == sorted(ids, key=lambda i: (i[24:], i[19:23], i[16:18] + i[14:16]))
    assert ids != sorted(ids)


def test_nulls_come_first_ascending_and_last_descending(client: Any) -> None:
    up = [row["revenue"] for row in client.get("accounts?$select=revenue&$orderby=revenue").rows]
    down = [row["revenue"] for row in client.get("accounts?$select=revenue&$orderby=revenue desc").rows]
    nulls = up.count(None)
    assert nulls and up[:nulls] == [None] * nulls and down[-nulls:] == [None] * nulls
    assert up[nulls:] == sorted(up[nulls:])


def test_lookups_sort_by_the_name_of_the_related_row(client: Any) -> None:
    prefer = 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'
    rows = client.get(
        "accounts?$select=name&$expand=primarycontactid($select=lastname)&$orderby=_primarycontactid_value",
        Prefer=prefer,
    ).rows
    contacts = [row["primarycontactid"] for row in rows]
    assert contacts[0] is None and contacts[-1] is not None
    assert sum(contact is None for contact in contacts) == next(i for i, c in enumerate(contacts) if c)


def test_top_gives_no_next_link_and_loses_to_maxpagesize(client: Any) -> None:
    answer = client.get("accounts?$select=name&$top=3")
    assert len(answer.rows) == 3 and "@odata.nextLink" not in answer.json
    both = client.get("accounts?$select=name&$top=3", Prefer="odata.maxpagesize=10")
    assert len(both.rows) == 10 and "@odata.nextLink" in both.json
    assert both.headers["preference-applied"] == "odata.maxpagesize=10"


def test_single_row_has_etag_and_304(client: Any) -> None:
    row_id = client.get("accounts?$select=name&$top=1").rows[0]["accountid"]
    answer = client.get(f"accounts({row_id})?$select=name")
    assert answer.json["@odata.context"].endswith("#accounts(name)/$entity")
    assert answer.headers["etag"] == answer.json["@odata.etag"]
    assert client.get(f"accounts({row_id})?$select=name", If_None_Match=answer.headers["etag"]).status == 304
    assert client.get(f"accounts({row_id})?$select=name", If_None_Match="null").status == 200
    annotated = client.get(
        f"accounts({row_id})?$select=name", If_None_Match=answer.headers["etag"], Prefer='odata.include-annotations="*"'
    )
    assert annotated.status == 200


def test_property_value_and_navigation_paths(client: Any) -> None:
    row = client.get(
        "accounts?$select=name,_primarycontactid_value&$filter=_primarycontactid_value ne null&$top=1"
    ).rows[0]
    base = f"accounts({row['accountid']})"
    assert client.get(f"{base}/name").json == {
        "@odata.context": f"{client.root}$metadata#{base}/name",
        "value": row["name"],
    }
    assert client.get(f"{base}/name/$value").body.decode() == row["name"]
    contact = client.get(f"{base}/primarycontactid?$select=fullname").json
    assert contact["contactid"] == row["_primarycontactid_value"]
    assert client.get(f"{base}/primarycontactid/fullname").json["value"] == contact["fullname"]
    assert (
        client.get(f"{base}/primarycontactid/$ref").json["@odata.id"]
        == f"{client.root}contacts({contact['contactid']})"
    )


def test_collection_navigation_equals_a_filter(client: Any) -> None:
    owner = client.get("accounts?$select=_owninguser_value&$filter=_owninguser_value ne null&$top=1").rows[0][
        "_owninguser_value"
    ]
    by_path = client.get(f"systemusers({owner})/user_accounts?$select=name").rows
    by_filter = client.get(f"accounts?$select=name&$filter=_owninguser_value eq {owner}").rows
    assert by_path == by_filter and by_path
    links = client.get(f"systemusers({owner})/user_accounts/$ref").json
    assert links["@odata.context"].endswith("$metadata#Collection($ref)")
    assert [link["@odata.id"].split("(")[1][:-1] for link in links["value"]] == [row["accountid"] for row in by_path]
    counted = client.get(f"systemusers({owner})/user_accounts/$count").body.decode("utf-8-sig")
    assert int(counted) == len(by_path)


def test_empty_lookup_and_empty_property_are_204(client: Any) -> None:
    row_id = client.get("accounts?$select=name&$filter=_primarycontactid_value eq null&$top=1").rows[0]["accountid"]
    assert client.get(f"accounts({row_id})/primarycontactid").status == 204
    assert client.get(f"accounts({row_id})/_primarycontactid_value").status == 204


def test_alternate_key_addresses_a_row(client: Any) -> None:
    code = client.get("new_samples?$select=new_code&$filter=new_code ne null&$top=1").rows[0]
    found = client.get(f"new_samples(new_code='{code['new_code']}')?$select=new_code").json
    assert found["new_sampleid"] == code["new_sampleid"]
    assert client.get("new_samples(new_code='nothing')").error == (
        404,
        "0x80060891",
        "A record with the specified key values does not exist in new_sample entity",
    )


def test_explicit_primary_key_works_but_for_principals(client: Any) -> None:
    row_id = client.get("accounts?$select=name&$top=1").rows[0]["accountid"]
    assert client.get(f"accounts(accountid={row_id})?$select=name").status == 200
    user = client.get("systemusers?$select=fullname&$top=1").rows[0]
    assert user["ownerid"] == user["systemuserid"]
    assert client.get(f"systemusers(systemuserid={user['systemuserid']})").status == 400
    assert client.get(f"systemusers(ownerid={user['ownerid']})?$select=fullname").status == 200


def test_all_activities_are_listed_by_their_base(client: Any) -> None:
    kinds = ("task", "email", "phonecall", "appointment")
    total = sum(int(client.get(f"{name}s/$count").body.decode("utf-8-sig")) for name in kinds)
    assert int(client.get("activitypointers/$count").body.decode("utf-8-sig")) == total
    rows = client.get("activitypointers?$select=subject,activitytypecode&$top=5").rows
    for row in rows:
        assert row["@odata.type"] == f"#Microsoft.Dynamics.CRM.{row['activitytypecode']}"


def test_owner_is_a_principal(client: Any) -> None:
    rows = client.get("accounts?$select=name,_ownerid_value&$expand=ownerid&$top=40").rows
    kinds = {row["ownerid"]["@odata.type"] for row in rows}
    assert kinds == {"#Microsoft.Dynamics.CRM.systemuser", "#Microsoft.Dynamics.CRM.team"}
    assert all(row["ownerid"]["ownerid"] == row["_ownerid_value"] for row in rows)


def test_count_is_capped_and_says_so(client: Any, sandbox: Any) -> None:
    prefer = 'odata.include-annotations="*"'
    plain = client.get("accounts?$select=name&$top=1", Prefer=prefer).json
    assert plain["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1
    sandbox.service.count_limit = 100
    try:
        capped = client.get("accounts?$select=name&$top=1&$count=true", Prefer=prefer).json
        assert capped["@odata.count"] == 100
        assert capped["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is True
        assert client.get("accounts/$count").body == b"\xef\xbb\xbf100"
    finally:
        sandbox.service.count_limit = 5000
    assert client.get("accounts?$select=accountnumber&$top=1&$count=true").json["@odata.count"] == 300


def test_formatted_values_and_lookup_annotations_precede_their_property(client: Any) -> None:
    row = client.get(
        "accounts?$select=revenue,industrycode,_primarycontactid_value,_ownerid_value,createdon&$top=1"
        "&$filter=revenue ne null and industrycode ne null and _primarycontactid_value ne null",
        Prefer='odata.include-annotations="*"',
    ).rows[0]
    names = list(row)
    formatted = "OData.Community.Display.V1.FormattedValue"
    for name in ("revenue", "industrycode", "_primarycontactid_value", "createdon"):
        assert names.index(f"{name}@{formatted}") < names.index(name)
        assert isinstance(row[f"{name}@{formatted}"], str)
    assert row["_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    assert row["_primarycontactid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "primarycontactid"
    assert row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] in ("systemuser", "team")


def test_only_the_annotations_asked_for(client: Any) -> None:
    prefer = 'odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"'
    row = client.get("accounts?$select=_ownerid_value,statecode&$top=1", Prefer=prefer).rows[0]
    assert {name for name in row if "@" in name and not name.startswith("@")} == {
        "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"
    }


def test_functions(client: Any) -> None:
    me = client.get("WhoAmI").json
    assert client.get("WhoAmI()").json == me
    assert client.get(f"systemusers({me['UserId']})?$select=fullname").status == 200
    counts = client.get("RetrieveTotalRecordCount(EntityNames=['account','contact'])").json[
        "EntityRecordCountCollection"
    ]
    assert counts == {"Count": 2, "IsReadOnly": False, "Keys": ["account", "contact"], "Values": [300, 600]}
    assert client.get("RetrieveVersion").json["Version"].startswith("9.2")
    assert client.send("POST", "WhoAmI", b"{}").error[:2] == (404, "")


def test_service_document_lists_every_set(client: Any) -> None:
    names = {entry["name"] for entry in client.get("").json["value"]}
    assert {"accounts", "contacts", "EntityDefinitions", "new_samples", "accountleadscollection"} <= names


def test_top_beyond_a_page_goes_on_to_its_end(client: Any, sandbox: Any) -> None:
    sandbox.service.max_page_size = 50
    try:
        pages, link = [], "accounts?$select=name&$top=120"
        while link:
            answer = client.get(link)
            pages.append(len(answer.rows))
            link = answer.json.get("@odata.nextLink")
        assert pages == [50, 50, 20]
    finally:
        sandbox.service.max_page_size = 5000


def test_elastic_tables_have_smaller_pages_counts_and_partitions(client: Any) -> None:
    label = {"LocalizedLabels": [{"Label": "Reading", "LanguageCode": 1033}]}
    name = {
        "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
        "SchemaName": "new_Name",
        "IsPrimaryName": True,
        "AttributeType": "String",
        "AttributeTypeName": {"Value": "StringType"},
        "MaxLength": 100,
        "DisplayName": label,
        "FormatName": {"Value": "Text"},
    }
    body = {
        "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
        "SchemaName": "new_Reading",
        "TableType": "Elastic",
        "DisplayName": label,
        "DisplayCollectionName": label,
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": False,
        "IsActivity": False,
        "Attributes": [name],
    }
    made = client.send("POST", "EntityDefinitions", json.dumps(body).encode(), Content_Type="application/json")
    assert made.status == 204, made.body
    rows = [{"new_name": f"r{number}", "partitionid": f"p{number % 2}"} for number in range(700)]
    client.control("POST", "rows", {"table": "new_reading", "rows": rows})
    table = client.sandbox.service.organisation.tables["new_reading"].set_name
    first = client.get(f"{table}?$select=new_name&$count=true")
    assert len(first.rows) == 500 and first.json["@odata.count"] == 500 and "@odata.nextLink" in first.json
    assert len(client.every(f"{table}?$select=new_name")) == 700
    assert {row["partitionid"] for row in client.get(f"{table}?$select=partitionid&partitionId=p1").rows} == {"p1"}
    client.control("POST", "reset")


def test_many_clients_at_once(client: Any) -> None:
    paths = [f"accounts?$select=name&$filter=contains(name,'{letter}')&$orderby=name" for letter in "abcdefghij"] * 3
    alone = [client.get(path).body for path in paths]
    client.control("POST", "reset")
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda path: client.get(path).body, paths))
    assert together == alone
