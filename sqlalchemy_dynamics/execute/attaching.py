"""Files sent after their rows, several rows at a time. What could not be sent is told, row by row."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.errors import DatabaseError
from sqlalchemy_dynamics.execute.changes import Change, named
from sqlalchemy_dynamics.execute.files import Cell, send_file
from sqlalchemy_dynamics.execute.parallel import side_by_side

if TYPE_CHECKING:
    from sqlalchemy_dynamics.session import Session

__all__ = ["attach"]

_DONE = {"create": "inserted", "update": "updated", "upsert": "written"}
_MOST_NAMED = 20


def attach(
    session: Session,
    changes: Sequence[Change],
    headers: Mapping[str, str],
    failures: list[tuple[int, DatabaseError]] | None = None,
) -> None:
    """Send the files of rows that are there. The first that fails ends it and is raised; with `failures` it joins them.

    The error names row and column, says that the row itself is there, and which other rows lack their files.
    """
    stop = threading.Event()

    def send(change: Change) -> DatabaseError | bool:
        if stop.is_set():
            return False
        try:
            _send(session, change, headers)
        except DatabaseError as error:
            if failures is None:
                stop.set()
            return error
        return True

    outcomes = side_by_side(send, changes, session.settings.number("MaxConcurrency"))
    refused = [
        (change, each) for change, each in zip(changes, outcomes, strict=True) if isinstance(each, DatabaseError)
    ]
    if failures is not None:
        failures += [(change.row, error) for change, error in refused]
    elif refused:
        raise _with_others(refused[0][1], [c.row for c, sent in zip(changes, outcomes, strict=True) if sent is False])


def _send(session: Session, change: Change, headers: Mapping[str, str]) -> None:
    for content in change.files:
        cell = Cell(change.table, content.column, change.key)
        try:
            send_file(session, cell, content, headers)
        except DatabaseError as error:
            done = _DONE.get(change.verb, change.verb)
            error.args = (
                f"the row was {done}, but not its {content.column.name}, which holds what it held: {error}; "
                f"send the file again with UPDATE",
                *error.args[1:],
            )
            raise named(error, change) from None


def _with_others(error: DatabaseError, rows: Sequence[int]) -> DatabaseError:
    if rows:
        shown = ", ".join(map(str, rows[:_MOST_NAMED])) + (", …" if len(rows) > _MOST_NAMED else "")
        error.args = (f"{error}; written without their files, too: rows {shown}", *error.args[1:])
    return error
