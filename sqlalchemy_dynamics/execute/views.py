"""The views that stand for the base tables: all columns in order but files, those not fetched as typed NULLs."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.planner.plan import Scan

__all__ = ["source_of", "view_sql"]


def source_of(scan: Scan) -> str:
    """Return the name under which a scan's rows are given to the engine."""
    return f"rows_{scan.number}"


def view_sql(scan: Scan) -> str:
    """Return the CREATE TEMP VIEW statement of a scan; an expanded row came with every row that looks it up."""
    once = "" if scan.through is None else f"DISTINCT ON ({_quoted(scan.table.primary_key)}) "
    return f"CREATE TEMP VIEW {scan.view} AS SELECT {once}{', '.join(_expressions(scan))} FROM {source_of(scan)}"


def _expressions(scan: Scan) -> Iterator[str]:
    if scan.groups is not None:
        yield from (_fetched(column) for column in scan.groups.keys)
        yield from (f"CAST({_quoted(m.alias)} AS {m.type.sql}) AS {_quoted(m.alias)}" for m in scan.groups.measures)
        return
    fetched = {column.name for column in scan.columns}
    for column in scan.table.listed:
        absent = f"CAST(NULL AS {column.type.sql}) AS {_quoted(column.name)}"
        yield _fetched(column) if column.name in fetched else absent


def _fetched(column: Column) -> str:
    """Text carries its collation along; GUIDs join twice as fast as UUID than as text."""
    name = _quoted(column.name)
    if column.type.family == "VARCHAR":
        return f"{name} COLLATE nocase.noaccent AS {name}"
    return f"CAST({name} AS UUID) AS {name}" if column.type.family == "UUID" else name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
