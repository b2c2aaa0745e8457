"""The comparison of joins can fail: each rule, taken away, changes an answer."""

from __future__ import annotations

from typing import Any

import pytest
from sqlglot import exp

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.execute import grouped, planning, requests
from sqlalchemy_dynamics.planner import (
    below_joins,
    expansion,
    flattening,
    groups,
    lookup_trees,
    parts,
    related,
    shape,
)
from sqlalchemy_dynamics.planner.implied import Implied
from sqlalchemy_dynamics.planner.semijoins import _Joined
from tests.differential.ways import Witnesses


def _every_term(implied: Implied) -> list[Any]:
    return [term for _, term in implied.terms]


_is_joined = lookup_trees._is_joined


def _as_inner(select: exp.Select, occurrences: list[Any]) -> bool:
    for join in select.args.get("joins") or ():
        join.set("side", None)
    return _is_joined(select, occurrences)


CASES: dict[str, tuple[object, str, object, str]] = {
    "NOT IN over a column that may be NULL": (
        related, "never_null", lambda translator, linked: True,
        "SELECT t.no AS c FROM firm t WHERE t.firmid NOT IN (SELECT d.firmid FROM deal d WHERE d.k >= 0)",
    ),
    "a looked-up row need not be there": (
        related, "needs_a_row", lambda condition: True,
        "SELECT count(*) AS c FROM deal d JOIN firm f ON f.firmid = d.firmid",
    ),
    "an expanded row need not be there": (
        lookup_trees.Tree, "inner", property(lambda tree: [tree.root]),
        "SELECT d.no AS c, f.n AS e FROM deal d JOIN firm f ON f.firmid = d.firmid",
    ),
    "children are counted once": (
        _Joined, "_may_repeat", lambda self: True,
        "SELECT f.no AS c FROM firm f JOIN deal d ON d.firmid = f.firmid",
    ),
    "any NULL is a missing row": (
        _Joined, "_is_missing", lambda self, term, table, columns: "IS NULL" in term.sql(),
        "SELECT f.no AS c FROM firm f LEFT JOIN deal d ON d.firmid = f.firmid WHERE d.n IS NULL",
    ),
    "what an outer join finds is demanded": (
        expansion, "_can_demand", lambda each, chosen: True,
        "SELECT t.no AS c FROM firm t WHERE NOT EXISTS (SELECT 1 FROM firm s JOIN firm p ON p.firmid = s.parentfirmid "
        "WHERE s.firmid = t.parentfirmid AND p.n >= 0)",
    ),
    "rows of an outer join are not chosen among": (
        Implied, "settled", property(_every_term),
        "SELECT d.no AS c, f.n AS e FROM deal d LEFT JOIN firm f ON f.firmid = d.firmid AND f.n > 0",
    ),
    "one property is expanded twice": (
        requests, "_united", tuple,
        "SELECT d.no AS c, a.n AS x, b.k + 0 AS y FROM deal d JOIN firm a ON a.firmid = d.firmid "
        "JOIN firm b ON b.firmid = d.firmid",
    ),
    "the order of another table is the root's": (
        shape.Shape, "column", lambda self, node: (self.sources.owner_of(node) or (None, None))[1],
        "SELECT d.no AS c FROM deal d JOIN firm f ON f.firmid = d.firmid ORDER BY f.n DESC, d.no LIMIT 3",
    ),
    "an output's name is a column": (
        flattening, "_is_clear", lambda column, outer, alias, offered: True,
        "SELECT d.x AS y, d.y AS x FROM (SELECT t.no AS x, t.k AS y FROM firm t) d ORDER BY x DESC, 1 LIMIT 3",
    ),
    "groups hold rows that look up nothing": (
        lookup_trees.Tree, "inner", property(lambda tree: [tree.root]),
        "SELECT f.k AS c, count(*) AS e FROM deal d JOIN firm f ON f.firmid = d.firmid GROUP BY f.k",
    ),
    "groups of a LEFT JOIN are those of a join": (
        lookup_trees, "_is_joined", _as_inner,
        "SELECT f.k AS c, count(*) AS e FROM deal d LEFT JOIN firm f ON f.firmid = d.firmid GROUP BY f.k",
    ),
    "rows that look up what is gone are in no group": (
        grouped, "_refuse_lost", lambda groups, scan, rows: None,
        "SELECT p.k AS c, count(*) AS e FROM firm f LEFT JOIN firm p ON p.firmid = f.parentfirmid GROUP BY p.k",
    ),
    "a missing group counts as one row": (
        below_joins._Below, "is_able", lambda self: True,
        "SELECT d.m AS c, count(*) AS e FROM deal t RIGHT JOIN (SELECT 99 AS x, 2 AS m UNION ALL SELECT 1, 3) d "
        "ON t.k = d.x GROUP BY d.m",
    ),
    "groups forget what ties them": (
        parts, "grouping_of", lambda shape, ties: groups.grouping_of(shape),
        "SELECT t.no AS c, (SELECT count(*) FROM deal d WHERE d.firmid = t.firmid) AS e FROM firm t",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("joined_witnesses", [(24, 1)], indirect=True, ids=["many"])
def test_a_missing_rule_is_noticed(name: str, joined_witnesses: Witnesses, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, replacement, sql = CASES[name]
    assert not _differs(joined_witnesses, sql), "the rules themselves answer wrongly"
    monkeypatch.setattr(owner, attribute, replacement)
    monkeypatch.setattr(planning, "_plans", type(planning._plans)())
    planning.parsed.cache_clear()
    assert _differs(joined_witnesses, sql)


def _differs(witnesses: Witnesses, sql: str) -> bool:
    try:
        pushed, _, plain = witnesses.answers(sql)
    except dbapi.Error:
        return True
    return pushed != plain
