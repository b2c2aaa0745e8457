"""What the tests of histories have in common: an organisation behind a gate, connections that sign in, numbers."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Limits, Sandbox
from sqlalchemy_dynamics.session import core

from . import steps
from .faults import Gate
from .many import many
from .tables import RESTRICTED
from .world import World

__all__ = ["LENGTH", "SEED", "STEP", "Guarded", "budget", "guarded", "report"]

LENGTH = float(os.environ.get("DYNAMICS_HISTORIES", "1"))
"""How many times the usual number of histories is played."""
SEED = int(os.environ.get("DYNAMICS_HISTORIES_SEED") or os.environ.get("DYNAMICS_DIFFERENTIAL_SEED") or "1")
STEP: st.SearchStrategy[steps.Step] = st.one_of(
    steps.inserts(), steps.inserts(), steps.updates(), steps.deletes(), steps.upserts(), steps.links(), steps.selects(),
    steps.versioned(), many(),
)  # fmt: skip


class Guarded:
    """A sandbox, the gate in front of it, and connections that renew their tokens."""

    def __init__(self, org: Sandbox, gate: Gate) -> None:
        self.org, self.gate = org, gate
        self.opened: list[dbapi.Connection] = []
        self._first: dict[str, list[tuple[Any, ...]]] = {}

    @property
    def sign_in(self) -> dict[str, Any]:
        """How an application signs in with the sandbox's own authority."""
        authority = self.org.authority
        return {
            "OrganizationUrl": self.org.url, "AuthScheme": "AzureServicePrincipal", "Tenant": authority.tenant,
            "OAuthClientId": authority.client_id, "OAuthClientSecret": authority.client_secret,
            "AuthorityUrl": authority.url, "SSLServerCert": authority.ca_file,
        }  # fmt: skip

    def connect(self, **properties: Any) -> dbapi.Connection:
        """Open a connection; it is closed with the sandbox."""
        connection = dbapi.connect(**self.sign_in, **properties)
        self.opened.append(connection)
        return connection

    def world(self, patient: bool = True, **properties: Any) -> World:
        """Return both sides of a history, empty."""
        world = World(self.org, self.gate, lambda **more: self.connect(**properties, **more), patient)
        world.first = self._first
        world.begin()
        self._first = world.first
        return world


@contextmanager
def guarded() -> Iterator[Guarded]:
    """Start a sandbox without rows and limits, in which nobody waits before trying again."""
    org = Sandbox(rows=0, limits=Limits(requests=0, seconds=0, concurrent=0))
    org.service.organisation.one_to_many[RESTRICTED].cascade["Delete"] = "Restrict"
    gate = Gate(org)
    timing = core.Timing
    with pytest.MonkeyPatch.context() as patch, org:
        patch.setattr(core, "Timing", lambda: timing(sleep=lambda seconds: None))
        patch.setattr("sqlalchemy_dynamics.execute.persisting.time", _Hurried())
        found = Guarded(org, gate)
        yield found
        for connection in found.opened:
            connection.close()


class _Hurried:
    """The clock, of which nobody sleeps."""

    monotonic = staticmethod(time.monotonic)

    @staticmethod
    def sleep(seconds: float) -> None:
        return None


UNHURRIED = pytest.mark.timeout(600)
"""For tests that shrink what they find: their limit is not to hide it."""


def budget(examples: int, steps: int = 12) -> settings:
    """How many histories a test plays."""
    health = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    return settings(
        max_examples=max(2, round(examples * LENGTH)), stateful_step_count=steps, deadline=None, print_blob=True,
        suppress_health_check=[*health, HealthCheck.function_scoped_fixture, HealthCheck.large_base_example],
        report_multiple_bugs=False, phases=[phase for phase in Phase if phase is not Phase.explain],
    )  # fmt: skip


def report(name: str, tally: Counter[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Print what was done; aloud when more than usual was asked for."""
    text = ", ".join(f"{number:,} {what}" for what, number in sorted(tally.items()) if number)
    line = f"\nhistories, {name}, DYNAMICS_HISTORIES_SEED={SEED}: {text}"
    if LENGTH > 1:
        with capsys.disabled():
            print(line)
    else:
        print(line)
