"""What conditions become: filters that are exact or not; a column against constants it may not be able to hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy_dynamics.odata.binding import compare
from sqlalchemy_dynamics.odata.filters import Among, Both, Compare, Filter, Never, Null, Operand, Path, Value

__all__ = ["EVERYTHING", "NOTHING", "Pushed", "comparison", "membership"]


@dataclass(frozen=True)
class Pushed:
    """A filter for one table, and whether it is exactly the condition it came from."""

    filter: Filter
    exact: bool


EVERYTHING = Pushed(Both(()), True)
NOTHING = Pushed(Never(), True)


def comparison(path: Path, op: str, operand: Operand) -> Filter:
    """Return `path op operand`, decided already where the column cannot hold the value."""
    if isinstance(operand, Value):
        return compare(path, op, operand.value, operand.edm)
    return Compare(path, op, operand)


def membership(path: Path, operands: Sequence[Operand], negated: bool) -> Filter:
    """Return `path IN (operands)` or NOT IN, without the values that the column cannot hold."""
    equal = (comparison(path, "eq", operand) for operand in operands)
    kept = tuple(each.operand for each in equal if isinstance(each, Compare))
    if kept:
        return Among(path, kept, negated)
    return Null(path, negated=True) if negated else Never()
