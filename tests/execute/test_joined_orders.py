"""ORDER BY a position, an output or a bare name of a table that is looked up: never the root's column of that name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox

JOIN = "FROM contact c JOIN account a ON c.parentcustomerid = a.accountid"
STATEMENTS = [
    f"SELECT a.createdon {JOIN} ORDER BY 1 LIMIT 6",
    f"SELECT a.createdon AS x {JOIN} ORDER BY x LIMIT 6",
    f"SELECT a.createdon {JOIN} ORDER BY createdon LIMIT 6",
    f"SELECT a.createdon {JOIN} ORDER BY 1 DESC",
    f"SELECT a.numberofemployees {JOIN} ORDER BY 1 DESC LIMIT 6",
    f"SELECT year(a.createdon) AS y {JOIN} ORDER BY y LIMIT 6",
    "SELECT a.createdon FROM contact c LEFT JOIN account a ON c.parentcustomerid = a.accountid ORDER BY 1 LIMIT 6",
]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[dbapi.Connection, dbapi.Connection]]:
    with Sandbox(rows=60) as org:
        url = f"dynamics:///?OrganizationUrl={org.url};OAuthAccessToken={org.access_token}"
        yield dbapi.connect(url), dbapi.connect(url, Pushdown=False)


@pytest.mark.parametrize("sql", STATEMENTS)
def test_the_order_is_that_of_the_looked_up_rows(both: tuple[dbapi.Connection, dbapi.Connection], sql: str) -> None:
    pushed, local = (connection.cursor().execute(sql).fetchall() for connection in both)
    assert pushed == local
