"""Hostile and bad input by number; 1-8: test_listener, 24: test_schemes, 32-37: test_files and test_envelope."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from dynamics_auth.authorities import choose_authority, parse_challenge, trusted
from dynamics_auth.connection import ConnectionAuth
from dynamics_auth.failures import AuthError
from dynamics_auth.msal_http import retry_after
from dynamics_auth.ports import Reply, TransportError
from dynamics_auth.redirects import open_state, read_redirect, seal_state
from dynamics_auth.settings import AuthSettings
from dynamics_auth.slots import Key
from dynamics_auth.tokens import Token
from tests.auth.support import CUSTOM, EMBEDDED, ORG, SECRET, World, in_threads

APP = {"OAuthClientId": CUSTOM, "OAuthClientSecret": SECRET}


def expired(world: World, **properties: Any) -> None:
    """A settings file whose access token has ended."""
    world.desktop(**properties).connect(ORG)
    world.now += 7200
    world.authority.requests.clear()


def test_hostile_09_a_browser_that_blocks(world: World) -> None:
    """A text browser in the foreground returns only after it has answered; the URL was shown meanwhile."""
    released = threading.Event()

    def foreground(url: str) -> bool:
        answered = world.person(url)
        released.wait(10)
        return answered

    provider = world.desktop(ports=world.ports(browser=foreground))
    assert provider.token(ORG)
    released.set()
    assert world.person.opened[0] in world.prompts[0]


def test_hostile_10_ten_connections_one_browser(world: World) -> None:
    provider = world.desktop()
    results = in_threads(10, lambda: ConnectionAuth(provider, ORG).open())
    assert results == [None] * 10
    assert len(world.person.opened) == 1


def test_hostile_11_nonce_mismatch(world: World) -> None:
    world.authority.overrides.id_token["nonce"] = "another"
    provider = world.desktop()
    with pytest.raises(AuthError, match="unexpected answer"):
        provider.connect(ORG)
    assert not Path(world.file).exists()
    world.authority.overrides.id_token.clear()
    assert provider.token(ORG)


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "", "https://app.example/cb?state=x", "\u00fcber"])
def test_hostile_12_no_code_in_it(text: str) -> None:
    with pytest.raises(AuthError, match="OAuthVerifier must be") as caught:
        read_redirect(text)
    assert not text or text not in str(caught.value)


def test_hostile_12_an_error_in_the_pasted_address(world: World) -> None:
    address = "http://localhost:33333/?error=access_denied&error_description=no%0d%0away&state=s"
    with pytest.raises(AuthError, match="access_denied: no way") as caught:
        world.headless(OAuthVerifier=address).token(ORG)
    assert caught.value.oauth_error == "access_denied"
    assert world.authority.requests == []


def test_hostile_13_bare_code_and_two_pending(world: World) -> None:
    connection = ConnectionAuth(world.provider(), ORG)
    urls = [connection.call("GetOAuthAuthorizationUrl", {"State": state}).row[0] for state in ("one", "two")]
    fields = world.person.code(urls[1])
    with pytest.raises(AuthError, match="paste the whole address"):
        world.headless(OAuthVerifier=fields["code"]).token(ORG)
    assert world.tokens_sent() == []
    whole = f"{world.callback}/?code={fields['code']}&state=two"
    assert world.headless(OAuthVerifier=whole).token(ORG)


def test_hostile_14_code_twice_expired_wrong_redirect_wrong_verifier(world: World) -> None:
    connection = ConnectionAuth(world.provider(OAuthSettingsLocation=""), ORG)
    for change, seconds in (
        ({}, 0),
        ({}, 700),
        ({"CallbackUrl": f"{world.callback}/"}, 0),
        ({"CodeVerifier": "x" * 43}, 0),
    ):
        url = connection.call("GetOAuthAuthorizationUrl", {}).row[0]
        code = world.person.code(url)["code"]
        if not change and not seconds:
            connection.call("GetOAuthAccessToken", {"Verifier": code})
        world.now += seconds
        sent = len(world.tokens_sent())
        with pytest.raises(AuthError, match="get a new one") as caught:
            connection.call("GetOAuthAccessToken", {"Verifier": code, **change})
        assert caught.value.oauth_error == "invalid_grant"
        assert code not in str(caught.value)
        assert len(world.tokens_sent()) == sent + 1


def test_hostile_15_the_same_verifier_is_not_redeemed_while_the_store_has_its_chain(world: World) -> None:
    code = world.person.code(
        ConnectionAuth(world.provider(OAuthSettingsLocation=""), ORG).call("GetOAuthAuthorizationUrl", {}).row[0]
    )["code"]
    for _ in range(3):
        assert world.headless(OAuthVerifier=code).token(ORG)
        world.now += 7200
    assert world.grants() == ["authorization_code", "refresh_token", "refresh_token"]


def test_hostile_16_sealed_states(world: World) -> None:
    key, other = Key("passphrase", passphrase=Token("one")), Key("passphrase", passphrase=Token("two"))
    state = seal_state(key, Token("v" * 43), "https://app/cb", world.now, lambda count: b"\1" * count)
    assert len(state) < 200
    assert open_state([other, key], state, "https://app/cb", world.now) == "v" * 43
    assert open_state([key], "an application's own state", "https://app/cb", world.now) == ""
    forged = state[:-4] + ("AAAA" if state[-4:] != "AAAA" else "BBBB")
    for bad, callback, later in (
        (forged, "https://app/cb", 0),
        (state, "https://app/cb2", 0),
        (state, "https://app/cb", 901),
    ):
        with pytest.raises(AuthError, match="get a new address") as caught:
            open_state([key], bad, callback, world.now + later)
        assert caught.value.kind == "interface"
    with pytest.raises(AuthError):
        open_state([other], state, "https://app/cb", world.now)


def test_hostile_17_refresh_token_idle_for_90_days(world: World) -> None:
    expired(world)
    world.now += 91 * 86_400
    with pytest.raises(AuthError, match="Sign in again") as caught:
        world.headless().token(ORG)
    assert caught.value.needs_sign_in
    assert caught.value.error_codes == (700082,)
    assert world.desktop().token(ORG)
    assert len(world.person.opened) == 2


def test_hostile_18_a_stale_refresh_token_in_the_settings(world: World) -> None:
    world.authority.refresh_mode = "revoke-family"
    first = world.desktop()
    first.connect(ORG)
    record = first.current(ORG)
    assert record is not None
    stale = str(record.tokens.refresh)
    for _ in range(3):
        world.now += 7200
        assert world.headless(OAuthRefreshToken=stale).token(ORG)
    assert {entry.status for entry in world.tokens_sent()} == {200}


def test_hostile_18_a_supplied_token_the_service_refuses_costs_the_chain_nothing(world: World) -> None:
    expired(world)
    provider = world.headless(OAuthRefreshToken="1.of-long-ago")
    assert provider.token(ORG)
    assert [entry.status for entry in world.tokens_sent()] == [400, 200]
    assert any("OAuthRefreshToken" in text for text in world.log.warnings)
    world.now += 7200
    assert world.headless(OAuthRefreshToken="1.of-long-ago").token(ORG)
    assert [entry.status for entry in world.tokens_sent()] == [400, 200, 200]


def test_hostile_18_a_new_verifier_replaces_the_chain(world: World) -> None:
    """The file remembers the application; the person may be another one."""
    given = {**APP, "CallbackURL": f"{world.callback}/cb"}
    world.desktop(**given, User="alex@contoso.onmicrosoft.com").connect(ORG)
    url = ConnectionAuth(world.provider(**given, OAuthSettingsLocation=""), ORG).call("GetOAuthAuthorizationUrl", {})
    code = world.person.code(f"{url.row[0]}&login_hint=sam@contoso.onmicrosoft.com")["code"]
    token = world.headless(OAuthVerifier=code, CallbackURL="").token(ORG)
    claims = world.authority.claims_of(str(token.value))
    assert claims is not None and claims["upn"] == "sam@contoso.onmicrosoft.com"
    assert world.tokens_sent()[-1].values["client_id"] == CUSTOM
    assert world.headless().token(ORG).value == token.value


def test_hostile_20_killed_between_refresh_and_write(world: World) -> None:
    world.authority.refresh_mode = "single-use"
    expired(world)
    before = Path(world.file).read_bytes()
    world.headless().token(ORG)
    Path(world.file).write_bytes(before)
    with pytest.raises(AuthError, match="Sign in again"):
        world.headless().token(ORG)
    assert world.desktop().token(ORG)
    assert len(world.person.opened) == 2


def test_hostile_21_claims_of_a_refusal_reach_the_sign_in(world: World) -> None:
    expired(world)
    world.authority.revoke_sessions(50076, claims='{"access_token": {"polids": {"essential": true}}}')
    assert world.desktop().token(ORG)
    assert "polids" in world.person.opened[1]


@pytest.mark.parametrize(
    "claims",
    ["!!!", base64.b64encode(b"not json").decode(), base64.b64encode(b"[1]").decode(), "e30=" * 3, ""],
)
def test_hostile_22_claims_that_are_none(claims: str) -> None:
    header = f'Bearer realm="", error="insufficient_claims", claims="{claims}"'
    assert parse_challenge(header).claims == ""


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("strip", [True, False])
def test_hostile_22_claims_in_every_base64(encode: Any, strip: bool) -> None:
    text = '{"access_token": {"nbf": {"essential": true, "value": "16\u00ff\u00fe>>>???"}}}'
    value = encode(text.encode()).decode()
    header = f'Negotiate, Bearer error="insufficient_claims", claims="{value.rstrip("=") if strip else value}", NTLM'
    assert parse_challenge(header).claims == text


@pytest.mark.parametrize(
    ("properties", "hint"),
    [
        ({"OAuthClientId": CUSTOM}, "confidential ones need it"),
        ({"OAuthClientId": EMBEDDED, "OAuthClientSecret": SECRET}, "public applications must not send"),
        ({"OAuthClientId": CUSTOM, "OAuthClientSecret": "wrong-secret"}, "wrong, expired or missing"),
    ],
)
def test_hostile_23_client_secret(world: World, properties: dict[str, str], hint: str) -> None:
    with pytest.raises(AuthError, match=hint) as caught:
        world.headless(**properties, OAuthRefreshToken="1.some-token").token(ORG)
    assert "OAuthClientSecret" in str(caught.value)
    assert "wrong-secret" not in str(caught.value)
    assert len(world.tokens_sent()) == 1


def test_hostile_23_a_new_secret_is_really_tried(world: World) -> None:
    given = {"AuthScheme": "AzureServicePrincipal", "OAuthClientId": CUSTOM, "Tenant": world.authority.tenant}
    with pytest.raises(AuthError):
        world.provider(**given, OAuthClientSecret="wrong").token(ORG)
    assert world.provider(**given, OAuthClientSecret=SECRET).token(ORG)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/common/oauth2/authorize",
        "http://login.microsoftonline.com/common/oauth2/authorize",
        "https://login.microsoftonline.com.evil.example/common",
        "https://login.microsoftonline.com@evil.example/common",
        "https://login.microsoftonline.com:444/common",
        "https://evil.example\\@login.microsoftonline.com/common",
        "javascript:alert(1)",
    ],
)
def test_hostile_25_a_challenge_does_not_choose_where_secrets_go(world: World, address: str) -> None:
    header = {"www-authenticate": f"Bearer authorization_uri={address}, resource_id={ORG}/"}
    world.http.organisation = lambda url: Reply(401, header)
    given = {**APP, "AuthScheme": "AzureServicePrincipal"}
    with pytest.raises(AuthError, match="AuthorityUrl"):
        world.provider(**given, AuthorityUrl="").token(ORG)
    assert world.http.urls == [f"{ORG}/api/data/v9.2/WhoAmI"]


def test_hostile_25_known_clouds_and_the_named_host_are_taken() -> None:
    header = "Bearer authorization_uri=https://login.microsoftonline.com/0000-tenant/oauth2/authorize, resource_id=x"
    found = trusted(parse_challenge(["Negotiate", header]))
    assert (found.base, found.tenant) == ("https://login.microsoftonline.com", "0000-tenant")
    quoted = 'Bearer authorization_uri="https://login.microsoftonline.us/common/oauth2/authorize"'
    assert trusted(parse_challenge(quoted)).tenant == "organizations"
    own = choose_authority(ORG, authority="https://login.own.example:8443", environment=None, tenant=None)
    challenge = parse_challenge("Bearer authorization_uri=https://login.own.example:8443/t1/oauth2/authorize")
    assert trusted(challenge, own).url == "https://login.own.example:8443/t1"
    with pytest.raises(AuthError):
        trusted(challenge)


@pytest.mark.parametrize("name", ["token_endpoint", "authorization_endpoint", "device_authorization_endpoint"])
def test_hostile_25_metadata_with_a_foreign_endpoint(world: World, name: str) -> None:
    world.authority.overrides.metadata[name] = "https://evil.example/oauth2/v2.0/token"
    with pytest.raises(AuthError, match=f"names a {name}"):
        world.desktop(**APP).connect(ORG)
    assert all("evil" not in url for url in world.http.urls)
    assert world.person.opened == []


ODD_BODIES: dict[str, tuple[int, str, bytes]] = {
    "html": (200, "text/html", b"<html>Sign in to the hotel</html>"),
    "empty": (200, "application/json", b""),
    "list": (200, "application/json", b"[1]"),
    "truncated": (200, "application/json", b'{"access_token": "abc'),
    "redirect": (302, "text/html", b""),
    "proxy": (407, "text/html", b"<h1>Proxy authentication required</h1>"),
    "huge": (200, "application/json", b'{"access_token": "' + b"a" * 3_000_000 + b'"}'),
    "not_utf8": (200, "application/json", b"\xff\xfe\x00"),
    "deep": (200, "application/json", b'{"a":' + b"[" * 100_000),
}


@pytest.mark.parametrize("name", ODD_BODIES)
@pytest.mark.parametrize("path", ["token", "openid-configuration"])
def test_hostile_26_answers_that_are_none(world: World, name: str, path: str) -> None:
    status, kind, body = ODD_BODIES[name]
    world.authority.faults.answer(body, status=status, headers={"content-type": kind}, path=path)
    with pytest.raises(AuthError, match=f"unexpected answer from localhost:[0-9]+: status {status}") as caught:
        world.headless(OAuthRefreshToken="1.some-token").token(ORG)
    error = caught.value
    assert (error.kind, error.__cause__, error.__context__) == ("operational", None, None)
    assert len(str(error)) < 600 and "abc" not in str(error)


ODD_FIELDS: list[dict[str, Any]] = [
    {"expires_in": "abc"},
    {"expires_in": None},
    {"expires_in": [3600]},
    {"access_token": None},
    {"access_token": 5},
    {"access_token": ""},
    {"access_token": "abc\r\nX-Injected: 1"},
    {"access_token": "t\u00f6ken"},
    {"refresh_token": "abc\r\ndef"},
    {"refresh_token": 7},
    {"token_type": "pop"},
    {"id_token": "junk"},
    {"id_token": "a.b.c"},
    {"id_token": 5},
    {"error": "invalid_grant"},
]


@pytest.mark.parametrize("fields", ODD_FIELDS, ids=json.dumps)
def test_hostile_27_odd_fields(world: World, fields: dict[str, Any]) -> None:
    world.authority.overrides.token.update(fields)
    with pytest.raises(AuthError) as caught:
        world.desktop().connect(ORG)
    assert caught.value.kind in ("operational", "authentication")
    assert not Path(world.file).exists()


@pytest.mark.parametrize(("given", "kept"), [("3600", 3600), (-5, 0), (1e12, 172_800), (3599.9, 3599.9)])
def test_hostile_27_lifetimes_are_clamped(world: World, given: Any, kept: float) -> None:
    world.authority.overrides.token["expires_in"] = given
    assert world.desktop().token(ORG).expires_at == world.now + kept


def test_hostile_28_retry_after_in_seconds(world: World) -> None:
    expired(world)
    world.authority.faults.add("429", "#1", 7)
    assert world.headless().token(ORG)
    assert world.slept == [7.0]


def test_hostile_28_retry_after_as_a_date_of_the_services_clock() -> None:
    headers = {"retry-after": "Fri, 15 Jan 2027 08:00:12 GMT", "date": "Fri, 15 Jan 2027 08:00:00 GMT"}
    assert retry_after(Reply(429, headers), now=0.0) == 12.0
    assert retry_after(Reply(429, {"retry-after": "soon"}), now=0.0) is None


@pytest.mark.parametrize("timeout", [60.0, None])
def test_hostile_28_a_wait_beyond_the_timeout_is_an_error(world: World, timeout: float | None) -> None:
    expired(world)
    world.authority.faults.add("503", "1+", 99999)
    with pytest.raises(AuthError, match="wait 99999 seconds") as caught:
        world.headless(ports=world.ports(timeout=timeout)).token(ORG)
    assert caught.value.retry_after == 99999
    assert (world.slept, len(world.tokens_sent())) == ([], 1)


class Down:
    """The network is down."""

    def send(self, *_: Any) -> Reply:
        raise TransportError("name resolution failed", sent=False)


def test_hostile_29_network_down_while_the_token_is_ageing_but_valid(world: World) -> None:
    first = world.desktop().token(ORG)
    world.now += 3600 - 100
    provider = world.headless(ports=world.ports(http=Down()))
    assert provider.token(ORG).value == first.value
    assert any("used to its end" in text for text in world.log.warnings)
    world.now += 100
    with pytest.raises(AuthError, match="no answer from localhost"):
        provider.token(ORG)


def test_hostile_29_application_tokens_too(world: World) -> None:
    given = {**APP, "AuthScheme": "AzureServicePrincipal", "Tenant": world.authority.tenant}
    provider = world.provider(**given)
    first = provider.token(ORG)
    world.now += 3600 - 100
    world.authority.faults.add("drop")
    assert provider.token(ORG).value == first.value


@pytest.mark.parametrize("jump", [-7200, 7200])
def test_hostile_30_our_clock_jumps(world: World, jump: int) -> None:
    provider = world.desktop()
    provider.connect(ORG)
    world.now += jump
    for _ in range(3):
        provider.token(ORG)
    assert world.grants() == ["authorization_code", "refresh_token"]


@pytest.mark.parametrize("wrong_by", [-7200, 7200])
def test_hostile_30_the_services_clock_is_wrong(world: World, wrong_by: int) -> None:
    world.authority.clock = lambda: world.now + wrong_by
    provider = world.desktop()
    for _ in range(3):
        provider.token(ORG)
    assert world.grants() == ["authorization_code"]


def test_hostile_31_a_fresh_token_refused_is_renewed_once_per_refusal(world: World) -> None:
    provider = world.desktop()
    first = provider.token(ORG)
    second = provider.token(ORG, force=True, refused=first.value)
    assert second.value != first.value
    assert provider.token(ORG, force=True, refused=first.value).value == second.value
    assert world.grants() == ["authorization_code", "refresh_token"]


BAD_TEXT = ["a\r\nb", "a\nb", "a\x00b", "a\u00e4b", "x" * 20_000]
EVERYWHERE = [
    "OAuthAccessToken",
    "OAuthRefreshToken",
    "OAuthClientId",
    "OAuthClientSecret",
    "Tenant",
    "CallbackURL",
    "AuthorityUrl",
]


@pytest.mark.parametrize("name", EVERYWHERE)
@pytest.mark.parametrize("text", BAD_TEXT, ids=["crlf", "lf", "nul", "non-ascii", "long"])
def test_hostile_38_bad_text_names_the_property_never_the_value(name: str, text: str) -> None:
    with pytest.raises(AuthError, match=name) as caught:
        AuthSettings.from_mapping({"OAuthClientId": CUSTOM, name: text})
    assert caught.value.kind == "interface"
    assert text not in str(caught.value)


@pytest.mark.parametrize("name", ["User", "Password", "OAuthSettingsPassphrase", "OAuthSettingsLocation"])
@pytest.mark.parametrize("text", ["a\r\nb", "a\x00b"])
def test_hostile_38_people_may_have_accents_but_no_control_characters(name: str, text: str) -> None:
    with pytest.raises(AuthError, match=name):
        AuthSettings.from_mapping({name: text})
    assert AuthSettings.from_mapping({name: "Zo\u00eb"})


def test_hostile_40_managed_identity_never_uses_the_proxy(world: World) -> None:
    with pytest.raises(AuthError, match="without proxy"):
        world.provider(AuthScheme="AzureMSI", ports=world.ports(direct_http=None)).token(ORG)
    assert world.http.urls == []


def test_several_accounts_ask_for_user(world: World) -> None:
    world.desktop(User="alex@contoso.onmicrosoft.com").connect(ORG)
    world.desktop(User="sam@contoso.onmicrosoft.com").connect(ORG)
    with pytest.raises(AuthError, match=r"alex@contoso\.onmicrosoft\.com, sam@contoso\.onmicrosoft\.com"):
        world.headless().token(ORG)
    token = world.headless(User="SAM@contoso.onmicrosoft.com").token(ORG)
    claims = world.authority.claims_of(str(token.value))
    assert claims is not None and claims["upn"] == "sam@contoso.onmicrosoft.com"
    assert world.headless().forget(ORG) == 2
    with pytest.raises(AuthError, match="set one of the three"):
        world.headless().token(ORG)
