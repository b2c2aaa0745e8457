"""Scenarios B: a web application signs its users in through the stored procedures."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dynamics_auth.connection import ConnectionAuth
from dynamics_auth.failures import AuthError
from dynamics_auth.procedures import PROCEDURES
from dynamics_auth.tokens import Token
from tests.auth.support import CUSTOM, EMBEDDED, ORG, SECRET, World

CALLBACK = "https://app.example/cb"
APP = {"OAuthClientId": CUSTOM, "OAuthClientSecret": SECRET}


def web(world: World, **properties: object) -> ConnectionAuth:
    given = {**APP, "OAuthSettingsLocation": "", "CallbackURL": "", **properties}
    return ConnectionAuth(world.provider(**given), ORG)


def sign_in(world: World, connection: ConnectionAuth, **more: str) -> dict[str, str]:
    """B-1 and B-2 in a row; the result row as a mapping."""
    url = connection.call("GetOAuthAuthorizationUrl", {"AuthMode": "WEB", "CallbackURL": CALLBACK}).row[0]
    code = world.person.code(url)["code"]
    result = connection.call("GetOAuthAccessToken", {"AuthMode": "WEB", "Verifier": code, **more})
    return dict(zip(result.columns, result.row, strict=True))


def test_B1_authorization_url_sends_nothing(world: World) -> None:
    connection = web(world)
    result = connection.call("getoauthauthorizationurl", {"@authmode": "WEB", "CallbackURL": CALLBACK})
    assert result.columns == ("Url",)
    (url,) = result.row
    parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
    assert f"{parts.scheme}://{parts.netloc}" == world.authority.url
    assert parts.path == "/common/oauth2/v2.0/authorize"
    assert query == {
        "client_id": [CUSTOM],
        "response_type": ["code"],
        "redirect_uri": [CALLBACK],
        "scope": [f"{ORG}/.default offline_access openid profile"],
        "prompt": ["select_account"],
    }
    assert SECRET not in url
    assert world.authority.requests == []
    assert world.person.opened == []
    assert list(world.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("inputs", "name", "expected"),
    [
        ({"State": "abc"}, "state", ["abc"]),
        ({"Prompt": "consent"}, "prompt", ["consent"]),
        ({"Prompt": "None"}, "prompt", None),
        ({"CallbackUrl": CALLBACK}, "redirect_uri", [CALLBACK]),
        ({}, "redirect_uri", ["http://localhost:33333"]),
    ],
)
def test_B1_inputs(world: World, inputs: dict[str, str], name: str, expected: list[str] | None) -> None:
    (url,) = web(world).call("GetOAuthAuthorizationUrl", inputs).row
    assert parse_qs(urlsplit(url).query).get(name) == expected


def test_B1d_callback_property_is_the_default(world: World) -> None:
    (url,) = web(world, CallbackURL=CALLBACK).call("GetOAuthAuthorizationUrl", {}).row
    assert parse_qs(urlsplit(url).query)["redirect_uri"] == [CALLBACK]


def test_B2_exchange_returns_tokens_and_stores_nothing(world: World) -> None:
    connection = web(world)
    row = sign_in(world, connection, CallbackUrl=CALLBACK)
    assert list(row) == ["OAuthAccessToken", "OAuthRefreshToken", "ExpiresIn"]
    assert row["ExpiresIn"] == "3600"
    assert world.authority.check(str(row["OAuthAccessToken"])) is None
    assert isinstance(row["OAuthRefreshToken"], Token) and row["OAuthRefreshToken"] not in repr(row)
    (exchange,) = world.tokens_sent()
    assert exchange.values["redirect_uri"] == CALLBACK
    assert {"client_secret", "code"} <= set(exchange.parameters)
    assert "code_verifier" not in exchange.parameters
    assert list(world.folder.iterdir()) == []


def test_B2b_the_connection_uses_the_token_it_got_and_no_other_does(world: World) -> None:
    provider = world.provider(**APP, OAuthSettingsLocation="", CallbackURL="")
    connection, other = ConnectionAuth(provider, ORG), ConnectionAuth(provider, ORG)
    row = sign_in(world, connection)
    assert connection.token().value == row["OAuthAccessToken"]
    with pytest.raises(AuthError, match="OAuthAccessToken is required"):
        other.token()


def test_B2c_the_callback_of_the_first_step_is_reused(world: World) -> None:
    sign_in(world, web(world))
    (exchange,) = world.tokens_sent()
    assert (exchange.status, exchange.values["redirect_uri"]) == (200, CALLBACK)


def test_B3_without_automatic_refresh(world: World) -> None:
    access = world.authority.issue_access_token(client_id=CUSTOM)
    connection = web(world, **{"OAuthClientId": "", "OAuthClientSecret": "", "OAuthAccessToken": access})
    assert connection.token().value == access
    with pytest.raises(AuthError, match="RefreshOAuthAccessToken") as caught:
        connection.token(force=True, refused=access)
    assert "InitiateOAuth=REFRESH" in str(caught.value)
    world.now += 7200
    with pytest.raises(AuthError, match="expired"):
        web(world, **{"OAuthClientId": "", "OAuthClientSecret": "", "OAuthAccessToken": access}).token()
    assert world.authority.requests == []


def first_data_connection(world: World, row: dict[str, str], **more: object) -> ConnectionAuth:
    given = {
        **APP,
        "InitiateOAuth": "REFRESH",
        "OAuthAccessToken": str(row["OAuthAccessToken"]),
        "OAuthRefreshToken": str(row["OAuthRefreshToken"]),
        **more,
    }
    return ConnectionAuth(world.provider(**given), ORG)


def test_B4_first_data_connection_refreshes_once_and_writes_the_file(world: World) -> None:
    row = sign_in(world, web(world))
    token = first_data_connection(world, row).token()
    assert token.value != row["OAuthAccessToken"]
    assert world.authority.check(str(token.value)) is None
    assert world.grants() == ["authorization_code", "refresh_token"]
    assert Path(world.file).exists()
    assert world.person.opened == []


def test_B4b_known_dates_spare_the_refresh(world: World) -> None:
    row = sign_in(world, web(world))
    connection = first_data_connection(
        world, row, OAuthExpiresIn=3600, OAuthTokenTimestamp=int((world.now - 60) * 1000)
    )
    assert connection.token().value == row["OAuthAccessToken"]
    assert world.grants() == ["authorization_code"]
    assert world.headless().token(ORG).value == row["OAuthAccessToken"]


def test_B4c_exchange_under_refresh_is_kept(world: World) -> None:
    connection = ConnectionAuth(world.headless(**APP, CallbackURL=CALLBACK), ORG)
    row = sign_in(world, connection)
    assert first_data_connection(world, row).token().value == row["OAuthAccessToken"]
    assert world.grants() == ["authorization_code"]


def test_B5_subsequent_connections_need_three_properties(world: World) -> None:
    row = sign_in(world, web(world))
    fresh = first_data_connection(world, row).token()
    later = {"InitiateOAuth": "REFRESH", "CallbackURL": "", "AuthorityUrl": ""}
    assert world.provider(**later).token(ORG).value == fresh.value
    world.now += 7200
    assert world.provider(**later).token(ORG).value != fresh.value
    last = world.tokens_sent()[-1]
    assert (last.grant, last.status, last.values["client_id"]) == ("refresh_token", 200, CUSTOM)
    assert "client_secret" in last.parameters
    assert world.grants().count("refresh_token") == 2


def test_B5b_the_first_string_used_again_weeks_later(world: World) -> None:
    world.authority.refresh_mode = "single-use"
    row = sign_in(world, web(world))
    first_data_connection(world, row).token()
    for _ in range(3):
        world.now += 7200
        world.headless().token(ORG)
    world.now += 7200
    again = first_data_connection(world, row).token()
    assert world.authority.check(str(again.value)) is None
    assert {entry.status for entry in world.tokens_sent()} == {200}


@pytest.mark.parametrize("omitted", [False, True])
def test_B6_manual_refresh(world: World, omitted: bool) -> None:
    row = sign_in(world, web(world))
    if omitted:
        world.authority.refresh_mode = "omit"
    result = web(world).call("RefreshOAuthAccessToken", {"OAuthRefreshToken": str(row["OAuthRefreshToken"])})
    access, refresh, lifetime = result.row
    assert world.authority.check(str(access)) is None
    assert (refresh == row["OAuthRefreshToken"]) is omitted
    assert lifetime == "3600"
    assert list(world.folder.iterdir()) == []


def test_B6_manual_refresh_under_refresh_updates_the_file(world: World) -> None:
    row = sign_in(world, web(world))
    connection = ConnectionAuth(world.headless(**APP), ORG)
    result = connection.call("RefreshOAuthAccessToken", {"OAuthRefreshToken": str(row["OAuthRefreshToken"])})
    assert world.headless().token(ORG).value == result.row[0]
    assert connection.token().value == result.row[0]


def test_B7_app_mode_opens_the_browser(world: World) -> None:
    connection = ConnectionAuth(world.provider(OAuthSettingsLocation=""), ORG)
    result = connection.call("GetOAuthAccessToken", {})
    assert world.authority.check(str(result.row[0])) is None
    assert len(world.person.opened) == 1
    assert list(world.folder.iterdir()) == []


def test_B7_a_verifier_without_mode_means_web(world: World) -> None:
    connection = web(world, CallbackURL=CALLBACK)
    code = world.person.code(connection.call("GetOAuthAuthorizationUrl", {}).row[0])["code"]
    result = connection.call("GetOAuthAccessToken", {"Verifier": code})
    assert world.authority.check(str(result.row[0])) is None
    assert world.person.opened == []


def test_B8_admin_consent_url(world: World) -> None:
    result = web(world, Tenant="contoso.onmicrosoft.com").call(
        "GetAdminConsentURL", {"CallbackUrl": CALLBACK, "State": "x"}
    )
    assert result.columns == ("URL",)
    parts = urlsplit(result.row[0])
    assert parts.path == "/contoso.onmicrosoft.com/adminconsent"
    assert parse_qs(parts.query) == {"client_id": [CUSTOM], "redirect_uri": [CALLBACK], "state": ["x"]}
    assert world.authority.requests == []


@pytest.mark.parametrize(
    ("name", "arguments", "named"),
    [
        ("GetOAuthAccessToken", {"AuthMode": "WEB"}, "Verifier"),
        ("GetOAuthAccessToken", {"AuthMode": "WEB", "Verifier": ""}, "Verifier"),
        ("GetOAuthAccessToken", {"AuthMode": "WEB", "Verifier": None}, "Verifier"),
        ("GetOAuthAccessToken", {"AuthMode": "WEB", "Verifier": "  "}, "Verifier"),
        ("RefreshOAuthAccessToken", {}, "OAuthRefreshToken"),
        ("RefreshOAuthAccessToken", {"OAuthRefreshToken": " "}, "OAuthRefreshToken"),
        ("GetOAuthAuthorizationUrl", {"AuthMode": "FOO"}, "AuthMode"),
        ("GetOAuthAuthorizationUrl", {"Colour": "red"}, "CallbackUrl"),
        ("GetOAuthTokens", {}, "is not a valid stored procedure"),
    ],
)
def test_C25_C26_wrong_calls_send_nothing(
    world: World, name: str, arguments: dict[str, str | None], named: str
) -> None:
    with pytest.raises(AuthError, match=named) as caught:
        web(world).call(name, arguments)
    assert caught.value.kind == "programming"
    assert world.authority.requests == []


def test_C27_web_flow_needs_a_custom_app(world: World) -> None:
    connection = ConnectionAuth(world.provider(), ORG)
    for name, more in (("GetOAuthAuthorizationUrl", {}), ("GetOAuthAccessToken", {"Verifier": "c"})):
        with pytest.raises(AuthError, match="OAuthClientId") as caught:
            connection.call(name, {"AuthMode": "WEB", **more})
        assert caught.value.kind == "interface"
    assert world.authority.requests == []


def test_C15_off_without_a_token(world: World) -> None:
    connection = web(world)
    connection.open()
    with pytest.raises(AuthError, match="OAuthAccessToken is required"):
        connection.token()
    assert connection.call("GetAdminConsentURL", {}).row[0].startswith(world.authority.url)
    assert world.authority.requests == []


def test_connection_properties_give_the_tokens_back(world: World) -> None:
    first = ConnectionAuth(world.desktop(OAuthSettingsLocation="memory://props"), ORG)
    first.open()
    values = {name: str(value) for name, value in first.properties().items()}
    assert values["OAuthExpiresIn"] == "3600"
    assert values["OAuthTokenTimestamp"] == str(int(world.now * 1000))
    again = world.headless(OAuthSettingsLocation="memory://elsewhere", **values)
    assert again.token(ORG).value == values["OAuthAccessToken"]
    assert len(world.person.opened) == 1
    world.now += 7200
    assert again.token(ORG).value != values["OAuthAccessToken"]


def test_pkce_by_hand_travels_in_three_ways(world: World) -> None:
    """Pending record, sealed state, explicit CodeVerifier."""
    by_pending = web(world, OAuthSettingsLocation=world.file, CallbackURL=CALLBACK)
    url, verifier = by_pending.call("GetOAuthAuthorizationUrl", {"PKCE": "true", "State": "s1"}).row
    fields = world.person.code(url)
    elsewhere = web(world, OAuthSettingsLocation=world.file)
    elsewhere.call("GetOAuthAccessToken", {"Verifier": f"{CALLBACK}?code={fields['code']}&state=s1"})

    explicit = web(world, CallbackURL=CALLBACK)
    url, verifier = explicit.call("GetOAuthAuthorizationUrl", {"PKCE": "true"}).row
    code = world.person.code(url)["code"]
    web(world, CallbackURL=CALLBACK).call("GetOAuthAccessToken", {"Verifier": code, "CodeVerifier": str(verifier)})

    world.environ["DYNAMICS_OAUTH_PASSPHRASE"] = "correct horse"
    sealed = web(world, CallbackURL=CALLBACK)
    url = sealed.call("GetOAuthAuthorizationUrl", {"PKCE": "true"}).row[0]
    fields = world.person.code(url)
    assert fields["state"].startswith("1.")
    address = f"{CALLBACK}?code={fields['code']}&state={fields['state']}"
    web(world, CallbackURL=CALLBACK).call("GetOAuthAccessToken", {"Verifier": address})
    assert [entry.status for entry in world.tokens_sent()] == [200, 200, 200]
    assert all("code_verifier" in entry.parameters for entry in world.tokens_sent())


def test_the_table_of_procedures_is_complete() -> None:
    assert {item.name: item.outputs for item in PROCEDURES} == {
        "GetOAuthAuthorizationUrl": ("Url",),
        "GetOAuthAccessToken": ("OAuthAccessToken", "OAuthRefreshToken", "ExpiresIn"),
        "RefreshOAuthAccessToken": ("OAuthAccessToken", "OAuthRefreshToken", "ExpiresIn"),
        "GetAdminConsentURL": ("URL",),
    }
    assert EMBEDDED == "51f81489-12ee-4a9e-aaae-a2591f45987d"
