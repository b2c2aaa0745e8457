"""What the sign-in tests' worker processes need, too: HTTP over httpx, a log, threads. Loads no sandbox."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from dynamics_auth.ports import Reply, TransportError
from dynamics_auth.redaction import Redactor

ORG = "https://contoso.crm.dynamics.com"


def make_client(ca_file: str) -> httpx.Client:
    """A client that trusts that CA and no environment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca_file)
    return httpx.Client(verify=context, trust_env=False)


class HttpxPort:
    """The HttpPort of these tests. `organisation` answers for hosts that are no login service."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
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


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """Run `work` in that many threads at once; results or exceptions."""
    gate = threading.Barrier(count)
    results: list[Any] = []

    def run() -> None:
        gate.wait()
        try:
            results.append(work())
        except Exception as error:  # a result like others
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
