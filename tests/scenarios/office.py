"""What the scenarios share: a sandbox with its sign-in service, a person at a browser, a clock, engines by URL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox
from sqlalchemy_dynamics.sandbox.authority import Entry
from sqlalchemy_dynamics.session import opening
from tests.auth.support import CUSTOM, EMBEDDED, SECRET, Person, free_port

__all__ = ["COUNT", "CUSTOM", "EMBEDDED", "SECRET", "Office"]

COUNT = "SELECT count(*) FROM account"


@dataclass
class Office:
    """One test's surroundings. Every engine and connection is as a new process would open it."""

    org: Sandbox
    person: Person
    folder: Path
    offset: float = 0.0
    port: int = field(default_factory=free_port)

    @property
    def file(self) -> str:
        return str(self.folder / "OAuth Settings.txt")

    @property
    def callback(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def custom(self) -> dict[str, Any]:
        """The properties of the custom application."""
        return {"OAuthClientId": CUSTOM, "OAuthClientSecret": SECRET, "CallbackURL": f"{self.callback}/cb"}

    def now(self) -> float:
        return time.time() + self.offset

    def later(self, seconds: float) -> None:
        self.offset += seconds

    def properties(self, **given: Any) -> dict[str, Any]:
        """What every connection here needs, and what the test gives; None takes a property away."""
        found = {
            "OrganizationUrl": self.org.url,
            "AuthorityUrl": self.org.authority.url,
            "SSLServerCert": self.org.authority.ca_file,
            "CallbackURL": self.callback,
            "OAuthSettingsLocation": self.file,
            **given,
        }
        return {name: value for name, value in found.items() if value is not None}

    def bare(self, **given: Any) -> dict[str, Any]:
        """The seed's three properties, and the certificate of a login service that no machine trusts."""
        return {"AuthorityUrl": None, "CallbackURL": None, "InitiateOAuth": "REFRESH", **given}

    def url(self, **given: Any) -> str:
        pairs = (f"{name}={quote(str(value), safe='')}" for name, value in self.properties(**given).items())
        return f"dynamics:///?{'&'.join(pairs)}"

    def forget(self) -> None:
        """Forget what the process remembers of sign-ins: the next connection is as in a new one."""
        opening._PROVIDERS.clear()

    @contextmanager
    def engine(self, options: dict[str, Any] | None = None, **given: Any) -> Iterator[sa.engine.Engine]:
        """An engine in a process of its own."""
        self.forget()
        engine = sa.create_engine(self.url(**given), **options or {})
        try:
            yield engine
        finally:
            engine.dispose()

    def connect(self, **given: Any) -> dbapi.Connection:
        """A connection of the driver, in a process of its own."""
        self.forget()
        return dbapi.connect(**self.properties(**given))

    def count(self, **given: Any) -> int:
        """The number of accounts, asked through an engine of its own."""
        with self.engine(**given) as engine, engine.connect() as connection:
            return int(connection.execute(sa.text(COUNT)).scalar_one())

    def call(self, statement: str, parameters: Any = None, **given: Any) -> dict[str, Any]:
        """The row of a procedure called on a connection of its own, by column."""
        with self.connect(**given) as connection:
            return called(connection, statement, parameters)

    def token_requests(self) -> list[Entry]:
        return [entry for entry in self.org.authority.requests if entry.path.rstrip("/").endswith("/token")]

    def grants(self) -> list[str]:
        return [entry.grant for entry in self.token_requests()]

    def data_requests(self, *, but: str = "$metadata") -> list[dict[str, object]]:
        """Requests for rows so far."""
        return [entry for entry in self.org.requests if but not in str(entry["url"])]

    def sent(self) -> int:
        """Requests of any kind so far."""
        return len(self.org.requests) + len(self.org.authority.requests)


def called(connection: dbapi.Connection, statement: str, parameters: Any = None) -> dict[str, Any]:
    """Run a call and return its one row by column."""
    cursor = connection.cursor().execute(statement, parameters)
    (row,) = cursor.fetchall()
    return dict(zip([column[0] for column in cursor.description or ()], row, strict=True))
