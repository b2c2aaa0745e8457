"""One reading and one writing per kind of property value."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from dynamics_auth.properties import Property
from dynamics_auth.tokens import Token
from sqlalchemy_dynamics.errors import InterfaceError

__all__ = ["Value", "is_loopback", "read", "write"]

Value = str | int | float | bool | None

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[A-Za-z0-9_.:-]+")
_LONGEST = 65536
_SIZE = re.compile(r"(\d{1,15})\s*([kmgt]?)i?b?", re.IGNORECASE)
_SHIFTS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def read(row: Property, raw: object) -> Value:
    """The typed value of a property, given as text or as it comes out of `connect_args`.

    Numbers are int, seconds float, sizes bytes, secrets `Token`. Raises InterfaceError naming the property and what it
    takes; the value itself is never part of the message.
    """
    raw = os.fspath(raw) if isinstance(raw, os.PathLike) else raw
    if not isinstance(raw, str | int | float):
        raise InterfaceError(f"{row.name}: expected text, a number or a truth value, not {type(raw).__name__}")
    if len(str(raw)) > _LONGEST:
        raise InterfaceError(f"{row.name}: the value is longer than {_LONGEST} characters")
    value = _READERS[row.kind](row, str(raw))
    return Token(value) if row.secret and isinstance(value, str) else value


def write(row: Property, value: Value) -> str:
    """The text `read` makes the same value of."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.9f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def is_loopback(host: str) -> bool:
    """Whether the host name or address stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _line(row: Property, text: str) -> str:
    if _CONTROL.search(text):
        raise InterfaceError(f"{row.name}: line breaks and control characters are not allowed")
    return text


def _text(row: Property, text: str) -> str:
    if "\x00" in text:
        raise InterfaceError(f"{row.name}: the NUL character is not allowed")
    return text


def _whole(row: Property, text: str) -> int:
    if not re.fullmatch(r"\s*[-+]?\d{1,15}\s*", text, re.ASCII):
        raise InterfaceError(f"{row.name}: expected a whole number")
    number = int(text)
    if row.allowed:
        low, high = (int(end) for end in row.allowed[0].split(".."))
        if not low <= number <= high:
            raise InterfaceError(f"{row.name}: expected a whole number from {low} to {high}")
    return number


def _seconds(row: Property, text: str) -> float:
    if not re.fullmatch(r"\s*\d{1,9}(\.\d{0,9})?\s*", text, re.ASCII):
        raise InterfaceError(f"{row.name}: expected seconds, 0 or more")
    return float(text)


def _size(row: Property, text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise InterfaceError(f"{row.name}: expected a size such as 100MB")
    return int(found[1]) << _SHIFTS[found[2].lower()]


def _truth(row: Property, text: str) -> bool:
    found = _TRUTH.get(text.strip().lower())
    if found is None:
        raise InterfaceError(f"{row.name}: expected true or false")
    return found


def _choice(row: Property, text: str) -> str:
    for allowed in row.allowed:
        if allowed.lower() == text.strip().lower():
            return allowed
    raise InterfaceError(f"{row.name}: expected one of {', '.join(row.allowed)}")


def _organization(row: Property, text: str) -> str:
    text = text.strip()
    parts = _split_url(row, text)
    if parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise InterfaceError(f"{row.name}: expected https://host[:port] and nothing behind it")
    host = parts.hostname or ""
    if parts.scheme == "http" and not is_loopback(host):
        raise InterfaceError(f"{row.name}: http is allowed for loopback hosts only; write https://")
    shown = f"[{host}]" if ":" in host else host
    default_port = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port not in (None, default_port) else "")


def _split_url(row: Property, text: str) -> SplitResult:
    problem = InterfaceError(f"{row.name}: expected a URL such as https://contoso.crm.dynamics.com")
    if not re.fullmatch(r"[\x21-\x7e]{1,2048}", text):
        raise problem
    try:
        parts = urlsplit(text)
        if parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or "") and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise problem


_READERS: dict[str, Callable[[Property, str], Value]] = {
    "str": _line,
    "path": _line,
    "text": _text,
    "int": _whole,
    "seconds": _seconds,
    "size": _size,
    "bool": _truth,
    "choice": _choice,
    "url": _organization,
}
