"""File and image columns: set along with their row, large contents in chunks."""

from __future__ import annotations

import base64
import os
import uuid

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, sent

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ADD = "INSERT INTO new_sample (new_sampleid, new_name, new_document) VALUES (?, 'file', ?)"


@pytest.mark.parametrize("content", [b"small", os.urandom(9_000_000)], ids=["small", "in chunks"])
def test_files_are_sent_after_their_row(connect: Connect, org: Sandbox, content: bytes) -> None:
    connection, key = connect(), str(uuid.uuid4())
    cursor = connection.cursor().execute(ADD, (key, ("two ö.txt", content)))
    assert cursor.rowcount == 1 and connection.read_file("new_sample", key, "new_document") == content
    named = cursor.execute("SELECT new_document_name FROM new_sample WHERE new_sampleid = ?", (key,)).fetchone()
    assert named == ("two ö.txt",)
    cursor.execute("UPDATE new_sample SET new_document = ? WHERE new_sampleid = ?", (b"other", key))
    assert connection.read_file("new_sample", key, "new_document") == b"other"
    cursor.execute("UPDATE new_sample SET new_document = NULL WHERE new_sampleid = ?", (key,))
    assert connection.read_file("new_sample", key, "new_document") == b""


def test_images_travel_in_the_row(connect: Connect, org: Sandbox) -> None:
    connection, key = connect(), str(uuid.uuid4())
    connection.cursor().execute("SELECT new_name FROM new_sample LIMIT 1").fetchall()
    sent(org)
    connection.cursor().execute("INSERT INTO account (accountid, name, entityimage) VALUES (?, 'i', ?)", (key, PIXEL))
    assert sent(org) == ["POST accounts"]
    assert connection.read_file("account", key, "entityimage") == PIXEL


def test_what_cannot_be_a_file(connect: Connect) -> None:
    connection = connect()
    with pytest.raises(errors.DataError, match="new_document holds files"):
        connection.cursor().execute(ADD, (str(uuid.uuid4()), 5))
    with pytest.raises(errors.ProgrammingError, match=r"account.name is no file"):
        connection.read_file("account", str(uuid.uuid4()), "name")
    connection.isolation_level = "CHANGESET"
    with pytest.raises(errors.NotSupportedError, match="files cannot wait"):
        connection.cursor().execute(ADD, (str(uuid.uuid4()), b"x"))
