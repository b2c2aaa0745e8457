"""Device codes, passwords, and identities of machines."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import httpx
import msal
import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority, ManagedIdentity, Refused, approve_device
from tests.sandbox_authority.browser import Clock, Token

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def device(authority: Authority, http: httpx.Client, scope: str) -> dict[str, Any]:
    authority.consent = "ask"
    sent = {"client_id": authority.public_client_id, "scope": f"{scope} offline_access openid"}
    answer: dict[str, Any] = http.post(f"{authority.authority()}/oauth2/v2.0/devicecode", data=sent).json()
    return answer


@pytest.fixture
def poll(authority: Authority, token: Token, device: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    sent = {"client_id": authority.public_client_id, "device_code": device["device_code"]}
    return lambda: dict(token(DEVICE, **sent).json())


def test_a_device_waits_then_gets_its_tokens(
    authority: Authority, http: httpx.Client, device: dict[str, Any], poll: Callable[[], dict[str, Any]]
) -> None:
    assert device["verification_uri"] in device["message"]
    assert (device["interval"], device["expires_in"]) == (5, 900)
    assert poll()["error"] == "authorization_pending"
    user = authority.users[1]
    typed = {"user_code": device["user_code"].lower(), "username": user.username, "password": user.password}
    assert http.get(device["verification_uri"]).status_code == 200
    assert "Done" in http.post(device["verification_uri"], data=typed).text
    assert authority.check(poll()["access_token"]) is None
    assert poll()["error_codes"] == [70000]


def test_a_person_declines_a_device(
    authority: Authority, http: httpx.Client, device: dict[str, Any], poll: Callable[[], dict[str, Any]]
) -> None:
    http.post(device["verification_uri"], data={"user_code": device["user_code"], "action": "cancel"})
    assert poll()["error"] == "authorization_declined"


def test_a_device_code_expires(
    authority: Authority, clock: Clock, device: dict[str, Any], poll: Callable[[], dict[str, Any]]
) -> None:
    clock.now += 900
    assert poll()["error"] == "expired_token"
    with pytest.raises(Refused, match="AADSTS70018"):
        approve_device(authority, device["user_code"])


def test_a_mistyped_code_and_a_wrong_password(authority: Authority, http: httpx.Client, device: dict[str, Any]) -> None:
    user = authority.users[0]
    page, good = device["verification_uri"], {"username": user.username, "password": user.password}
    assert http.post(page, data=good | {"user_code": "NOPE"}).status_code == 400
    assert http.post(page, data=good | {"user_code": device["user_code"], "password": "x"}).status_code == 400


@pytest.mark.parametrize(("consent", "outcome"), [("grant", "access_token"), ("deny", "error")])
def test_the_consent_knob_answers_for_the_person(
    authority: Authority, http: httpx.Client, token: Token, scope: str, consent: Any, outcome: str
) -> None:
    authority.consent = consent
    sent = {"client_id": authority.public_client_id, "resource": authority.organisation_url}
    answer = http.post(f"{authority.authority('common')}/oauth2/devicecode", data=sent).json()
    assert (answer["interval"], answer["expires_in"]) == ("5", "900")
    assert answer["verification_url"]
    polled = token("device_code", path="oauth2/token", code=answer["device_code"], **sent).json()
    assert outcome in polled


def test_passwords(authority: Authority, token: Token, scope: str) -> None:
    user = authority.users[1]

    def log_in(**fields: str) -> dict[str, Any]:
        sent = {"client_id": authority.public_client_id, "username": user.username.upper(), "password": user.password}
        return dict(token("password", tenant="organizations", scope=scope, **(sent | fields)).json())

    assert authority.check(log_in()["access_token"]) is None
    assert log_in(password="x")["error_codes"] == [50126]
    assert log_in(username="nobody@contoso.onmicrosoft.com")["error_codes"] == [50034]
    user.needs_mfa = True
    assert log_in()["suberror"] == "basic_action"
    user.needs_mfa, user.disabled = False, True
    assert log_in()["error_codes"] == [50057]
    user.disabled = False


def test_a_virtual_machine_has_an_identity(authority: Authority) -> None:
    authority.clock = time.time
    with ManagedIdentity(authority) as machine, mock.patch.dict(os.environ, machine.machine_environment):
        with httpx.Client(trust_env=False) as http:
            client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=http)
            result = client.acquire_token_for_client(resource=authority.organisation_url)
            unknown = msal.UserAssignedManagedIdentity(client_id="nobody")
            refused = msal.ManagedIdentityClient(unknown, http_client=http).acquire_token_for_client(
                resource=authority.organisation_url
            )
        claims = authority.claims_of(result["access_token"])
        assert claims is not None
        assert claims["appid"] == machine.client_id
        assert refused["error_description"] == "Identity not found"
        assert [entry.path for entry in authority.requests] == ["/metadata/identity/oauth2/token"] * 2


def test_an_app_service_has_one_too(authority: Authority) -> None:
    authority.clock = time.time
    with ManagedIdentity(authority) as machine, mock.patch.dict(os.environ, machine.app_service_environment):
        with httpx.Client(trust_env=False) as http:
            identity = msal.UserAssignedManagedIdentity(client_id=machine.user_assigned_client_id)
            client = msal.ManagedIdentityClient(identity, http_client=http)
            result = client.acquire_token_for_client(resource=authority.organisation_url)
            wrong = client.acquire_token_for_client(resource="https://elsewhere.test")
        assert authority.check(result["access_token"]) is None
        assert wrong["error"] == "invalid_scope"


def test_the_metadata_endpoint_is_careful(authority: Authority) -> None:
    with ManagedIdentity(authority) as machine, httpx.Client(trust_env=False) as http:
        address = f"{machine.url}/metadata/identity/oauth2/token?resource={authority.organisation_url}"
        assert http.get(address).status_code == 400
        assert http.get(address, headers={"Metadata": "true"}).status_code == 200
        assert http.get(address, headers={"Metadata": "true", "X-Forwarded-For": "10.0.0.1"}).status_code == 400
        other = f"{machine.url}/metadata/identity/oauth2/token?resource=https://elsewhere.test"
        assert http.get(other, headers={"Metadata": "true"}).json()["error"] == "invalid_resource"
        assert http.get(f"{machine.url}/msi/token", headers={"X-IDENTITY-HEADER": "guess"}).status_code == 401
