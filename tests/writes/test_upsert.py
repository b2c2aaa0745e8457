"""ON CONFLICT on keys and alternate keys, as SQL and as a construct."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

import sqlalchemy_dynamics
from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, Sql, sent
from .test_orm import Account

TAKE_ALL = (
    "INSERT INTO new_sample (new_code, new_name, new_count) VALUES (?, ?, ?) "
    "ON CONFLICT (new_code) DO UPDATE SET new_name = excluded.new_name, new_count = excluded.new_count"
)


def code() -> str:
    return f"c'{uuid.uuid4().hex[:12]}/"


def test_the_service_upserts_by_key_and_by_alternate_key(sql: Sql, org: Sandbox) -> None:
    one = code()
    sql("SELECT new_code FROM new_sample LIMIT 1").fetchall()
    sent(org)
    assert sql(TAKE_ALL, (one, "first", 1)).rowcount == 1
    assert sql(TAKE_ALL, (one.upper(), "second", None)).rowcount == 1
    assert [each.partition("(")[0] for each in sent(org)] == ["PATCH new_samples"] * 2
    assert sql("SELECT new_name, new_count FROM new_sample WHERE new_code = ?", (one,)).fetchall() == [("second", None)]
    key = str(uuid.uuid4())
    both = (
        "INSERT INTO account (accountid, name) VALUES (?, 'k'), (?, 'l') "
        "ON CONFLICT (accountid) DO UPDATE SET name = excluded.name"
    )
    assert sql(both, (key, str(uuid.uuid4()))).rowcount == 2
    assert sent(org)[-1] == "POST accounts/Microsoft.Dynamics.CRM.UpsertMultiple"


def test_existing_rows_are_computed_and_filtered(sql: Sql) -> None:
    old, high, new = (code() for _ in range(3))
    sql(TAKE_ALL, (old, "old", 1))
    sql(TAKE_ALL, (high, "high", 100))
    cursor = sql(
        "INSERT INTO new_sample (new_code, new_name, new_count) VALUES (?, 'x', 5), (?, 'x', 5), (?, 'x', 5) "
        "ON CONFLICT (new_code) DO UPDATE SET new_count = new_count + excluded.new_count * ? "
        "WHERE new_sample.new_count < 50 RETURNING new_name, new_count",
        (old, high, new, 2),
    )
    assert sorted(cursor.fetchall()) == [("old", 11), ("x", 5)] and cursor.rowcount == 2


def test_do_nothing_leaves_rows_alone(sql: Sql) -> None:
    one, two = code(), code()
    sql(TAKE_ALL, (one, "kept", 1))
    nothing = (
        "INSERT INTO new_sample (new_code, new_name) VALUES (?, 'n'), (?, 'n'), (?, 'n') ON CONFLICT {} DO NOTHING"
    )
    assert sql(nothing.format("(new_code)"), (one, two, two)).rowcount == 1
    assert sql(nothing.format(""), (one, two, two)).rowcount == 0
    assert sql("SELECT new_name FROM new_sample WHERE new_code = ?", (one,)).fetchone() == ("kept",)


def test_many_upserts_keep_the_last_value(sql: Sql, connect: Connect) -> None:
    codes = [code() for _ in range(30)]
    sets = [(each, f"{turn}", turn) for turn in range(3) for each in codes]
    cursor = connect().cursor()
    assert cursor.executemany(TAKE_ALL, sets).rowcount == 90
    found = sql("SELECT count(*) FROM new_sample WHERE new_name = '2' AND new_count = 2").fetchone()
    assert found is not None and found[0] >= 30


REFUSED = [
    ("(new_name) DO NOTHING", "is no key of new_sample"),
    ("(new_sampleid) DO NOTHING", "needs a value for new_sampleid"),
    ("(new_code) DO UPDATE SET new_nme = 1", "no column new_nme"),
]


@pytest.mark.parametrize(("clause", "text"), REFUSED)
def test_refused(sql: Sql, clause: str, text: str) -> None:
    with pytest.raises(errors.ProgrammingError, match=text):
        sql(f"INSERT INTO new_sample (new_code, new_name) VALUES ('q', 'q') ON CONFLICT {clause}")


def test_keys_are_checked_like_other_values(sql: Sql) -> None:
    with pytest.raises(errors.DataError, match=r"new_sample.new_code takes \d+ characters"):
        sql(TAKE_ALL, ("c" * 500, "x", 1))


def test_a_row_is_changed_once_only(sql: Sql) -> None:
    with pytest.raises(errors.ProgrammingError, match="twice"):
        sql(
            "INSERT INTO new_sample (new_code, new_name) VALUES ('t', 'a'), ('T', 'b') "
            "ON CONFLICT (new_code) DO UPDATE SET new_name = 'x'"
        )


def test_the_construct(engine: Any) -> None:
    key = sqlalchemy_dynamics.client_key(None)
    insert = sqlalchemy_dynamics.insert(Account).values(accountid=key, name="construct", revenue=1)
    take = insert.on_conflict_do_update(index_elements=["accountid"], set_={"name": insert.excluded.name})
    add = insert.on_conflict_do_update(
        index_elements=[Account.accountid], set_={"revenue": Account.revenue + insert.excluded.revenue}
    )
    with engine.begin() as connection:
        for statement in (take, take, add, insert.on_conflict_do_nothing(index_elements=["accountid"])):
            connection.execute(statement)
        found = connection.execute(sa.select(Account.name, Account.revenue).where(Account.accountid == key)).all()
    assert [tuple(row) for row in found] == [("construct", 2)]
