"""The authorize endpoint as a browser meets it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from sqlalchemy_dynamics.sandbox.authority import Authority, Client
from tests.sandbox_authority.browser import answer_of, read_form, sign_in

BACK = "http://localhost:33333"
Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(authority: Authority, http: httpx.Client) -> Ask:
    authority.consent = "ask"

    def get(path: str = "common/oauth2/v2.0/authorize", **fields: str) -> httpx.Response:
        query = {
            "client_id": authority.public_client_id, "response_type": "code", "redirect_uri": BACK, "state": "s 1&=",
            "scope": f"{authority.organisation_url}/.default offline_access openid",
        } | fields  # fmt: skip
        address = f"{authority.address}/{path}"
        return http.get(address, params={name: value for name, value in query.items() if value})

    return get


def test_a_person_signs_in_on_the_page(authority: Authority, http: httpx.Client, ask: Ask) -> None:
    page = ask(login_hint="sam@contoso.onmicrosoft.com")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "alex@contoso.onmicrosoft.com (Pass-word-1)" in page.text
    assert read_form(page).fields["username"] == "sam@contoso.onmicrosoft.com"
    user = authority.users[1]
    response = sign_in(http, page, user.username, user.password)
    assert response.headers["location"].startswith(f"{BACK}?code=")
    assert answer_of(response)["state"] == "s 1&="
    assert answer_of(response)["session_state"]


def test_a_wrong_password_shows_the_page_again(authority: Authority, http: httpx.Client, ask: Ask) -> None:
    response = sign_in(http, ask(), "sam@contoso.onmicrosoft.com", "guess")
    assert response.status_code == 200
    assert 'role="alert"' in response.text
    assert "guess" not in response.text
    assert authority.requests[-1].refusal == 50126
    user = authority.users[1]
    assert "code" in answer_of(sign_in(http, response, user.username, user.password))


def test_a_person_declines(authority: Authority, http: httpx.Client, ask: Ask) -> None:
    answer = answer_of(sign_in(http, ask(), "", "", action="cancel"))
    assert (answer["error"], answer["state"]) == ("access_denied", "s 1&=")
    assert answer["error_description"].startswith("AADSTS65004")
    authority.consent = "deny"
    assert answer_of(ask())["error"] == "access_denied"


def test_the_browser_remembers_who_signed_in(authority: Authority, http: httpx.Client, ask: Ask) -> None:
    assert answer_of(ask(prompt="none"))["error"] == "login_required"
    user = authority.users[0]
    sign_in(http, ask(), user.username, user.password)
    assert "code" in answer_of(ask(prompt="none"))
    assert "code" in answer_of(ask())
    assert ask(prompt="select_account").status_code == 200
    assert "Signed out" in http.get(f"{authority.address}/common/oauth2/v2.0/logout").text
    assert answer_of(ask(prompt="none"))["error"] == "login_required"


def test_logout_goes_back_only_to_registered_addresses(authority: Authority, http: httpx.Client) -> None:
    logout = f"{authority.address}/common/oauth2/v2.0/logout"
    known = http.get(logout, params={"post_logout_redirect_uri": "https://app.example/cb"})
    assert known.headers["location"] == "https://app.example/cb"
    assert http.get(logout, params={"post_logout_redirect_uri": "https://evil.test"}).status_code == 200


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_response_modes(authority: Authority, ask: Ask, mode: str) -> None:
    authority.consent = "grant"
    response = ask(response_mode=mode)
    assert set(answer_of(response)) == {"code", "state", "session_state"}
    if mode == "form_post":
        assert read_form(response).action == BACK
        assert "no-store" in response.headers["cache-control"]
    else:
        parts = urlsplit(response.headers["location"])
        assert bool(parts.fragment) == (mode == "fragment")


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:33333/",
        "http://localhost:33333/other",
        "https://localhost:33333",
        "http://127.0.0.1:33333",
        "http://localhost.evil.test",
        "http://user@localhost:33333",
        "https://app.example/cb",
        "http://[::1",
    ],
)
def test_an_unregistered_redirect_gets_nothing(authority: Authority, ask: Ask, address: str) -> None:
    authority.consent = "grant"
    response = ask(redirect_uri=address)
    assert response.status_code == 400
    assert "AADSTS50011" in response.text
    assert authority.requests[-1].refusal == 50011


@pytest.mark.parametrize("address", ["http://localhost", "http://localhost:1", "http://localhost:65000"])
def test_any_port_of_loopback_is_registered(authority: Authority, ask: Ask, address: str) -> None:
    authority.consent = "grant"
    assert ask(redirect_uri=address).headers["location"].startswith(f"{address}?code=")


def test_the_path_and_query_of_a_registered_address_stay(authority: Authority, ask: Ask) -> None:
    authority.consent = "grant"
    authority.add_client(Client("web", redirect_uris=("https://web.test/cb?tab=1", "http://localhost/cb")))
    assert (
        ask(client_id="web", redirect_uri="https://web.test/cb?tab=1")
        .headers["location"]
        .startswith("https://web.test/cb?tab=1&code=")
    )
    assert ask(client_id="web", redirect_uri="http://localhost:8765/cb").status_code == 302
    assert ask(client_id="web", redirect_uri="http://localhost:8765").status_code == 400


ROWS = [
    ({"response_type": "token"}, "unsupported_response_type", 700051),
    ({"response_type": ""}, "invalid_request", 900144),
    ({"prompt": "loudly"}, "invalid_request", 90023),
    ({"response_mode": "pigeon"}, "invalid_request", 90023),
    ({"code_challenge": "x", "code_challenge_method": "S512"}, "invalid_request", 90023),
    ({"resource": "https://contoso.crm.dynamics.test"}, "invalid_request", 901002),
    ({"scope": "https://elsewhere.test/.default"}, "invalid_resource", 500011),
    ({"scope": ""}, "invalid_request", 900144),
    ({"claims": "[]"}, "invalid_request", 9002313),
]


@pytest.mark.parametrize(("fields", "error", "code"), ROWS)
def test_refusals_that_go_back(authority: Authority, ask: Ask, fields: dict[str, str], error: str, code: int) -> None:
    authority.consent = "grant"
    answer = answer_of(ask(**fields))
    assert answer["error"] == error
    assert answer["error_description"].startswith(f"AADSTS{code}: ")
    assert answer["state"] == "s 1&="


def test_an_unknown_application_or_tenant_gets_a_page(ask: Ask) -> None:
    assert "AADSTS90002" in ask(path="fabrikam.test/oauth2/v2.0/authorize").text
    response = ask(client_id="<script>alert(1)</script>")
    assert response.status_code == 400
    assert "AADSTS700016" in response.text
    assert "<script>alert" not in response.text


def test_an_administrator_must_consent_first(authority: Authority, http: httpx.Client, ask: Ask) -> None:
    authority.consent = "grant"
    authority.add_client(Client("strict", admin_only=True))
    seller = {"client_id": "strict", "login_hint": "sam@contoso.onmicrosoft.com"}
    assert answer_of(ask(**seller))["error_description"].startswith("AADSTS90094")
    query = {"client_id": "strict", "redirect_uri": BACK, "state": "x"}
    answer = answer_of(http.get(f"{authority.address}/contoso.onmicrosoft.com/adminconsent", params=query))
    assert answer == {"admin_consent": "True", "tenant": authority.tenant, "state": "x"}
    assert "code" in answer_of(ask(**seller))


def test_an_administrator_consents_while_signing_in(authority: Authority, ask: Ask) -> None:
    authority.consent = "grant"
    authority.add_client(Client("strict", admin_only=True))
    assert "code" in answer_of(ask(client_id="strict", prompt="admin_consent"))
    assert "code" in answer_of(ask(client_id="strict", login_hint="sam@contoso.onmicrosoft.com"))


def test_admin_consent_declined_and_wrong(authority: Authority, http: httpx.Client) -> None:
    authority.consent = "deny"
    address = f"{authority.address}/{authority.tenant}/v2.0/adminconsent"
    query = {"client_id": authority.public_client_id, "redirect_uri": BACK}
    assert answer_of(http.get(address, params=query))["error"] == "access_denied"
    assert http.get(address, params=query | {"redirect_uri": "https://evil.test"}).status_code == 400


def test_a_hostile_callback(authority: Authority, ask: Ask) -> None:
    authority.consent = "grant"
    authority.overrides.callback = {"state": "not yours", "extra": "1"}
    authority.faults.add("AADSTS65001", when="#2", path="authorize")
    first, second = answer_of(ask()), answer_of(ask())
    assert (first["state"], first["extra"]) == ("not yours", "1")
    assert second["error"] == "consent_required"
