"""File columns in SELECT: what is downloaded, when, and what is refused instead of downloading everything."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import control

FILES = {"a": b"first", "b": None, "c": os.urandom(5_000_000), "d": b"", "e": b"fifth"}
WIDE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (600).to_bytes(4, "big") + (300).to_bytes(4, "big") + b"\x08\0\0\0\0rest"
MINE = "FROM new_sample WHERE new_code LIKE 'file-%'"


@pytest.fixture(scope="module")
def org() -> Iterator[Sandbox]:
    with Sandbox(rows=20, seed=5) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def filled(org: Sandbox) -> dict[str, str]:
    """The keys of rows that hold FILES, by name; row a has a picture."""
    keys = {name: str(uuid.uuid4()) for name in FILES}
    with dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token) as connection:
        sql = "INSERT INTO new_sample (new_sampleid, new_name, new_code, new_document) VALUES (?, ?, ?, ?)"
        for name, content in FILES.items():
            given = None if content is None else (f"{name}.bin", content)
            connection.cursor().execute(sql, (keys[name], name, f"file-{name}", given))
        picture = "UPDATE new_sample SET new_picture = ? WHERE new_sampleid = ?"
        connection.cursor().execute(picture, (WIDE, keys["a"]))
    return keys


@pytest.fixture
def connection(org: Sandbox, filled: dict[str, str]) -> Iterator[dbapi.Connection]:
    with dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token) as connection:
        connection.catalog.tables(["new_sample", "account"])
        yield connection


def rows(connection: dbapi.Connection, sql: str) -> list[tuple[Any, ...]]:
    return connection.cursor().execute(sql).fetchall()


def downloads(org: Sandbox) -> int:
    """Requests for contents since the log was emptied."""
    found = control(org, "GET", "requests")["requests"]
    control(org, "DELETE", "requests")
    return sum("/$value" in each["url"] for each in found)


def test_what_is_selected_is_downloaded(connection: dbapi.Connection, org: Sandbox) -> None:
    downloads(org)
    assert rows(connection, f"SELECT new_name, new_document {MINE} ORDER BY new_name") == list(FILES.items())
    assert downloads(org) == 5  # of five megabytes there are two parts
    assert rows(connection, f"SELECT new_document {MINE} ORDER BY new_name DESC LIMIT 1") == [(b"fifth",)]
    assert downloads(org) == 1


def test_what_a_row_has_of_a_file_costs_no_download(connection: dbapi.Connection, org: Sandbox) -> None:
    downloads(org)
    name, token = rows(connection, "SELECT new_document_name, new_document_id FROM new_sample WHERE new_name = 'a'")[0]
    assert name == "a.bin" and len(token) == 36
    assert rows(connection, f"SELECT new_name {MINE} AND new_document IS NULL") == [("b",)]
    assert rows(connection, f"SELECT count(new_document), count(*) {MINE}") == [(4, 5)]
    assert rows(connection, f"SELECT count(*) {MINE} AND NOT new_document IS NULL AND new_picture IS NULL") == [(3,)]
    assert downloads(org) == 0


def test_a_star_leaves_files_out(connection: dbapi.Connection, org: Sandbox) -> None:
    downloads(org)
    cursor = connection.cursor().execute(f"SELECT * {MINE}")
    names = [each[0] for each in cursor.description or ()]
    assert "new_document" not in names and "new_picture" not in names
    assert {"new_document_id", "new_document_name", "new_pictureid"} <= set(names)
    assert len(cursor.fetchall()) == 5 and downloads(org) == 0
    assert ("note", "new_sample.*: without new_picture, new_document: name a file column to download it") in [
        step[1:] for step in connection.explain("SELECT * FROM new_sample")
    ]
    wide = connection.cursor().execute(f"SELECT *, new_document {MINE} AND new_name = 'e'").fetchall()
    assert wide[0][-1] == b"fifth" and len(wide[0]) == len(names) + 1


def test_sizes_are_told_without_the_content(connection: dbapi.Connection, org: Sandbox) -> None:
    downloads(org)
    cursor = connection.cursor().execute(f"SELECT octet_length(new_document) AS size {MINE} ORDER BY new_name")
    assert cursor.fetchall() == [(5,), (None,), (5_000_000,), (0,), (5,)]
    assert cursor.description is not None and cursor.description[0][1] == dbapi.NUMBER
    received = sum(r["response_bytes"] for r in control(org, "GET", "requests")["requests"] if "/$value" in r["url"])
    assert received < 5000


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT * FROM (SELECT new_name, new_document {MINE}) AS v ORDER BY new_name",
        f"WITH v(n, d) AS (SELECT new_name, new_document {MINE}) SELECT n, d FROM v ORDER BY n",
        f"SELECT s.new_name, s.new_document {MINE.replace('new_sample', 'new_sample s')} ORDER BY s.new_name",
        f"SELECT new_name, (new_document) {MINE} ORDER BY new_name",
        "SELECT a.new_name, b.new_document FROM new_sample a JOIN new_sample b ON a.new_sampleid = b.new_sampleid "
        "WHERE a.new_code LIKE 'file-%' ORDER BY a.new_name",
    ],
    ids=["derived table", "common table expression", "alias", "parentheses", "join"],
)
def test_files_through_queries(connection: dbapi.Connection, sql: str) -> None:
    assert rows(connection, sql) == list(FILES.items())


def test_files_of_several_tables(connection: dbapi.Connection) -> None:
    found = rows(
        connection,
        f"SELECT new_name, new_document {MINE} AND new_name = 'a' UNION ALL SELECT name, NULL FROM account LIMIT 3",
    )
    assert ("a", b"first") in found and len(found) == 3


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT new_name FROM new_sample WHERE new_document = 'x'",
        "SELECT new_name FROM new_sample WHERE octet_length(new_document) > 5",
        "SELECT md5(new_document) FROM new_sample",
        "SELECT max(new_document) FROM new_sample",
        "SELECT new_document FROM new_sample ORDER BY new_document",
        "SELECT new_name, new_document AS d FROM new_sample ORDER BY d",
        "SELECT new_name, new_document FROM new_sample ORDER BY 2",
        "SELECT new_document, count(*) FROM new_sample GROUP BY new_document",
        "SELECT new_document, count(*) FROM new_sample GROUP BY ALL",
        "SELECT upper(d) FROM (SELECT new_document AS d FROM new_sample) AS v",
        "SELECT (SELECT new_document FROM new_sample LIMIT 1)",
        "SELECT new_name FROM new_sample WHERE new_document IN (SELECT new_document FROM new_sample)",
        "SELECT DISTINCT new_document FROM new_sample",
        "SELECT new_document FROM new_sample UNION SELECT new_document FROM new_sample",
        "SELECT new_document FROM new_sample UNION ALL SELECT new_notes FROM new_sample",
        "SELECT new_document FROM (SELECT * FROM new_sample) AS v",
        "SELECT new_document AS d, upper(d) FROM new_sample",
        "SELECT new_document AS d, d AS again FROM new_sample",
        "SELECT new_document, COLUMNS('new_n.*') FROM new_sample",
        "SELECT *, v.d FROM (SELECT new_sampleid, new_document AS d FROM new_sample) AS v JOIN account USING (name)",
        "SELECT d FROM new_sample AS s, LATERAL (SELECT s.new_document AS d) AS v",
    ],
)
def test_what_would_download_every_file_is_refused(connection: dbapi.Connection, org: Sandbox, sql: str) -> None:
    downloads(org)
    with pytest.raises(errors.NotSupportedError, match="file"):
        connection.cursor().execute(sql)
    assert control(org, "GET", "requests")["requests"] == []


def test_images_come_in_full_size_where_they_are_kept(
    connection: dbapi.Connection, org: Sandbox, filled: dict[str, str]
) -> None:
    assert rows(connection, f"SELECT new_name, new_picture {MINE} AND new_picture IS NOT NULL") == [("a", WIDE)]
    assert connection.read_file("new_sample", filled["a"], "new_picture") == WIDE
    key = rows(connection, "SELECT accountid FROM account LIMIT 1")[0][0]
    connection.cursor().execute("UPDATE account SET entityimage = ? WHERE accountid = ?", (WIDE, key))
    downloads(org)
    ((shown,),) = rows(connection, f"SELECT entityimage FROM account WHERE accountid = '{key}'")
    assert shown[16:24] == (144).to_bytes(4, "big") + (72).to_bytes(4, "big") and downloads(org) == 0
    assert connection.read_file("account", key, "entityimage") == shown


def test_record_batches_and_explain(connection: dbapi.Connection) -> None:
    cursor = connection.cursor().execute(f"SELECT new_name, new_document AS d {MINE} ORDER BY new_name")
    table = cursor.fetch_arrow_table()
    assert str(table.schema.field("d").type) == "binary"
    assert table.column("d").to_pylist() == list(FILES.values())
    steps = connection.explain(f"SELECT new_document {MINE}")
    assert steps[-1][1:] == ("request", "GET new_samples({step1.keys})/new_document/$value")


@pytest.mark.parametrize("kind", ["drop", "503", "truncate"])
def test_parts_that_are_lost_are_asked_for_again(connection: dbapi.Connection, org: Sandbox, kind: str) -> None:
    control(org, "POST", "faults", {"kind": kind, "when": "#2", "arg": 0})
    try:
        assert rows(connection, "SELECT new_document FROM new_sample WHERE new_code = 'file-c'") == [(FILES["c"],)]
    finally:
        control(org, "DELETE", "faults")


def test_a_file_that_changes_under_the_reader_is_an_error(connection: dbapi.Connection, filled: dict[str, str]) -> None:
    key = filled["c"]
    with connection.open_file("new_sample", key, "new_document") as file:
        assert file.read(10) == FILES["c"][:10]  # type: ignore[index]
        connection.write_file("new_sample", key, "new_document", os.urandom(4_800_000))
        file.seek(4_500_000)
        with pytest.raises(errors.OperationalError, match="changed while it was read"):
            file.read()
    connection.write_file("new_sample", key, "new_document", FILES["c"])
