"""What the token endpoint refuses, and how the refusal looks."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import httpx
import jwt
import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority, Client, ClientCertificate, FederatedCredential
from sqlalchemy_dynamics.sandbox.authority.clients import ASSERTION_TYPE
from tests.sandbox_authority.browser import Token


def refusal(response: httpx.Response) -> tuple[int, str, int]:
    body = response.json()
    (code,) = body["error_codes"]
    return response.status_code, body["error"], code


def test_the_body_looks_like_the_real_one(token: Token, scope: str) -> None:
    correlation = str(uuid.uuid4())
    response = token("client_credentials", client_id="nobody", client_secret="s", scope=scope)
    body = response.json()
    assert set(body) == {
        "error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri",
    }  # fmt: skip
    first, trace, related, stamp = body["error_description"].split("\r\n")
    assert first.startswith("AADSTS700016: Application with identifier 'nobody' was not found in the directory")
    assert trace == f"Trace ID: {body['trace_id']}"
    assert related == f"Correlation ID: {body['correlation_id']}"
    assert stamp == f"Timestamp: {body['timestamp']}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", body["timestamp"])
    assert response.headers["cache-control"] == "no-store, no-cache"
    assert correlation not in response.text


def test_the_correlation_id_comes_back(authority: Authority, http: httpx.Client) -> None:
    address, correlation = f"{authority.authority()}/oauth2/v2.0/token", str(uuid.uuid4())
    response = http.post(address, data={}, headers={"client-request-id": correlation})
    assert response.json()["correlation_id"] == correlation
    assert response.headers["client-request-id"] == correlation


APPLICATION_ROWS: list[tuple[str, dict[str, str], tuple[int, str, int]]] = [
    ("client_credentials", {"client_secret": "wrong"}, (401, "invalid_client", 7000215)),
    ("client_credentials", {"client_secret": ""}, (401, "invalid_client", 7000216)),
    ("client_credentials", {"scope": "openid"}, (400, "invalid_scope", 1002012)),
    ("client_credentials", {"scope": "ORG/user_impersonation"}, (400, "invalid_scope", 1002012)),
    ("client_credentials", {"scope": "ORG/.default ORG/user_impersonation"}, (400, "invalid_scope", 70011)),
    ("client_credentials", {"scope": "https://elsewhere.test/.default"}, (400, "invalid_resource", 500011)),
    ("client_credentials", {"scope": "ORG/nothing"}, (400, "invalid_client", 650053)),
    ("client_credentials", {"scope": ""}, (400, "invalid_request", 900144)),
    ("client_credentials", {"scope": "bare"}, (400, "invalid_scope", 70011)),
    ("client_credentials", {"resource": "ORG"}, (400, "invalid_request", 901002)),
    ("client_credentials", {"tenant": "common"}, (400, "invalid_request", 50059)),
    ("client_credentials", {"tenant": "fabrikam.test"}, (400, "invalid_tenant", 90002)),
    ("client_credentials", {"claims": "not json"}, (400, "invalid_request", 9002313)),
    ("authorization_code", {"code": "c", "client_secret": "", "redirect_uri": "r"}, (401, "invalid_client", 7000218)),
    ("authorization_code", {"code": "c", "redirect_uri": "r"}, (400, "invalid_grant", 70000)),
    ("authorization_code", {"redirect_uri": "r"}, (400, "invalid_request", 900144)),
    ("authorization_code", {"code": "c"}, (400, "invalid_request", 900144)),
    ("refresh_token", {"refresh_token": "no such"}, (400, "invalid_grant", 70000)),
    ("refresh_token", {}, (400, "invalid_request", 900144)),
    ("password", {"username": "x@contoso.onmicrosoft.com", "password": "p"}, (400, "invalid_grant", 50034)),
    ("device_code", {"device_code": "no such"}, (400, "invalid_grant", 70000)),
    ("implicit", {}, (400, "unsupported_grant_type", 70003)),
    ("", {}, (400, "invalid_request", 900144)),
]


@pytest.mark.parametrize(("grant", "fields", "expected"), APPLICATION_ROWS)
def test_refusals_to_a_confidential_application(
    token: Token,
    secret_fields: dict[str, str],
    scope: str,
    authority: Authority,
    grant: str,
    fields: dict[str, str],
    expected: tuple[int, str, int],
) -> None:
    sent = secret_fields | {"scope": scope} | fields
    sent = {name: value.replace("ORG", authority.organisation_url) for name, value in sent.items() if value}
    assert refusal(token(grant, **sent)) == expected
    assert authority.requests[-1].refusal == expected[2]


def test_a_public_application_must_not_send_a_secret(authority: Authority, token: Token, scope: str) -> None:
    sent = {"client_id": authority.public_client_id, "scope": scope}
    assert refusal(token("refresh_token", refresh_token="x", client_secret="s", **sent))[2] == 700025
    assert refusal(token("client_credentials", **sent))[2] == 7000216
    assert refusal(token("client_credentials", client_secret="s", **sent))[2] == 700025


def test_two_resources_at_once(authority: Authority, token: Token, secret_fields: dict[str, str], scope: str) -> None:
    authority.resources.append("https://other.test")
    answer = token("client_credentials", scope=f"{scope} https://other.test/.default", **secret_fields)
    assert refusal(answer) == (400, "invalid_request", 28000)


def test_a_repeated_parameter(authority: Authority, http: httpx.Client, secret_fields: dict[str, str]) -> None:
    address = f"{authority.authority()}/oauth2/v2.0/token?client_id=again"
    assert refusal(http.post(address, data={"grant_type": "password", **secret_fields}))[2] == 9000411


def test_basic_authorization_is_as_good_as_the_body(authority: Authority, http: httpx.Client, scope: str) -> None:
    address = f"{authority.authority()}/oauth2/v2.0/token"
    secret = httpx.QueryParams({"s": authority.client_secret})
    auth = httpx.BasicAuth(authority.client_id, str(secret).partition("=")[2])
    sent = {"grant_type": "client_credentials", "scope": scope}
    assert http.post(address, data=sent, auth=auth).status_code == 200
    broken = {"Authorization": "Basic ?"}
    assert refusal(http.post(address, data=sent, headers=broken))[2] == 9002313


def test_not_utf8_is_a_wrong_request_not_a_crash(authority: Authority, http: httpx.Client) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = http.post(
        f"{authority.authority()}/oauth2/v2.0/token", content=b"grant_type=\xff\xfe&=", headers=headers
    )
    assert refusal(response)[2] == 70003


# -- assertions ------------------------------------------------------------------------------------------------------


def assertion(authority: Authority, key: Any, algorithm: str = "PS256", **changes: Any) -> dict[str, str]:
    now = time.time()
    claims = {
        "aud": f"{authority.authority()}/oauth2/v2.0/token", "iss": authority.client_id, "sub": authority.client_id,
        "iat": now, "exp": now + 300,
    } | changes  # fmt: skip
    signed = jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm)
    return {"client_id": authority.client_id, "client_assertion": signed, "client_assertion_type": ASSERTION_TYPE}


@pytest.fixture
def certified(authority: Authority, certificate: ClientCertificate) -> ClientCertificate:
    authority.add_client(Client(authority.client_id, certificates=(certificate.certificate_pem,)))
    return certificate


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://elsewhere.test/token"}, 700023),
        ({"exp": 1}, 700024),
        ({"nbf": time.time() + 3600}, 700024),
        ({"exp": None}, 50027),
        ({"sub": "somebody else"}, 700021),
        ({"iss": "https://issuer.test"}, 700211),
    ],
)
def test_wrong_assertions(
    authority: Authority, token: Token, scope: str, certified: ClientCertificate, changes: dict[str, Any], code: int
) -> None:
    answer = token("client_credentials", scope=scope, **assertion(authority, certified.key, **changes))
    assert refusal(answer) == (401, "invalid_client", code)


def test_both_algorithms_and_the_v1_audience(
    authority: Authority, token: Token, scope: str, certified: ClientCertificate
) -> None:
    audience = f"{authority.authority()}/oauth2/token"
    for sent in (assertion(authority, certified.key, "RS256"), assertion(authority, certified.key, aud=audience)):
        assert token("client_credentials", scope=scope, **sent).status_code == 200


def test_an_unregistered_key_and_a_wrong_type(
    authority: Authority, token: Token, scope: str, certified: ClientCertificate
) -> None:
    sent = assertion(authority, authority.signer.key)
    assert refusal(token("client_credentials", scope=scope, **sent))[2] == 700027
    sent = assertion(authority, certified.key) | {"client_assertion_type": "urn:other"}
    assert refusal(token("client_credentials", scope=scope, **sent))[2] == 90023
    sent = assertion(authority, certified.key) | {"client_assertion": "no.jwt"}
    assert refusal(token("client_credentials", scope=scope, **sent))[2] == 50027


def test_a_workload_of_another_issuer(
    authority: Authority, token: Token, scope: str, certificate: ClientCertificate
) -> None:
    trusted = FederatedCredential("https://cluster.test", "system:serviceaccount:a:b", certificate.public_key_pem)
    authority.add_client(Client(authority.client_id, federated=(trusted,)))
    right = {"iss": trusted.issuer, "sub": trusted.subject, "aud": trusted.audience}
    sent = assertion(authority, certificate.key, "RS256", **right)
    assert token("client_credentials", scope=scope, **sent).status_code == 200
    for wrong, code in (({"sub": "other"}, 700213), ({"aud": "other"}, 700023), ({"iss": "https://x.test"}, 700211)):
        sent = assertion(authority, certificate.key, "RS256", **(right | wrong))
        assert refusal(token("client_credentials", scope=scope, **sent))[2] == code
