"""What the house (or a test) gives this package: HTTP, time, randomness, a browser, a person, a log."""

from __future__ import annotations

import logging
import os
import sys
import time
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dynamics_auth.redaction import Redactor

__all__ = [
    "Browser",
    "Clock",
    "HttpPort",
    "Logger",
    "Ports",
    "Prompt",
    "Random",
    "Reply",
    "Sleeper",
    "StandardLogger",
    "TransportError",
    "no_browser",
    "open_browser",
]


@dataclass(frozen=True)
class Reply:
    """One HTTP reply: complete, decompressed. A redirect is a reply like any other and is never followed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """The header of that name in any case, or an empty text."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")


class TransportError(OSError):
    """No reply came. `sent` is False when the request surely never left (DNS, connect, TLS, proxy); `permanent` says
    that trying again cannot help (a certificate that is not trusted, a proxy that refuses)."""

    def __init__(self, message: str, *, sent: bool = True, permanent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.permanent = permanent


class HttpPort(Protocol):
    """Sends one request over the house's proxies and certificates."""

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: float | None
    ) -> Reply:
        """Return the reply of any status. `timeout` bounds the whole exchange in seconds, None is endless.

        Raises TransportError when there is no reply; its text must not hold headers or the body.
        """


class Clock(Protocol):
    """Epoch seconds."""

    def __call__(self) -> float: ...


class Sleeper(Protocol):
    """Waits that many seconds."""

    def __call__(self, seconds: float, /) -> None: ...


class Random(Protocol):
    """That many bytes nobody can guess."""

    def __call__(self, count: int, /) -> bytes: ...


class Browser(Protocol):
    """Shows the URL to the person. False: there is no browser here. It may block."""

    def __call__(self, url: str, /) -> bool: ...


class Prompt(Protocol):
    """Tells the person something that must be read now: a URL to open, a device code."""

    def __call__(self, text: str, /) -> None: ...


class Logger(Protocol):
    """`level` is a Verbosity of 1 to 5; `learn` names a value that must never be written; `clean` masks those."""

    def log(self, level: int, message: str) -> None: ...
    def warn(self, message: str) -> None: ...
    def learn(self, *secrets: str) -> None: ...
    def clean(self, text: str) -> str: ...


class StandardLogger:
    """Writes to the logger ``dynamics_auth``, redacted, for use without the house."""

    def __init__(self) -> None:
        self._logger = logging.getLogger("dynamics_auth")
        self._redactor = Redactor()

    def log(self, level: int, message: str) -> None:
        """Level 1 and 2 are INFO, everything above DEBUG."""
        self._logger.log(logging.INFO if level <= 2 else logging.DEBUG, "%s", self._redactor.clean(message))

    def warn(self, message: str) -> None:
        """A warning for the operator."""
        self._logger.warning("%s", self._redactor.clean(message))

    def learn(self, *secrets: str) -> None:
        """Mask these values from now on."""
        self._redactor.learn(*secrets)

    def clean(self, text: str) -> str:
        """The text with every known or suspected secret masked."""
        return self._redactor.clean(text)


def open_browser(url: str) -> bool:
    """Open the system's browser; False at once where there is no desktop to show it on."""
    desktop = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in desktop):
        return False
    return webbrowser.open(url)


def no_browser(url: str) -> bool:
    """For ``login --no-browser``: the person opens the printed URL, so keep waiting."""
    return True


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class NoHttp:
    """Stands in until the house gives its own."""

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: float | None
    ) -> Reply:
        """Always raises: no transport was given."""
        raise TransportError("no HTTP transport was given to dynamics_auth", sent=False)


@dataclass(frozen=True)
class Ports:
    """Everything with a side effect. `direct_http` never uses a proxy (managed identity); `timeout` per request."""

    http: HttpPort = field(default_factory=NoHttp)
    direct_http: HttpPort | None = None
    clock: Clock = time.time
    sleep: Sleeper = time.sleep
    random: Random = os.urandom
    browser: Browser = open_browser
    prompt: Prompt = _print
    logger: Logger = field(default_factory=StandardLogger)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    timeout: float | None = 60.0
