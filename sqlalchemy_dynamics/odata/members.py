"""The members of a row and of the expanded rows in it, as the types that msgspec and pyarrow read them with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from sqlalchemy_dynamics.edm import SqlType
from sqlalchemy_dynamics.odata.fields import DELTA_LINK, NEXT_LINK, Field

__all__ = ["Members", "arrow_type"]

_PYTHON: dict[str, Any] = {
    "UUID": str,
    "VARCHAR": str,
    "INTEGER": int,
    "BIGINT": int,
    "DECIMAL": Decimal,
    "DOUBLE": float,
    "BOOLEAN": bool,
    "TIMESTAMP WITH TIME ZONE": datetime,
    "TIMESTAMP": str,  # replaced by a naive datetime afterwards
    "DATE": date,
    "BLOB": bytes,
}
# pyarrow's JSON reader parses no dates and no base64, and every time wants its zone.
_READ_BY_ARROW = {
    "DATE": SqlType("VARCHAR"),
    "BLOB": SqlType("VARCHAR"),
    "TIMESTAMP": SqlType("TIMESTAMP WITH TIME ZONE"),
}


@dataclass
class Members:
    """The members of a row, and of the expanded rows in it; each member gets an attribute name."""

    leaves: dict[str, SqlType] = field(default_factory=dict)
    branches: dict[str, Members] = field(default_factory=dict)

    def add(self, column: Field) -> str:
        """Add a column and return its attribute path: ``m0`` or ``n0.m2``."""
        return self._add(column.through, column)

    def _add(self, through: tuple[str, ...], column: Field) -> str:
        if not through:
            self.leaves.setdefault(column.key, column.type)
            return f"m{list(self.leaves).index(column.key)}"
        branch = self.branches.setdefault(through[0], Members())
        return f"n{list(self.branches).index(through[0])}.{branch._add(through[1:], column)}"

    def envelope(self) -> Any:
        """Return the msgspec struct type of a page: `value`, `next_link`, `delta_link`."""
        row: Any = self.struct()
        links = [("next_link", str | None, None), ("delta_link", str | None, None)]
        rename = {"next_link": NEXT_LINK, "delta_link": DELTA_LINK}
        return msgspec.defstruct("Envelope", [("value", list[row]), *links], rename=rename, gc=False)

    def struct(self) -> Any:
        """Return the msgspec struct type of a row, with optional members."""
        types = [(f"m{n}", _PYTHON[kind.family]) for n, kind in enumerate(self.leaves.values())]
        types += [(f"n{n}", branch.struct()) for n, branch in enumerate(self.branches.values())]
        rename = dict(zip((name for name, _ in types), (*self.leaves, *self.branches), strict=True))
        return msgspec.defstruct("Row", [(name, kind | None, None) for name, kind in types], rename=rename, gc=False)

    def arrow(self) -> Any:
        """Return the pyarrow struct type in which the JSON reader reads a row."""
        import pyarrow

        leaves = [(key, arrow_type(_READ_BY_ARROW.get(kind.family, kind))) for key, kind in self.leaves.items()]
        return pyarrow.struct(leaves + [(key, branch.arrow()) for key, branch in self.branches.items()])


def arrow_type(kind: SqlType) -> Any:
    """Return the pyarrow type that `kind.arrow` names."""
    import pyarrow

    if kind.precision is not None:
        return pyarrow.decimal128(kind.precision, kind.scale)
    if kind.family == "TIMESTAMP WITH TIME ZONE":
        return pyarrow.timestamp("us", "UTC")
    return pyarrow.type_for_alias(kind.arrow)
