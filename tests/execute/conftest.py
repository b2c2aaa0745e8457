"""A sandbox of a few thousand rows, and a way to put faults on it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox

Connect = Callable[..., dbapi.Connection]


@pytest.fixture(scope="module")
def org() -> Iterator[Sandbox]:
    with Sandbox(rows=3000, seed=5, max_page_size=500) as sandbox:
        yield sandbox


@pytest.fixture
def connect(org: Sandbox) -> Iterator[Connect]:
    """Connect to the sandbox without faults; its log is empty."""
    control(org, "DELETE", "faults")
    opened: list[dbapi.Connection] = []

    def open_one(**properties: Any) -> dbapi.Connection:
        connection = dbapi.connect(
            OrganizationUrl=org.url, OAuthAccessToken=org.access_token, **{"RetryDeadline": 20, **properties}
        )
        connection.cursor().execute("SELECT accountid FROM account LIMIT 1").fetchall()
        control(org, "DELETE", "requests")
        opened.append(connection)
        return connection

    yield open_one
    control(org, "DELETE", "faults")
    for connection in opened:
        connection.close()


def control(org: Sandbox, method: str, path: str, body: Any = None) -> Any:
    """Speak to the sandbox's control plane."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{org.url}/_sandbox/{path}", data, {"Content-Type": "application/json"})
    request.method = method
    with urllib.request.urlopen(request) as reply:
        text = reply.read()
    return json.loads(text) if text else None


def requests_of(org: Sandbox) -> list[dict[str, Any]]:
    """Return the data requests the sandbox has seen."""
    found: list[dict[str, Any]] = control(org, "GET", "requests")["requests"]
    return found
