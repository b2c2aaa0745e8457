"""Texts three ways: pushed, computed here, and by plain DuckDB told the key of each text where the rule applies.

The witness knows no collation; its keys are written down here. As many statements as `DYNAMICS_DIFFERENTIAL` says.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, note, seed, settings

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.differential.organisation import METADATA, SEED, TEXTS
from tests.differential.test_answers import EXAMPLES, Witnesses, _comparable, _post, _run, witnesses
from tests.differential.text_statements import TextStatement, text_statement

__all__ = ["witnesses"]

pytestmark = pytest.mark.timeout(180 + EXAMPLES)

Rows = list[tuple[Any, ...]]


def _like_key(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


def _key(text: str) -> str:
    return _like_key(text).rstrip(" ")


@pytest.fixture(scope="module")
def stored(witnesses: Witnesses) -> Iterator[duckdb.DuckDBPyConnection]:
    """The very rows, without a rule of text."""
    with duckdb.connect(":memory:") as plain:
        plain.execute("SET default_null_order='nulls_first_on_asc_last_on_desc'")
        plain.create_function("k", _key, ["VARCHAR"], "VARCHAR")
        plain.create_function("l", _like_key, ["VARCHAR"], "VARCHAR")
        plain.execute("CREATE MACRO null_if_same(x, y) AS CASE WHEN k(x) = k(y) THEN NULL ELSE x END")
        for table in ("firm", "person"):
            with witnesses.local.cursor() as cursor:
                plain.register("found", cursor.execute(f"SELECT * FROM {table}").fetch_arrow_table())
            plain.execute(f"CREATE TABLE {table} AS SELECT * FROM found")
            plain.unregister("found")
        yield plain


def _sorted(rows: Rows) -> Rows:
    return sorted((tuple(map(_comparable, row)) for row in rows), key=repr)


@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(wanted=text_statement)
def test_texts_three_ways(witnesses: Witnesses, stored: duckdb.DuckDBPyConnection, wanted: TextStatement) -> None:
    note(f"DYNAMICS_DIFFERENTIAL_SEED={SEED}")
    plain = _sorted(stored.execute(wanted.plainly()).fetchall())
    assert _sorted(_run(witnesses.local, wanted.spoken())) == plain, wanted.spoken()
    assert _sorted(_run(witnesses.pushed, wanted.spoken())) == plain, wanted.spoken()


@pytest.fixture
def spelled(tmp_path: Path) -> Iterator[tuple[dbapi.Connection, dbapi.Connection]]:
    """An organisation with a firm for each text, pushed and local."""
    document = tmp_path / "metadata.xml"
    document.write_text(METADATA, encoding="utf-8")
    with Sandbox(rows=0, metadata=document) as org:
        _post(f"{org.url}/_sandbox/rows", {"table": "firm", "rows": [{"name": text} for text in TEXTS]})
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        with dbapi.connect(url) as pushed, dbapi.connect(url, Pushdown=False) as local:
            yield pushed, local


def test_selected_texts_are_as_stored(spelled: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    """To the letter, on every path: as rows, as a record batch, out of lists."""
    pushed, local = spelled
    direct = _run(pushed, "SELECT t.firmid, t.name FROM firm t")
    assert sorted(name for _, name in direct) == sorted(TEXTS)
    for sql in (
        "SELECT t.firmid, t.name FROM firm t WHERE length(t.name) > 0",
        "SELECT t.firmid, any_value(t.name) FROM firm t GROUP BY t.firmid",
        "SELECT t.firmid, list(t.name)[1] FROM firm t GROUP BY t.firmid",
    ):
        assert sorted(_run(local, sql)) == sorted(direct), sql
    with local.cursor() as cursor:
        table = cursor.execute("SELECT t.firmid, t.name FROM firm t WHERE length(t.name) > 0").fetch_arrow_table()
    assert sorted(zip(*(column.to_pylist() for column in table.columns), strict=True)) == sorted(direct)
