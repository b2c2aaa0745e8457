"""Ways through a proxy to a host: HTTP CONNECT here, SOCKS next door; and the backend that takes them."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import h11
import httpcore

from sqlalchemy_dynamics.transport.proxy_auth import Answer, answerer, offered
from sqlalchemy_dynamics.transport.routes import Proxy, Route
from sqlalchemy_dynamics.transport.socks import Dial, socks4, socks5
from sqlalchemy_dynamics.transport.tracing import Trace

__all__ = ["ProxyBackend"]

_LARGEST_REPLY = 1 << 20
_TRANSIENT = frozenset({502, 503, 504})


class ProxyBackend(httpcore.NetworkBackend):
    """Connects straight or through a proxy, as the route says; TLS to the host comes on top of either."""

    def __init__(self, inner: httpcore.NetworkBackend, route: Route, context: ssl.SSLContext, trace: Trace) -> None:
        self._inner, self._route, self._context, self._trace = inner, route, context, trace

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        proxy = self._route(host, port)
        self._trace.log(4, "TCP", f"connect to {host}:{port}" + (f" by {proxy.kind} {proxy.place}" if proxy else ""))
        if proxy is None:
            return self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        ways = {"connect": _connect, "socks4": socks4, "socks5": socks5}
        try:
            return ways[proxy.kind](lambda: self._dial(proxy, timeout), proxy, host, port, timeout)
        except (httpcore.ProxyError, httpcore.ReadError, httpcore.WriteError) as error:
            raise httpcore.ProxyError(f"{proxy.place}: {error or type(error).__name__}") from error

    def _dial(self, proxy: Proxy, timeout: float | None) -> httpcore.NetworkStream:
        try:
            stream = self._inner.connect_tcp(proxy.host, proxy.port, timeout)
            return stream.start_tls(self._context, proxy.host, timeout) if proxy.secure else stream
        except httpcore.ConnectError as error:
            raise httpcore.ProxyError(f"cannot connect to it: {error}") from error


def _connect(dial: Dial, proxy: Proxy, host: str, port: int, timeout: float | None) -> httpcore.NetworkStream:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    answer = answerer(proxy)
    authorization = answer(target, ())
    stream, wire = dial(), h11.Connection(h11.CLIENT)
    while True:
        try:
            reply = _leg(stream, wire, target, authorization, timeout)
        except BaseException:  # an interrupt leaves no socket open either
            stream.close()
            raise
        if 200 <= reply.status_code < 300:
            return stream
        authorization = _next(reply, answer, target)
        if authorization is None:
            stream.close()
            raise _refusal(proxy, reply)
        if wire.our_state is h11.MUST_CLOSE or wire.their_state is not h11.DONE:
            stream.close()
            stream, wire = dial(), h11.Connection(h11.CLIENT)
        else:
            wire.start_next_cycle()


def _leg(
    stream: httpcore.NetworkStream, wire: h11.Connection, target: str, authorization: str | None, timeout: float | None
) -> h11.Response:
    headers = [(b"Host", target.encode())]
    if authorization:
        headers.append((b"Proxy-Authorization", authorization.encode()))
    try:
        out = wire.send(h11.Request(method="CONNECT", target=target, headers=headers)) or b""
        stream.write(out + (wire.send(h11.EndOfMessage()) or b""), timeout)
        return _reply(stream, wire, timeout)
    except h11.RemoteProtocolError:
        raise httpcore.ProxyError("it does not speak HTTP, or hung up") from None


def _reply(stream: httpcore.NetworkStream, wire: h11.Connection, timeout: float | None) -> h11.Response:
    """The head of the reply; the body of a refusal is read and dropped."""
    response: h11.Response | None = None
    size = 0
    while response is None or not 200 <= response.status_code < 300:
        event = wire.next_event()
        if isinstance(event, h11.Response):
            response = event
        elif event is h11.NEED_DATA:
            data = stream.read(65536, timeout)
            size += len(data)
            if size > _LARGEST_REPLY:
                raise httpcore.ProxyError("its reply is endless")
            wire.receive_data(data)
        elif isinstance(event, h11.EndOfMessage) and response is not None:
            break
        elif isinstance(event, h11.ConnectionClosed):
            raise httpcore.ProxyError("it hung up")
    if wire.trailing_data[0]:
        raise httpcore.ProxyError("it sent data before the connection was in use")
    return response


def _challenges(reply: h11.Response) -> list[str]:
    return [value.decode("latin-1") for name, value in reply.headers if name == b"proxy-authenticate"]


def _next(reply: h11.Response, answer: Answer, target: str) -> str | None:
    return answer(target, _challenges(reply)) if reply.status_code == 407 else None


def _refusal(proxy: Proxy, reply: h11.Response) -> Exception:
    if reply.status_code in _TRANSIENT:
        return httpcore.ConnectError(f"the proxy {proxy.place} answered {reply.status_code}")
    if reply.status_code != 407:
        return httpcore.ProxyError(f"it answered {reply.status_code}")
    schemes = ", ".join(offered(_challenges(reply))) or "no scheme"
    names = f"{proxy.family}User and {proxy.family}Password"
    if not proxy.user:
        return httpcore.ProxyError(f"it wants a sign-in (407, offers {schemes}): set {names}")
    scheme = f" or ProxyAuthScheme={proxy.scheme}" if proxy.family == "Proxy" else ""
    return httpcore.ProxyError(f"it refused {names}{scheme} (407, offers {schemes})")
