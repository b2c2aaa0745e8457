"""Statements with many sets of values, one of them bad now and then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from .steps import Step
from .tables import ENDS, LINKS, key_of
from .values import CODES

__all__ = ["many"]

FAR = 1000
"""Keys from here on are rows of executemany()."""
SIZES = st.one_of(st.integers(1, 12), st.integers(1, 12), st.integers(1, 60), st.sampled_from((199, 200, 201, 300)))
Bad = tuple[int, str]
_BAD = ("key", "lookup", "long", "choice")


@st.composite
def _bad(draw: st.DrawFn, rows: int) -> Bad | None:
    if rows < 3 or draw(st.integers(0, 2)):
        return None
    return draw(st.integers(1, rows - 1)), draw(st.sampled_from(_BAD))


def _sample(number: int, bad: Bad | None) -> tuple[Any, ...]:
    """Key, name, count, choice, lookup of the nth row; the bad one repeats a key, or has no row, text or choice."""
    how = bad[1] if bad is not None and bad[0] == number else ""
    return (
        key_of("new_sample", FAR + (number - 1 if how == "key" else number)),
        "x" * 201 if how == "long" else f"m{number}",
        number,
        3 if how == "choice" else 727000001,
        key_of("account", 77) if how == "lookup" else None,
    )


def _inserts(rows: int, bad: Bad | None, draw: Any) -> Step:
    names = ["new_sampleid", "new_name", "new_count", "new_color", "new_accountid"]
    sets = [_sample(number, bad) for number in range(rows)]
    if bad is not None and bad[1] != "key" and draw(st.booleans()):
        names, sets = names[1:], [each[1:] for each in sets]
    sql = f"INSERT INTO new_sample ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    return Step("many inserts", "new_sample", sql, sets, sql, sets)


def _updates(rows: int, bad: Bad | None, draw: Any) -> Step:
    turned = [(*_sample(number, bad)[1:], _sample(number, None)[0]) for number in range(rows)]
    if draw(st.booleans()):
        turned += [(*each[:2], *each[2:]) for each in turned[: rows // 2]]
    sql = "UPDATE new_sample SET new_name = ?, new_count = ?, new_color = ?, new_accountid = ? WHERE new_sampleid = ?"
    return Step("many updates", "new_sample", sql, turned, sql, turned)


def _near_updates(rows: int, bad: Bad | None, draw: Any) -> Step:
    several = st.tuples(st.integers(0, 30), st.integers(0, 5).map(lambda n: key_of("account", n)))
    sets = draw(st.lists(several, min_size=1, max_size=min(rows, 12)))
    sql = "UPDATE account SET numberofemployees = ? WHERE accountid = ?"
    return Step("many updates", "account", sql, sets, sql, sets)


def _read_updates(rows: int, bad: Bad | None, draw: Any) -> Step:
    sets = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), min_size=1, max_size=3))
    sql = "UPDATE account SET numberofemployees = numberofemployees + ? WHERE numberofemployees > ?"
    return Step("many updates", "account", sql, sets, sql, sets)


def _deletes(rows: int, bad: Bad | None, draw: Any) -> Step:
    table = draw(st.sampled_from(("account", "contact", "new_sample")))
    sets = draw(st.lists(st.integers(0, 6).map(lambda n: (key_of(table, n),)), min_size=1, max_size=8))
    if table == "new_sample":
        sets = sets + [(key_of(table, FAR + number),) for number in range(rows)]
    sql = f"DELETE FROM {table} WHERE {table}id = ?"
    return Step("many deletes", table, sql, sets, sql, sets)


def _upserts(rows: int, bad: Bad | None, draw: Any) -> Step:
    codes = st.sampled_from((*CODES, *(f"k{n}" for n in range(40))))
    sets = draw(st.lists(st.tuples(codes, st.sampled_from("abc"), st.integers(0, 30)), min_size=1, max_size=12))
    sets = sets + [(f"k{number}", "m", number) for number in range(rows if rows > 60 else 0)]
    clause = draw(st.sampled_from((
        "DO UPDATE SET new_name = excluded.new_name, new_count = excluded.new_count",
        "DO UPDATE SET new_count = coalesce(new_sample.new_count, 0) + 1",
        "DO NOTHING",
    )))  # fmt: skip
    if "+ 1" in clause:
        sets = sets[:10]
    sql = f"INSERT INTO new_sample (new_code, new_name, new_count) VALUES (?, ?, ?) ON CONFLICT (new_code) {clause}"
    return Step("many upserts", "new_sample", sql, sets, sql, sets)


def _links(rows: int, bad: Bad | None, draw: Any) -> Step:
    ends = st.tuples(
        st.integers(0, 2).map(lambda n: key_of("opportunity", n)),
        st.integers(0, 5).map(lambda n: key_of("competitor", n)),
    )
    sets = draw(st.lists(ends, min_size=1, max_size=8))
    adding = draw(st.booleans())
    if adding:
        sql = f"INSERT INTO {LINKS} ({', '.join(ENDS)}) VALUES (?, ?)"
    else:
        sql = f"DELETE FROM {LINKS} WHERE opportunityid = ? AND competitorid = ?"
    return Step("many links" if adding else "many unlinks", LINKS, sql, sets, sql, sets)


_MADE: tuple[Callable[[int, Bad | None, Any], Step], ...] = (
    _inserts, _inserts, _updates, _near_updates, _read_updates, _deletes, _upserts, _links,
)  # fmt: skip


@st.composite
def many(draw: st.DrawFn) -> Step:
    """One statement for many sets of values, all in one go or going on after those refused."""
    rows = draw(SIZES)
    step: Step = draw(st.sampled_from(_MADE))(rows, draw(_bad(rows)), draw)
    return replace(step, many=True, tolerant=draw(st.integers(0, 4)) == 0)
