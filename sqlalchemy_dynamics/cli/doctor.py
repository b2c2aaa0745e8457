"""``doctor``: checks of a real organisation that only read, as a report without data values and without secrets."""

from __future__ import annotations

import argparse
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from dynamics_auth.authorities import parse_challenge
from sqlalchemy_dynamics.cli.output import Output
from sqlalchemy_dynamics.cli.probes import PROBES, Asking
from sqlalchemy_dynamics.cli.signing import settings_of
from sqlalchemy_dynamics.errors import AuthenticationError, Error, InterfaceError
from sqlalchemy_dynamics.metadata import csdl
from sqlalchemy_dynamics.odata.links import next_link
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.session import Session, open_session
from sqlalchemy_dynamics.session.core import SERVICE_PATH
from sqlalchemy_dynamics.settings import PROPERTIES, Settings
from sqlalchemy_dynamics.transport.client import Transport
from sqlalchemy_dynamics.transport.routes import open_route
from sqlalchemy_dynamics.transport.tracing import REDACTOR, Trace, learn_secrets

__all__ = ["examine"]

OK, FAILED, SKIPPED = "ok", "FAILED", "skipped"
_TELLING = frozenset({"bool", "int", "choice", "seconds", "size"})
_COLUMNS = ("check", "result", "detail")
_SLICE = "accounts?$select=accountid"


@dataclass
class Patient:
    """What is examined. The session is opened by the check that needs it first."""

    settings: Settings
    session: Session | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def place(self) -> tuple[str, int]:
        """Host and port of the organisation."""
        parts = urlsplit(self.settings.organization_url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)

    def signed_in(self) -> Session:
        if self.session is None:
            self.session = open_session(self.settings)
        return self.session


class _Notes(Trace):
    """A log that keeps what the transport says of TLS."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def wants(self, level: int, module: str) -> bool:
        return module == "SSL"

    def log(self, level: int, module: str, message: str) -> None:
        if module == "SSL":
            self._lines.append(message.partition(": ")[2] or message)


def examine(arguments: argparse.Namespace) -> int:
    """Print the report. Exit code 0 when everything was answered, 3 for settings and sign-in, else 1."""
    settings = settings_of(arguments.url)
    learn_secrets(settings)
    patient, failures = Patient(settings), list[BaseException]()
    Output(arguments).write_rows(_COLUMNS, ([row] for row in _report(patient, failures)))
    if any(isinstance(each, (InterfaceError, AuthenticationError)) for each in failures):
        return 3
    return 1 if failures else 0


def _report(patient: Patient, failures: list[BaseException]) -> Iterator[tuple[str, str, str]]:
    """The rows of the report; a check that needs a sign-in is skipped when that failed."""
    for name, check, needs_sign_in in CHECKS:
        if needs_sign_in and failures:
            yield name, SKIPPED, "an earlier check failed"
            continue
        try:
            yield name, OK, _clean(patient, check(patient))
        except (Error, OSError) as error:
            failures.append(error)
            yield name, FAILED, _clean(patient, f"{type(error).__name__}: {error}")
    if not failures:
        yield from _probed(patient)


def _probed(patient: Patient) -> Iterator[tuple[str, str, str]]:
    ask = Asking(patient.signed_in().send)
    for question, probe in PROBES:
        try:
            yield question, OK, _clean(patient, probe(ask))
        except (Error, OSError, ValueError, KeyError, IndexError, TypeError) as error:
            yield question, "no answer", _clean(patient, f"{type(error).__name__}: {error}")


def _clean(patient: Patient, text: str) -> str:
    """Without secrets, and without the organisation's own name."""
    host, _ = patient.place
    name, _, cloud = host.partition(".")
    hidden = REDACTOR.clean(text).replace(host, f"<organisation>.{cloud}" if cloud else host)
    return hidden.replace(name, "<organisation>") if len(name) > 3 and not name.isdigit() else hidden


def _settings(patient: Patient) -> str:
    named = [row for row in PROPERTIES if patient.settings.explicit(row.name)]
    told = (f"{r.name}={patient.settings[r.name]}" if r.kind in _TELLING and not r.secret else r.name for r in named)
    return ", ".join(told)


def _name(patient: Patient) -> str:
    host, port = patient.place
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    families = sorted({"IPv6" if family == socket.AF_INET6 else "IPv4" for family, *_ in found})
    return f"{len({address[0] for *_, address in found})} addresses ({', '.join(families)})"


def _proxy(patient: Patient) -> str:
    proxy = open_route(patient.settings)(*patient.place)
    if proxy is None:
        return "none: the organisation is reached directly"
    return f"{proxy.kind} proxy on port {proxy.port}" + (f", {proxy.scheme} sign-in" if proxy.user else "")


def _tls(patient: Patient) -> str:
    """Ask without a token: the 401 tells of TLS, and where the organisation wants people to sign in."""
    transport = Transport(patient.settings, _Notes(patient.notes), open_route(patient.settings))
    try:
        reply = transport.send(HttpRequest("GET", f"{patient.settings.organization_url}{SERVICE_PATH}WhoAmI"))
    finally:
        transport.close()
    challenge = parse_challenge(reply.header("WWW-Authenticate"))
    authority = urlsplit(challenge.authority).hostname or "no login service"
    secured = "; ".join(patient.notes) or "plain http"
    return f"{secured}; without a token {reply.status}, {len(reply.body)} bytes, names {authority}"


def _sign_in(patient: Patient) -> str:
    session = patient.signed_in()
    scheme, initiate = patient.settings.text("AuthScheme"), patient.settings.text("InitiateOAuth")
    started = time.perf_counter()
    session.connect()
    session.who_am_i()
    return f"{scheme}, InitiateOAuth={initiate}; WhoAmI answered, {_milliseconds(started)}"


def _metadata(patient: Patient) -> str:
    started = time.perf_counter()
    document = patient.signed_in().send(HttpRequest("GET", "$metadata", {"Accept": "application/xml"}, None, True)).body
    fetched, started = _milliseconds(started), time.perf_counter()
    model = csdl.parse(document)
    columns = sum(len(table.columns) for table in model.tables.values())
    return (
        f"{len(document):,} bytes fetched in {fetched}, parsed in {_milliseconds(started)}: "
        f"{len(model.tables)} tables, {columns:,} columns"
    )


def _pages(patient: Patient) -> str:
    headers, url, rows, pages = {"Prefer": "odata.maxpagesize=5000"}, _SLICE, 0, 0
    started = time.perf_counter()
    while url and pages < 3:
        body = patient.signed_in().send(HttpRequest("GET", url, headers, None, True)).body
        pages, rows = pages + 1, rows + body.count(b'"accountid":')
        url = next_link(body) or ""
    seconds = max(time.perf_counter() - started, 1e-6)
    size = "below 1,000" if rows < 1000 else f"{rows:,}"
    return f"{pages} pages, {size} rows, {rows / seconds:,.0f} rows/s"


def _milliseconds(started: float) -> str:
    return f"{(time.perf_counter() - started) * 1000:,.0f} ms"


CHECKS: tuple[tuple[str, Callable[[Patient], str], bool], ...] = (
    ("settings", _settings, False),
    ("name", _name, False),
    ("proxy", _proxy, False),
    ("TLS and challenge", _tls, False),
    ("sign-in", _sign_in, True),
    ("metadata", _metadata, True),
    ("pages", _pages, True),
)
"""Name, check, and whether it is skipped after a failure."""
