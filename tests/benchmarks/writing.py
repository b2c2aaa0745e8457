"""Rows inserted, updated and deleted: requests and rows per second, beside Microsoft's SDK where it is installed.

python -m tests.benchmarks.writing [rows] [latency in ms] [rows the SDK deletes, one request each]
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import Any

from sqlalchemy_dynamics import dbapi

__all__ = ["Cost", "Organisation", "ours", "theirs"]

ADD = "INSERT INTO account (accountid, name, numberofemployees) VALUES (?, ?, ?)"
CHANGE = "UPDATE account SET numberofemployees = ? WHERE accountid = ?"
REMOVE = "DELETE FROM account WHERE name LIKE 'written %'"


@dataclass(frozen=True)
class Cost:
    """What was done to how many rows, in how many requests and seconds."""

    name: str
    rows: int
    requests: int
    seconds: float


@dataclass(frozen=True)
class Organisation:
    """A sandbox in a process of its own."""

    url: str
    token: str

    def requests(self) -> int:
        """Return the number of requests since the last call."""
        log = f"{self.url}/_sandbox/requests"
        with urllib.request.urlopen(log) as reply:
            count = len(json.load(reply)["requests"])
        urllib.request.urlopen(urllib.request.Request(log, method="DELETE")).close()
        return count

    def cost(self, name: str, work: Callable[[], int]) -> Cost:
        """Do the work and count."""
        self.requests()
        began = time.monotonic()
        rows = work()
        return Cost(name, rows, self.requests(), time.monotonic() - began)


@contextmanager
def organisation(latency: int) -> Iterator[Organisation]:
    """Run a sandbox whose answers take that many milliseconds more."""
    command = [sys.executable, "-m", "sqlalchemy_dynamics", "sandbox", "--rows", "10", "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        try:
            yield Organisation(told["OrganizationUrl"].rstrip("/"), told["AccessToken"])
        finally:
            process.terminate()


def ours(org: Organisation, rows: int) -> Iterator[Cost]:
    """Write through executemany() and one DELETE."""
    with dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.token) as connection:
        connection.catalog.table("account")
        cursor = connection.cursor()
        added = [(str(uuid.uuid4()), f"written {number}", number) for number in range(rows)]
        yield org.cost("insert", lambda: cursor.executemany(ADD, added).rowcount)
        changed = [(number + 1, key) for key, _, number in added]
        yield org.cost("update", lambda: cursor.executemany(CHANGE, changed).rowcount)
        yield org.cost("delete", lambda: cursor.execute(REMOVE).rowcount)


def theirs(org: Organisation, rows: int, deleted: int) -> Iterator[Cost]:
    """Write through the SDK; nothing where it is not installed."""
    try:
        client = _client(org)
    except ImportError:
        return
    bodies = [{"name": f"written {number}", "numberofemployees": number} for number in range(rows)]
    client.records.create("account", bodies[:2])
    ids: list[str] = []

    def create() -> int:
        ids.extend(client.records.create("account", bodies))
        return len(ids)

    yield org.cost("SDK insert", create)
    changes = [{"numberofemployees": number + 1} for number in range(rows)]
    yield org.cost("SDK update", lambda: len(changes) + int(client.records.update("account", ids, changes) or 0))
    gone = ids[:deleted]
    yield org.cost("SDK delete", lambda: len(client.records.delete("account", gone, use_bulk_delete=False) or gone))


def _client(org: Organisation) -> Any:
    token = import_module("azure.core.credentials").AccessToken(org.token, int(time.time()) + 99_999)
    sdk = import_module("PowerPlatform.Dataverse.client")
    credential = type("Credential", (), {"get_token": lambda self, *scopes, **more: token})()
    client = sdk.DataverseClient(org.url.replace("http://", "https://"), credential)
    client._base_url = org.url  # it takes https only
    return client


def main() -> None:
    """Print a line for each kind of write."""
    rows, latency, deleted = ([int(text) for text in sys.argv[1:]] + [100_000, 100, 300][len(sys.argv) - 1 :])[:3]
    with organisation(latency) as org:
        for cost in chain(ours(org, rows), theirs(org, rows, min(rows, deleted))):
            speed = cost.rows / cost.seconds
            print(f"{cost.name:12} {cost.rows:8} rows {cost.requests:6} requests {speed:8.0f} rows/s", flush=True)


if __name__ == "__main__":
    main()
