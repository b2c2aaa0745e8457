"""Mistakes made on purpose in the driver: each is noticed by the judge of histories, which is silent without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sqlalchemy_dynamics.errors import OperationalError
from sqlalchemy_dynamics.execute import sending
from sqlalchemy_dynamics.execute.changes import Change, request_of
from sqlalchemy_dynamics.execute.transactions import Transaction
from sqlalchemy_dynamics.execute.units import Units
from sqlalchemy_dynamics.odata.changes import ANY_VERSION

from .histories.changesets import Buffered
from .histories.faults import AFTER, BEFORE
from .histories.play import Guarded, guarded
from .histories.steps import Step
from .histories.tables import key_of
from .histories.world import World

Patch = pytest.MonkeyPatch
LOST = {1: AFTER}
NEVER_CAME, NEVER_ANSWERED = {1: BEFORE, 2: BEFORE}, {1: AFTER, 2: AFTER}


@pytest.fixture(scope="module")
def org() -> Iterator[Guarded]:
    with guarded() as found:
        yield found


def step(verb: str, table: str, sql: str, values: Sequence[Any] = (), **more: Any) -> Step:
    return Step(verb, table, sql, values, sql, values, **more)


MADE = step("insert", "competitor", "INSERT INTO competitor (name) VALUES ('made')")
NAMED = "INSERT INTO competitor (competitorid, name) VALUES (?, 'given')"
GIVEN = step("insert", "competitor", NAMED, [key_of("competitor", 5)], keys=(key_of("competitor", 5),))
TAKEN = step("insert", "competitor", NAMED, [key_of("competitor", 0)], keys=(key_of("competitor", 0),))
TWO = step("insert", "competitor", "INSERT INTO competitor (name) VALUES ('one'), ('two')")
STALE = replace(
    step(
        "versioned", "account", "UPDATE account SET name = 'stale' WHERE accountid = ? AND ?", [key_of("account", 0), 0]
    ),
    sql="UPDATE account SET name = 'stale' WHERE accountid = ? AND versionnumber = ?",
    fresh=False,
    keys=(key_of("account", 0),),
)
UPDATE = step("update", "account", "UPDATE account SET name = 'u' WHERE accountid = ?", [key_of("account", 0)])
RESTRICTED = step(
    "many deletes", "account", "DELETE FROM account WHERE accountid = ?", [(key_of("account", n),) for n in (2, 3)],
    many=True,
)  # fmt: skip
COUNT = step("update", "competitor", "UPDATE competitor SET name = 'w' WHERE name = 'a'")


def _always(value: object) -> Callable[..., Any]:
    return lambda *args, **more: value


def without_its_key(patch: Patch) -> None:
    keyed = vars(Change)["keyed"].fget
    patch.setattr(Change, "keyed", property(lambda self: dict(self.body) if self.verb == "create" else keyed(self)))


def without_its_version(patch: Patch) -> None:
    patch.setattr(sending, "request_of", lambda change: request_of(replace(change, match=ANY_VERSION)))


def a_row_less(patch: Patch) -> None:
    together = Units.together

    def forgetful(self: Units, changes: Sequence[Change]) -> int:
        return together(self, changes[:-1]) + 1 if len(changes) > 1 else together(self, changes)

    patch.setattr(Units, "together", forgetful)


def an_error_swallowed(patch: Patch) -> None:
    patch.setattr(Units, "_part", _always(1))


def lost_is_done(patch: Patch) -> None:
    patch.setattr(Units, "_all_there", _always(True))


def lost_is_not_done(patch: Patch) -> None:
    patch.setattr(Units, "_all_there", _always(False))


def unknown_is_not_told(patch: Patch) -> None:
    patch.setattr(Units, "_unknown", _always(OperationalError("the answer was lost")))


def one_after_the_other(patch: Patch) -> None:
    patch.setattr(Units, "change_set", Units.each)


def rollback_keeps(patch: Patch) -> None:
    patch.setattr(Transaction, "rolled_back", _always(None))


def reading_is_allowed(patch: Patch) -> None:
    patch.setattr(Transaction, "check_reading", _always(None))


Play = Callable[[Guarded], None]


def alone(each: Step, plan: dict[int, str] | None = None, **properties: Any) -> Play:
    """One statement on an empty pair of sides."""

    def play(org: Guarded) -> None:
        org.world(patient=not properties, **properties).play(each, plan)

    return play


def transaction(steps: Sequence[Step], rolls_back: bool = False) -> Play:
    """A transaction under CHANGESET."""

    def play(org: Guarded) -> None:
        world: World = org.world()
        side = Buffered(world, org.connect())
        for each in steps:
            side.write(each)
        if rolls_back:
            side.rollback()
        side.commit()

    return play


MISTAKES: list[tuple[Callable[[Patch], None], Play]] = [
    (without_its_key, alone(MADE, LOST)),
    (without_its_version, alone(STALE)),
    (a_row_less, alone(TWO)),
    (an_error_swallowed, alone(RESTRICTED)),
    (lost_is_done, alone(GIVEN, NEVER_CAME, MaxRetries=1)),
    (lost_is_not_done, alone(GIVEN, LOST)),
    (unknown_is_not_told, alone(UPDATE, {1: AFTER, 2: BEFORE, 3: "500"}, MaxRetries=1)),
    (one_after_the_other, transaction([MADE, TAKEN])),
    (rollback_keeps, transaction([MADE, GIVEN], rolls_back=True)),
    (reading_is_allowed, transaction([MADE, COUNT])),
]


@pytest.mark.parametrize(("mistake", "play"), MISTAKES, ids=[mistake.__name__ for mistake, _ in MISTAKES])
def test_mistakes_are_noticed(org: Guarded, monkeypatch: Patch, mistake: Callable[[Patch], None], play: Play) -> None:
    play(org)
    mistake(monkeypatch)
    with pytest.raises(AssertionError):
        play(org)
