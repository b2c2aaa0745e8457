"""One sandbox for the whole room; each test makes the rows it needs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sqlalchemy_dynamics.sandbox import Sandbox

REPRESENTATION = {"Prefer": "return=representation"}


class Api:
    """The Web API of a sandbox, with short words for what the tests do all the time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.root = f"{sandbox.url}/api/data/v9.2/"
        self.http = httpx.Client(base_url=self.root, headers={"Authorization": f"Bearer {sandbox.access_token}"})

    def __call__(self, method: str, url: str, body: object = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is None:
            return self.http.request(method, url, headers=named)
        return self.http.request(method, url, json=body, headers=named)

    def create(self, set_name: str, body: dict[str, Any]) -> str:
        reply = self("POST", set_name, body)
        assert reply.status_code == 204, reply.text
        return str(re.split(r"[()]", reply.headers["OData-EntityId"])[-2])

    def row(self, set_name: str, row_id: str, select: str, **headers: str) -> dict[str, Any]:
        reply = self("GET", f"{set_name}({row_id})?$select={select}", **headers)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def refused(self, method: str, url: str, body: object = None, **headers: str) -> tuple[int, str]:
        """Return status and Dataverse code of a refusal."""
        reply = self(method, url, body, **headers)
        return reply.status_code, reply.json()["error"]["code"]

    def message(self, method: str, url: str, body: object = None, **headers: str) -> str:
        return str(self(method, url, body, **headers).json()["error"]["message"])


@pytest.fixture(scope="session")
def api() -> Iterator[Api]:
    with Sandbox(rows=40) as sandbox:
        yield Api(sandbox)


@pytest.fixture
def account(api: Api) -> str:
    return api.create("accounts", {"name": "Writer"})


@pytest.fixture
def nobody() -> str:
    """An id that no row has."""
    return str(uuid.uuid4())
