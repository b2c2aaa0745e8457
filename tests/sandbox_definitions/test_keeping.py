"""A database file keeps the schema as well: everything that was made, altered or dropped is there after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from sqlalchemy_dynamics.sandbox import Sandbox, Switches
from tests.sandbox_definitions.api import CRM, column, label, one_to_many, table


def client(org: Sandbox) -> httpx.Client:
    headers = {"Authorization": f"Bearer {org.access_token}"}
    return httpx.Client(base_url=f"{org.url}/api/data/v9.2/", headers=headers)


def done(reply: httpx.Response) -> httpx.Response:
    assert reply.is_success, reply.text
    return reply


ACCOUNT = "EntityDefinitions(LogicalName='account')"
BANK = "EntityDefinitions(LogicalName='new_bank')"


def change_everything(api: httpx.Client) -> None:
    choice = {"@odata.type": f"{CRM}OptionSetMetadata", "Name": "new_shades", "IsGlobal": True}
    options = [{"Value": 727000000, "Label": label("Dark")}]
    choice |= {"OptionSetType": "Picklist", "DisplayName": label("Shades"), "Options": options}
    done(api.post("GlobalOptionSetDefinitions", json=choice))
    done(api.post("EntityDefinitions", json=table("new_Bank")))
    done(api.post(f"{BANK}/Attributes", json=column("String", "new_Code", MaxLength=20)))
    shade = column("Picklist", "new_Shade")
    shade["GlobalOptionSet@odata.bind"] = "/GlobalOptionSetDefinitions(Name='new_shades')"
    done(api.post(f"{BANK}/Attributes", json=shade))
    done(api.post(f"{ACCOUNT}/Attributes", json=column("Decimal", "new_Rate", Precision=3)))
    done(api.delete("EntityDefinitions(LogicalName='new_sample')/Attributes(LogicalName='new_score')"))
    done(
        api.post(
            "RelationshipDefinitions", json=one_to_many("new_account_bank", "account", "new_bank", "new_AccountId")
        )
    )
    many = {"@odata.type": f"{CRM}ManyToManyRelationshipMetadata", "SchemaName": "new_bank_contact"}
    many |= {
        "Entity1LogicalName": "new_bank",
        "Entity2LogicalName": "contact",
        "IntersectEntityName": "new_bank_contact",
    }
    done(api.post("RelationshipDefinitions", json=many))
    done(api.post(f"{BANK}/Keys", json={"SchemaName": "new_CodeKey", "KeyAttributes": ["new_code"]}))
    insert = {"OptionSetName": "new_shades", "Value": 727000001, "Label": label("Light")}
    done(api.post("InsertOptionValue", json=insert))


def schema(api: httpx.Client) -> dict[str, Any]:
    """What a client sees of the changed schema."""
    definitions = (f"{BANK}?$expand=Attributes,Keys,ManyToOneRelationships,ManyToManyRelationships", ACCOUNT)
    seen: dict[str, Any] = {url: done(api.get(url)).json() for url in definitions}
    seen["choice"] = done(api.get("GlobalOptionSetDefinitions(Name='new_shades')")).json()
    shade = f"{BANK}/Attributes(LogicalName='new_shade')/{CRM}PicklistAttributeMetadata?$expand=GlobalOptionSet"
    seen["shade"] = done(api.get(shade)).json()
    seen["gone"] = api.get(
        "EntityDefinitions(LogicalName='new_sample')/Attributes(LogicalName='new_score')"
    ).status_code
    seen["document"] = done(api.get("$metadata")).text
    rows = done(api.get("new_banks?$select=new_code,new_shade,_new_accountid_value&$orderby=new_code")).json()["value"]
    seen["rows"] = rows
    return seen


def test_the_schema_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "org.db"
    with Sandbox(rows=10, database=path) as org, client(org) as api:
        change_everything(api)
        (account,) = done(api.get("accounts?$top=1&$select=accountid")).json()["value"]
        body = {"new_code": "A", "new_shade": 727000001}
        body["new_AccountId@odata.bind"] = f"accounts({account['accountid']})"
        done(api.post("new_banks", json=body))
        done(api.patch(f"accounts({account['accountid']})", json={"new_rate": 1.125}))
        before, origin = schema(api), org.url
    with Sandbox(rows=10, database=path) as org, client(org) as api:
        after = schema(api)
        assert str(after).replace(org.url, origin) == str(before)
        assert api.post("new_banks", json={"new_code": "a"}).status_code == 412
        assert done(api.get(f"accounts({account['accountid']})?$select=new_rate")).json()["new_rate"] == 1.125
        done(api.post("new_banks", json={"new_code": "B"}))
        versions = done(api.get("new_banks?$select=versionnumber")).json()["value"]
        assert len({each["versionnumber"] for each in versions}) == 2
        done(api.delete(BANK))
    with Sandbox(rows=10, database=path) as org, client(org) as api:
        assert api.get(BANK).status_code == 404 and api.get("new_banks").status_code == 404
        assert done(api.get(f"{ACCOUNT}/Attributes(LogicalName='new_rate')")).json()["LogicalName"] == "new_rate"
        assert httpx.post(f"{org.url}/_sandbox/reset").status_code == 204
        assert api.get(f"{ACCOUNT}/Attributes(LogicalName='new_rate')").status_code == 404
    with Sandbox(rows=10, database=path) as org, client(org) as api:
        assert api.get(f"{ACCOUNT}/Attributes(LogicalName='new_rate')").status_code == 404


def test_a_change_that_failed_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "org.db"
    with Sandbox(rows=5, database=path) as org, client(org) as api:
        tables = [table("new_One"), table("new_One")]
        complex_tables = [{**each, "@odata.type": f"{CRM}ComplexEntityMetadata"} for each in tables]
        assert api.post("CreateEntities", json={"Entities": complex_tables}).status_code == 400
        document = done(api.get("$metadata")).content
    with Sandbox(rows=5, database=path) as org, client(org) as api:
        assert done(api.get("$metadata")).content == document


def test_an_index_in_the_making_is_made_after_a_restart(tmp_path: Path) -> None:
    path, key = tmp_path / "org.db", {"SchemaName": "new_NumberKey", "KeyAttributes": ["accountnumber"]}
    status = f"{ACCOUNT}/Keys(LogicalName='new_numberkey')?$select=EntityKeyIndexStatus"
    with Sandbox(rows=5, database=path, switches=Switches(key_index_seconds=3600)) as org, client(org) as api:
        done(api.post(f"{ACCOUNT}/Keys", json=key))
        assert done(api.get(status)).json()["EntityKeyIndexStatus"] == "Pending"
    with Sandbox(rows=5, database=path) as org, client(org) as api:
        assert done(api.get(status)).json()["EntityKeyIndexStatus"] == "Active"


def test_auto_numbers_go_on(tmp_path: Path) -> None:
    path, numbers = tmp_path / "org.db", list[str]()
    for _ in range(2):
        with Sandbox(rows=5, database=path) as org, client(org) as api:
            if not numbers:
                seed = {"EntityName": "new_sample", "AttributeName": "new_number", "Value": 70000}
                done(api.post("SetAutoNumberSeed", json=seed))
            for _ in range(2):
                reply = api.post(
                    "new_samples?$select=new_number",
                    json={"new_name": "n"},
                    headers={"Prefer": "return=representation"},
                )
                numbers.append(done(reply).json()["new_number"][4:9])
    assert numbers == ["70000", "70001", "70002", "70003"]
