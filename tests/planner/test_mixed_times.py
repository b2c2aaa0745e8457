"""A text with a time beside a moment is a moment, beside a day alone it is that day: as DuckDB reads them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox

CONDITIONS = [
    "{day} IN (TIMESTAMP '{other} 00:00:00', '{this} 12:00:00')",
    "{day} NOT IN (now(), '{this} 12:00:00')",
    "{day} BETWEEN '{this} 12:00:00' AND now()",
    "{day} BETWEEN '{this} 12:00:00' AND '9999-01-01'",
    "{day} IN ('{this} 12:00:00', DATE '{other}')",
    "DATE_TRUNC('hour', {day}) = DATE '{this}'",
    "DATE_TRUNC('minute', {day}) IN (DATE '{this}', TIMESTAMP '{other} 00:00:00')",
]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[dbapi.Connection, dbapi.Connection]]:
    with Sandbox(rows=40) as org:
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        yield dbapi.connect(url), dbapi.connect(url, Pushdown=False)


def _found(connection: dbapi.Connection, sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        return sorted(cursor.execute(sql).fetchall())


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("day", ["new_day", "new_moment::date", "CAST(new_wallclock AS DATE)", "date(new_moment)"])
def test_same_rows(both: tuple[dbapi.Connection, dbapi.Connection], day: str, condition: str) -> None:
    pushed, local = both
    (this,), (other,) = _found(local, f"SELECT DISTINCT {day} FROM new_sample WHERE {day} < now() LIMIT 2")
    sql = f"SELECT new_sampleid FROM new_sample WHERE {condition.format(day=day, this=this, other=other)}"
    assert _found(pushed, sql) == _found(local, sql)
