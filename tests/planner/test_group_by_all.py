"""GROUP BY ALL answers as the same groups by name, in order of GUIDs too, with pushdown and without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.sandbox import Sandbox

_JOINED = "contact c JOIN account a ON a.accountid = c.parentcustomerid"
PAIRS = [
    ("SELECT ownerid, count(*) AS n FROM account GROUP BY {} ORDER BY n DESC, ownerid", "ownerid"),
    ("SELECT ownerid, count(*) FROM account GROUP BY {} ORDER BY 1", "ownerid"),
    ("SELECT DISTINCT ownerid AS o, upper(name) AS u FROM account GROUP BY {} ORDER BY o DESC, 2", "1, 2"),
    ("SELECT name, monthname(createdon) AS m, min(ownerid) AS o FROM account GROUP BY {} ORDER BY min(ownerid), 1, 2",
     "name, m"),
    ("SELECT coalesce(ownerid, accountid) AS o, sum(revenue) FROM account GROUP BY {} ORDER BY 1", "o"),
    ("SELECT o, max(n) FROM (SELECT ownerid AS o, name AS n FROM account) AS v GROUP BY {} ORDER BY v.o", "o"),
    (f"SELECT a.ownerid, c.ownerid AS o, count(*) FROM {_JOINED} GROUP BY {{}} ORDER BY a.ownerid, o", "1, 2"),
    (f"SELECT v.*, count(*) FROM (SELECT a.accountid, a.name FROM {_JOINED}) AS v GROUP BY {{}} ORDER BY v.accountid",
     "1, 2"),
    ("SELECT ownerid, avg(revenue) FROM account GROUP BY {} HAVING count(*) > 1 ORDER BY ownerid LIMIT 3", "ownerid"),
    ("SELECT 1 AS one, count(*) FROM account WHERE name = 'there is none' GROUP BY {}", "()"),
]  # fmt: skip


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[dbapi.Connection, dbapi.Connection]]:
    with Sandbox(rows=30, seed=2) as org:
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        yield dbapi.connect(url), dbapi.connect(url, Pushdown=False)


def _rows(connection: dbapi.Connection, sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return cursor.execute(sql).fetchall()


@pytest.mark.parametrize(("sql", "named"), PAIRS)
def test_as_groups_by_name(both: tuple[dbapi.Connection, dbapi.Connection], sql: str, named: str) -> None:
    pushed, local = both
    wanted = _rows(local, sql.format(named))
    assert wanted
    assert _rows(pushed, sql.format("ALL")) == _rows(local, sql.format("ALL")) == wanted


def test_orders_by_keys_only(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    for connection in both:
        with pytest.raises(ProgrammingError, match='"ownerid" must appear in the GROUP BY'):
            _rows(connection, "SELECT name, count(*) FROM account GROUP BY ALL ORDER BY ownerid")


def test_the_service_groups(both: tuple[dbapi.Connection, dbapi.Connection]) -> None:
    steps = both[0].explain("SELECT ownerid, statecode, count(*) FROM account GROUP BY ALL")
    assert "groupby((_ownerid_value,statecode)" in str(steps)
