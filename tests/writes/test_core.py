"""Core's INSERT … SELECT and ON CONFLICT DO NOTHING, lists of choices, and what there is no transaction for."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy

from sqlalchemy_dynamics import errors, insert
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Sql

sa: Any = sqlalchemy


@pytest.fixture(scope="module")
def engine(org: Sandbox) -> Any:
    return sa.create_engine(
        "dynamics://", connect_args={"OrganizationUrl": org.url, "OAuthAccessToken": org.access_token}
    )


@pytest.fixture(scope="module")
def sample(engine: Any) -> Any:
    return sa.Table("new_sample", sa.MetaData(), autoload_with=engine, resolve_fks=False)


def test_each_row_of_an_insert_from_select_has_its_own_key(engine: Any, sample: Any, sql: Sql) -> None:
    account = sa.table("account", sa.column("name"), sa.column("accountnumber"))
    code = sa.literal("f") + account.c.accountnumber
    one = sa.select(code, account.c.name).limit(3)
    two = sa.select(sa.literal("g") + account.c.accountnumber, account.c.name).union(
        sa.select(sa.literal("h") + account.c.accountnumber, account.c.name)
    )
    with engine.begin() as connection:
        assert connection.execute(sa.insert(sample).from_select(["new_code", "new_name"], one)).rowcount == 3
        assert connection.execute(sa.insert(sample).from_select(["new_code", "new_name"], two)).rowcount == 24
    found = sql("SELECT count(*), count(DISTINCT new_sampleid) FROM new_sample WHERE new_code LIKE '%ACC-%'")
    assert found.fetchall() == [(27, 27)]


def test_do_nothing_without_a_target_heeds_every_key(engine: Any, sample: Any, sql: Sql) -> None:
    sql("INSERT INTO new_sample (new_code) VALUES ('n1')")
    key = str(uuid.uuid4())
    other = "INSERT INTO new_sample (new_sampleid, new_code) VALUES (?, ?) ON CONFLICT DO NOTHING"
    counts = [sql(other, [key, code]).rowcount for code in ("n1", "n2", "n3")]
    assert counts == [0, 1, 0]
    with engine.begin() as connection:
        again = insert(sample).values(new_code="n2").on_conflict_do_nothing()
        assert connection.execute(again).rowcount == 0
        many = [{"new_code": code} for code in ("n1", "n4", "n2")]
        assert connection.execute(insert(sample).on_conflict_do_nothing(), many).rowcount == 1
    twice = sql(
        "INSERT INTO new_sample (new_sampleid, new_code) VALUES (uuid(), 'n5'), (uuid(), 'n5'), (uuid(), NULL), "
        "(uuid(), NULL), (uuid(), 'n1') ON CONFLICT DO NOTHING RETURNING new_code"
    )
    assert twice.fetchall() == [("n5",), (None,), (None,)]


def test_upserted_rows_are_returned_in_their_order(sql: Sql) -> None:
    sql("INSERT INTO new_sample (new_code) VALUES ('o1'), ('o3')")
    statement = (
        "INSERT INTO new_sample (new_code, new_name) VALUES ('o1', 'a'), ('o2', 'b'), ('o3', 'c'), ('o4', 'd') "
        "ON CONFLICT (new_code) DO UPDATE SET new_name = excluded.new_name RETURNING new_code, new_name"
    )
    assert sql(statement).fetchall() == [("o1", "a"), ("o2", "b"), ("o3", "c"), ("o4", "d")]


def test_do_update_computes_with_subqueries(sql: Sql) -> None:
    sql("INSERT INTO new_sample (new_code, new_name) VALUES ('sub', 'a')")
    statement = "INSERT INTO new_sample (new_code, new_name) VALUES ('sub', 'b') ON CONFLICT (new_code) DO UPDATE SET "
    summed = sql(statement + "new_count = (SELECT count(*) FROM account WHERE name IS NOT NULL) RETURNING new_count")
    assert summed.fetchall() == [(12,)]
    kept = sql(statement + "new_name = 'c' WHERE EXISTS (SELECT 1 FROM account WHERE name = 'Nobody')")
    assert kept.rowcount == 0


@pytest.mark.parametrize(
    "statement",
    [
        "WITH d AS (DELETE FROM account WHERE name = 'x' RETURNING name) SELECT * FROM d",
        "WITH d AS (INSERT INTO account (name) VALUES ('x') RETURNING accountid) "
        "INSERT INTO contact (lastname, parentcustomerid) SELECT 'x', accountid FROM d",
    ],
)
def test_a_statement_within_another_does_not_write(statement: str, sql: Sql) -> None:
    with pytest.raises(errors.NotSupportedError, match="a statement within another cannot write"):
        sql(statement)


def test_a_reflected_lookup_takes_table_and_guid(engine: Any, sample: Any, sql: Sql) -> None:
    key = sql("SELECT contactid FROM contact LIMIT 1").fetchall()[0][0]
    asked = sa.text("SELECT new_customerid, new_customeridtype FROM new_sample WHERE new_code = 'pair'")
    with engine.begin() as connection:
        connection.execute(sa.insert(sample).values(new_code="pair", new_customerid=("contact", uuid.UUID(key))))
        assert connection.execute(asked).all() == [(key, "contact")]


def test_links_know_no_conflict_but_may_be_left_out(sql: Sql) -> None:
    statement = (
        "INSERT INTO opportunitycompetitors (opportunityid, competitorid) "
        "SELECT o.opportunityid, c.competitorid FROM opportunity o CROSS JOIN competitor c"
    )
    with pytest.raises(errors.NotSupportedError, match=r"add WHERE NOT EXISTS"):
        sql(f"{statement} WHERE TRUE ON CONFLICT DO NOTHING")
    missing = (
        " WHERE NOT EXISTS (SELECT 1 FROM opportunitycompetitors l "
        "WHERE l.opportunityid = o.opportunityid AND l.competitorid = c.competitorid)"
    )
    assert sql(statement + missing).rowcount > 0
    assert sql(statement + missing).rowcount == 0


def test_choices_of_a_list(sql: Sql) -> None:
    statement = "INSERT INTO new_sample (new_colors) VALUES (?) RETURNING new_colors, new_colorsname"
    for value in ("Amber; Bronze", "amber,bronze", "1;2", ["Amber", 2]):
        assert sql(statement, [value]).fetchall() == [("1,2", "Amber; Bronze")]
    assert sql(statement, [[]]).fetchall() == [(None, None)]
    with pytest.raises(errors.DataError, match=r"has no choice 'Nix': it has 1 Accounting, .*, and 21 more$"):
        sql("INSERT INTO account (industrycode) VALUES ('Nix')")


def test_no_two_phases(engine: Any) -> None:
    with engine.connect() as connection, pytest.raises(sa.exc.NotSupportedError, match="no two-phase commit"):
        connection.begin_twophase()
