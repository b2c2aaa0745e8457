"""One login service for all sign-in tests, reset for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority
from tests.auth.plain import make_client
from tests.auth.support import ORG, HttpxPort, Person, World, add_apps


@pytest.fixture(scope="session")
def running_authority() -> Iterator[Authority]:
    with Authority(ORG, consent="grant") as authority:
        yield authority


@pytest.fixture(scope="session")
def client(running_authority: Authority) -> Iterator[httpx.Client]:
    with make_client(running_authority.ca_file) as made:
        yield made


@pytest.fixture
def world(running_authority: Authority, client: httpx.Client, tmp_path: Path) -> World:
    authority = running_authority
    authority.reset()
    authority.consent = "grant"
    authority.lifetime = 3600
    authority.clients.clear()
    add_apps(authority)
    return World(authority, HttpxPort(client), Person(client), tmp_path)
