"""Both sides of a history, and the judge of what came of each statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.sandbox import Sandbox

from . import tables
from .beginning import FIRST
from .faults import KINDS, LOST, TRANSIENT, Gate
from .model import REFUSED, Model
from .outcomes import REFUSALS, Outcome, alone, as_given, difference, returned, sorted_out, states, subsets
from .steps import Step
from .tables import LINKS, TABLES, Rows, rows_of_model, rows_of_sandbox

__all__ = ["World"]


class World:
    """A sandbox, a model, a connection to write with and one that goes on after refusals.

    `patient` says that faults that pass are never to be seen: a connection that tries often enough.
    """

    def __init__(
        self, org: Sandbox, gate: Gate, connect: Callable[..., dbapi.Connection], patient: bool = True
    ) -> None:
        self.org, self.gate, self.patient = org, gate, patient
        self.connection, self.tolerant = connect(), connect(ContinueOnError=True)
        self.model, self.tally = Model(), Counter[str]()
        self.first: dict[str, list[tuple[Any, ...]]] = {}

    def begin(self) -> None:
        """Both sides with the same few rows."""
        self.gate.arm()
        self.model.empty()
        for sql, sets in FIRST:
            self.model.database.executemany(sql, sets)
        if self.first:
            tables.restore(self.org, self.first)
            return
        tables.empty(self.org)
        for sql, sets in FIRST:
            self.connection.cursor().executemany(sql, sets)
        self.first = tables.kept(self.org)
        assert rows_of_sandbox(self.org) == rows_of_model(self.model.database)

    def play(self, step: Step, plan: Mapping[int, str] | None = None, ever: int = 0) -> Outcome:
        """Run one statement on both sides, faults as planned; judge it. Raises AssertionError."""
        before = rows_of_model(self.model.database)
        self.gate.arm(plan, ever)
        outcome = self.ran(step)
        fired = list(self.gate.fired)
        self.requests = self.gate.seen
        self.gate.arm()
        self._count(step, outcome, fired)
        actual = rows_of_sandbox(self.org)
        (self._judge_many if step.many else self._judge)(step, outcome, fired, before, actual)
        return outcome

    def ran(self, step: Step) -> Outcome:
        """Run the driver's side."""
        cursor = (self.tolerant if step.tolerant else self.connection).cursor()
        values = self._versions(step)
        try:
            if step.many:
                cursor.executemany(step.sql, values)
                return sorted_out(cursor.rowcount, cursor.failures)
            rows = cursor.execute(step.sql, values).fetchall() if step.returning else []
            return Outcome(cursor.rowcount if step.returning else cursor.execute(step.sql, values).rowcount, rows)
        except errors.Error as error:
            return Outcome(error=error)

    def _versions(self, step: Step) -> Any:
        if step.fresh is None:
            return step.values
        sql = f"SELECT versionnumber FROM {step.table} WHERE {TABLES[step.table].key} = ?"
        found = self.org.service.store.query(sql, step.keys)
        version = int(str(found[0][0])) if found else 1
        return [*step.values[:-1], version if step.fresh else version - 1]

    def _count(self, step: Step, outcome: Outcome, fired: list[str]) -> None:
        self.tally["statements"] += 1
        self.tally[step.verb] += 1
        self.tally["sets of values"] += len(step.values) if step.many else 0
        self.tally["faults"] += len(fired)
        self.tally.update(f"fault {kind}" for kind in fired)
        if outcome.error is not None:
            kind = "outcome unknown" if outcome.unknown else type(outcome.error).__name__
            self.tally[f"raised {kind}"] += 1

    def _judge(self, step: Step, outcome: Outcome, fired: list[str], before: Rows, actual: Rows) -> None:
        with self.model.attempt() as keep:
            count, rows = self.model.run(step.plain, step.plain_values)
            after = rows_of_model(self.model.database)
            keep.append(actual == after)
            if outcome.error is None:
                self._judge_success(step, outcome, fired, count, rows, before, after, actual)
            elif outcome.refused:
                assert count == REFUSED, ("refused here only", step, outcome.error, fired)
                assert actual == before, ("refused, and changed", step, outcome.error, difference(before, actual))
            else:
                self._judge_error(step, outcome, fired, actual == before, actual == after)
                self._check_names(step, outcome, before, actual)

    def _judge_success(
        self,
        step: Step,
        outcome: Outcome,
        fired: list[str],
        count: Any,
        rows: Any,
        before: Rows,
        after: Rows,
        actual: Rows,
    ) -> None:
        lost = bool(LOST.intersection(fired))
        if count == REFUSED:
            twice = lost and actual == before and self._is_as_given(step, before)
            assert twice, ("not refused", step, fired, outcome.count)
            self.tally["given twice"] += 1
            return
        assert actual == after, ("other rows", step, fired, difference(after, actual))
        if outcome.count != count:
            cascaded = step.verb == "delete" and step.table == "contact" and 0 < outcome.count <= len(before["contact"])
            chancy = lost and outcome.count > count and (step.verb == "delete" or self._is_as_given(step, before))
            assert cascaded or chancy, ("another count", step, fired, outcome.count, count)
            self.tally["unknowable counts"] += 1
        elif step.returning and not (step.verb == "delete" and step.table == "contact"):
            assert returned(step, outcome.rows, True) == returned(step, rows, False), (
                "other rows returned",
                step,
                fired,
            )

    def _is_as_given(self, step: Step, before: Rows) -> bool:
        """Whether the rows hold what the statement gives them: after a lost answer nobody can tell whose it was."""
        if step.verb == "link":
            return True
        sql, values = step.plain.partition(" RETURNING")[0], step.plain_values
        if step.verb == "versioned":
            values = [*values[:-1], 1]
        elif step.verb in ("insert", "many inserts") and step.keys:
            sql = as_given(sql)
        else:
            return False
        with self.model.attempt():
            return self.model.run(sql, values)[0] != REFUSED and rows_of_model(self.model.database) == before

    def _judge_error(self, step: Step, outcome: Outcome, fired: list[str], nothing: bool, all_of_it: bool) -> None:
        error = outcome.error
        assert isinstance(error, errors.OperationalError), ("another error", step, fired, repr(error))
        open_ = step.fresh is not None and outcome.unknown  # whose version it is that the row has, nobody can tell
        assert open_ or not self._hides(fired), ("a fault was seen", step, fired, repr(error))
        assert fired, ("an error without a fault", step, repr(error))
        told = {each.outcome for each in error.results}
        if "written" in told:
            gone = nothing and step.verb == "delete" and LOST.intersection(fired)
            assert all_of_it or gone, ("told written, and is not", step, fired, repr(error))
            self.tally["written all the same"] += 1
            return
        assert nothing or (all_of_it and outcome.unknown), ("neither nothing nor unknown", step, fired, repr(error))
        assert not outcome.unknown or "unknown" in told, ("no row told unknown", step, fired, repr(error))

    def _hides(self, fired: list[str]) -> bool:
        """Whether faults like these are never to be seen; a token is renewed once for a request."""
        return self.patient and TRANSIENT.issuperset(fired) and fired.count("401") < 2

    def _check_names(self, step: Step, outcome: Outcome, before: Rows, actual: Rows) -> None:
        """An unknown outcome names the rows to look up."""
        if outcome.unknown and actual != before and step.table != LINKS:
            text = str(outcome.error).rpartition("look up:")[2]
            changed = {row[0] for row in actual[step.table] if row not in before[step.table]}
            changed |= {row[0] for row in before[step.table] if row not in actual[step.table]}
            missing = [key for key in changed.intersection(step.keys) if key not in text]
            assert text.strip(" ,") and (not missing or "…" in text), ("not named", step, missing, str(outcome.error))

    def _judge_many(self, step: Step, outcome: Outcome, fired: list[str], before: Rows, actual: Rows) -> None:
        error = outcome.error
        if error is None:
            self._judge_all(step, outcome, fired, actual)
            return
        assert isinstance(error, errors.DatabaseError)
        if not outcome.refused:
            seen = fired and not self._hides(fired)
            assert isinstance(error, errors.OperationalError) and seen, ("an error", step, fired, repr(error))
        for done in states(error):
            with self.model.attempt() as keep:
                counts = {row: self.model.run(step.plain, step.plain_values[row])[0] for row in done}
                refused = {row for row in done if counts[row] == REFUSED}
                gone_on = step.tolerant and refused.isdisjoint(states(error)[0])
                given = alone(step, {row + 1 for row in refused})
                twice = LOST.intersection(fired) and all(self._is_as_given(each, actual) for each in given)
                if (not refused or twice or gone_on) and rows_of_model(self.model.database) == actual:
                    keep.append(True)
                    self._check_rows(step, error)
                    return
        raise AssertionError(("no state that the error tells of", step, fired, repr(error), difference(before, actual)))

    def _judge_all(self, step: Step, outcome: Outcome, fired: list[str], actual: Rows) -> None:
        left_out = {*outcome.unsent, *outcome.uncertain}
        assert not left_out or not self._hides(fired), ("a fault was seen", step, fired, outcome)
        sure = [row for row in range(1, len(step.values) + 1) if row not in left_out]
        for portion in subsets(outcome.uncertain):
            with self.model.attempt() as keep:
                counts = {row: self._ran_model(step, row) for row in sorted({*sure, *portion})}
                after = rows_of_model(self.model.database)
                if actual == after:
                    keep.append(True)
                    self._judge_counts(step, outcome, fired, {row: counts[row] for row in sure}, after)
                    return
        raise AssertionError(("other rows", step, fired, outcome, difference(after, actual)))

    def _ran_model(self, step: Step, row: int) -> Any:
        return self.model.run(step.plain, step.plain_values[row - 1])[0]

    def _judge_counts(
        self, step: Step, outcome: Outcome, fired: list[str], counts: Mapping[int, Any], after: Rows
    ) -> None:
        refused = {row for row, count in counts.items() if count == REFUSED}
        lost = bool(LOST.intersection(fired))
        more = refused - set(outcome.failures)
        allowed = not more or (lost and all(self._is_as_given(each, after) for each in alone(step, more)))
        unmatched = {row for row, count in counts.items() if count == 0}  # their values are checked before sending
        wrong = set(outcome.failures) - refused - unmatched
        assert allowed and not wrong, ("other rows refused", step, fired, refused, outcome)
        self.tally["given twice"] += len(more)
        total = sum(count for count in counts.values() if count != REFUSED)
        chancy = lost and outcome.count > total and (more or step.verb in ("many deletes", "many links"))
        assert outcome.count == total or chancy, ("another count", step, fired, outcome.count, total)

    def _check_rows(self, step: Step, error: errors.DatabaseError) -> None:
        """Rows told refused cannot be written where those before them are."""
        written = set(states(error)[0])
        for each in error.results:
            if each.outcome == "refused" and isinstance(error, REFUSALS):
                with self.model.attempt():
                    for number in range(each.row - 1):
                        if number not in written:
                            self.model.run(step.plain, step.plain_values[number])
                    count = self.model.run(step.plain, step.plain_values[each.row - 1])[0]
                assert count in (REFUSED, 0), ("the row told refused can be written", step, repr(error))
                self.tally["rows told refused"] += 1


assert set(KINDS) >= TRANSIENT
