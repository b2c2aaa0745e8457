"""What a statement will do, as values: scans to fetch, columns to return, and the SQL that is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy_dynamics.edm import BIGINT, SqlType
from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column, Table
from sqlalchemy_dynamics.odata.filters import Both, Filter, Path
from sqlalchemy_dynamics.odata.query import Order

__all__ = [
    "Amount",
    "Check",
    "Groups",
    "Keys",
    "Left",
    "Limit",
    "Marker",
    "Measure",
    "Output",
    "Plan",
    "Residual",
    "Rows",
    "Scan",
    "ShownName",
]


@dataclass(frozen=True, slots=True)
class Marker:
    """A parameter whose value is known when the statement runs."""

    key: int | str


Amount = int | Marker | None
EVERY_ROW = Both(())


@dataclass(frozen=True, slots=True)
class Limit:
    """LIMIT and OFFSET; None means no limit, and no rows skipped."""

    count: Amount = None
    offset: Amount = None

    def bound(self, parameters: Mapping[int | str, object]) -> tuple[int | None, int]:
        """Return (rows wanted or None, rows to skip). Raises ProgrammingError for anything but whole numbers."""
        return _amount(self.count, parameters, "LIMIT"), _amount(self.offset, parameters, "OFFSET") or 0


def _amount(amount: Amount, parameters: Mapping[int | str, object], word: str) -> int | None:
    if isinstance(amount, Marker):
        if amount.key not in parameters:
            raise ProgrammingError(f"{word} needs a value for parameter {amount.key}")
        value = parameters[amount.key]
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise ProgrammingError(f"{word} needs a whole number that is not negative, got {value!r}")
        return value
    return amount


@dataclass(frozen=True, slots=True)
class Measure:
    """One aggregate the service computes; `method` is count, sum, min or max. `present` counts rows with a value."""

    method: str
    column: Column | None
    alias: str
    type: SqlType = BIGINT


@dataclass(frozen=True, slots=True)
class Left:
    """A LEFT JOIN along `lookup`: paths that begin with `navigation` end at a row that may be missing.

    Rows that look up nothing are asked for on their own. `key` is the path of the looked-up row's key: rows that look
    up something, but nothing that is there for the caller, are in neither part.
    """

    navigation: str
    key: Path
    lookup: Path


@dataclass(frozen=True, slots=True)
class Groups:
    """The service's own grouping. Every query of `queries` is one request; its rows hold the keys and its measures.

    `paths` are what to group by for the keys, each once. `queries` pairs a further condition (None for all rows) with
    the measures to ask for under it; the first holds the count of rows when there is a `left`.
    """

    keys: tuple[Column, ...]
    paths: tuple[Path, ...]
    queries: tuple[tuple[Filter | None, tuple[Measure, ...]], ...]
    left: Left | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All measures in the order of the view's columns."""
        return tuple(measure for _, measures in self.queries for measure in measures)


@dataclass(frozen=True, slots=True)
class Keys:
    """The values of scan `source`'s fetched `key` column, wanted in this scan's `column`."""

    source: int
    key: Column
    column: Column


@dataclass(frozen=True, slots=True)
class Scan:
    """What is fetched of one base table. `filter` may hold parameters; `limit` counts rows from the start.

    With `keys`, another scan is fetched first, and its keys go along unless they are too many to pay. With `through`,
    nothing is asked: its rows come with those of scan `through[0]`, expanded along navigation property `through[1]`.
    With `extremes`, only the first row of each of these orders is wanted, a row with a value. With `leading`, `order`
    is the beginning of the order wanted: enough rows are there once those columns change behind the last row of that
    limit. `unless` are the parameters of LIMITs above it: when one is 0, no row is wanted. With `apart`, the rows that
    have no value there are asked for on their own, without the first term of `order`: last, but first descending.
    """

    number: int
    table: Table
    columns: tuple[Column, ...]
    filter: Filter = EVERY_ROW
    order: tuple[Order, ...] = ()
    limit: Limit = Limit()
    groups: Groups | None = None
    keys: Keys | None = None
    through: tuple[int, str] | None = None
    extremes: tuple[Order, ...] = ()
    leading: tuple[tuple[str, ...], Limit] | None = None
    unless: tuple[Marker, ...] = ()
    apart: Path | None = None

    @property
    def view(self) -> str:
        """The name that stands for it in the residual SQL."""
        return f"scan_{self.number}"


@dataclass(frozen=True, slots=True)
class Output:
    """One column of the result: the scan's column at `position`, or the measure there."""

    name: str
    type: SqlType
    position: int
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Rows:
    """The Web API answers alone; nothing is left to do but to pick columns, skip and stop.

    `inside` are the scans that are read through `scan`, those of a table before those of the ones behind it.
    """

    scan: Scan
    outputs: tuple[Output, ...]
    limit: Limit = Limit()
    inside: tuple[Scan, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A constant to try before anything is fetched: `sql` fails when `term` cannot be computed.

    `what` says why of the constant `given` or, when that is None, of the parameter's value; empty leaves it to the
    engine.
    """

    sql: str
    term: str
    what: str = ""
    given: str | None = None
    parameters: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Residual:
    """`sql` runs in DuckDB over the scans' views with the parameters named in `parameters`.

    `streaming` says that every view is read once, front to back; `checks` come before anything is fetched. With
    `enough`, the answer over the first pages of the one scan that is asked is the beginning of the whole answer: they
    are enough once that many rows come of them.
    """

    sql: str
    scans: tuple[Scan, ...]
    parameters: tuple[int | str, ...] = ()
    streaming: bool = False
    checks: tuple[Check, ...] = ()
    enough: Limit | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """The output at `position` holds addresses of files: their contents stand there in the end, or their sizes.

    `cells` are the addresses, with ``{keys}`` where the row's key will be.
    """

    position: int
    sized: bool
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownName:
    """A column that shows the names of the rows that a lookup points to, and the tables these may be of."""

    table: str
    column: str
    targets: frozenset[str]


@dataclass(frozen=True)
class Plan:
    """A planned SELECT. `notes` are (term, reason) pairs for what could not go down.

    `fallback` runs when the service refuses to aggregate (0x8004E023: over 50,000 rows, or too many groups).
    `downloads` are what is left to do with the rows that come out. `tables` are all that the statement names, those
    that only the service reads (`any`, joins along lookups) among them; `names` are what it shows of others.
    """

    work: Rows | Residual
    notes: tuple[tuple[str, str], ...] = ()
    fallback: Plan | None = None
    downloads: tuple[Download, ...] = ()
    tables: frozenset[str] = frozenset()
    names: tuple[ShownName, ...] = ()

    @property
    def scans(self) -> Iterable[Scan]:
        """The scans of the plan in statement order."""
        return (self.work.scan, *self.work.inside) if isinstance(self.work, Rows) else self.work.scans
