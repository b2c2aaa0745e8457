"""The leaves of filters: a column against constants that may lie outside or between its values."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy_dynamics.odata.binding import compare
from sqlalchemy_dynamics.odata.filters import Among, Compare, Filter, Never, Null, Operand, Path, Value

__all__ = ["comparison", "membership"]


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
