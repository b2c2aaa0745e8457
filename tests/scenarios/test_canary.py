"""Unique secrets through every flow at Verbosity 5 and ``echo="debug"``: not one in any output (R-11, hostile 39).

What is looked at: the log file, everything that Python's loggers got, standard output and error, warnings, and every
exception with the locals of the driver's own frames.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

import pytest
import sqlalchemy as sa

from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.sandbox.authority import Client
from sqlalchemy_dynamics.transport.client import Transport
from tests.outputs import Outputs
from tests.scenarios.office import COUNT, CUSTOM, Office

SECRET = "canary+client/secret-4711"
PASSPHRASE = "canary passphrase 4712"
PASSWORD = "canary-password-4713"
NAMES = {"access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret", "password"}
WEB = "https://app.example/cb"


class Shown(Outputs):
    """What is written anywhere, and what careless tools show of exceptions."""

    def failure(self, error: BaseException | None) -> None:
        """Text, repr, chain, and the locals of every frame that is the driver's."""
        while error is not None:
            self.texts += [str(error), repr(error), repr(error.args)]
            for frame in traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), capture_locals=True):
                if "sqlalchemy_dynamics" in frame.filename or "dynamics_auth" in frame.filename:
                    self.texts += [f"{name}={value}" for name, value in (frame.locals or {}).items()]
            error = error.__context__ or error.__cause__


@pytest.fixture
def outputs() -> Iterator[Shown]:
    with Shown().listening() as made:
        yield made


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every secret that went over the wire of a sign-in, or stands in the settings."""
    found = {SECRET, PASSPHRASE, PASSWORD}
    send = Transport.send

    def watched(self: Transport, request: HttpRequest, total: float | None = None) -> HttpResponse:
        _look(found, (request.body or b"").decode("utf-8", "replace"))
        reply = send(self, request, total)
        if "/token" in request.url:
            found.update(_values(reply.body.decode("utf-8", "replace")))
        return reply

    monkeypatch.setattr(Transport, "send", watched)
    return found


def _look(found: set[str], body: str) -> None:
    found.update(value for name, value in parse_qsl(body) if name in NAMES and len(value) > 7)


def _values(body: str) -> set[str]:
    parts = body.replace('"', "").strip("{}").split(",")
    pairs = (part.partition(":") for part in parts)
    return {value.strip() for name, _, value in pairs if name.strip() in NAMES and len(value) > 20}


Flow = Callable[[Office, dict[str, Any]], object]
APP: dict[str, Any] = {
    "OAuthClientId": CUSTOM,
    "OAuthClientSecret": SECRET,
    "OAuthSettingsPassphrase": PASSPHRASE,
}


def desktop(office: Office, logged: dict[str, Any]) -> object:
    given = {**APP, **logged, "InitiateOAuth": "GETANDREFRESH", "CallbackURL": f"{office.callback}/cb"}
    office.count(**given)
    office.later(7200)
    return office.count(**given)


def engines(office: Office, logged: dict[str, Any], statements: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    rows: list[Any] = []
    given = {**APP, **logged, "OAuthSettingsLocation": None, "CallbackURL": WEB}
    with office.engine({"echo": "debug"}, **given) as engine, engine.connect() as connection:
        print(engine, engine.url, connection, connection.connection.dbapi_connection)
        for statement, parameters in statements:
            rows += connection.execute(sa.text(statement), parameters).all()
            print(rows)
    return rows


def web(office: Office, logged: dict[str, Any]) -> object:
    (url,) = engines(office, logged, [("EXEC GetOAuthAuthorizationUrl PKCE = :p", {"p": "true"})])
    code = office.person.code(url.Url)["code"]
    exchange = ("EXEC GetOAuthAccessToken Verifier = :v, CodeVerifier = :c", {"v": code, "c": url.CodeVerifier})
    (row,) = engines(office, logged, [exchange])
    renewal = ("CALL RefreshOAuthAccessToken(OAuthRefreshToken => :t)", {"t": row.OAuthRefreshToken})
    return engines(office, logged, [renewal, (COUNT, {}), ("SELECT * FROM sys_connection_props", {})])


def literal_verifier(office: Office, logged: dict[str, Any]) -> object:
    (url,) = engines(office, logged, [("EXEC GetOAuthAuthorizationUrl", {})])
    code = office.person.code(url.Url)["code"]
    return engines(office, logged, [(f"EXEC GetOAuthAccessToken Verifier='{code}'", {}), ("EXPLAIN " + COUNT, {})])


def spent_verifier(office: Office, logged: dict[str, Any]) -> object:
    (url,) = engines(office, logged, [("EXEC GetOAuthAuthorizationUrl", {})])
    statement = f"EXEC GetOAuthAccessToken Verifier='{office.person.code(url.Url)['code']}'"
    return engines(office, logged, [(statement, {}), (statement, {})])


def wrong_input(office: Office, logged: dict[str, Any]) -> object:
    return engines(office, logged, [(f"EXEC RefreshOAuthAccessToken Token='{PASSWORD}'", {})])


def wrong_secret(office: Office, logged: dict[str, Any]) -> object:
    return office.count(**{**APP, **logged, "AuthScheme": "AzureServicePrincipal", "Tenant": "common"})


def password(office: Office, logged: dict[str, Any]) -> object:
    office.org.authority.users[0].password = PASSWORD
    given = {"AuthScheme": "Password", "User": office.org.authority.users[0].username, "Password": PASSWORD}
    return office.count(**{**APP, **logged, **given, "OAuthSettingsLocation": None, "Tenant": "common"})


def refused_refresh(office: Office, logged: dict[str, Any]) -> object:
    given = {**APP, **logged, "InitiateOAuth": "GETANDREFRESH", "CallbackURL": f"{office.callback}/cb"}
    office.count(**given)
    office.later(7200)
    office.org.authority.revoke_sessions(700082)
    return office.count(**{**given, "InitiateOAuth": "REFRESH"})


def refused_token(office: Office, logged: dict[str, Any]) -> object:
    token = office.org.authority.issue_access_token(lifetime=-1)
    return office.count(**logged, OAuthAccessToken=token)


def lost_reply(office: Office, logged: dict[str, Any]) -> object:
    office.org.authority.faults.add("truncate")
    return office.count(**{**APP, **logged, "AuthScheme": "AzureServicePrincipal", "Tenant": "common", "MaxRetries": 0})


FLOWS: tuple[tuple[Flow, bool], ...] = (
    (desktop, True),
    (web, True),
    (literal_verifier, True),
    (password, True),
    (spent_verifier, False),
    (wrong_input, False),
    (wrong_secret, False),
    (refused_refresh, False),
    (refused_token, False),
    (lost_reply, False),
)


@pytest.mark.parametrize(("flow", "works"), FLOWS, ids=[flow.__name__ for flow, _ in FLOWS])
def test_C34_no_secret_in_any_output(
    office: Office, outputs: Shown, seen: set[str], flow: Flow, works: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    redirects = ("http://localhost/cb", WEB)
    secrets = ("another one",) if flow is wrong_secret else (SECRET,)
    office.org.authority.add_client(Client(CUSTOM, "Custom application", redirects, secrets))
    log = office.folder / "driver.log"
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            outputs.texts.append(repr(flow(office, {"Logfile": str(log), "Verbosity": 5})))
            assert works
        except sa.exc.SQLAlchemyError as error:
            outputs.failure(error)
            assert not works
    outputs.texts += [str(each.message) for each in warned]
    shown = "\n".join([*outputs.texts, *capfd.readouterr(), Path(log).read_text()])
    leaks = [value for value in seen if any(form in shown for form in (value, quote(value), quote_plus(value)))]
    assert leaks == [] and (len(seen) > 3 or not works)
    assert "eyJ" not in shown and len(shown) > 500
