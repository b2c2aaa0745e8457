"""SOCKS4, SOCKS4a and SOCKS5 on any stream of bytes."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from functools import partial

import httpcore

from sqlalchemy_dynamics.transport.routes import Proxy

__all__ = ["Dial", "socks4", "socks5"]

Dial = Callable[[], httpcore.NetworkStream]
"""Opens a new stream to the proxy."""

_SOCKS5_REPLIES = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "command not supported",
    8: "address type not supported",
}


def socks5(dial: Dial, proxy: Proxy, host: str, port: int, timeout: float | None) -> httpcore.NetworkStream:
    """The proxy looks the name up."""
    stream = dial()
    try:
        _socks5_handshake(stream, proxy, host, port, timeout)
    except BaseException:  # an interrupt leaves no socket open either
        stream.close()
        raise
    return stream


def _socks5_handshake(
    stream: httpcore.NetworkStream, proxy: Proxy, host: str, port: int, timeout: float | None
) -> None:
    methods = b"\x00\x02" if proxy.user else b"\x00"
    stream.write(bytes((5, len(methods))) + methods, timeout)
    version, method = _exactly(stream, 2, timeout)
    if version != 5:
        raise httpcore.ProxyError("it does not speak SOCKS5")
    if method == 2 and proxy.user:
        user, password = proxy.user.encode(), str(proxy.password).encode()
        stream.write(bytes((1, len(user))) + user + bytes((len(password),)) + password, timeout)
        if _exactly(stream, 2, timeout)[1] != 0:
            raise httpcore.ProxyError(f"it refused {proxy.family}User and {proxy.family}Password")
    elif method != 0:
        raise httpcore.ProxyError(f"it wants a sign-in: set {proxy.family}User and {proxy.family}Password")
    stream.write(b"\x05\x01\x00" + _address(host) + port.to_bytes(2, "big"), timeout)
    _, status, _, kind = _exactly(stream, 4, timeout)
    if status != 0:
        raise httpcore.ConnectError(f"the proxy {proxy.place} said: {_SOCKS5_REPLIES.get(status, status)}")
    length = {1: 4, 4: 16}.get(kind) or _exactly(stream, 1, timeout)[0]
    _exactly(stream, length + 2, timeout)


def _address(host: str) -> bytes:
    """A SOCKS5 address; names are left to the proxy to look up."""
    try:
        address = ipaddress.ip_address(host)
        return bytes((1 if address.version == 4 else 4,)) + address.packed
    except ValueError:
        name = host.encode("idna")
        return bytes((3, len(name))) + name


def socks4(dial: Dial, proxy: Proxy, host: str, port: int, timeout: float | None) -> httpcore.NetworkStream:
    """SOCKS4a, which lets the proxy look the name up; then SOCKS4 with an address looked up here."""
    try:
        address = ipaddress.IPv4Address(host).packed
    except ValueError:
        attempt = partial(_socks4_attempt, dial, proxy, port, timeout)
        return attempt(b"\x00\x00\x00\x01", host) or _or_refused(proxy, attempt(_looked_up(host), ""))
    return _or_refused(proxy, _socks4_attempt(dial, proxy, port, timeout, address, ""))


def _or_refused(proxy: Proxy, stream: httpcore.NetworkStream | None) -> httpcore.NetworkStream:
    if stream is None:
        raise httpcore.ProxyError(f"it refused the connection; it may want another {proxy.family}User")
    return stream


def _looked_up(host: str) -> bytes:
    try:
        return socket.inet_aton(socket.gethostbyname(host))
    except OSError:
        raise httpcore.ConnectError(f"neither the proxy nor this machine knows {host}") from None


def _socks4_attempt(
    dial: Dial, proxy: Proxy, port: int, timeout: float | None, address: bytes, name: str
) -> httpcore.NetworkStream | None:
    stream = dial()
    try:
        request = b"\x04\x01" + port.to_bytes(2, "big") + address + proxy.user.encode() + b"\x00"
        stream.write(request + (name.encode("idna") + b"\x00" if name else b""), timeout)
        version, status, *_ = _exactly(stream, 8, timeout)
        if version != 0:
            raise httpcore.ProxyError("it does not speak SOCKS4")
    except BaseException:  # an interrupt leaves no socket open either
        stream.close()
        raise
    if status == 90:
        return stream
    stream.close()
    return None


def _exactly(stream: httpcore.NetworkStream, count: int, timeout: float | None) -> bytes:
    data = b""
    while len(data) < count:
        more = stream.read(count - len(data), timeout)
        if not more:
            raise httpcore.ProxyError("it hung up")
        data += more
    return data
