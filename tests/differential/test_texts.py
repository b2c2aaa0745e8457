"""Texts three ways: pushed, computed here, and by plain DuckDB told the key of each text where the rule applies.

The witness knows no collation; its keys are written down here. As many statements as `DYNAMICS_DIFFERENTIAL` says.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, note

from sqlalchemy_dynamics import dbapi
from tests.differential.organisation import METADATA, TEXTS
from tests.differential.text_statements import TextStatement, text_statement
from tests.differential.ways import EXAMPLES, SEED_SAID, Rows, Witnesses, comparable, organisation, over_random, run

pytestmark = pytest.mark.timeout(180 + EXAMPLES)


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
    return sorted((tuple(map(comparable, row)) for row in rows), key=repr)


@over_random(EXAMPLES, HealthCheck.data_too_large, wanted=text_statement)
def test_texts_three_ways(witnesses: Witnesses, stored: duckdb.DuckDBPyConnection, wanted: TextStatement) -> None:
    note(SEED_SAID)
    plain = _sorted(stored.execute(wanted.plainly()).fetchall())
    assert _sorted(run(witnesses.local, wanted.spoken())) == plain, wanted.spoken()
    assert _sorted(run(witnesses.pushed, wanted.spoken())) == plain, wanted.spoken()


@pytest.fixture
def spelled(tmp_path: Path) -> Iterator[tuple[dbapi.Connection, dbapi.Connection]]:
    """An organisation with a firm for each text, pushed and local."""
    firms = [{"name": text} for text in TEXTS]
    with (
        organisation(tmp_path, METADATA, {"firm": firms}) as url,
        dbapi.connect(url) as pushed,
        dbapi.connect(url, Pushdown=False) as local,
    ):
        yield pushed, local


def test_selected_texts_are_as_stored(spelled: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    """To the letter, on every path: as rows, as a record batch, out of lists."""
    pushed, local = spelled
    direct = run(pushed, "SELECT t.firmid, t.name FROM firm t")
    assert sorted(name for _, name in direct) == sorted(TEXTS)
    for sql in (
        "SELECT t.firmid, t.name FROM firm t WHERE length(t.name) > 0",
        "SELECT t.firmid, any_value(t.name) FROM firm t GROUP BY t.firmid",
        "SELECT t.firmid, list(t.name)[1] FROM firm t GROUP BY t.firmid",
    ):
        assert sorted(run(local, sql)) == sorted(direct), sql
    with local.cursor() as cursor:
        table = cursor.execute("SELECT t.firmid, t.name FROM firm t WHERE length(t.name) > 0").fetch_arrow_table()
    assert sorted(zip(*(column.to_pylist() for column in table.columns), strict=True)) == sorted(direct)
