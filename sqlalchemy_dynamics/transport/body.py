"""The body of a reply: plain or gzip, complete or an error."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

__all__ = ["BodyError", "read_body"]

_GZIP = 16 + zlib.MAX_WBITS


class BodyError(Exception):
    """The body is damaged, ends early, is too large or of an unknown encoding."""


def read_body(chunks: Iterable[bytes], encoding: str, largest: int) -> bytes:
    """Join and decompress `chunks`. Raises BodyError, also when a gzip stream ends early or `largest` is passed."""
    if encoding in ("", "identity"):
        return _joined(chunks, largest)
    if encoding not in ("gzip", "x-gzip"):
        raise BodyError("it is compressed in a way that was not asked for")
    return _joined(_inflated(chunks), largest)


def _joined(chunks: Iterable[bytes], largest: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > largest:
            raise BodyError(f"it is larger than {largest} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _inflated(chunks: Iterable[bytes]) -> Iterable[bytes]:
    member = zlib.decompressobj(_GZIP)
    begun = False
    try:
        for chunk in chunks:
            while chunk:
                begun = True
                yield member.decompress(chunk)
                chunk = member.unused_data
                if member.eof:
                    member, begun = zlib.decompressobj(_GZIP), False
    except zlib.error:
        raise BodyError("its compression is damaged") from None
    if begun:
        raise BodyError("it ends early")
