"""EXPLAIN of a write: what is read, then the request that changes rows. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy_dynamics.execute.explain import Step, steps_of
from sqlalchemy_dynamics.execute.parties import PARTIES
from sqlalchemy_dynamics.execute.requests import Values
from sqlalchemy_dynamics.metadata.model import Kind, Model
from sqlalchemy_dynamics.planner.change_plan import Fixed, Term, Write
from sqlalchemy_dynamics.planner.intersects import ends_of
from sqlalchemy_dynamics.planner.plan import Marker
from sqlalchemy_dynamics.planner.upserting import is_whole

__all__ = ["write_steps"]

_ACTIONS = {"insert": ("POST", "CreateMultiple"), "update": ("PATCH", "UpdateMultiple"), "delete": ("DELETE", "")}
_ALL = "{step1.keys}"


def write_steps(write: Write, values: Values | None, page_size: int | None, model: Model) -> list[Step]:
    """Return (step, kind, detail); with `values` None parameters show as ``{key}``."""
    found = [] if write.source is None else [each[1:] for each in steps_of(write.source, values, page_size)]
    found += list(_written(write, values, model))
    return [(number, kind, detail) for number, (kind, detail) in enumerate(found, start=1)]


def _written(write: Write, values: Values | None, model: Model) -> Iterator[tuple[str, str]]:
    if write.conflict is not None and not is_whole(write):
        names = ", ".join(column.name for column in write.conflict.columns) or "no key"
        yield "note", f"ON CONFLICT: the rows that exist by {names} are read first, then changed or left alone"
    if write.table.name == PARTIES:
        yield "note", "the parties of each activity are read, and put back as a whole list"
        yield "write", "PUT {activity}/{activity}_activity_parties"
        return
    yield "write", _linked(write, model) if write.table.intersect else _request(write, values)
    for column in (column for column in write.columns if column.kind is Kind.FILE):
        yield "write", f"PATCH {write.table.entity_set}({{keys}})/{column.wire}, after its row; from 4 MB on in blocks"
    if write.returning is not None and write.verb != "delete":
        yield "note", "RETURNING: known keys as they are, one row along with its change, several read by key afterwards"


def _request(write: Write, values: Values | None) -> str:
    method, action = _ACTIONS[write.verb]
    count = 0 if write.source is not None else len(write.keys) if write.verb != "insert" else len(write.rows)
    entity_set = write.table.entity_set
    if write.conflict is not None and is_whole(write):
        method, action = "PATCH", "UpsertMultiple"
    if count == 1:
        key = _shown(write.keys[0], values) if write.keys else ""
        version = "" if write.version is None else f', If-Match: W/"{_shown(write.version, values)}"'
        return f"{method} {entity_set}({key}){version}" if write.verb != "insert" else f"{method} {entity_set}"
    rows = f"{count} rows" if count else _ALL if write.verb != "insert" else "{step1.rows}"
    if write.guard is not None:
        return f"POST $batch: PATCH {entity_set}({rows}), If-Match: {{step1.version}}"
    if not action:
        return f"POST $batch: DELETE {entity_set}({rows})"
    return f"POST {entity_set}/Microsoft.Dynamics.CRM.{action}: {rows}"


def _linked(write: Write, model: Model) -> str:
    ends = ends_of(write.table, model)
    verb = "POST" if write.verb == "insert" else "DELETE"
    return f"{verb} {ends.one.entity_set}({{{ends.one_column.name}}})/{ends.navigation}/$ref"


def _shown(term: Term, values: Values | None) -> str:
    if isinstance(term, Marker):
        return f"{{{term.key}}}" if values is None else str(values.get(term.key))
    return str(term.value) if isinstance(term, Fixed) else _ALL
