"""Changes sent alone or as one, and what becomes of them: done, refused, missed, unknown. A unit is all or nothing.

The service does not say which row of a unit it refused: it is found by trying ever smaller heads of the unit in change
sets that end in a request which must fail, so that nothing of them stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.errors import DatabaseError, DataverseError, InternalError, OperationalError
from sqlalchemy_dynamics.execute.changes import Change, is_duplicate, is_missing, is_stale, named
from sqlalchemy_dynamics.execute.lost import all_done
from sqlalchemy_dynamics.execute.outcomes import REFUSED, UNKNOWN, UNMATCHED, WRITTEN, Outcomes
from sqlalchemy_dynamics.execute.persisting import Answer, is_about_change
from sqlalchemy_dynamics.execute.sending import Sender
from sqlalchemy_dynamics.odata.batch import unpack
from sqlalchemy_dynamics.odata.faults import error_of
from sqlalchemy_dynamics.odata.messages import HttpResponse

if TYPE_CHECKING:
    from sqlalchemy_dynamics.session import Session

__all__ = ["Failure", "Units"]

Failure = tuple[int, DatabaseError]
"""A row, counted from 1, and why it was refused."""


class Units:
    """Sends changes over one session and says how many rows they changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.sender = Sender(session)
        self.outcomes = Outcomes()
        """What became of the rows of the statement that runs."""

    def alone(self, change: Change) -> tuple[int, HttpResponse | None]:
        """Send one change; return the number of rows it changed, and the reply. Raises its error, row and key named."""
        try:
            answer = self.sender.one(change)
            return self._judged(change, answer)
        except DatabaseError as error:
            raise self._failed(error, change) from None

    def together(self, changes: Sequence[Change]) -> int:
        """Send changes of one kind and table as one unit; return the number of rows changed.

        Elastic tables hold nothing together (dataverse-web-api: elastic tables): there the first row refused ends it.
        """
        left = list(changes)
        if _is_elastic(left) and not self.sender.action(left):
            return self.each(left)
        while len(left) > 1:
            answer = self.sender.unit(left)
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
            answer = self.sender.each(left)
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
        if self.sender.action(changes) and not _is_elastic(changes):
            answer = self.sender.unit(changes)
            if answer.error is None or (answer.lost and self._all_there(changes)):
                return self._done(changes)
            if answer.unknown or not is_about_change(answer.error):
                raise self._final(changes, answer)
        answer = self.sender.each(changes, continue_on_error=True)
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
        answer = self.sender.change_set(changes)
        if answer.error is None or (answer.lost and self._all_there(changes)):
            self._done(changes)
            return
        if answer.unknown or (answer.lost and _is_any_stale(answer.error, changes)):
            raise self._unknown(changes, answer.error)
        raise self._blamed(changes, answer.error) from None

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
        if answer.lost and is_stale(error, change):
            raise self._unknown([change], error)
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
        if answer.unknown or _is_any_stale(answer.error, changes):
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
        try:
            return all_done(self._session.send, changes)
        except OperationalError as error:
            raise self._unknown(changes, error) from None

    def _is_there(self, change: Change) -> bool:
        """The same of one change."""
        return self._all_there([change])

    def _gone(self, changes: Sequence[Change], error: DataverseError | OperationalError) -> list[Change]:
        """The changes whose rows are missing, by the ids that the error names."""
        if not isinstance(error, DataverseError):
            return []
        return [change for change in changes if is_missing(error, change)]

    def _blamed(self, changes: Sequence[Change], error: DatabaseError) -> DatabaseError:
        """Return the error of the first change that fails, its row named unless finding it fails."""
        if not isinstance(error, DataverseError) or not is_about_change(error):
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

    def _tried(self, changes: Sequence[Change]) -> DataverseError | None:
        """Try changes without leaving a trace; return their error, None when all would have worked.

        Raises what keeps them from being tried.
        """
        answer, works = self.sender.trial(changes)
        if works:
            return None
        if isinstance(answer.error, DataverseError) and is_about_change(answer.error):
            return answer.error
        raise answer.error or InternalError("a change set that deletes nothing went through")

    def _final(self, changes: Sequence[Change], answer: Answer) -> DatabaseError:
        assert answer.error is not None
        return self._unknown(changes, answer.error) if answer.unknown else answer.error

    def _unknown(self, changes: Sequence[Change], cause: Exception) -> OperationalError:
        self.outcomes.mark(changes, UNKNOWN)
        ids = ", ".join(_name(each) for each in changes[:20]) + (", …" if len(changes) > 20 else "")
        kinds = "/".join(dict.fromkeys(f"{each.verb} {each.table.name}" for each in changes))
        return OperationalError(f"outcome unknown: the answer to {kinds} was lost ({cause}); look up: {ids}")


def _is_any_stale(error: DatabaseError, changes: Sequence[Change]) -> bool:
    """Whether a version was refused: after a lost answer it may be the one that an earlier attempt of ours made."""
    return isinstance(error, DataverseError) and any(is_stale(error, each) for each in changes)


def _name(change: Change) -> str:
    """What identifies a change: the row's id or address, of a link both ids."""
    other = f" with {change.other}" if change.other else ""
    return f"{change.key or change.alternate}{other}"


def _is_elastic(changes: Sequence[Change]) -> bool:
    return changes[0].table.kind == "Elastic"
