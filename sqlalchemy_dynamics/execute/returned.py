"""RETURNING: the row that came along with the change, the keys that were known, or the rows read once more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.errors import DatabaseError, NotSupportedError
from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.direct import row_decoder
from sqlalchemy_dynamics.execute.planning import Values
from sqlalchemy_dynamics.execute.requests import KEYS_PER_REQUEST, field_of
from sqlalchemy_dynamics.execute.result import ListResult, Result, ResultColumn, Row
from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.odata.changes import version_tag
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.odata.messages import HttpResponse
from sqlalchemy_dynamics.planner.change_plan import Returning, Write
from sqlalchemy_dynamics.planner.plan import Plan
from sqlalchemy_dynamics.planner.returning import returning_plan

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog

__all__ = ["UNMADE_VERSION", "Returned"]

UNMADE_VERSION = version_tag(0)
"""What stands for the version of a row whose changes wait for COMMIT: the ORM wants one that is not NULL."""
_VERSION = "versionnumber"


class Returned:
    """Answers RETURNING over one catalog; `read` starts a planned SELECT."""

    def __init__(self, catalog: Catalog, read: Callable[[Plan, Values], Result], pushdown: bool) -> None:
        self._catalog, self._read, self._pushdown = catalog, read, pushdown

    def select(self, write: Write) -> tuple[str, ...] | None:
        """Return the properties to ask for along with the change; None when the keys do, or it takes a SELECT."""
        columns = write.returning.columns if write.returning is not None else None
        if (
            columns is None
            or only_keys(write)
            or any(column.companion is not None or column.apart for _, column in columns)
        ):
            return None
        return tuple(dict.fromkeys(column.wire for _, column in columns))

    def represented(self, write: Write, count: int, reply: HttpResponse | None) -> ListResult:
        """Return the row that a reply holds, no row without one."""
        assert write.returning is not None and write.returning.columns is not None
        named = write.returning.columns
        columns = [ResultColumn(name, column.type, column.nullable) for name, column in named]
        if reply is None:
            return ListResult(columns, [], count)
        decoder = row_decoder(tuple(field_of(column) for _, column in named))
        return ListResult(columns, [decoder.decode_one(reply.body)], count)

    def presumed(self, write: Write, changes: Sequence[Change], count: int) -> ListResult:
        """Return what is known before the changes are sent: keys and plain values, NULL (as version 0) for the rest."""
        named = write.returning.columns if write.returning is not None else None
        if named is None:
            raise NotSupportedError("RETURNING under CHANGESET takes plain columns: their rows are not made yet")
        columns = [ResultColumn(name, column.type) for name, column in named]
        rows = [tuple(_known(change, column) for _, column in named) for change in changes]
        return ListResult(columns, rows, count)

    def check(self, write: Write, values: Values) -> None:
        """Compute what RETURNING wants of no row, for an error in it must not come after the change."""
        if write.returning is not None and write.returning.columns is None and write.verb != "delete":
            self._again(write.returning, (), values)

    def rows(self, write: Write, keys: Sequence[str], count: int, values: Values) -> ListResult:
        """Return what RETURNING wants of the rows with these keys, in the keys' order."""
        returning = write.returning
        assert returning is not None
        if only_keys(write) and returning.columns is not None and count == len(keys):
            columns = [ResultColumn(name, column.type, False) for name, column in returning.columns]
            return ListResult(columns, [(key,) * len(columns) for key in keys], count)
        try:
            described, found = self._again(returning, keys, values)
        except DatabaseError as error:
            error.args = (f"{error}. The rows are written: {count} of them; only RETURNING failed", *error.args[1:])
            raise
        return ListResult(described, [found[key] for key in keys if key in found], count)

    def _again(
        self, returning: Returning, keys: Sequence[str], values: Values
    ) -> tuple[Sequence[ResultColumn], dict[str, Row]]:
        found: dict[str, Row] = {}
        described: Sequence[ResultColumn] = ()
        for start in range(0, max(1, len(keys)), KEYS_PER_REQUEST):
            some = keys[start : start + KEYS_PER_REQUEST]
            kinds = {key: type(value).__name__ for key, value in values.items()}
            count = max(1, len(some))
            plan = returning_plan(returning, count, self._catalog.table, kinds, values, self._pushdown)
            named: Values = {f"__key{number}": key for number, key in enumerate(some or (None,))}
            result = self._read(plan, {**values, **named})
            described = result.columns[1:]
            if some:
                found.update((str(row[0]).lower(), row[1:]) for block in result.rows() for row in block)
            result.close()
        return described, found


def _known(change: Change, column: Column) -> object:
    if column.name == change.table.primary_key:
        return change.key
    if column.name == _VERSION:
        return 0
    value = change.body.get(column.wire) if column.companion is None else None
    return None if value is None else convert(value, column.edm)


def only_keys(write: Write) -> bool:
    """Say whether RETURNING names the key and nothing else."""
    columns = write.returning.columns if write.returning is not None else None
    return columns is not None and all(column.name == write.table.primary_key for _, column in columns)
