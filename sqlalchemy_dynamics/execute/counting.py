"""A session that counts what is sent through it, for EXPLAIN ANALYZE of what is no SELECT."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sqlalchemy_dynamics.execute.fetch import Tally
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from sqlalchemy_dynamics.session import Session

__all__ = ["Counting"]


class Counting:
    """Stands for a session; `tally` holds its requests and the bytes of their replies."""

    def __init__(self, session: Session) -> None:
        self._session, self._lock = session, threading.Lock()
        self.tally = Tally()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request and count it."""
        response = self._session.send(request)
        with self._lock:
            self.tally.requests += 1
            self.tally.bytes += len(response.body)
        return response
