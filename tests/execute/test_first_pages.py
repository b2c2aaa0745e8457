"""How much is read: as few pages as tell the answer. The sandbox has 3,000 accounts in pages of 500."""

from __future__ import annotations

from typing import Any

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox
from tests.execute.conftest import Connect, control, requests_of

PAGES = [
    ("SELECT name FROM account WHERE numberofemployees % 2 = 0 LIMIT 5", 1),
    ("SELECT name FROM account WHERE numberofemployees % 2 = 0 ORDER BY revenue DESC LIMIT 5", 1),
    ("SELECT name FROM account WHERE numberofemployees % 2 = 0 ORDER BY name LIMIT 5", 1),
    ("SELECT upper(name) FROM account WHERE length(name) > 1 LIMIT 600", 2),
    ("SELECT name FROM account WHERE length(name) > 1 LIMIT 10 OFFSET 1500", 4),
    ("SELECT name FROM account WHERE length(name) > 999 LIMIT 5", 6),
    ("SELECT DISTINCT createdon FROM account ORDER BY createdon LIMIT 5", 1),
    ("SELECT DISTINCT upper(name) FROM account LIMIT 5", 1),
    ("SELECT d.big FROM (SELECT upper(name) AS big, revenue FROM account) d ORDER BY d.revenue LIMIT 5", 1),
    ("SELECT name FROM account ORDER BY accountid LIMIT 5", 1),
    ("SELECT name FROM account ORDER BY accountid DESC LIMIT 5 OFFSET 700", 2),
    ("SELECT min(accountid), max(accountid) FROM account", 2),
    ("SELECT name FROM account ORDER BY createdon NULLS LAST LIMIT 5", 1),
    ("SELECT upper(name) FROM account ORDER BY revenue DESC NULLS FIRST LIMIT 5", 1),
    ("SELECT name FROM account ORDER BY year(createdon) DESC LIMIT 5", 1),
    ("SELECT name FROM account ORDER BY revenue DESC, numberofemployees % 7 LIMIT 5", 1),
    ("SELECT name FROM account QUALIFY rank() OVER (ORDER BY revenue DESC) <= 5", 1),
    ("SELECT * FROM (SELECT name, row_number() OVER (ORDER BY createdon) AS r FROM account) q WHERE r <= 5", 1),
    ("SELECT name FROM account OFFSET 2995", 6),
    ("SELECT c.fullname, upper(a.name) FROM contact c JOIN account a ON a.accountid = c.parentcustomerid LIMIT 5", 1),
]


@pytest.mark.parametrize(("sql", "requests"), PAGES)
def test_pages_read(org: Sandbox, connect: Connect, sql: str, requests: int) -> None:
    connection = connect()
    connection.explain("SELECT 1 FROM account, contact")
    control(org, "DELETE", "requests")
    found = connection.cursor().execute(sql).fetchall()
    assert len([each for each in requests_of(org) if "$batch" not in each["url"]]) == requests
    assert len(found) == len(_whole(connect, sql))


def test_the_first_rows_are_the_first_of_all(connect: Connect) -> None:
    for sql in [
        "SELECT revenue FROM account WHERE numberofemployees % 3 = 0 ORDER BY revenue DESC LIMIT 20 OFFSET 490",
        "SELECT revenue FROM account ORDER BY revenue NULLS LAST LIMIT 30 OFFSET 2000",
        "SELECT revenue FROM account ORDER BY revenue DESC NULLS FIRST LIMIT 30 OFFSET 100",
        "SELECT accountid FROM account ORDER BY accountid DESC LIMIT 20 OFFSET 480",
        "SELECT DISTINCT createdon FROM account WHERE length(name) > 4 ORDER BY createdon DESC LIMIT 20 OFFSET 495",
    ]:
        assert connect().cursor().execute(sql).fetchall() == _whole(connect, sql), sql


def _whole(connect: Connect, sql: str) -> list[Any]:
    return connect(Pushdown=False).cursor().execute(sql).fetchall()
