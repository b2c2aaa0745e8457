"""One login service for all sign-in tests, reset for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority
from tests.auth.support import ORG, HttpxPort, Person, World, add_apps


@pytest.fixture(scope="session")
def running_authority() -> Iterator[Authority]:
    with Authority(ORG, consent="grant") as authority:
        yield authority


@pytest.fixture
def world(running_authority: Authority, tmp_path: Path) -> World:
    authority = running_authority
    authority.reset()
    authority.consent = "grant"
    authority.lifetime = 3600
    authority.clients.clear()
    add_apps(authority)
    return World(authority, HttpxPort(authority.ca_file), Person(authority.ca_file), tmp_path)
