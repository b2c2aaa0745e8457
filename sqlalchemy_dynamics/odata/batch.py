"""`$batch`: many requests in one multipart body, and its reply taken apart again. A torn reply is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message

from sqlalchemy_dynamics.errors import InternalError, NotSupportedError, OperationalError
from sqlalchemy_dynamics.odata.faults import error_of
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse

__all__ = ["MOST_PARTS", "ChangeSet", "pack", "unpack"]

MOST_PARTS = 1000
"""Requests in one batch (dataverse-web-api: `$batch`)."""

_CRLF = b"\r\n"
_STATUS_LINE = re.compile(rb"HTTP/\d\.\d (\d{3})(?: [^\r\n]*)?\Z")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")


@dataclass(frozen=True)
class ChangeSet:
    """Writes that succeed or fail together; each may refer to an earlier one as ``$1``, ``$2``, …"""

    requests: tuple[HttpRequest, ...]


def pack(parts: Sequence[HttpRequest | ChangeSet], boundary: str, *, continue_on_error: bool = False) -> HttpRequest:
    """Return the POST of `$batch`. `boundary` must be random enough to occur in no body.

    Raises NotSupportedError above 1000 requests, InternalError for a GET in a change set or an unlucky boundary.
    """
    requests = [each for part in parts for each in (part.requests if isinstance(part, ChangeSet) else (part,))]
    if len(requests) > MOST_PARTS:
        raise NotSupportedError(f"a batch holds {MOST_PARTS} requests at most, not {len(requests)}: send several")
    if any(boundary.encode() in each.body for each in requests if each.body):
        raise InternalError("the batch boundary occurs in a body: choose another")
    headers = {"Content-Type": f'multipart/mixed; boundary="{boundary}"', "Accept": "application/json"}
    if continue_on_error:
        headers["Prefer"] = "odata.continue-on-error"
    body = _multipart([_part(part, f"{boundary}_{n}") for n, part in enumerate(parts, start=1)], boundary)
    return HttpRequest("POST", "$batch", headers, body, repeatable=all(each.repeatable for each in requests))


def unpack(response: HttpResponse, expected: int | None = None) -> list[HttpResponse | list[HttpResponse]]:
    """Return the replies in request order; those of a change set as a list, or one reply when it failed as a whole.

    Without continue-on-error the replies end with the first that failed. `expected` is the number of parts sent.
    Raises the service's error when the batch as a whole was refused, OperationalError when the body is torn or
    holds fewer replies than the rule above allows.
    """
    boundary = _boundary(response.header("content-type"))
    if boundary is None:
        raise error_of(response) if response.status >= 300 else _damaged("it is not multipart/mixed")
    replies = [_reply(headers, body) for headers, body in _split(response.body, boundary)]
    if expected is not None and (len(replies) > expected or (len(replies) < expected and not _failed(replies))):
        raise _damaged(f"{expected} replies were due and {len(replies)} came")
    return replies


def _failed(replies: list[HttpResponse | list[HttpResponse]]) -> bool:
    return bool(replies) and isinstance(last := replies[-1], HttpResponse) and last.status >= 400


def _multipart(parts: Sequence[bytes], boundary: str) -> bytes:
    mark = b"--" + boundary.encode()
    return b"".join(mark + _CRLF + part + _CRLF for part in parts) + mark + b"--" + _CRLF


def _part(part: HttpRequest | ChangeSet, boundary: str) -> bytes:
    if isinstance(part, HttpRequest):
        return _http(part, ())
    if any(each.method == "GET" for each in part.requests):
        raise InternalError("a change set holds writes only")
    inner = [_http(each, (f"Content-ID: {n}",)) for n, each in enumerate(part.requests, start=1)]
    return _lines(f'Content-Type: multipart/mixed; boundary="{boundary}"', "") + _multipart(inner, boundary)


def _http(request: HttpRequest, more: Sequence[str]) -> bytes:
    defaults = {"Accept": "application/json"} if request.body is None else {"Content-Type": "application/json"}
    headers = [f"{name}: {value}" for name, value in {**defaults, **request.headers}.items()]
    if any("\r" in line or "\n" in line for line in (request.url, *headers)):
        raise InternalError("a request line or header holds a line break")
    envelope = ("Content-Type: application/http", "Content-Transfer-Encoding: binary", *more, "")
    return _lines(*envelope, f"{request.method} {request.url} HTTP/1.1", *headers, "") + (request.body or b"")


def _lines(*lines: str) -> bytes:
    return b"".join(line.encode() + _CRLF for line in lines)


def _boundary(content_type: str) -> str | None:
    message = Message()
    message["Content-Type"] = content_type
    return message.get_boundary() if message.get_content_maintype() == "multipart" else None


def _split(body: bytes, boundary: str) -> Iterator[tuple[Mapping[str, str], bytes]]:
    """Headers and content of each part; the closing mark must be there."""
    mark = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    start = None
    for found in mark.finditer(body):
        if start is not None:
            yield _headed(body[start : found.start()])
        start = body.find(b"\n", found.end()) + 1
        if found[1]:
            return
    raise _damaged("its end is missing")


def _headed(part: bytes) -> tuple[Mapping[str, str], bytes]:
    if _LINE_END.match(part):
        return {}, _LINE_END.sub(b"", part, count=1)
    head, *rest = _BLANK_LINE.split(part, maxsplit=1)
    lines = (line.partition(":") for line in _LINE_END.sub(b"\n", head).decode("latin-1").split("\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in lines}, rest[0] if rest else b""


def _reply(headers: Mapping[str, str], content: bytes) -> HttpResponse | list[HttpResponse]:
    boundary = _boundary(headers.get("content-type", ""))
    if boundary is None:
        return _response(content)
    return [_response(inner) for _, inner in _split(content, boundary)]


def _response(content: bytes) -> HttpResponse:
    line, *rest = _LINE_END.split(content, maxsplit=1)
    status = _STATUS_LINE.match(line)
    if status is None:
        raise _damaged("a part does not begin with an HTTP status")
    headers, body = _headed(rest[0] if rest else b"")
    return HttpResponse(int(status[1]), headers, _measured(body, headers.get("content-length", "")))


def _measured(body: bytes, length: str) -> bytes:
    """The body cut to its stated length; only blanks may follow it."""
    if not length.isdigit():
        return body
    if len(body) < int(length) or body[int(length) :].strip():
        raise _damaged(f"a part should hold {length} bytes and holds {len(body)}")
    return body[: int(length)]


def _damaged(why: str) -> OperationalError:
    return OperationalError(f"the reply to a batch is damaged: {why}. Try again; check the proxy if it stays.")
