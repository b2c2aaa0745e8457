"""Whether changes whose answer was lost were done: looked up at the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy_dynamics.execute.changes import Change
from sqlalchemy_dynamics.execute.existing import existing, holds, linked
from sqlalchemy_dynamics.odata.messages import Send

__all__ = ["all_done"]


def all_done(send: Send, changes: Sequence[Change]) -> bool:
    """Say whether the service is in the state that the changes lead to. Raises what keeps it from being asked."""
    table = changes[0].table
    if all(each.verb == "create" and each.made and each.table is table for each in changes):
        return len(existing(send, table, (each.key for each in changes))) == len(changes)
    ends = _ends(changes)
    return ends is not None and all(_is_done(send, end) for end in ends)


def _is_done(send: Send, change: Change) -> bool:
    if change.verb == "create" and change.made:
        return bool(existing(send, change.table, (change.key,)))
    if change.verb in ("link", "unlink"):
        collection = f"{change.address}/{change.navigation}"
        return linked(send, collection, change.other) == (change.verb == "link")
    if change.verb in ("create", "update") or (change.verb == "upsert" and change.key):
        return holds(send, change.table, change.key, change.body)
    return change.verb == "delete" and not existing(send, change.table, (change.key,))


def _ends(changes: Sequence[Change]) -> list[Change] | None:
    """What changes come to, one for each row or link; None when they cannot all have been done."""
    found: dict[tuple[str, ...], Change] = {}
    for each in changes:
        name = (each.table.name, each.key or each.alternate, each.navigation, each.other)
        before = found.get(name)
        if before is not None and "delete" not in (before.verb, each.verb) and not each.navigation:
            if each.verb == "create":
                return None
            each = replace(before, body={**before.body, **each.body})
        found[name] = each
    return list(found.values())
