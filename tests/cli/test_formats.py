"""Rows in every format, without a service."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from sqlalchemy_dynamics.cli.grid import write_table
from sqlalchemy_dynamics.cli.output import Progress
from sqlalchemy_dynamics.cli.writers import unique, write_csv, write_json, write_jsonl

NAMES = ("name", "amount", "at", "flag", "data", "name")
ROWS = [
    ('a,"b"\n', Decimal("1.10"), dt.datetime(2024, 1, 2, 3, tzinfo=dt.UTC), True, b"\x00\x01", None),
    ("東京", Decimal("-20"), None, False, None, "x"),
]


def written(write: Callable[..., None], names: Any = NAMES, blocks: Any = (ROWS[:1], ROWS[1:])) -> str:
    stream = io.StringIO()
    write(names, blocks, stream)
    return stream.getvalue()


def test_table() -> None:
    assert written(write_table).splitlines() == [
        r"name    | amount | at                        | flag  | data | name",
        r"--------+--------+---------------------------+-------+------+-----",
        r'a,"b"\n |   1.10 | 2024-01-02T03:00:00+00:00 | true  | AAE= | NULL',
        r"東京    |    -20 | NULL                      | false | NULL | x",
        "(2 rows)",
    ]
    assert written(write_table, ("id",), []) == "id\n--\n(0 rows)\n"


def test_table_streams_beyond_its_look_ahead() -> None:
    lines = written(write_table, ("n",), ([(number,)] for number in range(2000))).splitlines()
    assert lines[-1] == "(2,000 rows)" and lines[-2] == "1999" and len(lines) == 2003


def test_csv() -> None:
    assert list(csv.reader(io.StringIO(written(write_csv)))) == [
        list(NAMES),
        ['a,"b"\n', "1.10", "2024-01-02T03:00:00+00:00", "true", "AAE=", ""],
        ["東京", "-20", "", "false", "", "x"],
    ]


def test_json_keeps_digits_and_repeated_names() -> None:
    text = written(write_json)
    first, second = json.loads(text, parse_float=Decimal)
    assert first["amount"] == Decimal("1.10") and "1.10" in text
    assert (first["at"], first["name_2"], second["name"], second["name_2"]) == (
        "2024-01-02T03:00:00Z",
        None,
        "東京",
        "x",
    )
    assert [json.loads(line)["flag"] for line in written(write_jsonl).splitlines()] == [True, False]
    assert json.loads(written(write_json, ("a",), [])) == []


def test_unique_names() -> None:
    assert unique(["a", "a_2", "a", "a"]) == ["a", "a_2", "a_3", "a_4"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "shown", "expected"),
    [
        (Terminal(), True, "\r1 rows\r3 rows\r\x1b[K"),
        (Terminal(), False, ""),
        (io.StringIO(), True, ""),
    ],
)
def test_progress_is_for_terminals(stream: io.StringIO, shown: bool, expected: str) -> None:
    ticks: Iterator[float] = iter([0.0, 0.0, 0.1, 0.3, 0.3])
    progress = Progress(stream, shown, lambda: next(ticks))
    assert list(progress.counted([[1], [1], [1]])) == [[1], [1], [1]]
    assert stream.getvalue() == expected
