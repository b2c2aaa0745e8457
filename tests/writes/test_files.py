"""Files and images set by SQL: along with their row, of any size, from bytes, file objects and iterators."""

from __future__ import annotations

import base64
import io
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, control, sent

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ADD = "INSERT INTO new_sample (new_sampleid, new_name, new_document) VALUES (?, 'file', ?)"
SET = "UPDATE new_sample SET new_document = ? WHERE new_sampleid = ?"
NAMED = "SELECT new_document_name, new_document FROM new_sample WHERE new_sampleid = ?"
LARGE = os.urandom(4_500_000)
Held = Callable[[str], tuple[Any, ...]]


@pytest.fixture
def connection(connect: Connect, org: Sandbox) -> dbapi.Connection:
    connection = connect()
    connection.catalog.tables(["new_sample"])
    sent(org)
    return connection


@pytest.fixture
def row(connection: dbapi.Connection) -> str:
    """A row that holds the file b"old"."""
    key = str(uuid.uuid4())
    connection.cursor().execute(ADD, (key, b"old"))
    return key


def held(connection: dbapi.Connection, key: str) -> tuple[Any, ...]:
    found = connection.cursor().execute(NAMED, (key,)).fetchone()
    assert found is not None
    return found


@pytest.mark.parametrize("content", [b"small", b"", LARGE], ids=["small", "empty", "in blocks"])
def test_files_are_sent_after_their_row(connection: dbapi.Connection, org: Sandbox, content: bytes) -> None:
    key = str(uuid.uuid4())
    cursor = connection.cursor().execute(ADD, (key, ("two ö.txt", content)))
    requests = sent(org)
    assert cursor.rowcount == 1 and requests[0] == "POST new_samples"
    assert ("POST UploadBlock" in requests) == (len(content) > 4 * 1024 * 1024)
    assert held(connection, key) == ("two ö.txt", content)
    assert connection.read_file("new_sample", key, "new_document") == content
    cursor.execute(SET, (b"other", key))
    assert held(connection, key) == ("new_document.bin", b"other")
    cursor.execute(SET, (None, key))
    assert held(connection, key) == (None, None)
    assert connection.read_file("new_sample", key, "new_document") == b""


def _parts() -> Iterator[bytes]:
    yield from (LARGE[start : start + 1_000_001] for start in range(0, len(LARGE), 1_000_001))


@pytest.mark.parametrize(
    "make",
    [bytearray, memoryview, io.BytesIO, lambda data: _parts(), lambda data: io.BufferedReader(io.BytesIO(data))],
    ids=["bytearray", "memoryview", "file object", "iterator", "buffered"],
)
def test_what_holds_bytes_is_sent_piece_by_piece(
    connection: dbapi.Connection, row: str, org: Sandbox, make: Callable[[bytes], object]
) -> None:
    sent(org)
    connection.cursor().execute(SET, (make(LARGE), row))
    assert sent(org).count("POST UploadBlock") == 2
    assert connection.read_file("new_sample", row, "new_document") == LARGE


def test_a_file_on_disk_from_where_it_stands(connection: dbapi.Connection, row: str, tmp_path: Path) -> None:
    path = tmp_path / "letter.pdf"
    path.write_bytes(b"head and body")
    with path.open("rb") as file:
        file.seek(5)
        connection.cursor().execute(SET, (("letter.pdf", file), row))
    assert held(connection, row) == ("letter.pdf", b"and body")


def test_the_name_is_a_column(connection: dbapi.Connection, row: str) -> None:
    cursor = connection.cursor()
    cursor.execute(
        "UPDATE new_sample SET new_document = ?, new_document_name = 'b.txt' WHERE new_sampleid = ?", (b"new", row)
    )
    assert held(connection, row) == ("b.txt", b"new")
    with pytest.raises(errors.ProgrammingError, match="names the file that is sent: set new_document as well"):
        cursor.execute("UPDATE new_sample SET new_document_name = 'c.txt' WHERE new_sampleid = ?", (row,))
    with pytest.raises(errors.ProgrammingError, match="new_document_id only shows new_document"):
        cursor.execute("UPDATE new_sample SET new_document_id = NULL WHERE new_sampleid = ?", (row,))


def test_files_of_other_rows_are_copied_without_being_held(
    connection: dbapi.Connection, row: str, org: Sandbox
) -> None:
    cursor = connection.cursor().execute(SET, (("big.bin", LARGE), row))
    copy, other = str(uuid.uuid4()), str(uuid.uuid4())
    cursor.execute(
        "INSERT INTO new_sample (new_sampleid, new_name, new_count, new_document) "
        "SELECT CAST(? AS VARCHAR), 'copy', octet_length(new_document), new_document FROM new_sample "
        "WHERE new_sampleid = ?",
        (copy, row),
    )
    assert held(connection, copy) == ("big.bin", LARGE)
    size = cursor.execute("SELECT new_count FROM new_sample WHERE new_sampleid = ?", (copy,)).fetchone()
    assert size == (len(LARGE),)
    cursor.execute(ADD, (other, None))
    cursor.execute(
        "UPDATE new_sample SET new_document = c.new_document FROM new_sample c "
        "WHERE new_sample.new_sampleid = ? AND c.new_sampleid = ?",
        (other, copy),
    )
    assert held(connection, other) == ("big.bin", LARGE)


def test_returning_shows_what_was_sent(connection: dbapi.Connection, row: str) -> None:
    cursor = connection.cursor()
    found = cursor.execute(
        "INSERT INTO new_sample (new_name, new_document) VALUES ('r', ?) RETURNING new_document_name, new_document, "
        "octet_length(new_document)",
        (("r.txt", b"abc"),),
    ).fetchall()
    assert found == [("r.txt", b"abc", 3)]
    gone = cursor.execute("DELETE FROM new_sample WHERE new_sampleid = ? RETURNING new_name, new_document", (row,))
    assert gone.fetchall() == [("file", b"old")]


def test_many_rows_with_files(connection: dbapi.Connection, org: Sandbox) -> None:
    keys = [str(uuid.uuid4()) for _ in range(7)]
    cursor = connection.cursor()
    cursor.executemany(ADD, [(key, None if n == 3 else f"file {n}".encode()) for n, key in enumerate(keys)])
    requests = sent(org)
    assert requests[0].endswith("CreateMultiple") and len(requests) == 7
    assert held(connection, keys[3]) == (None, None) and held(connection, keys[5])[1] == b"file 5"


def test_rows_that_are_missing_or_stale_get_no_file(connection: dbapi.Connection, row: str, org: Sandbox) -> None:
    cursor = connection.cursor()
    sent(org)
    assert cursor.execute(SET, (b"new", str(uuid.uuid4()))).rowcount == 0
    assert cursor.execute(SET + " AND versionnumber = 1", (b"new", row)).rowcount == 0
    assert not any(request.endswith("/new_document") for request in sent(org))
    assert held(connection, row)[1] == b"old"


def test_images_travel_in_the_row(connection: dbapi.Connection, org: Sandbox) -> None:
    key, cursor = str(uuid.uuid4()), connection.cursor()
    cursor.execute("INSERT INTO account (accountid, name, entityimage) VALUES (?, 'i', ?)", (key, io.BytesIO(PIXEL)))
    assert sent(org) == ["POST accounts"]
    assert connection.read_file("account", key, "entityimage") == PIXEL
    connection.write_file("account", key, "entityimage", None)
    assert connection.read_file("account", key, "entityimage") == b""
    connection.write_file("account", key, "entityimage", iter([PIXEL[:9], PIXEL[9:]]))
    find = "SELECT entityimage, entityimage_url IS NULL FROM account WHERE accountid = ?"
    assert cursor.execute(find, (key,)).fetchall() == [(PIXEL, False)]


def test_what_cannot_be_a_file(connection: dbapi.Connection, row: str, org: Sandbox) -> None:
    cursor = connection.cursor()
    sent(org)
    for wrong in (5, "text", ["list"]):
        with pytest.raises(errors.DataError, match="new_document holds files: give bytes, a binary file object"):
            cursor.execute(SET, (wrong, row))
    with pytest.raises(errors.DataError, match="takes files of up to 32,768 KB, this one has 32,769 KB"):
        cursor.execute(SET, (bytes(32768 * 1024 + 1), row))
    with pytest.raises(errors.NotSupportedError, match="ON CONFLICT cannot set file columns"):
        cursor.execute(ADD + " ON CONFLICT (new_sampleid) DO NOTHING", (row, b"x"))
    with pytest.raises(errors.NotSupportedError, match="ON CONFLICT cannot set file columns"):
        cursor.execute(
            "INSERT INTO new_sample (new_sampleid) VALUES (?) ON CONFLICT (new_sampleid) "
            "DO UPDATE SET new_document = ?",
            (row, b"x"),
        )
    with pytest.raises(errors.ProgrammingError, match=r"account.name is no file"):
        connection.read_file("account", row, "name")
    connection.isolation_level = "CHANGESET"
    for refused in (
        lambda: cursor.execute(SET, (b"x", row)),
        lambda: connection.write_file("new_sample", row, "new_document", b"x"),
    ):
        with pytest.raises(errors.NotSupportedError, match="files cannot wait"):
            refused()
    connection.rollback()
    assert sent(org) == []


def test_what_is_refused_on_the_way_is_told(connection: dbapi.Connection, row: str, connect: Connect) -> None:
    cursor, key = connection.cursor(), str(uuid.uuid4())
    with pytest.raises(errors.DatabaseError) as told:
        cursor.execute(ADD, (key, ("virus.exe", b"MZ")))
    assert f"row 1 of INSERT new_sample (new_sampleid {key}): the row was inserted, but not its new_document" in str(
        told.value
    )
    assert "not a valid type" in str(told.value) and held(connection, key) == (None, None)
    with pytest.raises(errors.DataError, match=r"the row was updated, but not its new_document, which holds what it"):
        cursor.execute(SET, ((bytes(1 << 20) for _ in range(33)), row))
    with pytest.raises(errors.DataError, match="a file holds bytes, not str"):
        cursor.execute(SET, (io.StringIO("text"), row))
    assert held(connection, row)[1] == b"old"
    with pytest.raises(errors.NotSupportedError, match="read-only"):
        connect(ReadOnly=True).write_file("new_sample", row, "new_document", b"x")


def test_of_many_files_those_not_sent_are_named(connection: dbapi.Connection, connect: Connect) -> None:
    names = ["a.txt", "b.exe", "c.txt", "d.exe"]
    sets = [(str(uuid.uuid4()), (name, b"x")) for name in names]
    tolerant = connect(ContinueOnError=True)
    assert tolerant.cursor().executemany(ADD, sets).rowcount == 4
    assert [row for row, _ in tolerant.failures] == [2, 4]
    assert [held(connection, key)[0] for key, _ in sets] == ["a.txt", None, "c.txt", None]
    strict = connect(MaxConcurrency=1).cursor()
    with pytest.raises(errors.DatabaseError, match=r"row 2 of INSERT .*without their files, too: rows 3, 4"):
        strict.executemany(ADD, [(str(uuid.uuid4()), content) for _, content in sets])


@pytest.mark.parametrize(("kind", "place"), [*(("drop", place) for place in range(1, 7)), ("503", 3), ("503", 6)])
def test_lost_answers_leave_the_file_whole(
    org: Sandbox, connection: dbapi.Connection, row: str, kind: str, place: int
) -> None:
    """The answers to the row, to each request of the upload, and to its end are lost in turn: no more is sent than
    what had to be, and one file is there."""
    control(org, "POST", "faults", {"kind": kind, "when": f"#{place}", "arg": 0})
    connection.cursor().execute(SET, (iter([LARGE]), row))
    control(org, "DELETE", "faults")
    assert sent(org).count("POST CommitFileBlocksUpload") <= 3
    assert connection.read_file("new_sample", row, "new_document") == LARGE
