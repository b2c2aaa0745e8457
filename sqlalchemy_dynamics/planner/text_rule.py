"""When texts are equal (interfaces: text equality): case folded, accents stripped, trailing blanks ignored.

The residual engine compares texts by a collation of its own, which agrees with the rule on most of them. The others are
*carried* through the engine as their key followed by marks the collation does not see, which hold the stored text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

__all__ = ["AGREED", "END", "REPLACED", "SPELLED", "carried", "fold", "folded", "is_plain", "key", "stored"]

AGREED = (
    "\x01-\u00b4\u00b6-\u00de\u00e0-\u0148\u014a-\u017e\u0180-\u034e\u0350-\u03c1\u03c3-\u03cf\u03d2-\u03d4"
    "\u03d7-\u03ef\u03f2-\u03f4\u03f6-\u0487\u048a-\u0586\u0588-\u06ff\u1e00-\u1e99\u1e9c\u1e9d\u1e9f-\u20dc"
    "\u20e1\u20e5-\u2bff\u3000-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U0001f300-\U0001faff"
    "\U00020000-\U000323af"
)
"""The letters the engine's collation folds as the rule does, as ranges of a regular expression."""

_OTHERS = re.compile(f"[^{AGREED}]")
_BYTES = [chr(0xFE00 + byte if byte < 16 else 0xE00F0 + byte) for byte in range(0xF5)]
_BLANK, _SHARP, _CAPITAL, _FINAL, END, SPELLED = (chr(mark) for mark in range(0xE01EA, 0xE01F0))
"""Marks are variation selectors; no text of people holds the last six of them."""

REPLACED = {"ß": f"s{_SHARP}s", "ẞ": f"s{_CAPITAL}s", "ς": f"σ{_FINAL}", " ": _BLANK}
"""What is carried for frequent letters, and for each trailing blank, before END."""

_VALUES = {mark: byte for byte, mark in enumerate(_BYTES)}


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
    """Return what stands for any text in the engine: its key, seen by the collation, and the text itself, unseen."""
    return f"{_steady(key(text))}{''.join(_BYTES[byte] for byte in text.encode())}{SPELLED}"


@lru_cache(100_000)
def folded(text: str) -> str:
    """Return the folded text in letters that the collation keeps apart."""
    return _steady(fold(text))


def stored(text: str) -> str:
    """Return the text that a carried one stands for."""
    if text.endswith(END):
        for letter, mark in REPLACED.items():
            text = text.replace(mark, letter)
        return text[:-1]
    if not text.endswith(SPELLED):
        return text
    return bytes(reversed(list(_spelled(text)))).decode()


def _spelled(text: str) -> Iterator[int]:
    for mark in reversed(text[:-1]):
        if mark not in _VALUES:
            return
        yield _VALUES[mark]


def _steady(folded: str) -> str:
    """The collation strips all marks, vowel signs too: they stand as private letters."""
    return "".join(
        chr((0xF0000 if letter < "\U00010000" else 0x100000) + (ord(letter) & 0xFFFF))
        if unicodedata.category(letter).startswith("M")
        else letter
        for letter in folded
    )
