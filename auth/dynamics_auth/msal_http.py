"""MSAL's `http_client` over the house's HTTP: bounded, never redirected, never to a host nobody chose.

MSAL posts assertions as bytes and numbers as such, sends None headers and logs bodies it cannot decode; what reaches
the wire is cleaned here, and what comes back is JSON of an expected shape or an AuthError.
"""

from __future__ import annotations

import email.utils
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from dynamics_auth.answers import refusal, unexpected
from dynamics_auth.authorities import WELL_KNOWN_HOSTS, Authority
from dynamics_auth.failures import AuthError
from dynamics_auth.ports import HttpPort, Ports, Reply, TransportError
from dynamics_auth.redaction import one_line

__all__ = ["MsalHttpClient", "MsalReply", "retry_after", "send_patiently"]

MAX_BODY = 1 << 20
ATTEMPTS = 4
MAX_WAIT = 300.0
_ALWAYS = frozenset(("refresh_token", "client_credentials", "discovery"))
_BUSY = frozenset((429, 503))
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint")


@dataclass(frozen=True)
class MsalReply:
    """What MSAL reads of a response."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def raise_for_status(self) -> None:
        """Raise AuthError for an error status."""
        if self.status_code >= 400:
            raise AuthError(f"the login service answered {self.status_code}")


class MsalHttpClient:
    """Sends MSAL's requests for one authority. `federation`: WS-Trust may go to the host the login service names."""

    def __init__(self, ports: Ports, authority: Authority, *, federation: bool = False) -> None:
        self._ports, self._authority, self._federation = ports, authority, federation

    def post(
        self,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | str | bytes | None = None,
        headers: Mapping[str, Any] | None = None,
        **_: object,
    ) -> MsalReply:
        """POST a form (a mapping) or a WS-Trust document (text); MSAL passes the URL by position."""
        sent = _clean(headers)
        if isinstance(data, str | bytes):
            body = data if isinstance(data, bytes) else data.encode()
            return self._exchange("POST", self._allowed(url, form=False), sent, body, "federation", params)
        form = _clean(data)
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        grant = form.get("grant_type", "device")
        return self._exchange("POST", self._allowed(url, form=True), sent, urlencode(form).encode(), grant, params)

    def get(
        self, url: str, params: Mapping[str, Any] | None = None, headers: Mapping[str, Any] | None = None, **_: object
    ) -> MsalReply:
        """GET discovery documents; every endpoint they name must be on the authority's own host."""
        reply = self._exchange("GET", self._allowed(url, form=False), _clean(headers), None, "discovery", params)
        if url.partition("?")[0].endswith("/.well-known/openid-configuration"):
            self._check_metadata(json.loads(reply.text))
        return reply

    def close(self) -> None:
        """Nothing to close: the connection pool belongs to the house."""

    def _allowed(self, url: str, *, form: bool) -> str:
        parts = urlsplit(url)
        own = urlsplit(self._authority.base)
        if parts.scheme == "https" and parts.netloc.lower() == own.hostname != own.netloc:
            return url.replace(f"https://{parts.netloc}", self._authority.base, 1)  # MSAL drops the port of user realms
        known = parts.netloc.lower() == own.netloc or (parts.netloc.lower() in WELL_KNOWN_HOSTS and not form)
        if parts.scheme != "https" or not (known or (self._federation and not form)):
            raise AuthError(f"refused to send sign-in data to {one_line(parts.netloc, 100)}: {own.netloc} was chosen")
        return url

    def _check_metadata(self, found: object) -> None:
        if not isinstance(found, dict):
            raise unexpected(self._authority.host, "its metadata is not a JSON object")
        for name in _ENDPOINTS:
            value = found.get(name)
            if value is None and name == "device_authorization_endpoint":
                continue
            if not isinstance(value, str) or not self._on_host(value):
                raise AuthError(
                    f"the metadata of {self._authority.host} names a {name} that is missing or on another host: refused"
                )

    def _on_host(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme == "https" and parts.netloc.lower() == urlsplit(self._authority.base).netloc

    def _exchange(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        grant: str,
        params: Mapping[str, Any] | None,
    ) -> MsalReply:
        target = f"{url}{'&' if '?' in url else '?'}{urlencode(_clean(params))}" if params else url
        reply = send_patiently(self._ports, self._ports.http, (method, target, headers, body), grant)
        if grant != "federation":
            _check_json(reply, self._authority.host, grant, self._ports)
        text = reply.body.decode("utf-8", "replace")
        return MsalReply(reply.status, text, dict(reply.headers))


def _clean(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Text only: MSAL's assertions are bytes, its numbers numbers, and None means absent."""
    given = {name: value for name, value in (values or {}).items() if value is not None}
    return {name: value.decode("ascii") if isinstance(value, bytes) else str(value) for name, value in given.items()}


_Request = tuple[str, str, dict[str, str], bytes | None]


def send_patiently(ports: Ports, http: HttpPort, request: _Request, grant: str) -> Reply:
    """Send, and send again where that cannot spend a code or token twice; Retry-After is honoured up to `timeout`."""
    waited = 0.0
    for attempt in range(1, ATTEMPTS + 1):
        outcome = _send_once(ports, http, request, grant)
        pause = _pause(outcome, grant, attempt, ports.clock())
        if pause is None or attempt == ATTEMPTS or waited + pause > (ports.timeout or MAX_WAIT):
            return _settled(outcome, pause, urlsplit(request[1]).netloc, ports.clock())
        waited += pause
        ports.sleep(pause)
    raise AssertionError("unreachable")


def _send_once(ports: Ports, http: HttpPort, request: _Request, grant: str) -> Reply | TransportError:
    method, url, headers, body = request
    place = url.partition("?")[0]
    try:
        reply = http.send(method, url, headers, body, ports.timeout)
    except TransportError as error:
        ports.logger.log(4, f"AUTH {method} {place} grant={grant}: {one_line(ports.logger.clean(str(error)))}")
        return TransportError(ports.logger.clean(str(error)), sent=error.sent, permanent=error.permanent)
    ports.logger.log(3, f"AUTH {method} {place} grant={grant} -> {reply.status}")
    if reply.status >= 400:
        ports.logger.log(4, f"AUTH {place} answered {one_line(ports.logger.clean(_readable(reply)), 2000)}")
    return reply


def _pause(outcome: Reply | TransportError, grant: str, attempt: int, now: float) -> float | None:
    """Seconds to wait before sending again, None when it must not or need not be sent again."""
    backoff = min(0.5 * 2 ** (attempt - 1), 8.0)
    if isinstance(outcome, TransportError):
        return backoff if not outcome.permanent and (grant in _ALWAYS or not outcome.sent) else None
    repeatable = outcome.status in _BUSY or (outcome.status >= 500 and grant in _ALWAYS)
    if not repeatable or grant in ("device", "urn:ietf:params:oauth:grant-type:device_code"):
        return None
    asked = retry_after(outcome, now)
    return backoff if asked is None else asked


def retry_after(reply: Reply, now: float) -> float | None:
    """Seconds of a ``Retry-After`` header (a number, or a date by the service's own clock), None without one."""
    text = reply.header("retry-after").strip()
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        return float(text)
    then = _epoch(text)
    return None if then is None else max(then - (_epoch(reply.header("date")) or now), 0.0)


def _epoch(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError):
        return None


def _settled(outcome: Reply | TransportError, pause: float | None, host: str, now: float) -> Reply:
    if isinstance(outcome, TransportError):
        raise AuthError(f"no answer from {host}: {one_line(str(outcome))}", sent=outcome.sent)
    if outcome.status == 429 or (pause is not None and outcome.status >= 500):
        wait = retry_after(outcome, now)
        asked = f"; it asks to wait {wait:g} seconds" if wait is not None else ""
        raise AuthError(
            f"{host} is busy or unavailable (status {outcome.status}){asked}: try again later, or raise Timeout",
            error="temporarily_unavailable",
            retry_after=wait,
        )
    return outcome


def _check_json(reply: Reply, host: str, grant: str, ports: Ports) -> None:
    found: object = None
    if len(reply.body) <= MAX_BODY:
        try:
            found = json.loads(reply.body)
        except (ValueError, RecursionError):
            found = None
    if not isinstance(found, dict):
        _not_json(reply, host, ports)
    if reply.status >= 500 or (reply.status >= 400 and grant == "discovery"):
        raise refusal(found, host, grant, ports.logger.clean, reply.status)


def _not_json(reply: Reply, host: str, ports: Ports) -> NoReturn:
    kind = one_line(reply.header("content-type"), 60) or "no content type"
    shown = one_line(ports.logger.clean(_visible(reply)), 200)
    ports.logger.log(5, f"AUTH {host} sent {one_line(ports.logger.clean(_readable(reply)), 2000)}")
    detail = f"status {reply.status}, {kind}, {len(reply.body)} bytes, where a JSON object was due"
    advice = "; a proxy or a captive portal may stand between" if reply.status in (302, 407) or "html" in kind else ""
    raise unexpected(host, f"{detail}{advice}{f' ({shown})' if shown else ''}")


def _readable(reply: Reply) -> str:
    return reply.body[:4000].decode("utf-8", "replace")


def _visible(reply: Reply) -> str:
    """The words of an HTML page: proxies say there what is wrong. Anything else may hold tokens and stays unsaid."""
    if "html" not in reply.header("content-type"):
        return ""
    return re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", _readable(reply), flags=re.S | re.I)
