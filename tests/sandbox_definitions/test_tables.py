"""Tables created, changed and dropped."""

from __future__ import annotations

import pytest

from tests.sandbox_definitions.api import ROOT, Api, column, label, one_to_many, primary, table

SYSTEM = {
    "createdon",
    "createdby",
    "createdonbehalfby",
    "modifiedon",
    "modifiedby",
    "modifiedonbehalfby",
    "versionnumber",
    "statecode",
    "statuscode",
    "importsequencenumber",
    "overriddencreatedon",
    "timezoneruleversionnumber",
    "utcconversiontimezonecode",
}
OWNED = {"ownerid", "owninguser", "owningteam", "owningbusinessunit"}
THING = "EntityDefinitions(LogicalName='new_thing')"


def test_a_new_table_has_the_systems_columns_and_works(org: Api) -> None:
    body = table("new_Thing", column("Integer", "new_Size"), Description=label("Things"))
    made = org.done("POST", "EntityDefinitions", body)
    ident = org.get(f"{THING}?$select=LogicalName")["MetadataId"]
    assert made.status == 204 and made.headers["OData-EntityId"] == f"{ROOT}EntityDefinitions({ident})"
    found = org.get(THING)
    assert (found["EntitySetName"], found["PrimaryIdAttribute"], found["PrimaryNameAttribute"]) == (
        "new_things",
        "new_thingid",
        "new_name",
    )
    assert found["IsCustomEntity"] and not found["IsManaged"] and found["ObjectTypeCode"] >= 10000
    assert found["Description"]["UserLocalizedLabel"]["Label"] == "Things"
    assert SYSTEM | OWNED | {"new_thingid", "new_name", "new_size"} <= org.names("new_thing")
    org.done("POST", "new_things", {"new_name": "first", "new_size": 3})
    row = org.values("new_things?$select=new_name,new_size,statecode")[0]
    assert (row["new_name"], row["new_size"], row["statecode"]) == ("first", 3, 0)
    assert 'EntitySet Name="new_things"' in org.csdl()


def test_ownership_by_the_organisation(org: Api) -> None:
    org.create_table(OwnershipType="OrganizationOwned")
    names = org.names("new_thing")
    assert "organizationid" in names and not OWNED & names


def test_plural_set_names(org: Api) -> None:
    for name in ("new_City", "new_Box", "new_Branch"):
        org.create_table(name)
    found = {item["EntitySetName"] for item in org.values("EntityDefinitions?$select=EntitySetName")}
    assert {"new_cities", "new_boxes", "new_branches"} <= found


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (table("new_Sample"), (400, "0x8004700b")),
        (table("Thing"), (400, "0x80040203")),
        (table("n_Thing"), (400, "0x80040203")),
        (table("new_" + "x" * 100), (400, "0x80040203")),
        (table("new_Thing", primary("new_Other")), (400, "0x80040203")),
        ({**table(), "Attributes": []}, (400, "0x80040203")),
        ({**table(), "OwnershipType": "Mine"}, (400, "0x80040203")),
        ({**table(), "Nonsense": 1}, (400, "0x80048d19")),
        ({**table(), "HasNotes": "yes"}, (400, "0x80048d19")),
        (table("new_Thing", column("String", "new_Name")), (400, "0x80047013")),
    ],
)
def test_refused_tables_leave_nothing(org: Api, body: dict[str, object], refusal: tuple[int, str]) -> None:
    before = len(org.values("EntityDefinitions?$select=LogicalName"))
    version = org.service.organisation.version
    assert org("POST", "EntityDefinitions", body).refusal == refusal
    assert len(org.values("EntityDefinitions?$select=LogicalName")) == before
    assert org.service.organisation.version == version
    assert org("GET", "new_things").status == 404


def test_the_prefix_of_the_solution_named(org: Api) -> None:
    named = {"mscrm__solutionuniquename": "ContosoCore"}
    found = org("POST", "EntityDefinitions", table("new_Thing"), **named)
    assert found.refusal == (400, "0x80040203") and "contoso" in found.message
    body = {**table("contoso_Thing"), "Attributes": [primary("contoso_Name")]}
    org.done("POST", "EntityDefinitions?SolutionUniqueName=ContosoCore", body)
    assert "contoso_name" in org.names("contoso_thing")
    named = {"mscrm__solutionuniquename": "Nothing"}
    assert org("POST", "EntityDefinitions", table("new_Other"), **named).refusal == (404, "0x80040217")


def test_put_replaces_the_definition(org: Api) -> None:
    org.create_table(DisplayName=label("Thing", german="Ding"), Description=label("Old"))
    body = org.get(THING)
    body["DisplayName"] = label("Item")
    org.done("PUT", THING, {**body, "HasNotes": True})
    found = org.get(THING)
    assert [item["Label"] for item in found["DisplayName"]["LocalizedLabels"]] == ["Item"]
    assert (
        found["HasNotes"] and "new_thing" in org.service.organisation.tables["annotation"].columns["objectid"].targets
    )
    assert 'Name="objectid_new_thing"' in org.csdl()
    org.done("PUT", THING, {"SchemaName": "new_Thing", "HasNotes": False})
    found = org.get(THING)
    assert found["HasNotes"], "notes cannot be switched off"
    assert found["Description"]["UserLocalizedLabel"] is None, "what the body does not say is lost"


def test_merging_labels_keeps_other_languages(org: Api) -> None:
    org.create_table(DisplayName=label("Thing", german="Ding"))
    org.done("PUT", THING, {"DisplayName": label("Item")}, **{"mscrm__mergelabels": "true"})
    found = org.get(f"{THING}?$select=DisplayName")["DisplayName"]["LocalizedLabels"]
    assert {item["LanguageCode"]: item["Label"] for item in found} == {1033: "Item", 1031: "Ding"}


@pytest.mark.parametrize("member", [{"SchemaName": "new_Other"}, {"OwnershipType": "OrganizationOwned"}])
def test_what_put_cannot_change(org: Api, member: dict[str, str]) -> None:
    org.create_table()
    assert org("PUT", THING, member).refusal == (400, "0x80040203")


def test_dropping_a_table(org: Api) -> None:
    org.create_table(HasNotes=True, HasActivities=True)
    ident = org.get(f"{THING}?$select=LogicalName")["MetadataId"]
    assert org.done("DELETE", f"EntityDefinitions({ident})").status == 204
    assert org("GET", THING).status == 404
    assert org("GET", "new_things").refusal == (404, "0x8006088a")
    assert "new_thing" not in org.csdl()
    assert not org.rows("SELECT 1 FROM sqlite_master WHERE name = 'new_thing'")
    org.create_table()
    assert org.values("new_things") == []


def test_a_table_others_point_to_stays(org: Api) -> None:
    org.create_table("new_Parent")
    org.create_table("new_Child")
    org.done(
        "POST", "RelationshipDefinitions", one_to_many("new_parent_child", "new_parent", "new_child", "new_ParentId")
    )
    found = org("DELETE", "EntityDefinitions(LogicalName='new_parent')")
    assert found.refusal == (400, "0x8004f01f")
    assert "cannot be deleted because it is referenced by 1 other components" in found.message
    org.done("DELETE", "EntityDefinitions(LogicalName='new_child')")
    org.done("DELETE", "EntityDefinitions(LogicalName='new_parent')")


def test_the_systems_tables_stay(org: Api) -> None:
    assert org("DELETE", "EntityDefinitions(LogicalName='account')").refusal == (403, "0x80048405")
    assert org("DELETE", "EntityDefinitions(LogicalName='teammembership')").refusal == (403, "0x80048405")


def test_several_tables_in_one_action(org: Api) -> None:
    def complex_of(body: dict[str, object]) -> dict[str, object]:
        attributes = [{**primary(), "@odata.type": "Microsoft.Dynamics.CRM.ComplexStringAttributeMetadata"}]
        return {**body, "@odata.type": "Microsoft.Dynamics.CRM.ComplexEntityMetadata", "Attributes": attributes}

    both = {"Entities": [complex_of(table("new_One")), complex_of(table("new_Two"))]}
    org.done("POST", "CreateEntities", both)
    assert org.values("new_ones") == [] and org.values("new_twos") == []
    again = {"Entities": [complex_of(table("new_Three")), complex_of(table("new_Two"))]}
    assert org("POST", "CreateEntities", again).refusal == (400, "0x8004700b")
    assert org("GET", "new_threes").status == 404, "all or none"


def test_activities_and_elastic_tables(org: Api) -> None:
    org.create_table("new_Call", IsActivity=True, Attributes=[column("Integer", "new_Minutes")])
    found = org.get("EntityDefinitions(LogicalName='new_call')")
    assert (found["PrimaryIdAttribute"], found["PrimaryNameAttribute"], found["TableType"]) == (
        "activityid",
        "subject",
        "Activity",
    )
    org.done("POST", "new_calls", {"subject": "hello", "new_minutes": 3})
    assert "hello" in {row["subject"] for row in org.values("activitypointers?$select=subject")}
    org.create_table("new_Event", TableType="Elastic")
    assert {"partitionid", "ttlinseconds"} <= org.names("new_event")
    url = "EntityDefinitions(LogicalName='new_event')/Attributes"
    assert org("POST", url, column("Money", "new_Price")).refusal == (400, "0x80040203")


def test_activities_may_regard_a_new_table(org: Api) -> None:
    org.create_table(HasActivities=True)
    targets = org.get("EntityDefinitions(LogicalName='task')/Attributes(LogicalName='regardingobjectid')")["Targets"]
    assert "new_thing" in targets
    row = org.done("POST", "new_things", {"new_name": "x"}).headers["OData-EntityId"].rpartition("(")[2][:-1]
    org.done("POST", "tasks", {"subject": "do", "regardingobjectid_new_thing_task@odata.bind": f"/new_things({row})"})
    found = org.values(f"tasks?$select=subject&$filter=_regardingobjectid_value eq {row}")
    assert [task["subject"] for task in found] == ["do"]


def test_rows_made_later_do_not_point_to_a_new_table(org: Api) -> None:
    org.create_table(HasNotes=True, HasActivities=True)
    for name in ("annotation", "task"):
        org.service.store.touch(name)
    assert org.rows("SELECT count(*) FROM annotation WHERE \"objectid:type\" = 'new_thing'") == [(0,)]
    assert org.rows("SELECT count(*) FROM task WHERE \"regardingobjectid:type\" = 'new_thing'") == [(0,)]
    assert org.values("new_things") == []
