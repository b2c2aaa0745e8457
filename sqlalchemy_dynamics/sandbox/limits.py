"""Service protection from real counters (section 7.1): requests, execution time, concurrency; the timeout."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.router import error_reply
from sqlalchemy_dynamics.sandbox.wire import Reply, Request

__all__ = ["Deadlines", "Limits", "Protection", "refuse_too_large"]

_HAMMERING = 0.1
_CONCURRENCY_WAIT = 1.0
_MOST_USERS = 1000
_LONGEST_MESSAGE = int(116.85 * 1024 * 1024)


@dataclass(frozen=True)
class Limits:
    """The numbers, per user; 0 switches a limit off.

    `requests` and `seconds` of execution time within a sliding `window` of seconds, `concurrent` requests at once, and
    the `timeout` of one request in seconds.
    """

    requests: int = 6000
    seconds: float = 1200.0
    concurrent: int = 52
    window: float = 300.0
    timeout: float = 120.0


@dataclass
class _User:
    finished: deque[tuple[float, float]] = field(default_factory=deque)
    spent: float = 0.0
    running: int = 0
    begun: deque[float] = field(default_factory=deque)
    banned_until: float = 0.0
    refusal: tuple[str, str] = ("", "")


class Protection:
    """Counts what each user does. `enter` before a request is answered, `leave` after it."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._clock = clock
        self._users: dict[str, _User] = {}
        self._lock = threading.Lock()

    def enter(self, name: str) -> Reply | None:
        """Admit a request, or return its 429; a request that comes before its time lengthens the wait."""
        with self._lock:
            user, moment = self._user(name), self._clock()
            self._forget(user, moment)
            if moment < user.banned_until:
                user.banned_until = min(user.banned_until + _HAMMERING, moment + self.limits.window)
                return _refused(*user.refusal, user.banned_until - moment)
            found = self._exceeded(user, moment)
            if found is not None:
                code, message, wait, ban = found
                if ban:
                    user.banned_until, user.refusal = moment + wait, (code, message)
                return _refused(code, message, wait)
            user.running += 1
            user.begun.append(moment)
            return None

    def leave(self, name: str, seconds: float) -> dict[str, str]:
        """Note the end of an admitted request; returns the headers that tell what is left."""
        with self._lock:
            user = self._user(name)
            user.running -= 1
            user.spent += seconds
            user.finished.append((self._clock(), seconds))
            return {
                "x-ms-ratelimit-burst-remaining-xrm-requests": str(max(0, self.limits.requests - len(user.begun))),
                "x-ms-ratelimit-time-remaining-xrm-requests": f"{max(0.0, self.limits.seconds - user.spent):.2f}",
            }

    def clear(self) -> None:
        """Forget what was counted; requests that are running stay counted."""
        with self._lock:
            for user in self._users.values():
                user.finished.clear()
                user.begun.clear()
                user.spent = user.banned_until = 0.0

    def _user(self, name: str) -> _User:
        if name not in self._users and len(self._users) >= _MOST_USERS:
            idle = next((each for each, user in self._users.items() if not user.running), None)
            self._users.pop(idle or "", None)
        return self._users.setdefault(name, _User())

    def _forget(self, user: _User, moment: float) -> None:
        start = moment - self.limits.window
        while user.begun and user.begun[0] <= start:
            user.begun.popleft()
        while user.finished and user.finished[0][0] <= start:
            user.spent -= user.finished.popleft()[1]

    def _exceeded(self, user: _User, moment: float) -> tuple[str, str, float, bool] | None:
        limits = self.limits
        if limits.concurrent and user.running >= limits.concurrent:
            message = f"Number of concurrent requests exceeded the limit of {limits.concurrent}."
            return "0x80072326", message, _CONCURRENCY_WAIT, False
        if limits.requests and len(user.begun) >= limits.requests:
            message = (
                f"Number of requests exceeded the limit of {limits.requests} over time window of "
                f"{limits.window:g} seconds."
            )
            return "0x80072322", message, user.begun[0] + limits.window - moment, True
        if limits.seconds and user.spent >= limits.seconds:
            message = (
                "Combined execution time of incoming requests exceeded limit of "
                f"{int(limits.seconds * 1000):,} milliseconds over time window of {limits.window:g} seconds. "
                "Decrease number of concurrent requests or reduce the duration of requests and try again later."
            )
            return "0x80072321", message, self._until_time_is_left(user, moment), True
        return None

    def _until_time_is_left(self, user: _User, moment: float) -> float:
        spent = user.spent
        for ended, seconds in user.finished:
            spent -= seconds
            if spent < self.limits.seconds:
                return ended + self.limits.window - moment
        return self.limits.window


def _refused(code: str, message: str, wait: float) -> Reply:
    return error_reply(ODataError(429, code, message, {"Retry-After": str(max(1, math.ceil(wait)))}))


def refuse_too_large(request: Request) -> Reply | None:
    """Return the 413 for a message that is too long; files have limits of their own."""
    if len(request.body) <= _LONGEST_MESSAGE or "octet-stream" in request.headers.get("content-type", ""):
        return None
    return error_reply(ODataError(413, "0x8004418a", "Request message length is too large."))


class Deadlines:
    """Ends queries that run past the timeout: a gate and a finish hook of the app, and the check of the store."""

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout = timeout
        self._clock = clock
        self._thread = threading.local()

    def start(self, request: Request) -> Reply | None:
        """Begin to count for the request of this thread."""
        self._thread.deadline = self._clock() + self._timeout if self._timeout else None
        return None

    def finish(self, request: Request, reply: Reply, seconds: float) -> None:
        """Stop counting."""
        self._thread.deadline = None

    def passed(self) -> bool:
        """Return, once, that the request of this thread has had its time."""
        deadline = getattr(self._thread, "deadline", None)
        if deadline is None or self._clock() < deadline:
            return False
        self._thread.deadline = None
        return True
