"""What the sign-in tests share: HTTP over httpx, a person at a browser, a log, the sandbox's authority."""

from __future__ import annotations

import html
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from dynamics_auth.ports import Ports
from dynamics_auth.properties import EMBEDDED_CLIENT_ID
from dynamics_auth.provider import TokenProvider
from dynamics_auth.settings import AuthSettings
from sqlalchemy_dynamics.sandbox.authority import Authority, Client, Entry
from tests.auth.plain import ORG, HttpxPort, Log, in_threads

__all__ = [
    "CUSTOM",
    "EMBEDDED",
    "ORG",
    "SECRET",
    "HttpxPort",
    "Log",
    "Person",
    "World",
    "add_apps",
    "free_port",
    "in_threads",
]

EMBEDDED = EMBEDDED_CLIENT_ID
CUSTOM = "11111111-2222-4333-8444-555555555555"
SECRET = "se+cret/with=odd&chars% "


class Person:
    """Somebody at a browser: follows the sign-in page, optionally changing the answer on its way to the callback."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.opened: list[str] = []
        self.pages: list[httpx.Response] = []
        self.change: Callable[[dict[str, str]], dict[str, str]] = lambda fields: fields
        self.by_get = False

    def __call__(self, url: str, /) -> bool:
        self.opened.append(url)
        self.pages.append(self.answer(*self.visit(url)))
        return True

    def visit(self, url: str) -> tuple[str, dict[str, str]]:
        """Sign in; the callback's address and the fields that go to it."""
        page = self.client.get(url)
        if page.is_redirect:
            target = httpx.URL(page.headers["location"])
            return str(target.copy_with(query=None)), dict(target.params)
        action = re.search(r'action="([^"]+)"', page.text)
        fields = re.findall(r'name="([^"]+)" value="([^"]*)"', page.text)
        assert action, page.text
        return html.unescape(action[1]), {name: html.unescape(value) for name, value in fields}

    def answer(self, address: str, fields: dict[str, str]) -> httpx.Response:
        changed = self.change(fields)
        if self.by_get:
            return self.client.get(address, params=changed)
        return self.client.post(address, data=changed)

    def code(self, url: str) -> dict[str, str]:
        """Sign in on another machine: the fields of the address the browser ended on."""
        return self.visit(url)[1]


def free_port() -> int:
    """A loopback port that nobody listens on, in neither family."""
    with socket.socket(socket.AF_INET) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class World:
    """One test's surroundings: login service, folder, clock, person, log."""

    authority: Authority
    http: HttpxPort
    person: Person
    folder: Path
    log: Log = field(default_factory=Log)
    now: float = 1_800_000_000.0
    prompts: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.authority.clock = lambda: self.now
        self.environ = {"HOME": str(self.folder / "home")}
        self.callback = f"http://localhost:{self.port}"

    @property
    def file(self) -> str:
        return str(self.folder / "OAuthSettings.txt")

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def ports(self, **changes: Any) -> Ports:
        made = Ports(
            http=self.http,
            direct_http=self.http,
            clock=lambda: self.now,
            sleep=self.sleep,
            browser=self.person,
            prompt=self.prompts.append,
            logger=self.log,
            environ=self.environ,
        )
        return replace(made, **changes)

    def settings(self, **properties: Any) -> AuthSettings:
        given = {
            "AuthorityUrl": self.authority.url,
            "CallbackURL": self.callback,
            "OAuthSettingsLocation": self.file,
            **properties,
        }
        return AuthSettings.from_mapping(given)

    def provider(self, **properties: Any) -> TokenProvider:
        """A new provider, as a new process would make it."""
        ports = properties.pop("ports", None) or self.ports()
        extra = {name: properties.pop(name) for name in ("store", "credential") if name in properties}
        return TokenProvider(self.settings(**properties), ports, **extra)

    def desktop(self, **properties: Any) -> TokenProvider:
        return self.provider(InitiateOAuth="GETANDREFRESH", **properties)

    def headless(self, **properties: Any) -> TokenProvider:
        return self.provider(InitiateOAuth="REFRESH", **properties)

    def tokens_sent(self) -> list[Entry]:
        """The requests to the token endpoint so far."""
        return [entry for entry in self.authority.requests if entry.path.rstrip("/").endswith("/token")]

    def grants(self) -> list[str]:
        return [entry.grant for entry in self.tokens_sent()]


def add_apps(authority: Authority) -> None:
    """Register the embedded public application and a custom one."""
    authority.add_client(Client(EMBEDDED, "Embedded application"))
    redirects = ("http://localhost", "http://localhost/cb", "https://app.example/cb")
    authority.add_client(Client(CUSTOM, "Custom application", redirects, (SECRET,)))
