"""What tests tell and ask a sandbox beside the driver, and connections to it whose requests alone are in its log."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox

Connect = Callable[..., dbapi.Connection]


def control(org: Sandbox, method: str, path: str, body: Any = None) -> Any:
    """Speak to the sandbox's control plane; raises urllib.error.HTTPError for what it refuses."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{org.url}/_sandbox/{path}", data, {"Content-Type": "application/json"})
    request.method = method
    with urllib.request.urlopen(request) as reply:
        text = reply.read()
    return json.loads(text) if text else None


@contextmanager
def connecting(org: Sandbox, warm: Callable[[dbapi.Connection], object]) -> Iterator[Connect]:
    """Yield what opens connections, warmed up and the log empty after it; no faults before and after, all closed."""
    control(org, "DELETE", "faults")
    opened: list[dbapi.Connection] = []

    def open_one(**properties: Any) -> dbapi.Connection:
        connection = dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token, **properties)
        opened.append(connection)
        warm(connection)
        control(org, "DELETE", "requests")
        return connection

    yield open_one
    control(org, "DELETE", "faults")
    for connection in opened:
        connection.close()
