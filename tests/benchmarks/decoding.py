"""Rows per second of the page decoders, beside the bare JSON decoder: `python tests/benchmarks/decoding.py`."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from sqlalchemy_dynamics.edm import INTEGER, MONEY, TIMESTAMPTZ, UUID, VARCHAR
from sqlalchemy_dynamics.odata.pages import ArrowDecoder, Field, RowDecoder

ROWS = 5000
COLUMNS = (
    Field("accountid", UUID),
    Field("name", VARCHAR),
    Field("emailaddress1", VARCHAR),
    Field("revenue", MONEY),
    Field("numberofemployees", INTEGER),
    Field("createdon", TIMESTAMPTZ),
)


def page(chance: random.Random) -> bytes:
    """Return a page as the service writes it: an etag per row, and the currency that comes with money."""
    return b'{"@odata.context":"https://host/$metadata#accounts","value":[%s]}' % b",".join(
        _row(chance, number) for number in range(ROWS)
    )


def _row(chance: random.Random, number: int) -> bytes:
    created = datetime(2020, 1, 1) + timedelta(seconds=chance.randrange(10**8))
    return (
        f'{{"@odata.etag":"W/\\"{number + 10**6}\\"","accountid":"{uuid.UUID(int=chance.getrandbits(128))}",'
        f'"name":"Company {number}","emailaddress1":"someone{number}@example.com",'
        f'"revenue":{chance.randrange(10**7)}.0000,'
        f'"_transactioncurrencyid_value":"{uuid.UUID(int=1)}","numberofemployees":{chance.randrange(1000)},'
        f'"createdon":"{created.isoformat()}Z"}}'
    ).encode()


def best(work: Callable[[], object], rounds: int = 40) -> float:
    """Return the shortest of many runs in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def main() -> None:
    body = page(random.Random(1))
    rows, arrow = RowDecoder(COLUMNS), ArrowDecoder(COLUMNS)
    print(f"{ROWS} rows, {len(body) / 1e6:.2f} MB")
    for name, work in (
        ("msgspec, untyped dicts", lambda: msgspec.json.decode(body)),
        ("RowDecoder, typed tuples", lambda: rows.decode(body)),
        ("ArrowDecoder, record batch", lambda: arrow.decode(body)),
    ):
        taken = best(work)
        print(f"{name:28} {taken:6.2f} ms {ROWS / taken / 1000:6.2f} M rows/s")


if __name__ == "__main__":
    main()
