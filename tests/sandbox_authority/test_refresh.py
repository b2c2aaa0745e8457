"""Refresh tokens: the five ways a service may treat a used one, expiry and revocation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority
from sqlalchemy_dynamics.sandbox.authority.grants import RefreshMode
from tests.sandbox_authority.browser import Clock, Token

Refresh = Callable[..., httpx.Response]


@pytest.fixture
def refresh(authority: Authority, token: Token) -> Refresh:
    def post(value: str, **fields: Any) -> httpx.Response:
        return token("refresh_token", refresh_token=value, **({"client_id": authority.public_client_id} | fields))

    return post


@pytest.fixture
def first(authority: Authority, token: Token, new_code: Callable[..., str]) -> dict[str, Any]:
    sent = {"client_id": authority.public_client_id, "redirect_uri": "http://localhost:33333", "code": new_code()}
    answer: dict[str, Any] = token("authorization_code", **sent).json()
    return answer


@pytest.mark.parametrize(
    ("mode", "answer_has", "old_is_good"),
    [("keep", "new", True), ("same", "same", True), ("omit", "none", True), ("single-use", "new", False)],
)
def test_modes(
    authority: Authority,
    refresh: Refresh,
    first: dict[str, Any],
    mode: RefreshMode,
    answer_has: str,
    old_is_good: bool,
) -> None:
    authority.refresh_mode = mode
    old = first["refresh_token"]
    new = refresh(old).json().get("refresh_token")
    assert {None: "none", old: "same"}.get(new, "new") == answer_has
    again = refresh(old)
    assert (again.status_code == 200) is old_is_good
    if not old_is_good:
        assert again.json()["error_codes"] == [70008]
    if answer_has == "new":
        assert refresh(new).status_code == 200


def test_reuse_ends_the_whole_sign_in(authority: Authority, refresh: Refresh, first: dict[str, Any]) -> None:
    authority.refresh_mode = "revoke-family"
    second = refresh(first["refresh_token"]).json()["refresh_token"]
    assert refresh(first["refresh_token"]).json()["error_codes"] == [50173]
    assert refresh(second).json()["error_codes"] == [50173]


def test_idle_for_ninety_days(authority: Authority, clock: Clock, refresh: Refresh, first: dict[str, Any]) -> None:
    clock.now += 90 * 86400
    body = refresh(first["refresh_token"]).json()
    assert (body["error"], body["error_codes"], body["suberror"]) == ("invalid_grant", [700082], "bad_token")


def test_it_belongs_to_one_application(
    authority: Authority, refresh: Refresh, first: dict[str, Any], secret_fields: dict[str, str]
) -> None:
    assert refresh(first["refresh_token"], **secret_fields).json()["error_codes"] == [70000]


def test_it_serves_other_resources_and_tenants(
    authority: Authority, refresh: Refresh, first: dict[str, Any], token: Token
) -> None:
    authority.resources.append("https://other.test")
    guid = authority.add_tenant("fabrikam.onmicrosoft.com")
    answer = refresh(first["refresh_token"], scope="https://other.test/.default", tenant=guid).json()
    assert authority.check(answer["access_token"], audience="https://other.test") is None
    assert authority.check(answer["access_token"]) == "wrong audience"
    v1 = refresh(first["refresh_token"], path="oauth2/token", resource=authority.organisation_url).json()
    assert v1["expires_in"] == "3600"


def test_a_refusal_spends_nothing(authority: Authority, refresh: Refresh, first: dict[str, Any]) -> None:
    authority.refresh_mode = "single-use"
    assert refresh(first["refresh_token"], scope="https://elsewhere.test/.default").status_code == 400
    assert refresh(first["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("code", "error", "expected"),
    [
        (50173, "", ("invalid_grant", "bad_token")),
        (50076, "", ("interaction_required", "basic_action")),
        (50076, "invalid_grant", ("invalid_grant", "basic_action")),
        (53003, "", ("interaction_required", "message_only")),
    ],
)
def test_revoked_sessions_say_why(
    authority: Authority, refresh: Refresh, first: dict[str, Any], code: int, error: str, expected: tuple[str, str]
) -> None:
    authority.revoke_sessions(code, claims='{"access_token":{}}', error=error)
    body = refresh(first["refresh_token"]).json()
    assert (body["error"], body["suberror"]) == expected
    assert body["claims"] == '{"access_token":{}}'
    assert authority.check(first["access_token"]) is None


def test_refresh_in_and_other_fields(authority: Authority, refresh: Refresh, first: dict[str, Any]) -> None:
    authority.refresh_in = 1800
    authority.overrides.token = {"expires_in": "abc", "token_type": None}
    body = refresh(first["refresh_token"]).json()
    assert (body["refresh_in"], body["expires_in"]) == (1800, "abc")
    assert "token_type" not in body
