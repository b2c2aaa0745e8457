"""A sandbox that the command is pointed at."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with Sandbox(rows=40, seed=3) as running:
        yield f"dynamics:///?OrganizationUrl={quote(running.url.rstrip('/'))}&OAuthAccessToken={running.access_token}"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DYNAMICS_URL", "DYNAMICS_ORGANIZATIONURL"):
        monkeypatch.delenv(name, raising=False)
