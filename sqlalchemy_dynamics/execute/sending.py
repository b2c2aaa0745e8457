"""Changes on the wire: alone, several in a batch, or as one - CreateMultiple, UpdateMultiple, a change set."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.errors import DataverseNotSupportedError
from sqlalchemy_dynamics.execute.changes import Change, request_of
from sqlalchemy_dynamics.execute.persisting import Answer, Persistence
from sqlalchemy_dynamics.odata import changes as wire
from sqlalchemy_dynamics.odata.batch import MOST_PARTS, ChangeSet, pack, unpack
from sqlalchemy_dynamics.odata.changes import ANY_VERSION
from sqlalchemy_dynamics.odata.faults import error_of
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from sqlalchemy_dynamics.session import Session

__all__ = ["Sender"]

_MOST_TRIED = MOST_PARTS - 1
_ACTIONS = {"create": "CreateMultiple", "update": "UpdateMultiple", "upsert": "UpsertMultiple"}
_MULTIPLE = {
    "CreateMultiple": wire.create_multiple,
    "UpdateMultiple": wire.update_multiple,
    "UpsertMultiple": wire.upsert_multiple,
}
_WITHOUT: set[tuple[tuple[str, ...], str, str]] = set()
"""(organisation, table, action) that the service does not have."""


class Sender:
    """Sends changes over one session; what comes of them is for others to judge."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._persistence = Persistence(session)
        self.headers: Mapping[str, str] = {}
        """What every write carries; in a batch its parts and the whole."""
        self.hint = 0
        """How many requests at a time the service last said it likes (x-ms-dop-hint); 0 while it said nothing."""

    def one(self, change: Change) -> Answer:
        """Send one change."""
        return self._send(request_of(change))

    def each(self, changes: Sequence[Change], *, continue_on_error: bool = False) -> Answer:
        """Send changes in one batch, each for itself; without `continue_on_error` the first that fails ends it."""
        return self._send(self._batch([request_of(each) for each in changes], continue_on_error=continue_on_error))

    def unit(self, changes: Sequence[Change]) -> Answer:
        """Send changes of one kind and table as the action for many rows where there is one, else as a change set."""
        first, action = changes[0], self.action(changes)
        if action:
            request = _MULTIPLE[action](first.table.entity_set, first.table.name, [each.keyed for each in changes])
            answer = self._send(request)
            if not isinstance(answer.error, DataverseNotSupportedError):
                return answer
        answer = self.change_set(changes)
        if action and answer.error is None:
            _WITHOUT.add((self._session.key, first.table.name, action))
        return answer

    def change_set(self, changes: Sequence[Change]) -> Answer:
        """Send any changes as one change set, all or nothing."""
        return self._change_set(tuple(map(request_of, changes)))

    def trial(self, changes: Sequence[Change]) -> tuple[Answer, bool]:
        """Send changes so that nothing of them stays; return the answer, and whether they would have worked.

        They are a change set that ends in a request which must fail.
        """
        nowhere = str(uuid.uuid4())
        stop = wire.delete(wire.row_address(changes[0].table.entity_set, nowhere))
        answer = self._change_set((*map(request_of, changes[:_MOST_TRIED]), stop))
        return answer, answer.error is not None and nowhere in str(answer.error).lower()

    def action(self, changes: Sequence[Change]) -> str:
        """Return the name of the action for many rows that changes can be sent as, "" for none."""
        verb, table = changes[0].verb, changes[0].table
        action = _ACTIONS.get(verb, "")
        plain = all(each.match == ANY_VERSION and (each.key or each.alternate) for each in changes)
        return action if plain and (self._session.key, table.name, action) not in _WITHOUT else ""

    def _send(self, request: HttpRequest) -> Answer:
        answer = self._persistence.send(self._marked(request))
        told = "" if answer.reply is None else answer.reply.header("x-ms-dop-hint")
        self.hint = int(told) if told.isdigit() else self.hint
        return answer

    def _marked(self, request: HttpRequest) -> HttpRequest:
        return replace(request, headers={**self.headers, **request.headers}) if self.headers else request

    def _batch(self, parts: Sequence[HttpRequest | ChangeSet], *, continue_on_error: bool = False) -> HttpRequest:
        marked = [
            ChangeSet(tuple(map(self._marked, part.requests))) if isinstance(part, ChangeSet) else self._marked(part)
            for part in parts
        ]
        return pack(marked, f"batch_{uuid.uuid4().hex}", continue_on_error=continue_on_error)

    def _change_set(self, requests: tuple[HttpRequest, ...]) -> Answer:
        answer = self._send(self._batch([ChangeSet(requests)]))
        if answer.reply is None:
            return answer
        (inner,) = unpack(answer.reply, 1)
        if isinstance(inner, HttpResponse) and inner.status >= 400:
            return Answer(error=error_of(inner), lost=answer.lost)
        return answer
