"""Contents of file and image columns on their way here: in ranges, each checked to continue the one before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from sqlalchemy_dynamics.errors import DataverseError, OperationalError
from sqlalchemy_dynamics.execute.sources import PIECE
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse, Send

__all__ = ["Range", "StoredFile", "next_range", "pieces", "range_of", "size_of"]

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_FULL = "?size=full"


@dataclass(frozen=True)
class Range:
    """Bytes of a content from `start`; `total` is the size of the whole, `tag` changes with the content."""

    data: bytes
    start: int
    total: int
    name: str = ""
    tag: str = ""


def range_of(send: Send, address: str, start: int, length: int = PIECE) -> Range | None:
    """Return a part of a content, None when the cell is empty. Raises OperationalError for a reply that is no part.

    A service that does not know ranges answers with the whole.
    """
    span = {"Accept": "*/*", "Range": f"bytes={start}-{start + length - 1}"}
    try:
        reply = send(HttpRequest("GET", address, span, repeatable=True))
    except DataverseError as error:
        if error.status == 416:
            return Range(b"", start, start)
        if not _is_empty(error):
            raise
        # An image that was stored before its column kept full sizes has a thumbnail only.
        return range_of(send, address.removesuffix(_FULL), start, length) if address.endswith(_FULL) else None
    return None if reply.status == 204 else _range(reply, start, length)


def pieces(send: Send, address: str) -> Iterator[Range]:
    """Yield the content of a cell from front to back, nothing when there is none.

    Raises OperationalError when the content changes on the way.
    """
    part = range_of(send, address, 0)
    while part is not None:
        yield part
        start = part.start + len(part.data)
        if start >= part.total:
            return
        part = next_range(send, address, start, part)


def next_range(send: Send, address: str, start: int, known: Range) -> Range:
    """Return a part of the content that `known` is a part of. Raises OperationalError when it is another by now."""
    part = range_of(send, address, start)
    if part is None or not part.data or (part.total, part.tag) != (known.total, known.tag):
        raise OperationalError(f"{address} changed while it was read; read it again")
    return part


def size_of(send: Send, address: str) -> int | None:
    """Return the size of a content in bytes, None when the cell is empty; one byte of it is fetched."""
    found = range_of(send, address, 0, 1)
    return None if found is None else found.total


class StoredFile:
    """The content of a cell, to be sent to another one; `file_name` is known once the first piece is read."""

    def __init__(self, send: Send, address: str) -> None:
        self._send, self._address = send, address
        self.file_name = ""

    def __iter__(self) -> Iterator[bytes]:
        for part in pieces(self._send, self._address):
            self.file_name = part.name
            yield part.data


def _range(reply: HttpResponse, start: int, length: int) -> Range:
    name, tag = unquote(reply.header("x-ms-file-name")), reply.header("ETag")
    if reply.status != 206:
        return Range(reply.body[start:], start, len(reply.body), name, tag)
    return Range(reply.body, start, _total(reply, start, length), name, tag)


def _total(reply: HttpResponse, start: int, length: int) -> int:
    """The size of the whole, by the headers there are; a part that is shorter than asked for is the last one."""
    told, size, end = reply.header("Content-Range"), reply.header("x-ms-file-size"), start + len(reply.body)
    match = _RANGE.fullmatch(told)
    if match is not None and (int(match[1]), int(match[2]) + 1) == (start, end):
        return int(match[3])
    if told == "" and size.isdecimal() and (end == int(size) or len(reply.body) == length):
        return int(size)
    if told == "" and size == "" and len(reply.body) < length:
        return end
    raise OperationalError(f"the service answered with {told or 'no range'!r} from byte {start} on; read it again")


def _is_empty(error: DataverseError) -> bool:
    """Whether the row is there and the cell holds nothing (dataverse-web-api: file columns; the text is UNVERIFIED)."""
    return "No file attachment" in str(error) or "No FileAttachment" in str(error)
