"""Statements a BI tool was seen to send: the same answer with pushdown and without, and the requests they become.

`recorded_requests.txt` holds the requests by the statement's number and title; `python -m
tests.differential.test_recorded_statements` writes them anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.differential.ways import comparable
from tests.shared import FOLDER

STATEMENTS = FOLDER / "superset" / "superset_statements.sql"
pytestmark = pytest.mark.skipif(not STATEMENTS.exists(), reason="the recorded statements are not beside this checkout")


def _recorded() -> list[tuple[str, str]]:
    if not STATEMENTS.exists():
        return []
    blocks = re.split(r"\n(?=-- )", STATEMENTS.read_text(encoding="utf-8"))
    parts = [block.partition("\n") for block in blocks]
    return [(title.removeprefix("-- "), sql.strip().rstrip(";")) for title, _, sql in parts if sql.strip()]


SELECTS = [(title, sql) for title, sql in _recorded() if re.match(r"(/\*.*?\*/\s*)?(SELECT|WITH|\()", sql, re.DOTALL)]


REQUESTS = Path(__file__).parent / "recorded_requests.txt"


@contextmanager
def _organisation() -> Iterator[dict[str, str]]:
    with Sandbox(rows=250, seed=4) as org:
        yield {"OrganizationUrl": org.url, "OAuthAccessToken": org.access_token}


@pytest.fixture(scope="module")
def connections() -> Iterator[tuple[dbapi.Connection, dbapi.Connection]]:
    with (
        _organisation() as token,
        dbapi.connect(**token) as pushed,
        dbapi.connect(**token, Pushdown=False) as local,
    ):
        yield pushed, local


def _run(connection: dbapi.Connection, sql: str) -> Any:
    with connection.cursor() as cursor:
        try:
            rows = cursor.execute(sql).fetchall()
        except errors.ProgrammingError as error:
            return type(error)
        names = [(column[0], str(column[1])) for column in cursor.description or ()]
    return names, sorted((tuple(map(comparable, row)) for row in rows), key=repr)


@pytest.mark.parametrize(("title", "sql"), SELECTS, ids=[f"{n} {title}" for n, (title, _) in enumerate(SELECTS)])
def test_same_answer(connections: tuple[dbapi.Connection, dbapi.Connection], title: str, sql: str) -> None:
    pushed, local = (_run(connection, sql) for connection in connections)
    if isinstance(pushed, tuple) and "LIMIT" in sql:  # which of several equal rows come first is nobody's promise
        assert pushed[0] == local[0] and len(pushed[1]) == len(local[1])
    else:
        assert pushed == local


def _asked(connection: dbapi.Connection, sql: str) -> list[str]:
    """Return the requests of a statement and whether anything is left, or the class of its error."""
    try:
        steps = connection.explain(sql)
    except errors.Error as error:
        return [f"  {type(error).__name__}"]
    asked = [f"  {unquote(detail)}" for _, kind, detail in steps if kind == "request"]
    return [*asked, *("  and a residual" for _, kind, _ in steps if kind == "residual")] or ["  nothing"]


def _written(connection: dbapi.Connection) -> str:
    blocks = ("\n".join([f"{number} {title}", *_asked(connection, sql)]) for number, (title, sql) in enumerate(SELECTS))
    return "\n\n".join(blocks) + "\n"


def test_they_become_these_requests(connections: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    assert _written(connections[0]) == REQUESTS.read_text(encoding="utf-8")


if __name__ == "__main__":
    with _organisation() as token, dbapi.connect(**token) as connection:
        REQUESTS.write_text(_written(connection), encoding="utf-8")
