"""What a handler gets and gives: `Request -> Reply`, and the `Service` that holds schema, rows and settings."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, unquote_plus

from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, ODataError
from sqlalchemy_dynamics.sandbox.generator import Generator
from sqlalchemy_dynamics.sandbox.schema import Organisation
from sqlalchemy_dynamics.sandbox.store import Store
from sqlalchemy_dynamics.sandbox.switches import Switches

__all__ = ["API_PATHS", "Handler", "Memo", "Reply", "Request", "Service", "json_reply", "parse_query"]

API_PATHS = ("/api/data/v9.0/", "/api/data/v9.1/", "/api/data/v9.2/")
JSON = "application/json; odata.metadata=minimal"


def parse_query(text: str) -> dict[str, str]:
    """Return the query options of a raw query string, decoded; `+` is a blank.

    Raises ODataError 400 for a system option given twice.
    """
    options: dict[str, str] = {}
    for part in text.split("&"):
        encoded, _, value = part.partition("=")
        name = unquote_plus(encoded).strip()
        if name.startswith("$") and name in options:
            message = f"Query option '{name}' was specified more than once, but it must be specified at most once."
            raise ODataError(400, "0x0", message)
        if name:
            options.setdefault(name, unquote_plus(value))
    return options


def _distinct(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        name = next(name for name in names if names.count(name) > 1)
        message = (
            f"Multiple properties with the name '{name}' were detected in a resource or a complex value. OData does "
            "not allow duplicate properties."
        )
        raise ODataError(400, "0x80048d19", message)
    return found


@dataclass(frozen=True)
class Request:
    """One request. `path` is relative to the service root and still encoded, header names are lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    root: str = ""
    """The service root the client used, with a slash at its end."""
    batched: bool = False
    user: str = ""

    @property
    def options(self) -> dict[str, str]:
        return parse_query(self.query)

    @property
    def segments(self) -> list[str]:
        """The decoded path segments; a slash inside quotes does not part them."""
        return [unquote(part) for part in split_outside_quotes(unquote_slashes(self.path), "/") if part]

    @property
    def prefer(self) -> dict[str, str]:
        """The `Prefer` values by name; a value without ``=`` is ``""`` (section 1.3)."""
        found: dict[str, str] = {}
        for part in split_outside_quotes(self.headers.get("prefer", ""), ",", '"'):
            name, _, value = part.strip().partition("=")
            if name:
                found[name.strip().lower()] = value.strip().strip('"')
        return found

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object; raises ODataError 400 when it is none."""
        try:
            found = json.loads(self.body.decode("utf-8-sig"), parse_float=str, object_pairs_hook=_distinct)
        except ValueError:
            raise ODataError(400, "0x80048d19", "Stream was not readable.") from None
        if not isinstance(found, dict):
            raise ODataError(400, "0x80048d19", "The request body must be a JSON object.")
        return found


@dataclass
class Memo:
    """What is remembered beside a kept reply: its compressed body."""

    gzip: bytes = b""


@dataclass
class Reply:
    """One answer."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    memo: Memo | None = None


Handler = Callable[["Service", Request], Reply]


@dataclass
class Service:
    """One organisation that answers: what every handler needs."""

    organisation: Organisation
    store: Store
    generator: Generator
    switches: Switches = field(default_factory=Switches)
    max_page_size: int = 5000
    aggregate_limit: int = 50_000
    count_limit: int = 5000
    state: dict[str, Any] = field(default_factory=dict)
    """What rooms beside the core keep between requests (upload sessions, jobs), by room name."""
    impersonated: str = ""
    """The systemuserid an impersonation header names, for the request at hand."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def user_id(self) -> str:
        """The caller's systemuserid."""
        return self.generator.row_id("systemuser", 0)

    @property
    def acting_user_id(self) -> str:
        """Whom queries about "me" mean: the impersonated user, else the caller."""
        return self.impersonated or self.user_id

    @property
    def business_unit_id(self) -> str:
        return self.generator.row_id("businessunit", 0)

    @property
    def organization_id(self) -> str:
        return self.generator.row_id("organization", 0)


def unquote_slashes(path: str) -> str:
    """Return the path as it is: encoded slashes (%2F) stay encoded until the segments are parted."""
    return path.replace("%27", "'").replace("%28", "(").replace("%29", ")")


def split_outside_quotes(text: str, mark: str, quote: str = "'") -> list[str]:
    """Split at `mark`, except inside quotes and parentheses."""
    parts, depth, quoted, start = [], 0, False, 0
    for position, char in enumerate(text):
        if char == quote:
            quoted = not quoted
        elif not quoted:
            depth += (char in "([") - (char in ")]")
            if char == mark and depth <= 0:
                parts.append(text[start:position])
                start = position + 1
    return [*parts, text[start:]]


def json_reply(body: str | Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a JSON reply of text or of an object."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Reply(status, {"Content-Type": JSON, **(headers or {})}, text.encode())


def response_type(name: str) -> str:
    """Return the context fragment of a function's answer: ``Microsoft.Dynamics.CRM.<name>Response``."""
    return f"{NAMESPACE}.{name}Response"
