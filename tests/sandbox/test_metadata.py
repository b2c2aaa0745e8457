"""`$metadata` of the demo organisation, and organisations read from documents."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox
from sqlalchemy_dynamics.sandbox.csdl_reader import read_csdl
from sqlalchemy_dynamics.sandbox.csdl_writer import write_csdl
from sqlalchemy_dynamics.sandbox.demo import demo_organisation
from tests.sandbox.conftest import Client
from tests.shared import METADATA_FILES

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture(scope="module")
def schema(client: Any) -> ElementTree.Element:
    answer = client.get("$metadata", Accept="application/xml")
    assert answer.headers["content-type"] == "application/xml"
    found = ElementTree.fromstring(answer.body).find(f".//{EDM}Schema")
    assert found is not None
    return found


def entity(schema: ElementTree.Element, name: str) -> ElementTree.Element:
    return next(kind for kind in schema.findall(f"{EDM}EntityType") if kind.get("Name") == name)


def names(kind: ElementTree.Element, tag: str) -> set[str]:
    return {str(item.get("Name")) for item in kind.findall(EDM + tag)}


def test_types_keys_and_bases(schema: ElementTree.Element) -> None:
    keys = {
        name: [ref.get("Name") for ref in entity(schema, name).iter(f"{EDM}PropertyRef")]
        for name in ("account", "systemuser", "team", "task", "activitypointer", "principal")
    }
    assert keys == {
        "account": ["accountid"],
        "systemuser": ["ownerid"],
        "team": ["ownerid"],
        "task": ["activityid"],
        "activitypointer": ["activityid"],
        "principal": ["ownerid"],
    }
    assert entity(schema, "task").get("BaseType") == "mscrm.activitypointer"
    assert entity(schema, "systemuser").get("BaseType") == "mscrm.principal"
    assert entity(schema, "activitypointer").get("Abstract") == "true"
    assert "subject" not in names(entity(schema, "task"), "Property")
    assert "subject" in names(entity(schema, "activitypointer"), "Property")


def test_lookups_and_navigations(schema: ElementTree.Element) -> None:
    contact = entity(schema, "contact")
    assert "_parentcustomerid_value" in names(contact, "Property")
    assert {"parentcustomerid_account", "parentcustomerid_contact", "ownerid"} <= names(contact, "NavigationProperty")
    assert "new_AccountId" in names(entity(schema, "new_sample"), "NavigationProperty")
    assert "regardingobjectid_account_task" in names(entity(schema, "task"), "NavigationProperty")
    sets = {item.get("Name"): item.get("EntityType") for item in schema.iter(f"{EDM}EntitySet")}
    assert sets["accounts"] == "Microsoft.Dynamics.CRM.account" and "EntityDefinitions" in sets
    bindings = {
        b.get("Path"): b.get("Target")
        for item in schema.iter(f"{EDM}EntitySet")
        if item.get("Name") == "accounts"
        for b in item
    }
    assert bindings["ownerid"] == "owners" and bindings["primarycontactid"] == "contacts"


def test_every_navigation_target_and_partner_exists(schema: ElementTree.Element) -> None:
    kinds = {kind.get("Name"): kind for kind in schema.findall(f"{EDM}EntityType")}
    for kind in kinds.values():
        for navigation in kind.findall(f"{EDM}NavigationProperty"):
            target = str(navigation.get("Type")).removeprefix("Collection(").removesuffix(")").removeprefix("mscrm.")
            assert target in kinds
            partner = navigation.get("Partner")
            assert partner is None or partner in names(kinds[target], "NavigationProperty"), (kind.get("Name"), partner)


def test_alternate_keys_and_query_functions(schema: ElementTree.Element) -> None:
    paths = [value.get("PropertyPath") for value in entity(schema, "new_sample").iter(f"{EDM}PropertyValue")]
    assert "new_code" in paths
    assert (
        len({f.get("Name") for f in schema.findall(f"{EDM}Function")} & {"In", "LastXDays", "EqualUserId", "Above"})
        == 4
    )


def test_annotated_document_says_what_is_read_only(client: Any) -> None:
    text = client.get("$metadata?annotations=true").body.decode()
    assert text.count("Org.OData.Core.V1.Computed") > 100 and "Org.OData.Core.V1.Description" in text
    plain = client.get("$metadata").body.decode()
    assert "Org.OData.Core.V1.Computed" not in plain and "Org.OData.Core.V1.Description" not in plain


def test_demo_has_every_column_type() -> None:
    kinds = {column.kind for column in demo_organisation().tables["new_sample"].columns.values()}
    assert kinds >= {
        "String",
        "Memo",
        "Integer",
        "BigInt",
        "Decimal",
        "Double",
        "Money",
        "Boolean",
        "DateTime",
        "Picklist",
        "MultiSelectPicklist",
        "Lookup",
        "Customer",
        "Owner",
        "Image",
        "File",
        "Uniqueidentifier",
        "State",
        "Status",
    }


def test_own_document_reads_back_the_same() -> None:
    demo = demo_organisation()
    again = read_csdl(write_csdl(demo, annotations=True))
    assert set(again.tables) == set(demo.tables)
    for name, table in demo.tables.items():
        other = again.tables[name]
        assert set(other.properties()) == set(table.properties()), name
        assert set(again.navigations(name)) == set(demo.navigations(name)), name
        assert (other.primary_id, other.primary_name, other.key, other.base) == (
            table.primary_id,
            table.primary_name,
            table.key,
            table.base,
        )
        for key, column in table.properties().items():
            assert set(other.properties()[key].targets) == set(column.targets), (name, key)


HOSTILE = {
    "bomb": b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><edmx:Edmx xmlns:edmx="e">&b;</edmx:Edmx>',
    "truncated": b'<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>',
    "wrong root": b"<html><body/></html>",
    "empty": b"",
    "no types": b'<edmx:Edmx xmlns:edmx="e"/>',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_documents_are_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="metadata"):
        read_csdl(text)


@pytest.mark.parametrize("path", METADATA_FILES, ids=lambda path: path.stem)
def test_genuine_organisation(path: Path) -> None:
    with Sandbox(rows=40, metadata=path) as running:
        client = Client(running)
        assert client.get("$metadata").body == path.read_bytes()
        tables = [table for table in running.service.organisation.tables.values() if table.set_name]
        assert len(tables) > 200
        for table in tables[::17]:
            assert client.get(f"{table.set_name}?$top=3", Prefer='odata.include-annotations="*"').status == 200, (
                table.name
            )
        rows = client.get(
            "accounts?$select=name&$expand=primarycontactid($select=fullname),"
            "contact_customer_accounts($select=fullname)&$orderby=name"
        ).rows
        assert len(rows) == 40 and any(row["primarycontactid"] for row in rows)
        assert (
            client.get("tasks?$select=subject&$expand=regardingobjectid_account_task($select=name)&$top=5").status
            == 200
        )
