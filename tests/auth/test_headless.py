"""Scenarios H: machines without a browser, by verifier and by transferred settings."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from dynamics_auth.connection import ConnectionAuth
from dynamics_auth.failures import AuthError, StoreWrongKey
from tests.auth.support import CUSTOM, EMBEDDED, ORG, SECRET, World

APP = {"OAuthClientId": CUSTOM, "OAuthClientSecret": SECRET}


def url_of(world: World, **properties: object) -> str:
    """GetOAuthAuthorizationUrl on the headless machine."""
    given = {"InitiateOAuth": "OFF", "OAuthSettingsLocation": "", **properties}
    return ConnectionAuth(world.provider(**given), ORG).call("GetOAuthAuthorizationUrl", {}).row[0]


def verifier(world: World, **properties: object) -> str:
    return world.person.code(url_of(world, **properties))["code"]


def test_H1_the_url_equals_the_hand_made_one(world: World) -> None:
    query = parse_qs(urlsplit(url_of(world)).query)
    query.pop("prompt")
    assert query == {
        "client_id": [EMBEDDED],
        "response_type": ["code"],
        "redirect_uri": [world.callback],
        "scope": [f"{ORG}/.default offline_access openid profile"],
    }
    assert world.authority.requests == []


def test_H1_a_code_of_the_seeds_v1_url_is_redeemed(world: World) -> None:
    query = {"resource": ORG, "client_id": EMBEDDED, "response_type": "code", "redirect_uri": world.callback}
    code = world.person.code(f"{world.authority.url}/common/oauth2/authorize?{urlencode(query)}")["code"]
    token = world.headless(OAuthVerifier=code).token(ORG)
    assert world.authority.check(str(token.value)) is None


def test_H1_v1_is_tried_when_the_service_refuses_the_version(world: World) -> None:
    query = {"resource": ORG, "client_id": EMBEDDED, "response_type": "code", "redirect_uri": world.callback}
    code = world.person.code(f"{world.authority.url}/common/oauth2/authorize?{urlencode(query)}")["code"]
    world.authority.faults.add("AADSTS9002313", "#1")
    token = world.headless(OAuthVerifier=code).token(ORG)
    assert world.authority.check(str(token.value)) is None
    assert [entry.path.split("/", 2)[2] for entry in world.tokens_sent()] == ["oauth2/v2.0/token", "oauth2/token"]


@pytest.mark.parametrize("initiate", ["REFRESH", "GETANDREFRESH"])
def test_H2_verifier_exchange(world: World, initiate: str) -> None:
    provider = world.provider(InitiateOAuth=initiate, OAuthVerifier=verifier(world))
    token = provider.token(ORG)
    (exchange,) = world.tokens_sent()
    assert (exchange.grant, exchange.values["client_id"]) == ("authorization_code", EMBEDDED)
    assert exchange.values["redirect_uri"] == world.callback
    assert not {"client_secret", "code_verifier"} & set(exchange.parameters)
    assert Path(world.file).exists()
    assert world.authority.check(str(token.value)) is None
    assert world.person.opened == []


def test_H2c_the_same_verifier_again_is_ignored(world: World) -> None:
    code = verifier(world)
    first = world.headless(OAuthVerifier=code).token(ORG)
    assert world.headless(OAuthVerifier=code).token(ORG).value == first.value
    world.now += 7200
    assert world.headless(OAuthVerifier=code).token(ORG).value != first.value
    assert world.grants() == ["authorization_code", "refresh_token"]


FORMS: dict[str, Callable[[str, str], str]] = {
    "url": lambda callback, code: f"{callback}/?code={quote(code)}&session_state=x",
    "query": lambda callback, code: f"?code={quote(code)}&session_state=x",
    "bare_query": lambda callback, code: f"session_state=x&code={quote(code)}",
    "encoded": lambda callback, code: quote(code, safe="").replace(".", "%2E"),
    "blanks": lambda callback, code: f"  {code}\n",
    "quoted": lambda callback, code: f'"{code}"',
}


@pytest.mark.parametrize("form", FORMS)
def test_H2d_forms_of_the_verifier(world: World, form: str) -> None:
    text = FORMS[form](world.callback, verifier(world))
    assert world.authority.check(str(world.headless(OAuthVerifier=text).token(ORG).value)) is None


def test_H2e_verifier_under_off_is_ignored_with_a_warning(world: World) -> None:
    access = world.authority.issue_access_token(client_id=EMBEDDED)
    provider = world.provider(OAuthVerifier="some-code", OAuthAccessToken=access)
    assert provider.token(ORG).value == access
    assert any("OAuthVerifier is ignored" in text for text in world.log.warnings)
    assert world.authority.requests == []


def test_H3_connect_to_data_never_opens_a_browser(world: World) -> None:
    first = world.headless(OAuthVerifier=verifier(world)).token(ORG)
    sent = len(world.authority.requests)
    assert world.headless().token(ORG).value == first.value
    assert len(world.authority.requests) == sent
    world.now += 7200
    assert world.headless().token(ORG).value != first.value
    assert world.person.opened == []


def move(world: World, way: str) -> tuple[str, dict[str, object]]:
    """The file on another machine: another home, and what the way of transfer brings along."""
    old_home, new_home = Path(world.environ["HOME"]), world.folder / "elsewhere"
    target = world.folder / "copied" / "settings.txt"
    target.parent.mkdir()
    content = Path(world.file).read_bytes().replace(b"\n", b"\r\n") + b"\r\n"
    target.write_bytes(content)
    target.chmod(0o600)
    world.environ["HOME"] = str(new_home)
    if way == "key_file":
        key = ".config/sqlalchemy-dynamics/oauth.key"
        (new_home / key).parent.mkdir(parents=True)
        shutil.copy2(old_home / key, new_home / key)
    return str(target), {"OAuthSettingsLocation": str(target)}


WAYS: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "passphrase": ({"DYNAMICS_OAUTH_PASSPHRASE": "correct horse battery staple"}, {}),
    "key_file": ({}, {}),
    "keyless": ({}, {"OAuthSettingsProtection": "PERMISSIONS"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_H4_transfer_of_settings_embedded_app(world: World, way: str) -> None:
    environ, properties = WAYS[way]
    world.environ.update(environ)
    first = world.desktop(**properties).token(ORG)
    path, there = move(world, way)
    seed_only = {**there, "AuthorityUrl": "", "CallbackURL": ""}
    assert world.headless(**seed_only).token(ORG).value == first.value
    before = Path(path).read_bytes()
    world.now += 7200
    assert world.headless(**seed_only).token(ORG).value != first.value
    assert Path(path).read_bytes() != before
    assert world.grants() == ["authorization_code", "refresh_token"]
    assert any("without a key" in text for text in world.log.warnings) is (way == "keyless")


def test_H4_without_any_key_the_error_names_what_is_needed(world: World) -> None:
    world.desktop().connect(ORG)
    path, there = move(world, "nothing")
    before = Path(path).read_bytes()
    for initiate in ("REFRESH", "GETANDREFRESH"):
        with pytest.raises(StoreWrongKey, match=r"can be opened with: key [0-9a-f]{8} \(keyfile\)") as caught:
            world.provider(InitiateOAuth=initiate, **there).token(ORG)
        assert "DYNAMICS_OAUTH_PASSPHRASE" in str(caught.value)
    assert Path(path).read_bytes() == before
    assert len(world.person.opened) == 1


def test_H5_custom_app_obtains_a_verifier(world: World) -> None:
    callback = f"{world.callback}/cb"
    connection = ConnectionAuth(world.provider(**APP, OAuthSettingsLocation=""), ORG)
    url = connection.call("GetOAuthAuthorizationUrl", {"CallbackURL": callback}).row[0]
    query = parse_qs(urlsplit(url).query)
    assert (query["client_id"], query["redirect_uri"]) == ([CUSTOM], [callback])
    assert world.person.code(url)["code"]
    assert not world.tokens_sent()


def test_H6a_id_secret_and_callback_given_again(world: World) -> None:
    given = {**APP, "CallbackURL": f"{world.callback}/cb"}
    world.headless(**given, OAuthVerifier=verifier(world, **given)).token(ORG)
    (exchange,) = world.tokens_sent()
    assert (exchange.status, exchange.values["client_id"]) == (200, CUSTOM)
    assert "client_secret" in exchange.parameters


def test_H6b_a_pending_request_in_the_settings_is_used_once(world: World) -> None:
    given = {**APP, "CallbackURL": f"{world.callback}/cb"}
    code = verifier(world, **given, OAuthSettingsLocation=world.file)
    assert SECRET.encode() not in Path(world.file).read_bytes()
    seed_only = {"AuthorityUrl": "", "CallbackURL": ""}
    provider = world.headless(OAuthVerifier=code, **seed_only)
    provider.token(ORG)
    (exchange,) = world.tokens_sent()
    assert (exchange.status, exchange.values["client_id"]) == (200, CUSTOM)
    assert exchange.values["redirect_uri"] == given["CallbackURL"]
    assert provider.users.vault.read().pending == ()
    world.now += 7200
    world.headless(**seed_only).token(ORG)
    assert "client_secret" in world.tokens_sent()[-1].parameters


def test_H6b_a_pending_request_ends_after_15_minutes(world: World) -> None:
    given = {**APP, "CallbackURL": f"{world.callback}/cb"}
    world.authority.grants.code_lifetime = 3600
    code = verifier(world, **given, OAuthSettingsLocation=world.file)
    world.now += 901
    with pytest.raises(AuthError, match="another OAuthClientId"):
        world.headless(OAuthVerifier=code, CallbackURL="").token(ORG)


def test_H6c_neither_given_nor_pending(world: World) -> None:
    code = verifier(world, **APP, CallbackURL=f"{world.callback}/cb")
    with pytest.raises(AuthError, match="set OAuthClientId, OAuthClientSecret and CallbackURL") as caught:
        world.headless(OAuthVerifier=code).token(ORG)
    assert caught.value.oauth_error == "invalid_grant"
    (exchange,) = world.tokens_sent()
    assert exchange.values["client_id"] == EMBEDDED
    assert not Path(world.file).exists()


def test_H7_custom_app_connects_from_the_file(world: World) -> None:
    given = {**APP, "CallbackURL": f"{world.callback}/cb"}
    first = world.headless(**given, OAuthVerifier=verifier(world, **given)).token(ORG)
    seed_only = {"AuthorityUrl": "", "CallbackURL": ""}
    assert world.headless(**seed_only).token(ORG).value == first.value
    world.now += 7200
    world.headless(**seed_only).token(ORG)
    last = world.tokens_sent()[-1]
    assert (last.grant, last.status, last.values["client_id"]) == ("refresh_token", 200, CUSTOM)


@pytest.mark.parametrize("way", WAYS)
def test_H8_transfer_of_settings_custom_app(world: World, way: str) -> None:
    environ, properties = WAYS[way]
    world.environ.update(environ)
    world.desktop(**APP, CallbackURL=f"{world.callback}/cb", **properties).connect(ORG)
    _, there = move(world, way)
    world.now += 7200
    token = world.headless(**{**there, "AuthorityUrl": "", "CallbackURL": ""}).token(ORG)
    assert world.authority.check(str(token.value)) is None
    last = world.tokens_sent()[-1]
    assert (last.grant, last.values["client_id"]) == ("refresh_token", CUSTOM)
    assert "client_secret" in last.parameters


def test_H9_no_browser_fails_at_once_with_the_recipe(world: World) -> None:
    never = world.desktop(ports=world.ports(browser=lambda url: False), OAuthSignInTimeout=100_000)
    with pytest.raises(AuthError, match="OAuthVerifier") as caught:
        never.connect(ORG)
    url = str(caught.value).split("Open ")[1].split(" anywhere")[0]
    code = world.person.code(url)
    address = f"{world.callback}/?{urlencode(code)}"
    token = world.headless(OAuthVerifier=address).token(ORG)
    assert world.authority.check(str(token.value)) is None
