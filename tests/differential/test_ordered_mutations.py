"""The comparison of orders can fail: each rule, taken away, changes an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sqlalchemy_dynamics.execute import planning, prefixes, requests, residual
from sqlalchemy_dynamics.odata.query import Order
from sqlalchemy_dynamics.planner import prefixes as planned_prefixes
from sqlalchemy_dynamics.planner import reading
from tests.differential.ordered_statements import Ordered, answers
from tests.differential.ways import Witnesses

_parts, _first_answer = requests._parts, prefixes.first_answer


def _cut_at(batches: Any, names: Any, wanted: int) -> Any:
    for batch in batches:
        yield batch.slice(0, wanted)
        return


def _all_dead(tree: Any, occurrences: Any, translator: Any) -> Any:
    return frozenset(each.number for each in occurrences), {}


CASES: dict[str, tuple[tuple[object, str, Callable[..., Any]], str]] = {
    "GUIDs are left in the engine's order": (
        (reading, "order_guids", lambda tree, types: None),
        "SELECT t.firmid AS c, abs(t.n) AS d FROM firm t WHERE abs(t.n) > 0 ORDER BY «t.firmid», abs(t.n)",
    ),
    "NULLs come at the wrong end": (
        (requests, "_parts", lambda scan, keys: reversed(list(_parts(scan, keys)))),
        "SELECT t.n AS c FROM firm t ORDER BY t.n NULLS LAST LIMIT 9",
    ),
    "one row is enough": (
        (residual, "first_answer", lambda pages, count, answer: _first_answer(pages, 1, answer)),
        "SELECT t.n AS c FROM firm t WHERE abs(t.n) > 0 ORDER BY t.n LIMIT 20",
    ),
    "the first rows come in any order": (
        (planned_prefixes, "order_by", lambda column, ordered: Order((column.wire,))),
        "SELECT t.n AS c FROM firm t WHERE abs(t.n) > 0 ORDER BY t.n DESC LIMIT 3",
    ),
    "equal ranks are cut off": (
        (residual, "until_changed", _cut_at),
        "SELECT t.k AS c FROM firm t QUALIFY rank() OVER (ORDER BY t.k DESC) <= 2",
    ),
    "no row is ever needed": (
        (reading, "needless", _all_dead),
        "SELECT abs(t.n) AS c FROM firm t WHERE abs(t.n) > 0",
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("paged_witnesses", [(5, 40, 1)], indirect=True, ids=["many"])
def test_a_missing_rule_is_noticed(name: str, paged_witnesses: Witnesses, monkeypatch: pytest.MonkeyPatch) -> None:
    (owner, attribute, replacement), sql = CASES[name]
    compared = "bag" if "QUALIFY" in sql or "ORDER BY" not in sql else "list"
    wanted = Ordered(sql, compared)
    before = answers(paged_witnesses, wanted)
    assert before[0] == before[1] == before[2]
    monkeypatch.setattr(owner, attribute, replacement)
    monkeypatch.setattr(planning, "_plans", type(planning._plans)())
    planning.parsed.cache_clear()
    pushed, _, plain = answers(paged_witnesses, wanted)
    assert pushed != plain
