"""Elastic tables hold nothing together: what was written is found out row by row, and upserts keep other columns."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.sandbox import Sandbox

ADD = "INSERT INTO new_sample (new_sampleid, new_name, new_count) VALUES (?, ?, ?)"


@pytest.fixture(scope="module")
def org() -> Iterator[Sandbox]:
    with Sandbox(rows=3, seed=7) as sandbox:
        sandbox.service.organisation.tables["new_sample"].table_type = "Elastic"
        yield sandbox


@pytest.fixture
def connection(org: Sandbox) -> Iterator[dbapi.Connection]:
    with dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token) as connection:
        yield connection


def rows(name: str) -> list[Any]:
    return [(str(uuid.uuid4()), name, number) for number in range(6)]


def names(connection: dbapi.Connection, name: str) -> set[str]:
    found = connection.cursor().execute("SELECT new_sampleid FROM new_sample WHERE new_name = ?", (name,)).fetchall()
    return {row[0] for row in found}


def test_what_was_written_before_the_refusal_is_told(connection: dbapi.Connection) -> None:
    taken, made = str(uuid.uuid4()), rows("in part")
    cursor = connection.cursor()
    cursor.execute(ADD, (taken, "taken", 1))
    made[3] = (taken, "in part", 3)
    with pytest.raises(errors.IntegrityError, match="written: rows 1-3; refused: rows 4; not written: rows 5-6"):
        cursor.executemany(ADD, made)
    assert names(connection, "in part") == {row[0] for row in made[:3]}
    missing = str(uuid.uuid4())
    changed = [(9, row[0]) for row in made[:2]] + [(9, missing)]
    assert cursor.executemany("UPDATE new_sample SET new_count = ? WHERE new_sampleid = ?", changed).rowcount == 2
    assert cursor.execute("DELETE FROM new_sample WHERE new_name = 'in part'").rowcount == 3


def test_upserts_change_what_they_name(connection: dbapi.Connection) -> None:
    key, cursor = str(uuid.uuid4()), connection.cursor()
    cursor.execute(ADD, (key, "kept", 1))
    take = (
        "INSERT INTO new_sample (new_sampleid, new_count) VALUES (?, ?) "
        "ON CONFLICT (new_sampleid) DO UPDATE SET new_count = excluded.new_count"
    )
    assert cursor.executemany(take, [(key, 5), (str(uuid.uuid4()), 6)]).rowcount == 2
    found = cursor.execute("SELECT new_name, new_count FROM new_sample WHERE new_sampleid = ?", (key,)).fetchone()
    assert found == ("kept", 5)


def test_change_sets_do_not_take_them(connection: dbapi.Connection) -> None:
    connection.isolation_level = "CHANGESET"
    with pytest.raises(errors.NotSupportedError, match="new_sample is elastic"):
        connection.cursor().execute(ADD, (str(uuid.uuid4()), "x", 1))
