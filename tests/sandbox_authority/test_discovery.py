"""Metadata, instances, keys and the certificate the service shows."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import httpx
import jwt
import msal
import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority
from tests.sandbox_authority.browser import MsalHttp


@pytest.mark.parametrize(
    ("name", "path", "issuer", "token"),
    [
        ("common", "v2.0/", "URL/{tenantid}/v2.0", "URL/common/oauth2/v2.0/token"),
        ("TENANT", "v2.0/", "URL/TENANT/v2.0", "URL/TENANT/oauth2/v2.0/token"),
        ("contoso.onmicrosoft.com", "v2.0/", "URL/TENANT/v2.0", "URL/TENANT/oauth2/v2.0/token"),
        ("TENANT", "", "URL/TENANT/", "URL/TENANT/oauth2/token"),
        ("adfs", "", "URL/adfs", "URL/adfs/oauth2/token/"),
    ],
)
def test_openid_configuration(
    authority: Authority, http: httpx.Client, name: str, path: str, issuer: str, token: str
) -> None:
    def full(text: str) -> str:
        return text.replace("URL", authority.url).replace("TENANT", authority.tenant)

    document = http.get(full(f"{authority.address}/{name}/{path}.well-known/openid-configuration")).json()
    assert (document["issuer"], document["token_endpoint"]) == (full(issuer), full(token))
    keys = http.get(document["jwks_uri"]).json()
    (key,) = jwt.PyJWKSet.from_dict(keys).keys
    assert jwt.decode(authority.issue_access_token(), key, audience=authority.organisation_url, leeway=60)


def test_an_unknown_tenant(authority: Authority, http: httpx.Client) -> None:
    response = http.get(f"{authority.address}/fabrikam.test/v2.0/.well-known/openid-configuration")
    assert (response.status_code, response.json()["error_codes"]) == (400, [90002])


def test_instance_discovery_with_msal(authority: Authority, msal_http: MsalHttp) -> None:
    app = msal.PublicClientApplication(
        authority.public_client_id,
        authority=authority.authority("common"),
        instance_discovery=f"{authority.url}/common/discovery/instance",
        http_client=msal_http,
    )
    assert app.authority.token_endpoint == f"{authority.url}/common/oauth2/v2.0/token"
    assert [entry.path for entry in authority.requests] == [
        "/common/discovery/instance", "/common/v2.0/.well-known/openid-configuration",
    ]  # fmt: skip


def test_a_foreign_instance(authority: Authority, http: httpx.Client) -> None:
    address = f"{authority.address}/common/discovery/instance"
    response = http.get(address, params={"authorization_endpoint": "https://evil.test/common/oauth2/v2.0/authorize"})
    assert response.json()["error"] == "invalid_instance"


def test_overridden_metadata_and_public_names(authority: Authority, http: httpx.Client) -> None:
    authority.overrides.metadata = {"token_endpoint": "https://evil.test/token", "issuer": None}
    document = http.get(f"{authority.address}/common/v2.0/.well-known/openid-configuration").json()
    assert document["token_endpoint"] == "https://evil.test/token"
    assert "issuer" not in document


def test_it_may_go_by_another_name(authority: Authority, http: httpx.Client) -> None:
    authority.url = "https://login.microsoftonline.com"
    document = http.get(f"{authority.address}/common/v2.0/.well-known/openid-configuration").json()
    assert document["authorization_endpoint"] == "https://login.microsoftonline.com/common/oauth2/v2.0/authorize"
    assert authority.challenge.startswith("Bearer authorization_uri=https://login.microsoftonline.com/")
    authority.reset()
    assert authority.url == authority.address


def test_user_realm(authority: Authority, http: httpx.Client) -> None:
    def kind(name: str) -> str:
        return str(http.get(f"{authority.address}/common/userrealm/{name}").json()["account_type"])

    assert kind("sam@contoso.onmicrosoft.com") == "Managed"
    assert kind("sam@elsewhere.test") == "Unknown"


def test_only_who_trusts_the_ca_gets_in(authority: Authority) -> None:
    port = httpx.URL(authority.address).port
    trust = ssl.create_default_context(cafile=authority.ca_file)
    for host in ("localhost", "127.0.0.1"):
        assert httpx.get(f"https://{host}:{port}/x", verify=trust, trust_env=False).status_code == 404
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{authority.address}/x", trust_env=False)


def test_files_are_private_and_go_away() -> None:
    with Authority("https://org.test") as authority:
        folder = Path(authority.ca_file).parent
        assert os.stat(folder).st_mode & 0o077 == 0
        assert not list(folder.glob("*.key"))
    assert not folder.exists()
    with pytest.raises(RuntimeError, match="not running"):
        _ = authority.ca_file
