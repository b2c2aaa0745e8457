"""A small organisation to write to, and connections that show what they sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy
from sqlalchemy import orm
from sqlalchemy.dialects import registry

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.control_plane import Connect, connecting, control

__all__ = ["Connect", "Sql", "control", "sent"]

registry.register("dynamics", "sqlalchemy_dynamics.dialect", "DynamicsDialect")
Sql = Callable[..., dbapi.Cursor]


@pytest.fixture(scope="module")
def org() -> Iterator[Sandbox]:
    with Sandbox(rows=12, seed=7) as sandbox:
        yield sandbox


@pytest.fixture
def connect(org: Sandbox) -> Iterator[Connect]:
    with connecting(org, lambda connection: connection.catalog.tables(["account", "contact"])) as connect:
        yield connect


@pytest.fixture
def engine(org: Sandbox) -> Iterator[Any]:
    """An engine that knows the tables of the ORM's tests; the sandbox's log is empty."""
    engine = sqlalchemy.create_engine(
        f"dynamics:///?OrganizationUrl={quote(org.url)}&OAuthAccessToken={quote(org.access_token)}"
    )
    with engine.connect() as connection:
        for table in ("account", "contact", "new_sample"):
            sqlalchemy.inspect(connection).get_columns(table)
    sent(org)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Any) -> Iterator[Any]:
    with orm.Session(engine) as session:
        yield session


@pytest.fixture
def sql(connect: Connect) -> Sql:
    """Run one statement on a connection of its own."""
    connection = connect()

    def run(statement: str, parameters: Any = None) -> dbapi.Cursor:
        return connection.cursor().execute(statement, parameters)

    return run


def sent(org: Sandbox) -> list[str]:
    """Return method and path below the service root of each data request since the log was emptied."""
    found = control(org, "GET", "requests")["requests"]
    control(org, "DELETE", "requests")
    return [f"{each['method']} {each['url'].partition('/api/data/v9.2/')[2].partition('?')[0]}" for each in found]
