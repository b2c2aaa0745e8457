"""What may be given as the content of a file: bytes, a binary file object, an iterable of bytes, a file of another row.

Read piece by piece, so that no more than a piece of it is in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy_dynamics.errors import DataError

__all__ = ["PIECE", "Source", "is_stream", "source_of", "whole"]

PIECE = 4 * 1024 * 1024
"""Bytes that are sent or asked for at once (dataverse-web-api: blocks of at most 4 MB)."""

_BYTES = (bytes, bytearray, memoryview)
_NO_STREAMS = (*_BYTES, str, dict, tuple, list, set, frozenset)


@dataclass
class Source:
    """A content to send. `size` is None when it is not known before the end."""

    given: Any
    size: int | None

    @property
    def name(self) -> str:
        """The name that comes with it: that of a file of another row."""
        return str(getattr(self.given, "file_name", ""))

    def pieces(self) -> Iterator[bytes]:
        """Yield the content, all pieces but the last of full length. Raises DataError for anything but bytes."""
        if isinstance(self.given, _BYTES):
            yield from _slices(memoryview(self.given).cast("B"))
        elif hasattr(self.given, "read"):
            yield from _filled(iter(lambda: self.given.read(PIECE), b""))
        else:
            yield from _filled(self.given)


def is_stream(value: object) -> bool:
    """Say whether bytes may be read from a value bit by bit."""
    return hasattr(value, "read") or (isinstance(value, Iterable) and not isinstance(value, _NO_STREAMS))


def source_of(value: object) -> Source | None:
    """Return the source that a value is, None when it cannot be one."""
    if isinstance(value, _BYTES):
        return Source(value, memoryview(value).nbytes)
    if hasattr(value, "read"):
        return Source(value, _size_left(value))
    return Source(value, None) if is_stream(value) else None


def whole(source: Source) -> bytes:
    """Return all of a content."""
    return source.given if isinstance(source.given, bytes) else b"".join(source.pieces())


def _size_left(file: Any) -> int | None:
    try:
        if not file.seekable():
            return None
        here = file.tell()
        end = file.seek(0, 2)
        file.seek(here)
    except (AttributeError, OSError):
        return None
    return int(end - here)


def _slices(view: memoryview) -> Iterator[bytes]:
    for start in range(0, len(view), PIECE):
        yield bytes(view[start : start + PIECE])


def _filled(parts: Iterable[Any]) -> Iterator[bytes]:
    """Put parts of any length together to pieces of full length."""
    held = bytearray()
    for part in parts:
        if not isinstance(part, _BYTES):
            raise DataError(f"a file holds bytes, not {type(part).__name__}: open it in binary mode")
        if len(part) == PIECE and not held:
            yield bytes(part)
            continue
        held += part
        while len(held) >= PIECE:
            with memoryview(held) as view:
                piece = bytes(view[:PIECE])
            del held[:PIECE]
            yield piece
    if held:
        yield bytes(held)
