"""Files of rows as file objects: read at any place, written bit by bit, never whole in memory."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import uuid

import pytest

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .conftest import Connect, sent

CELL = "new_document"
CONTENT = os.urandom(4_500_000)
MEGABYTE = 1024 * 1024


@pytest.fixture
def connection(connect: Connect) -> dbapi.Connection:
    connection = connect()
    connection.catalog.tables(["new_sample"])
    return connection


@pytest.fixture
def row(connection: dbapi.Connection) -> str:
    key = str(uuid.uuid4())
    connection.cursor().execute("INSERT INTO new_sample (new_sampleid, new_name) VALUES (?, 'opened')", (key,))
    return key


def test_writing_and_reading(connection: dbapi.Connection, row: str, org: Sandbox) -> None:
    with connection.open_file("new_sample", row, CELL, "wb", name="ü.bin") as file:
        assert (file.writable(), file.readable(), file.name) == (True, False, "ü.bin")
        shutil.copyfileobj(io.BytesIO(CONTENT), file)
    sent(org)
    with connection.open_file("new_sample", row, CELL) as file:
        assert file.name == "ü.bin" and len(sent(org)) == 1
        assert file.read() == CONTENT and file.read() == b""
    assert len(sent(org)) == 1
    with pytest.raises(ValueError, match="closed"):
        file.read()


def test_reading_at_any_place(connection: dbapi.Connection, row: str, org: Sandbox) -> None:
    connection.write_file("new_sample", row, CELL, CONTENT)
    with connection.open_file("new_sample", row, CELL) as file:
        sent(org)
        assert file.read(10) + file.read(5) == CONTENT[:15] and file.tell() == 15
        assert file.seek(-8, io.SEEK_END) == len(CONTENT) - 8
        assert sent(org) == []
        assert file.read(100) == CONTENT[-8:]
        assert file.seek(1, io.SEEK_CUR) and file.read() == b""
        file.seek(0)
        assert b"".join(iter(lambda: file.read(1_000_003), b"")) == CONTENT
        buffer = bytearray(7)
        file.seek(3)
        assert file.readinto(buffer) == 7 and bytes(buffer) == CONTENT[3:10]  # type: ignore[attr-defined]
        with pytest.raises(ValueError, match="no place -1"):
            file.seek(-1)


def test_lines_of_a_text(connection: dbapi.Connection, row: str) -> None:
    connection.write_file("new_sample", row, CELL, "eins\nzwei ö\n".encode(), "a.txt")
    with io.TextIOWrapper(connection.open_file("new_sample", row, CELL), "utf-8") as text:
        assert list(text) == ["eins\n", "zwei ö\n"]


def test_an_error_keeps_what_was_there(connection: dbapi.Connection, row: str, org: Sandbox) -> None:
    connection.write_file("new_sample", row, CELL, b"old")
    with pytest.raises(ZeroDivisionError), connection.open_file("new_sample", row, CELL, "wb") as file:
        file.write(CONTENT)
        raise ZeroDivisionError
    file = connection.open_file("new_sample", row, CELL, "wb")
    file.write(b"forgotten")
    del file
    assert connection.read_file("new_sample", row, CELL) == b"old"
    assert "POST CommitFileBlocksUpload" not in sent(org)
    with connection.open_file("new_sample", row, CELL, "wb"):
        pass
    assert connection.read_file("new_sample", row, CELL) == b""


def test_what_cannot_be_opened(connection: dbapi.Connection, row: str) -> None:
    with pytest.raises(errors.DataError, match=f"new_document of new_sample {row} holds no file"):
        connection.open_file("new_sample", row, CELL)
    with pytest.raises(errors.InterfaceError, match="mode rb or wb, not 'r'"):
        connection.open_file("new_sample", row, CELL, "r")
    with pytest.raises(errors.ProgrammingError, match=r"new_sample\.new_name is no file"):
        connection.open_file("new_sample", row, "new_name")
    with pytest.raises(errors.DatabaseError, match="does not exist"):
        connection.open_file("new_sample", str(uuid.uuid4()), CELL)
    with (
        pytest.raises(errors.DataError, match="takes files of up to 32,768 KB"),
        connection.open_file("new_sample", row, CELL, "wb") as file,
    ):
        file.write(bytes(33 * MEGABYTE))
    connection.isolation_level = "CHANGESET"
    with pytest.raises(errors.NotSupportedError, match="files cannot wait"):
        connection.open_file("new_sample", row, CELL, "wb")


_SERVER = """
import json, sys
from sqlalchemy_dynamics.sandbox import Sandbox
with Sandbox(rows=1, seed=7) as org:
    print(json.dumps([org.url, org.access_token]), flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_large_file_is_never_in_memory() -> None:
    """32 MB each way, between two processes: this one grows by a few pieces of 4 MB, however large the file."""
    command = [sys.executable, "-c", _SERVER]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, env=environment) as server:
        assert server.stdout is not None
        url, token = json.loads(server.stdout.readline())
        with dbapi.connect(OrganizationUrl=url, OAuthAccessToken=token) as connection:
            key = str(uuid.uuid4())
            sql = "INSERT INTO new_sample (new_sampleid, new_name, new_document) VALUES (?, 'large', ?)"
            connection.cursor().execute(sql, (key, bytes(9 * MEGABYTE)))
            connection.read_file("new_sample", key, CELL)
            before = _peak(reset=True)
            block = bytes(MEGABYTE)
            connection.write_file("new_sample", key, CELL, (block for _ in range(32)))
            with connection.open_file("new_sample", key, CELL) as file:
                size = sum(len(part) for part in iter(lambda: file.read(MEGABYTE), b""))
            grown = _peak() - before
        server.terminate()
    assert size == 32 * MEGABYTE and grown < 28 * MEGABYTE


def _peak(reset: bool = False) -> int:
    """The most memory this process had, since the last reset, in bytes."""
    if reset:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    with open("/proc/self/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines["VmHWM"].split()[0]) * 1024
