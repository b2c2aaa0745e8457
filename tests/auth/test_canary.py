"""Hostile case 39: unique secret values through every flow and many failures; not one in any output."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from dynamics_auth.connection import ConnectionAuth
from dynamics_auth.failures import AuthError
from dynamics_auth.keys import explicit_keys
from dynamics_auth.ports import Reply, StandardLogger
from dynamics_auth.tokens import AccessToken, Token, TokenSet
from sqlalchemy_dynamics.sandbox.authority import Client, approve_device, client_certificate
from tests.auth.support import CUSTOM, ORG, HttpxPort, World
from tests.outputs import Outputs

SECRET = "canary-client-secret-4711"
PASSPHRASE = "canary-passphrase-4712"
PASSWORD = "canary-password-4713"
NAMES = {
    "access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret", "password", "device_code",
    "client_assertion",
}  # fmt: skip


class Witness(HttpxPort):
    """Sends, and remembers every secret that went by."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__(client)
        self.seen: set[str] = {SECRET, PASSPHRASE, PASSWORD}
        self.echoes = False

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: float | None
    ) -> Reply:
        sent = dict(parse_qsl((body or b"").decode()))
        self._look(sent)
        if self.echoes and sent:
            text = "you sent " + " and ".join(value for name, value in sent.items() if name in NAMES)
            echo = {"error": "invalid_grant", "error_description": text}
            return Reply(400, {"content-type": "application/json"}, json.dumps(echo).encode())
        reply = super().send(method, url, headers, body, timeout)
        try:
            found = json.loads(reply.body)
        except ValueError:
            return reply
        self._look(found if isinstance(found, dict) else {})
        return reply

    def _look(self, fields: Mapping[str, Any]) -> None:
        self.seen |= {str(value) for name, value in fields.items() if name in NAMES and len(str(value)) > 7}


class Shown(Outputs):
    """What is written anywhere, and what careless tools show of exceptions."""

    def failure(self, error: BaseException) -> None:
        """An exception as careless tools show it: text, repr, arguments, chain, and the locals of our frames."""
        current: BaseException | None = error
        while current is not None:
            self.texts += [str(current), repr(current), repr(current.args), repr(vars(current))]
            self.frames(current.__traceback__)
            current = current.__context__ or current.__cause__
        self.texts.append(repr(pickle.dumps(error)))

    def frames(self, trace: TracebackType | None) -> None:
        while trace is not None:
            if "tests/" not in trace.tb_frame.f_code.co_filename:
                self.texts += [f"{name}={value!r}" for name, value in trace.tb_frame.f_locals.items()]
            trace = trace.tb_next


@pytest.fixture
def outputs() -> Iterator[Shown]:
    with Shown().listening() as made:
        yield made


@pytest.fixture
def canary(world: World, outputs: Shown) -> World:
    world.http = Witness(world.http.client)
    world.log = StandardLogger()  # type: ignore[assignment]  # in place of the one that only records
    world.authority.add_client(Client(CUSTOM, "Custom", ("http://localhost", "https://app.example/cb"), (SECRET,)))
    world.authority.users[0].password = PASSWORD
    return world


APP = {"OAuthClientId": CUSTOM, "OAuthClientSecret": SECRET, "OAuthSettingsPassphrase": PASSPHRASE}


def desktop(world: World) -> list[Any]:
    provider = world.desktop(**APP)
    first = provider.token(ORG)
    world.now += 7200
    return [provider, first, provider.token(ORG), provider.current(ORG)]


def web(world: World) -> list[Any]:
    connection = ConnectionAuth(world.provider(**APP, CallbackURL="https://app.example/cb"), ORG)
    url, verifier = connection.call("GetOAuthAuthorizationUrl", {"PKCE": "true"}).row
    code = world.person.code(url)["code"]
    arguments = {"Verifier": code, "CodeVerifier": str(verifier)}
    result = connection.call("GetOAuthAccessToken", arguments)
    again = connection.call("RefreshOAuthAccessToken", {"OAuthRefreshToken": str(result.row[1])})
    return [connection, verifier, result, result.row, again, connection.properties(), connection.token()]


def headless(world: World) -> list[Any]:
    url = ConnectionAuth(world.provider(**APP), ORG).call("GetOAuthAuthorizationUrl", {}).row[0]
    code = world.person.code(url)["code"]
    provider = world.headless(**APP, OAuthVerifier=code)
    return [provider, provider.token(ORG), provider.settings]


def application(world: World) -> list[Any]:
    provider = world.provider(**APP, AuthScheme="AzureServicePrincipal", Tenant=world.authority.tenant)
    return [provider, provider.token(ORG)]


def certificate(world: World) -> list[Any]:
    made = client_certificate()
    path = world.folder / "client.pfx"
    path.write_bytes(made.pfx(PASSWORD))
    given = {"OAuthJWTCert": str(path), "OAuthJWTCertPassword": PASSWORD, "Tenant": world.authority.tenant}
    provider = world.provider(AuthScheme="AzureServicePrincipalCert", OAuthClientId=CUSTOM, **given)
    return [provider, provider.token(ORG)]


def password(world: World) -> list[Any]:
    provider = world.provider(
        AuthScheme="Password", User=world.authority.users[0].username, Password=PASSWORD, OAuthClientId=""
    )
    return [provider, provider.token(ORG)]


def device(world: World) -> list[Any]:
    def approve(seconds: float) -> None:
        world.now += seconds
        for item in list(world.authority.grants.devices.values()):
            if item.session is None:
                approve_device(world.authority, item.user_code)

    world.authority.consent = "ask"
    provider = world.desktop(AuthScheme="DeviceCode", ports=world.ports(sleep=approve))
    return [provider, provider.token(ORG)]


def given(world: World) -> list[Any]:
    access = world.authority.issue_access_token(client_id=CUSTOM)
    assert isinstance(world.http, Witness)
    world.http.seen.add(access)
    provider = world.provider(OAuthAccessToken=access)
    shown = [provider, provider.token(ORG), provider.settings]
    world.now += 7200
    provider.token(ORG)
    return shown


FLOWS: list[Callable[[World], list[Any]]] = [
    desktop, web, headless, application, certificate, password, device, given,
]  # fmt: skip

FAULTS: dict[str, Callable[[World], object]] = {
    "none": lambda world: None,
    "refused": lambda world: world.authority.faults.add("AADSTS70008"),
    "interaction": lambda world: world.authority.faults.add("AADSTS50076"),
    "client": lambda world: world.authority.faults.add("AADSTS7000215"),
    "echo": lambda world: setattr(world.http, "echoes", True),
    "html": lambda world: world.authority.faults.add("html"),
    "busy": lambda world: world.authority.faults.add("503"),
    "drop": lambda world: world.authority.faults.add("drop"),
    "truncate": lambda world: world.authority.faults.add("truncate"),
    "odd token": lambda world: world.authority.overrides.token.update(token_type="pop"),
    "odd id token": lambda world: world.authority.overrides.token.update(id_token="junk"),
    "nonce": lambda world: world.authority.overrides.id_token.update(nonce="x"),
    "metadata": lambda world: world.authority.overrides.metadata.update(token_endpoint="https://evil.example/t"),
    "denied": lambda world: setattr(world.authority, "consent", "deny"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_hostile_39_no_secret_in_any_output(
    canary: World, outputs: Shown, flow: Callable[[World], list[Any]], fault: str
) -> None:
    FAULTS[fault](canary)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            shown = flow(canary)
        except (AuthError, KeyError) as error:
            outputs.failure(error)
            shown = []
    outputs.texts += [f"{item!r} {vars(item) if hasattr(item, '__dict__') else ''}" for item in shown]
    outputs.texts += [str(warning.message) for warning in warned]
    outputs.texts += canary.prompts
    text = "\n".join(outputs.texts)
    assert isinstance(canary.http, Witness)
    leaked = [value for value in canary.http.seen if value in text]
    assert leaked == [], [line[:300] for line in outputs.texts if any(value in line for value in leaked)]
    assert outputs.texts


def test_what_holds_secrets_cannot_be_pickled(world: World) -> None:
    provider = world.desktop()
    tokens = TokenSet(Token("abcdefgh"))
    holders: list[object] = [
        provider,
        provider.users,
        provider.users.vault,
        provider.settings,
        tokens,
        tokens.access_token(),
    ]
    holders += [tokens.access, ConnectionAuth(provider, ORG), *explicit_keys(provider.settings, {})]
    for holder in holders:
        with pytest.raises(TypeError, match="secret"):
            pickle.dumps(holder)


def test_a_token_is_text_that_prints_masked() -> None:
    token = Token("secret-value")
    assert f"{token}" == "secret-value" == str(token) and "%s" % token == "secret-value"  # noqa: UP031 - one of the ways to show it
    assert repr(token) == "'***'" == f"{token!r}" and "secret" not in repr((token, [token], {"k": token}))
    assert copy.deepcopy([token])[0] is token and copy.copy(token) == token
    assert json.dumps(token) == '"secret-value"'
    assert (repr(Token("")), bool(Token(""))) == ("''", False)
    assert "secret" not in repr(AccessToken(token)) and AccessToken(token).header() == "Bearer secret-value"
