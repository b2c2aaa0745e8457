"""How many units are under way at a time: MaxConcurrency where it is set, else what the service says it likes."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox

ADD = "INSERT INTO account (accountid, name) VALUES (?, 'parallel')"


@pytest.mark.parametrize(("properties", "most"), [({"MaxConcurrency": 2}, 2), ({}, 4)], ids=["set", "hinted"])
def test_units_under_way(org: Sandbox, properties: dict[str, Any], most: int) -> None:
    connection = dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token, **properties)
    threads: set[str] = set()
    connection.on_request = lambda request, reply: threads.add(threading.current_thread().name)
    connection.cursor().execute(ADD, (str(uuid.uuid4()),))
    threads.clear()
    rows = [(str(uuid.uuid4()),) for _ in range(3000)]
    assert connection.cursor().executemany(ADD, rows).rowcount == 3000
    assert 1 <= len(threads) <= most and all(name.startswith("dynamics-write") for name in threads)
