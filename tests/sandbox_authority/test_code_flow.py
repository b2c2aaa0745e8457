"""Authorization codes: redirect addresses, PKCE, single use, answers."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority, Client
from tests.sandbox_authority.browser import Clock, Token

NewCode = Callable[..., str]
VERIFIER = "v" * 50
S256 = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
BACK = "http://localhost:33333"


@pytest.fixture
def redeem(authority: Authority, token: Token) -> Callable[..., httpx.Response]:
    def post(code: str, **fields: Any) -> httpx.Response:
        sent = {"client_id": authority.public_client_id, "redirect_uri": BACK, "code": code} | fields
        return token("authorization_code", **sent)

    return post


def code_of(response: httpx.Response) -> int:
    return int(response.json()["error_codes"][0])


def test_a_v2_answer(authority: Authority, new_code: NewCode, redeem: Callable[..., httpx.Response]) -> None:
    answer = redeem(new_code(nonce="n-1"), client_info="1").json()
    org = authority.organisation_url
    assert answer["expires_in"] == 3600
    assert answer["scope"] == f"{org}/user_impersonation {org}/.default openid"
    assert set(answer) == {
        "token_type", "scope", "expires_in", "ext_expires_in", "access_token", "refresh_token", "id_token",
        "client_info",
    }  # fmt: skip
    (key,) = jwt.PyJWKSet.from_dict(authority.signer.jwks()).keys
    claims = jwt.decode(
        answer["id_token"], key, audience=authority.public_client_id, issuer=authority.issuer, leeway=60
    )
    assert (claims["nonce"], claims["tid"], claims["ver"]) == ("n-1", authority.tenant, "2.0")


def test_without_offline_access_there_is_no_refresh_token(
    authority: Authority, new_code: NewCode, redeem: Callable[..., httpx.Response]
) -> None:
    answer = redeem(new_code(scope=f"{authority.organisation_url}/user_impersonation")).json()
    assert "refresh_token" not in answer
    assert "id_token" not in answer


def test_only_openid_scopes_give_a_token_for_another_resource(
    authority: Authority, new_code: NewCode, redeem: Callable[..., httpx.Response]
) -> None:
    answer = redeem(new_code(scope="openid profile")).json()
    assert authority.check(answer["access_token"]) == "wrong audience"


def test_a_code_works_once(new_code: NewCode, redeem: Callable[..., httpx.Response]) -> None:
    code = new_code()
    assert redeem(code).status_code == 200
    again = redeem(code)
    assert (again.json()["error"], code_of(again)) == ("invalid_grant", 54005)


def test_a_code_does_not_live_long(
    authority: Authority, clock: Clock, new_code: NewCode, redeem: Callable[..., httpx.Response]
) -> None:
    code = new_code()
    clock.now += authority.grants.code_lifetime
    assert code_of(redeem(code)) == 70008


def test_the_redirect_address_is_repeated_byte_for_byte(
    new_code: NewCode, redeem: Callable[..., httpx.Response]
) -> None:
    code = new_code()
    assert code_of(redeem(code, redirect_uri=BACK + "/")) == 500112
    assert code_of(redeem(code, redirect_uri="http://localhost:33334")) == 500112
    assert redeem(code).status_code == 200


@pytest.mark.parametrize(
    ("challenge", "method", "verifier", "code"),
    [
        (S256, "S256", VERIFIER, 0),
        (S256, "S256", "wrong", 501481),
        (S256, "S256", "", 501481),
        (VERIFIER, "plain", VERIFIER, 0),
        (VERIFIER, "", VERIFIER, 0),
        (VERIFIER, "plain", "wrong", 501481),
        ("", "", VERIFIER, 501481),
    ],
)
def test_pkce(
    new_code: NewCode,
    redeem: Callable[..., httpx.Response],
    challenge: str,
    method: str,
    verifier: str,
    code: int,
) -> None:
    fields = {"code_verifier": verifier} if verifier else {}
    answer = redeem(new_code(code_challenge=challenge, code_challenge_method=method), **fields)
    assert (code_of(answer) if answer.status_code != 200 else 0) == code


def test_a_code_belongs_to_one_application(
    authority: Authority, new_code: NewCode, redeem: Callable[..., httpx.Response]
) -> None:
    fields = {"client_id": authority.client_id, "client_secret": authority.client_secret}
    assert code_of(redeem(new_code(), **fields)) == 70000


def test_a_v1_answer(authority: Authority, new_code: NewCode, token: Token) -> None:
    org = authority.organisation_url + "/"
    code = new_code("common/oauth2/authorize", resource=org, scope="")
    sent = {"client_id": authority.public_client_id, "redirect_uri": BACK, "code": code, "resource": org}
    answer = token("authorization_code", path="oauth2/token", **sent).json()
    assert (answer["expires_in"], answer["resource"], answer["scope"]) == ("3600", org, "user_impersonation")
    assert int(answer["expires_on"]) == int(authority.clock()) + 3600
    assert authority.check(answer["access_token"]) is None
    claims = jwt.decode(answer["id_token"], options={"verify_signature": False})
    assert (claims["upn"], claims["ver"]) == (authority.users[0].username, "1.0")


def test_a_v1_code_is_redeemed_at_v2(authority: Authority, new_code: NewCode, token: Token, scope: str) -> None:
    code = new_code("common/oauth2/authorize", resource=authority.organisation_url, scope="")
    sent = {"client_id": authority.public_client_id, "redirect_uri": BACK, "code": code}
    answer = token("authorization_code", tenant="organizations", scope=f"{scope} offline_access", **sent).json()
    assert answer["refresh_token"]
    assert authority.check(answer["access_token"]) is None


def test_the_double_slash_keeps_the_last_slash_of_the_resource(
    authority: Authority, token: Token, secret_fields: dict[str, str]
) -> None:
    answer = token("client_credentials", scope=f"{authority.organisation_url}//.default", **secret_fields).json()
    claims = authority.claims_of(answer["access_token"])
    assert claims is not None
    assert claims["aud"] == authority.organisation_url + "/"
    assert authority.check(answer["access_token"]) is None


def test_an_application_that_must_use_pkce(authority: Authority, new_code: NewCode) -> None:
    authority.add_client(Client("spa", require_pkce=True))
    with pytest.raises(KeyError):
        new_code(client_id="spa")
    assert authority.requests[-1].refusal == 900144
    assert new_code(client_id="spa", code_challenge=S256, code_challenge_method="S256")


def test_another_tenant(authority: Authority, new_code: NewCode, token: Token, scope: str) -> None:
    guid = authority.add_tenant("fabrikam.onmicrosoft.com")
    code = new_code("fabrikam.onmicrosoft.com/oauth2/v2.0/authorize")
    sent = {"client_id": authority.public_client_id, "redirect_uri": BACK, "code": code, "scope": scope}
    answer = token("authorization_code", tenant="fabrikam.onmicrosoft.com", **sent).json()
    claims = authority.claims_of(answer["access_token"])
    assert claims is not None
    assert claims["tid"] == guid
    assert authority.check(answer["access_token"]) is None
