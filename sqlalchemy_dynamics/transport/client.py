"""Settings in, a pool of connections out that sends one request and returns its complete reply, or raises."""

from __future__ import annotations

import os
import re
import ssl
import time
import warnings
import weakref
from contextlib import closing
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import NoReturn

import httpcore
import httpx

from sqlalchemy_dynamics.errors import InterfaceError, OperationalError
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.settings import Settings
from sqlalchemy_dynamics.transport.body import BodyError, read_body
from sqlalchemy_dynamics.transport.failures import ConnectionLost, TimedOut
from sqlalchemy_dynamics.transport.routes import Route, open_route
from sqlalchemy_dynamics.transport.streams import BoundedBackend, deadline
from sqlalchemy_dynamics.transport.tls import open_contexts
from sqlalchemy_dynamics.transport.tracing import Trace, open_trace
from sqlalchemy_dynamics.transport.tunnels import ProxyBackend

__all__ = ["Transport", "open_transport"]

_LARGEST_BODY = 1 << 30
_LONGEST_CONNECT = 30.0
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_FORBIDDEN = "the URL or a header of the request holds what HTTP does not allow"
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class _Untrusted(ConnectionLost):
    """The machine does not trust the server's certificate."""


def open_transport(settings: Settings, *, direct: bool = False) -> Transport:
    """Build a pool for these settings; sends nothing. Raises InterfaceError naming a wrong property.

    `direct` leaves every proxy out, for addresses that only this machine can reach.
    """
    return Transport(settings, open_trace(settings), (lambda host, port: None) if direct else open_route(settings))


class Transport:
    """Sends requests with absolute URLs. Follows no redirect, keeps no cookie, repeats nothing. Thread-safe."""

    def __init__(self, settings: Settings, trace: Trace, route: Route) -> None:
        self.trace = trace
        self._contexts = open_contexts(settings)
        self._route = route
        self._timeout = settings.seconds("Timeout")
        self._total = settings.seconds("TotalTimeout")
        self._any_certificate = settings.text("SSLServerCert").strip() == "*"
        self._pinned_hosts: set[str] = set()
        self._open()
        if self._contexts.warning:
            trace.log(1, "SSL", self._contexts.warning)
            warnings.warn(self._contexts.warning, UserWarning, stacklevel=3)

    def _open(self) -> None:
        self._process = os.getpid()
        self._client = self._client_with(self._contexts.normal)
        self._pinned = self._client_with(self._contexts.pinned) if self._contexts.pinned else None

    def _client_with(self, context: ssl.SSLContext) -> httpx.Client:
        direct = BoundedBackend(httpcore.SyncBackend(), partial(_log_tls, self.trace))
        client = httpx.Client(
            transport=_Pool(context, ProxyBackend(direct, self._route, self._contexts.normal, self.trace)),
            timeout=httpx.Timeout(self._timeout or None, connect=min(self._timeout or 1e9, _LONGEST_CONNECT)),
            headers={"Accept-Encoding": "gzip", "User-Agent": "sqlalchemy-dynamics"},
            trust_env=False,
            follow_redirects=False,
        )
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        weakref.finalize(self, client.close)
        return client

    def send(self, request: HttpRequest, total: float | None = None) -> HttpResponse:
        """Send one request once and return its reply of any status, complete and decompressed.

        `total` seconds bound the whole exchange (default TotalTimeout). Raises ConnectionLost, also for a body that
        ends early, TimedOut, and InterfaceError for a URL or header that HTTP forbids.
        """
        if not all(_VALUE.fullmatch(value) for value in request.headers.values()):
            raise InterfaceError(_FORBIDDEN)
        started = time.monotonic()
        self.trace.request(request)
        try:
            with deadline(self._total if total is None else total):
                response = self._exchange(request)
        except OperationalError as error:
            self.trace.failure(request, error, time.monotonic() - started)
            raise
        self.trace.response(request, response, time.monotonic() - started)
        return response

    def close(self) -> None:
        """Close every connection."""
        for client in filter(None, (self._client, self._pinned)):
            client.close()

    def _exchange(self, request: HttpRequest) -> HttpResponse:
        if self._process != os.getpid():
            self._open()
        try:
            host = httpx.URL(request.url).host
        except httpx.InvalidURL as error:
            self._translate(error, "")
        for client in self._clients_for(host):
            try:
                reply = self._once(client, request)
            except _Untrusted as error:
                refusal = error
            else:
                (self._pinned_hosts.add if client is self._pinned else self._pinned_hosts.discard)(host)
                return reply
        raise refusal

    def _clients_for(self, host: str) -> tuple[httpx.Client, ...]:
        """Clients to try in turn until one trusts the server; the one that did last time comes first."""
        if self._pinned is None:
            return (self._client,)
        if self._any_certificate:
            return (self._pinned,)
        both = (self._client, self._pinned)
        return both[::-1] if host in self._pinned_hosts else both

    def _once(self, client: httpx.Client, request: HttpRequest) -> HttpResponse:
        try:
            built = client.build_request(
                request.method, request.url, headers=dict(request.headers), content=request.body
            )
            with closing(client.send(built, stream=True)) as reply:
                body = read_body(reply.iter_raw(), reply.headers.get("Content-Encoding", "").lower(), _LARGEST_BODY)
            reply.stream = httpx.ByteStream(b"")  # it knows its reply: the request's body would wait for the collector
            return HttpResponse(reply.status_code, dict(reply.headers), body)
        except (httpx.HTTPError, httpx.InvalidURL, BodyError, UnicodeError) as error:
            self._translate(error, httpx.URL(request.url).netloc.decode("ascii", "replace"))

    def _translate(self, error: Exception, place: str) -> NoReturn:
        if isinstance(error, httpx.TimeoutException):
            raise TimedOut(self._time_message(place), sent=not isinstance(error, _NEVER_SENT)) from None
        if isinstance(error, httpx.ProxyError):
            raise ConnectionLost(f"no way to {place} through the proxy: {error}", sent=False, permanent=True) from None
        if isinstance(error, httpx.ConnectError):
            raise self._connect_failure(error, place) from None
        if isinstance(error, httpx.LocalProtocolError | httpx.InvalidURL | httpx.UnsupportedProtocol | UnicodeError):
            raise InterfaceError(_FORBIDDEN) from None
        if isinstance(error, BodyError):
            raise ConnectionLost(f"the reply of {place} cannot be used: {error}") from None
        raise ConnectionLost(f"the connection to {place} was lost before the reply was complete: {error}") from None

    def _time_message(self, place: str) -> str:
        shown = ", ".join(
            f"{name}={value:g}" for name, value in (("Timeout", self._timeout), ("TotalTimeout", self._total)) if value
        )
        return f"{place} did not answer in time ({shown} seconds); raise them, or set them to 0 to wait for ever"

    @staticmethod
    def _connect_failure(error: httpx.ConnectError, place: str) -> ConnectionLost:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            return ConnectionLost(f"cannot connect to {place}: {error}", sent=False)
        reason = getattr(cause, "verify_message", cause.strerror)
        return _Untrusted(
            f"the certificate presented by {place} cannot be validated ({reason}); "
            "when you know it to be right, add it to the system's trusted certificates or name it in SSLServerCert",
            sent=False,
            permanent=True,
        )


def _log_tls(trace: Trace, stream: httpcore.NetworkStream, host: str) -> None:
    if trace.wants(4, "SSL"):
        tls = stream.get_extra_info("ssl_object")
        trace.log(4, "SSL", f"{host}: {tls.version()}, {tls.cipher()[0]}")


class _Pool(httpx.HTTPTransport):
    """httpx's transport over httpcore's pool with a network backend of ours; httpx itself takes none."""

    def __init__(self, context: ssl.SSLContext, backend: httpcore.NetworkBackend) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=64,
            max_keepalive_connections=16,
            keepalive_expiry=30.0,
            network_backend=backend,
        )
