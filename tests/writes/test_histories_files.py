"""Contents of file columns with a fault at every request: what was given, or what was there, never a mixture."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from sqlalchemy_dynamics import dbapi, errors

from .histories.faults import KINDS, TRANSIENT
from .histories.play import LENGTH, SEED, UNHURRIED, Guarded, guarded, report
from .histories.tables import empty, key_of

pytestmark = UNHURRIED

KEY = key_of("new_sample", 1)
SET = "UPDATE new_sample SET new_document = ? WHERE new_sampleid = ?"
NEW = "INSERT INTO new_sample (new_sampleid, new_name, new_document) VALUES (?, 'file', ?)"
LARGE = 4 * 1024 * 1024 + 5
MOST_POINTS = 6


@pytest.fixture(scope="module")
def org() -> Iterator[Guarded]:
    with guarded() as found:
        yield found


@pytest.fixture
def connection(org: Guarded) -> dbapi.Connection:
    empty(org.org)
    return org.connect()


def read(org: Guarded, connection: dbapi.Connection) -> bytes:
    org.gate.arm()
    return connection.read_file("new_sample", KEY, "new_document")


def contents() -> list[bytes]:
    """Nothing, a little, and more than goes in one request."""
    chance = random.Random(SEED)
    return [b"", b"x", chance.randbytes(1000), *(chance.randbytes(LARGE) for _ in range(LENGTH > 1))]


def test_contents_with_every_fault(
    org: Guarded, connection: dbapi.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    tally, before = Counter[str](), b"first"
    connection.cursor().execute(NEW, (KEY, before))
    for data in contents():
        org.gate.arm()
        connection.cursor().execute(SET, (b"other", KEY))
        requests, before = org.gate.seen, b"other"
        if len(data) > 1000:
            org.gate.arm()
            connection.cursor().execute(SET, (data, KEY))
            requests, before = org.gate.seen, data
        for number in range(1, min(requests, MOST_POINTS) + 1):
            for kind in KINDS if len(data) < LARGE or LENGTH > 1 else ("drop after", "503", "401", "500"):
                given = data + kind.encode()
                org.gate.arm({number: kind})
                told = ""
                try:
                    connection.cursor().execute(SET, (given, KEY))
                except errors.OperationalError as error:
                    told = str(error)
                tally.update({"writes": 1, "faults": len(org.gate.fired), "errors": bool(told)})
                assert not told or kind not in TRANSIENT, (len(data), number, kind, told)
                found = read(org, connection)
                assert found in ((before, given) if told else (given,)), (len(data), number, kind, told, len(found))
                before = found
    report("files", tally, capsys)
    assert tally["faults"] > 20


def test_a_row_and_its_file_are_told_apart(org: Guarded, connection: dbapi.Connection) -> None:
    """An INSERT whose file failed leaves the row, and says so."""
    org.gate.arm({2: "500"})
    with pytest.raises(errors.OperationalError, match=KEY) as caught:
        connection.cursor().execute(NEW, (KEY, b"lost"))
    assert [each.outcome for each in caught.value.results] == ["written"]
    assert read(org, connection) == b""
