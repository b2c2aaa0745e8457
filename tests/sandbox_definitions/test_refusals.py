"""What the definition sets refuse, and how (section 3.1)."""

from __future__ import annotations

import pytest

from tests.sandbox_definitions.api import CRM, Api

ACCOUNT = "EntityDefinitions(LogicalName='account')"


@pytest.mark.parametrize(
    "option", ["$top=1", "$skip=1", "$orderby=LogicalName", "$apply=x", "$search=x", "LabelLanguages=1033"]
)
def test_query_options_it_does_not_have(still: Api, option: str) -> None:
    for url in ("EntityDefinitions", f"{ACCOUNT}/Attributes", "GlobalOptionSetDefinitions"):
        found = still("GET", f"{url}?{option}")
        assert found.refusal == (400, "0x80060888")
        assert found.message == f"The query parameter {option.partition('=')[0]} is not supported"


def test_query_options_inside_an_expansion(still: Api) -> None:
    assert still("GET", "EntityDefinitions?$expand=Attributes($top=1)").refusal == (400, "0x80060888")


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        ("startswith(LogicalName,'a')", "startswith"),
        ("contains(SchemaName,'a')", "contains"),
        ("tolower(LogicalName) eq 'a'", "tolower"),
        ("Attributes/any()", "any"),
        ("Microsoft.Dynamics.CRM.In(PropertyName='LogicalName',PropertyValues=['a'])", "In"),
    ],
)
def test_functions(still: Api, condition: str, name: str) -> None:
    found = still("GET", f"EntityDefinitions?$filter={condition}")
    assert found.refusal == (400, "0x8006088a")
    assert found.message == f'The "{name}" function isn\'t supported for Metadata Entities.'


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("EntityDefinitions?$filter=DisplayName eq 'Account'", (400, "0x80060888")),
        ("EntityDefinitions?$filter=logicalname eq 'account'", (400, "0x0")),
        ("EntityDefinitions?$filter='a' eq LogicalName", (400, "0x80060888")),
        ("EntityDefinitions?$filter=LogicalName lt 5", (400, "0x0")),
        ("EntityDefinitions?$select=Nothing", (400, "0x0")),
        ("EntityDefinitions?$expand=Nothing", (400, "0x0")),
        (f"{ACCOUNT}/Attributes?$select=MaxLength", (400, "0x0")),
        (f"{ACCOUNT}/Attributes?$expand=OptionSet", (400, "0x0")),
        (f"{ACCOUNT}/Attributes/{CRM}EnumAttributeMetadata", (400, "0x80060888")),
        (f"{ACCOUNT}/Attributes/{CRM}EntityKeyMetadata", (404, "0x8006088a")),
        (f"{ACCOUNT}/Attributes(LogicalName='name')/{CRM}MemoAttributeMetadata", (404, "0x8006088a")),
        (f"{ACCOUNT}/Nothing", (404, "0x8006088a")),
        (f"{ACCOUNT}/DisplayName/$value", (400, "0x80060888")),
        ("EntityDefinitions(SchemaName='Account')", (400, "0x0")),
        ("EntityDefinitions(LogicalName='nothing')", (404, "0x80040217")),
        ("EntityDefinitions(LogicalName='Account')", (404, "0x80040217")),
        ("EntityDefinitions(11111111-1111-1111-1111-111111111111)", (404, "0x80040217")),
        (f"{ACCOUNT}/Attributes(LogicalName='nothing')", (404, "0x80040217")),
        ("RelationshipDefinitions(SchemaName='nothing')", (404, "0x80040217")),
        ("entitydefinitions", (404, "0x8006088a")),
    ],
)
def test_names_that_are_none(still: Api, url: str, refusal: tuple[int, str]) -> None:
    assert still("GET", url).refusal == refusal


def test_methods_it_does_not_have(still: Api) -> None:
    assert still("PATCH", ACCOUNT, {"HasNotes": True}).refusal == (400, "0x80060888")
    assert still("POST", "ManagedPropertyDefinitions", {}).refusal == (405, "0x80060888")
    assert still("POST", f"{ACCOUNT}/OneToManyRelationships", {}).refusal == (405, "0x80060888")
    assert still("PUT", "EntityDefinitions", {}).refusal == (405, "0x80060888")
    assert still("DELETE", f"{ACCOUNT}/LogicalName").refusal == (405, "0x80060888")
