"""The inspector over the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from sqlalchemy_dynamics.dialect import GUID
from sqlalchemy_dynamics.dialect.tables import ServerMade

SQLALCHEMY_2 = not sa.__version__.startswith("1.")


def columns(engine: sa.engine.Engine, table: str) -> dict[str, Any]:
    return {column["name"]: column for column in sa.inspect(engine).get_columns(table)}


def test_tables(engine: sa.engine.Engine) -> None:
    inspector = sa.inspect(engine)
    names = inspector.get_table_names()
    assert names == sorted(names) and {"account", "contact", "opportunity", "task", "systemuser"} <= set(names)
    assert inspector.get_view_names() == [] and inspector.get_schema_names() == []
    assert inspector.get_table_names(schema="dbo") == []


def test_columns_know_type_length_comment_and_choices(engine: sa.engine.Engine) -> None:
    found = columns(engine, "account")
    assert isinstance(found["accountid"]["type"], GUID) and not found["accountid"]["nullable"]
    assert isinstance(found["name"]["type"], sa.VARCHAR) and found["name"]["type"].length == 160
    assert found["name"]["comment"] in ("Account Name", "Name")
    assert (found["revenue"]["type"].precision, found["revenue"]["type"].scale) == (19, 4)
    assert isinstance(found["createdon"]["type"], sa.TIMESTAMP) and found["createdon"]["type"].timezone
    assert found["statecode"]["info"]["choices"] == {0: "Active", 1: "Inactive"}
    assert found["primarycontactid"]["info"] == {"targets": ["contact"]}
    assert str(found["accountid"]["type"].compile(dialect=engine.dialect)) == "UUID"


def test_companions_stand_behind_their_base_and_are_never_written(engine: sa.engine.Engine) -> None:
    found = columns(engine, "account")
    names = list(found)
    assert names[names.index("primarycontactid") + 1] == "primarycontactidname"
    assert found["primarycontactidname"]["info"] == {"companion_of": "primarycontactid"}
    assert isinstance(found["primarycontactidname"]["default"], ServerMade)


def test_keys(engine: sa.engine.Engine) -> None:
    inspector = sa.inspect(engine)
    assert inspector.get_pk_constraint("account")["constrained_columns"] == ["accountid"]
    keys = {key["constrained_columns"][0]: key for key in inspector.get_foreign_keys("account")}
    assert keys["primarycontactid"]["referred_table"] == "contact"
    assert keys["primarycontactid"]["referred_columns"] == ["contactid"]
    if inspector.has_table("principal"):
        assert keys["ownerid"]["referred_columns"] == ["ownerid"]
    else:
        assert "ownerid" not in keys
    assert "parentcustomerid" not in {key["constrained_columns"][0] for key in inspector.get_foreign_keys("contact")}


def test_unique_constraints_are_the_alternate_keys(engine: sa.engine.Engine) -> None:
    inspector = sa.inspect(engine)
    found = {name: inspector.get_unique_constraints(name) for name in inspector.get_table_names()}
    assert any(found.values())
    assert all(constraint["column_names"] for each in found.values() for constraint in each)


def test_names_in_any_case_and_entity_sets(engine: sa.engine.Engine) -> None:
    inspector = sa.inspect(engine)
    assert inspector.has_table("Account") and inspector.has_table("accounts")
    assert [column["name"] for column in inspector.get_columns("ACCOUNT")] == list(columns(engine, "account"))


def test_sql_text_is_no_table_and_costs_nothing(organization: Any) -> None:
    organization.forget()
    inspector = sa.inspect(organization.engine())
    assert not inspector.has_table("SELECT name FROM account")
    assert not inspector.has_table("account", schema="dbo")
    assert organization.requests() == []


METHODS = ["columns", "pk_constraint", "foreign_keys", "unique_constraints", "indexes", "check_constraints",
           "table_comment", "table_options"]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["nosuchtable", "select 1"])
def test_unknown_tables(engine: sa.engine.Engine, method: str, name: str) -> None:
    inspector = sa.inspect(engine)
    with pytest.raises(sa.exc.NoSuchTableError):
        getattr(inspector, f"get_{method}")(name)
    with pytest.raises(sa.exc.NoSuchTableError):
        getattr(inspector, f"get_{method}")("account", schema="dbo")


def test_known_tables_have_no_indexes_or_checks(engine: sa.engine.Engine) -> None:
    inspector = sa.inspect(engine)
    assert inspector.get_indexes("account") == [] and inspector.get_check_constraints("account") == []
    assert inspector.get_table_comment("account")["text"] == "Account"


def test_a_reflected_insert_leaves_out_what_the_server_makes(engine: sa.engine.Engine) -> None:
    table = sa.Table("account", sa.MetaData(), autoload_with=engine, resolve_fks=False)
    for name in ("createdon", "versionnumber", "primarycontactidname"):
        column = table.c[name]
        assert column.server_default is not None and column.server_onupdate is not None, name
    assert table.c.accountid.server_default is None and table.c.accountid.default is not None
    assert table.c.name.server_default is None
    assert table.c.statecode.server_default is not None
    copied = table.to_metadata(sa.MetaData())
    assert copied.c.createdon.server_onupdate is not None and copied.c.accountid.default is not None


@pytest.mark.skipif(not SQLALCHEMY_2, reason="get_multi_* are new in SQLAlchemy 2")
def test_many_tables_are_asked_for_together(organization: Any) -> None:
    with organization.engine().connect() as connection:
        connection.connection.catalog.refresh()
        organization.forget()
        found = sa.inspect(connection).get_multi_columns(filter_names=["account", "contact", "lead"])
    assert {name for _, name in found} == {"account", "contact", "lead"}
    assert len(organization.requests()) == 2  # $metadata and one batch


def test_following_foreign_keys_takes_few_requests(organization: Any) -> None:
    engine = organization.engine()
    with engine.connect() as connection:
        connection.connection.catalog.refresh()
    organization.forget()
    metadata = sa.MetaData()
    sa.Table("opportunity", metadata, autoload_with=engine)
    assert {"account", "contact", "transactioncurrency"} <= set(metadata.tables)
    assert len(organization.requests()) <= 5


def test_methods_take_keywords_as_superset_calls_them(engine: sa.engine.Engine) -> None:
    with engine.connect() as connection:
        assert engine.dialect.get_view_names(connection=connection, schema=None) == []
        assert "account" in engine.dialect.get_table_names(connection=connection, schema=None)
        assert engine.dialect.has_table(connection=connection, table_name="account", schema=None)


def test_the_whole_organisation(engine: sa.engine.Engine) -> None:
    metadata = sa.MetaData()
    metadata.reflect(engine)
    assert len(metadata.tables) == len(sa.inspect(engine).get_table_names())
    assert metadata.tables["opportunity"].c.parentaccountid.references(metadata.tables["account"].c.accountid)
