"""A small organisation to write to, and connections that show what they sent."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox

Connect = Callable[..., dbapi.Connection]
Sql = Callable[..., dbapi.Cursor]


@pytest.fixture(scope="module")
def org() -> Iterator[Sandbox]:
    with Sandbox(rows=12, seed=7) as sandbox:
        yield sandbox


@pytest.fixture
def connect(org: Sandbox) -> Iterator[Connect]:
    """Connect to the sandbox without faults; its log is empty."""
    control(org, "DELETE", "faults")
    opened: list[dbapi.Connection] = []

    def open_one(**properties: Any) -> dbapi.Connection:
        connection = dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token, **properties)
        connection.catalog.tables(["account", "contact"])
        control(org, "DELETE", "requests")
        opened.append(connection)
        return connection

    yield open_one
    control(org, "DELETE", "faults")
    for connection in opened:
        connection.close()


@pytest.fixture
def sql(connect: Connect) -> Sql:
    """Run one statement on a connection of its own."""
    connection = connect()

    def run(statement: str, parameters: Any = None) -> dbapi.Cursor:
        return connection.cursor().execute(statement, parameters)

    return run


def control(org: Sandbox, method: str, path: str, body: Any = None) -> Any:
    """Speak to the sandbox's control plane."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{org.url}/_sandbox/{path}", data, {"Content-Type": "application/json"})
    request.method = method
    with urllib.request.urlopen(request) as reply:
        text = reply.read()
    return json.loads(text) if text else None


def sent(org: Sandbox) -> list[str]:
    """Return method and path below the service root of each data request since the log was emptied."""
    found = control(org, "GET", "requests")["requests"]
    control(org, "DELETE", "requests")
    return [f"{each['method']} {each['url'].partition('/api/data/v9.2/')[2].partition('?')[0]}" for each in found]
