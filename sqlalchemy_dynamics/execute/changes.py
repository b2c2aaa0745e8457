"""One row's change, the request it is, and what a refusal of it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy_dynamics.errors import DatabaseError, DataError, DataverseError, IntegrityError
from sqlalchemy_dynamics.execute.files import Content
from sqlalchemy_dynamics.metadata.model import Table
from sqlalchemy_dynamics.odata import changes
from sqlalchemy_dynamics.odata.changes import ANY_VERSION
from sqlalchemy_dynamics.odata.messages import HttpRequest

__all__ = ["Change", "is_duplicate", "is_missing", "is_stale", "named", "request_of"]

_MISSING = "0x80040217"
_MOST_NAMED = 20
_VERBS = {"create": "INSERT", "update": "UPDATE", "upsert": "INSERT", "delete": "DELETE", "parties": "parties of"}


@dataclass(frozen=True)
class Change:
    """What happens to one row. `verb` is create, update, upsert, delete, link, unlink or parties; `row` counts from 1.

    `made` says that the key was made here, so that a row that has it can be nobody else's. `match` is the version
    an update or delete asks for. A link is between `key` and row `other` of the set `other_set`, along `navigation`,
    and is seen as a row of table `intersect`. `parties` are the bodies of all that an activity has under `navigation`
    from then on. `files` are sent after the row.
    """

    verb: str
    table: Table
    key: str
    body: Mapping[str, Any] = field(default_factory=dict)
    row: int = 1
    made: bool = False
    match: str = ANY_VERSION
    select: tuple[str, ...] | None = None
    navigation: str = ""
    other: str = ""
    other_set: str = ""
    alternate: str = ""
    intersect: str = ""
    files: tuple[Content, ...] = ()
    parties: tuple[Mapping[str, Any], ...] = ()

    @property
    def address(self) -> str:
        """The row's address below the service root; `alternate` is one by alternate key."""
        return self.alternate or changes.row_address(self.table.entity_set, self.key)

    @property
    def keyed(self) -> dict[str, Any]:
        """The body with the key in it, or with the row's address by alternate key."""
        if self.alternate:
            return {"@odata.id": self.alternate, **self.body}
        return {self.table.columns[self.table.primary_key].wire: self.key, **self.body}


def request_of(change: Change) -> HttpRequest:
    """Return the request of a change on its own."""
    if change.verb == "create":
        return changes.create(change.table.entity_set, change.keyed if change.key else change.body, change.select)
    if change.verb == "update":
        return changes.update(change.address, change.body, change.match, change.select)
    if change.verb == "upsert":
        return changes.upsert(change.address, change.body, select=change.select)
    if change.verb == "delete":
        return changes.delete(change.address, None if change.match == ANY_VERSION else change.match)
    if change.verb == "link":
        return changes.associate(change.address, change.navigation, changes.row_address(change.other_set, change.other))
    if change.verb == "parties":
        return changes.put_list(f"{change.address}/{change.navigation}", change.parties)
    return changes.disassociate(change.address, change.navigation, change.other)


def is_missing(error: DataverseError, change: Change) -> bool:
    """Say whether the row to change is gone; a row that a lookup points to is another matter."""
    gone = (error.status == 404 or error.code == _MISSING) and change.verb in ("update", "delete")
    return gone and change.key in str(error).lower()


def is_stale(error: DataverseError, change: Change) -> bool:
    """Say whether the row has another version than the one asked for."""
    return error.code == "0x80060882" and change.match != ANY_VERSION


def is_duplicate(error: DataverseError) -> bool:
    """Say whether a row with the same key exists."""
    return error.code in ("0x80040237", "0x80060892")


def named(error: DatabaseError, change: Change) -> DatabaseError:
    """Return the error, its message beginning with the row it is about, and with the columns if it names none."""
    text = str(error)
    if not text.startswith("row "):
        key = change.key or change.alternate
        where = f"row {change.row} of {_VERBS.get(change.verb, change.verb)} {change.table.name}"
        row = f" ({change.table.primary_key} {key})" if key else ""
        error.args = (f"{where}{row}{_setting(error, change)}: {text}", *error.args[1:])
    return error


def _setting(error: DatabaseError, change: Change) -> str:
    names = list(dict.fromkeys(name.partition("@")[0] for name in change.body))
    about_values = isinstance(error, DataverseError) and isinstance(error, (DataError, IntegrityError))
    if not names or not about_values or any(name in str(error) for name in names):
        return ""
    return f" setting {', '.join(names[:_MOST_NAMED])}" + (", …" if len(names) > _MOST_NAMED else "")
