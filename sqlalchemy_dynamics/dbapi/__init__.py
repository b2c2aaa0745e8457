"""The PEP 249 driver: `connect()`, the module globals, the type objects and constructors."""

from __future__ import annotations

import os
import re

from sqlalchemy_dynamics.dbapi.connection import Connection
from sqlalchemy_dynamics.dbapi.cursor import Cursor
from sqlalchemy_dynamics.dbapi.values import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)
from sqlalchemy_dynamics.errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)
from sqlalchemy_dynamics.settings import from_string, from_url

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]

apilevel = "2.0"
paramstyle = "qmark"
threadsafety = 1

_URL = re.compile(r"[a-z+]+://", re.IGNORECASE)


def connect(
    url: str | None = None, *, credential: object = None, token_store: object = None, **properties: object
) -> Connection:
    """Open a connection. Nothing is sent, except that GETANDREFRESH signs in when no token is at hand.

    `url` is ``dynamics://…``, or ``Name=Value;Name=Value``; without one `DYNAMICS_URL` is used.
    `credential` is an ``azure.core`` TokenCredential or a callable that returns a token, `token_store` a store of
    dynamics_auth. Other keywords are connection properties and win over `url`. Raises InterfaceError naming the
    property that is wrong, AuthenticationError when the sign-in failed.
    """
    if not isinstance(url, str | None):
        raise InterfaceError(f"connect() takes dynamics://… or Name=Value;… as a str, not {type(url).__name__}")
    text = os.environ.get("DYNAMICS_URL", "") if url is None else url
    read = from_url if _URL.match(text) else from_string
    connection = Connection(read(text, properties), credential=credential, token_store=token_store)
    connection.session.connect()
    return connection
