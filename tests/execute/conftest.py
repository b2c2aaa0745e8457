"""A sandbox of a few thousand rows, and a way to put faults on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.control_plane import Connect, connecting, control

__all__ = ["Connect", "control", "requests_of"]


@pytest.fixture(scope="module")
def org() -> Iterator[Sandbox]:
    with Sandbox(rows=3000, seed=5, max_page_size=500) as sandbox:
        yield sandbox


@pytest.fixture
def connect(org: Sandbox) -> Iterator[Connect]:
    """Connect to the sandbox without faults; its log is empty."""
    with connecting(org, _read_a_row) as connect:
        yield lambda **properties: connect(**{"RetryDeadline": 20, **properties})


def _read_a_row(connection: dbapi.Connection) -> None:
    connection.cursor().execute("SELECT accountid FROM account LIMIT 1").fetchall()


def requests_of(org: Sandbox) -> list[dict[str, Any]]:
    """Return the data requests the sandbox has seen."""
    found: list[dict[str, Any]] = control(org, "GET", "requests")["requests"]
    return found
