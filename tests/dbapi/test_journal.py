"""What Logfile says of statements."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

from sqlalchemy_dynamics.dbapi import connect
from sqlalchemy_dynamics.errors import Error, ProgrammingError


def test_statements_rows_durations_and_errors(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with connect("dynamics://sandbox/?rows=30", Logfile=log) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name FROM account").fetchall()
        cursor.execute("SELECT name FROM account").fetchone()
        with pytest.raises(ProgrammingError):
            cursor.execute("SELECT nosuch FROM account")
    lines = [re.sub(r"[\d.]+ ms", "N ms", line.split(" ", 1)[1]) for line in log.read_text().splitlines()]
    assert lines[:5] == [
        "1 EXEC SELECT name FROM account",
        "1 EXEC 30 rows after N ms",
        "1 EXEC SELECT name FROM account",
        "1 EXEC closed with 30 rows read after N ms",
        "1 EXEC SELECT nosuch FROM account",
    ]
    assert lines[5].startswith("1 EXEC failed: ") and "nosuch" in lines[5]


@pytest.mark.parametrize("call", ["EXEC", "execute", "CALL"])
def test_arguments_of_procedures_stay_out(tmp_path: Path, call: str) -> None:
    log = tmp_path / "log"
    with (
        connect("dynamics://sandbox/?rows=30", Logfile=log) as connection,
        connection.cursor() as cursor,
        contextlib.suppress(Error),
    ):
        cursor.execute(f"{call} RefreshOAuthAccessToken @OAuthRefreshToken = 'canary'")
    assert f"EXEC {call} RefreshOAuthAccessToken (…)" in log.read_text() and "canary" not in log.read_text()
