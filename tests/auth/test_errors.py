"""Scenarios C that the sign-in package satisfies by itself (those of the flows stand beside the flows)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dynamics_auth.authorities import resource_of
from dynamics_auth.failures import AuthError, StoreDamaged
from dynamics_auth.settings import AuthSettings
from tests.auth.support import CUSTOM, ORG, SECRET, World

APP = {"OAuthClientId": CUSTOM, "OAuthClientSecret": SECRET}


def signed_in(world: World, **properties: object) -> bytes:
    """A settings file whose token has expired; its bytes."""
    world.desktop(**properties).connect(ORG)
    world.now += 7200
    world.authority.requests.clear()
    return Path(world.file).read_bytes()


def test_C7_wrong_client_secret(world: World) -> None:
    before = signed_in(world, **APP)
    wrong = {**APP, "OAuthClientSecret": "wrong secret"}
    with pytest.raises(AuthError, match="OAuthClientSecret") as caught:
        world.headless(**wrong).token(ORG)
    assert caught.value.oauth_error == "invalid_client"
    assert caught.value.error_codes == (7000215,)
    assert caught.value.correlation_id and caught.value.trace_id
    assert "wrong secret" not in str(caught.value)
    assert len(world.tokens_sent()) == 1
    assert Path(world.file).read_bytes() == before
    world.headless(**APP).token(ORG)
    assert [entry.status for entry in world.tokens_sent()] == [401, 200]


@pytest.mark.parametrize("number", [70008, 54005])
def test_C8_verifier_used_up_or_expired(world: World, number: int) -> None:
    world.authority.faults.add(f"AADSTS{number}")
    provider = world.headless(OAuthVerifier="0.some-code")
    for _ in range(2):
        with pytest.raises(AuthError, match="used up or expired") as caught:
            provider.token(ORG)
        assert caught.value.oauth_error == "invalid_grant"
        assert caught.value.error_codes == (number,)
    assert len(world.tokens_sent()) == 1
    assert not Path(world.file).exists()


def test_C9_refresh_token_refused_under_refresh(world: World) -> None:
    signed_in(world, **APP)
    world.authority.revoke_all()
    provider = world.headless()
    for _ in range(2):
        with pytest.raises(AuthError, match="Sign in again") as caught:
            provider.token(ORG)
        assert caught.value.needs_sign_in
    record = provider.current(ORG)
    assert record is not None
    assert (record.tokens.refresh, record.client_id, str(record.client_secret)) == ("", CUSTOM, SECRET)
    assert len(world.tokens_sent()) == 1
    assert len(world.person.opened) == 1


def test_C9_any_other_refusal_keeps_the_refresh_token(world: World) -> None:
    before = signed_in(world)
    world.authority.faults.add("AADSTS50049")
    with pytest.raises(AuthError):
        world.headless().token(ORG)
    assert Path(world.file).read_bytes() == before


def test_C10_refresh_token_refused_under_getandrefresh(world: World) -> None:
    signed_in(world)
    world.authority.revoke_all()
    token = world.desktop().token(ORG)
    assert world.authority.check(str(token.value)) is None
    assert len(world.person.opened) == 2
    assert world.grants() == ["refresh_token", "authorization_code"]
    assert world.headless().token(ORG).value == token.value


def test_C10_headless_gets_the_recipe(world: World) -> None:
    signed_in(world)
    world.authority.revoke_all()
    with pytest.raises(AuthError, match="OAuthVerifier"):
        world.desktop(ports=world.ports(browser=lambda url: False)).token(ORG)


@pytest.mark.parametrize("number", [50076, 50079, 53003])
def test_C11_interaction_required(world: World, number: int) -> None:
    before = signed_in(world)
    world.authority.revoke_sessions(number)
    with pytest.raises(AuthError, match="Conditional Access") as caught:
        world.headless().token(ORG)
    assert (caught.value.oauth_error, caught.value.needs_sign_in) == ("interaction_required", True)
    assert Path(world.file).read_bytes() == before
    world.desktop().token(ORG)
    assert len(world.person.opened) == 2


def test_C13_damaged_file_under_refresh_is_left_alone(world: World) -> None:
    signed_in(world)
    Path(world.file).write_bytes(Path(world.file).read_bytes()[:-40])
    before = Path(world.file).read_bytes()
    with pytest.raises(StoreDamaged, match=r"OAuthSettings\.txt"):
        world.headless().token(ORG)
    assert Path(world.file).read_bytes() == before
    assert world.authority.requests == []


def test_C13_damaged_file_under_getandrefresh_is_kept_under_another_name(world: World) -> None:
    Path(world.file).write_text("some other program's notes")
    Path(world.file).chmod(0o600)
    world.desktop().token(ORG)
    (kept,) = world.folder.glob("OAuthSettings.txt.corrupt-*")
    assert kept.read_text() == "some other program's notes"
    assert any(kept.name in text for text in world.log.warnings)
    assert world.headless().token(ORG)


def test_C13_an_empty_file_is_no_sign_in_yet(world: World) -> None:
    Path(world.file).touch(mode=0o600)
    world.desktop().token(ORG)
    assert Path(world.file).stat().st_size > 0


def test_C14_refresh_with_nothing_to_begin_with(world: World) -> None:
    with pytest.raises(AuthError) as caught:
        world.headless().token(ORG)
    assert caught.value.kind == "interface"
    assert all(name in str(caught.value) for name in ("OAuthSettingsLocation", "OAuthRefreshToken", "OAuthVerifier"))
    assert world.authority.requests == []
    assert world.person.opened == []


def test_C14_a_fresh_access_token_alone_works_until_its_end(world: World) -> None:
    access = world.authority.issue_access_token(client_id=CUSTOM)
    provider = world.headless(OAuthAccessToken=access)
    assert provider.token(ORG).value == access
    world.now += 7200
    with pytest.raises(AuthError, match="OAuthRefreshToken"):
        provider.token(ORG)
    assert world.authority.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "contoso",
        "http://contoso.crm.dynamics.com",
        "https://user:pw@contoso.crm.dynamics.com",
        "https://",
        "ftp://x",
    ],
)
def test_C16_organization_url(world: World, url: str) -> None:
    with pytest.raises(AuthError, match="OrganizationUrl") as caught:
        world.desktop().connect(url)
    assert caught.value.kind == "interface"
    assert world.authority.requests == []


def test_C16_loopback_may_be_plain_http() -> None:
    assert resource_of("http://127.0.0.1:8000/api/data/v9.2/") == "http://127.0.0.1:8000"
    assert resource_of("HTTPS://Contoso.crm.dynamics.com:443/main.aspx?x=1") == ORG


def test_C17_initiate_oauth_values() -> None:
    with pytest.raises(AuthError, match="OFF, REFRESH, GETANDREFRESH"):
        AuthSettings.from_mapping({"InitiateOAuth": "MAYBE"})
    assert AuthSettings.from_mapping({"initiateoauth": "getandrefresh"}).initiate == "GETANDREFRESH"


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (90002, "Tenant"),
        (50034, "Tenant"),
        (65001, "GetAdminConsentURL"),
        (500011, "OrganizationUrl"),
        (700016, "OAuthClientId"),
    ],
)
def test_C18_refusals_name_the_property(world: World, number: int, hint: str) -> None:
    world.authority.faults.add(f"AADSTS{number}")
    with pytest.raises(AuthError) as caught:
        world.headless(OAuthRefreshToken="1.some-token").token(ORG)
    assert caught.value.error_codes == (number,)
    assert hint in str(caught.value).rsplit(" - ", 1)[1]


@pytest.mark.parametrize("kind", ["429", "503", "500", "drop"])
def test_C19_a_refresh_is_repeated(world: World, kind: str) -> None:
    signed_in(world)
    world.authority.faults.add(kind, "#1")
    world.authority.faults.add(kind, "#2")
    token = world.headless().token(ORG)
    assert world.authority.check(str(token.value)) is None
    assert len(world.tokens_sent()) == 3
    assert len(world.slept) == 2


def test_C19_at_most_three_repetitions(world: World) -> None:
    signed_in(world)
    world.authority.faults.add("503")
    with pytest.raises(AuthError, match="try again later"):
        world.headless().token(ORG)
    assert len(world.tokens_sent()) == 4


@pytest.mark.parametrize(("kind", "requests"), [("503", 2), ("429", 2), ("500", 1), ("drop", 1)])
def test_C19_a_code_is_repeated_only_when_it_cannot_be_spent(world: World, kind: str, requests: int) -> None:
    world.authority.faults.add(kind, "#1")
    if requests == 2:
        world.desktop().connect(ORG)
    else:
        with pytest.raises(AuthError):
            world.desktop().connect(ORG)
    assert len(world.tokens_sent()) == requests


def test_C20_a_silent_login_service(world: World) -> None:
    signed_in(world)
    world.authority.faults.add("delay", "1+", 0.5)
    with pytest.raises(AuthError, match="no answer"):
        world.headless(ports=world.ports(timeout=0.05)).token(ORG)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<html><title>Welcome</title><p>Please accept the hotel's terms</p></html>", "text/html"),
        ('{"token_type": "Bearer", "expires_in": 3600}', "application/json"),
        ('{"access_token": "abcdefgh", "token_type": "pop", "expires_in": 3600}', "application/json"),
    ],
)
def test_C21_an_answer_that_holds_no_bearer_token(world: World, body: str, content_type: str) -> None:
    signed_in(world)
    world.authority.faults.answer(body, headers={"content-type": content_type})
    with pytest.raises(AuthError, match="unexpected answer from localhost") as caught:
        world.headless().token(ORG)
    assert "abcdefgh" not in str(caught.value)
    assert ("hotel" in str(caught.value)) is (content_type == "text/html")


def test_C22_an_answer_without_refresh_token_keeps_the_old_one(world: World) -> None:
    world.authority.refresh_mode = "omit"
    signed_in(world)
    for _ in range(2):
        world.headless().token(ORG)
        world.now += 7200
    assert [entry.status for entry in world.tokens_sent()] == [200, 200]


def test_C28_secret_without_client_id() -> None:
    with pytest.raises(AuthError, match="OAuthClientId") as caught:
        AuthSettings.from_mapping({"OAuthClientSecret": "x"})
    assert caught.value.kind == "interface"


def test_C33_a_clock_that_jumps_back(world: World) -> None:
    signed_in(world)
    provider = world.headless()
    first = provider.token(ORG)
    world.now -= 86_400
    assert provider.token(ORG).value != first.value
    assert len(world.tokens_sent()) == 2


def test_C34_verbosity_4_tells_an_authentication_error(world: World) -> None:
    signed_in(world, **APP)
    with pytest.raises(AuthError):
        world.headless(**{**APP, "OAuthClientSecret": "another wrong one"}).token(ORG)
    text = "\n".join(line for line in world.log.lines if line[0] in "1234")
    for part in ("/common/oauth2/v2.0/token", "401", "invalid_client", "7000215", "correlation_id"):
        assert part in text.replace(world.authority.tenant, "common")
    assert "another wrong one" not in text


def test_C38_a_forked_child_reads_the_file_again(world: World) -> None:
    world.authority.refresh_mode = "single-use"
    signed_in(world)
    provider = world.headless()
    provider.users.vault.read()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, json.dumps(str(provider.token(ORG).value)).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        token = json.load(pipe)
    assert provider.token(ORG).value == token
    assert world.grants() == ["refresh_token"]
