"""The driver over the sandbox: descriptions, values, cancelling, interrupts, threads."""

from __future__ import annotations

import datetime as dt
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.edm import TypeCode
from sqlalchemy_dynamics.errors import StatementCancelled
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.control_plane import control


class Service:
    """A running sandbox and connections to it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.address: str = sandbox.url.rstrip("/")
        self.properties = {"OrganizationUrl": self.address, "OAuthAccessToken": sandbox.access_token}

    def connect(self, **more: Any) -> dbapi.Connection:
        return dbapi.connect("", **self.properties, **more)

    def pages(self, entity_set: str) -> int:
        """How many times the set was asked for, data requests only."""
        urls = [each["url"] for each in control(self.sandbox, "GET", "requests")["requests"]]
        return sum(bool(re.search(rf"/{entity_set}(\?|$)", url)) for url in urls)

    def forget(self) -> None:
        control(self.sandbox, "DELETE", "requests")


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Sandbox(rows=120, seed=5) as running:
        yield Service(running)


@pytest.fixture
def connection(service: Service) -> Iterator[dbapi.Connection]:
    with service.connect(PageSize=10) as connection:
        connection.catalog.table("account")
        service.forget()
        yield connection


COLUMNS = ["accountid", "name", "statecode", "versionnumber", "revenue", "donotemail", "createdon", "primarycontactid"]
FAMILIES = {
    "UUID": (dbapi.STRING, str),
    "VARCHAR": (dbapi.STRING, str),
    "INTEGER": (dbapi.NUMBER, int),
    "BIGINT": (dbapi.NUMBER, int),
    "DECIMAL": (dbapi.NUMBER, Decimal),
    "BOOLEAN": (dbapi.NUMBER, bool),
    "TIMESTAMP WITH TIME ZONE": (dbapi.DATETIME, dt.datetime),
}


@pytest.mark.parametrize("where", ["", " WHERE FALSE", " WHERE name = 'no such name'"])
def test_description_is_complete_with_and_without_rows(connection: dbapi.Connection, where: str) -> None:
    cursor = connection.cursor().execute(f"SELECT {', '.join(COLUMNS)} FROM account{where}")
    rows = cursor.fetchall()
    assert bool(rows) is (where == "")
    assert cursor.description is not None and [column[0] for column in cursor.description] == COLUMNS
    for position, (_, code, _, _, precision, scale, _) in enumerate(cursor.description):
        assert isinstance(code, TypeCode)
        kind, python = FAMILIES[code.family]
        assert code == kind and (precision, scale) == ((19, 4) if code.family == "DECIMAL" else (None, None))
        assert {type(row[position]) for row in rows} <= {python, type(None)}


def test_every_column_type_of_the_demo_has_its_python_type(connection: dbapi.Connection) -> None:
    kinds = {
        "UUID": str, "VARCHAR": str, "INTEGER": int, "BIGINT": int, "DECIMAL": Decimal, "DOUBLE": float,
        "BOOLEAN": bool, "TIMESTAMP WITH TIME ZONE": dt.datetime, "TIMESTAMP": dt.datetime, "DATE": dt.date,
        "BLOB": bytes,
    }  # fmt: skip
    seen = set()
    custom = [name for name in connection.catalog.names() if name.startswith("new_")]
    for table in ["account", "opportunity", "product", *custom]:
        cursor = connection.cursor().execute(f'SELECT * FROM "{table}" LIMIT 5')
        assert cursor.description is not None
        for row in cursor:
            for value, column in zip(row, cursor.description, strict=True):
                assert value is None or type(value) is kinds[column[1].family], (table, column[0], value)
                seen.add(column[1].family)
    assert seen >= set(kinds) - {"BLOB"}


def test_cancel_from_another_thread_stops_between_pages(service: Service, connection: dbapi.Connection) -> None:
    cursor = connection.cursor().execute("SELECT accountid FROM account")
    cursor.fetchmany(10)
    thread = threading.Thread(target=cursor.cancel)
    thread.start()
    thread.join()
    with pytest.raises(StatementCancelled):
        cursor.fetchall()
    assert 0 < service.pages("accounts") < 8
    with pytest.raises(dbapi.ProgrammingError):
        cursor.fetchall()
    assert len(connection.cursor().execute("SELECT accountid FROM account").fetchall()) == 120


def test_close_stops_paging(service: Service, connection: dbapi.Connection) -> None:
    cursor = connection.cursor().execute("SELECT accountid FROM account")
    assert cursor.fetchone() is not None
    cursor.close()
    assert 0 < service.pages("accounts") < 8


def test_limit_stops_paging(service: Service, connection: dbapi.Connection) -> None:
    assert len(connection.cursor().execute("SELECT accountid FROM account LIMIT 15").fetchall()) == 15
    assert service.pages("accounts") <= 3


def test_a_failed_page_raises(service: Service, connection: dbapi.Connection) -> None:
    control(service.sandbox, "POST", "faults", {"kind": "502", "when": "3+"})
    try:
        with service.connect(PageSize=10, MaxRetries=0) as other:
            cursor = other.cursor().execute("SELECT accountid FROM account")
            with pytest.raises(dbapi.OperationalError):
                cursor.fetchall()
            reader = cursor.execute("SELECT accountid FROM account").fetch_record_batch()
            with pytest.raises(dbapi.OperationalError):
                reader.read_all()
            with pytest.raises(dbapi.ProgrammingError, match="broke off"):
                cursor.fetchall()
    finally:
        control(service.sandbox, "DELETE", "faults")
    assert len(connection.cursor().execute("SELECT accountid FROM account").fetchall()) == 120


INTERRUPTED = """
import json, os, signal, sys, threading
from sqlalchemy_dynamics import dbapi
connection = dbapi.connect("", PageSize=10, **json.loads(sys.argv[1]))
cursor = connection.cursor().execute("SELECT accountid FROM account")
cursor.fetchone()
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    while True:
        cursor.execute("SELECT accountid FROM account").fetchall()
except KeyboardInterrupt:
    print("interrupted")
print(len(connection.cursor().execute("SELECT accountid FROM account").fetchall()))
"""


def test_an_interrupt_leaves_the_connection_usable(service: Service) -> None:
    command = [sys.executable, "-c", INTERRUPTED, json.dumps(service.properties)]
    environment = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    found = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (found.stdout, found.stderr, found.returncode) == ("interrupted\n120\n", "", 0)
    assert signal.getsignal(signal.SIGINT) is not None


def test_connections_of_several_threads(service: Service) -> None:
    counts: list[int] = []

    def work() -> None:
        with service.connect(PageSize=25) as own:
            counts.append(len(own.cursor().execute("SELECT accountid FROM account").fetchall()))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [120] * 6


def test_parameters(connection: dbapi.Connection) -> None:
    cursor = connection.cursor()
    sql = "SELECT count(*) FROM account WHERE statecode = {} AND createdon > {}"
    since = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    by_place = cursor.execute(sql.format("?", "?"), (0, since)).fetchall()
    by_name = cursor.execute(sql.format(":state", ":since"), {"since": since, "state": 0}).fetchall()
    assert by_place == by_name and by_place[0][0] > 0
    for wrong in ((0,), (0, since, 1), {"state": 0}):
        with pytest.raises(dbapi.ProgrammingError):
            cursor.execute(sql.format("?", "?"), wrong)


def test_ping_knows_who_we_are(connection: dbapi.Connection) -> None:
    assert re.fullmatch(r"[0-9a-f-]{36}", connection.ping().user_id)


def test_arrow_after_rows_is_refused(connection: dbapi.Connection) -> None:
    cursor = connection.cursor().execute("SELECT accountid FROM account")
    cursor.fetchone()
    with pytest.raises(dbapi.ProgrammingError, match="already"):
        cursor.fetch_arrow_table()
    assert connection.cursor().execute("SELECT accountid FROM account").fetch_arrow_table().num_rows == 120


def test_arrow_without_rows_keeps_its_schema(connection: dbapi.Connection) -> None:
    table = connection.cursor().execute("SELECT accountid, revenue FROM account WHERE FALSE").fetch_arrow_table()
    assert table.num_rows == 0 and [str(kind) for kind in table.schema.types] == ["string", "decimal128(19, 4)"]
