"""What the data service asks: may this token in, and what to say if not."""

from __future__ import annotations

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sqlalchemy_dynamics.sandbox.authority import Authority, Realm, User
from tests.sandbox_authority.browser import Clock, Token


def test_a_good_token_says_who(authority: Authority) -> None:
    token = authority.issue_access_token("sam@contoso.onmicrosoft.com")
    claims = authority.claims_of(token)
    assert authority.check(token) is None
    assert claims is not None
    assert (claims["upn"], claims["idtyp"]) == ("sam@contoso.onmicrosoft.com", "user")
    assert jwt.get_unverified_header(token)["alg"] == "RS256"


def test_an_application_token(authority: Authority) -> None:
    claims = authority.claims_of(authority.issue_access_token(client_id=authority.client_id))
    assert claims is not None
    assert (claims["appid"], claims["idtyp"]) == (authority.client_id, "app")


def test_reasons(authority: Authority, clock: Clock) -> None:
    good = authority.issue_access_token()
    assert authority.check(None) == authority.check("") == "missing"
    assert authority.check(good[:-4] + "AAAA") == "bad signature"
    assert authority.check("é no token") == "bad signature"
    assert authority.check(authority.issue_access_token(audience="https://other.test")) == "wrong audience"
    assert authority.check(authority.issue_access_token(audience=authority.organisation_url + "/")) is None
    assert authority.check(authority.issue_access_token(lifetime=-1)) == "expired"
    clock.now += 3600
    assert authority.check(good) == "expired"


def test_foreign_and_unsigned_tokens(authority: Authority) -> None:
    claims = authority.claims_of(authority.issue_access_token())
    assert claims is not None
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert authority.check(jwt.encode(dict(claims), stranger, "RS256")) == "bad signature"
    assert authority.check(jwt.encode(dict(claims), "", "none")) == "bad signature"
    elsewhere = Realm(authority.organisation_url, clock=authority.clock)
    elsewhere.add_client(authority.clients[authority.client_id])
    assert authority.check(elsewhere.issue_access_token()) == "wrong issuer"


def test_revocation(authority: Authority) -> None:
    old = authority.issue_access_token()
    authority.revoke_access_tokens()
    assert authority.check(old) == "revoked"
    assert authority.check(authority.issue_access_token()) is None


def test_the_challenge_discovers_the_tenant(authority: Authority) -> None:
    assert authority.challenge == (
        f"Bearer authorization_uri={authority.url}/{authority.tenant}/oauth2/authorize, "
        f"resource_id={authority.organisation_url}/"
    )
    assert authority.challenge_for("missing") == authority.challenge
    assert 'error="invalid_token"' in authority.challenge_for("expired")
    authority.challenge = "Bearer authorization_uri=https://evil.test/x/oauth2/authorize"
    assert authority.challenge_for(None).startswith("Bearer authorization_uri=https://evil.test")
    authority.reset()
    assert "evil" not in authority.challenge


def test_the_claims_challenge(authority: Authority) -> None:
    demand = {"acrs": {"essential": True, "value": "c1"}}
    authority.demand_claims(demand)
    text = authority.challenge_for(authority.check(authority.issue_access_token()))
    encoded = text.partition('claims="')[2].rstrip('"')
    assert 'error="insufficient_claims"' in text
    assert json.loads(base64.b64decode(encoded)) == {"access_token": demand}
    authority.demand_claims({})
    assert authority.check(authority.issue_access_token()) is None


@pytest.mark.parametrize(("capabilities", "seconds"), [(["CP1"], 28 * 3600), ([], 3600)])
def test_long_tokens_for_capable_clients(
    authority: Authority, token: Token, scope: str, capabilities: list[str], seconds: int
) -> None:
    authority.users.append(User("kim@contoso.onmicrosoft.com", "pw", cae=True))
    claims = json.dumps({"access_token": {"xms_cc": {"values": capabilities}}})
    sent = {"client_id": authority.public_client_id, "username": "kim@contoso.onmicrosoft.com", "password": "pw"}
    assert token("password", scope=scope, claims=claims, **sent).json()["expires_in"] == seconds
    authority.users.pop()


def test_nothing_secret_in_repr_or_log(authority: Authority, token: Token, secret_fields: dict[str, str]) -> None:
    user = authority.users[0]
    answer = token(
        "password", username=user.username, password=user.password, scope=f"{authority.organisation_url}/.default "
        "offline_access", **secret_fields
    ).json()  # fmt: skip
    shown = repr(authority) + repr(authority.requests) + repr(authority.clients) + repr(authority.grants)
    for secret in (user.password, authority.client_secret, answer["access_token"], answer["refresh_token"]):
        assert secret not in shown
