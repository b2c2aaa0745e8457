"""One sandbox with its sign-in service for all scenarios, reset for each; a browser played by httpx."""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from sqlalchemy.dialects import registry

from sqlalchemy_dynamics.sandbox import Sandbox
from sqlalchemy_dynamics.sandbox.authority.people import demo_users
from sqlalchemy_dynamics.session import signin
from tests.auth.plain import make_client
from tests.auth.support import Person, add_apps
from tests.scenarios.office import Office

registry.register("dynamics", "sqlalchemy_dynamics.dialect", "DynamicsDialect")


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox(rows=30, seed=4, max_page_size=10) as org:
        yield org


@pytest.fixture(scope="session")
def client(running: Sandbox) -> Iterator[httpx.Client]:
    with make_client(running.authority.ca_file) as made:
        yield made


@pytest.fixture
def office(running: Sandbox, client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    running.authority.reset()
    add_apps(running.authority)
    running.authority.consent = "grant"
    running.authority.lifetime = 3600
    running.authority.users = demo_users()
    running.faults.clear()
    running.log.clear()
    office = Office(running, Person(client), tmp_path)
    running.authority.clock = office.now
    for name in [name for name in os.environ if name.startswith("DYNAMICS_") or name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BROWSER", "played-by-httpx")
    monkeypatch.setattr(webbrowser, "open", office.person)
    monkeypatch.setattr(signin, "time", SimpleNamespace(time=office.now))
    office.forget()
    yield office
    office.forget()
