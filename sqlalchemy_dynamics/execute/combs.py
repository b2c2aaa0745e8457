"""Keys made here: COMB GUIDs, random with the time in their last six bytes, where SQL Server looks first in sorting."""

from __future__ import annotations

import os
import time
from uuid import UUID

__all__ = ["new_key"]


def new_key() -> str:
    """Return a new key, lower case; keys of one process made later sort later, to the millisecond."""
    moment = time.time_ns() // 1_000_000 & 0xFFFF_FFFF_FFFF
    bits = bytearray(os.urandom(10) + moment.to_bytes(6, "big"))
    bits[6] = bits[6] & 0x0F | 0x40
    bits[8] = bits[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(bits)))
