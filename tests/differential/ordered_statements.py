"""Random SELECTs about order: ORDER BY of every kind, LIMIT and OFFSET, windows, extremes, and GUIDs in all of these.

What the statements select is what they order by, so that the answer is determined however equal keys fall. GUIDs stand
in guillemets where they are put in order: plain DuckDB is asked for their key there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.differential.statements import condition
from tests.differential.ways import Rows, Witnesses

__all__ = ["Ordered", "answers", "ordered_statement", "spoken"]

_MARKED = re.compile(r"«(min |max |)([\w.]+|'[\w-]+')»")
_GUIDS = [
    "00000000-0000-4000-8000-000000000000",
    "ffffffff-ffff-4fff-bfff-ffffffffffff",
    "11111111-2222-4333-8444-555555555555",
    "55555555-4444-4333-a222-7fffffffffff",
]


@dataclass(frozen=True)
class Ordered:
    """A statement, and how answers compare: as a list, as a bag, or by their length alone."""

    sql: str
    compared: str


def spoken(sql: str) -> str:
    """The statement as the driver gets it."""
    return _MARKED.sub(lambda found: f"{found[1].strip()}({found[2]})" if found[1] else found[2], sql)


def _plainly(sql: str) -> str:
    """The statement as plain DuckDB gets it: the key of a GUID where it is put in order."""

    def key(found: re.Match[str]) -> str:
        name = f"CAST({found[2]} AS UUID)" if found[2].startswith("'") else found[2]
        return f"arg_{found[1].strip()}({name}, guid_key({name}))" if found[1] else f"guid_key({name})"

    return _MARKED.sub(key, sql)


def answers(witnesses: Witnesses, wanted: Ordered) -> list[Any]:
    """Return the three answers as they compare."""
    found = witnesses.rows(spoken(wanted.sql), _plainly(wanted.sql))
    return [_as_compared(wanted, rows) for rows in found]


def _as_compared(wanted: Ordered, found: Rows) -> Any:
    return {"list": found, "bag": sorted(found, key=repr), "count": len(found)}[wanted.compared]


_COLUMNS = ["n", "k", "price", "ratio", "madeon", "day", "flag"]
_COMPUTED = ["abs({0}.n)", "-{0}.k", "year({0}.madeon)", "CAST({0}.madeon AS DATE)", "date_trunc('month', {0}.day)"]
_NULLS = ["", "", "", " NULLS FIRST", " NULLS LAST"]


@st.composite
def _terms(draw: st.DrawFn, alias: str, key: str) -> list[tuple[str, str]]:
    """Return (expression, ASC…) of one to three terms."""
    column = st.sampled_from([f"{alias}.{name}" for name in _COLUMNS])
    guid = st.sampled_from([f"«{alias}.{key}»", f"«{alias}.firmid»"])
    computed = st.sampled_from(_COMPUTED).map(lambda text: text.format(alias))
    expressions = draw(st.lists(st.one_of(column, column, guid, computed), min_size=1, max_size=3, unique=True))
    return [(each, draw(st.sampled_from(["", " DESC"])) + draw(st.sampled_from(_NULLS))) for each in expressions]


def _items(terms: list[tuple[str, str]]) -> str:
    return ", ".join(f"{_bare(expression)} AS o{number}" for number, (expression, _) in enumerate(terms))


def _bare(expression: str) -> str:
    return expression.strip("«»")


def _by(terms: list[tuple[str, str]]) -> str:
    return ", ".join(f"{expression}{way}" for expression, way in terms)


@st.composite
def _tail(draw: st.DrawFn) -> str:
    limit, offset = draw(st.integers(0, 12)), draw(st.integers(0, 9))
    return draw(st.sampled_from([f" LIMIT {limit}", f" LIMIT {limit} OFFSET {offset}", f" OFFSET {offset}", ""]))


@st.composite
def _where(draw: st.DrawFn, aliases: tuple[str, ...], word: str = "WHERE") -> str:
    return f" {word} {draw(condition(aliases, draw(st.integers(0, 1))))}" if draw(st.integers(0, 2)) else ""


@st.composite
def _sorted(draw: st.DrawFn) -> Ordered:
    """One table in order."""
    terms, where, tail = draw(_terms("t", "firmid")), draw(_where(("t",))), draw(_tail())
    distinct = draw(st.sampled_from(["", "", "DISTINCT "]))
    return Ordered(f"SELECT {distinct}{_items(terms)} FROM firm t{where} ORDER BY {_by(terms)}{tail}", "list")


@st.composite
def _by_name(draw: st.DrawFn) -> Ordered:
    """ORDER BY positions and output names."""
    column = draw(st.sampled_from(["firmid", "n", "madeon"]))
    way, where = draw(st.sampled_from(["", " DESC"])), draw(_where(("t",)))
    tail = draw(_tail())
    mark = "«c»" if column == "firmid" else "c"
    return Ordered(f"SELECT t.{column} AS c FROM firm t{where} ORDER BY {mark}{way}{tail}", "list")


@st.composite
def _derived(draw: st.DrawFn) -> Ordered:
    """A table behind derived tables and common table expressions, ordered outside."""
    terms, inner, tail = draw(_terms("t", "firmid")), draw(_where(("t",))), draw(_tail())
    distinct = draw(st.sampled_from(["", "", "DISTINCT "]))
    outer = draw(st.sampled_from(["", " WHERE d.o0 IS NOT NULL"]))
    names = [f"«d.o{n}»" if "«" in expression else f"d.o{n}" for n, (expression, _) in enumerate(terms)]
    order = ", ".join(f"{name}{way}" for name, (_, way) in zip(names, terms, strict=True))
    query = f"SELECT {distinct}{_items(terms)} FROM firm t{inner}"
    source = draw(st.sampled_from(["SELECT * FROM ({}) d", "WITH d AS ({}) SELECT * FROM d"])).format(query)
    return Ordered(f"{source}{outer} ORDER BY {order}{tail}", "list")


@st.composite
def _joined(draw: st.DrawFn) -> Ordered:
    """People and their firms, in order."""
    alias = draw(st.sampled_from(["p", "p", "f"]))
    terms, tail = draw(_terms(alias, "personid" if alias == "p" else "firmid")), draw(_tail())
    kind = draw(st.sampled_from(["JOIN", "LEFT JOIN"]))
    on, where = draw(_where(("f", "p"), "AND")), draw(_where(("f", "p")))
    more = draw(st.sampled_from(["", ", f.n AS m", ", f.n + p.n AS m"]))
    bag = "" if more else "list"
    source = f"person p {kind} firm f ON p.firmid = f.firmid{on}{where}"
    sql = f"SELECT {_items(terms)}{more} FROM {source} ORDER BY {_by(terms)}"
    return Ordered(sql + tail, bag) if bag else Ordered(sql, "bag")


@st.composite
def _cut(draw: st.DrawFn) -> Ordered:
    """LIMIT without ORDER BY: how many rows there are is all that is determined."""
    where, limit, offset = draw(_where(("t",))), draw(st.integers(0, 20)), draw(st.sampled_from(["", " OFFSET 3"]))
    item = draw(st.sampled_from(["t.n", "t.n + 1 AS c", "DISTINCT t.n", "DISTINCT abs(t.n) AS c", "t.firmid"]))
    joined = draw(st.sampled_from(["firm t", "person p JOIN firm t ON p.firmid = t.firmid"]))
    return Ordered(f"SELECT {item} FROM {joined}{where} LIMIT {limit}{offset}", "count")


@st.composite
def _ranked(draw: st.DrawFn) -> Ordered:
    """The first of each group, or of all, by a window."""
    terms, where, most = draw(_terms("t", "firmid")), draw(_where(("t",))), draw(st.integers(0, 6))
    function = draw(st.sampled_from(["row_number", "rank", "dense_rank"]))
    part = draw(st.sampled_from(["", "PARTITION BY t.k "]))
    window = f"{function}() OVER ({part}ORDER BY {_by(terms)})"
    chosen = _items(terms) + (", t.k AS g" if part else "")
    if draw(st.booleans()):
        return Ordered(f"SELECT {chosen} FROM firm t{where} QUALIFY {window} <= {most}", "bag")
    query = f"SELECT {chosen}, {window} AS r FROM firm t{where}"
    return Ordered(f"SELECT * FROM ({query}) q WHERE q.r {draw(st.sampled_from(['<=', '<', '=']))} {most}", "bag")


@st.composite
def _guids(draw: st.DrawFn) -> Ordered:
    """Extremes and ranges of GUIDs."""
    one, two = draw(st.sampled_from(_GUIDS)), draw(st.sampled_from(_GUIDS))
    op = draw(st.sampled_from(["<", "<=", ">", ">="]))
    where = draw(_where(("t",)))
    shapes = [
        (f"SELECT «min t.firmid» AS c, «max t.firmid» AS d FROM firm t{where}", "list"),
        (f"SELECT t.k AS g, «min t.firmid» AS c FROM firm t{where} GROUP BY t.k", "bag"),
        (f"SELECT «max p.firmid» AS c FROM person p WHERE p.k > {draw(st.integers(0, 3))}", "list"),
        (f"SELECT t.firmid AS c FROM firm t WHERE «t.firmid» {op} «'{one}'»", "bag"),
        (f"SELECT p.firmid AS c FROM person p WHERE «p.firmid» BETWEEN «'{one}'» AND «'{two}'»", "bag"),
        (f"SELECT t.firmid AS c FROM firm t WHERE «t.firmid» > «'{one}'» ORDER BY «t.firmid» LIMIT 5", "list"),
        (f"SELECT p.personid AS c, f.firmid AS d FROM person p JOIN firm f ON «p.personid» {op} «f.firmid»", "bag"),
        ("SELECT t.firmid AS c FROM firm t UNION ALL SELECT p.personid FROM person p ORDER BY «c» LIMIT 7", "list"),
        ("SELECT p.firmid AS c FROM person p UNION SELECT t.firmid FROM firm t ORDER BY «c» DESC OFFSET 2", "list"),
        (f"SELECT p.firmid AS c, count(*) AS d FROM person p{where.replace('t.', 'p.')} GROUP BY p.firmid "
         "ORDER BY «p.firmid» LIMIT 6", "list"),
        ("SELECT coalesce(p.firmid, p.personid) AS c FROM person p ORDER BY «c» LIMIT 8", "list"),
    ]  # fmt: skip
    sql, compared = draw(st.sampled_from(shapes))
    return Ordered(sql, compared)


@st.composite
def _nothing(draw: st.DrawFn) -> Ordered:
    """Nothing wanted, nothing possible."""
    inner = draw(st.sampled_from(["SELECT t.k, count(*) AS c FROM firm t GROUP BY t.k", "SELECT t.day FROM firm t"]))
    never = ["t.n = 1 AND t.n = 2", "t.n IS NULL AND t.n = 1", "t.n BETWEEN 5 AND 3", "t.k IN (1, 2) AND t.k IN (3, 9)"]
    where = draw(st.sampled_from([*never, "1 = 0", "FALSE", "NULL"]))
    other = draw(st.sampled_from(["JOIN", "LEFT JOIN"]))
    shapes = [
        (f"SELECT * FROM ({inner}) q LIMIT 0", "list"),
        (f"SELECT count(*) AS c FROM ({inner} LIMIT 0) q", "list"),
        (f"SELECT count(*) AS c FROM ({inner}) q WHERE FALSE", "list"),
        (f"SELECT count(*) AS c, max(t.n) AS d FROM firm t WHERE {where}", "list"),
        (f"SELECT t.n AS c, p.n AS d FROM firm t {other} person p ON p.firmid = t.firmid WHERE {where}", "bag"),
        (f"SELECT p.n AS c, t.n AS d FROM person p {other} firm t ON p.firmid = t.firmid AND {where}", "bag"),
        (f"SELECT p.n AS c FROM person p {other} (SELECT t.k FROM firm t WHERE {where}) q ON q.k = p.k", "bag"),
        (f"SELECT p.n AS c FROM person p WHERE p.k NOT IN (SELECT t.k FROM firm t WHERE {where})", "bag"),
        (f"SELECT (SELECT count(*) FROM person p) AS c FROM firm t WHERE {where}", "bag"),
        (f"SELECT sum(t.n) AS c, (SELECT count(*) FROM person p) AS d FROM firm t WHERE {where}", "list"),
        (f"WITH q AS ({inner}) SELECT * FROM q WHERE FALSE UNION ALL SELECT * FROM q", "bag"),
    ]
    sql, compared = draw(st.sampled_from(shapes))
    return Ordered(sql, compared)


ordered_statement = st.one_of(
    _sorted(), _sorted(), _by_name(), _derived(), _joined(), _cut(), _ranked(), _guids(), _nothing()
)
