"""Error replies to exceptions: THE table of Dataverse codes, and of HTTP statuses for codes that are not in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from html import unescape

import msgspec

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.errors import DataverseError
from sqlalchemy_dynamics.odata.messages import HttpResponse

__all__ = ["CODES", "STATUSES", "Fault", "check", "error_of", "normal_code", "retry_after"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Which error a code or status raises, and the hint that says what to do."""

    error: type[DataverseError]
    hint: str = ""


_OPERATIONAL, _PROGRAMMING = errors.DataverseOperationalError, errors.DataverseProgrammingError
_INTEGRITY, _DATA = errors.DataverseIntegrityError, errors.DataverseDataError
_UNSUPPORTED, _THROTTLED = errors.DataverseNotSupportedError, errors.ThrottledError

_PRIVILEGE = "Ask for a security role that holds the privilege, or sign in as another user."
_SECURED = "The column is secured: ask for a column security profile, or leave the column out."
_UNKNOWN_NAME = "Check the spelling of tables and columns; a table or column made seconds ago may need a moment."
_RANGE = "Change the value to fit the column; `dynamics describe` shows its range."
_LENGTH = "Shorten the text, or raise the column's maximum length."
_THROTTLE = "Wait as long as the service asks, send fewer requests at once, or select less."
_SLOW = "Filter on fewer or indexed columns; text patterns that begin with a wildcard are slow."
_EXISTS = "Choose another name."
_DUPLICATE = "A row with this key exists: update it instead, or use other key values."
_REFERENCED = "Other rows refer to it: delete or reassign those first."

# dataverse-web-api: table of error codes.
CODES: Mapping[str, Fault] = {
    "0x80040217": Fault(_INTEGRITY, "The row addressed, or a row that a lookup points to, does not exist."),
    "0x80060891": Fault(_INTEGRITY, "No row has these alternate key values."),
    "0x80060890": Fault(_PROGRAMMING, "Name all columns of one active alternate key."),
    "0x8006088a": Fault(_PROGRAMMING, _UNKNOWN_NAME),
    "0x80060888": Fault(_PROGRAMMING, "The service does not take this query option or path."),
    "0x80048d19": Fault(_PROGRAMMING, "Check column names and the types of the values written."),
    "0x80048d0b": Fault(_UNSUPPORTED, "Elastic tables cannot be joined by the service."),
    "0x80040237": Fault(_INTEGRITY, _DUPLICATE),
    "0x80060892": Fault(_INTEGRITY, _DUPLICATE),
    "0x80040333": Fault(_INTEGRITY, "A duplicate detection rule found a similar row."),
    "0x80060882": Fault(_INTEGRITY, "Someone changed the row in the meantime: read it again."),
    "0x80060883": Fault(_PROGRAMMING),
    "0x8006088d": Fault(_UNSUPPORTED, "The table has no optimistic concurrency."),
    "0x80040220": Fault(_OPERATIONAL, _PRIVILEGE),
    "0x80040231": Fault(_OPERATIONAL, _PRIVILEGE),
    "0x80048405": Fault(_OPERATIONAL, _PRIVILEGE),
    "0x80040256": Fault(_OPERATIONAL, _PRIVILEGE),
    "0x8004f504": Fault(_OPERATIONAL, _SECURED),
    "0x8004f503": Fault(_OPERATIONAL, _SECURED),
    "0x8004f507": Fault(_OPERATIONAL, _SECURED),
    "0x80042f09": Fault(_OPERATIONAL, "Assign a security role to the user."),
    "0x80072560": Fault(_OPERATIONAL, "Add the user to the organisation, an app registration as application user."),
    "0x80095ffc": Fault(_OPERATIONAL, "The organisation blocks this app: allow it, or set another OAuthClientId."),
    "0x80044331": Fault(_DATA, _LENGTH),
    "0x80044330": Fault(_DATA, _RANGE),
    "0x8004432f": Fault(_DATA, _RANGE),
    "0x8004431a": Fault(_DATA, "Use one of the choice's values; `dynamics describe` lists them."),
    "0x80061005": Fault(_DATA, "Use one of the choice's values; `dynamics describe` lists them."),
    "0x8004431c": Fault(_DATA, _RANGE),
    "0x80040239": Fault(_DATA, "Dates run from 1753-01-01 to 9999-12-30."),
    "0x80048408": Fault(_DATA, "The statuscode must belong to the statecode."),
    "0x80040200": Fault(_INTEGRITY, "Give the required column a value."),
    "0x80041103": Fault(_PROGRAMMING, _UNKNOWN_NAME),
    "0x80041102": Fault(_PROGRAMMING, _UNKNOWN_NAME),
    "0x8004112f": Fault(_PROGRAMMING, "The service cannot aggregate a column of this type."),
    "0x80041130": Fault(_PROGRAMMING, "Give every aggregate its own alias."),
    "0x80041129": Fault(_PROGRAMMING),
    "0x8004e023": Fault(_OPERATIONAL, "The service aggregates 50,000 rows at most: filter more narrowly."),
    "0x8004430d": Fault(_PROGRAMMING, "The service follows 15 related tables in one query at most."),
    "0x80044150": Fault(_OPERATIONAL, "The service's database failed: try again."),
    "0x80044151": Fault(_OPERATIONAL, _SLOW),
    "0x80048573": Fault(_OPERATIONAL, _SLOW),
    "0x80048574": Fault(_OPERATIONAL, _SLOW),
    "0x80048575": Fault(_OPERATIONAL, _SLOW),
    "0x80040203": Fault(_PROGRAMMING),
    "0x80040216": Fault(_OPERATIONAL, "The service failed unexpectedly; new tables and columns need a moment."),
    "0x8004023b": Fault(_UNSUPPORTED),
    "0x80040315": Fault(_UNSUPPORTED),
    "0x80040800": Fault(_UNSUPPORTED, "The table does not take this kind of change."),
    "0x80040227": Fault(_INTEGRITY, _REFERENCED),
    "0x80040265": Fault(_OPERATIONAL, "A plug-in or workflow of the organisation refused the change."),
    "0x80044352": Fault(_OPERATIONAL, "The change tracking token is too old: read the whole table again."),
    "0x8004418a": Fault(_OPERATIONAL, "Send fewer or smaller rows in one request."),
    "0x80044a02": Fault(_DATA, "The file is larger than the column allows."),
    "0x80072553": Fault(_DATA, "The bytes are not an image that the service reads."),
    "0x8004700b": Fault(_PROGRAMMING, _EXISTS),
    "0x80047013": Fault(_PROGRAMMING, _EXISTS),
    "0x8004432b": Fault(_PROGRAMMING, _EXISTS),
    "0x80044345": Fault(_PROGRAMMING, _EXISTS),
    "0x80060893": Fault(_PROGRAMMING, _EXISTS),
    "0x80060894": Fault(_PROGRAMMING, "Another key has the same columns."),
    "0x8004f01f": Fault(_INTEGRITY, "Other components depend on it: drop those first."),
    "0x80071151": Fault(_OPERATIONAL, "An import or customisation is running: try again in a minute."),
    "0x80097528": Fault(_OPERATIONAL, "The table retains no rows."),
    "0x8009752b": Fault(_OPERATIONAL, "The table retains no rows."),
    "0x80072322": Fault(_THROTTLED, _THROTTLE),
    "0x80072321": Fault(_THROTTLED, _THROTTLE),
    "0x80072326": Fault(_THROTTLED, _THROTTLE),
}

STATUSES: Mapping[int, Fault] = {
    400: Fault(_PROGRAMMING, "Check the names of tables and columns, and the types of the values."),
    401: Fault(errors.DataverseAuthenticationError, "Sign in again: InitiateOAuth=GETANDREFRESH, or `dynamics login`."),
    403: Fault(_OPERATIONAL, _PRIVILEGE),
    404: Fault(_PROGRAMMING, _UNKNOWN_NAME),
    405: Fault(_UNSUPPORTED),
    407: Fault(_OPERATIONAL, "The proxy wants a sign-in: set ProxyUser and ProxyPassword."),
    412: Fault(_INTEGRITY),
    413: Fault(_OPERATIONAL, "Send fewer or smaller rows in one request."),
    414: Fault(_OPERATIONAL, "The request's address is too long: select fewer columns or filter on fewer values."),
    429: Fault(_THROTTLED, _THROTTLE),
    501: Fault(_UNSUPPORTED),
}
_OTHER_STATUS = Fault(_OPERATIONAL, "Try again; if it stays, check OrganizationUrl and the proxy settings.")
_NOT_DATAVERSE = "This answer is not from Dataverse: check OrganizationUrl, ProxyServer and the firewall."
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_WHOLE = re.compile(r"[+-]?\d{5,}")


def check(response: HttpResponse) -> HttpResponse:
    """Return the reply when it is a success (or 304), else raise its error."""
    if response.status < 300 or response.status == 304:
        return response
    raise error_of(response)


def error_of(response: HttpResponse) -> DataverseError:
    """Return the error that a reply describes: JSON of the service, a proxy's page, or nothing but a status.

    The message carries the service's text, status, code, request id and a hint.
    """
    code, message = _said(response)
    code = normal_code(code)
    fault = STATUSES[response.status] if response.status in (401, 429) else CODES.get(code)
    fault = fault or STATUSES.get(response.status, _OTHER_STATUS)
    request_id = response.header("x-ms-service-request-id") or response.header("req_id")
    return fault.error(
        _sentence(message or _page_title(response) or "No reason was given.", response, code, request_id, fault.hint),
        status=response.status,
        code=code,
        request_id=request_id,
        retry_after=retry_after(response),
    )


def normal_code(code: str) -> str:
    """Return a code as ``0x`` and lower-case digits; the service also writes upper case and signed decimals."""
    if _WHOLE.fullmatch(code):
        return f"0x{int(code) & 0xFFFFFFFF:08x}"
    return code.strip().lower()


def _said(response: HttpResponse) -> tuple[str, str]:
    """Code and message of ``{"error": {"code", "message"}}``, or two empty texts (dataverse-web-api: error body)."""
    try:
        reply = msgspec.json.decode(response.body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", ""
    error = reply.get("error", reply) if isinstance(reply, dict) else {}
    if not isinstance(error, dict):
        return "", str(error)
    return str(error.get("code") or ""), str(error.get("message") or error.get("Message") or "")


def _page_title(response: HttpResponse) -> str:
    body = response.body[:20_000].decode("utf-8", "replace")
    if not body.strip():
        return ""
    title = _TITLE.search(body)
    return f"{' '.join(unescape(title[1]).split())[:200]!r}. {_NOT_DATAVERSE}" if title else _NOT_DATAVERSE


def _sentence(message: str, response: HttpResponse, code: str, request_id: str, hint: str) -> str:
    facts = [f"HTTP {response.status}", code, f"request {request_id}" if request_id else ""]
    text = f"{message.strip()} ({', '.join(filter(None, facts))})"
    return f"{text} {hint}".rstrip()


def retry_after(response: HttpResponse) -> float | None:
    """Seconds; a date is taken relative to the reply's own `Date`."""
    text = response.header("retry-after").strip()
    try:
        return max(0.0, float(text)) if text[:1].isdigit() else _between(response.header("date"), text)
    except (TypeError, ValueError):
        return None


def _between(now: str, then: str) -> float:
    return max(0.0, (parsedate_to_datetime(then) - parsedate_to_datetime(now)).total_seconds())
