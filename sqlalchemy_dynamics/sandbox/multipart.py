"""The multipart form of `$batch`: a body taken apart into requests and change sets, replies put together again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import pairwise

from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.wire import Reply

__all__ = ["Part", "http_part", "join_parts", "read_batch"]

_BOUNDARY = re.compile(r'^\s*multipart/mixed\s*;.*?\bboundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class Part:
    """One inner request as it came: header names in lower case, the URL in any of its three forms."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    content_id: str = ""


def malformed(message: str) -> ODataError:
    """Return the 400 for a batch that cannot be read (section 6.2: plain JSON, not multipart)."""
    return ODataError(400, "0x80048d19", message)


def read_batch(content_type: str, body: bytes) -> list[Part | list[Part]]:
    """Return the requests of a batch, a list for each change set.

    Line ends may be CRLF or LF; without one after the closing delimiter the service cannot read the stream
    (section 6.2). Raises ODataError 400.
    """
    boundary = _boundary(content_type)
    if not boundary:
        raise malformed(f"The content type '{content_type}' of a batch must be multipart/mixed with a boundary.")
    if not body.endswith(b"\n"):
        raise malformed("Stream was not readable.")
    return [_item(headers, content) for headers, content in _split(body, boundary)]


def _boundary(content_type: str) -> str:
    match = _BOUNDARY.match(content_type)
    return (match[1] or match[2]) if match else ""


def _split(body: bytes, boundary: str) -> Iterator[tuple[dict[str, str], bytes]]:
    mark = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?=\r?\n|$)")
    marks = list(mark.finditer(body))
    if not marks or marks[-1][1] is None:
        raise malformed("Stream was not readable.")
    for opened, closed in pairwise(marks):
        if opened[1] is not None:
            return
        yield _headed(body[opened.end() : closed.start()])


def _headed(text: bytes) -> tuple[dict[str, str], bytes]:
    text = re.sub(rb"^\r?\n", b"", text, count=1)
    if text.startswith((b"\r\n", b"\n")):
        return {}, re.sub(rb"^\r?\n", b"", text, count=1)
    head, *rest = _BLANK_LINE.split(text, maxsplit=1)
    return _headers(head.splitlines()), rest[0] if rest else b""


def _headers(lines: Sequence[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if colon and name.strip():
            key = name.strip().lower()
            headers[key] = f"{headers[key]},{value.strip()}" if key in headers else value.strip()
    return headers


def _item(headers: Mapping[str, str], content: bytes) -> Part | list[Part]:
    inner = _boundary(headers.get("content-type", ""))
    if inner:
        return [_request(each, text) for each, text in _split(content, inner)]
    return _request(headers, content)


def _request(headers: Mapping[str, str], content: bytes) -> Part:
    if not headers.get("content-type", "").lower().startswith("application/http"):
        raise malformed("Every part of a batch must have the content type application/http or multipart/mixed.")
    line, _, rest = content.lstrip(b"\r\n").partition(b"\n")
    words = line.decode("utf-8", "replace").split()
    if len(words) < 3 or not words[-1].upper().startswith("HTTP/"):
        raise malformed(f"The request line '{line.decode('utf-8', 'replace').strip()}' of a part is not valid.")
    inner, body = _headed(b"\n" + rest)
    return Part(words[0].upper(), " ".join(words[1:-1]), inner, body, headers.get("content-id", ""))


def http_part(reply: Reply, content_id: str = "") -> bytes:
    """Return one reply as an application/http part."""
    head = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    head += [f"Content-ID: {content_id}"] if content_id else []
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items() if not name.startswith(":")]
    return "\r\n".join([*head, "", *lines, "", ""]).encode() + reply.body


def join_parts(parts: Sequence[bytes], boundary: str) -> bytes:
    """Return parts between their delimiters."""
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
