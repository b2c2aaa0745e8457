"""Random histories of writes end as they end on SQLite, with faults at random points too: no loss, nothing doubled.

`DYNAMICS_HISTORIES` plays that many times the usual histories, drawn by `DYNAMICS_HISTORIES_SEED`. A failure prints the
statements, shrunk, and the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import note, seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from .histories import steps
from .histories.faults import KINDS
from .histories.many import many
from .histories.play import SEED, UNHURRIED, Guarded, budget, guarded, report
from .histories.tables import LINKS, TABLES, plain
from .histories.world import World

pytestmark = UNHURRIED

PLANS: st.SearchStrategy[dict[int, str]] = st.one_of(
    st.just({}), st.dictionaries(st.integers(1, 4), st.sampled_from(KINDS), min_size=1, max_size=2)
)


class Histories(RuleBasedStateMachine):
    """The same statements on both sides: the same counts, the same refusals, the same rows."""

    world: World
    plans: st.SearchStrategy[dict[int, str]] = st.just({})

    @initialize()
    def begin(self) -> None:
        note(f"DYNAMICS_HISTORIES_SEED={SEED}")
        self.world.begin()

    @rule(step=st.one_of(steps.inserts(), steps.selects()), data=st.data())
    def insert(self, step: steps.Step, data: Any) -> None:
        self.world.play(step, data.draw(self.plans))

    @rule(step=steps.upserts(), data=st.data())
    def upsert(self, step: steps.Step, data: Any) -> None:
        self.world.play(step, data.draw(self.plans))

    @rule(step=st.one_of(steps.updates(), steps.versioned()), data=st.data())
    def update(self, step: steps.Step, data: Any) -> None:
        self.world.play(step, data.draw(self.plans))

    @rule(step=steps.deletes(), data=st.data())
    def delete(self, step: steps.Step, data: Any) -> None:
        self.world.play(step, data.draw(self.plans))

    @rule(step=steps.links(), data=st.data())
    def link(self, step: steps.Step, data: Any) -> None:
        self.world.play(step, data.draw(self.plans))

    @rule(step=many(), data=st.data())
    def many(self, step: steps.Step, data: Any) -> None:
        self.world.play(step, data.draw(self.plans))

    def teardown(self) -> None:
        """What the driver reads is what SQLite does."""
        cursor = self.world.connection.cursor()
        for name, table in TABLES.items():
            sql = f"SELECT {', '.join(column for column, kind in table.columns.items() if kind != 'exact')} FROM {name}"
            kinds = [kind for kind in table.columns.values() if kind != "exact"]
            ours, theirs = cursor.execute(sql).fetchall(), self.world.model.database.execute(sql).fetchall()
            assert _spelled(kinds, ours) == _spelled(kinds, theirs), name
        count = f"SELECT count(*) FROM {LINKS}"
        assert cursor.execute(count).fetchone() == self.world.model.database.execute(count).fetchone()


def _spelled(kinds: list[str], rows: list[Any]) -> list[Any]:
    return sorted(([plain(kind, value) for kind, value in zip(kinds, row, strict=True)] for row in rows), key=repr)


class FaultyHistories(Histories):
    """One fault or two among the first requests of a statement."""

    plans = PLANS


class ImpatientHistories(Histories):
    """The same on connections that try again once only: more errors, each of which must be true."""

    plans = PLANS


@pytest.fixture(scope="module")
def org() -> Iterator[Guarded]:
    with guarded() as found:
        yield found


@pytest.mark.parametrize(
    ("machine", "examples", "properties"),
    [(Histories, 6, {}), (FaultyHistories, 8, {}), (ImpatientHistories, 5, {"MaxRetries": 1})],
    ids=["calm", "faults", "impatient"],
)
def test_histories_end_as_on_sqlite(
    org: Guarded, machine: Any, examples: int, properties: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.world = org.world(patient=not properties, **properties)
    run_state_machine_as_test(seed(SEED)(machine), settings=budget(examples))
    report(machine.__name__, machine.world.tally, capsys)
    assert machine.world.tally["statements"] > examples
    assert (machine.world.tally["faults"] > 0) == (machine is not Histories)
