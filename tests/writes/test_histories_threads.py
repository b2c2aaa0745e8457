"""Several writers at once: disjoint keys end as each alone, the same keys neither double nor lose a change."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi, errors

from .histories.model import open_model
from .histories.play import LENGTH, SEED, UNHURRIED, Guarded, guarded, report
from .histories.tables import key_of

pytestmark = UNHURRIED

WRITERS = 3
TURNS = round(25 * LENGTH)
KEEP = "DO UPDATE SET new_name = excluded.new_name, new_count = excluded.new_count"
ADD = "DO UPDATE SET new_count = coalesce(new_sample.new_count, 0) + excluded.new_count"
UPSERT = "INSERT INTO new_sample (new_code, new_name, new_count) VALUES (?, ?, ?) ON CONFLICT (new_code) "


@pytest.fixture(scope="module")
def org() -> Iterator[Guarded]:
    with guarded() as found:
        yield found


@pytest.fixture(autouse=True)
def begun(org: Guarded) -> None:
    org.world()


def side_by_side(org: Guarded, work: Callable[[int, dbapi.Connection], Any]) -> list[Any]:
    """Run one writer in each thread, each with its connection; they begin together."""
    connections = [org.connect() for _ in range(WRITERS)]
    barrier = Barrier(WRITERS)

    def run(writer: int) -> Any:
        barrier.wait()
        return work(writer, connections[writer])

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(run, range(WRITERS)))


def rows(org: Guarded, sql: str, *values: object) -> list[tuple[Any, ...]]:
    return org.org.service.store.query(sql, values)


def own_history(writer: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    chance = random.Random(f"{SEED} {writer}")
    for turn in range(TURNS):
        key, code = key_of("new_sample", 100 + 10 * writer + chance.randrange(4)), f"w{writer} {chance.randrange(3)}"
        yield chance.choice((
            ("INSERT INTO new_sample (new_sampleid, new_name, new_count) VALUES (?, 'own', ?)", (key, turn)),
            ("UPDATE new_sample SET new_count = new_count + 1 WHERE new_sampleid = ?", (key,)),
            ("DELETE FROM new_sample WHERE new_sampleid = ?", (key,)),
            (UPSERT + KEEP, (code, f"t{turn}", turn)),
            (UPSERT + ADD, (code, f"t{turn}", 1)),
            ("DELETE FROM new_sample WHERE new_code = ?", (code,)),
        ))  # fmt: skip


def test_disjoint_keys_end_as_alone(org: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    def work(writer: int, connection: dbapi.Connection) -> list[Any]:
        counts: list[Any] = []
        for sql, values in own_history(writer):
            try:
                counts.append(connection.cursor().execute(sql, values).rowcount)
            except errors.IntegrityError:
                counts.append("refused")
        return counts

    found = side_by_side(org, work)
    model = open_model()
    for writer in range(WRITERS):
        for (sql, values), count in zip(own_history(writer), found[writer], strict=True):
            try:
                expected: Any = model.execute(sql, values).rowcount
            except Exception:  # of whichever witness the model asks
                expected = "refused"
            assert count == expected, (sql, values)
    query = "SELECT new_code, new_name, new_count FROM new_sample WHERE new_name = 'own' OR new_name LIKE 't%'"
    assert sorted(rows(org, query), key=repr) == sorted(model.execute(query).fetchall(), key=repr)
    report("disjoint writers", Counter({"statements": WRITERS * TURNS}), capsys)


def test_upserts_of_the_same_keys_double_nothing(org: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    """One row for each code, and what it holds is what one of the writers gave last."""
    codes = [f"race {number}" for number in range(4)]

    def work(writer: int, connection: dbapi.Connection) -> tuple[dict[str, str], Counter[str]]:
        chance, last, seen = random.Random(f"{SEED} {writer}"), dict[str, str](), Counter[str]()
        for turn in range(TURNS):
            code, kind = chance.choice(codes), chance.choice((KEEP, KEEP, "DO NOTHING", ""))
            sql, name = (
                UPSERT.replace(" ON CONFLICT (new_code) ", "") if not kind else UPSERT + kind,
                f"{writer} {turn}",
            )
            try:
                if connection.cursor().execute(sql, (code, name, turn)).rowcount:
                    last[code] = name
                seen["written"] += 1
            except errors.IntegrityError as error:
                assert not kind, error
                seen["refused"] += 1
        return last, seen

    found = side_by_side(org, work)
    kept = rows(org, "SELECT new_code, new_name FROM new_sample WHERE new_code LIKE 'race%'")
    assert len(kept) == len({code for last, _ in found for code in last})
    assert all(name in [last.get(code) for last, _ in found] for code, name in kept)
    report("racing upserts", sum((seen for _, seen in found), Counter[str]()), capsys)


def test_no_addition_of_the_same_row_is_lost(org: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    """Versions are compared: an addition that met another's is told, or done again."""
    key = key_of("account", 1)
    read = "SELECT numberofemployees, versionnumber FROM account WHERE accountid = ?"
    change = "UPDATE account SET numberofemployees = ? WHERE accountid = ? AND versionnumber = ?"

    def work(writer: int, connection: dbapi.Connection) -> Counter[str]:
        seen, cursor = Counter[str](), connection.cursor()
        for _ in range(TURNS // 6):
            number, version = cursor.execute(read, (key,)).fetchone() or (0, 0)
            seen[("stale", "added")[cursor.execute(change, (number + 1, key, version)).rowcount]] += 1
            try:
                cursor.execute(UPSERT + ADD, ("sum", "s", 1))
                seen["summed"] += 1
            except errors.OperationalError as error:
                assert "others keep changing" in str(error)
                seen["given up"] += 1
            except errors.IntegrityError as error:
                assert "RowVersion" in str(error) or "violated" in str(error)
                seen["conflicts"] += 1
        return seen

    total = sum(side_by_side(org, work), Counter[str]())
    assert rows(org, "SELECT numberofemployees FROM account WHERE accountid = ?", key) == [(12 + total["added"],)]
    assert rows(org, "SELECT new_count FROM new_sample WHERE new_code = 'sum'") == [(total["summed"],)]
    report("racing additions", total, capsys)


def test_each_row_is_deleted_and_made_by_one_only(org: Guarded) -> None:
    keys = [key_of("competitor", 500 + number) for number in range(TURNS)]

    def work(writer: int, connection: dbapi.Connection) -> int:
        cursor, made = connection.cursor(), 0
        for key in keys:
            try:
                made += cursor.execute(
                    "INSERT INTO competitor (competitorid, name) VALUES (?, ?)", (key, f"w{writer}")
                ).rowcount
            except errors.IntegrityError:
                made += 0
        return made

    assert sum(side_by_side(org, work)) == len(keys)

    def remove(writer: int, connection: dbapi.Connection) -> int:
        cursor = connection.cursor()
        return sum(cursor.execute("DELETE FROM competitor WHERE competitorid = ?", (key,)).rowcount for key in keys)

    assert sum(side_by_side(org, remove)) == len(keys)
