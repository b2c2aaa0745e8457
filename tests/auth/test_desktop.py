"""Scenarios A: sign-in through the browser of this machine."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dynamics_auth.failures import AuthError, SignInTimeout
from dynamics_auth.keys import configuration_folder
from dynamics_auth.stores import default_location
from tests.auth.support import CUSTOM, EMBEDDED, ORG, SECRET, World, free_port, in_threads


def test_A1_embedded_app_first_connection(world: World) -> None:
    provider = world.desktop()
    provider.connect(ORG)

    (url,) = world.person.opened
    parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
    assert parts.path == "/common/oauth2/v2.0/authorize"
    assert query["client_id"] == [EMBEDDED]
    assert query["redirect_uri"] == [world.callback]
    assert query["code_challenge_method"] == ["S256"]
    assert query["prompt"] == ["select_account"]
    assert len(query["state"][0]) >= 20
    (page,) = world.person.pages
    assert page.status_code == 200
    assert "close this window" in page.text
    (exchange,) = world.tokens_sent()
    assert exchange.grant == "authorization_code"
    assert "client_secret" not in exchange.parameters
    assert "code_verifier" in exchange.parameters
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", world.port))
        probe.listen()
    assert world.authority.check(str(provider.token(ORG).value)) is None
    text = Path(world.file).read_bytes()
    record = provider.current(ORG)
    assert record is not None and record.tokens.refresh
    assert str(record.tokens.access).encode() not in text and str(record.tokens.refresh).encode() not in text
    assert Path(world.file).stat().st_mode & 0o777 == 0o600


def test_A2_next_connection_with_a_fresh_token_sends_nothing(world: World) -> None:
    first = world.desktop().token(ORG)
    before, sent = Path(world.file).read_bytes(), len(world.authority.requests)
    world.now += 600
    assert world.desktop().token(ORG).value == first.value
    assert len(world.authority.requests) == sent
    assert len(world.person.opened) == 1
    assert Path(world.file).read_bytes() == before


def test_A3_next_connection_with_an_expired_token_refreshes_once(world: World) -> None:
    first = world.desktop().token(ORG)
    before = Path(world.file).read_bytes()
    world.now += 7200
    second = world.desktop().token(ORG)
    assert second.value != first.value
    assert world.grants() == ["authorization_code", "refresh_token"]
    assert world.tokens_sent()[-1].values["scope"].split().count(f"{ORG}/.default") == 1
    assert Path(world.file).read_bytes() != before
    assert len(world.person.opened) == 1


def test_A4_a_token_that_expires_during_a_connection_is_renewed(world: World) -> None:
    provider = world.desktop()
    first = provider.token(ORG)
    world.now += 3600 - 100
    second = provider.token(ORG)
    assert second.value != first.value
    assert world.grants() == ["authorization_code", "refresh_token"]


def test_A4b_a_refused_token_is_renewed_once_whoever_asks(world: World) -> None:
    provider = world.desktop()
    first = provider.token(ORG)
    renewed = {
        str(token.value) for token in in_threads(8, lambda: provider.token(ORG, force=True, refused=first.value))
    }
    assert len(renewed) == 1 and first.value not in renewed
    assert world.grants().count("refresh_token") == 1


@pytest.mark.parametrize("name", ["Tenant", "AzureTenant"])
@pytest.mark.parametrize("by_guid", [False, True])
def test_A5_tenant_is_used_everywhere_and_remembered(world: World, name: str, by_guid: bool) -> None:
    guid = world.authority.add_tenant("fabrikam.onmicrosoft.com")
    tenant = guid if by_guid else "fabrikam.onmicrosoft.com"
    world.desktop(**{name: tenant}).connect(ORG)
    world.now += 7200
    world.desktop().connect(ORG)
    assert world.grants() == ["authorization_code", "refresh_token"]
    assert urlsplit(world.person.opened[0]).path.split("/")[1] in (tenant, guid)
    assert {entry.path.split("/")[1] for entry in world.tokens_sent()} <= {tenant, guid}


def test_A6_custom_app_first_connection(world: World) -> None:
    callback = f"{world.callback}/cb"
    provider = world.desktop(OAuthClientId=CUSTOM, OAuthClientSecret=SECRET, CallbackURL=callback)
    provider.connect(ORG)
    query = parse_qs(urlsplit(world.person.opened[0]).query)
    assert query["client_id"] == [CUSTOM]
    assert query["redirect_uri"] == [callback]
    (exchange,) = world.tokens_sent()
    assert exchange.status == 200
    assert "client_secret" in exchange.parameters
    assert "authorization" not in {name.lower() for name in exchange.headers}
    assert SECRET.encode() not in Path(world.file).read_bytes()


@pytest.mark.parametrize("again", [True, False], ids=["full", "only_location"])
def test_A7_custom_app_later_connection(world: World, again: bool) -> None:
    full = {"OAuthClientId": CUSTOM, "OAuthClientSecret": SECRET, "CallbackURL": f"{world.callback}/cb"}
    world.desktop(**full).connect(ORG)
    world.now += 7200
    world.desktop(**(full if again else {"CallbackURL": "", "AuthorityUrl": ""})).connect(ORG)
    last = world.tokens_sent()[-1]
    assert (last.grant, last.status, last.values["client_id"]) == ("refresh_token", 200, CUSTOM)
    assert "client_secret" in last.parameters


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("win32", {"APPDATA": "C:/Users/u/AppData/Roaming"}, "C:/Users/u/AppData/Roaming/sqlalchemy-dynamics"),
        ("darwin", {"HOME": "/Users/u"}, "/Users/u/Library/Application Support/sqlalchemy-dynamics"),
        ("linux", {"HOME": "/home/u"}, "/home/u/.config/sqlalchemy-dynamics"),
        ("linux", {"HOME": "/home/u", "XDG_CONFIG_HOME": "/cfg"}, "/cfg/sqlalchemy-dynamics"),
    ],
)
def test_A8_default_folder_by_platform(platform: str, environ: dict[str, str], expected: str) -> None:
    assert configuration_folder(environ, platform).as_posix() == expected


def test_A8_the_default_file_is_made_with_its_folders(world: World) -> None:
    world.desktop(OAuthSettingsLocation="").connect(ORG)
    made = Path(default_location(world.environ))
    assert made.name == "OAuthSettings.txt"
    assert made.is_file()
    assert made.parent.stat().st_mode & 0o777 == 0o700


def test_A9_another_organisation_in_the_same_file(world: World) -> None:
    other = "https://other.crm.dynamics.com"
    world.authority.resources.append(other)
    first = world.desktop().token(ORG)
    with pytest.raises(AuthError, match="OrganizationUrl") as caught:
        world.headless().token(other)
    assert caught.value.kind == "interface"
    second = world.desktop().token(other)
    assert second.value != first.value
    assert world.authority.check(str(second.value), audience=other) is None
    assert world.headless().token(ORG).value == first.value


def test_A10_memory_store_is_shared_by_name_within_the_process(world: World, tmp_path: Path) -> None:
    here = f"memory://{tmp_path.name}-1"
    first = world.desktop(OAuthSettingsLocation=here).token(ORG)
    assert world.desktop(OAuthSettingsLocation=here).token(ORG).value == first.value
    assert len(world.person.opened) == 1
    world.desktop(OAuthSettingsLocation=f"memory://{tmp_path.name}-2").connect(ORG)
    assert len(world.person.opened) == 2
    assert not Path(world.file).exists()


def test_C1_declined_in_the_browser(world: World) -> None:
    world.authority.consent = "deny"
    with pytest.raises(AuthError) as caught:
        world.desktop().connect(ORG)
    assert caught.value.oauth_error == "access_denied"
    assert "not completed" in world.person.pages[0].text
    assert world.tokens_sent() == []
    assert not Path(world.file).exists()


def test_C2_a_foreign_state_is_refused_and_the_right_one_still_works(world: World) -> None:
    def wrong_first(fields: dict[str, str]) -> dict[str, str]:
        world.person.change = lambda right: right
        wrong = world.person.answer(world.callback, {**fields, "state": "foreign"})
        assert wrong.status_code == 400
        missing = world.person.answer(world.callback, {"code": fields["code"]})
        assert missing.status_code == 400
        return fields

    world.person.change = wrong_first
    world.desktop().connect(ORG)
    assert world.grants() == ["authorization_code"]
    assert [line for line in world.log.lines if "redirect" in line] == [
        "4 AUTH redirect: mismatch",
        "4 AUTH redirect: mismatch",
        "4 AUTH redirect: received",
    ]


def test_C3_nobody_answers(world: World) -> None:
    provider = world.desktop(OAuthSignInTimeout=1, ports=world.ports(browser=lambda url: True))
    with pytest.raises(SignInTimeout, match="CallbackURL"):
        provider.connect(ORG)
    world.desktop().connect(ORG)
    assert world.grants() == ["authorization_code"]


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_C4_port_in_use(world: World, family: socket.AddressFamily, address: str) -> None:
    with socket.socket(family) as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind((address, world.port))
        squatter.listen()
        with pytest.raises(AuthError, match=r"CallbackURL") as caught:
            world.desktop().connect(ORG)
    assert address in str(caught.value)
    assert world.person.opened == []


@pytest.mark.parametrize(
    "callback", ["https://app.example/cb", "http://0.0.0.0:33333", "http://u:p@localhost:1", "http://localhost:1/#x"]
)
def test_C5_callback_that_no_local_listener_serves(world: World, callback: str) -> None:
    with pytest.raises(AuthError, match="CallbackURL") as caught:
        world.desktop(CallbackURL=callback).connect(ORG)
    assert caught.value.kind == "interface"
    assert world.authority.requests == []


def test_C6_reply_url_not_registered(world: World) -> None:
    provider = world.desktop(
        CallbackURL=f"http://localhost:{free_port()}/unregistered",
        OAuthSignInTimeout=1,
        ports=world.ports(browser=lambda url: world.person.client.get(url).status_code < 600),
    )
    with pytest.raises(SignInTimeout, match="reply URL"):
        provider.connect(ORG)


def test_C37_many_connections_at_once_open_one_browser(world: World) -> None:
    results = in_threads(5, lambda: world.desktop().token(ORG))
    assert len({str(token.value) for token in results}) == 1
    assert len(world.person.opened) == 1
