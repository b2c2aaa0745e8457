"""A navigation property is expanded once, however many tables of a statement are read through it."""

from __future__ import annotations

from tests.planner.test_goldens import steps


def test_two_joins_along_one_lookup() -> None:
    found = steps(
        "SELECT o.name, a.city, upper(b.name) AS u FROM opportunity o "
        "JOIN account a ON a.accountid = o.parentaccountid JOIN account b ON b.accountid = o.parentaccountid"
    )
    assert "$expand=parentaccountid($select=accountid,city,name)" in found
    assert found.count("parentaccountid(") == 1
