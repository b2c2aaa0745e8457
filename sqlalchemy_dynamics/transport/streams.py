"""TCP streams under a total deadline: no single read, write or handshake may outlive it, however slowly bytes drip."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore

__all__ = ["BoundedBackend", "BoundedStream", "deadline"]

_DEADLINE: ContextVar[float | None] = ContextVar("sqlalchemy_dynamics_deadline", default=None)

_BULK = 1 << 16
_READ_BYTES = 1 << 18  # larger buffers cost more in page faults than they save

SocketOption = Any
Observer = Callable[[httpcore.NetworkStream, str], None]


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Bound everything this thread reads and writes inside; None or 0 does not."""
    token = _DEADLINE.set(time.monotonic() + seconds if seconds else None)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def _bounded(timeout: float | None, error: type[httpcore.TimeoutException]) -> float | None:
    limit = _DEADLINE.get()
    if limit is None:
        return timeout
    left = limit - time.monotonic()
    if left <= 0:
        raise error("the deadline of the request has passed")
    return left if timeout is None else min(timeout, left)


class BoundedStream(httpcore.NetworkStream):
    """A stream whose every step ends at the deadline of the running request."""

    def __init__(self, inner: httpcore.NetworkStream, on_tls: Observer) -> None:
        self._inner = inner
        self._on_tls = on_tls

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there; pages come in fewer steps than by the 64 KB of httpcore. Less than that is exact."""
        most = max(max_bytes, _READ_BYTES) if max_bytes >= _BULK else max_bytes
        return self._inner.read(most, _bounded(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _bounded(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        bounded = _bounded(timeout, httpcore.ConnectTimeout)
        secured = self._inner.start_tls(ssl_context, server_hostname, bounded)
        self._on_tls(secured, server_hostname or "")
        return BoundedStream(secured, self._on_tls)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class BoundedBackend(httpcore.NetworkBackend):
    """Wraps a backend so that all its streams are bounded. `on_tls` is told of every finished TLS handshake."""

    def __init__(self, inner: httpcore.NetworkBackend, on_tls: Observer) -> None:
        self._inner = inner
        self._on_tls = on_tls

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        bounded = _bounded(timeout, httpcore.ConnectTimeout)
        return BoundedStream(self._inner.connect_tcp(host, port, bounded, local_address, socket_options), self._on_tls)
