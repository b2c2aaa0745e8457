"""What rows show of images: at most 144 pixels (section 5.7). No image is scaled here: a grey one stands for it."""

from __future__ import annotations

import struct
import zlib

__all__ = ["thumbnail"]

_MOST = 144
_PNG = b"\x89PNG\r\n\x1a\n"


def thumbnail(content: bytes) -> bytes:
    """Return a PNG that fits 144 by 144 pixels; small images, and those of other formats, as they are."""
    if not content.startswith(_PNG) or len(content) < 24:
        return content
    width, height = struct.unpack(">II", content[16:24])
    if max(width, height) <= _MOST:
        return content
    return _grey(max(1, width * _MOST // max(width, height)), max(1, height * _MOST // max(width, height)))


def _grey(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\x80" * width) * height
    return _PNG + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
