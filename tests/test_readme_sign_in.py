"""The README's sign-in examples run as they stand, against the sandbox and its sign-in service.

Only what nobody else has is put in its place: the organisation's host, the folder /srv/crm, the proxy. Login service,
certificate and a free port for the callback come from the environment; a person at a browser is played.
"""

from __future__ import annotations

import os
import re
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.dialects import registry

from sqlalchemy_dynamics.sandbox import Sandbox
from sqlalchemy_dynamics.sandbox.authority import Client
from sqlalchemy_dynamics.session import opening, signin
from tests.auth.plain import make_client
from tests.auth.support import EMBEDDED, Person, free_port
from tests.transport.peers import ConnectProxy, listener

TEXT = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("## Signing in") : TEXT.index("## How it is built")]
BLOCKS = re.findall(r"```python sign-in\n(.*?)```", SECTION, re.DOTALL)
ROWS = "SELECT name FROM account LIMIT 3"

registry.register("dynamics", "sqlalchemy_dynamics.dialect", "DynamicsDialect")


class Reader:
    """Somebody who copies the examples, one after the other, into one program."""

    def __init__(self, org: Sandbox, person: Person, folder: Path, proxy_port: int) -> None:
        self.org, self.person, self.port, self.proxy_port, self.folder = org, person, free_port(), proxy_port, folder
        self.names: dict[str, Any] = {"input": self._paste, "my_token": lambda scopes: org.access_token}

    def run(self, block: str) -> None:
        """Run one example in a process of its own, as far as sign-in goes."""
        opening._PROVIDERS.clear()
        self.names["request"] = SimpleNamespace(args=self._codes())
        exec(compile(self._at_home(block), "README.md", "exec"), self.names)

    def _codes(self) -> Any:
        reader = self

        class Args(dict[str, str]):
            def __missing__(self, name: str) -> str:
                return reader.person.code(reader.names["address"])[name]

        return Args()

    def _paste(self, prompt: str) -> str:
        print(prompt)
        fields = self.person.code(self._printed)
        return f"http://localhost/?code={fields['code']}"

    @property
    def _printed(self) -> str:
        from sqlalchemy import create_engine, text

        with create_engine(self.names["headless"]).connect() as connection:
            return str(connection.execute(text("EXEC GetOAuthAuthorizationUrl")).scalar_one())

    def _at_home(self, block: str) -> str:
        places = {
            "@contoso.crm.dynamics.com/": "@/",
            "//contoso.crm.dynamics.com/": "///",
            "/srv/crm": str(self.folder),
            '"http://localhost:33333"': f'"http://localhost:{self.port}"',
            '"proxy.contoso.com"': '"127.0.0.1"',
            "8080": str(self.proxy_port),
            '"me"': '"usér"',
            '"my password"': '"p:a@ss"',
        }
        for written, meant in places.items():
            block = block.replace(written, meant)
        return block


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    for name in [name for name in os.environ if name.startswith(("DYNAMICS_", "XDG_"))]:
        monkeypatch.delenv(name)
    proxy = ConnectProxy("Basic")
    with Sandbox(rows=10) as org, make_client(org.authority.ca_file) as client, listener(proxy) as proxy_port:
        authority = org.authority
        authority.consent = "grant"
        authority.add_client(Client(EMBEDDED, "Embedded application"))
        redirects = ("http://localhost", "https://app.example/cb")
        custom = "11111111-2222-4333-8444-555555555555"
        authority.add_client(Client(custom, "Custom application", redirects, ("the secret's value",)))
        reader = Reader(org, Person(client), tmp_path, proxy_port)
        reader.names["proxy"] = proxy
        monkeypatch.setattr(webbrowser, "open", reader.person)
        (tmp_path / "ca.pem").write_bytes(Path(authority.ca_file).read_bytes())
        for name, value in {
            "HOME": str(tmp_path / "home"),
            "BROWSER": "played",
            "DYNAMICS_ORGANIZATIONURL": org.url,
            "DYNAMICS_AUTHORITYURL": authority.url,
            "DYNAMICS_SSLSERVERCERT": authority.ca_file,
            "DYNAMICS_CALLBACKURL": f"http://localhost:{reader.port}",
        }.items():
            monkeypatch.setenv(name, value)
        yield reader
    opening._PROVIDERS.clear()


def test_the_sign_in_examples_run(reader: Reader) -> None:
    asked = 0
    for block in BLOCKS:
        reader.names.pop("accounts", None)
        reader.run(block)
        if ROWS in block:
            assert len(reader.names["accounts"]) == 3, block
            asked += 1
    assert len(BLOCKS) >= 12 and asked >= 9
    assert repr(reader.names["tokens"]) == "('***', '***', '3600')"
    assert reader.names["proxy"].seen and "eyJhbGciOi" not in (reader.folder / "driver.log").read_text()
    grants = [entry.grant for entry in reader.org.authority.requests if entry.path.endswith("/token")]
    assert {"authorization_code", "refresh_token", "client_credentials"} <= set(grants)


def test_what_the_section_names_is_there() -> None:
    anchors = set(re.findall(r"\]\(#([\w-]+)\)", SECTION))
    titles = {title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", SECTION, re.MULTILINE)}
    assert anchors and anchors <= titles
    assert EMBEDDED in SECTION


@pytest.mark.parametrize(
    ("message", "section"),
    [
        ("InitiateOAuth=REFRESH found no sign-in: set OAuthVerifier", "Headless machines"),
        ("check CallbackURL", "Creating a custom app"),
        ("the certificate is not trusted; set SSLServerCert", "Certificates"),
        ("the proxy wants ProxyUser", "Proxies"),
        ("OAuthSettingsPassphrase does not open it", "The settings file"),
        ("anything else", "Troubleshooting"),
    ],
)
def test_errors_name_a_section_that_exists(message: str, section: str) -> None:
    assert signin.with_reading(message).endswith(f"(README: Signing in, {section})")
    assert f"### {section}\n" in SECTION
