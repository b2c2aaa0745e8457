"""When texts are equal (interfaces: text equality): case folded, accents stripped, trailing blanks ignored.

The residual engine compares texts by a collation of its own, which agrees with the rule on most of them. The others are
*carried* through the engine as their key followed by marks the collation does not see, which hold the stored text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import takewhile

__all__ = ["ACCENTS", "AGREED", "END", "carried", "fold", "folded", "is_plain", "key", "stored"]

AGREED = (
    "\x01-\u00b4\u00b6-\u00de\u00e0-\u0148\u014a-\u017e\u0180-\u034e\u0350-\u03c1\u03c3-\u03cf\u03d2-\u03d4"
    "\u03d7-\u03ef\u03f2-\u03f4\u03f6-\u0482\u048a-\u0586\u0588-\u0590\u05c8-\u060f\u061b-\u064a\u0660-\u066f"
    "\u0671-\u06d5\u06ee-\u06ff\u1e00-\u1e99\u1e9c\u1e9d\u1e9f-\u20cf\u20f1-\u2bff\u3000-\u3029\u3030-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U0001f300-\U0001faff\U00020000-\U000323af"
)
"""The letters the engine's collation folds as the rule does, as ranges of a regular expression."""

ACCENTS = "\u0300-\u036f\u3099\u309a"
"""The accents among them."""

END = "\U000e01ef"
"""The last variation selector, which no text of people holds: what ends with it is carried."""

_OTHERS = re.compile(f"[^{AGREED}]")
_MARKS = [chr(0xFE00 + byte if byte < 16 else 0xE00F0 + byte) for byte in range(0xF5)]
_BYTES = {mark: byte for byte, mark in enumerate(_MARKS)}


def fold(text: str) -> str:
    """Return the text as LIKE compares it: without case and accents."""
    if text.isascii():
        return text.lower()
    bare = "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", bare.casefold())


def key(text: str) -> str:
    """Return what equality compares."""
    return fold(text).rstrip(" ")


def is_plain(text: str) -> bool:
    """Say whether the engine's collation finds the same texts equal to it as the rule."""
    if text.isascii():
        return not text.endswith(" ")
    return not _OTHERS.search(text) and not fold(text).endswith(" ")


@lru_cache(100_000)
def carried(text: str) -> str:
    """Return what stands for a text in the engine: its key, seen by the collation, and the text itself, unseen."""
    return text if text.endswith(END) else f"{_steady(key(text))}{''.join(map(_MARKS.__getitem__, text.encode()))}{END}"


@lru_cache(100_000)
def folded(text: str) -> str:
    """Return the folded text in letters that the collation keeps apart."""
    return _steady(fold(text))


@lru_cache(100_000)
def stored(text: str) -> str:
    """Return the text that a carried one stands for."""
    if not text.endswith(END):
        return text
    marks = takewhile(_BYTES.__contains__, reversed(text[:-1]))
    return bytes(reversed([_BYTES[mark] for mark in marks])).decode()


def _steady(folded: str) -> str:
    """The collation strips all marks, vowel signs too: they stand as private letters."""
    return _OTHERS.sub(_private, folded)


def _private(found: re.Match[str]) -> str:
    letter = found[0]
    if not unicodedata.category(letter).startswith("M"):
        return letter
    return chr((0xF0000 if letter < "\U00010000" else 0x100000) + (ord(letter) & 0xFFFF))
