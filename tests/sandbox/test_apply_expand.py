"""`$apply`, `$expand` and change tracking."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest


def exact(answer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer.body, parse_float=Decimal)["value"]
    return found


def test_groupby_with_count_and_sum_is_exact(client: Any) -> None:
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    counts: Counter[Any] = Counter()
    for row in exact(client.get("accounts?$select=industrycode,revenue")):
        counts[row["industrycode"]] += 1
        sums[row["industrycode"]] += row["revenue"] or 0
    found = exact(
        client.get("accounts?$apply=groupby((industrycode),aggregate($count as n,revenue with sum as total))")
    )
    assert {row.get("industrycode"): row["n"] for row in found} == counts
    assert {row.get("industrycode"): row.get("total", 0) for row in found} == sums
    assert all("@odata.etag" not in row for row in found)
    assert all(row["total"].as_tuple().exponent == -9 for row in found if "total" in row)
    assert sum("industrycode" not in row for row in found) == 1


def test_text_groups_ignore_case_accents_and_trailing_blanks(client: Any) -> None:
    names = [row["address1_city"] for row in client.get("accounts?$select=address1_city").rows]
    groups = client.get("accounts?$apply=groupby((address1_city))").rows
    assert len(groups) == len(set(names))
    firsts = client.get("contacts?$apply=groupby((lastname),aggregate($count as n))").rows
    assert sum(row["n"] for row in firsts) == 600
    folded = [row["lastname"].casefold() for row in firsts if "lastname" in row]
    assert len(folded) == len(set(folded)) and not {"müller", "muller"} <= set(folded)


def test_filter_before_and_outer_filter(client: Any) -> None:
    inner = client.get("accounts?$apply=filter(statecode eq 0)/groupby((industrycode),aggregate($count as n))").rows
    outer = client.get("accounts?$apply=groupby((industrycode),aggregate($count as n))&$filter=statecode eq 0").rows
    assert inner == outer and inner


def test_minimum_maximum_and_average(client: Any) -> None:
    rows = exact(client.get("accounts?$select=revenue,createdon,numberofemployees"))
    revenue = [row["revenue"] for row in rows if row["revenue"] is not None]
    people = [row["numberofemployees"] for row in rows if row["numberofemployees"] is not None]
    path = (
        "accounts?$apply=aggregate(revenue with min as low,revenue with max as high,createdon with max as last,"
        "revenue with average as mean,numberofemployees with average as people)"
    )
    found = exact(client.get(path))[0]
    assert (found["low"], found["high"]) == (min(revenue), max(revenue))
    assert found["last"] == max(row["createdon"] for row in rows)
    assert abs(found["mean"] - sum(revenue) / len(revenue)) < Decimal("0.000000001")
    assert found["people"] == int(sum(people) / len(people))


def test_grouping_by_lookup_and_by_path(client: Any) -> None:
    prefer = 'odata.include-annotations="*"'
    found = client.get("accounts?$apply=groupby((_primarycontactid_value),aggregate($count as n))", Prefer=prefer).rows
    named = next(row for row in found if "_primarycontactid_value" in row)
    assert named["_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    assert "_primarycontactid_value@OData.Community.Display.V1.FormattedValue" in named
    assert named["n@OData.Community.Display.V1.FormattedValue"] == "1"
    by_path = client.get("accounts?$apply=groupby((primarycontactid/lastname),aggregate($count as n))").rows
    assert sum(row["n"] for row in by_path) == 300 and any("contact_lastname" in row for row in by_path)


def test_aggregate_of_nothing_is_one_empty_row(client: Any) -> None:
    assert client.get("accounts?$apply=filter(name eq 'zzz')/aggregate(revenue with sum as s)").rows == [{}]
    assert client.get("accounts?$apply=filter(name eq 'zzz')/groupby((name))").rows == []


def test_expand_of_a_lookup(client: Any) -> None:
    answer = client.get(
        "accounts?$select=name&$top=20&$expand=primarycontactid($select=fullname;$expand=createdby($select=fullname))"
    )
    assert answer.json["@odata.context"].endswith("#accounts(name,primarycontactid(fullname,createdby(fullname)))")
    contacts = [row["primarycontactid"] for row in answer.rows]
    assert None in contacts
    some = next(contact for contact in contacts if contact)
    assert list(some) == ["fullname", "contactid", "createdby"] and set(some["createdby"]) == {
        "fullname",
        "systemuserid",
        "ownerid",
    }
    row_id = next(row["accountid"] for row in answer.rows if row["primarycontactid"])
    single = client.get(f"accounts({row_id})?$select=name&$expand=primarycontactid($select=fullname)").json
    assert single["primarycontactid"]["@odata.etag"].startswith("W/")


def test_expand_of_a_collection(client: Any) -> None:
    path = "accounts?$select=name&$expand=contact_customer_accounts($select=fullname;$orderby=fullname desc;$top=2)"
    rows = client.get(path).rows
    assert any(len(row["contact_customer_accounts"]) == 2 for row in rows)
    for row in rows[:20]:
        children = row["contact_customer_accounts"]
        link = client.get(row["contact_customer_accounts@odata.nextLink"]).rows
        assert [c["contactid"] for c in children] == [c["contactid"] for c in link]
        assert all(c["_parentcustomerid_value"] == row["accountid"] for c in children)


def test_expand_filters_children_not_parents(client: Any) -> None:
    rows = client.get(
        "accounts?$select=name&$expand=contact_customer_accounts($select=lastname;$filter=lastname eq 'Smith')"
    ).rows
    assert len(rows) == 300
    assert {c["lastname"].lower() for row in rows for c in row["contact_customer_accounts"]} == {"smith"}


def test_expand_reference_and_many_to_many(client: Any) -> None:
    row = client.get(
        "accounts?$select=name&$filter=_primarycontactid_value ne null&$top=1&$expand=primarycontactid/$ref"
    ).rows[0]
    assert row["primarycontactid"]["@odata.id"] == f"{client.root}contacts({row['_primarycontactid_value']})"
    users = client.get("systemusers?$select=fullname&$expand=teammembership_association($select=name)").rows
    teams = client.get("teams?$select=name&$expand=teammembership_association($select=fullname)").rows
    there = {(u["systemuserid"], t["teamid"]) for u in users for t in u["teammembership_association"]}
    back = {(u["systemuserid"], t["teamid"]) for t in teams for u in t["teammembership_association"]}
    assert there == back and there


def test_activity_parties_and_regarding(client: Any) -> None:
    mails = client.get("emails?$select=subject&$expand=email_activity_parties($select=participationtypemask)").rows
    assert any(mail["email_activity_parties"] for mail in mails)
    tasks = client.get(
        "tasks?$select=subject,_regardingobjectid_value&$expand=regardingobjectid_account_task($select=name),"
        "regardingobjectid_contact_task($select=fullname)"
    ).rows
    assert any(task["regardingobjectid_account_task"] for task in tasks)
    assert not any(task["regardingobjectid_account_task"] and task["regardingobjectid_contact_task"] for task in tasks)


@pytest.fixture
def restored(client: Any) -> Any:
    yield client
    assert client.control("POST", "reset").status == 204


def test_change_tracking_from_first_read_to_deleted_row(restored: Any) -> None:
    client = restored
    first = client.get("new_samples?$select=new_name", Prefer="odata.track-changes,odata.maxpagesize=100")
    assert "@odata.nextLink" in first.json and "@odata.deltaLink" not in first.json
    link, pages = first.json["@odata.nextLink"], 1
    while link:
        page = client.get(link, Prefer="odata.track-changes,odata.maxpagesize=100")
        pages, link = pages + 1, page.json.get("@odata.nextLink")
    delta = page.json["@odata.deltaLink"]
    assert pages == 2 and client.get(delta).rows == []
    gone = first.rows[0]["new_sampleid"]
    service = client.sandbox.service
    service.store.delete(service.organisation.tables["new_sample"], gone)
    client.control("POST", "rows", {"table": "new_sample", "rows": [{"new_name": "fresh"}]})
    answer = client.get(delta)
    assert answer.json["@odata.context"].endswith("#new_samples(new_name)/$delta")
    added, removed = answer.rows
    assert added["new_name"] == "fresh"
    assert removed == {
        "@odata.context": f"{client.root}$metadata#new_samples/$deletedEntity",
        "id": gone,
        "reason": "deleted",
    }
    counted = delta.replace("new_samples?", "new_samples/$count?")
    assert client.get(counted).body == b"\xef\xbb\xbf2"


def test_single_row_expands_whole_collections_without_links_or_foreign_keys(client: Any) -> None:
    row_id = client.get("accounts?$select=name&$filter=contact_customer_accounts/any()&$top=1").rows[0]["accountid"]
    row = client.get(f"accounts({row_id})?$select=name&$expand=contact_customer_accounts($select=fullname)").json
    assert list(row)[-1] == "contact_customer_accounts"
    assert list(row["contact_customer_accounts"][0]) == ["@odata.etag", "fullname", "contactid"]


def test_nested_expands_page_the_inner_collections(client: Any) -> None:
    path = "teams?$select=name&$expand=team_accounts($select=name;$expand=primarycontactid($select=fullname))"
    team = max(client.get(path).rows, key=lambda row: len(row["team_accounts"]))
    paged = client.get(f"{path}&$filter=teamid eq {team['teamid']}", Prefer="odata.maxpagesize=5").rows[0]
    assert len(team["team_accounts"]) > 10 and len(paged["team_accounts"]) == 5
    assert "countOfRecords" in paged["team_accounts@odata.nextLink"]
    rest = client.every(paged["team_accounts@odata.nextLink"], Prefer="odata.maxpagesize=5")
    ids = [row["accountid"] for row in paged["team_accounts"] + rest]
    assert ids == [row["accountid"] for row in team["team_accounts"]]
    assert rest[0]["primarycontactid"] is None or "fullname" in rest[0]["primarycontactid"]
