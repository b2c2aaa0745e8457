"""What random histories found, each as a statement of its own."""

from __future__ import annotations

from .conftest import Sql
from .histories.tables import key_of

ONE, TWO = key_of("account", 1), key_of("account", 2)


def test_computed_upserts_take_choices_by_label_and_number_side_by_side(sql: Sql) -> None:
    insert = "INSERT INTO account (accountid, industrycode, numberofemployees) VALUES (?, ?, ?), (?, ?, ?) "
    add = "numberofemployees = coalesce(account.numberofemployees, 0) + excluded.numberofemployees"
    choose = "industrycode = coalesce(account.industrycode, excluded.industrycode)"
    values = (ONE, 1, 5, TWO, "Accounting", 7)
    for sets in (add, f"{add}, {choose}"):
        found = sql(f"{insert} ON CONFLICT (accountid) DO UPDATE SET {sets} RETURNING industrycode", values)
        assert found.fetchall() == [(1,), (1,)]
    found = sql("SELECT numberofemployees FROM account WHERE accountid IN (?, ?) ORDER BY 1", (ONE, TWO))
    assert found.fetchall() == [(10,), (14,)]
