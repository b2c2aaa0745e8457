"""One small sandbox per test module, and a bare client that knows nothing of the house."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox

SAFE = "/?$&=(),'@:;%*[]\"{}!"


@dataclass
class Answer:
    """One reply: status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def rows(self) -> list[dict[str, Any]]:
        assert self.status == 200, self.body
        found: list[dict[str, Any]] = self.json["value"]
        return found

    @property
    def error(self) -> tuple[int, str, str]:
        found = self.json["error"]
        return self.status, found["code"], found["message"]


class Client:
    """Sends requests to a sandbox; paths are relative to the service root and not yet encoded."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.root = f"{sandbox.url}/api/data/v9.2/"

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        url = path if path.startswith("http") else self.root + path
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given.setdefault("Authorization", f"Bearer {self.sandbox.access_token}")
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        target = quote(parts.path + (f"?{parts.query}" if parts.query else ""), safe=SAFE)
        try:
            connection.request(method, target, body, {k: v for k, v in given.items() if v})
            reply = connection.getresponse()
            return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, None, **headers)

    def control(self, method: str, path: str, body: object = None) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        return self.send(method, f"{self.sandbox.url}/_sandbox/{path}", data)

    def every(self, path: str, **headers: str) -> list[dict[str, Any]]:
        """Follow next links to the end."""
        rows: list[dict[str, Any]] = []
        link: str | None = path
        while link:
            page = self.get(link, **headers)
            rows += page.rows
            link = page.json.get("@odata.nextLink")
        return rows


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=300, seed=7) as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)
