"""Every fault at every request of every statement, in turn, and two in a row: what each error promises is true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, note, seed
from hypothesis import strategies as st

from .histories import tables
from .histories.faults import AFTER, BEFORE, KINDS, LATE
from .histories.play import LENGTH, SEED, STEP, UNHURRIED, Guarded, budget, guarded, report
from .histories.steps import Step
from .histories.world import World

PAIRS = (
    (AFTER, AFTER),
    (BEFORE, AFTER),
    (AFTER, BEFORE),
    (LATE, "429"),
    ("401", AFTER),
    (AFTER, "500"),
    ("503", "html"),
)
FOREVER = (BEFORE, AFTER, "503", "429", "401")
pytestmark = UNHURRIED
MOST_POINTS = 8 if LENGTH > 1 else 3
SHORT = STEP.filter(lambda step: len(step.values) <= 40 or LENGTH > 1)


@pytest.fixture(scope="module")
def org() -> Iterator[Guarded]:
    with guarded() as found:
        yield found


def plans(requests: int) -> Iterator[tuple[Mapping[int, str], int]]:
    """Yield what goes wrong: at which requests, and from which on it goes on going wrong."""
    for number in range(1, min(requests, MOST_POINTS) + 1):
        for kind in KINDS:
            yield {number: kind}, 0
        for one, two in PAIRS:
            yield {number: one, number + 1: two}, 0
        for kind in FOREVER:
            yield {number: kind}, number


def again(world: World, step: Step, plan: Mapping[int, str], ever: int) -> None:
    """Play one statement with faults, and put both sides back to what they were."""
    rows = tables.kept(world.org)
    with world.model.attempt():
        world.play(step, plan, ever)
    tables.restore(world.org, rows)


@pytest.mark.parametrize(("retries", "examples"), [(8, 2), (1, 2)], ids=["patient", "impatient"])
def test_every_fault_at_every_request(
    org: Guarded, retries: int, examples: int, capsys: pytest.CaptureFixture[str]
) -> None:
    world = org.world(patient=False, MaxRetries=retries)

    @seed(SEED)
    @budget(examples)
    @given(st.lists(SHORT, min_size=1, max_size=2 if LENGTH == 1 else 4))
    def play(history: list[Step]) -> None:
        note(f"DYNAMICS_HISTORIES_SEED={SEED}")
        world.begin()
        for step in history:
            rows = tables.kept(org.org)
            with world.model.attempt():
                world.play(step)
            requests = world.requests
            tables.restore(org.org, rows)
            for plan, ever in plans(requests):
                world.patient = retries > 2 and not ever and len(plan) == 1
                again(world, step, plan, ever)
            world.play(step)

    play()
    report(f"every point, {retries} retries", world.tally, capsys)
    assert world.tally["faults"] > 20 * LENGTH
