"""Every way in gives the same settings, the nearest wins, and what is wrong is named before anything is sent."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.settings import Settings, from_parts, from_string, from_url, to_url

HOST = "https://contoso.crm.dynamics.com"
LINES = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1)
MULTILINE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)


def read(url: str, **connect_args: object) -> Settings:
    return from_url(url, connect_args, environ={})


def by_sqlalchemy(text: str) -> Settings:
    url = make_url(text)
    return from_parts(url.host, url.port, url.username, url.password, url.query, database=url.database, environ={})


@pytest.mark.parametrize(
    "text",
    [
        "dynamics://contoso.crm.dynamics.com/?Tenant=a.example&Timeout=5",
        "dynamics://contoso.crm.dynamics.com:443/?tenant=a.example;TIMEOUT=5",
        "dynamics://CONTOSO.crm.dynamics.com?AzureTenant=a.example&timeout=5.0",
        "dynamics:///?OrganizationUrl=https://contoso.crm.dynamics.com;Tenant=a.example;Timeout=5",
        "dynamics:///?OrganizationURL=https%3A%2F%2Fcontoso.crm.dynamics.com%2F&Tenant=a.example&Timeout=5;",
        "dynamics+webapi:///?OrganizationUrl=https://contoso.crm.dynamics.com;Tenant=a.example&Timeout= 5",
    ],
)
def test_url_forms_agree(text: str) -> None:
    settings = read(text)
    assert (settings.organization_url, settings["Tenant"], settings["Timeout"]) == (HOST, "a.example", 5.0)
    assert by_sqlalchemy(text) == settings
    assert from_string(f"Organization Url={HOST};Tenant=a.example;Timeout=5", environ={}) == settings


@given(secret=ASCII, user=LINES, certificate=MULTILINE)
def test_every_character_survives_the_url(secret: str, user: str, certificate: str) -> None:
    settings = from_string(
        f"OrganizationUrl={HOST}",
        {
            "OAuthClientId": "id",
            "OAuthClientSecret": secret,
            "ProxyServer": "proxy.example",
            "ProxyUser": user,
            "SSLServerCert": certificate,
        },
        environ={},
    )
    url = to_url(settings)
    assert from_url(url, environ={}) == settings == by_sqlalchemy(url)
    assert from_url(url, environ={})["ProxyUser"] == user


@given(secret=ASCII)
def test_user_information_is_client_id_and_secret(secret: str) -> None:
    settings = read(f"dynamics://the%2Fid:{quote(secret, safe='')}@contoso.crm.dynamics.com/")
    assert (settings["OAuthClientId"], settings["OAuthClientSecret"]) == ("the/id", secret)


def test_user_information_is_user_and_password_under_that_scheme() -> None:
    settings = read("dynamics://ann%40example.org:p%40ss@contoso.crm.dynamics.com/?AuthScheme=password")
    assert (settings["User"], settings["Password"], settings["OAuthClientId"]) == ("ann@example.org", "p@ss", None)


def test_values_are_decoded_once_and_a_plus_is_a_blank() -> None:
    settings = read("dynamics://h.example/?ProxyServer=p&ProxyUser=a%2525b%2Bc+d")
    assert settings["ProxyUser"] == "a%25b+c d"


def test_nearest_wins() -> None:
    environ = {"DYNAMICS_TIMEOUT": "1", "DYNAMICS_PAGESIZE": "10", "DYNAMICS_AZURETENANT": "env.example"}
    settings = from_url("dynamics://h.example/?Timeout=2&PageSize=20", {"timeout": 3}, environ)
    assert (settings["Timeout"], settings["PageSize"], settings["Tenant"]) == (3.0, 20, "env.example")
    assert settings.sources["Timeout"] == "connect_args"
    assert settings.explicit("AzureTenant") and not settings.explicit("Verbosity")
    assert from_url("dynamics://h.example", {}, environ)["Timeout"] == 1.0


def test_the_environment_alone_is_enough() -> None:
    environ = {
        "DYNAMICS_ORGANIZATIONURL": HOST,
        "DYNAMICS_OAUTH_PASSPHRASE": "sesame open",
        "DYNAMICS_URL": "x",
        "A": "b",
    }
    settings = from_string("", environ=environ)
    assert settings.organization_url == HOST
    assert settings["OAuthSettingsPassphrase"] == "sesame open"


def test_connect_args_take_python_values(tmp_path: Path) -> None:
    settings = read(
        "dynamics://h.example",
        ReadOnly=True,
        PageSize=100,
        Timeout=0.5,
        Logfile=tmp_path / "a;b.log",
        Tenant=None,
        max_retries="2",
    )
    assert settings.flag("readonly") and settings.number("PageSize") == 100 and settings.seconds("Timeout") == 0.5
    assert settings.text("Logfile") == str(tmp_path / "a;b.log") and settings.number("MaxRetries") == 2
    assert settings["Tenant"] is None


def test_the_sandbox_and_its_options() -> None:
    settings = read("dynamics://sandbox/?rows=5&fault=429:%253&fault=drop:0.1&Timeout=2")
    assert settings.is_sandbox and settings.sandbox_options == {"rows": 5, "fault": ("429:%3", "drop:0.1")}
    assert by_sqlalchemy("dynamics://sandbox/?rows=5&fault=429:%253&fault=drop:0.1&Timeout=2") == settings
    assert from_url(to_url(settings), environ={}) == settings
    assert settings != read("dynamics://sandbox/?rows=6&Timeout=2") and settings.fingerprint
    assert from_url("dynamics://sandbox", environ={"DYNAMICS_ORGANIZATIONURL": HOST}).organization_url == ""
    assert not read("dynamics://sandbox:8443").is_sandbox


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dynamics://h.example/?Timout=5", "Timout is no connection property; did you mean Timeout?"),
        ("dynamics://h.example/?Colour=5", "Colour is no connection property"),
        ("dynamics://h.example/?OAuthClientSecret=can;ary=x", "what follows OAuthClientSecret is no"),
        ("dynamics://h.example/?Timeout=soon", "Timeout: expected seconds"),
        ("dynamics://h.example/?Timeout=-1", "Timeout: expected seconds"),
        ("dynamics://h.example/?PageSize=0", "PageSize: expected a whole number from 1 to 5000"),
        ("dynamics://h.example/?Verbosity=6", "Verbosity: expected a whole number from 1 to 5"),
        ("dynamics://h.example/?ReadOnly=perhaps", "ReadOnly: expected true or false"),
        ("dynamics://h.example/?MaxLogFileSize=big", "MaxLogFileSize: expected a size"),
        ("dynamics://h.example/?InitiateOAuth=ALWAYS", "InitiateOAuth: expected one of OFF, REFRESH, GETANDREFRESH"),
        ("dynamics://h.example/?Tenant=a&AzureTenant=b", "Tenant is given twice"),
        ("dynamics://h.example/?OrganizationUrl=https://other.example", "OrganizationUrl is given twice"),
        ("dynamics://h.example/accounts", "the URL: a path is not allowed"),
        ("dynamics://h.example/?rows=5", "rows is an option of dynamics://sandbox only"),
        ("dynamics://sandbox/?rows=many", "rows: expected a whole number"),
        ("dynamics://sandbox/?OrganizationUrl=https://h.example", "OrganizationUrl cannot be set for"),
        ("dynamics:///", "OrganizationUrl is not set"),
        ("dynamics:///?OrganizationUrl=http://h.example", "OrganizationUrl: http is allowed for loopback"),
        ("dynamics:///?OrganizationUrl=ftp://h.example", "OrganizationUrl: expected a URL"),
        ("dynamics:///?OrganizationUrl=https://h.example/api", "OrganizationUrl: expected https://host"),
        ("dynamics:///?OrganizationUrl=https://a:b@h.example", "OrganizationUrl: expected https://host"),
        ("dynamics:///?OrganizationUrl=https://h.example:99999", "OrganizationUrl: expected a URL"),
        ("dynamics:///?OrganizationUrl=https://h.example%0d%0aX:y", "OrganizationUrl: expected a URL"),
        ("dynamics://h.example/?OAuthAccessToken=a%0d%0ab", "OAuthAccessToken: line breaks"),
        ("dynamics://h.example/?OAuthAccessToken=%C3%A4", "OAuthAccessToken must be"),
        ("dynamics://h.example/?ProxyUser=a%00b", "ProxyUser: line breaks"),
        ("dynamics://h.example/?SSLServerCert=a%00b", "SSLServerCert: the NUL"),
        ("dynamics://h.example/?Tenant=a%20b", "Tenant must be"),
        ("dynamics://h.example/?OAuthClientSecret=x", "OAuthClientSecret is set without OAuthClientId"),
        ("dynamics://h.example/?ProxyAutoDetect=true&ProxyServer=p", "ProxyAutoDetect=true would ignore ProxyServer"),
        ("dynamics://h.example/?Timeout", "the URL: expected Name=Value"),
        ("mysql://h.example", "the URL must look like"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(InterfaceError) as caught:
        read(text)
    assert str(caught.value).startswith(message)


def test_a_wrong_kind_of_object_is_named() -> None:
    with pytest.raises(InterfaceError, match="PageSize: expected text, a number or a truth value, not list"):
        read("dynamics://h.example", PageSize=[1])


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost/", "http://localhost"),
        ("http://[::1]:81", "http://[::1]:81"),
        ("https://Contoso.CRM.dynamics.com:443/", HOST),
    ],
)
def test_organization_urls_have_one_spelling(written: str, shown: str) -> None:
    assert read(f"dynamics:///?OrganizationUrl={written}").organization_url == shown
