"""answer(pushdown) == answer(no pushdown) == plain DuckDB over the same rows, for random statements and rows.

The number of statements per run is `DYNAMICS_DIFFERENTIAL` (default 300); schema, rows and statements come of
`DYNAMICS_DIFFERENTIAL_SEED`, which the gate sets to the number of commits. A failure prints the statement, shrunk, and
the seed.
"""

from __future__ import annotations

import json
import math
import os
import re
import unicodedata
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, note, seed, settings

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.execute import planning
from sqlalchemy_dynamics.execute.guid_order import GUID_MACRO
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.differential.organisation import COLUMNS, METADATA, SEED, TEXTS, rows
from tests.differential.statements import statement

NOON = datetime(2024, 2, 14, 12, 0, 0, 250_000, UTC)
TEXT_COLUMNS = [name for name, kind in COLUMNS.items() if kind == "text"]
EXAMPLES = int(os.environ.get("DYNAMICS_DIFFERENTIAL", "300"))
pytestmark = pytest.mark.timeout(180 + EXAMPLES)


@dataclass
class Witnesses:
    """Three ways to the same answer."""

    pushed: dbapi.Connection
    local: dbapi.Connection
    plain: duckdb.DuckDBPyConnection

    def answers(self, sql: str) -> list[list[tuple[Any, ...]]]:
        """Return the three answers as sorted rows."""
        found = [_run(self.pushed, sql), _run(self.local, sql), self.plain.execute(_at_noon(sql)).fetchall()]
        return [sorted((tuple(map(_comparable, row)) for row in rows), key=repr) for rows in found]


def _at_noon(sql: str) -> str:
    """The statement for plain DuckDB: the clock stopped, GUIDs in SQL Server's order, texts in one spelling."""
    sql = re.sub(r"ORDER BY (\w\.\w+id)\b", r"ORDER BY guid_key(\1)", sql)
    for word in ("CURRENT_TIMESTAMP", "now()"):
        sql = sql.replace(word, f"TIMESTAMPTZ '{NOON.isoformat()}'")
    return _CONSTANT.sub(_one_spelling, sql.replace("CURRENT_DATE", f"DATE '{NOON.date()}'"))


_CONSTANT = re.compile(r"'((?:[^']|'')*)'")


def _one_spelling(constant: re.Match[str]) -> str:
    """Texts that are equal by the rule are one text for plain DuckDB, which has no such rule."""
    text = constant[1].replace("''", "'")
    return "'" + _comparable(text).replace("'", "''") + "'" if text in TEXTS else constant[0]


def _run(connection: dbapi.Connection, sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def _comparable(value: Any) -> Any:
    """Which spelling stands for a group of equal texts is nobody's promise; doubles differ in their last digits."""
    if isinstance(value, str):
        letters = unicodedata.normalize("NFD", value.casefold())
        return "".join(each for each in letters if each.isprintable() and not unicodedata.combining(each)).rstrip(" ")
    if isinstance(value, float):
        return Decimal(f"{value:.9g}") if math.isfinite(value) else value
    if isinstance(value, Decimal):
        return value.normalize()
    if isinstance(value, UUID):
        return str(value)
    return value.astimezone().isoformat() if hasattr(value, "astimezone") else value


@pytest.fixture(scope="module", params=[(1, 12), (2, 40), (3, 0)], ids=["few", "many", "none"])
def witnesses(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witnesses]:
    seed, size, *drawn = request.param
    document = tmp_path_factory.mktemp("organisation") / "metadata.xml"
    document.write_text(METADATA, encoding="utf-8")
    with Sandbox(rows=0, metadata=document) as org:
        for table, made in rows(seed, size, *drawn).items() if size else ():
            _post(f"{org.url}/_sandbox/rows", {"table": table, "rows": made})
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        pushed, local = dbapi.connect(url), dbapi.connect(url, Pushdown=False)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(planning, "clock", lambda: NOON)
            yield Witnesses(pushed, local, _plain(local))


def _post(url: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        assert reply.status == 200


def _plain(connection: dbapi.Connection) -> duckdb.DuckDBPyConnection:
    """DuckDB with the documented rules of text, NULL and order, over the very rows; equal texts have one spelling."""
    plain = duckdb.connect(":memory:")
    for setting in (
        "SET TimeZone='UTC'",
        "SET default_collation='nocase.noaccent'",
        "SET default_null_order='nulls_first_on_asc_last_on_desc'",
        GUID_MACRO,
    ):
        plain.execute(setting)
    for table, key in (("firm", "firmid"), ("person", "personid")):
        with connection.cursor() as cursor:
            found: pa.Table = cursor.execute(f"SELECT * FROM {table}").fetch_arrow_table()
        for name in TEXT_COLUMNS:
            texts = pa.array(map(_comparable, found.column(name).to_pylist()), pa.string())
            found = found.set_column(found.column_names.index(name), name, texts)
        plain.register("found", found)
        columns = [f"{name} COLLATE nocase.noaccent AS {name}" for name in TEXT_COLUMNS]
        columns += [f"CAST({name} AS UUID) AS {name}" for name in dict.fromkeys([key, "firmid"])]
        plain.execute(f"CREATE TABLE {table} AS SELECT * REPLACE ({', '.join(columns)}) FROM found")
        plain.unregister("found")
    return plain


@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sql=statement)
def test_three_ways_one_answer(witnesses: Witnesses, sql: str) -> None:
    pushed, local, plain = witnesses.answers(sql)
    note(f"DYNAMICS_DIFFERENTIAL_SEED={SEED}")
    assert local == plain, sql
    assert pushed == plain, sql
