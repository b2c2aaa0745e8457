"""Long lists of values cut into several, so that no row of the service can be equal to values of two of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from sqlalchemy_dynamics.odata.filters import Operand, Value

__all__ = ["portions"]

_ALIKE = str.maketrans(
    {"æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "đ": "d", "ø": "o", "ł": "l", "ı": "i"}
    | {chr(katakana): chr(katakana - 0x60) for katakana in range(0x30A1, 0x30F7)}
)


def portions(operands: Sequence[Operand], size: int) -> Iterator[tuple[Operand, ...]]:
    """Yield the operands in portions of `size`; texts that some collation may call equal share a portion."""
    groups: dict[object, dict[Operand, None]] = {}
    for operand in operands:
        groups.setdefault(_coarse(operand), {})[operand] = None
    portion: list[Operand] = []
    for group in groups.values():
        if portion and len(portion) + len(group) > size:
            yield tuple(portion)
            portion = []
        portion += group
    if portion:
        yield tuple(portion)


def _coarse(operand: Operand) -> object:
    """What texts have in common that are equal but for case, accents, width, kana, blanks and punctuation."""
    if not isinstance(operand, Value) or not isinstance(operand.value, str):
        return operand
    if operand.value.isascii():
        return "".join(filter(str.isalnum, operand.value.lower()))
    letters = unicodedata.normalize("NFKD", operand.value).casefold().translate(_ALIKE)
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", letters)))
