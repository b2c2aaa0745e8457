"""Bodies gone wrong: whatever stands in a member, the answer is one of the service's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox.router import answer
from sqlalchemy_dynamics.sandbox.wire import Request
from tests.sandbox_definitions.api import CRM, ROOT, Api, choice, column, label, one_to_many, table

ODD: tuple[object, ...] = (None, "", "x", 5, -1.5, True, [], ["x"], [None], {}, {"Value": None}, {"LocalizedLabels": 5})
JSON = {"content-type": "application/json"}
COLUMNS = "EntityDefinitions(LogicalName='new_sample')/Attributes"
KEYS = "EntityDefinitions(LogicalName='new_sample')/Keys"
LINK = {"SchemaName": "new_p", "ReferencedEntity": "account", "ReferencingEntity": "new_sample"}
LOCAL = {"EntityLogicalName": "new_sample", "AttributeLogicalName": "new_color"}
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "EntityDefinitions", table("new_T", column("Integer", "new_X"), Description=label("d"))),
    ("PUT", "EntityDefinitions(LogicalName='new_sample')", {"DisplayName": label("x"), "HasNotes": True}),
    ("POST", COLUMNS, column("String", "new_T", MaxLength=5, FormatName={"Value": "Text"}, AutoNumberFormat="")),
    ("POST", COLUMNS, column("Decimal", "new_T", MinValue=1, MaxValue=5, Precision=2)),
    ("POST", COLUMNS, column("Boolean", "new_T", OptionSet={"TrueOption": {"Value": 1, "Label": label("y")}})),
    ("POST", COLUMNS, column("Picklist", "new_T", OptionSet=choice((1, "a")), DefaultFormValue=1)),
    ("POST", COLUMNS, {**column("Picklist", "new_T"), "GlobalOptionSet@odata.bind": "/GlobalOptionSetDefinitions(x)"}),
    ("POST", COLUMNS, column("File", "new_T", MaxSizeInKB=5)),
    ("PUT", f"{COLUMNS}(LogicalName='new_flag')", column("Boolean", "new_Flag", DefaultValue=True)),
    ("PUT", f"{COLUMNS}(LogicalName='new_moment')", column("DateTime", "new_Moment", DateTimeBehavior={"Value": "x"})),
    ("POST", KEYS, {"SchemaName": "new_K", "KeyAttributes": ["new_count"]}),
    ("POST", "RelationshipDefinitions",
     one_to_many("new_r", "account", "new_sample", "new_T", CascadeConfiguration={"Delete": "Cascade"})),
    ("POST", "RelationshipDefinitions",
     {"@odata.type": f"{CRM}ManyToManyRelationshipMetadata", "SchemaName": "new_m", "Entity1LogicalName": "account",
      "Entity2LogicalName": "contact", "IntersectEntityName": "new_mm"}),
    ("POST", "CreatePolymorphicLookupAttribute",
     {"OneToManyRelationships": [LINK], "Lookup": column("Lookup", "new_T")}),
    ("POST", "CreateEntities", {"Entities": [table("new_T")]}),
    ("POST", "GlobalOptionSetDefinitions", {**choice((1, "a")), "Name": "new_g", "DisplayName": label("g")}),
    ("POST", "InsertOptionValue", {**LOCAL, "Value": 9, "Label": label("n"), "Color": "#fff"}),
    ("POST", "InsertStatusValue",
     {"EntityLogicalName": "new_sample", "AttributeLogicalName": "statuscode", "StateCode": 0, "Label": label("n")}),
    ("POST", "UpdateOptionValue", {**LOCAL, "Value": 727000000, "Label": label("n"), "MergeLabels": True}),
    ("POST", "OrderOption", {**LOCAL, "Values": [727000000, 727000001, 727000002]}),
    ("POST", "DeleteOptionValue", {**LOCAL, "Value": 727000000}),
    ("POST", "SetAutoNumberSeed", {"EntityName": "new_sample", "AttributeName": "new_number", "Value": 5}),
    ("POST", "ReactivateEntityKey", {"EntityLogicalName": "new_sample", "EntityKeyLogicalName": "new_codekey"}),
    ("POST", "PublishXml", {"ParameterXml": "<a/>"}),
]  # fmt: skip


def spoiled(value: Any) -> Iterator[Any]:
    """Yield the value with one part after the other replaced by each odd one, or left out."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {key: item for key, item in value.items() if key != name}
            for odd in ODD:
                yield {**value, name: odd}
            for other in spoiled(inner):
                yield {**value, name: other}
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            for other in spoiled(inner):
                yield [*value[:number], other, *value[number + 1 :]]


@pytest.mark.parametrize(("method", "url", "body"), REQUESTS, ids=lambda value: value if isinstance(value, str) else "")
def test_no_body_is_too_odd(method: str, url: str, body: dict[str, Any]) -> None:
    org = Api()
    snapshot = org.service.organisation.version
    crashed = []
    for odd in spoiled(body):
        found = org(method, url, odd)
        if found.status >= 500:
            crashed.append((odd, found.text))
        if found.status < 300 and org.service.organisation.version > snapshot + 40:
            org, snapshot = Api(), Api().service.organisation.version
    assert crashed[:3] == []
    assert org.get("EntityDefinitions?$expand=Attributes,Keys,ManyToOneRelationships")["value"]
    assert 'EntitySet Name="new_samples"' in org.csdl()


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"5", b'"x"', b"\xff", b"null"])
def test_bodies_that_are_no_objects(text: bytes) -> None:
    org = Api()
    for method, url in (
        ("POST", "EntityDefinitions"),
        ("PUT", f"{COLUMNS}(LogicalName='new_flag')"),
        ("POST", "OrderOption"),
    ):
        assert answer(org.service, Request(method, url, headers=JSON, body=text, root=ROOT)).status == 400
