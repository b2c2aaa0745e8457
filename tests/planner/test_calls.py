"""EXEC and CALL: what is read, and that what cannot be read is named without its values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.planner.calls import call_of, call_text
from sqlalchemy_dynamics.planner.plan import Marker


def read(sql: str) -> tuple[str, dict[str, Any], int]:
    """Name, arguments (by position where they have no name) and number of markers."""
    text = call_text(sql)
    assert text is not None
    call = call_of(text)
    found = {argument.name or str(at): argument.value for at, argument in enumerate(call.arguments, start=1)}
    return call.name, found, call.markers


@pytest.mark.parametrize(
    ("sql", "name", "arguments", "markers"),
    [
        ("EXEC p", "p", {}, 0),
        ("CALL p()", "p", {}, 0),
        ("execute\tdbo.[my proc] ;", "my proc", {}, 0),
        ("-- why\n/* so */ EXEC p @a = 'x'", "p", {"a": "x"}, 0),
        ("EXEC p @a = 'it''s', [c d] = N'ü'", "p", {"a": "it's", "c d": "ü"}, 0),
        ("EXEC p a = 1, b = -1.50, c = NULL, d = TRUE", "p", {"a": 1, "b": Decimal("-1.50"), "c": None, "d": True}, 0),
        (
            "EXEC p a = ?, @b = :n, c = @o, d = ?",
            "p",
            {"a": Marker(1), "b": Marker("n"), "c": Marker("o"), "d": Marker(2)},
            2,
        ),
        ("CALL p(a => 'x;y', b := ?, 3, 'z=1')", "p", {"a": "x;y", "b": Marker(1), "3": 3, "4": "z=1"}, 1),
        (
            "EXEC p @state = 'a', [Default] = 'b', values = 'c', end = 'd'",
            "p",
            dict(zip(("state", "Default", "values", "end"), "abcd", strict=True)),
            0,
        ),
        (
            "EXEC p a='1=2', b='x, y', c=')', d='--', e='/*'",
            "p",
            {"a": "1=2", "b": "x, y", "c": ")", "d": "--", "e": "/*"},
            0,
        ),
    ],
)
def test_what_is_read(sql: str, name: str, arguments: dict[str, Any], markers: int) -> None:
    assert read(sql) == (name, arguments, markers)


@pytest.mark.parametrize("sql", ["SELECT 1", "EXECUTIVE", "EXPLAIN EXEC p", "WITH exec AS (SELECT 1) SELECT 1", ""])
def test_what_is_no_call(sql: str) -> None:
    assert call_text(sql) is None


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("EXEC", "name of a procedure is missing"),
        ("EXEC 'p'", "name of a procedure is missing"),
        ("EXEC p @a = 'canary", "quote is not closed"),
        ("EXEC p @a =", "value of argument 1 is missing"),
        ("EXEC p 'x', @a = upper('canary')", "argument 2 must be a literal"),
        ("EXEC p @a = canary", "argument 1 must be a literal"),
        ("EXEC p @a = -'canary'", "argument 1 must be a literal"),
        ("EXEC p @a = 'canary' @b = 'canary'", "argument 1 that does not belong"),
        ("EXEC p @a = 'canary',", "argument 1 that does not belong|value of argument 2"),
        ("CALL p('canary'", "closing parenthesis"),
        ("EXEC p 'canary'; SELECT 1", "does not belong"),
    ],
)
def test_what_cannot_be_read_is_named_without_its_values(sql: str, complaint: str) -> None:
    with pytest.raises(ProgrammingError, match=complaint) as caught:
        read(sql)
    assert "canary" not in str(caught.value) and "EXEC name @input = value" in str(caught.value)


def test_secrets_do_not_show_in_what_was_read() -> None:
    text = call_text("EXEC p @a = 'canary'")
    assert "canary" not in repr(text) and "canary" not in repr(call_of(text or ""))
