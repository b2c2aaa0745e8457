"""The comparison can fail: each rule of the planner, taken away, changes an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlglot import exp

from sqlalchemy_dynamics.execute import planning, residual, texts
from sqlalchemy_dynamics.planner import carrying, groups, implied, measures, needs, patterns, rules, shape
from sqlalchemy_dynamics.planner import names as names_room
from tests.differential.ways import Witnesses

_exact = patterns.searches


def _always_exact(*arguments: Any) -> Any:
    found = _exact(*arguments)
    return None if found is None else (found[0], True)


Mutation = tuple[object, str, object]
CASES: dict[str, tuple[Mutation, list[str]]] = {
    "a NULL-extended table is filtered": (
        (implied, "_extended", lambda item, position, end: False),
        ["SELECT f.n AS c FROM firm f LEFT JOIN person p ON p.firmid = f.firmid AND p.k = 1 WHERE p.n IS NULL"],
    ),
    "a FULL JOIN condition goes down on both sides": (
        (implied, "_reaches", lambda join, judged, position: position <= judged),
        ["SELECT f.n AS c, p.n AS d FROM firm f FULL JOIN person p ON p.firmid = f.firmid AND f.k = 1 AND p.k = 1"],
    ),
    "a condition goes through LIMIT": (
        (names_room, "is_transparent", lambda select: not select.args.get("distinct")),
        ["SELECT t.n AS c FROM (SELECT * FROM firm f ORDER BY f.firmid LIMIT 4) t WHERE t.n > 1"],
    ),
    "a star under DISTINCT fetches nothing": (
        (needs, "_starred", lambda tree, occurrences: set()),
        ["SELECT count(*) AS c FROM (SELECT DISTINCT * FROM firm) d", "SELECT * FROM firm UNION SELECT * FROM firm"],
    ),
    "NOT leaves comparisons as they are": (
        (rules, "_NEGATED", {op: op for op in ("eq", "ne", "gt", "ge", "lt", "le")}),
        ["SELECT t.n AS c FROM firm t WHERE NOT (t.n = 1)", "SELECT t.n AS c FROM firm t WHERE NOT (t.n > 1)"],
    ),
    "a wildcard in the middle is taken for exact": (
        (rules, "searches", _always_exact),
        [
            "SELECT t.name AS c FROM firm t WHERE t.name LIKE '_b%'",
            "SELECT t.city AS c FROM firm t WHERE t.city LIKE 'o%l%'",
        ],
    ),
    "NULLS LAST is taken for the service's order": (
        (shape, "orders_of", None),
        ["SELECT t.n AS c FROM firm t ORDER BY t.n NULLS LAST LIMIT 5"],
    ),
    "a name belongs to the first table that has it": (
        (names_room.Sources, "owner", None),
        ["SELECT p.n AS c FROM firm f LEFT JOIN person p ON p.firmid = f.firmid WHERE p.k = 1"],
    ),
    "fetched texts follow the engine's collation alone": (
        (texts, "_any_special", lambda column: False),
        [
            "SELECT count(DISTINCT t.name) AS c FROM firm t WHERE length(t.city) > 0",
            "SELECT t.n AS c FROM firm t JOIN person p ON t.name = p.name",
        ],
    ),
    "computed texts follow the engine's collation alone": (
        (carrying, "_carry", lambda tree, sources, kinds: None),
        ["SELECT t.n AS c FROM firm t WHERE CASE WHEN t.n > 1 THEN t.name ELSE 'ß' END = 'SS '"],
    ),
    "LIKE finds no letters that fold into two": (
        (carrying, "_fold_patterns", lambda tree, sources: None),
        ["SELECT t.n AS c FROM firm t WHERE trim(t.name) LIKE 'stras%'"],
    ),
    "groups by columns are groups by what is computed from them": (
        (groups, "is_finer", lambda shape: False),
        ["SELECT count(*) AS c FROM firm t GROUP BY t.n % 2"],
    ),
    "rows that do not meet a condition are no zeros": (
        (measures.Measures, "_has_values", lambda self, asked: exp.true()),
        ["SELECT sum(CASE WHEN t.n > 1 THEN t.k ELSE 0 END) AS c FROM firm t WHERE t.n > 99"],
    ),
    "carried texts come out": (
        (residual, "as_stored", lambda batch: batch),
        ["SELECT t.name AS c FROM firm t WHERE length(t.name) > 0"],
    ),
}


def _without_null_order(of: Callable[..., Any]) -> Callable[..., Any]:
    def mutated(the_shape: shape.Shape) -> Any:
        for ordered in the_shape.select.find_all(exp.Ordered):
            ordered.set("nulls_first", not ordered.args.get("desc"))
        return of(the_shape)

    return mutated


def _first_of_all(self: names_room.Sources, column: Any, origins: bool = False) -> Any:
    for occurrence in self.occurrences:
        found = occurrence.table.column(column.name)
        if found is not None:
            return occurrence, found
    return None


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("witnesses", [(2, 40, 1)], indirect=True, ids=["many"])
def test_a_missing_rule_is_noticed(name: str, witnesses: Witnesses, monkeypatch: pytest.MonkeyPatch) -> None:
    (owner, attribute, replacement), statements = CASES[name]
    if attribute == "orders_of":
        from sqlalchemy_dynamics.planner import rows

        monkeypatch.setattr(rows, "orders_of", _without_null_order(shape.orders_of))
    else:
        monkeypatch.setattr(owner, attribute, _first_of_all if attribute == "owner" else replacement)
    if attribute == "is_transparent":
        monkeypatch.setattr(implied, attribute, replacement)
    monkeypatch.setattr(planning, "_plans", type(planning._plans)())
    planning.parsed.cache_clear()
    assert any(_differs(witnesses, sql) for sql in statements)
    monkeypatch.undo()
    planning._plans.clear()
    assert not any(_differs(witnesses, sql) for sql in statements)


def _differs(witnesses: Witnesses, sql: str) -> bool:
    pushed, _, plain = witnesses.answers(sql)
    return pushed != plain
