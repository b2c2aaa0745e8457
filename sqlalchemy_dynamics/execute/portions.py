"""Long lists of values cut into several, so that no row of the service can be equal to values of two of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from sqlalchemy_dynamics.odata.binding import simplify
from sqlalchemy_dynamics.odata.filter_text import render
from sqlalchemy_dynamics.odata.filters import Among, Both, Filter, Never, Operand, Value
from sqlalchemy_dynamics.odata.literals import encode, encoded_length, function_text

__all__ = ["KEYS_PER_REQUEST", "portions"]

KEYS_PER_REQUEST = 500
"""Keys of an IN list per request: a quoted GUID takes about 43 of a URL's 32,768 characters."""
_MOST_CHARACTERS = 58_000
"""Of a condition; a batch takes a URL of 65,536 (dataverse-web-api: limits)."""
_LONGEST_LIST = 30_000
_UNKNOWN = 40
_ALIKE = str.maketrans(
    {"æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "đ": "d", "ø": "o", "ł": "l", "ı": "i"}
    | {chr(katakana): chr(katakana - 0x60) for katakana in range(0x30A1, 0x30F7)}
)


def portions(condition: Filter) -> Iterator[Filter]:
    """Yield a condition with its lists cut, as many as fit a request: no row can match two, so the answers add up."""
    terms = condition.terms if isinstance(condition, Both) else (condition,)
    lists = [term for term in terms if isinstance(term, Among) and not term.negated]
    if not lists:
        yield condition
        return
    room = _room(term for term in terms if term not in lists) // len(lists)
    longest = max(lists, key=lambda term: len(term.operands))
    sizes = [KEYS_PER_REQUEST if each is longest else len(each.operands) for each in lists]
    cut = [list(_cut(each.operands, size, room)) for each, size in zip(lists, sizes, strict=True)]
    if all(len(each) == 1 for each in cut):
        yield condition
        return
    rest = tuple(term for term in terms if term not in lists)
    for chosen in product(*cut):
        members = (replace(each, operands=operands) for each, operands in zip(lists, chosen, strict=True))
        yield simplify(Both((*rest, *members)))


def _room(rest: Iterator[Filter]) -> int:
    """Characters that the lists may take beside the other terms."""
    others = simplify(Both(tuple(rest)))
    taken = 0 if others in (Never(), Both(())) else len(encode(render(others, placeholders=True).text))
    return min(_LONGEST_LIST, _MOST_CHARACTERS - taken)


def _cut(operands: Sequence[Operand], size: int, room: int) -> Iterator[tuple[Operand, ...]]:
    """Yield the operands in portions of `size`, fewer where they are long.

    Texts that some collation may call equal share a portion.
    """
    groups: dict[object, dict[Operand, None]] = {}
    for operand in operands:
        groups.setdefault(_coarse(operand), {})[operand] = None
    portion: list[Operand] = []
    length = 0
    for group in groups.values():
        more = sum(map(_characters, group))
        if portion and (len(portion) + len(group) > size or length + more > room):
            yield tuple(portion)
            portion, length = [], 0
        portion += group
        length += more
    if portion:
        yield tuple(portion)


def _characters(operand: Operand) -> int:
    return encoded_length(function_text(operand.value, operand.edm)) if isinstance(operand, Value) else _UNKNOWN


def _coarse(operand: Operand) -> object:
    """What texts have in common that are equal but for case, accents, width, kana, blanks and punctuation."""
    if not isinstance(operand, Value) or not isinstance(operand.value, str):
        return operand
    if operand.value.isascii():
        return "".join(filter(str.isalnum, operand.value.lower()))
    letters = unicodedata.normalize("NFKD", operand.value).casefold().translate(_ALIKE)
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", letters)))
