"""Headers of writes, as connection properties and as execution options."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy
from sqlalchemy import orm

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.sandbox import Sandbox

from .test_orm import Account

sa: Any = sqlalchemy
ADD = "INSERT INTO account (name) VALUES (?)"
PROPERTIES = [
    ("DuplicateDetection", True, "MSCRM.SuppressDuplicateDetection", "false"),
    ("BypassPlugins", True, "MSCRM.BypassCustomPluginExecution", "true"),
    ("BypassBusinessLogic", "CustomSync,CustomAsync", "MSCRM.BypassBusinessLogicExecution", "CustomSync,CustomAsync"),
    ("BypassBusinessLogicStepIds", "5b3f,6c4e", "MSCRM.BypassBusinessLogicExecutionStepIds", "5b3f,6c4e"),
    ("SuppressFlows", True, "MSCRM.SuppressCallbackRegistrationExpanderJob", "true"),
    ("SolutionUniqueName", "mine", "MSCRM.SolutionUniqueName", "mine"),
]


class Watched:
    """A connection and the writes it sent."""

    def __init__(self, org: Sandbox, **properties: Any) -> None:
        self.connection = dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token, **properties)
        self.writes: list[HttpRequest] = []
        self.connection.on_request = lambda request, reply: self.writes.append(request)

    def headers(self) -> list[dict[str, str]]:
        return [dict(each.headers) for each in self.writes if each.method != "GET"]


@pytest.mark.parametrize(("name", "value", "header", "text"), PROPERTIES, ids=[row[0] for row in PROPERTIES])
def test_properties_become_headers(org: Sandbox, name: str, value: Any, header: str, text: str) -> None:
    plain, marked = Watched(org), Watched(org, **{name: value})
    for each in (plain, marked):
        each.connection.cursor().execute(ADD, (f"headers {name} {id(each)}",))
    assert header not in plain.headers()[0] and marked.headers()[0][header] == text


def test_duplicates_are_detected_when_asked_for(org: Sandbox) -> None:
    cursor = Watched(org, DuplicateDetection=True).connection.cursor()
    cursor.execute(ADD, ("detected",))
    with pytest.raises(errors.IntegrityError, match="duplicate"):
        cursor.execute(ADD, ("detected",))
    Watched(org).connection.cursor().execute(ADD, ("detected",))


def test_options_hold_for_the_parts_of_a_batch(org: Sandbox) -> None:
    watched = Watched(org)
    watched.connection.write_options = {"BypassPlugins": True}
    watched.connection.cursor().execute("DELETE FROM account WHERE name LIKE 'headers %'")
    (batch,) = [each for each in watched.writes if each.url == "$batch"]
    assert (batch.body or b"").count(b"MSCRM.BypassCustomPluginExecution: true") >= 2
    with pytest.raises(errors.InterfaceError, match="no write option Bypass; there are CallerObjectId"):
        watched.connection.write_options = {"Bypass": True}


@pytest.mark.parametrize(("value", "sent"), [("false", False), ("True", True), (0, False), (None, False)])
def test_options_take_what_their_properties_take(org: Sandbox, value: Any, sent: bool) -> None:
    watched = Watched(org)
    watched.connection.write_options = {"BypassPlugins": value}
    watched.connection.cursor().execute(ADD, ("headers taken",))
    assert ("MSCRM.BypassCustomPluginExecution" in watched.headers()[0]) == sent
    watched.connection.write_options = {"BypassPlugins": "maybe"}
    with pytest.raises(errors.InterfaceError, match="BypassPlugins: expected true or false"):
        watched.connection.cursor().execute(ADD, ("headers refused",))
    assert len(watched.writes) == 1


@pytest.fixture
def engine(org: Sandbox) -> Iterator[Any]:
    engine = sa.create_engine(
        f"dynamics:///?OrganizationUrl={quote(org.url)}&OAuthAccessToken={quote(org.access_token)}"
    )
    yield engine
    engine.dispose()


def test_execution_options_hold_for_their_statement(engine: Any) -> None:
    seen: list[HttpRequest] = []
    with engine.connect() as connection:
        connection.connection.dbapi_connection.on_request = lambda request, reply: seen.append(request)
        insert = sa.insert(Account).values(name="options")
        connection.execute(insert, execution_options={"BypassPlugins": True}) if hasattr(
            sa, "Uuid"
        ) else connection.execution_options(BypassPlugins=True).execute(insert)
        connection.execution_options(BypassPlugins=False).execute(insert)
        connection.connection.dbapi_connection.commit()
    marked = ["MSCRM.BypassCustomPluginExecution" in each.headers for each in seen if each.method == "POST"]
    assert marked[-2:] == [True, False]


def watched(engine: Any, seen: list[HttpRequest]) -> Any:
    """A connection of the engine that tells what it sends."""
    connection = engine.connect()
    connection.connection.dbapi_connection.on_request = lambda request, reply: seen.append(request)
    return connection


@pytest.mark.parametrize(("name", "value", "header", "text"), PROPERTIES, ids=[row[0] for row in PROPERTIES])
def test_every_property_is_an_option(engine: Any, name: str, value: Any, header: str, text: str) -> None:
    seen: list[HttpRequest] = []
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
    with watched(engine, seen) as connection:
        for option in (name, snake):
            connection.execution_options(**{option: value}).execute(sa.insert(Account).values(name=f"{option} {value}"))
        connection.connection.dbapi_connection.commit()
    assert [each.headers.get(header) for each in seen if each.method == "POST"] == [text, text]


def test_options_of_an_engine_hold_for_a_unit_of_work(org: Sandbox, engine: Any) -> None:
    seen: list[HttpRequest] = []
    with watched(engine.execution_options(suppress_flows=True), seen) as connection, orm.Session(connection) as session:
        session.add(Account(name="flows"))
        session.commit()
    (made,) = [each for each in seen if each.method == "POST"]
    assert made.headers["MSCRM.SuppressCallbackRegistrationExpanderJob"] == "true"


def test_threads_share_nothing(engine: Any) -> None:
    """Two threads write through one engine, each with its options, rows and outcome."""
    barrier = threading.Barrier(2)

    def write(number: int) -> tuple[list[str], list[int]]:
        seen: list[HttpRequest] = []
        with watched(engine, seen) as connection:
            options = connection.execution_options(SolutionUniqueName=f"s{number}")
            statement = "UPDATE account SET description = ? WHERE accountid = ?"
            counts = []
            for turn in range(5):
                barrier.wait()
                rows = [{"name": f"thread {number}"} for _ in range(3)]
                options.execute(sa.insert(Account.__table__), rows)
                missing = [("x", str(uuid.uuid4()))] * (number + turn)
                keys = [("x", row[0]) for row in options.exec_driver_sql(KEYS, (f"thread {number}",))]
                counts.append(options.exec_driver_sql(statement, [*keys, *missing]).rowcount)
            connection.connection.dbapi_connection.commit()
        return [each.headers.get("MSCRM.SolutionUniqueName", "") for each in seen if each.method == "POST"], counts

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(write, range(2)))
    for number, (solutions, counts) in enumerate(found):
        assert set(solutions) == {f"s{number}"} and counts == [3, 6, 9, 12, 15]


KEYS = "SELECT accountid FROM account WHERE name = ?"


def test_read_only_and_unfiltered(org: Sandbox) -> None:
    properties = {"OrganizationUrl": org.url, "OAuthAccessToken": org.access_token}
    writes = [
        "INSERT INTO account (name) VALUES ('x')",
        "UPDATE account SET name = 'x' WHERE name = 'x'",
        "DELETE FROM account WHERE name = 'x'",
        "INSERT INTO account (accountid) VALUES (NULL) ON CONFLICT (accountid) DO NOTHING",
    ]
    with dbapi.connect(ReadOnly=True, **properties) as connection:
        for statement in writes:
            with pytest.raises(errors.NotSupportedError, match="ReadOnly=false"):
                connection.cursor().execute(statement)
            with pytest.raises(errors.NotSupportedError, match="ReadOnly=false"):
                connection.cursor().executemany(statement, [(), ()])
        assert connection.cursor().execute("SELECT name FROM account LIMIT 1").fetchall()
    with dbapi.connect(**properties) as connection:
        for statement in (
            "UPDATE account SET name = 'x'",
            "DELETE FROM account",
            "DELETE FROM account USING contact",
            "DELETE FROM account WHERE 1 = 1",
            "UPDATE account SET name = 'x' WHERE true",
            "DELETE FROM account WHERE accountid NOT IN (NULL) OR 1 = 1",
            "DELETE FROM account WHERE 1",
            "DELETE FROM account WHERE 'a' = 'A' AND 1 IN (1, 2)",
            "DELETE FROM account WHERE name = 'x' OR (1 IN (1))",
        ):
            with pytest.raises(errors.ProgrammingError, match="AllowUnfilteredWrites=true"):
                connection.cursor().execute(statement)
            with pytest.raises(errors.ProgrammingError, match="AllowUnfilteredWrites=true"):
                connection.cursor().executemany(statement, [()])
