"""What the driver says of a statement, and what that allows the rows to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from sqlalchemy_dynamics import errors

from .steps import Step
from .tables import LINKS, TABLES, Rows, named, plain

__all__ = ["REFUSALS", "Outcome", "alone", "as_given", "difference", "returned", "sorted_out", "states", "subsets"]

REFUSALS = (errors.IntegrityError, errors.DataError)
_ONE_BY_ONE = 6


@dataclass(frozen=True)
class Outcome:
    """What the driver said: rows changed, rows returned; or the error it raised; sets of values it went on without.

    Of those, `failures` were refused, `unsent` not written, and nobody knows of the `uncertain` ones.
    """

    count: int = 0
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    error: Exception | None = None
    failures: tuple[int, ...] = ()
    unsent: tuple[int, ...] = ()
    uncertain: tuple[int, ...] = ()

    @property
    def refused(self) -> bool:
        return isinstance(self.error, REFUSALS)

    @property
    def unknown(self) -> bool:
        return "outcome unknown" in str(self.error)


def sorted_out(count: int, failures: Iterable[tuple[int, BaseException]]) -> Outcome:
    """The outcome of a statement that went on without some sets of values."""
    found: dict[str, list[int]] = {"failures": [], "unsent": [], "uncertain": []}
    for row, error in failures:
        known = "failures" if isinstance(error, REFUSALS) else "unsent"
        found["uncertain" if "outcome unknown" in str(error) else known].append(row)
    refused, unsent, uncertain = map(tuple, found.values())
    return Outcome(count, failures=refused, unsent=unsent, uncertain=uncertain)


def alone(step: Step, rows: set[int]) -> list[Step]:
    """Rows of a statement with many sets of values, from 1, as statements of their own."""
    verb = "link" if step.verb == "many links" else step.verb
    sets = [step.plain_values[row - 1] for row in rows]
    return [replace(step, verb=verb, plain_values=each, keys=(each[0],)) for each in sets]


def as_given(sql: str) -> str:
    """An INSERT with keys in it that also takes rows that stand there: it changes none that are as it gives them."""
    table, _, rest = sql.removeprefix("INSERT INTO ").partition(" (")
    names = rest.partition(")")[0].split(", ")
    if table == LINKS:
        return f"{sql} ON CONFLICT DO NOTHING"
    sets = ", ".join(f"{name} = coalesce(excluded.{name}, {table}.{name})" for name in names)
    return f"{sql} ON CONFLICT ({names[0]}) DO UPDATE SET {sets}"


def states(error: errors.DatabaseError) -> list[list[int]]:
    """The sets of values, from 0, that may be written after an error: those told so, and the unknown ones or not."""
    rows: dict[str, list[int]] = {}
    for each in error.results:
        rows.setdefault(each.outcome, []).append(each.row - 1)
    written, unknown = sorted(set(rows.get("written", []))), sorted(set(rows.get("unknown", [])))
    return [sorted({*written, *some}) for some in subsets(unknown)]


def subsets(rows: Sequence[int]) -> list[list[int]]:
    """Those of some sets of values that may be written: few are sent one by one, many in portions of 200."""
    portions = [[row] for row in rows] if len(rows) <= _ONE_BY_ONE else _portions(rows)
    found: list[list[int]] = [[]]
    for portion in portions:
        found += [[*state, *portion] for state in found]
    return found


def _portions(rows: Sequence[int]) -> list[list[int]]:
    return [list(some) for _, some in groupby(sorted(rows), lambda row: row // 200)]


def returned(step: Step, rows: list[tuple[Any, ...]], ours: bool) -> list[tuple[Any, ...]]:
    """Rows that RETURNING gave, in one spelling and order."""
    kinds = ["", *(TABLES[step.table].columns[name] for name in step.returning[1:])]
    return sorted(
        (
            (named(row[0]), *(plain(kind, value) for kind, value in zip(kinds[1:], row[1:], strict=True)))
            for row in rows
        ),
        key=repr,
    )


def difference(expected: Rows, actual: Rows) -> dict[str, Any]:
    """The rows that one side has and the other has not."""
    found = {}
    for name, rows in expected.items():
        missing = [row for row in rows if row not in actual[name]]
        extra = [row for row in actual[name] if row not in rows]
        if missing or extra or len(rows) != len(actual[name]):
            found[name] = {"missing": missing, "extra": extra, "rows": (len(rows), len(actual[name]))}
    return found
