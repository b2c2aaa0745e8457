"""Headless: a code from another machine, or its settings file (scenarios H)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sqlalchemy_dynamics.errors import AuthenticationError, OperationalError
from tests.scenarios.office import CUSTOM, EMBEDDED, SECRET, Office

SEED_URL = "/common/oauth2/authorize?"


def seed_code(office: Office) -> str:
    """The code behind the seed's own address, put together by hand."""
    fields = {
        "resource": office.org.url,
        "client_id": EMBEDDED,
        "response_type": "code",
        "redirect_uri": office.callback,
    }
    return office.person.code(office.org.authority.url + SEED_URL + urlencode(fields))["code"]


def code_of(office: Office, **given: Any) -> str:
    url = office.call("EXEC GetOAuthAuthorizationUrl", **{"InitiateOAuth": "OFF", **given})["Url"]
    return office.person.code(url)["code"]


def test_H1_H2_the_seeds_own_address_and_a_verifier(office: Office) -> None:
    assert office.count(InitiateOAuth="REFRESH", OAuthVerifier=seed_code(office)) == 30
    assert office.person.opened == [] and set(office.grants()) == {"authorization_code"}
    assert b"eyJhbGciOi" not in Path(office.file).read_bytes()


@pytest.mark.parametrize("initiate", ["REFRESH", "GETANDREFRESH"])
def test_H2_verifier_exchange(office: Office, initiate: str) -> None:
    code = code_of(office, OAuthSettingsLocation=None)
    assert office.count(InitiateOAuth=initiate, OAuthVerifier=code) == 30
    (exchange,) = office.token_requests()
    assert "client_secret" not in exchange.parameters and "code_verifier" not in exchange.parameters
    assert office.count(InitiateOAuth=initiate, OAuthVerifier=code) == 30, "H2c: the same string again"
    assert office.grants() == ["authorization_code"] and office.person.opened == []


def test_H2d_the_whole_address_is_taken(office: Office) -> None:
    address = f"{office.callback}/?{urlencode({'code': code_of(office), 'session_state': 'x y'})}"
    assert office.count(InitiateOAuth="REFRESH", OAuthVerifier=address) == 30


def test_H3_connects_from_the_file_and_never_opens_a_browser(office: Office) -> None:
    office.count(InitiateOAuth="REFRESH", OAuthVerifier=code_of(office))
    assert office.count(**office.bare()) == 30
    office.later(7200)
    assert office.count(**office.bare()) == 30
    assert office.grants() == ["authorization_code", "refresh_token"] and office.person.opened == []


WAYS = ("passphrase", "key_file", "keyless")


def moved(office: Office, way: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The other machine: the file in another place with other line ends, another home; its three properties."""
    old, new = office.folder / "home", office.folder / "other home"
    target = office.folder / "there.txt"
    target.write_bytes(Path(office.file).read_bytes().replace(b"\n", b"\r\n"))
    target.chmod(0o600)
    monkeypatch.setenv("HOME", str(new))
    if way == "key_file":
        key = ".config/sqlalchemy-dynamics/oauth.key"
        (new / key).parent.mkdir(parents=True)
        shutil.copy2(old / key, new / key)
    return office.bare(OAuthSettingsLocation=str(target))


def prepared(way: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    if way == "passphrase":
        monkeypatch.setenv("DYNAMICS_OAUTH_PASSPHRASE", "correct horse battery staple")
    return {"OAuthSettingsProtection": "PERMISSIONS"} if way == "keyless" else {}


@pytest.mark.parametrize("way", WAYS)
def test_H4_transfer_of_settings_embedded_app(office: Office, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    office.count(InitiateOAuth="GETANDREFRESH", **prepared(way, monkeypatch))
    there = moved(office, way, monkeypatch)
    before = Path(there["OAuthSettingsLocation"]).read_bytes()
    assert office.count(**there) == 30
    office.later(7200)
    assert office.count(**there) == 30
    assert office.grants() == ["authorization_code", "refresh_token"] and len(office.person.opened) == 1
    assert Path(there["OAuthSettingsLocation"]).read_bytes() != before


def test_H4_without_the_key_the_error_says_what_opens_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.count(InitiateOAuth="GETANDREFRESH")
    there = moved(office, "none", monkeypatch)
    with office.connect(**there) as connection, pytest.raises(OperationalError, match="DYNAMICS_OAUTH_PASSPHRASE"):
        connection.ping()
    assert len(office.person.opened) == 1


def test_H5_H6a_custom_app_with_everything_given_again(office: Office) -> None:
    code = code_of(office, **office.custom, OAuthSettingsLocation=None)
    assert office.count(InitiateOAuth="REFRESH", OAuthVerifier=code, **office.custom) == 30
    assert "client_secret" in office.token_requests()[0].parameters


def test_H6b_custom_app_with_the_seeds_properties_only(office: Office) -> None:
    code = code_of(office, **office.custom)
    assert office.count(**office.bare(OAuthVerifier=code)) == 30
    assert office.grants() == ["authorization_code"]


def test_H6c_neither_given_nor_begun(office: Office) -> None:
    code = code_of(office, **office.custom, OAuthSettingsLocation=None)
    connection = office.connect(InitiateOAuth="REFRESH", OAuthVerifier=code)
    with connection, pytest.raises(AuthenticationError, match="another OAuthClientId / CallbackURL"):
        connection.ping()
    assert not Path(office.file).exists()


def test_H7_custom_app_connects_from_the_file(office: Office) -> None:
    code = code_of(office, **office.custom)
    office.count(**office.bare(OAuthVerifier=code))
    office.later(7200)
    assert office.count(**office.bare()) == 30
    assert "client_secret" in office.token_requests()[-1].parameters


@pytest.mark.parametrize("way", WAYS)
def test_H8_transfer_of_settings_custom_app(office: Office, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    office.count(InitiateOAuth="GETANDREFRESH", **office.custom, **prepared(way, monkeypatch))
    content = Path(office.file).read_bytes()
    assert CUSTOM.encode() not in content and SECRET.encode() not in content
    there = moved(office, way, monkeypatch)
    office.later(7200)
    assert office.count(**there) == 30
    assert office.grants() == ["authorization_code", "refresh_token"]
    assert "client_secret" in office.token_requests()[-1].parameters


def test_H9_there_is_no_display(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(OperationalError, match=r"no browser on this machine.*OAuthVerifier"):
        office.connect(InitiateOAuth="GETANDREFRESH")
    assert office.person.opened == [] and office.grants() == []
