"""Values of every kind, as the driver takes them and as SQLite does."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from .tables import CHOICES, TABLES, key_of

__all__ = ["CODES", "Pair", "key", "pair"]

Pair = tuple[Any, Any]
"""What the driver is given, what SQLite is."""
TEXTS = (
    "a", "b", "A ", "O'Brien", "naïve", "NAIVE", "ÅNGSTRÖM", "100%", "x_y", "[z]", "\U0001f600 ok", "a\x00b",
    "tab\tline\nend", '"q"', "back\\slash", "", "ß", "e\u0301", "; DROP TABLE account --", "?:name", "</a>&amp;",
)  # fmt: skip
CODES = ("c0", "C0", "c1", "c2 ", "c'3", "c/4", "c%5", "&#6=", "é7", "E7", "7 8", "+9")
_AMOUNTS = ("0", "1", "19.99", "-3.5", "0.01", "123456789.25", "12.5")
_EXACT = ("0", "0.0000000001", "-12345.6789", "99999.9999999999", "0.1")
_DAYS = (date(2024, 2, 29), date(1999, 12, 31), date(1753, 1, 1), date(9999, 12, 30))
_MOMENTS = (datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC))


def _text(value: str) -> Pair:
    return value, value or None


def _moment(value: datetime) -> Pair:
    return value, value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _amount(value: str) -> Pair:
    return Decimal(value), float(value)


def _exact(value: str) -> Pair:
    return Decimal(value), value


_SIMPLE: dict[str, st.SearchStrategy[Pair]] = {
    "text": st.sampled_from(TEXTS).map(_text),
    "int": st.integers(-3, 30).map(lambda n: (n, n)),
    "big": st.sampled_from((0, 2**53 + 1, -(2**62))).map(lambda n: (n, n)),
    "money": st.sampled_from(_AMOUNTS).map(_amount),
    "exact": st.sampled_from(_EXACT).map(_exact),
    "flag": st.booleans().map(lambda flag: (flag, int(flag))),
    "day": st.sampled_from(_DAYS).map(lambda day: (day, day.isoformat())),
    "moment": st.sampled_from(_MOMENTS).map(_moment),
    "guid": st.integers(0, 3).map(lambda n: (uuid.UUID(int=n), str(uuid.UUID(int=n)))),
}
NOTHING: Pair = (None, None)


@st.composite
def _choice(draw: st.DrawFn, column: str) -> Pair:
    number = draw(st.sampled_from(sorted(CHOICES[column])))
    return draw(st.sampled_from((number, CHOICES[column][number]))), number


@st.composite
def _choices(draw: st.DrawFn, column: str) -> Pair:
    chosen = sorted(draw(st.sets(st.sampled_from(sorted(CHOICES[column])), min_size=1)))
    labels = [CHOICES[column][number] for number in chosen]
    ours = draw(st.sampled_from((",".join(map(str, chosen)), ", ".join(labels), chosen, set(labels))))
    return ours, ",".join(map(str, chosen))


def key(table: str, most: int = 5) -> st.SearchStrategy[str]:
    """One of the few keys that histories give to rows of a table."""
    return st.integers(0, most).map(lambda number: key_of(table, number))


def pair(table: str, column: str, nullable: bool = True) -> st.SearchStrategy[Pair]:
    """A value of a column; of a lookup to several tables, the two texts ``(table, key)`` in both places."""
    kind = TABLES[table].columns[column]
    if column == "new_code":
        found = st.sampled_from(CODES).map(lambda code: (code, code))
    elif kind in ("choice", "multi"):
        found = _choice(column) if kind == "choice" else _choices(column)
    elif kind.split()[0] in TABLES:
        targets = [st.tuples(st.just(name), key(name)) for name in kind.split()]
        either = st.one_of(*targets)
        found = either.map(lambda p: (p, p)) if " " in kind else either.map(lambda p: (p[1], p[1]))
    else:
        found = _SIMPLE[kind]
    return st.one_of(found, found, found, st.just(NOTHING)) if nullable and kind != "flag" else found
