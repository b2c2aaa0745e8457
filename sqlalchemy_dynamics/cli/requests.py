"""The Web API requests that a command made, for people to read."""

from __future__ import annotations

from typing import TextIO

from sqlalchemy_dynamics.dbapi import Connection
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse

__all__ = ["Requests"]


class Requests:
    """Records a connection's data requests from now on."""

    def __init__(self, connection: Connection) -> None:
        self._root = connection.session.root
        self._lines: list[str] = []
        connection.on_request = self._record

    def print(self, stream: TextIO) -> None:
        """Print one line per request: method, URL below the service root, status, bytes."""
        count = len(self._lines)
        print(f"\n{count} Web API {'request' if count == 1 else 'requests'}:", *self._lines, sep="\n", file=stream)

    def _record(self, request: HttpRequest, response: HttpResponse) -> None:
        url = request.url.removeprefix(self._root)
        self._lines.append(f"{request.method} {url} -> {response.status}, {len(response.body):,} bytes")
