"""Contents of file and image columns: sent after the row, large ones in chunks; read in ranges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy_dynamics.errors import DataError, OperationalError
from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.changes import remove_value
from sqlalchemy_dynamics.odata.messages import HttpRequest

if TYPE_CHECKING:
    from sqlalchemy_dynamics.session import Session

__all__ = ["CHUNK", "Content", "content_of", "read_file", "send_file"]

CHUNK = 4 * 1024 * 1024
"""Bytes sent or asked for at once, unless the service names another size (dataverse-web-api: file columns)."""


@dataclass(frozen=True)
class Content:
    """What a file column is set to; `data` None empties it."""

    column: str
    name: str
    data: bytes | None


def content_of(column: Column, value: object) -> Content:
    """Return the content that a value stands for: bytes, a pair of file name and bytes, or None."""
    name = f"{column.name}.bin"
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        name, value = value
    if value is None:
        return Content(column.wire, name, None)
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise DataError(f"{column.name} holds files: give bytes, or (file name, bytes), not {type(value).__name__}")
    return Content(column.wire, name, bytes(value))


def send_file(session: Session, address: str, content: Content) -> None:
    """Set a file column of a row. Sending it again changes nothing, so a lost answer is asked for anew."""
    if content.data is None:
        session.send(replace(remove_value(address, content.column), repeatable=True))
        return
    url, name = f"{address}/{content.column}", quote(content.name)
    if len(content.data) <= CHUNK:
        session.send(_bytes(url, name, content.data))
        return
    start = {"x-ms-transfer-mode": "chunked"}
    reply = session.send(HttpRequest("PATCH", f"{url}?x-ms-file-name={name}", start, repeatable=True))
    place, size = reply.header("Location"), reply.header("x-ms-chunk-size")
    if not place:
        raise OperationalError("the service began an upload and named no place to send it to; try again")
    for first, chunk in _chunks(content.data, int(size) if size.isdigit() else CHUNK):
        span = f"bytes {first}-{first + len(chunk) - 1}/{len(content.data)}"
        session.send(_bytes(place, name, chunk, **{"Content-Range": span}))


def read_file(session: Session, address: str, column: Column) -> Iterator[bytes]:
    """Yield the content of a file column in ranges, that of an image column in full size, in one piece."""
    url = f"{address}/{column.wire}/$value"
    start = 0
    while True:
        headers = {"Accept": "*/*", "Range": f"bytes={start}-{start + CHUNK - 1}"}
        reply = session.send(HttpRequest("GET", url, headers, repeatable=True))
        if reply.body:
            yield reply.body
        total = reply.header("Content-Range").rpartition("/")[2]
        start += len(reply.body)
        if reply.status != 206 or not reply.body or not total.isdigit() or start >= int(total):
            return


def _bytes(url: str, name: str, data: bytes, **headers: str) -> HttpRequest:
    given = {"Content-Type": "application/octet-stream", "x-ms-file-name": name, **headers}
    return HttpRequest("PATCH", url, given, data, repeatable="Content-Range" not in headers)


def _chunks(data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    for first in range(0, len(data), size):
        yield first, data[first : first + size]
