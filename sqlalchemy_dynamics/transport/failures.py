"""What can go wrong on the way to a reply."""

from __future__ import annotations

from sqlalchemy_dynamics.errors import OperationalError

__all__ = ["ConnectionLost", "TimedOut"]


class ConnectionLost(OperationalError):
    """No complete reply came. `sent` is False when the request surely never reached the service; `permanent` is True
    when trying again cannot help (a certificate, a proxy that refuses)."""

    def __init__(self, message: str, *, sent: bool = True, permanent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.permanent = permanent


class TimedOut(OperationalError):
    """`Timeout` or `TotalTimeout` ran out. `sent` is False when the request surely never reached the service."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent
