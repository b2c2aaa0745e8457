"""Sends a write until its fate is known: what was lost on the way is sent again where that can change nothing twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.errors import AuthenticationError, DataverseError, OperationalError
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.transport.failures import ConnectionLost, TimedOut
from sqlalchemy_dynamics.transport.retry import Policy, decide

if TYPE_CHECKING:
    from sqlalchemy_dynamics.session import Session

__all__ = ["Answer", "Persistence", "is_about_change", "is_lost"]

_FAILED = (502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """What became of a write: a reply, or the error that refused it. `lost` says that an earlier attempt, or with
    `unknown` every attempt, went out and was never answered."""

    reply: HttpResponse | None = None
    error: OperationalError | DataverseError | None = None
    lost: bool = False
    unknown: bool = False


class Persistence:
    """Sends writes over one session. Only requests that may be repeated should be given to it."""

    def __init__(self, session: Session, sleep: Callable[[float], None] | None = None) -> None:
        self._send = session.send
        settings = session.settings
        self._policy = Policy(settings.number("MaxRetries"), settings.seconds("RetryDeadline"))
        self._sleep = sleep or time.sleep

    def send(self, request: HttpRequest) -> Answer:
        """Send a request, again when its answer was lost. Raises only what surely left nothing behind."""
        began, attempt, lost = time.monotonic(), 0, False
        while True:
            attempt += 1
            try:
                return Answer(self._send(request), lost=lost)
            except OperationalError as error:
                if not is_lost(error):
                    return _refused(error, lost)
                lost = True
                wait = self._wait(attempt, request, error, time.monotonic() - began)
                if wait is None:
                    return Answer(error=error, lost=True, unknown=True)
                self._sleep(wait)
            except DataverseError as error:
                return Answer(error=error, lost=lost)

    def _wait(self, attempt: int, request: HttpRequest, error: OperationalError, elapsed: float) -> float | None:
        outcome: HttpResponse | Exception = error
        if isinstance(error, DataverseError):
            headers = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
            outcome = HttpResponse(error.status, headers)
        elif not isinstance(error, TimedOut):
            outcome = ConnectionLost(str(error))
        return decide(attempt, replace(request, repeatable=True), outcome, elapsed, self._policy, random.random())


def is_lost(error: OperationalError) -> bool:
    """Say whether the service may have done the work all the same."""
    if isinstance(error, DataverseError):
        return error.status in _FAILED
    if isinstance(error, (ConnectionLost, TimedOut)):
        return error.sent
    return not isinstance(error, AuthenticationError)


def _refused(error: OperationalError, lost: bool) -> Answer:
    """An error that ends it; one that says nothing of the change tells nothing of what became of a lost attempt."""
    refused = isinstance(error, DataverseError)
    if lost or refused:
        return Answer(error=error, lost=lost, unknown=not refused or (lost and not is_about_change(error)))
    raise error


def is_about_change(error: Exception) -> bool:
    """Say whether an error may be the fault of what is sent, not that of the sign-in, a limit or the service."""
    return isinstance(error, DataverseError) and error.status not in (401, 429) and error.status < 500
