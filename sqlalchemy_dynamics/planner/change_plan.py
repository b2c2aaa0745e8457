"""What an INSERT, UPDATE or DELETE will do, as values: which rows, which columns, from where each value comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy_dynamics.metadata.model import Column, Table
from sqlalchemy_dynamics.planner.plan import Marker, Plan

__all__ = ["LEFT_OUT", "Conflict", "Fetched", "Fixed", "LeftOut", "Returning", "Term", "Write", "value_of"]


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that stands in the statement."""

    value: object


@dataclass(frozen=True, slots=True)
class Fetched:
    """The value at a position of each row that `Write.source` yields."""

    position: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """DEFAULT: the column is not sent, the service fills it."""


LEFT_OUT = LeftOut()
Term = Fixed | Fetched | LeftOut | Marker


def value_of(term: Term, values: Mapping[int | str, object], row: tuple[object, ...] = ()) -> object:
    """Return a term's value for one row; `LEFT_OUT` stays itself. Raises KeyError for a parameter without value."""
    if isinstance(term, Fixed):
        return term.value
    if isinstance(term, Fetched):
        return row[term.position]
    return term if isinstance(term, LeftOut) else values[term.key]


@dataclass(frozen=True, slots=True)
class Returning:
    """RETURNING. `columns` when it names plain columns only, with the names they are asked by.

    `sql` is a SELECT of the key and of what is returned, without a WHERE: what `returning_plan` completes.
    """

    sql: str
    key: str
    columns: tuple[tuple[str, Column], ...] | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """ON CONFLICT over `columns` (the key, or all columns of one alternate key).

    `set` pairs a column with the inserted column whose value it takes; None where an expression has to be computed.
    `update` is False for DO NOTHING. Expressions and `where` are SQL over the table and `excluded`; `markers` are the
    parameters in them. `others` are the further keys that DO NOTHING without a target heeds.
    """

    columns: tuple[Column, ...]
    update: bool
    set: tuple[tuple[Column, Column | None, str], ...] = ()
    where: str = ""
    markers: tuple[int | str, ...] = ()
    others: tuple[tuple[Column, ...], ...] = ()


@dataclass(frozen=True)
class Write:
    """A planned write. `verb` is insert, update or delete; `columns` are what every row sets, in order.

    Without `source` each of `rows` is a row to insert, or the one row of values for each of `keys`. With `source`
    `rows` has one entry, a template for each row that the SELECT yields, its key in `keys[0]`. `version` must be the
    row's own, else it is left alone. `alone` says that WHERE names keys and nothing else: no read is needed.
    `returned` is where in the source's rows begins what DELETE returns; `alias` is what the statement calls the table.
    `guard` is where the source's rows hold the version that an UPDATE was computed from. `found_by` is not empty when
    WHERE is nothing but these columns being equal to these parameters, and nothing that is set can change them: the
    rows that many sets of values mean can be looked for together. `ends` are the ids of the two rows that a link is
    between, when WHERE is nothing but them and nothing is returned: nothing has to be read to take it away.
    """

    verb: str
    table: Table
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Term, ...], ...] = ()
    source: Plan | None = None
    keys: tuple[Term, ...] = ()
    version: Term | None = None
    returning: Returning | None = None
    conflict: Conflict | None = None
    filtered: bool = True
    returned: int | None = None
    alias: str = ""
    guard: int | None = None
    found_by: tuple[tuple[Column, int | str], ...] = ()
    ends: tuple[Term, ...] = ()
