"""The request and the reply that every floor above the sockets speaks about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

__all__ = ["HttpRequest", "HttpResponse", "Send"]


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request. `url` is absolute, or relative to the service root (``accounts?$select=name``), encoded.

    `repeatable` says that sending it twice cannot change more than sending it once (reads, and writes whose key
    the client made); only such requests are retried after a lost answer.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    repeatable: bool = False

    def with_headers(self, **headers: str) -> HttpRequest:
        """Return a copy with more headers; underscores in the names become hyphens."""
        added = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **added})


@dataclass(frozen=True)
class HttpResponse:
    """One HTTP reply. Header names are lower case; `body` is decompressed and complete."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str, default: str = "") -> str:
        """Return the header of that name in any case, or `default`."""
        return self.headers.get(name.lower(), default)


Send = Callable[[HttpRequest], HttpResponse]
