"""Values and their text: one canonical value, one format, one parse per Edm type. Only here is anything escaped."""

from __future__ import annotations

import base64
import json
import operator
import re
import reprlib
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, SupportsIndex, cast
from urllib.parse import quote as percent_encode

from sqlalchemy_dynamics.errors import DataError, NotSupportedError

__all__ = [
    "convert",
    "encode",
    "encoded_length",
    "escape_wildcards",
    "function_text",
    "json_value",
    "literal",
    "quote",
    "string_list",
]

_INTEGER_BITS = {"Edm.Byte": (0, 8), "Edm.Int16": (15, 15), "Edm.Int32": (31, 31), "Edm.Int64": (63, 63)}
_MOST_DIGITS = 38
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_WILDCARDS = re.compile(r"[\[%_]")
# Strings inside an option's text; in them everything that is not unreserved travels as %XX, outside of them the
# characters that structure an option stay readable (dataverse-web-api: URL-encode inside values).
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\"""")
_STRUCTURE = "'(),/:@$=*!"


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one Edm type converts: `accept` takes anything but text, `parse` text, `text` the canonical value."""

    accept: Callable[[Any], object]
    parse: Callable[[str], object]
    text: Callable[[Any], str] = str
    prefix: str | None = None  # before the quoted literal; None: the literal is bare
    native: bool = False  # a JSON number or boolean rather than a JSON string


def convert(value: object, edm: str) -> object:
    """Return the canonical Python value of an Edm type.

    Guid: lower-case str; Int*: int; Decimal; Double: float; Boolean: bool; DateTimeOffset: aware datetime in UTC
    (a naive one is taken as UTC); Date: date; Binary: bytes; String, TimeOfDay, Duration: str. Text is parsed.
    Raises DataError when the value cannot be one of that type, NotSupportedError for an unknown type.
    """
    kind = _kind(edm)
    try:
        return kind.parse(value) if isinstance(value, str) else kind.accept(value)
    except (TypeError, ValueError, ArithmeticError) as error:
        reason = str(error) if type(error) in (TypeError, ValueError) else "it is malformed or out of range"
        raise DataError(f"{_brief(value)} is not a value of {edm}: {reason}") from None


def _brief(value: object) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes out no integers of thousands of digits
        return "a number of thousands of digits"


def literal(value: object, edm: str) -> str:
    """Return the value as a literal of `$filter`, not yet percent-encoded: ``'O''Brian'``, ``5``, a bare GUID."""
    kind, text = _kind(edm), function_text(value, edm)
    return text if kind.prefix is None else kind.prefix + quote(text)


def function_text(value: object, edm: str) -> str:
    """Return the bare text of a value, as the string values of `Microsoft.Dynamics.CRM.*` functions want it."""
    return _kind(edm).text(convert(value, edm))


def json_value(value: object, edm: str) -> object:
    """Return the value as it stands in a JSON body: None, bool, int, float, Decimal (a JSON number) or str."""
    if value is None:
        return None
    return convert(value, edm) if _kind(edm).native else function_text(value, edm)


def quote(text: str) -> str:
    """Return text as an OData string literal; an apostrophe is doubled."""
    return "'" + text.replace("'", "''") + "'"


def string_list(texts: Iterable[str]) -> str:
    """Return the value of `PropertyValues`: a JSON array of strings."""
    return json.dumps(list(texts), ensure_ascii=False, separators=(",", ":"))


def escape_wildcards(text: str) -> str:
    """Bracket what the server's LIKE would take as a wildcard (dataverse-web-api: string matching)."""
    return _WILDCARDS.sub(r"[\g<0>]", text)


def encode(text: str, keep: str = "") -> str:
    """Percent-encode the value of a query option; outside of strings the characters in `keep` stay as they are."""
    parts, start = [], 0
    for found in _QUOTED.finditer(text):
        parts.append(percent_encode(text[start : found.start()], safe=_STRUCTURE + keep))
        parts.append(percent_encode(found[0], safe="'"))
        start = found.end()
    return "".join(parts) + percent_encode(text[start:], safe=_STRUCTURE + keep)


def encoded_length(text: str) -> int:
    """Return how many characters a text takes in a URL at most, whichever way it is quoted there."""
    escaped = sum(map(text.count, "'\"\\[%_"))
    return len(percent_encode(text.encode(errors="replace"), safe="")) + 6 * escaped + 12


def _kind(edm: str) -> _Kind:
    try:
        return _KINDS[edm]
    except KeyError:
        raise NotSupportedError(f"values of type {edm} cannot be sent") from None


def _no_bool(value: object, wanted: str) -> object:
    if isinstance(value, (bool, date, timedelta, time, bytes, uuid.UUID)):
        raise TypeError(f"it wants {wanted}, not {type(value).__name__}")
    return value


def _plain_number(text: str) -> str:
    if "_" in text:
        raise ValueError("a number has no underscores")
    return text


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"it wants text, not {type(value).__name__}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("the text holds half a surrogate pair") from None
    return str(value)


def _guid(value: object) -> str:
    if isinstance(value, uuid.UUID):
        return str(value)
    if not isinstance(value, str):
        raise TypeError(f"it wants a UUID or its text, not {type(value).__name__}")
    return str(uuid.UUID(value.strip()))


def _integer(edm: str) -> Callable[[object], int]:
    low, high = _INTEGER_BITS[edm]
    least, most = -(1 << low) if low else 0, (1 << high) - 1

    def accept(value: object) -> int:
        value = _no_bool(value, "a whole number")
        if not least <= cast(int, value) <= most:
            raise ValueError(f"it must lie between {least} and {most}")
        if hasattr(value, "__index__"):
            return operator.index(cast(SupportsIndex, value))
        whole = int(cast(float, value))
        if whole != value:
            raise ValueError("it must be a whole number")
        return whole

    return accept


def _decimal(value: object) -> Decimal:
    _no_bool(value, "a number")
    if hasattr(value, "__index__"):
        value = Decimal(operator.index(cast(SupportsIndex, value)))
    number = value if isinstance(value, Decimal) else Decimal(repr(float(cast(float, value))))
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError("it must be finite")
    if number and (number.adjusted() >= _MOST_DIGITS or exponent < -_MOST_DIGITS):
        raise ValueError(f"it needs more than {_MOST_DIGITS} digits")
    return number


def _decimal_text(number: Decimal) -> str:
    return format(number, "f") if number else "0"


def _double(value: object) -> float:
    number = float(cast(float, _no_bool(value, "a number")))
    if number - number != 0:
        raise ValueError("it must be finite")
    return number


def _boolean(value: object) -> bool:
    if value in (0, 1):
        return bool(value)
    raise ValueError("it wants true or false")


def _boolean_of(text: str) -> bool:
    found = {"true": True, "false": False, "1": True, "0": False}.get(text.strip().lower())
    if found is None:
        raise ValueError("it wants true or false")
    return found


def _moment(value: object) -> datetime:
    if not isinstance(value, date):
        raise TypeError(f"it wants a datetime, not {type(value).__name__}")
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if value.tzinfo is not None:
        value = value.astimezone(UTC)
    return datetime.combine(value.date(), value.time(), UTC)


def _moment_text(value: datetime) -> str:
    return value.replace(tzinfo=None).isoformat() + "Z"


def _day(value: object) -> date:
    if not isinstance(value, date):
        raise TypeError(f"it wants a date, not {type(value).__name__}")
    if not isinstance(value, datetime):
        return value
    moment = _moment(value)
    if moment.time() != time():
        raise ValueError("a date has no time of day")
    return moment.date()


def _day_of(text: str) -> date:
    return _day(datetime.fromisoformat(text.strip()))


def _binary(value: object) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"it wants bytes or base64 text, not {type(value).__name__}")
    return bytes(value)


def _binary_of(text: str) -> bytes:
    return base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)


def _time_text(value: object) -> str:
    if not isinstance(value, time) or value.tzinfo is not None:
        raise TypeError(f"it wants a time without zone, not {type(value).__name__}")
    return value.isoformat()


def _duration_text(value: object) -> str:
    if not isinstance(value, timedelta):
        raise TypeError(f"it wants a timedelta, not {type(value).__name__}")
    rest = abs(value)
    seconds = Decimal(rest.seconds) + Decimal(rest.microseconds).scaleb(-6)
    sign = "-" if value < timedelta() else ""
    return f"{sign}P{rest.days}DT{seconds.normalize():f}S"


def _duration_of(text: str) -> str:
    found = _DURATION.fullmatch(text.strip())
    if found is None or len(found[0].strip("-")) < 3:
        raise ValueError("it wants ISO 8601 such as P1DT2H")
    days, hours, minutes = (int(part or 0) for part in found.group(2, 3, 4))
    micros = int(Decimal(found[5] or 0) * 1_000_000)
    value = timedelta(days=days, hours=hours, minutes=minutes, microseconds=micros)
    return _duration_text(-value if found[1] else value)


def _integer_kind(edm: str) -> _Kind:
    accept = _integer(edm)
    return _Kind(accept, lambda text: accept(Decimal(_plain_number(text))), native=True)


_KINDS: dict[str, _Kind] = {
    "Edm.Guid": _Kind(_guid, _guid),
    "Edm.String": _Kind(_string, _string, prefix=""),
    **{edm: _integer_kind(edm) for edm in _INTEGER_BITS},
    "Edm.Decimal": _Kind(_decimal, lambda text: _decimal(Decimal(_plain_number(text))), _decimal_text, native=True),
    "Edm.Single": _Kind(_double, lambda text: _double(float(_plain_number(text))), repr, native=True),
    "Edm.Double": _Kind(_double, lambda text: _double(float(_plain_number(text))), repr, native=True),
    "Edm.Boolean": _Kind(_boolean, _boolean_of, lambda value: "true" if value else "false", native=True),
    "Edm.DateTimeOffset": _Kind(_moment, lambda text: _moment(datetime.fromisoformat(text.strip())), _moment_text),
    "Edm.Date": _Kind(_day, _day_of, date.isoformat),
    "Edm.Binary": _Kind(_binary, _binary_of, lambda value: base64.b64encode(value).decode(), prefix="binary"),
    "Edm.TimeOfDay": _Kind(_time_text, lambda text: _time_text(time.fromisoformat(text.strip()))),
    "Edm.Duration": _Kind(_duration_text, _duration_of, prefix="duration"),
}
