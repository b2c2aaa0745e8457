"""answer(pushdown) == answer(no pushdown) == plain DuckDB, for joins and subqueries over tables that are tied together.

A third as many statements as `DYNAMICS_DIFFERENTIAL` says (default 300) for each data set; rows and statements come of
`DYNAMICS_DIFFERENTIAL_SEED`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, note, seed, settings

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.differential.joined_organisation import KEYS, METADATA, TABLES, rows
from tests.differential.joined_statements import statement
from tests.differential.organisation import SEED
from tests.differential.test_answers import Witnesses, _post

EXAMPLES = max(1, int(os.environ.get("DYNAMICS_DIFFERENTIAL", "300")) // 3)
pytestmark = pytest.mark.timeout(180 + 3 * EXAMPLES)


@pytest.fixture(
    scope="module",
    params=[(7, SEED), (24, SEED), (24, SEED, 0), (0, SEED)],
    ids=["few", "many", "whole", "none"],
)
def witnesses(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witnesses]:
    size, drawn, *gone = request.param
    document = tmp_path_factory.mktemp("organisation") / "metadata.xml"
    document.write_text(METADATA, encoding="utf-8")
    with Sandbox(rows=0, metadata=document) as org:
        for table, made in rows(drawn, size, *(gone or (0.1,))).items() if size else ():
            _post(f"{org.url}/_sandbox/rows", {"table": table, "rows": made})
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        with dbapi.connect(url) as pushed, dbapi.connect(url, Pushdown=False) as local:
            yield Witnesses(pushed, local, _plain(local))


def _plain(connection: dbapi.Connection) -> duckdb.DuckDBPyConnection:
    """DuckDB with the documented rules of text, NULL and order, over the very rows."""
    plain = duckdb.connect(":memory:")
    for setting in ("TimeZone='UTC'", "default_collation='nocase.noaccent'",
                    "default_null_order='nulls_first_on_asc_last_on_desc'"):  # fmt: skip
        plain.execute(f"SET {setting}")
    for table in TABLES:
        with connection.cursor() as cursor:
            found: pa.Table = cursor.execute(f"SELECT * FROM {table}").fetch_arrow_table()
        plain.register("found", found)
        guids = [name for name in found.column_names if name.endswith("id") and name != "versionnumber"]
        changed = [f"CAST({name} AS UUID) AS {name}" for name in guids]
        changed += ["name COLLATE nocase.noaccent AS name"] if "name" in found.column_names else []
        plain.execute(f"CREATE TABLE {table} AS SELECT * REPLACE ({', '.join(changed)}) FROM found")
        plain.unregister("found")
    assert set(KEYS) == set(TABLES)
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
