"""What lost answers leave open: with other writers about, beside refusals, with rounded numbers; and Ctrl-C."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sqlalchemy_dynamics import errors
from sqlalchemy_dynamics.sandbox import Sandbox

from .histories.faults import AFTER, BEFORE, Gate
from .histories.play import Guarded, guarded
from .histories.tables import key_of

ONE, TWO = key_of("new_sample", 1), key_of("new_sample", 2)


@pytest.fixture
def org() -> Iterator[Guarded]:
    with guarded() as found:
        yield found


def _rows(org: Guarded, sql: str) -> list[tuple[Any, ...]]:
    return org.org.service.store.query(sql)


def _put_before(sandbox: Sandbox, data: Any) -> None:
    """Let requests come to `data` before they come to the sandbox's routes."""
    app: Any = sandbox.app
    app._data = data


def _between(gate: Gate, sandbox: Sandbox) -> None:
    """Another client adds 1 to every row between an answer that is lost and the request that is sent again."""
    passed, done = sandbox.app._data, list[bool]()

    async def data(method: str, *rest: Any) -> None:
        await passed(method, *rest)
        if method != "GET" and gate.fired and not done:
            done.append(True)
            sandbox.service.store.execute(
                "UPDATE new_sample SET new_count = new_count + 1, versionnumber = versionnumber + 100000"
            )
            sandbox.service.store.touch("new_sample")

    _put_before(sandbox, data)


@pytest.mark.parametrize(
    ("change", "nth"),
    [
        ("UPDATE new_sample SET new_count = new_count + 1 WHERE new_code = 'A'", 2),
        ("UPDATE new_sample SET new_count = new_count + 1 WHERE new_code IN ('A', 'B')", 2),
        ("UPDATE new_sample SET new_count = new_count + 1 WHERE new_code = 'A' RETURNING new_count", 2),
        (
            "INSERT INTO new_sample (new_code, new_count) VALUES ('A', 1) "
            "ON CONFLICT (new_code) DO UPDATE SET new_count = new_sample.new_count + 1",
            2,
        ),
    ],
    ids=["one row", "two rows", "returning", "on conflict"],
)
def test_a_change_is_not_made_twice_when_others_write_after_it(org: Guarded, change: str, nth: int) -> None:
    connection = org.connect()
    connection.cursor().execute("INSERT INTO new_sample (new_code, new_count) VALUES ('A', 0), ('B', 0)")
    connection.cursor().execute("SELECT new_code FROM new_sample").fetchall()
    _between(org.gate, org.org)
    org.gate.arm({nth: AFTER})
    with pytest.raises(errors.OperationalError, match="outcome unknown"):
        connection.cursor().execute(change)
    assert org.gate.fired == [AFTER]
    assert _rows(org, "SELECT max(new_count) FROM new_sample") == [(2,)]


@pytest.mark.parametrize("value", [1 / 3, 9 / 7, 0.123456789])
@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
def test_rounded_numbers_are_known_again(org: Guarded, value: float, many: bool) -> None:
    """A double is rounded to its column's Precision; with given keys what stands there is compared."""
    cursor, add = org.connect().cursor(), "INSERT INTO new_sample (new_sampleid, new_score) VALUES (?, ?)"
    cursor.execute("SELECT count(*) FROM new_sample").fetchall()
    org.gate.arm({1: AFTER})
    sets = [(ONE, value), (TWO, value)] if many else [(ONE, value)]
    cursor.executemany(add, sets)
    assert (org.gate.fired, cursor.rowcount) == ([AFTER], len(sets))


def test_a_rounded_change_of_a_version_is_known_again(org: Guarded) -> None:
    connection = org.connect()
    connection.cursor().execute("INSERT INTO new_sample (new_sampleid, new_score) VALUES (?, 1)", (ONE,))
    [(version,)] = _rows(org, "SELECT versionnumber FROM new_sample")
    connection.isolation_level = "CHANGESET"
    change = "UPDATE new_sample SET new_score = ? WHERE new_sampleid = ? AND versionnumber = ?"
    connection.cursor().execute(change, (1 / 3, ONE, int(version)))
    org.gate.arm({1: AFTER})
    connection.commit()
    assert org.gate.fired == [AFTER]


@pytest.mark.parametrize(
    "lost", [{3: AFTER, 4: BEFORE}, {3: AFTER, 5: BEFORE}, {2: AFTER, 4: BEFORE}, {2: AFTER, 5: BEFORE}]
)
def test_no_row_is_computed_twice_beside_a_stale_one(org: Guarded, lost: dict[int, str]) -> None:
    """Of two portions one is refused for another's version, of the other no answer comes."""
    sandbox = org.org
    cursor = org.connect().cursor()
    cursor.executemany(
        "INSERT INTO new_sample (new_sampleid, new_count) VALUES (?, 0)",
        [(key_of("new_sample", number),) for number in range(1200)],
    )
    connection = org.connect(MaxRetries=0, MaxConcurrency=2)
    connection.cursor().execute("SELECT new_count FROM new_sample LIMIT 1").fetchall()
    passed, done = sandbox.app._data, list[bool]()

    async def data(method: str, *rest: Any) -> None:
        if method == "POST" and not done:
            done.append(True)
            raise_one = "UPDATE new_sample SET versionnumber = versionnumber + 100000 WHERE new_sampleid = ?"
            sandbox.service.store.execute(raise_one, (key_of("new_sample", 5),))
            sandbox.service.store.touch("new_sample")
        await passed(method, *rest)

    _put_before(sandbox, data)
    org.gate.arm(lost)
    failure: errors.Error | None = None
    try:
        connection.cursor().execute("UPDATE new_sample SET new_count = new_count + 1 WHERE new_sampleid IS NOT NULL")
    except errors.OperationalError as error:
        failure = error
    [(least, most)] = _rows(org, "SELECT min(new_count), max(new_count) FROM new_sample")
    assert done and most <= 1, (least, most, failure)
    assert failure is not None or least == 1


def test_the_last_spelling_of_a_key_wins(org: Guarded) -> None:
    """Upserts of one row, its alternate key spelt in two ways, keep their order though portions run side by side."""
    connection, passed = org.connect(), org.org.app._data
    connection.cursor().execute("SELECT new_code FROM new_sample").fetchall()

    async def data(method: str, path: str, query: str, headers: Any, body: bytes, send: Any) -> None:
        if b'"first"' in body:
            await asyncio.sleep(0.5)
        await passed(method, path, query, headers, body, send)

    _put_before(org.org, data)
    rows = [(f"c{number}", "between") for number in range(400)]
    rows[0], rows[300] = ("Dup", "first"), ("d\u00fcp ", "last")
    connection.cursor().executemany(
        "INSERT INTO new_sample (new_code, new_name) VALUES (?, ?) "
        "ON CONFLICT (new_code) DO UPDATE SET new_name = excluded.new_name",
        rows,
    )
    assert _rows(org, "SELECT new_name FROM new_sample WHERE new_code LIKE 'd%p%'") == [("last",)]


_INTERRUPTED = """
import os, signal, threading
from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.sandbox import Sandbox

with Sandbox(rows=0) as org:
    connection = dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token, MaxConcurrency=2)
    sent = []

    def on_request(request, reply):
        if request.method == "POST":
            sent.append(request.url)
            if len(sent) == 2:
                os.kill(os.getpid(), signal.SIGINT)

    connection.on_request = on_request
    try:
        connection.cursor().executemany("INSERT INTO competitor (name) VALUES (?)", [["n"]] * 30000)
    except KeyboardInterrupt:
        count = connection.cursor().execute("SELECT count(*) FROM competitor").fetchone()[0]
        print("interrupted", 0 < count < 15000)
"""


def test_an_interrupt_ends_a_bulk_write() -> None:
    found = subprocess.run([sys.executable, "-c", _INTERRUPTED], capture_output=True, text=True, check=False)
    assert (found.stdout, found.returncode) == ("interrupted True\n", 0), found.stderr
