"""Whether and when a request is sent again: a pure decision over what came back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy_dynamics.odata.faults import retry_after
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.transport.failures import ConnectionLost

__all__ = ["Policy", "decide"]

Outcome = HttpResponse | Exception

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED = frozenset({429})
_FAILED = frozenset({502, 503, 504})
_CONNECT_REPEATS = 3


@dataclass(frozen=True)
class Policy:
    """At most `retries` repeats, none that would begin after `deadline` seconds (0 for no limit); waits double from
    `first` to `longest` seconds where the service does not say how long."""

    retries: int = 8
    deadline: float = 300.0
    first: float = 0.5
    longest: float = 30.0


def decide(
    attempt: int, request: HttpRequest, outcome: Outcome, elapsed: float, policy: Policy, jitter: float
) -> float | None:
    """Seconds to wait before sending `request` again, None to give up.

    `attempt` counts the sendings so far from 1, `elapsed` the seconds since the first, `jitter` is 0 to 1. A request
    that was refused before it was worked on (429, or never sent) may always be repeated; one whose fate is unknown
    (502, 503, 504, a lost connection) only when it is a read or declared repeatable. A service that cannot be reached
    at all is tried three times more. What ran into Timeout is not repeated.
    """
    unreachable = isinstance(outcome, ConnectionLost) and not outcome.sent
    repeats = min(policy.retries, _CONNECT_REPEATS) if unreachable else policy.retries
    if attempt > repeats or not _repeatable(request, outcome):
        return None
    backoff = min(policy.longest, policy.first * 2 ** (attempt - 1))
    wait = backoff * (0.5 + 0.5 * jitter)
    if isinstance(outcome, HttpResponse):
        asked = retry_after(outcome)
        wait = wait if asked is None else asked + 0.1 * jitter
    return wait if not policy.deadline or elapsed + wait <= policy.deadline else None


def _repeatable(request: HttpRequest, outcome: Outcome) -> bool:
    harmless = request.repeatable or request.method in _SAFE_METHODS
    if isinstance(outcome, HttpResponse):
        return outcome.status in _REFUSED or (harmless and outcome.status in _FAILED)
    return isinstance(outcome, ConnectionLost) and not outcome.permanent and (harmless or not outcome.sent)
