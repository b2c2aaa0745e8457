"""Rows as an aligned table. Column widths come from the first rows, so that the rest can stream."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import Any, TextIO

from sqlalchemy_dynamics.cli.writers import Blocks, cell

__all__ = ["write_table"]

_AHEAD = 500
_NULL = "NULL"
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_ESCAPES |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}

Row = Sequence[Any]


def write_table(names: Sequence[str], blocks: Blocks, stream: TextIO) -> None:
    """A header, a rule, the rows and their number. Line breaks and control characters are escaped."""
    rows = chain.from_iterable(blocks)
    ahead = list(islice(rows, _AHEAD))
    numeric = [_numeric(row[position] for row in ahead) for position in range(len(names))]
    widths = [
        max([_width(_show(name)), *(_width(_text(row[position])) for row in ahead)])
        for position, name in enumerate(names)
    ]
    _write_line(stream, [_pad(_show(name), width, False) for name, width in zip(names, widths, strict=True)])
    stream.write("-+-".join("-" * width for width in widths) + "\n")
    count = 0
    for row in chain(ahead, rows):
        count += 1
        cells = zip(row, widths, numeric, strict=True)
        _write_line(stream, [_pad(_text(value), width, right) for value, width, right in cells])
    stream.write(f"({count:,} {'row' if count == 1 else 'rows'})\n")


def _write_line(stream: TextIO, cells: Sequence[str]) -> None:
    stream.write(" | ".join(cells).rstrip() + "\n")


def _numeric(values: Iterator[Any]) -> bool:
    kinds = {type(value) for value in values if value is not None}
    return bool(kinds) and kinds <= {int, float, Decimal}


def _text(value: object) -> str:
    return _NULL if value is None else _show(cell(value))


def _show(text: str) -> str:
    return text if text.isprintable() else text.translate(_ESCAPES)


def _pad(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - _width(text))
    return blanks + text if right else text + blanks


def _width(text: str) -> int:
    """Columns of a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) != 0 for character in text)
