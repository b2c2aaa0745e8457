from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlalchemy_dynamics.edm import BLOB, INTEGER, MONEY, UUID, VARCHAR
from sqlalchemy_dynamics.errors import OperationalError
from sqlalchemy_dynamics.metadata import csdl
from sqlalchemy_dynamics.metadata.document import MAX_DEPTH
from sqlalchemy_dynamics.metadata.model import Column, Companion, Key, Kind, Model, Table
from tests.metadata.documents import (
    HEAD,
    PRINCIPAL,
    SMALL,
    TAIL,
    annotation,
    document,
    entity,
    permission,
    prop,
    single,
)

OWNER = single("ownerid", "principal", "_ownerid_value")


@pytest.fixture(scope="module")
def model() -> Model:
    return csdl.parse(SMALL)


def one_table(body: str, key: str = "thingid") -> Table:
    text = entity("thing", key, prop("thingid", "Guid") + body)
    return csdl.parse(document(text, {"things": "thing"})).tables["thing"]


def test_tables_are_found_by_logical_name_and_entity_set_in_any_case(model: Model) -> None:
    assert model.table("ACCOUNT") is model.table("Accounts") is model.tables["account"]
    assert model.table("nosuch") is None
    assert set(model.tables) == {
        "account", "contact", "principal", "systemuser", "team", "activitypointer", "task", "accountleads"
    }  # fmt: skip


def test_the_stamp_is_the_hash_of_the_document(model: Model) -> None:
    assert model.stamp == hashlib.sha256(SMALL).hexdigest()


def test_a_base_without_an_entity_set_stays(model: Model) -> None:
    principal = model.tables["principal"]
    assert (principal.entity_set, principal.primary_key, principal.abstract) == ("", "ownerid", True)
    assert model.tables["systemuser"].base == "principal"
    assert model.tables["account"].base == ""


def test_heirs_of_principal_are_keyed_by_their_own_id(model: Model) -> None:
    user = model.tables["systemuser"]
    assert user.primary_key == "systemuserid"
    assert user.columns["systemuserid"].kind is Kind.KEY and not user.columns["systemuserid"].nullable
    assert user.columns["ownerid"].kind is Kind.VALUE and user.columns["ownerid"].read_only
    assert model.tables["team"].primary_key == "teamid"


def test_an_activity_has_the_columns_of_its_base(model: Model) -> None:
    task = model.tables["task"]
    assert next(iter(task.columns)) == task.primary_key == "activityid"
    assert {"subject", "regardingobjectid", "percentcomplete"} <= set(task.columns)
    assert task.kind == "Activity" and task.base == "activitypointer"
    assert model.tables["account"].kind == "Standard"


def test_a_lookup_is_one_column_named_bare(model: Model) -> None:
    account = model.tables["account"]
    lookup = account.columns["primarycontactid"]
    assert (lookup.wire, lookup.edm, lookup.type, lookup.kind) == (
        "_primarycontactid_value", "Edm.Guid", UUID, Kind.LOOKUP
    )  # fmt: skip
    assert lookup.navigations == {"contact": "primarycontactid"}
    assert account.column("_PrimaryContactId_value") is lookup
    assert "_primarycontactid_value" not in account.columns


def test_owners_bind_through_ownerid_also_on_activities(model: Model) -> None:
    everyone = {"principal": "ownerid", "systemuser": "ownerid", "team": "ownerid"}
    assert model.tables["account"].columns["ownerid"].navigations == everyone
    assert model.tables["task"].columns["ownerid"].navigations == everyone


def test_owners_may_have_an_entity_set() -> None:
    thing = entity("thing", "thingid", prop("thingid", "Guid") + prop("_ownerid_value", "Guid") + OWNER)
    model = csdl.parse(document(PRINCIPAL + thing, {"owners": "principal", "teams": "team", "things": "thing"}))
    assert model.tables["thing"].columns["ownerid"].navigations == {"principal": "ownerid", "team": "ownerid"}
    assert model.tables["team"].primary_key == "teamid"


def test_a_derived_activity_binds_through_its_own_navigation(model: Model) -> None:
    assert model.tables["task"].columns["regardingobjectid"].navigations == {
        "account": "regardingobjectid_account_task",
        "contact": "regardingobjectid_contact",
    }
    assert model.tables["activitypointer"].columns["regardingobjectid"].navigations == {
        "account": "regardingobjectid_account",
        "contact": "regardingobjectid_contact",
    }


def test_a_lookup_without_navigation_cannot_be_set(model: Model) -> None:
    lookup = model.tables["account"].columns["masterid"]
    assert lookup.kind is Kind.LOOKUP and lookup.navigations == {} and lookup.read_only


def test_a_plain_guid_with_a_navigation_stays_a_value(model: Model) -> None:
    account = model.tables["account"]
    assert account.columns["stageid"].kind is Kind.VALUE and account.columns["stageid"].creatable
    assert account.navigations["stageid_processstage"].column == "stageid"


def test_companions_follow_their_lookup(model: Model) -> None:
    names = list(model.tables["account"].columns)
    at = names.index("ownerid")
    assert names[at : at + 3] == ["ownerid", "owneridname", "owneridtype"]
    name, kind = model.tables["account"].columns["owneridname"], model.tables["account"].columns["owneridtype"]
    assert (name.companion, kind.companion) == (Companion.NAME, Companion.TYPE)
    assert name.wire == kind.wire == "_ownerid_value" and name.base == "ownerid"
    assert name.type == VARCHAR and name.read_only
    assert "primarycontactidname" in names and "primarycontactidtype" not in names


def test_a_real_column_comes_before_a_companion_of_its_name() -> None:
    table = one_table(prop("_x_value", "Guid") + prop("xname") + single("x", "thing", "_x_value"))
    assert table.columns["xname"].companion is None
    assert table.columns["xname"].wire == "xname"


def test_a_lookup_beside_a_property_of_its_name_keeps_its_wire_name() -> None:
    table = one_table(prop("_x_value", "Guid") + prop("x") + single("x", "thing", "_x_value"))
    assert table.columns["x"].wire == "x" and table.columns["x"].kind is Kind.VALUE
    assert table.columns["_x_value"].kind is Kind.LOOKUP
    assert table.columns["_x_value"].navigations == {"thing": "x"}


def test_money_is_known_by_its_base_column(model: Model) -> None:
    columns = model.tables["account"].columns
    assert columns["revenue"].type == columns["revenue_base"].type == MONEY
    assert columns["revenue"].kind is columns["revenue_base"].kind is Kind.MONEY
    assert columns["revenue"].updatable and columns["revenue_base"].read_only
    assert columns["exchangerate"].kind is Kind.VALUE


def test_an_image_and_its_parts(model: Model) -> None:
    columns = model.tables["account"].columns
    assert columns["entityimage"].type == BLOB and columns["entityimage"].kind is Kind.IMAGE
    parts = ("entityimage_url", "entityimage_timestamp", "entityimageid")
    assert all(columns[name].read_only for name in parts)
    assert columns["entityimage"].updatable


def test_a_file_and_its_name() -> None:
    columns = one_table(prop("doc", "Guid") + prop("doc_name") + prop("token", "Guid")).columns
    assert (columns["doc"].kind, columns["token"].kind) == (Kind.FILE, Kind.VALUE)
    assert columns["doc"].type.sql == "BLOB" and columns["doc"].apart and columns["doc"].creatable
    assert (columns["doc_name"].kind, columns["doc_name"].base) == (Kind.FILE_NAME, "doc")
    assert (columns["doc_id"].type.sql, columns["doc_id"].read_only) == ("UUID", True)


@pytest.mark.parametrize(
    ("name", "creatable", "updatable"),
    [
        ("name", True, True),
        ("accountid", True, False),
        ("createdon", False, False),
        ("owninguser", False, False),
        ("versionnumber", False, False),
        ("exchangerate", False, False),
        ("overriddencreatedon", True, False),
        ("ownerid", True, True),
    ],
)
def test_who_may_set_what(model: Model, name: str, creatable: bool, updatable: bool) -> None:
    column = model.tables["account"].columns[name]
    assert (column.creatable, column.updatable) == (creatable, updatable)


def test_only_the_key_is_not_nullable(model: Model) -> None:
    assert [c.name for c in model.tables["account"].columns.values() if not c.nullable] == ["accountid"]


def test_navigations_carry_their_column_and_partner(model: Model) -> None:
    account = model.tables["account"]
    tasks = account.navigations["Account_Tasks"]
    assert (tasks.target, tasks.collection, tasks.column) == ("task", True, "regardingobjectid")
    assert account.navigations["primarycontactid"].partner == "account_primary_contact"
    assert account.navigations["accountleads_association"].column == ""
    assert model.tables["task"].navigations["regardingobjectid_account_task"].column == "regardingobjectid"


def test_intersect_tables_are_known_by_their_shape(model: Model) -> None:
    table = model.tables["accountleads"]
    assert table.intersect and table.entity_set == "accountleadscollection"
    ends = [table.columns[name] for name in ("accountid", "leadid")]
    assert all(end.creatable and not end.updatable for end in ends)
    assert table.columns["versionnumber"].read_only
    assert not model.tables["account"].intersect


def annotated(*columns: str) -> Table:
    return one_table("".join(columns) + annotation("Description", 'String="Ein Ding"'))


def test_annotations_describe() -> None:
    table = annotated(prop("a", inside=annotation("Description", 'String="Ü &amp; ß"')))
    assert table.description == "Ein Ding"
    assert table.columns["a"].description == "Ü & ß"


def test_annotations_tell_read_only_columns_and_hide_write_only_ones() -> None:
    table = annotated(
        prop("a", inside=permission("Read")),
        prop("b", inside=annotation("Computed", 'Bool="true"')),
        prop("c", inside=permission("Write")),
        prop("d", inside=annotation("Permissions", 'EnumMember="Org.OData.Core.V1.PermissionType/Read"')),
    )
    assert [table.columns[name].read_only for name in "abd"] == [True, True, True]
    assert "c" not in table.columns


def test_computed_says_nothing_about_a_lookup() -> None:
    both = annotation("Computed", 'Bool="true"') + permission("Read")
    table = annotated(
        prop("_x_value", "Guid", both),
        prop("_y_value", "Guid", permission("Read")),
        single("x", "thing", "_x_value"),
        single("y", "thing", "_y_value"),
    )
    assert table.columns["x"].updatable
    assert table.columns["y"].read_only


def test_alternate_keys() -> None:
    def key(*paths: str) -> str:
        refs = "".join(
            '<Record Type="OData.Community.Keys.V1.PropertyRef">'
            f'<PropertyValue Property="Alias" String="{path}"/><PropertyValue Property="Name" PropertyPath="{path}"/>'
            "</Record>"
            for path in paths
        )
        return (
            '<Record Type="OData.Community.Keys.V1.AlternateKey"><PropertyValue Property="Key">'
            f"<Collection>{refs}</Collection></PropertyValue></Record>"
        )

    table = one_table(
        prop("code")
        + prop("_x_value", "Guid")
        + single("x", "thing", "_x_value")
        + '<Annotation Term="OData.Community.Keys.V1.AlternateKeys"><Collection>'
        + key("code")
        + key("code", "_x_value")
        + key("nosuch")
        + "</Collection></Annotation>"
    )
    assert table.keys == (Key("code", ("code",)), Key("code_x", ("code", "x")))


def test_schema_types_are_not_tables() -> None:
    types = (
        '<EntityType Name="crmmodelbaseentity" Abstract="true"/>'
        + entity("MetadataBase", "MetadataId", prop("MetadataId", "Guid"), "crmmodelbaseentity", abstract=True)
        + entity("EntityMetadata", "", prop("LogicalName"), "MetadataBase")
        + entity("account", "accountid", prop("accountid", "Guid"))
    )
    model = csdl.parse(document(types, {"EntityDefinitions": "EntityMetadata", "accounts": "account"}))
    assert list(model.tables) == ["account"]
    assert model.entity_sets == {"accounts": "account"}


def test_properties_of_complex_types_and_unknown_elements_are_passed_over() -> None:
    table = one_table(
        '<Property Name="iscustomizable" Type="mscrm.BooleanManagedProperty"/>'
        "<Surprise Name='s'><Deeper/></Surprise>" + prop("a", "Int32")
    )
    assert list(table.columns) == ["thingid", "a"]
    assert table.columns["a"].type == INTEGER


def test_bases_that_are_missing_or_go_round_end_the_walk() -> None:
    types = (
        entity("a", "aid", prop("aid", "Guid"), base="b")
        + entity("b", "bid", prop("bid", "Guid"), base="a")
        + entity("c", "cid", prop("cid", "Guid"), base="nosuch")
    )
    model = csdl.parse(document(types, {"as": "a", "bs": "b", "cs": "c"}))
    assert set(model.tables["a"].columns) >= {"aid"}
    assert list(model.tables["c"].columns) == ["cid"]


def test_names_that_differ_in_case_only_are_both_kept() -> None:
    table = one_table(prop("Code") + prop("code"))
    assert {column.wire for column in table.columns.values()} == {"thingid", "Code", "code"}


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><edmx:Edmx xmlns:edmx="x">&c;</edmx:Edmx>'
)
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'
DEEP = HEAD + "<a>" * (MAX_DEPTH + 1) + "</a>" * (MAX_DEPTH + 1) + TAIL


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (BOMB.encode(), "DOCTYPE"),
        (EXTERNAL.encode(), "DOCTYPE"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "HTML page"),
        (b"<html><body>Sign in</body></html>", "<html>"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'/>", "<feed>"),
        (b'{"error": {"code": "0x0"}}', "not XML"),
        (b"", "not XML"),
        (b"\xff\xfe\x00garbage", "not XML"),
        (SMALL[: len(SMALL) // 2], "too early"),
        (SMALL[:-3], "too early"),
        (SMALL.replace(b"</Schema>", b"</Skema>"), "not well-formed"),
        (SMALL.replace(b"accountid", b"account&nbsp;id", 1), "not well-formed"),
        (SMALL + b"<again/>", "not well-formed"),
        (DEEP.encode(), "deeper"),
        (SMALL.replace(b"utf-8", b"klingon", 1), "encoding"),
        (SMALL.replace(b"utf-8", b"shift_jis", 1), "encoding"),
    ],
)
def test_what_is_not_metadata_is_refused_with_a_reason(body: bytes, says: str) -> None:
    with pytest.raises(OperationalError, match=says):
        csdl.parse(body)


def test_too_large_a_document_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlalchemy_dynamics.metadata.document.MAX_BYTES", 2**20)
    with pytest.raises(OperationalError, match="larger than 1 MiB"):
        csdl.parse(b" " * (2**20 + 1))


def test_a_document_in_utf_16_is_read() -> None:
    text = SMALL.decode().replace("utf-8", "utf-16")
    assert "account" in csdl.parse(text.encode("utf-16")).tables


def wires(columns: list[Column]) -> set[str]:
    return {column.wire for column in columns}


def test_every_column_of_a_table_has_a_wire_name_of_its_own(model: Model) -> None:
    for table in model.tables.values():
        real = [column for column in table.columns.values() if column.companion is None]
        assert len(wires(real)) == len(real)
        assert all(name == column.name for name, column in table.columns.items())


VALUES = st.sampled_from(
    ["", "x", "account", "crmbaseentity", "_x_value", "_value", "Collection()", "mscrm.", "Edm.Guid"]
)
PLACES = [
    found.span() for found in re.finditer(r'(?<=")[^"<>]*(?=")', SMALL.decode()) if found[0][:4] not in ("http", "1.0")
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=6, unique_by=lambda change: change[0]))
def test_whatever_the_attributes_say_there_is_a_model_or_a_clear_error(
    changes: list[tuple[tuple[int, int], str]],
) -> None:
    text = SMALL.decode()
    for (start, end), value in sorted(changes, reverse=True):
        text = text[:start] + value + text[end:]
    try:
        model = csdl.parse(text.encode())
    except OperationalError as error:
        assert "$metadata" in str(error)
    else:
        assert all(table.primary_key in table.columns for table in model.tables.values())
