"""``sqlalchemy+<database URL>#name``: the sealed blob in a database table, for several machines.

A lease column is the lock and a version column catches a holder whose lease ran out. Imported only when used.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager

from sqlalchemy import Column, Float, Integer, LargeBinary, MetaData, String, Table, create_engine, select
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from dynamics_auth.failures import AuthError, StoreUnwritable
from dynamics_auth.stores import LOCK_TIMEOUT

__all__ = ["TABLE", "TableStore", "open_table_store"]

LEASE = 120.0
_POLL = 0.05

TABLE = Table(
    "dynamics_oauth_settings",
    MetaData(),
    Column("name", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("blob", LargeBinary),
    Column("holder", String(36), nullable=False),
    Column("lease", Float, nullable=False),
)


def open_table_store(location: str) -> TableStore:
    """Open ``sqlalchemy+<database URL>#name``; the table is made when it is missing."""
    url, _, name = location.partition("+")[2].partition("#")
    try:
        engine = create_engine(make_url(url))
    except (ArgumentError, ImportError):
        raise AuthError(
            "OAuthSettingsLocation sqlalchemy+… must go on with a database URL that SQLAlchemy can open", "interface"
        ) from None
    return TableStore(engine, name or "default")


class TableStore:
    """One row of the table `dynamics_oauth_settings`."""

    def __init__(self, engine: Engine, name: str = "default") -> None:
        self._engine, self._name = engine, name
        self._holder = ""
        self._version = -1
        with self._database():
            TABLE.create(engine, checkfirst=True)
            self._make_row()

    def _make_row(self) -> None:
        with contextlib.suppress(IntegrityError), self._engine.begin() as connection:
            connection.execute(TABLE.insert().values(name=self._name, version=0, blob=None, holder="", lease=0.0))

    @contextlib.contextmanager
    def _database(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreUnwritable(f"{self.describe()} failed ({type(error).__name__})") from None

    def load(self) -> bytes | None:
        """The row's blob; its version is remembered for the next save."""
        with self._database(), self._engine.connect() as connection:
            row = connection.execute(select(TABLE.c.version, TABLE.c.blob).where(TABLE.c.name == self._name)).first()
        self._version = row[0] if row else -1
        return bytes(row[1]) if row and row[1] else None

    def save(self, blob: bytes) -> None:
        """Replace the blob if nobody wrote since it was loaded. Raises StoreUnwritable otherwise."""
        self._write(blob)

    def delete(self) -> None:
        """Empty the row."""
        self.load()
        self._write(None)

    def _write(self, blob: bytes | None) -> None:
        mine = (TABLE.c.name == self._name) & (TABLE.c.version == self._version)
        with self._database(), self._engine.begin() as connection:
            change = TABLE.update().where(mine).values(blob=blob, version=self._version + 1)
            written = connection.execute(change).rowcount
        if written != 1:
            raise StoreUnwritable(f"{self.describe()} was changed by another program meanwhile: nothing was written")
        self._version += 1

    def lock(self, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Hold the row's lease; re-entrant for this object. Raises AuthError after `timeout` seconds."""
        return self._lease(timeout)

    @contextlib.contextmanager
    def _lease(self, timeout: float) -> Iterator[None]:
        from dynamics_auth.locks import thread_lock

        with thread_lock(self.describe(), timeout):
            if self._holder:
                yield
                return
            holder, deadline = str(uuid.uuid4()), time.monotonic() + timeout
            while not self._take(holder):
                if time.monotonic() > deadline:
                    raise AuthError(f"{self.describe()} has been locked by another program for {timeout:g} seconds")
                time.sleep(_POLL)
            self._holder = holder
            try:
                yield
            finally:
                self._holder = ""
                self._give_back(holder)

    def _take(self, holder: str) -> bool:
        free = (TABLE.c.name == self._name) & ((TABLE.c.holder == "") | (TABLE.c.lease < time.time()))
        with self._database(), self._engine.begin() as connection:
            lease = time.time() + LEASE
            return connection.execute(TABLE.update().where(free).values(holder=holder, lease=lease)).rowcount == 1

    def _give_back(self, holder: str) -> None:
        held = (TABLE.c.name == self._name) & (TABLE.c.holder == holder)
        with self._database(), self._engine.begin() as connection:
            connection.execute(TABLE.update().where(held).values(holder="", lease=0.0))

    def describe(self) -> str:
        """Database and row, the database's password masked."""
        return f"{self._engine.url.render_as_string(hide_password=True).partition('?')[0]}#{self._name}"
