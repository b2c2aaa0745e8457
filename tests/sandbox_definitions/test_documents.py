"""Genuine documents as witnesses: recorded definitions, documented URLs and request/response pairs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.sandbox_definitions.api import CRM, Api
from tests.shared import RECORDINGS

pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings are not here")
ACCOUNT = "EntityDefinitions(LogicalName='account')"
UNKNOWN = ("pum_initiative", "choice_name", "new_widget", "402fa40f", "d475020f")
"""Parts of documented URLs that name components of somebody's own organisation."""


def recorded(name: str) -> Any:
    return json.loads((RECORDINGS / name).read_text(encoding="utf-8"))


def pairs() -> list[dict[str, str]]:
    lines = (RECORDINGS / "docs-http-pairs.jsonl").read_text(encoding="utf-8").splitlines()
    return [pair for pair in map(json.loads, lines) if "Definitions" in pair["request"].split("\n", 1)[0]]


def test_the_members_of_every_type_are_the_genuine_ones(still: Api) -> None:
    definition = recorded("account-definition.json")
    table = still.get(ACCOUNT).keys() - {"@odata.context", "ClusterMode"}
    assert table == definition["EntityDefinition"].keys() - {"@odata.context"}
    checked = 0
    for group, columns in definition.items():
        if not group.endswith("Attributes"):
            continue
        sample = "new_sample" if group.startswith("MultiSelect") else "account"
        url = f"EntityDefinitions(LogicalName='{sample}')/Attributes/{CRM}{group.removesuffix('s')}Metadata"
        genuine = set().union(*columns) - {"OptionSet", "@odata.type"}
        for ours in still.values(url)[:3]:
            assert ours.keys() == genuine, group
            checked += 1
    assert checked > 20


def test_options_have_the_genuine_members(still: Api) -> None:
    for group, name in (("Picklist", "accountcategorycode"), ("Status", "statuscode")):
        genuine = next(c for c in recorded("account-definition.json")[f"{group}Attributes"] if c["LogicalName"] == name)
        url = f"{ACCOUNT}/Attributes(LogicalName='{name}')/{CRM}{group}AttributeMetadata?$expand=OptionSet"
        ours = still.get(url)["OptionSet"]
        assert ours.keys() == genuine["OptionSet"].keys()
        assert [o.keys() for o in ours["Options"]] == [o.keys() for o in genuine["OptionSet"]["Options"]]
        assert [str(o["Value"]) for o in ours["Options"]] == [o["Value"] for o in genuine["OptionSet"]["Options"]]


def test_metadata_changes_have_the_genuine_members(still: Api) -> None:
    genuine = recorded("opportunity-definition.json")
    names = [name for name, value in genuine["EntityMetadata"][0].items() if value is not None]
    wanted = {
        "Properties": {"PropertyNames": names},
        "Criteria": {
            "Conditions": [
                {
                    "PropertyName": "LogicalName",
                    "ConditionOperator": "Equals",
                    "Value": {"Type": "System.String", "Value": "opportunity"},
                }
            ]
        },
    }
    found = still.get(f"RetrieveMetadataChanges(Query=@p1)?@p1={json.dumps(wanted)}")
    assert found["DeletedMetadata"] == genuine["DeletedMetadata"]
    (ours,), (theirs,) = found["EntityMetadata"], genuine["EntityMetadata"]
    assert ours.keys() == theirs.keys()
    assert ours["Settings"] == theirs["Settings"] == ours["Privileges"] == theirs["Privileges"] == []
    types = {column["LogicalName"]: column.get("@odata.type") for column in theirs["Attributes"]}
    known = [column for column in ours["Attributes"] if column["LogicalName"] in types]
    assert len(known) > 60
    wrong = {c["LogicalName"] for c in known if c.get("@odata.type") != types[c["LogicalName"]]}
    assert len(wrong) <= 2, wrong


def documented_urls() -> list[str]:
    if not RECORDINGS.is_dir():
        return []
    lines = (RECORDINGS / "odata-urls.tsv").read_text(encoding="utf-8").splitlines()
    return [url for url in (line.split("\t")[1] for line in lines) if "Definitions" in url]


@pytest.mark.parametrize("url", documented_urls())
def test_documented_urls(still: Api, url: str) -> None:
    found = still("GET", url)
    if any(part in url for part in UNKNOWN):
        assert found.refusal == (404, "0x80040217")
    elif "$orderby" in url:
        assert found.refusal == (400, "0x80060888")
    else:
        assert found.status == 200


def replay(org: Api, pair: dict[str, str]) -> tuple[Any, str]:
    head, _, rest = pair["request"].replace("\r", "").partition("\n")
    method, url = head.replace("[Organization URI]", "").split()[:2]
    body = rest[rest.index("{") :] if "{" in rest else "null"
    url = re.sub(r"^/api/data/v9.\d/", "", url)
    if "402fa40f" in url:
        ident = org.get("EntityDefinitions(LogicalName='new_bankaccount')?$select=LogicalName")["MetadataId"]
        url = url.replace("402fa40f-287c-e511-80d2-00155d2a68d2", ident)
    return org(method, url, json.loads(body)), pair["response"]


def test_documented_requests_get_the_documented_answers(org: Api) -> None:
    answered = 0
    for pair in pairs():
        found, response = replay(org, pair)
        assert found.status == int(response.split(" ", 2)[1]), (pair["request"][:120], found.text)
        address = re.search(r"OData-EntityId: \[Organization URI\]/api/data/v9.\d/(\S+)", response)
        if address:
            shape = re.sub(r"[0-9a-f-]{36}", "G", found.headers["OData-EntityId"].partition("v9.2/")[2])
            assert shape == re.sub(r"[0-9a-f-]{36}", "G", address[1])
        context = re.search(r'"@odata.context":\s*"[^"]*\$metadata(#[^"]*)"', response)
        if context:
            assert found.json["@odata.context"].partition("$metadata")[2] == context[1]
        answered += 1
    assert answered == 7
    assert {"new_bankname", "new_checkeddate", "new_accountowner"} <= org.names("new_bankaccount")
