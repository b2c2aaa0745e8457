"""Headers of writes, as connection properties and as execution options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy

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
