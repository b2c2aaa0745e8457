"""`Session.send`: URL, headers, token, retries, one renewal, and the error of a reply."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dynamics_auth.authorities import parse_challenge
from sqlalchemy_dynamics.errors import NotSupportedError, OperationalError
from sqlalchemy_dynamics.odata.batch import pack, unpack
from sqlalchemy_dynamics.odata.faults import check
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.session.tokens import TokenSource
from sqlalchemy_dynamics.settings import Settings
from sqlalchemy_dynamics.transport.client import Transport
from sqlalchemy_dynamics.transport.retry import Policy, decide
from sqlalchemy_dynamics.transport.tracing import Trace

if TYPE_CHECKING:
    from sqlalchemy_dynamics.session.signin import SignIn

__all__ = ["SERVICE_PATH", "Session", "Timing", "WhoAmI"]

SERVICE_PATH = "/api/data/v9.2/"
LONGEST_URL = 32_768
"""Characters of a GET URL (dataverse-web-api: limits)."""
LONGEST_BATCHED_URL = 65_536
"""Characters of a URL inside `$batch`."""

_ODATA_HEADERS = {"Accept": "application/json", "OData-MaxVersion": "4.0", "OData-Version": "4.0"}


@dataclass(frozen=True)
class WhoAmI:
    """Who the service takes us for; GUIDs as text."""

    user_id: str
    business_unit_id: str
    organization_id: str


@dataclass(frozen=True)
class Timing:
    """Time and chance, so that tests can stop both."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random


class Session:
    """Sends requests to one organisation with one identity. Thread-safe; made by `open_session`.

    `root` is the service root with a slash at its end, `key` what process-level caches of metadata go by, `sign_in`
    the procedures of sign-in (None for the sandbox in this process).
    """

    def __init__(
        self,
        settings: Settings,
        organization_url: str,
        transport: Transport,
        tokens: TokenSource,
        key: tuple[str, ...],
        timing: Timing | None = None,
        sign_in: SignIn | None = None,
    ) -> None:
        self.settings = settings
        self.sign_in = sign_in
        self.key = key
        self.root = organization_url + SERVICE_PATH
        self._origin = _origin(self.root)
        self._transport = transport
        self._tokens = tokens
        self._timing = timing or Timing()
        self._policy = Policy(settings.number("MaxRetries"), settings.seconds("RetryDeadline"))
        caller = settings.text("CallerObjectId")
        self._headers = {**_ODATA_HEADERS, **({"CallerObjectId": caller} if caller else {})}

    @property
    def trace(self) -> Trace:
        """The log of these settings."""
        return self._transport.trace

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request and return its successful reply, a 304, or the multipart reply of a batch of any status.

        A relative URL is joined to `root`. Throttled and lost requests are repeated where that is safe, a refused
        token is renewed once. Raises the error of any other reply (odata.faults), OperationalError for a URL that
        leaves the organisation, AuthenticationError without a token.
        """
        return self._finish(self._persist(self._complete(request)))

    def who_am_i(self) -> WhoAmI:
        """Ask the service who we are: the cheapest request that proves host, token and access."""
        reply = self.send(HttpRequest("GET", "WhoAmI"))
        try:
            found = json.loads(reply.body)
            return WhoAmI(*(str(found[name]).lower() for name in ("UserId", "BusinessUnitId", "OrganizationId")))
        except (ValueError, KeyError, TypeError):
            raise OperationalError(
                "WhoAmI made no sense: this is no Dataverse organisation; check OrganizationUrl"
            ) from None

    def connect(self) -> None:
        """What opening a connection does: nothing, except under GETANDREFRESH without a token, where it signs in, and
        under ConnectOnOpen, where it asks WhoAmI."""
        if self.sign_in is not None:
            self.sign_in.open()
        if self.settings.flag("ConnectOnOpen"):
            self.who_am_i()

    def _complete(self, request: HttpRequest) -> HttpRequest:
        defaults = {**self._headers, **({"Content-Type": "application/json"} if request.body is not None else {})}
        given = {name.lower() for name in request.headers}
        kept = {name: value for name, value in defaults.items() if name.lower() not in given}
        return replace(request, url=self._absolute(request.url), headers={**kept, **request.headers})

    def _absolute(self, url: str) -> str:
        if "://" not in url.partition("?")[0]:
            return f"{self._origin}{url}" if url.startswith("/") else self.root + url
        if _origin(url) != self._origin:
            raise OperationalError(
                f"the service answered with a link to another host ({urlsplit(url).hostname}); it was not followed"
            )
        return url

    def _persist(self, request: HttpRequest) -> HttpResponse:
        """Repeat until there is a reply to keep."""
        timing, started, attempt, renewed = self._timing, self._timing.clock(), 0, False
        token = self._tokens(None, None)
        while True:
            attempt += 1
            outcome = self._attempt(request, token)
            if isinstance(outcome, HttpResponse) and outcome.status == 401 and not renewed:
                renewed, token = True, self._renew(token, outcome)
                continue
            wait = decide(attempt, request, outcome, timing.clock() - started, self._policy, timing.random())
            if wait is None:
                return _reply(outcome)
            self.trace.log(2, "HTTP", f"attempt {attempt} failed ({_short(outcome)}); next in {wait:.2f} s")
            timing.sleep(wait)

    def _attempt(self, request: HttpRequest, token: str) -> HttpResponse | OperationalError:
        authorized = replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"})
        try:
            if request.method == "GET" and len(request.url) > LONGEST_URL:
                return self._in_batch(request, token)
            return self._transport.send(authorized)
        except OperationalError as error:
            return error

    def _in_batch(self, request: HttpRequest, token: str) -> HttpResponse:
        if len(request.url) > LONGEST_BATCHED_URL:
            raise NotSupportedError(
                f"the query makes a URL of {len(request.url)} characters, {LONGEST_BATCHED_URL} are allowed; "
                "compare with fewer values or select fewer columns"
            )
        boundary = "batch_" + hashlib.sha256(request.url.encode()).hexdigest()[:32]
        batch = pack([replace(request, repeatable=True)], boundary)
        reply = self._transport.send(
            replace(
                batch,
                url=self.root + batch.url,
                headers={**self._headers, **batch.headers, "Authorization": f"Bearer {token}"},
            )
        )
        if not _is_multipart(reply):
            return reply
        (inner,) = unpack(reply, 1)
        assert isinstance(inner, HttpResponse)
        return inner

    def _renew(self, refused: str, reply: HttpResponse) -> str:
        """The token to try once more with; of several threads one renews."""
        return self._tokens(refused, parse_challenge(reply.header("WWW-Authenticate")).claims or None)

    @staticmethod
    def _finish(reply: HttpResponse) -> HttpResponse:
        if _is_multipart(reply):
            return reply
        if check(reply).header("Content-Type").lower().startswith("text/html"):
            raise OperationalError(
                "a web page came back in place of data: check OrganizationUrl, and whether a proxy or a network "
                "sign-in page stands between"
            )
        return reply


def _reply(outcome: HttpResponse | OperationalError) -> HttpResponse:
    if isinstance(outcome, OperationalError):
        raise outcome
    return outcome


def _short(outcome: HttpResponse | OperationalError) -> str:
    return f"HTTP {outcome.status}" if isinstance(outcome, HttpResponse) else type(outcome).__name__


def _is_multipart(reply: HttpResponse) -> bool:
    return reply.header("Content-Type").lower().startswith("multipart/")


def _origin(url: str) -> str:
    """Scheme, host and port of a URL in one spelling; "" when it has none that makes sense."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{port}" if "@" not in parts.netloc else ""
