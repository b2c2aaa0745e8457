"""The decision table: what is sent again, when, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlalchemy_dynamics.errors import OperationalError
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.transport.failures import ConnectionLost, TimedOut
from sqlalchemy_dynamics.transport.retry import Outcome, Policy, decide

READ = HttpRequest("GET", "accounts")
CREATE = HttpRequest("POST", "accounts", body=b"{}")
SAFE_CREATE = HttpRequest("POST", "accounts", body=b"{}", repeatable=True)
POLICY = Policy(retries=8, deadline=300, first=0.5, longest=30)
DATES = {"retry-after": "Thu, 26 Nov 2026 10:00:20 GMT", "date": "Thu, 26 Nov 2026 10:00:05 GMT"}


def reply(status: int, **headers: str) -> HttpResponse:
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("request_", "outcome", "attempt", "elapsed", "wait"),
    [
        (READ, reply(200), 1, 0, None),
        (READ, reply(400), 1, 0, None),
        (READ, reply(500), 1, 0, None),
        (READ, reply(501), 1, 0, None),
        (READ, reply(429, retry_after="7"), 1, 0, 7),
        (CREATE, reply(429, retry_after="7"), 1, 0, 7),
        (READ, reply(429, retry_after="0"), 1, 0, 0),
        (READ, HttpResponse(429, DATES), 1, 0, 15),
        (READ, reply(429, retry_after="soon"), 1, 0, 0.5),
        (READ, reply(429, retry_after="Thu, 26 Nov 2026 10:00:20 GMT"), 1, 0, 0.5),
        (READ, reply(429), 1, 0, 0.5),
        (READ, reply(429), 3, 0, 2),
        (READ, reply(429), 8, 0, 30),
        (READ, reply(429), 9, 0, None),
        (READ, reply(429, retry_after="7"), 1, 292.5, 7),
        (READ, reply(429, retry_after="7"), 1, 294, None),
        (READ, reply(429, retry_after="99999"), 1, 0, None),
        (READ, reply(502), 1, 0, 0.5),
        (READ, reply(503, retry_after="3"), 1, 0, 3),
        (READ, reply(504), 2, 0, 1),
        (CREATE, reply(503, retry_after="3"), 1, 0, None),
        (SAFE_CREATE, reply(503, retry_after="3"), 1, 0, 3),
        (READ, ConnectionLost("lost"), 1, 0, 0.5),
        (READ, ConnectionLost("lost"), 8, 0, 30),
        (CREATE, ConnectionLost("lost"), 1, 0, None),
        (SAFE_CREATE, ConnectionLost("lost"), 1, 0, 0.5),
        (CREATE, ConnectionLost("unreachable", sent=False), 1, 0, 0.5),
        (READ, ConnectionLost("unreachable", sent=False), 4, 0, None),
        (READ, ConnectionLost("untrusted", sent=False, permanent=True), 1, 0, None),
        (READ, TimedOut("late"), 1, 0, None),
        (READ, OperationalError("other"), 1, 0, None),
    ],
)
def test_the_table(request_: HttpRequest, outcome: Outcome, attempt: int, elapsed: float, wait: float | None) -> None:
    decided = decide(attempt, request_, outcome, elapsed, POLICY, jitter=1.0)
    assert decided == (None if wait is None else pytest.approx(wait, abs=0.11))
    if decided is not None and "retry-after" in getattr(outcome, "headers", {}):
        assert decided >= (wait or 0)


def test_no_deadline() -> None:
    assert decide(1, READ, reply(429, retry_after="9999"), 1e6, Policy(deadline=0), 0.0) == 9999
    assert decide(1, READ, reply(429), 0, Policy(retries=0), 0.0) is None


@given(st.integers(1, 20), st.floats(0, 1), st.floats(0, 1000))
def test_waits_are_bounded_and_the_deadline_holds(attempt: int, jitter: float, elapsed: float) -> None:
    wait = decide(attempt, READ, reply(503), elapsed, POLICY, jitter)
    assert wait is None or (0 < wait <= POLICY.longest and elapsed + wait <= POLICY.deadline)
