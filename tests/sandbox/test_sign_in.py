"""The sandbox and its sign-in service: one line of JSON, tokens checked, faults of either."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from sqlalchemy_dynamics.sandbox import Sandbox
from tests.control_plane import control


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(rows=5) as org:
        yield org


@pytest.fixture
def org(running: Sandbox) -> Sandbox:
    running.authority.reset()
    return running


def ask(org: Sandbox, token: str) -> tuple[int, str]:
    """Status and challenge of a WhoAmI with that token."""
    request = Request(f"{org.url}/api/data/v9.2/WhoAmI", headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urlopen(request) as reply:
            return reply.status, ""
    except HTTPError as refusal:
        return refusal.code, refusal.headers["WWW-Authenticate"]


def token_status(org: Sandbox) -> int:
    """What the token endpoint answers to the confidential application."""
    form = {
        "grant_type": "client_credentials",
        "client_id": str(org.info["ClientId"]),
        "client_secret": str(org.info["ClientSecret"]),
        "scope": f"{org.url}/.default",
    }
    url = f"{org.info['AuthorityUrl']}/{org.info['Tenant']}/oauth2/v2.0/token"
    trusted = ssl.create_default_context(cafile=str(org.info["CaFile"]))
    try:
        with urlopen(url, urlencode(form).encode(), context=trusted) as reply:
            return int(reply.status)
    except HTTPError as refusal:
        return refusal.code


def test_the_line_of_json_names_the_sign_in(org: Sandbox) -> None:
    first, *names, last = org.info
    assert (first, last) == ("OrganizationUrl", "pid")
    assert names[:3] == ["Url", "AccessToken", "AuthorityUrl"]
    assert names[3:] == ["CaFile", "Tenant", "PublicClientId", "ClientId", "ClientSecret", "CallbackURL"]
    assert all(org.info.values())
    assert str(org.info["AuthorityUrl"]).startswith("https://localhost:")


def test_tokens_of_the_sign_in_service_are_taken(org: Sandbox) -> None:
    assert ask(org, org.authority.issue_access_token())[0] == 200
    assert ask(org, org.access_token)[0] == 200


def test_without_a_token_the_challenge_tells_the_tenant(org: Sandbox) -> None:
    status, challenge = ask(org, "")
    assert (status, challenge) == (401, org.authority.challenge)
    assert f"{org.authority.url}/{org.authority.tenant}/oauth2/authorize" in challenge and "error" not in challenge


@pytest.mark.parametrize(
    ("reason", "token"),
    [
        ("expired", lambda org: org.authority.issue_access_token(lifetime=-1)),
        ("wrong audience", lambda org: org.authority.issue_access_token(audience="https://other.example")),
        ("bad signature", lambda org: "nonsense"),
    ],
)
def test_a_wrong_token_is_refused_with_its_reason(org: Sandbox, reason: str, token: object) -> None:
    assert callable(token)
    status, challenge = ask(org, token(org))
    assert status == 401 and 'error="invalid_token"' in challenge and reason in challenge


def test_a_revoked_token_is_refused(org: Sandbox) -> None:
    token = org.authority.issue_access_token()
    org.authority.revoke_access_tokens()
    assert "revoked" in ask(org, token)[1]


def test_demanded_claims_are_challenged(org: Sandbox) -> None:
    org.authority.demand_claims({"acrs": {"essential": True, "value": "c1"}})
    status, challenge = ask(org, org.authority.issue_access_token())
    claims = challenge.partition('claims="')[2].partition('"')[0]
    assert status == 401 and json.loads(base64.b64decode(claims)) == {
        "access_token": {"acrs": {"essential": True, "value": "c1"}}
    }


def test_faults_with_the_path_token_strike_the_sign_in_only(org: Sandbox) -> None:
    control(org, "POST", "faults", {"kind": "503", "when": "#1", "path": "token"})
    assert ask(org, org.access_token)[0] == 200
    assert [token_status(org), token_status(org)] == [503, 200]
    control(org, "POST", "faults", {"kind": "503", "when": "1+", "path": "token"})
    control(org, "DELETE", "faults")
    assert token_status(org) == 200


def test_a_fault_that_makes_no_sense_at_the_sign_in_is_refused(org: Sandbox) -> None:
    with pytest.raises(HTTPError) as refusal:
        control(org, "POST", "faults", {"kind": "repeat", "when": "1+", "path": "token"})
    assert refusal.value.code == 400


def test_the_sign_in_starts_only_when_it_is_asked_for() -> None:
    with Sandbox(rows=5) as org:
        assert ask(org, org.access_token)[0] == 200
        assert org._authority is None
    with pytest.raises(RuntimeError, match="not running"):
        _ = org.authority
