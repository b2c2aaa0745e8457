"""What the sign-in tests share: HTTP over httpx, a person at a browser, a log, the sandbox's authority."""

from __future__ import annotations

import html
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from dynamics_auth.ports import Ports, Reply, TransportError
from dynamics_auth.properties import EMBEDDED_CLIENT_ID
from dynamics_auth.provider import TokenProvider
from dynamics_auth.redaction import Redactor
from dynamics_auth.settings import AuthSettings

from sqlalchemy_dynamics.sandbox.authority import Authority, Client, Entry

ORG = "https://contoso.crm.dynamics.com"
EMBEDDED = EMBEDDED_CLIENT_ID
CUSTOM = "11111111-2222-4333-8444-555555555555"
SECRET = "se+cret/with=odd&chars% "


class HttpxPort:
    """The HttpPort of these tests. `organisation` answers for hosts that are no login service."""

    def __init__(self, ca_file: str | None = None) -> None:
        context = ssl.create_default_context(cafile=ca_file)
        self.client = httpx.Client(verify=context, trust_env=False)
        self.organisation: Callable[[str], Reply] | None = None
        self.urls: list[str] = []

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: float | None
    ) -> Reply:
        self.urls.append(url)
        if self.organisation and ".dynamics.com/" in url:
            return self.organisation(url)
        try:
            answer = self.client.request(
                method, url, headers=dict(headers), content=body, timeout=timeout, follow_redirects=False
            )
        except httpx.ConnectError as error:
            raise TransportError(f"cannot connect: {type(error).__name__}", sent=False) from None
        except httpx.HTTPError as error:
            raise TransportError(f"connection lost: {type(error).__name__}") from None
        return Reply(answer.status_code, dict(answer.headers), answer.content)


@dataclass
class Log:
    """A Logger that keeps what it is told, redacted."""

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    redactor: Redactor = field(default_factory=Redactor)

    def log(self, level: int, message: str) -> None:
        self.lines.append(f"{level} {self.redactor.clean(message)}")

    def warn(self, message: str) -> None:
        self.warnings.append(self.redactor.clean(message))

    def learn(self, *secrets: str) -> None:
        self.redactor.learn(*secrets)

    def clean(self, text: str) -> str:
        return self.redactor.clean(text)


class Person:
    """Somebody at a browser: follows the sign-in page, optionally changing the answer on its way to the callback."""

    def __init__(self, ca_file: str) -> None:
        self.client = httpx.Client(verify=ssl.create_default_context(cafile=ca_file), trust_env=False)
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
            return httpx.get(address, params=changed, trust_env=False)
        return httpx.post(address, data=changed, trust_env=False)

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


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """Run `work` in that many threads at once; results or exceptions."""
    gate = threading.Barrier(count)
    results: list[Any] = []

    def run() -> None:
        gate.wait()
        try:
            results.append(work())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
