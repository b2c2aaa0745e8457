"""The package as such: its floors, what importing it loads, its tables, its redactor."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import dynamics_auth
from dynamics_auth.failures import AuthError, SignInTimeout, StoreWrongKey
from dynamics_auth.ports import open_browser
from dynamics_auth.properties import DEFAULT_CALLBACK, PROPERTIES, PropertyKind, canonical
from dynamics_auth.redaction import Redactor, one_line
from dynamics_auth.settings import _FIELDS, AuthSettings

FOLDER = Path(dynamics_auth.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))


def imports(path: Path) -> set[str]:
    """The top-level modules a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_floors(path: Path) -> None:
    used = imports(path)
    assert "sqlalchemy_dynamics" not in used and "httpx" not in used
    assert ("cryptography" in used) == (path.stem == "crypto")
    assert ("sqlalchemy" in used) == (path.stem == "table_store")
    assert ("msal" in used) == (path.stem == "msal_guard")
    assert not {"socket", "socketserver", "http"} & used or path.stem == "listener"
    assert path.stem not in sys.stdlib_module_names
    assert len(path.read_text().splitlines()) <= 260


WITHOUT = """
import sys
for name in ("sqlalchemy", "msal", "requests", "keyring"):
    sys.modules[name] = None
import dynamics_auth
from dynamics_auth import PROCEDURES, ConnectionAuth, AuthSettings, TokenProvider
settings = AuthSettings.from_mapping({"OAuthAccessToken": "opaque"})
connection = ConnectionAuth(TokenProvider(settings), "https://contoso.crm.dynamics.com")
assert connection.token().value == "opaque"
assert "http.server" not in sys.modules
print(connection.call("GetOAuthAuthorizationUrl", {}).row[0])
"""


def test_works_without_sqlalchemy_and_loads_msal_only_to_sign_in() -> None:
    out = subprocess.run([sys.executable, "-c", WITHOUT], cwd=FOLDER.parent, capture_output=True, text=True, check=True)
    assert out.stdout.startswith("https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=51f81489")


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import sys, dynamics_auth; print([n for n in sys.modules if n.startswith('dynamics_auth.')])"
    out = subprocess.run([sys.executable, "-c", code], cwd=FOLDER.parent, capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"
    assert all(getattr(dynamics_auth, name) for name in dynamics_auth.__all__)
    with pytest.raises(AttributeError):
        dynamics_auth.nothing  # noqa: B018 - reading it is what is tried


def test_the_table_of_properties() -> None:
    assert set(_FIELDS) == {row.name for row in PROPERTIES}
    assert len({name.lower() for row in PROPERTIES for name in (row.name, *row.aliases)}) == len(PROPERTIES) + 1
    for row in PROPERTIES:
        assert row.doc.endswith(".") and row.kind in get_args(PropertyKind)
        assert bool(row.allowed) == (row.kind == "choice")
        assert not row.default or row.default.isdigit() or row.default in row.allowed
    tenant = canonical("AZURETENANT")
    assert tenant is not None and tenant.name == "Tenant"
    assert canonical("Timeout") is None
    assert DEFAULT_CALLBACK == "http://localhost:33333"


def test_defaults_of_the_table_are_those_of_the_settings() -> None:
    plain = AuthSettings.from_mapping({})
    for row in PROPERTIES:
        if row.default:
            assert str(getattr(plain, _FIELDS[row.name])) == row.default
        elif _FIELDS[row.name] != "grant_type":
            assert getattr(plain, _FIELDS[row.name]) is None
    assert AuthSettings.from_mapping({row.name: row.default for row in PROPERTIES}) == plain


def test_settings_ignore_what_is_not_theirs_and_mask_what_is_secret() -> None:
    settings = AuthSettings.from_mapping(
        {"tenant": "contoso.com", "TIMEOUT": 5, "oauthclientid": "abc", "OAuthClientSecret": "hidden", "User": None}
    )
    assert (settings.tenant, settings.client_id, settings.user) == ("contoso.com", "abc", None)
    assert "hidden" not in repr(settings) and settings.secrets() == ("hidden",)


@pytest.mark.parametrize(("name", "value"), [("OAuthExpiresIn", "x"), ("OAuthTokenTimestamp", "-1"), ("Prompt", "x")])
def test_settings_name_the_property(name: str, value: str) -> None:
    with pytest.raises(AuthError, match=name):
        AuthSettings.from_mapping({name: value})


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefghijkl",
        "proxy-authorization: Basic dXNlcjpwYXNzd29yZA==",
        '{"access_token": "abcdefghijkl", "x": 1}',
        '{"refresh_token": "abcdefghijkl',
        "client_secret=abcdefghijkl&grant_type=x",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln",
        "http://user:abcdefghijkl@proxy:3128/",
        "https://app/cb?code=abcdefghijkl&state=abcdefghijkl",
        "known abcdefghijkl value",
    ],
)
def test_the_redactor(text: str) -> None:
    redactor = Redactor()
    if text.startswith("known"):
        redactor.learn("abcdefghijkl", "", "of")
    cleaned = redactor.clean(text)
    assert "abcdefghijkl" not in cleaned and "dXNl" not in cleaned and "eyJ" not in cleaned
    assert "***" in cleaned
    assert redactor.clean("a plain sentence of words") == "a plain sentence of words"


def test_foreign_text_becomes_one_line() -> None:
    assert one_line(" a\r\nb\x00c\u2028d ") == "a b c d"
    assert len(one_line("x" * 1000)) == 500


def test_errors_survive_pickling() -> None:
    import pickle

    for kind in (AuthError, SignInTimeout, StoreWrongKey):
        error = kind("text", "authentication", error="invalid_grant", error_codes=(70008,), needs_sign_in=True)
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind and vars(again) == vars(error) and again.args == ("text",)
        assert again.oauth_error == "invalid_grant"


def test_no_desktop_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    opened: list[str] = []

    def browse(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", browse)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not open_browser("https://x") and opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    assert open_browser("https://x") and opened == ["https://x"]
