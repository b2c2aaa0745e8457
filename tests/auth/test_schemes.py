"""Scenarios D: application, certificate, managed identity, device code, password, a caller's own credential."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dynamics_auth.authorities import _ENVIRONMENTS, WELL_KNOWN_HOSTS, choose_authority, parse_challenge
from dynamics_auth.failures import AuthError
from dynamics_auth.ports import Reply
from sqlalchemy_dynamics.sandbox.authority import Client, ManagedIdentity, approve_device, client_certificate
from tests.auth.support import CUSTOM, EMBEDDED, ORG, SECRET, World, in_threads

APP = {"AuthScheme": "AzureServicePrincipal", "OAuthClientId": CUSTOM, "OAuthClientSecret": SECRET}
CERTIFICATE = client_certificate()


def test_D1_service_principal(world: World) -> None:
    provider = world.provider(**APP, Tenant="contoso.onmicrosoft.com")
    provider.connect(ORG)
    assert world.authority.requests == []
    first = provider.token(ORG)
    claims = world.authority.claims_of(str(first.value))
    assert claims is not None and (claims["idtyp"], claims["aud"]) == ("app", ORG)
    assert provider.token(ORG).value == first.value
    world.now += 7200
    assert provider.token(ORG).value != first.value
    assert world.grants() == ["client_credentials", "client_credentials"]
    assert not list(world.folder.iterdir())


def test_D1_older_spelling_by_grant_type(world: World) -> None:
    given = {name: value for name, value in APP.items() if name != "AuthScheme"}
    world.provider(**given, OAuthGrantType="CLIENT", Tenant=world.authority.tenant).token(ORG)
    assert world.grants() == ["client_credentials"]


def test_D1_one_token_for_many_threads(world: World) -> None:
    provider = world.provider(**APP, Tenant=world.authority.tenant)
    assert len({str(token.value) for token in in_threads(8, lambda: provider.token(ORG))}) == 1
    assert world.grants() == ["client_credentials"]


def test_hostile_24_D1_tenant_is_discovered_from_the_organisation(world: World) -> None:
    world.http.organisation = lambda url: Reply(401, {"WWW-Authenticate": world.authority.challenge})
    world.provider(**APP).token(ORG)
    assert world.tokens_sent()[0].path.startswith(f"/{world.authority.tenant}/")


@pytest.mark.parametrize("challenge", ["Negotiate", "Bearer", "Bearer authorization_uri={url}/common/oauth2/authorize"])
def test_hostile_24_D1_without_any_tenant(world: World, challenge: str) -> None:
    header = {"WWW-Authenticate": challenge.format(url=world.authority.url)}
    world.http.organisation = lambda url: Reply(401, header)
    with pytest.raises(AuthError, match="Tenant") as caught:
        world.provider(**APP).token(ORG)
    assert caught.value.kind == "interface"
    assert world.tokens_sent() == []


def test_D1_the_embedded_app_cannot(world: World) -> None:
    with pytest.raises(AuthError, match="custom app"):
        world.provider(**{**APP, "OAuthClientId": EMBEDDED}).token(ORG)
    with pytest.raises(AuthError, match="custom app"):
        world.provider(AuthScheme="AzureServicePrincipal")


@pytest.fixture
def with_certificate(world: World) -> dict[str, Any]:
    world.now = time.time()  # MSAL dates its assertions by the machine's clock
    world.authority.add_client(Client(CUSTOM, certificates=(CERTIFICATE.certificate_pem,)))
    return {
        "AuthScheme": "AzureServicePrincipalCert",
        "OAuthClientId": CUSTOM,
        "Tenant": world.authority.tenant,
    }


PEM = CERTIFICATE.key_pem + CERTIFICATE.certificate_pem
ENCRYPTED = CERTIFICATE.certificate_pem + CERTIFICATE.encrypted_key_pem("pass word")
CERTIFICATE_FORMS: dict[str, tuple[bytes, str, str]] = {
    "pem_file": (PEM.encode(), "", ""),
    "pem_file_encrypted": (ENCRYPTED.encode(), "PEMKEY_FILE", "pass word"),
    "pfx_file": (CERTIFICATE.pfx(), "", ""),
    "pfx_file_encrypted": (CERTIFICATE.pfx("pass word"), "PFXFILE", "pass word"),
    "pem_text": (PEM.encode(), "PEMKEY_BLOB", ""),
    "pem_text_guessed": (PEM.encode(), "", ""),
    "pfx_base64": (base64.b64encode(CERTIFICATE.pfx("pass word")), "PFXBLOB", "pass word"),
}


@pytest.mark.parametrize("form", CERTIFICATE_FORMS)
def test_D2_certificate(world: World, with_certificate: dict[str, Any], form: str) -> None:
    content, kind, password = CERTIFICATE_FORMS[form]
    path = world.folder / "client.cert"
    path.write_bytes(content)
    value = str(path) if "file" in form else content.decode()
    given = {"OAuthJWTCert": value, "OAuthJWTCertType": kind, "OAuthJWTCertPassword": password}
    token = world.provider(**with_certificate, **given).token(ORG)
    assert world.authority.check(str(token.value)) is None
    (entry,) = world.tokens_sent()
    assert {"client_assertion", "client_assertion_type"} <= set(entry.parameters)
    assert "client_secret" not in entry.parameters


@pytest.mark.parametrize(
    ("content", "kind", "password"),
    [
        (b"not a certificate", "", ""),
        (CERTIFICATE.certificate_pem.encode(), "", ""),
        (CERTIFICATE.pfx("pass word"), "PFXFILE", "wrong"),
        (ENCRYPTED.encode(), "PEMKEY_FILE", ""),
    ],
)
def test_D2_unusable_certificate(
    world: World, with_certificate: dict[str, Any], content: bytes, kind: str, password: str
) -> None:
    path = world.folder / "client.cert"
    path.write_bytes(content)
    given = {"OAuthJWTCert": str(path), "OAuthJWTCertType": kind, "OAuthJWTCertPassword": password}
    with pytest.raises(AuthError, match="OAuthJWTCert") as caught:
        world.provider(**with_certificate, **given).token(ORG)
    assert caught.value.kind == "interface"
    assert world.authority.requests == []


@pytest.fixture
def machine(world: World) -> Iterator[ManagedIdentity]:
    with ManagedIdentity(world.authority) as identity:
        yield identity


@pytest.mark.parametrize("kind", ["machine", "app_service"])
@pytest.mark.parametrize("user_assigned", [False, True])
def test_D3_managed_identity(
    world: World, machine: ManagedIdentity, monkeypatch: pytest.MonkeyPatch, kind: str, user_assigned: bool
) -> None:
    world.now = time.time()
    environment = machine.machine_environment if kind == "machine" else machine.app_service_environment
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    more = {"OAuthClientId": machine.user_assigned_client_id} if user_assigned else {}
    proxied = world.ports(http=SimpleNamespace(send=None))
    provider = world.provider(AuthScheme="AzureMSI", **more, ports=proxied)
    token = provider.token(ORG)
    assert world.authority.check(str(token.value)) is None
    assert provider.token(ORG).value == token.value
    query = parse_qs(urlsplit(world.http.urls[0]).query)
    assert query["resource"] == [ORG]
    assert len(world.http.urls) == 1


def test_D3_no_managed_identity_here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    with pytest.raises(AuthError, match="Azure host"):
        world.provider(AuthScheme="AzureMSI").token(ORG)


@pytest.mark.parametrize(
    ("organization", "environment", "host"),
    [
        (ORG, None, "login.microsoftonline.com"),
        ("https://x.crm.dynamics.cn", None, "login.partner.microsoftonline.cn"),
        ("https://x.crm.microsoftdynamics.us", None, "login.microsoftonline.us"),
        ("https://x.crm.appsplatform.us", None, "login.microsoftonline.us"),
        (ORG, "USGOVT", "login.microsoftonline.us"),
        (ORG, "CHINA", "login.partner.microsoftonline.cn"),
        (ORG, "USGOVTDOD", "login.microsoftonline.us"),
    ],
)
def test_D4_clouds(organization: str, environment: str | None, host: str) -> None:
    chosen = choose_authority(organization, authority=None, environment=environment, tenant=None)
    assert (chosen.host, chosen.tenant) == (host, "common")
    assert host in WELL_KNOWN_HOSTS


def test_D4_our_hosts_are_known_to_msal() -> None:
    from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS

    assert set(_ENVIRONMENTS.values()) <= WELL_KNOWN_AUTHORITY_HOSTS & WELL_KNOWN_HOSTS


def test_D5_the_v2_endpoint_and_a_scope(world: World) -> None:
    world.desktop().connect(ORG)
    (entry,) = world.tokens_sent()
    assert "/oauth2/v2.0/" in entry.path
    assert set(entry.values["scope"].split()) == {f"{ORG}/.default", "offline_access", "openid", "profile"}
    assert "resource" not in entry.parameters


def test_D5_ad_fs_has_no_version(world: World) -> None:
    world.desktop(AuthorityUrl=f"{world.authority.url}/adfs").connect(ORG)
    (entry,) = world.tokens_sent()
    assert entry.path.startswith("/adfs/oauth2/token")


def test_D6_device_code(world: World) -> None:
    world.authority.consent = "ask"

    def approve(seconds: float) -> None:
        world.now += seconds
        (device,) = world.authority.grants.devices.values()
        assert device.user_code in world.prompts[0]
        approve_device(world.authority, device.user_code)

    provider = world.desktop(AuthScheme="DeviceCode", ports=world.ports(sleep=approve))
    first = provider.token(ORG)
    assert world.authority.check(str(first.value)) is None
    assert world.person.opened == []
    world.now += 7200
    assert world.headless().token(ORG).value != first.value
    assert world.grants()[-1] == "refresh_token"


def test_D6_device_code_declined_or_forgotten(world: World) -> None:
    world.authority.consent = "deny"
    with pytest.raises(AuthError, match="declined"):
        world.desktop(AuthScheme="DeviceCode").token(ORG)
    world.authority.consent = "ask"
    world.authority.grants.device_lifetime = 30
    with pytest.raises(AuthError, match="expired"):
        world.desktop(AuthScheme="DeviceCode").token(ORG)
    assert not Path(world.file).exists()


PERSON = {"User": "sam@contoso.onmicrosoft.com", "Password": "Pass-word-2", "AuthScheme": "Password"}


def test_password(world: World) -> None:
    provider = world.provider(**PERSON)
    token = provider.token(ORG)
    claims = world.authority.claims_of(str(token.value))
    assert claims is not None and claims["upn"] == PERSON["User"]
    assert any("deprecates" in text for text in world.log.warnings)
    with pytest.raises(AuthError, match="User and Password") as caught:
        world.provider(**{**PERSON, "Password": "Pass-word-3"}).token(ORG)
    assert "Pass-word-3" not in str(caught.value)
    with pytest.raises(AuthError, match="User and Password"):
        world.provider(AuthScheme="Password", User="sam")


class Credential:
    """An ``azure.core`` TokenCredential."""

    def __init__(self, world: World) -> None:
        self.world, self.asked = world, list[tuple[Any, ...]]()

    def get_token(self, *scopes: str, **options: Any) -> SimpleNamespace:
        self.asked.append((*scopes, options))
        value = self.world.authority.issue_access_token(client_id=CUSTOM)
        return SimpleNamespace(token=value + "", expires_on=int(self.world.now) + 3600)


def test_a_token_credential(world: World) -> None:
    credential = Credential(world)
    provider = world.provider(credential=credential)
    assert provider.token(ORG).expires_at == world.now + 3600
    provider.token(ORG)
    provider.token(ORG, claims='{"access_token": {}}')
    assert credential.asked == [
        (f"{ORG}/.default", {}),
        (f"{ORG}/.default", {"claims": '{"access_token": {}}', "enable_cae": True}),
    ]


def test_a_callable(world: World) -> None:
    calls: list[int] = []

    def text() -> str:
        calls.append(1)
        return f"opaque-token-{len(calls)}"

    provider = world.provider(credential=text)
    assert provider.token(ORG).value == provider.token(ORG).value == "opaque-token-1"
    assert provider.token(ORG, force=True, refused="opaque-token-1").value == "opaque-token-2"
    dated = world.provider(credential=lambda: ("opaque-token-9", world.now + 60))
    assert dated.token(ORG).expires_at == world.now + 60


@pytest.mark.parametrize("bad", [lambda: 1 / 0, lambda: "two words", lambda: None])
def test_a_credential_that_fails(world: World, bad: Any) -> None:
    with pytest.raises(AuthError, match="credential"):
        world.provider(credential=bad).token(ORG)
    with pytest.raises(AuthError, match="get_token"):
        world.provider(credential="text").token(ORG)


def test_claims_challenge_is_answered_from_the_refresh_token(world: World) -> None:
    provider = world.desktop()
    provider.connect(ORG)
    world.authority.demand_claims({"acrs": {"essential": True, "value": "c1"}})
    header = world.authority.challenge_for("insufficient_claims")
    claims = parse_challenge(header).claims
    assert json.loads(claims)["access_token"]["acrs"]["value"] == "c1"
    token = provider.token(ORG, claims=claims)
    assert world.authority.check(str(token.value)) is None
    assert len(world.person.opened) == 1


def test_claims_challenge_that_only_a_person_can_answer(world: World) -> None:
    world.desktop().connect(ORG)
    world.authority.demand_claims({"acrs": {"essential": True, "value": "c1"}}, interactive=True)
    claims = parse_challenge(world.authority.challenge_for("insufficient_claims")).claims
    with pytest.raises(AuthError, match="Sign in again") as caught:
        world.headless().token(ORG, claims=claims)
    assert caught.value.needs_sign_in and "c1" in caught.value.claims
    token = world.desktop().token(ORG, claims=claims)
    assert world.authority.check(str(token.value)) is None
    assert len(world.person.opened) == 2


def test_claims_challenge_in_many_threads_opens_one_browser(world: World) -> None:
    provider = world.desktop()
    refused = provider.token(ORG).value
    world.authority.demand_claims({"acrs": {"essential": True, "value": "c1"}}, interactive=True)
    claims = parse_challenge(world.authority.challenge_for("insufficient_claims")).claims
    tokens = in_threads(6, lambda: provider.token(ORG, claims=claims, force=True, refused=refused))
    assert len({str(token.value) for token in tokens}) == 1
    assert len(world.person.opened) == 2
