"""Random statements: each once for the driver and once for SQLite, with the values of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from .tables import ENDS, LINKS, TABLES, key_of
from .values import CODES, Pair, key, pair

__all__ = ["Step", "deletes", "inserts", "links", "selects", "updates", "upserts", "versioned"]


@dataclass(frozen=True)
class Step:
    """One statement, or with `many` one with many sets of values.

    `returning` are the columns that both sides return. `fresh` tells of a statement on a version whether that is the
    row's; the version's place among the values holds None. `skipped` is a query of SQLite: with a row, the statement
    means something else there.
    """

    verb: str
    table: str
    sql: str
    values: Sequence[Any]
    plain: str
    plain_values: Sequence[Any]
    many: bool = False
    returning: tuple[str, ...] = ()
    tolerant: bool = False
    fresh: bool | None = None
    skipped: str = ""
    keys: tuple[str, ...] = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Say what a failure needs to be seen (Hypothesis)."""
        printer.text(repr(self))

    def __repr__(self) -> str:
        return f"Step({self.verb}{' tolerant' * self.tolerant}: {self.sql} <- {self.values!r:.2000})"


Assigned = list[tuple[str, list[Pair]]]
"""Columns of SQLite, or of the driver where both have it, and what each row gives them."""


def _lookup_columns(column: str, pairs: Sequence[Pair], companion: bool) -> tuple[Assigned, Assigned]:
    """A lookup to several tables: a pair of table and key, or the companion column, for the driver."""
    keys = [None if each is None else each[1] for each, _ in pairs]
    kinds = [None if each is None else each[0] for each, _ in pairs]
    model = [(column, [(k, k) for k in keys]), (f"{column}type", [(k, k) for k in kinds])]
    return (model if companion else [(column, list(pairs))]), model


def _assigned(table: str, found: Assigned, companion: bool) -> tuple[Assigned, Assigned]:
    ours: Assigned = []
    theirs: Assigned = []
    for column, pairs in found:
        if " " in TABLES[table].columns.get(column, ""):
            one, two = _lookup_columns(column, pairs, companion)
            ours, theirs = ours + one, theirs + two
        else:
            ours, theirs = [*ours, (column, pairs)], [*theirs, (column, pairs)]
    return ours, theirs


def _flat(assigned: Assigned, side: int) -> list[Any]:
    """The values row by row."""
    return [pairs[row][side] for row in range(len(assigned[0][1])) for _, pairs in assigned]


def _insert(table: str, assigned: Assigned, rows: int) -> str:
    mark = f"({', '.join('?' * len(assigned))})"
    return f"INSERT INTO {table} ({', '.join(name for name, _ in assigned)}) VALUES {', '.join([mark] * rows)}"


@st.composite
def _columns(draw: st.DrawFn, table: str, rows: int, least: int = 1, without: Sequence[str] = ()) -> Assigned:
    names = [name for name in TABLES[table].columns if name not in without]
    most = min(len(names), 5)
    chosen = draw(st.lists(st.sampled_from(names), min_size=min(least, most), max_size=most, unique=True))
    return [(name, [draw(pair(table, name)) for _ in range(rows)]) for name in chosen]


@st.composite
def _returning(draw: st.DrawFn, table: str) -> tuple[str, ...]:
    if draw(st.integers(0, 3)):
        return ()
    plain = [name for name, kind in TABLES[table].columns.items() if kind.split()[0] not in TABLES and kind != "multi"]
    chosen = draw(st.lists(st.sampled_from(plain), max_size=3, unique=True))
    return (TABLES[table].key, *chosen)


def _with_returning(sql: str, columns: Sequence[str]) -> str:
    return f"{sql} RETURNING {', '.join(columns)}" if columns else sql


TABLE = st.sampled_from(list(TABLES))


@st.composite
def inserts(draw: st.DrawFn) -> Step:
    """Insert one to four rows, with keys or without."""
    table = draw(TABLE)
    rows = draw(st.integers(1, 4))
    found = draw(_columns(table, rows))
    keys = [draw(key(table)) for _ in range(rows)] if draw(st.integers(0, 2)) else []
    ours, theirs = _assigned(table, found, draw(st.booleans()))
    first = [(TABLES[table].key, [(each, each) for each in keys])] if keys else []
    ours, theirs = first + ours, first + theirs
    returning = draw(_returning(table))
    return Step(
        "insert", table, _with_returning(_insert(table, ours, rows), returning), _flat(ours, 0),
        _with_returning(_insert(table, theirs, rows), returning), _flat(theirs, 1), returning=returning,
        keys=tuple(keys),
    )  # fmt: skip


_SELECTS = {
    "competitor": (
        "INSERT INTO competitor (name) SELECT lastname FROM contact WHERE gendercode = ?",
        st.integers(1, 2),
    ),
    "new_sample": (
        "INSERT INTO new_sample (new_name, new_count, new_amount, new_accountid) "
        "SELECT name, numberofemployees, revenue, accountid FROM account WHERE numberofemployees > ?",
        st.integers(0, 20),
    ),
    "opportunity": (
        "INSERT INTO opportunity (name, parentcontactid) SELECT a.name, c.contactid FROM account AS a "
        "JOIN contact AS c ON c.contactid = a.primarycontactid WHERE a.revenue > ?",
        st.integers(0, 20),
    ),
    LINKS: (
        "INSERT INTO opportunitycompetitors (opportunityid, competitorid) SELECT o.opportunityid, c.competitorid "
        "FROM opportunity AS o CROSS JOIN competitor AS c WHERE o.closeprobability > ? AND c.name = 'a' AND NOT EXISTS "
        "(SELECT 1 FROM opportunitycompetitors AS l WHERE l.opportunityid = o.opportunityid "
        "AND l.competitorid = c.competitorid)",
        st.integers(0, 20),
    ),
}


@st.composite
def selects(draw: st.DrawFn) -> Step:
    """Insert what a query finds."""
    table = draw(st.sampled_from(list(_SELECTS)))
    sql, number = _SELECTS[table]
    values = (draw(number),)
    verb = "link" if table == LINKS else "insert select"
    return Step(verb, table, sql, values, sql, values)


_INT = st.integers(-2, 20)
_WHERES: dict[str, dict[str, st.SearchStrategy[Any] | None]] = {
    "account": {
        "numberofemployees > ?": _INT,
        "revenue IS NULL OR revenue < ?": _INT,
        "name LIKE 'a%' AND NOT creditonhold = TRUE": None,
        "industrycode IN (1, 4) AND parentaccountid IS NULL": None,
        "name = ?": st.sampled_from(("a", "o'brien", "Naïve", "100%")),
        "EXISTS (SELECT 1 FROM contact AS c WHERE c.parentcustomerid = account.accountid)": None,
        "numberofemployees < (SELECT max(numberofemployees) FROM account)": None,
    },
    "contact": {
        "gendercode = ?": st.integers(1, 2),
        "parentcustomerid IN (SELECT accountid FROM account WHERE numberofemployees > ?)": _INT,
        "parentcustomerid IS NULL": None,
        "birthdate < DATE '2000-01-01'": None,
        "annualincome > ? AND lastname IS NOT NULL": _INT,
    },
    "opportunity": {
        "closeprobability BETWEEN ? AND 15": _INT,
        "estimatedvalue > ?": _INT,
        "opportunityid IN (SELECT opportunityid FROM opportunitycompetitors)": None,
    },
    "competitor": {"name = ?": st.sampled_from(("a", "b", "X_Y")), "name IS NULL": None},
    "new_sample": {
        "new_count > ?": _INT,
        "new_flag = TRUE AND new_color = 727000001": None,
        "new_code = ?": st.sampled_from(CODES),
        "new_amount IS NULL": None,
        "new_day > DATE '2000-01-01'": None,
        "new_accountid IN (SELECT accountid FROM account WHERE creditonhold = TRUE)": None,
    },
}
_SETS: dict[str, tuple[str, ...]] = {
    "account": (
        "numberofemployees = numberofemployees + 1",
        "name = name || 'z', revenue = 100 - revenue",
        "description = upper(name), revenue = coalesce(revenue, 0) + 1.25",
        "numberofemployees = (SELECT count(*) FROM contact AS c WHERE c.parentcustomerid = account.accountid)",
        "parentaccountid = NULL, creditonhold = NOT creditonhold",
        "industrycode = CASE WHEN industrycode = 1 THEN 4 ELSE 1 END",
    ),
    "contact": ("firstname = lastname, lastname = firstname", "annualincome = annualincome * -1", "gendercode = NULL"),
    "opportunity": ("closeprobability = closeprobability - 1", "estimatedvalue = NULL, name = name || '-'"),
    "competitor": ("name = name || 'x'", "name = NULL"),
    "new_sample": (
        "new_count = new_count + 1",
        "new_name = new_code, new_count = NULL",
        "new_code = NULL",
        "new_code = 'c1'",
        "new_accountid = NULL, new_amount = new_count",
    ),
}
_FROM = (
    ("contact", "UPDATE contact SET firstname = a.name FROM account AS a "
     "WHERE a.accountid = contact.parentcustomerid AND a.numberofemployees > ?"),
    ("opportunity", "UPDATE opportunity SET estimatedvalue = a.revenue FROM account AS a "
     "WHERE opportunity.customerid = a.accountid AND a.revenue <> ?"),
)  # fmt: skip


@st.composite
def _where(draw: st.DrawFn, table: str) -> tuple[str, list[Any], tuple[str, ...]]:
    """A condition, its values, and the keys it names."""
    if draw(st.booleans()):
        keys = draw(st.lists(key(table), min_size=1, max_size=3, unique=True))
        test = f"= {'?'}" if len(keys) == 1 else f"IN ({', '.join('?' * len(keys))})"
        return f"{TABLES[table].key} {test}", keys, tuple(keys)
    text = draw(st.sampled_from(list(_WHERES[table])))
    strategy = _WHERES[table][text]
    return text, [] if strategy is None else [draw(strategy)], ()


@st.composite
def updates(draw: st.DrawFn) -> Step:
    """Change rows by key, by condition, by values or expressions, of the table alone or of another's rows."""
    if draw(st.integers(0, 7)) == 0:
        table, sql = draw(st.sampled_from(_FROM))
        number = draw(_INT)
        return Step("update from", table, sql, [number], sql, [number])
    table = draw(TABLE)
    where, values, keys = draw(_where(table))
    returning = draw(_returning(table))
    if draw(st.booleans()):
        sets = draw(st.sampled_from(_SETS[table]))
        sql = _with_returning(f"UPDATE {table} SET {sets} WHERE {where}", returning)
        return Step("update", table, sql, values, sql, values, returning=returning, keys=keys)
    ours, theirs = _assigned(table, draw(_columns(table, 1)), draw(st.booleans()))
    sql, plain = (
        _with_returning(f"UPDATE {table} SET {', '.join(f'{n} = ?' for n, _ in side)} WHERE {where}", returning)
        for side in (ours, theirs)
    )
    return Step(
        "update", table, sql, [*_flat(ours, 0), *values], plain, [*_flat(theirs, 1), *values], returning=returning,
        keys=keys,
    )  # fmt: skip


@st.composite
def versioned(draw: st.DrawFn) -> Step:
    """Change or delete a row in a version, which is the row's or is not."""
    table = draw(st.sampled_from([name for name in TABLES if name != "competitor"]))
    found, row, fresh = draw(_columns(table, 1)), draw(key(table)), draw(st.booleans())
    ours, theirs = _assigned(table, found, False)
    if draw(st.integers(0, 3)) == 0:
        head, plain_head, values, plain_values = (f"DELETE FROM {table}",) * 2 + ([], [])
    else:
        head, plain_head = (f"UPDATE {table} SET {', '.join(f'{n} = ?' for n, _ in side)}" for side in (ours, theirs))
        values, plain_values = _flat(ours, 0), _flat(theirs, 1)
    test = f" WHERE {TABLES[table].key} = ? AND "
    return Step(
        "versioned", table, f"{head}{test}versionnumber = ?", [*values, row, None],
        f"{plain_head}{test}?", [*plain_values, row, int(fresh)], fresh=fresh, keys=(row,),
    )  # fmt: skip


@st.composite
def deletes(draw: st.DrawFn) -> Step:
    """Delete rows by key or by condition; others may go with them, or forbid it."""
    table = draw(TABLE)
    where, values, keys = draw(_where(table))
    returning = draw(_returning(table))
    sql = _with_returning(f"DELETE FROM {table} WHERE {where}", returning)
    return Step("delete", table, sql, values, sql, values, returning=returning, keys=keys)


@st.composite
def links(draw: st.DrawFn) -> Step:
    """Link and unlink rows of a many-to-many relationship."""
    one, two = draw(key("opportunity")), draw(key("competitor"))
    kind = draw(st.integers(0, 4))
    if kind < 3:
        others = draw(st.lists(key("competitor"), min_size=1, max_size=3, unique=True))
        values = [each for other in others for each in (one, other)]
        sql = f"INSERT INTO {LINKS} ({', '.join(ENDS)}) VALUES {', '.join(['(?, ?)'] * len(others))}"
        return Step("link", LINKS, sql, values, sql, values, keys=(one,))
    where, values = (("opportunityid = ? AND competitorid = ?", [one, two]), ("competitorid = ?", [two]))[kind - 3]
    sql = f"DELETE FROM {LINKS} WHERE {where}"
    return Step("unlink", LINKS, sql, values, sql, values)


_NUMBERS = {"account": "numberofemployees", "opportunity": "closeprobability", "new_sample": "new_count"}


@st.composite
def upserts(draw: st.DrawFn) -> Step:
    """Insert or change by the key or by the alternate key; by given and by existing values, or not at all."""
    table = draw(TABLE)
    alternate = table == "new_sample" and draw(st.booleans())
    column = "new_code" if alternate else TABLES[table].key
    pool = [code for code in CODES if code not in ("C0", "E7")] if alternate else [key_of(table, n) for n in range(6)]
    if alternate and draw(st.booleans()):
        pool = ["C0", "E7"]
    keys = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3, unique=True))
    number = _NUMBERS.get(table)
    kind = draw(st.sampled_from(("take", "part", "nothing", "compute", "where") if number else ("take", "nothing")))
    pointing = [name for name, of in TABLES[table].columns.items() if of.split()[0] in TABLES]
    without = ["new_code", "new_flag", "creditonhold", *(pointing if kind != "take" else ())]
    found = draw(_columns(table, len(keys), without=[*without, *([number] if number else ())]))
    if number:
        found.append((number, [draw(pair(table, number)) for _ in keys]))
    ours, theirs = _assigned(table, found, False)
    first = [(column, [(each, each) for each in keys])]
    sqls = []
    for side in (ours, theirs):
        sets = ", ".join(f"{name} = excluded.{name}" for name, _ in side)
        clause = {
            "take": f"DO UPDATE SET {sets}",
            "part": f"DO UPDATE SET {number} = excluded.{number}",
            "nothing": "DO NOTHING",
            "compute": f"DO UPDATE SET {number} = coalesce({table}.{number}, 0) + excluded.{number}",
            "where": f"DO UPDATE SET {number} = excluded.{number} WHERE {table}.{number} < 15",
        }[kind]
        sqls.append(f"{_insert(table, first + side, len(keys))} ON CONFLICT ({column}) {clause}")
    returning = draw(_returning(table))
    return Step(
        "upsert", table, _with_returning(sqls[0], returning), _flat(first + ours, 0),
        _with_returning(sqls[1], returning), _flat(first + theirs, 1), returning=returning,
        keys=() if alternate else tuple(keys),
    )  # fmt: skip
