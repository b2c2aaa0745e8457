"""The cursor over fixed results: fetching, breaking off, cancelling, closing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.errors import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    StatementCancelled,
)
from tests.dbapi.stub import COLUMNS, Block, StubResult, rows_of, stubbed

ROWS: Block = [(number, f"name {number}", None) for number in range(7)]


def test_fetches_in_every_way_across_pages() -> None:
    connection, _ = stubbed(q=rows_of(ROWS[:2], [], ROWS[2:]))
    cursor = connection.cursor()
    assert cursor.execute("q").fetchone() == ROWS[0]
    assert cursor.fetchmany() == [ROWS[1]]
    assert cursor.fetchmany(3) == ROWS[2:5]
    cursor.arraysize = 10
    assert cursor.fetchmany() == ROWS[5:]
    assert (cursor.fetchone(), cursor.fetchmany(), cursor.fetchall()) == (None, [], [])
    assert list(cursor.execute("q")) == ROWS
    assert cursor.execute("q").fetchall() == ROWS


def test_describes_a_result_without_rows_completely() -> None:
    connection, _ = stubbed(q=rows_of())
    cursor = connection.cursor().execute("q")
    assert cursor.description == [
        ("id", "INTEGER", None, None, None, None, False),
        ("name", "VARCHAR", None, None, None, None, True),
        ("revenue", "DECIMAL(19,4)", None, None, 19, 4, True),
    ]
    assert [column[1] for column in cursor.description] == [dbapi.NUMBER, dbapi.STRING, dbapi.NUMBER]
    assert cursor.fetchall() == [] and cursor.description is not None


def test_a_statement_without_rows_fetches_nothing() -> None:
    connection, _ = stubbed()
    cursor = connection.cursor().execute("update")
    assert (cursor.description, cursor.rowcount) == (None, 1)
    assert (cursor.fetchone(), cursor.fetchmany(5), cursor.fetchall()) == (None, [], [])


def test_fetching_before_any_statement_is_an_error() -> None:
    connection, _ = stubbed()
    with pytest.raises(ProgrammingError, match="no statement"):
        connection.cursor().fetchall()


def _breaking() -> Iterator[Block]:
    yield ROWS[:2]
    raise OperationalError("page 2 failed")


def test_a_failed_page_raises_at_every_further_fetch() -> None:
    connection, executor = stubbed(q=lambda: StubResult(COLUMNS, _breaking))
    cursor = connection.cursor().execute("q")
    assert cursor.fetchmany(2) == ROWS[:2]
    with pytest.raises(OperationalError, match="page 2"):
        cursor.fetchone()
    with pytest.raises(ProgrammingError, match="broke off"):
        cursor.fetchall()
    assert executor.results[0].closed
    assert cursor.execute("update").rowcount == 1


def _interrupted() -> Iterator[Block]:
    yield ROWS[:2]
    raise KeyboardInterrupt


def test_an_interrupt_leaves_the_connection_usable() -> None:
    connection, executor = stubbed(q=lambda: StubResult(COLUMNS, _interrupted), other=rows_of(ROWS))
    cursor = connection.cursor().execute("q")
    with pytest.raises(KeyboardInterrupt):
        cursor.fetchall()
    assert executor.results[0].closed
    with pytest.raises(ProgrammingError, match="broke off"):
        cursor.fetchall()
    assert cursor.execute("other").fetchall() == ROWS


def test_cancel_stops_the_running_statement_and_no_later_one() -> None:
    connection, _ = stubbed(q=rows_of(ROWS[:2], ROWS[2:]))
    cursor = connection.cursor()
    cursor.cancel()
    cursor.execute("q")
    assert cursor.fetchone() == ROWS[0]
    cursor.cancel()
    with pytest.raises(StatementCancelled):
        cursor.fetchall()
    assert cursor.execute("q").fetchall() == ROWS


def test_executing_again_closes_the_result_before() -> None:
    connection, executor = stubbed(q=rows_of(ROWS))
    cursor = connection.cursor().execute("q")
    cursor.fetchone()
    cursor.execute("q")
    assert [result.closed for result in executor.results] == [True, False]
    connection.close()
    assert executor.results[1].closed


def test_executemany_sums_its_row_counts_and_refuses_rows() -> None:
    connection, executor = stubbed(q=rows_of(ROWS))
    cursor = connection.cursor().executemany("update", [(1,), (2,), (3,)])
    assert cursor.rowcount == 3 and cursor.fetchall() == []
    assert executor.ran == [("update", (1,)), ("update", (2,)), ("update", (3,))]
    with pytest.raises(ProgrammingError, match="executemany"):
        cursor.executemany("q", [()])
    assert cursor.executemany("update", []).rowcount == 0


def test_callproc_writes_a_call() -> None:
    connection, executor = stubbed()
    cursor = connection.cursor()
    assert cursor.callproc("GetAdminConsentURL", {"CallbackURL": "x"}) == {"CallbackURL": "x"}
    cursor.callproc("WhoAmI")
    cursor.callproc("Rollup", ["a", 1])
    assert [sql for sql, _ in executor.ran] == [
        "CALL GetAdminConsentURL(CallbackURL => :CallbackURL)",
        "CALL WhoAmI()",
        "CALL Rollup(?, ?)",
    ]
    with pytest.raises(ProgrammingError, match="not the name"):
        cursor.callproc("x(1); DELETE FROM account")


def test_closed_things_say_so() -> None:
    connection, _ = stubbed(q=rows_of(ROWS))
    cursor = connection.cursor().execute("q")
    cursor.close()
    cursor.close()
    for use in (cursor.fetchone, cursor.fetchall, cursor.fetchmany, lambda: cursor.execute("q")):
        with pytest.raises(InterfaceError, match="closed"):
            use()
    other = connection.cursor().execute("q")
    connection.close()
    connection.close()
    for late in (other.fetchall, connection.cursor, connection.commit, connection.rollback, connection.ping):
        with pytest.raises(InterfaceError, match="closed"):
            late()


def test_context_managers_close() -> None:
    connection, executor = stubbed(q=rows_of(ROWS))
    with connection, connection.cursor() as cursor:
        assert cursor.execute("q").fetchone() == ROWS[0]
    assert cursor.closed and connection.closed and executor.results[0].closed


def test_an_error_of_the_executor_leaves_nothing_to_fetch() -> None:
    def fail() -> StubResult:
        raise DatabaseError("no")

    connection, _ = stubbed(q=rows_of(ROWS), bad=fail)
    cursor = connection.cursor().execute("q")
    with pytest.raises(DatabaseError):
        cursor.execute("bad")
    assert cursor.description is None and cursor.rowcount == -1
    with pytest.raises(ProgrammingError):
        cursor.fetchall()
