"""Three ways to one answer: pushed, computed here, and by plain DuckDB; the frame of tests over random statements.

The number of statements per test and data set is `DYNAMICS_DIFFERENTIAL` (default 300); schema, rows and statements
come of `DYNAMICS_DIFFERENTIAL_SEED`, which the gate sets to the number of commits. A failure prints the statement,
shrunk, and the seed.
"""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
from hypothesis import HealthCheck, given, seed, settings

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.execute.guid_order import GUID_MACRO
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.control_plane import control
from tests.differential.organisation import SEED, TEXTS

EXAMPLES = int(os.environ.get("DYNAMICS_DIFFERENTIAL", "300"))
SEED_SAID = f"DYNAMICS_DIFFERENTIAL_SEED={SEED}"
NOON = datetime(2024, 2, 14, 12, 0, 0, 250_000, UTC)
Rows = list[tuple[Any, ...]]


def over_random(examples: int = EXAMPLES, *unwatched: HealthCheck, **drawn: Any) -> Callable[[Any], Any]:
    """Run a test over what is drawn, by keyword: the same for the same seed; `unwatched` are further health checks."""
    frame = settings(
        max_examples=examples,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, *unwatched],
    )
    return lambda test: seed(SEED)(frame(given(**drawn)(test)))


@dataclass
class Witnesses:
    """The same rows, asked in three ways."""

    pushed: dbapi.Connection
    local: dbapi.Connection
    plain: duckdb.DuckDBPyConnection

    def rows(self, sql: str, plainly: str) -> list[Rows]:
        """Return the three answers as they compare; `plainly` is the statement for plain DuckDB."""
        found = [run(self.pushed, sql), run(self.local, sql), self.plain.execute(_at_noon(plainly)).fetchall()]
        return [[tuple(map(comparable, row)) for row in rows] for rows in found]

    def answers(self, sql: str) -> list[Rows]:
        """Return the three answers as sorted rows."""
        return [sorted(rows, key=repr) for rows in self.rows(sql, sql)]


_CONSTANT = re.compile(r"'((?:[^']|'')*)'")


def _at_noon(sql: str) -> str:
    """The statement for plain DuckDB: the clock stopped, GUIDs in SQL Server's order, texts in one spelling."""
    sql = re.sub(r"ORDER BY (\w\.\w+id)\b", r"ORDER BY guid_key(\1)", sql)
    for word in ("CURRENT_TIMESTAMP", "now()"):
        sql = sql.replace(word, f"TIMESTAMPTZ '{NOON.isoformat()}'")
    return _CONSTANT.sub(_one_spelling, sql.replace("CURRENT_DATE", f"DATE '{NOON.date()}'"))


def _one_spelling(constant: re.Match[str]) -> str:
    """Texts that are equal by the rule are one text for plain DuckDB, which has no such rule."""
    text = constant[1].replace("''", "'")
    return "'" + comparable(text).replace("'", "''") + "'" if text in TEXTS else constant[0]


def run(connection: dbapi.Connection, sql: str) -> Rows:
    with connection.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def comparable(value: Any) -> Any:
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


@contextmanager
def organisation(folder: Path, metadata: str, rows: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Yield the URL of a sandbox that offers the tables of a `$metadata` document and holds the rows."""
    document = folder / "metadata.xml"
    document.write_text(metadata, encoding="utf-8")
    with Sandbox(rows=0, metadata=document) as org:
        for table, made in rows.items():
            control(org, "POST", "rows", {"table": table, "rows": made})
        yield f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"


def plain(connection: dbapi.Connection, tables: Iterable[str], kinds: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    """DuckDB with the documented rules of text, NULL and order, over the very rows; equal texts have one spelling.

    `kinds` are the columns' kinds; those of kind "text" are compared by the rule of text.
    """
    made = duckdb.connect(":memory:")
    for setting in (
        "SET TimeZone='UTC'",
        "SET default_collation='nocase.noaccent'",
        "SET default_null_order='nulls_first_on_asc_last_on_desc'",
        GUID_MACRO,
    ):
        made.execute(setting)
    for table in tables:
        with connection.cursor() as cursor:
            found: pa.Table = cursor.execute(f"SELECT * FROM {table}").fetch_arrow_table()
        texts = [name for name in found.column_names if kinds.get(name) == "text"]
        for name in texts:
            spelled = pa.array(map(comparable, found.column(name).to_pylist()), pa.string())
            found = found.set_column(found.column_names.index(name), name, spelled)
        made.register("found", found)
        columns = [f"{name} COLLATE nocase.noaccent AS {name}" for name in texts]
        columns += [f"CAST({name} AS UUID) AS {name}" for name in found.column_names if name.endswith("id")]
        made.execute(f"CREATE TABLE {table} AS SELECT * REPLACE ({', '.join(columns)}) FROM found")
        made.unregister("found")
    return made
