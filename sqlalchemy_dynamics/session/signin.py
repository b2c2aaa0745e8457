"""The sign-in of dynamics_auth plugged in: our transport as its HTTP, our log, our errors."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dynamics_auth.connection import ConnectionAuth
from dynamics_auth.failures import AuthError
from dynamics_auth.ports import Browser, Ports, Reply, TransportError, open_browser
from dynamics_auth.procedures import ProcedureResult
from dynamics_auth.provider import TokenProvider
from dynamics_auth.settings import AuthSettings
from sqlalchemy_dynamics.errors import AuthenticationError, Error, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.settings import Settings
from sqlalchemy_dynamics.settings.properties import SIGN_IN_NAMES
from sqlalchemy_dynamics.transport.client import Transport, open_transport
from sqlalchemy_dynamics.transport.tracing import REDACTOR, Trace

__all__ = ["SignIn", "mapped", "open_provider", "with_reading"]

_ERRORS: Mapping[str, type[Error]] = {
    "interface": InterfaceError,
    "operational": AuthenticationError,  # no token could be had, be it for the network's sake
    "authentication": AuthenticationError,
    "programming": ProgrammingError,
}


_SECTIONS = (
    (("SSLServerCert",), "Certificates"),
    (("ProxyUser", "ProxyServer", "Firewall"), "Proxies"),
    (("OAuthSettings", "DYNAMICS_OAUTH_"), "The settings file"),
    (("OAuthVerifier", "browser"), "Headless machines"),
    (("CallbackURL", "OAuthClient", "Tenant", "consent"), "Creating a custom app"),
)
"""What a message names, and the section of the README that tells more."""


def with_reading(message: str) -> str:
    """The message of an error, and where to read on."""
    found = (section for names, section in _SECTIONS if any(name in message for name in names))
    return f"{message} (README: Signing in, {next(found, 'Troubleshooting')})"


@contextmanager
def mapped() -> Iterator[None]:
    """Turn an AuthError into ours; it stays the cause and keeps its codes, without its frames."""
    try:
        yield
    except AuthError as error:
        text = str(error) if error.kind == "programming" else with_reading(str(error))
        raise _ERRORS[error.kind](text) from error.with_traceback(None)


class SignIn:
    """Sign-in as one connection sees it; tokens that a procedure got under InitiateOAuth=OFF are its own."""

    def __init__(self, provider: TokenProvider, organization_url: str) -> None:
        with mapped():
            self._auth = ConnectionAuth(provider, organization_url)

    def open(self) -> None:
        """Sign in under GETANDREFRESH when no token is at hand; nothing otherwise. Raises AuthenticationError."""
        with mapped():
            self._auth.open()

    def token(self, refused: str | None, claims: str | None) -> str:
        """The token of the next request. Raises AuthenticationError saying what to set."""
        with mapped():
            return self._auth.token(force=refused is not None, claims=claims, refused=refused).value

    def call(self, name: str, arguments: Mapping[str, str | None]) -> ProcedureResult:
        """Run a stored procedure of sign-in."""
        with mapped():
            return self._auth.call(name, arguments)

    def properties(self) -> dict[str, str]:
        """The tokens as they are now, masked in their repr, for ``sys_connection_props``."""
        return self._auth.properties()


def open_provider(
    settings: Settings,
    transport: Transport,
    credential: object = None,
    store: Any = None,
    browser: Browser = open_browser,
) -> TokenProvider:
    """The provider of these settings; sends and opens nothing."""
    explicit = {name: settings[name] for name in SIGN_IN_NAMES if settings.explicit(name)}
    ports = Ports(
        http=_Http(lambda: transport),
        direct_http=_Http(lambda: open_transport(settings, direct=True)),
        clock=time.time,
        browser=browser,
        logger=_Log(transport.trace),
        environ=os.environ,
        timeout=settings.seconds("Timeout") or None,
    )
    with mapped():
        return TokenProvider(AuthSettings.from_mapping(explicit), ports, store=store, credential=credential)


class _Http:
    """dynamics_auth's HttpPort over a transport."""

    def __init__(self, transport: Callable[[], Transport]) -> None:
        self._open = transport

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: float | None
    ) -> Reply:
        try:
            reply = self._open().send(HttpRequest(method, url, dict(headers), body), total=timeout)
        except (OperationalError, InterfaceError) as error:
            maybe_sent = not isinstance(error, InterfaceError)
            permanent = not maybe_sent or getattr(error, "permanent", False)
            raise TransportError(str(error), sent=getattr(error, "sent", maybe_sent), permanent=permanent) from None
        return Reply(reply.status, reply.headers, reply.body)


class _Log:
    """dynamics_auth's Logger over our log."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def log(self, level: int, message: str) -> None:
        self._trace.log(level, "AUTH", message)

    def warn(self, message: str) -> None:
        self._trace.log(1, "AUTH", message)

    def learn(self, *secrets: str) -> None:
        REDACTOR.learn(*secrets)

    def clean(self, text: str) -> str:
        return REDACTOR.clean(text)
