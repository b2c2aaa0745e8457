"""Random histories of writes end as they end on SQLite, with faults at random points too: no loss, nothing doubled."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.sandbox import Sandbox
from sqlalchemy_dynamics.sandbox.limits import Limits

from .conftest import control

CODES = st.sampled_from([f"c{number}" for number in range(12)])
NAMES = st.sampled_from(["a", "b", "ab", "x"])
COUNTS = st.one_of(st.none(), st.integers(-3, 30))
KEYS = [str(uuid.UUID(int=number, version=4)) for number in range(8)]
KEY = st.sampled_from(KEYS)
ROW = st.tuples(KEY, CODES, NAMES, COUNTS)
FAULTS = st.tuples(st.sampled_from(["drop", "503", "429", "401", "truncate", "504", "html"]), st.integers(1, 3))

INSERT = "INSERT INTO new_sample (new_sampleid, new_code, new_name, new_count) VALUES "
ONE = "(?, ?, ?, ?)"
TAKE = " ON CONFLICT (new_code) DO UPDATE SET new_name = excluded.new_name, new_count = excluded.new_count"
COMPUTE = " ON CONFLICT (new_code) DO UPDATE SET new_count = new_sample.new_count + 1 WHERE new_sample.new_count < 20"
NOTHING = " ON CONFLICT (new_code) DO NOTHING"
SCHEMA = (
    "CREATE TABLE new_sample (new_sampleid TEXT PRIMARY KEY, new_code TEXT UNIQUE, new_name TEXT, new_count INTEGER)"
)
ALL = "SELECT new_sampleid, new_code, new_name, new_count FROM new_sample ORDER BY new_code"
WHERE = st.sampled_from(["new_count > ?", "new_count < ? OR new_name = 'a'", "new_count IS NULL AND ? = ?"])
SET = st.sampled_from(["new_count = new_count + 1", "new_name = new_name || 'z', new_count = NULL", "new_count = 7"])


class Histories(RuleBasedStateMachine):
    """The same statements on both sides: the same counts, the same refusals, the same rows."""

    org: Sandbox
    connection: dbapi.Connection
    statements = 0

    @initialize()
    def begin(self) -> None:
        control(self.org, "DELETE", "faults")
        self.connection.cursor().execute("DELETE FROM new_sample WHERE new_sampleid IS NOT NULL")
        self.model = sqlite3.connect(":memory:")
        self.model.execute(SCHEMA)

    def strike(self) -> None:
        """Nothing goes wrong here."""

    def unknowable(self, sql: str, count: Any) -> bool:
        return False

    def both(self, sql: str, values: tuple[Any, ...]) -> None:
        type(self).statements += 1
        self.strike()
        try:
            ours: Any = self.connection.cursor().execute(sql, values).rowcount
        except errors.IntegrityError:
            ours = "refused"
        except errors.OperationalError as error:
            # A fixed token cannot be renewed, a page in place of a read is not asked for again: nothing was written.
            assert isinstance(error, errors.AuthenticationError) or "web page" in str(error)
            return
        finally:
            control(self.org, "DELETE", "faults")
        try:
            theirs: Any = self.model.execute(sql, values).rowcount
        except sqlite3.IntegrityError:
            theirs = "refused"
        assert ours == theirs or self.unknowable(sql, ours), (sql, values)

    @rule(row=ROW)
    def insert(self, row: Any) -> None:
        self.both(INSERT + ONE, row)

    @rule(rows=st.lists(ROW, min_size=2, max_size=4))
    def insert_several(self, rows: Any) -> None:
        self.both(INSERT + ", ".join([ONE] * len(rows)), tuple(value for row in rows for value in row))

    @rule(row=ROW, clause=st.sampled_from([TAKE, COMPUTE, NOTHING]))
    def upsert(self, row: Any, clause: str) -> None:
        taken = self.model.execute("SELECT new_code FROM new_sample WHERE new_sampleid = ?", row[:1]).fetchone()
        if taken is None or taken[0] == row[1]:
            self.both(INSERT + ONE + clause, row)

    @rule(setting=SET, key=KEY)
    def update_one(self, setting: str, key: str) -> None:
        self.both(f"UPDATE new_sample SET {setting} WHERE new_sampleid = ?", (key,))

    @rule(setting=SET, where=WHERE, count=st.integers(-2, 20))
    def update_some(self, setting: str, where: str, count: int) -> None:
        self.both(f"UPDATE new_sample SET {setting} WHERE {where}", (count,) * where.count("?"))

    @rule(key=KEY)
    def delete_one(self, key: str) -> None:
        self.both("DELETE FROM new_sample WHERE new_sampleid = ?", (key,))

    @rule(where=WHERE, count=st.integers(5, 20))
    def delete_some(self, where: str, count: int) -> None:
        self.both(f"DELETE FROM new_sample WHERE {where}", (count,) * where.count("?"))

    @rule(sets=st.lists(st.tuples(COUNTS, KEY), min_size=1, max_size=6))
    def update_many(self, sets: Any) -> None:
        self.strike()
        type(self).statements += 1
        sql = "UPDATE new_sample SET new_count = ? WHERE new_sampleid = ?"
        try:
            ours = self.connection.cursor().executemany(sql, sets).rowcount
        except errors.AuthenticationError:
            self.again(sql, sets)
            return
        finally:
            control(self.org, "DELETE", "faults")
        assert ours == self.model.executemany(sql, sets).rowcount

    def again(self, sql: str, sets: Any) -> None:
        """What was refused half way is simply sent once more: the same values, nothing doubled."""
        self.model.executemany(sql, sets)
        self.connection.cursor().executemany(sql, sets)

    @invariant()
    def same_rows(self) -> None:
        if hasattr(self, "model"):
            control(self.org, "DELETE", "faults")
            assert self.connection.cursor().execute(ALL).fetchall() == self.model.execute(ALL).fetchall()


class FaultyHistories(Histories):
    """One fault at the first, second or third request of each statement."""

    fault: Any = None

    def unknowable(self, sql: str, count: Any) -> bool:
        """Whether a row that is gone after a lost answer was there before, nobody can tell: it counts as deleted."""
        return sql.startswith("DELETE") and count == 1

    @rule(fault=FAULTS)
    def arm(self, fault: Any) -> None:
        self.fault = fault

    def strike(self) -> None:
        if self.fault is not None:
            kind, number = self.fault
            control(self.org, "POST", "faults", {"kind": kind, "when": f"#{number}", "arg": 0})
            self.fault = None


@pytest.fixture(scope="module")
def org() -> Iterator[Sandbox]:
    with Sandbox(rows=4, limits=Limits(requests=10**9)) as sandbox:
        yield sandbox


@pytest.fixture
def connection(org: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[dbapi.Connection]:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    connection = dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token)
    yield connection
    connection.close()


@pytest.mark.parametrize(("machine", "examples"), [(Histories, 15), (FaultyHistories, 25)], ids=["calm", "faults"])
def test_histories_end_as_on_sqlite(org: Sandbox, connection: dbapi.Connection, machine: Any, examples: int) -> None:
    machine.org, machine.connection = org, connection
    health = [HealthCheck.too_slow]
    limits = settings(max_examples=examples, stateful_step_count=12, deadline=None, suppress_health_check=health)
    run_state_machine_as_test(machine, settings=limits)
    assert machine.statements > examples
