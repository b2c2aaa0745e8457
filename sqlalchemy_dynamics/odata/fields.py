"""What replies are read as: the columns asked for, and a page of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy_dynamics.edm import SqlType

__all__ = ["DELTA_LINK", "NEXT_LINK", "Field", "Page", "Row"]

T = TypeVar("T")
Row = tuple[Any, ...]
NEXT_LINK, DELTA_LINK = "@odata.nextLink", "@odata.deltaLink"


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a reply. `wire` is the property's name, `through` the expanded navigation properties around it.

    `annotation` (``OData.Community.Display.V1.FormattedValue``) reads that annotation of the property instead of
    its value. `name` is the column's name in Arrow; by default `key`.
    """

    wire: str
    type: SqlType
    annotation: str | None = None
    name: str = ""
    through: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The JSON member's name: ``revenue`` or ``statuscode@OData.Community.Display.V1.FormattedValue``."""
        return self.wire if self.annotation is None else f"{self.wire}@{self.annotation}"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page: its rows, and the link to the next; `delta_link` comes with the last page of a tracked query."""

    rows: T
    next_link: str | None = None
    delta_link: str | None = None
