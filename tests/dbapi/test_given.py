"""Wrong types and odd inputs at the driver's surface: PEP 249 errors that say what to pass."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy
import pandas
import pytest

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.errors import InterfaceError, ProgrammingError
from sqlalchemy_dynamics.sandbox import Sandbox
from tests.dbapi.stub import rows_of, stubbed


@pytest.fixture(scope="module")
def connection() -> Iterator[dbapi.Connection]:
    with (
        Sandbox(rows=20, seed=5) as org,
        dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token) as connection,
    ):
        yield connection


@pytest.mark.parametrize("statement", [None, 5, b"SELECT 1", ["SELECT 1"], object()])
def test_a_statement_is_text(statement: Any) -> None:
    connection, _ = stubbed()
    with pytest.raises(ProgrammingError, match="a statement is a str, not"):
        connection.cursor().execute(statement)
    with pytest.raises(ProgrammingError, match="a statement is a str, not"):
        connection.cursor().executemany(statement, [])
    with pytest.raises(ProgrammingError, match="a statement is a str, not"):
        connection.explain(statement)


def test_a_byte_order_mark_is_left_out() -> None:
    connection, executor = stubbed(q=rows_of())
    connection.cursor().execute("\ufeffq")
    assert executor.ran[-1][0] == "q"


@pytest.mark.parametrize("parameters", [5, "abc", b"ab", {1, 2}, object(), True, 1.5])
def test_parameters_are_a_sequence_or_a_mapping(parameters: Any) -> None:
    connection, _ = stubbed()
    for call in (connection.cursor().execute, connection.explain):
        with pytest.raises(ProgrammingError, match="parameters are a sequence for"):
            call("q", parameters)
    with pytest.raises(ProgrammingError, match="parameters are a sequence for"):
        connection.cursor().callproc("q", parameters)
    with pytest.raises(ProgrammingError, match="parameters are a sequence for"):
        connection.cursor().executemany("q", [parameters])


@pytest.mark.parametrize("sets", [None, 5, "abc", {"a": 1}, object()])
def test_executemany_takes_a_sequence_of_sets(sets: Any) -> None:
    connection, _ = stubbed()
    with pytest.raises(ProgrammingError, match="takes a sequence of parameter sets"):
        connection.cursor().executemany("q", sets)


@pytest.mark.parametrize("size", [-1, 1.5, "2", object()])
def test_fetchmany_takes_a_whole_number(size: Any) -> None:
    connection, _ = stubbed(q=rows_of([(1, "a", None)]))
    cursor = connection.cursor().execute("q")
    with pytest.raises(ProgrammingError, match="a whole number from 0, not"):
        cursor.fetchmany(size)
    cursor.arraysize = size
    with pytest.raises(ProgrammingError, match="arraysize is a whole number from 0, not"):
        cursor.fetchmany()
    assert cursor.fetchmany(10**20) == [(1, "a", None)]


@pytest.mark.parametrize("url", [5, b"x", [], {}, 1.5, True, object()])
def test_connect_takes_text(url: Any) -> None:
    with pytest.raises(InterfaceError, match=r"connect\(\) takes dynamics://… or Name=Value;… as a str, not"):
        dbapi.connect(url)


WRONG: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda c: c.cursor().callproc(None), ProgrammingError, "the name of a procedure is a str, not None"),
    (lambda c: setattr(c, "isolation_level", None), InterfaceError, "AUTOCOMMIT or CHANGESET, not None"),
    (lambda c: setattr(c, "write_options", None), InterfaceError, "write_options is a mapping"),
    (lambda c: setattr(c, "write_options", {"Nix": 1}), InterfaceError, "there is no write option Nix; there are"),
    (lambda c: c.read_file(None, "x", "y"), ProgrammingError, "the table is a str, not None"),
    (lambda c: c.write_file("x", "y", 5, b""), ProgrammingError, "the column is a str, not int"),
    (lambda c: c.open_file(None, "x", "y"), ProgrammingError, "the table is a str, not None"),
    (lambda c: c.cursor().execute("SELECT ?", [object()]), ProgrammingError, "parameter 1 is of type object: pass a"),
    (lambda c: c.cursor().execute("SELECT :x", {"x": 1j}), ProgrammingError, "parameter x is of type complex: pass"),
    (lambda c: c.cursor().execute("SELECT ?", []), ProgrammingError, "has 1 parameter markers (?), 0 values"),
]


@pytest.mark.parametrize(("call", "kind", "words"), WRONG)
def test_other_wrong_arguments(
    connection: dbapi.Connection, call: Callable[[dbapi.Connection], Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as failure:
        call(connection)
    assert words in str(failure.value)


class Number(enum.IntEnum):
    FIVE = 5


class Word(enum.StrEnum):
    FIVE = "five"


MOMENT = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "given", "asked"),
    [
        ("numberofemployees", numpy.int64(5), "numberofemployees%20eq%205"),
        ("numberofemployees", Number.FIVE, "numberofemployees%20eq%205"),
        ("numberofemployees", numpy.array(5), "numberofemployees%20eq%205"),
        ("revenue", numpy.float64(1.5), "revenue%20eq%201.5"),
        ("donotemail", numpy.bool_(True), "donotemail%20eq%20true"),
        ("name", numpy.str_("five"), "name%20eq%20'five'"),
        ("name", Word.FIVE, "name%20eq%20'five'"),
        ("createdon", pandas.Timestamp(MOMENT), "createdon%20eq%202024-01-01T00:00:00Z"),
        ("createdon", numpy.datetime64("2024-01-01", "ns"), "createdon%20eq%202024-01-01T00:00:00Z"),
    ],
)
def test_values_of_numpy_and_pandas_go_down(connection: dbapi.Connection, column: str, given: Any, asked: str) -> None:
    steps = connection.explain(f"SELECT name FROM account WHERE {column} = ?", [given])
    assert [(kind, detail.partition("$filter=")[2]) for _, kind, detail in steps] == [("request", asked)]


@pytest.mark.parametrize("given", [pandas.NaT, pandas.NA, None])
def test_missing_values_are_null(connection: dbapi.Connection, given: Any) -> None:
    assert connection.cursor().execute("SELECT ? AS x", [given]).fetchall() == [(None,)]


@pytest.mark.parametrize(
    ("given", "found"),
    [(bytearray(b"x"), b"x"), (memoryview(b"x"), b"x"), (Decimal("1.50"), Decimal("1.50")), ({1}, [1])],
)
def test_values_come_back(connection: dbapi.Connection, given: Any, found: Any) -> None:
    assert connection.cursor().execute("SELECT ? AS x", [given]).fetchall() == [(found,)]
