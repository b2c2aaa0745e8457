"""Random transactions under CHANGESET end as they end on SQLite: all at COMMIT, nothing otherwise."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import note, seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from sqlalchemy_dynamics import dbapi, errors

from .histories import steps
from .histories.changesets import Buffered, waiting
from .histories.faults import KINDS
from .histories.play import SEED, UNHURRIED, Guarded, budget, guarded, report

pytestmark = UNHURRIED


class Transactions(RuleBasedStateMachine):
    """Statements that wait, COMMIT with faults and without, ROLLBACK, savepoints that are refused."""

    side: Buffered

    @initialize()
    def begin(self) -> None:
        note(f"DYNAMICS_HISTORIES_SEED={SEED}")
        self.side.connection.rollback()
        self.side.world.begin()
        self.side.begin()

    def write(self, several: list[steps.Step]) -> None:
        for step in several:
            self.side.write(step)

    @rule(
        several=st.lists(waiting(), max_size=4),
        plan=st.one_of(st.just({}), st.dictionaries(st.integers(1, 2), st.sampled_from(KINDS), max_size=2)),
    )
    def commit(self, several: list[steps.Step], plan: dict[int, str]) -> None:
        self.write(several)
        self.side.commit(plan)

    @rule(several=st.lists(waiting(), min_size=1, max_size=3))
    def rollback(self, several: list[steps.Step]) -> None:
        self.write(several)
        self.read()
        self.side.rollback()

    @rule(word=st.sampled_from(["SAVEPOINT one", "BEGIN", "COMMIT", "RELEASE one"]))
    def speak(self, word: str) -> None:
        with pytest.raises(errors.NotSupportedError):
            self.side.connection.cursor().execute(word)

    def read(self) -> None:
        for table in sorted(self.side.tables):
            with pytest.raises(errors.NotSupportedError, match="wait for COMMIT"):
                self.side.connection.cursor().execute(f"SELECT count(*) FROM {table}").fetchall()


@pytest.fixture(scope="module")
def org() -> Iterator[Guarded]:
    with guarded() as found:
        yield found


def test_transactions_end_as_on_sqlite(org: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    machine: Any = Transactions
    machine.side = Buffered(org.world(), org.connect())
    run_state_machine_as_test(seed(SEED)(machine), settings=budget(8))
    report("CHANGESET", machine.side.tally, capsys)
    assert machine.side.tally["commits"] > 2


def test_a_rollback_under_autocommit_warns_once(org: Guarded) -> None:
    world = org.world()
    for number in range(3):
        world.connection.cursor().execute("INSERT INTO competitor (name) VALUES ('kept')")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            world.connection.rollback()
        assert [each.category for each in caught] == [dbapi.Warning] * (number == 0)
    count = org.org.service.store.query("SELECT count(*) FROM competitor WHERE name = 'kept'")
    assert count == [(3,)]
