"""Changes sent as one: alone, as CreateMultiple or UpdateMultiple, or as the change set of a batch. All or nothing.

The service does not say which row of a unit it refused: it is found by trying ever smaller heads of the unit in change
sets that end in a request which must fail, so that nothing of them stays.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.errors import (
    DatabaseError,
    DataverseError,
    DataverseNotSupportedError,
    InternalError,
    OperationalError,
)
from sqlalchemy_dynamics.execute.changes import Change, is_duplicate, is_missing, is_stale, named, request_of
from sqlalchemy_dynamics.execute.existing import existing, holds, linked
from sqlalchemy_dynamics.execute.outcomes import REFUSED, UNKNOWN, UNMATCHED, WRITTEN, Outcomes
from sqlalchemy_dynamics.execute.persisting import Answer, Persistence
from sqlalchemy_dynamics.odata import changes as wire
from sqlalchemy_dynamics.odata.batch import MOST_PARTS, ChangeSet, pack, unpack
from sqlalchemy_dynamics.odata.changes import ANY_VERSION
from sqlalchemy_dynamics.odata.faults import error_of
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from sqlalchemy_dynamics.session import Session

__all__ = ["Failure", "Units"]

Failure = tuple[int, DatabaseError]
"""A row, counted from 1, and why it was refused."""

_MOST_TRIED = MOST_PARTS - 1
_ACTIONS = {"create": "CreateMultiple", "update": "UpdateMultiple", "upsert": "UpsertMultiple"}
_MULTIPLE = {
    "CreateMultiple": wire.create_multiple,
    "UpdateMultiple": wire.update_multiple,
    "UpsertMultiple": wire.upsert_multiple,
}
_WITHOUT: set[tuple[tuple[str, ...], str, str]] = set()
"""(organisation, table, action) that the service does not have."""


class Units:
    """Sends changes over one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._persistence = Persistence(session)
        self.headers: Mapping[str, str] = {}
        """What every write carries; in a batch its parts and the whole."""
        self.outcomes = Outcomes()
        """What became of the rows of the statement that runs."""
        self.hint = 0
        """How many requests at a time the service last said it likes (x-ms-dop-hint); 0 while it said nothing."""

    def alone(self, change: Change) -> tuple[int, HttpResponse | None]:
        """Send one change; return the number of rows it changed, and the reply. Raises its error, row and key named."""
        try:
            answer = self._send(request_of(change))
            return self._judged(change, answer)
        except DatabaseError as error:
            raise self._failed(error, change) from None

    def together(self, changes: Sequence[Change]) -> int:
        """Send changes of one kind and table as one unit; return the number of rows changed.

        Elastic tables hold nothing together (dataverse-web-api: elastic tables): there the first row refused ends it.
        """
        left = list(changes)
        if _is_elastic(left) and not self._action(left):
            return self.each(left)
        while len(left) > 1:
            answer = self._unit(left)
            if answer.error is None:
                return self._done(left)
            if answer.unknown or answer.lost:
                return self._recovered(left, answer)
            if _is_elastic(left):
                return self._in_part(left)
            gone = self._gone(left, answer.error)
            if not gone:
                raise self._blamed(left, answer.error) from None
            self.outcomes.mark(gone, UNMATCHED)
            left = [each for each in left if each not in gone]
        return sum(self.alone(each)[0] for each in left)

    def each(self, changes: Sequence[Change]) -> int:
        """Send changes in one batch, each for itself; the first that fails ends it, those before it stay."""
        done, left, lost = 0, list(changes), False
        while left:
            answer = self._send(self._batch([request_of(each) for each in left]))
            lost = lost or answer.lost
            if answer.error is not None or answer.reply is None:
                raise self._final(left, answer)
            replies = unpack(answer.reply, len(left))
            for change, reply in zip(left, replies, strict=False):
                assert isinstance(reply, HttpResponse)
                done += self._part(change, reply, lost)
            left = left[len(replies) :]
        return done

    def tolerant(self, changes: Sequence[Change], failures: list[Failure]) -> int:
        """Send changes as one unit, and when that is refused each for itself: those refused join `failures`."""
        if self._action(changes) and not _is_elastic(changes):
            answer = self._unit(changes)
            if answer.error is None or (answer.lost and self._all_there(changes)):
                return self._done(changes)
            if answer.unknown or not _is_about_rows(answer.error):
                raise self._final(changes, answer)
        answer = self._send(self._batch([request_of(each) for each in changes], continue_on_error=True))
        if answer.error is not None or answer.reply is None:
            raise self._final(changes, answer)
        done = 0
        for change, reply in zip(changes, unpack(answer.reply, len(changes)), strict=True):
            assert isinstance(reply, HttpResponse)
            try:
                done += self._part(change, reply, answer.lost)
            except DatabaseError as error:
                failures.append((change.row, error))
        return done

    def change_set(self, changes: Sequence[Change]) -> None:
        """Send any changes as one change set. Raises the error of the row refused; then nothing is changed."""
        answer = self._send(self._batch([ChangeSet(tuple(map(request_of, changes)))]))
        answer = _opened(answer)
        if answer.error is None or (answer.lost and self._all_there(changes)):
            self._done(changes)
            return
        if answer.unknown:
            raise self._unknown(changes, answer.error)
        raise self._blamed(changes, answer.error) from None

    def _unit(self, changes: Sequence[Change]) -> Answer:
        """Send as the action for many rows where there is one, else as a change set."""
        first, action = changes[0], self._action(changes)
        if action:
            request = _MULTIPLE[action](first.table.entity_set, first.table.name, [each.keyed for each in changes])
            answer = self._send(request)
            if not isinstance(answer.error, DataverseNotSupportedError):
                return answer
        answer = _opened(self._send(self._batch([ChangeSet(tuple(map(request_of, changes)))])))
        if action and answer.error is None:
            _WITHOUT.add((self._session.key, first.table.name, action))
        return answer

    def _action(self, changes: Sequence[Change]) -> str:
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

    def _judged(self, change: Change, answer: Answer) -> tuple[int, HttpResponse | None]:
        error = answer.error
        if error is None:
            return self._done([change]), answer.reply
        if answer.unknown:
            if self._is_there(change):
                return self._done([change]), None
            raise self._unknown([change], error)
        assert isinstance(error, DataverseError)
        if answer.lost and self._was_done(change, error):
            return self._done([change]), None
        if is_missing(error, change) or is_stale(error, change):
            self.outcomes.mark([change], UNMATCHED)
            return 0, None
        raise error

    def _was_done(self, change: Change, error: DataverseError) -> bool:
        """Say whether an error means that an earlier attempt, whose answer was lost, did the work."""
        if is_missing(error, change):
            return change.verb == "delete"
        if change.verb == "link":
            return is_duplicate(error)
        if change.verb == "unlink":
            return error.status == 404
        return (is_duplicate(error) or is_stale(error, change)) and self._is_there(change)

    def _done(self, changes: Sequence[Change]) -> int:
        self.outcomes.mark(changes, WRITTEN)
        return len(changes)

    def _failed(self, error: DatabaseError, change: Change) -> DatabaseError:
        """The error of one change, its row named. What was never sent, or lost, was not refused."""
        if isinstance(error, DataverseError):
            self.outcomes.mark([change], REFUSED, error)
        return named(error, change)

    def _part(self, change: Change, reply: HttpResponse, lost: bool) -> int:
        error = error_of(reply) if reply.status >= 400 else None
        try:
            return self._judged(change, Answer(None if error else reply, error, lost))[0]
        except DatabaseError as failure:
            raise self._failed(failure, change) from None

    def _in_part(self, changes: Sequence[Change]) -> int:
        """Rows of an elastic table of which some are written: those are found, the others sent each for itself."""
        there = [each for each in changes if self._is_there(each)]
        return self._done(there) + self.each([each for each in changes if each not in there])

    def _recovered(self, changes: Sequence[Change], answer: Answer) -> int:
        """After a lost answer: what is there was done, as a whole; what is not is sent once more, row by row."""
        assert answer.error is not None
        if self._all_there(changes):
            return self._done(changes)
        if answer.unknown:
            raise self._unknown(changes, answer.error)
        if _is_elastic(changes):
            return self._in_part(changes)
        gone = self._gone(changes, answer.error)
        if not gone:
            raise self._blamed(changes, answer.error)
        rest = [each for each in changes if each not in gone]
        deleted = changes[0].verb == "delete"
        self.outcomes.mark(gone, WRITTEN if deleted else UNMATCHED)
        done = len(gone) if deleted else 0
        return done + (self.together(rest) if rest else 0)

    def _all_there(self, changes: Sequence[Change]) -> bool:
        """Say whether all was done. Raises "outcome unknown" when that cannot be looked up."""
        table = changes[0].table
        try:
            if all(each.verb == "create" and each.made and each.table is table for each in changes):
                return len(existing(self._session.send, table, (each.key for each in changes))) == len(changes)
            ends = _ends(changes)
            return ends is not None and all(map(self._leads_to, ends))
        except OperationalError as error:
            raise self._unknown(changes, error) from None

    def _is_there(self, change: Change) -> bool:
        """The same of one change."""
        return self._all_there([change])

    def _leads_to(self, change: Change) -> bool:
        """Say whether the service is in the state that the change leads to."""
        if change.verb == "create" and change.made:
            return bool(existing(self._session.send, change.table, (change.key,)))
        if change.verb in ("link", "unlink"):
            collection = f"{change.address}/{change.navigation}"
            return linked(self._session.send, collection, change.other) == (change.verb == "link")
        if change.verb in ("create", "update") or (change.verb == "upsert" and change.key):
            return holds(self._session.send, change.table, change.key, change.body)
        return change.verb == "delete" and not existing(self._session.send, change.table, (change.key,))

    def _gone(self, changes: Sequence[Change], error: DataverseError | OperationalError) -> list[Change]:
        """The changes whose rows are missing, by the ids that the error names."""
        if not isinstance(error, DataverseError):
            return []
        return [change for change in changes if is_missing(error, change)]

    def _blamed(self, changes: Sequence[Change], error: DatabaseError) -> DatabaseError:
        """Return the error of the first change that fails, its row named unless finding it fails."""
        if not isinstance(error, DataverseError) or not _is_about_rows(error):
            return error
        low, high, found = 0, len(changes), error
        while high - low > 1:
            middle = (low + high) // 2
            try:
                refused = self._tried(changes[:middle])
            except DatabaseError:
                return error
            if refused is None:
                low = middle
            else:
                high, found = middle, refused
        return self._failed(found, changes[high - 1])

    def _final(self, changes: Sequence[Change], answer: Answer) -> DatabaseError:
        assert answer.error is not None
        return self._unknown(changes, answer.error) if answer.unknown else answer.error

    def _unknown(self, changes: Sequence[Change], cause: Exception) -> OperationalError:
        self.outcomes.mark(changes, UNKNOWN)
        ids = ", ".join(_name(each) for each in changes[:20]) + (", …" if len(changes) > 20 else "")
        kinds = "/".join(dict.fromkeys(f"{each.verb} {each.table.name}" for each in changes))
        return OperationalError(f"outcome unknown: the answer to {kinds} was lost ({cause}); look up: {ids}")

    def _tried(self, changes: Sequence[Change]) -> DataverseError | None:
        """Try changes without leaving a trace; return their error, None when all would have worked.

        Raises what keeps them from being tried.
        """
        nowhere = str(uuid.uuid4())
        stop = wire.delete(wire.row_address(changes[0].table.entity_set, nowhere))
        requests = (*(request_of(each) for each in changes[:_MOST_TRIED]), stop)
        answer = _opened(self._send(self._batch([ChangeSet(requests)])))
        error = answer.error
        if error is not None and nowhere in str(error).lower():
            return None
        if isinstance(error, DataverseError) and _is_about_rows(error):
            return error
        raise error or InternalError("a change set that deletes nothing went through")


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


def _opened(answer: Answer) -> Answer:
    """The answer of the one change set that a batch holds."""
    if answer.reply is None:
        return answer
    (inner,) = unpack(answer.reply, 1)
    if isinstance(inner, HttpResponse) and inner.status >= 400:
        return Answer(error=error_of(inner), lost=answer.lost)
    return answer


def _name(change: Change) -> str:
    """What identifies a change: the row's id or address, of a link both ids."""
    other = f" with {change.other}" if change.other else ""
    return f"{change.key or change.alternate}{other}"


def _is_elastic(changes: Sequence[Change]) -> bool:
    return changes[0].table.kind == "Elastic"


def _is_about_rows(error: Exception) -> bool:
    """Say whether an error may be one row's fault, not that of the sign-in, a limit or the service."""
    return isinstance(error, DataverseError) and error.status not in (401, 429) and error.status < 500
