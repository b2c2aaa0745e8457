"""The dialect by name, installed or not, and engines over one sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from urllib.request import Request, urlopen

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import registry

from sqlalchemy_dynamics.sandbox import Sandbox

registry.register("dynamics", "sqlalchemy_dynamics.dialect", "DynamicsDialect")
registry.register("dynamics.webapi", "sqlalchemy_dynamics.dialect", "DynamicsDialect")


@dataclass(frozen=True)
class Organization:
    """A running sandbox as seen from outside."""

    address: str
    token: str

    @property
    def url(self) -> str:
        return f"dynamics:///?OrganizationUrl={quote(self.address)}&OAuthAccessToken={quote(self.token)}"

    def engine(self, **options: Any) -> sa.engine.Engine:
        return sa.create_engine(self.url, **options)

    def forget(self) -> None:
        """Empty the record of requests."""
        urlopen(Request(f"{self.address}/_sandbox/requests", method="DELETE")).close()

    def requests(self) -> list[str]:
        """Method and decoded URL below the service root, of every request since `forget`."""
        with urlopen(f"{self.address}/_sandbox/requests") as reply:
            found = json.load(reply)["requests"]
        return [f"{each['method']} {_below_root(each['url'])}" for each in found]


def _below_root(url: str) -> str:
    parts = urlsplit(url)
    path = parts.path.partition("/api/data/v9.2/")[2]
    return unquote(f"{path}?{parts.query}" if parts.query else path)


@pytest.fixture(scope="session")
def organization() -> Iterator[Organization]:
    with Sandbox(rows=60, seed=3) as running:
        yield Organization(running.url.rstrip("/"), running.access_token)


@pytest.fixture
def engine(organization: Organization) -> Iterator[sa.engine.Engine]:
    engine = organization.engine()
    with engine.connect() as connection:
        sa.inspect(connection).get_columns("account")
    organization.forget()
    yield engine
    engine.dispose()
