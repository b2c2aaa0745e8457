"""Reading a table: the driver, SQLAlchemy and pandas over the same pages as the bare loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, declarative_base
from sqlalchemy.pool import StaticPool

from sqlalchemy_dynamics import dbapi
from tests.benchmarks import floors
from tests.benchmarks.pages import SELECT
from tests.benchmarks.server import PageServer
from tests.benchmarks.timing import Line, Runs, alternate, table

__all__ = ["ACCOUNT", "SQL", "Account", "engine_of", "measure", "measure_far", "report"]

SQL = f"SELECT {SELECT} FROM account"
_COLUMNS = ("ms", "cpu ms", "M rows/s", "x httpx+msgspec", "x urllib3+orjson", "cpu x httpx+msgspec", "target")
_TARGETS = {
    "driver, tuples": "1.3 / 1.6",
    "driver, Arrow": "1.3 / 1.6",
    "SQLAlchemy Core rows": "2.5 (httpx+msgspec)",
}
_HTTPX, _URLLIB3 = "floor: httpx+msgspec, typed tuples", "floor: urllib3+orjson, JSON tuples"
Base: Any = declarative_base()  # SQLAlchemy 1.4 knows no DeclarativeBase


class Account(Base):
    """The model a user would write."""

    __tablename__ = "account"

    accountid = sa.Column(sa.String(36), primary_key=True)
    name = sa.Column(sa.String(160))
    accountnumber = sa.Column(sa.String(20))
    revenue = sa.Column(sa.Numeric(19, 4))
    numberofemployees = sa.Column(sa.Integer)
    createdon = sa.Column(sa.DateTime(timezone=True))


ACCOUNT: sa.Table = Account.__table__


def engine_of(url: str) -> sa.engine.Engine:
    """Return an engine over the page server."""
    return sa.create_engine("dynamics://", connect_args={"OrganizationUrl": url, "OAuthAccessToken": "x"})


def works(server: PageServer) -> dict[str, Callable[[], int]]:
    """Return everything to be compared; each reads the whole table and returns its number of rows."""
    connection = dbapi.connect(OrganizationUrl=server.url, OAuthAccessToken="x")
    engine = engine_of(server.url)
    local = _copied(engine)
    return {
        _HTTPX: floors.httpx_msgspec(server.root),
        _URLLIB3: floors.urllib3_orjson(server.root),
        "driver, tuples": lambda: len(connection.cursor().execute(SQL).fetchall()),
        "driver, Arrow": lambda: int(connection.cursor().execute(SQL).fetch_arrow_table().num_rows),
        "SQLAlchemy Core rows": lambda: _core(engine),
        "  beside: Core over sqlite3 in memory": lambda: _core(local),
        "SQLAlchemy ORM objects": lambda: _orm(engine),
        "  beside: ORM over sqlite3 in memory": lambda: _orm(local),
        "pandas.read_sql": lambda: _pandas(engine),
        "  beside: pandas over sqlite3 in memory": lambda: _pandas(local),
    }


def _copied(engine: sa.engine.Engine) -> sa.engine.Engine:
    """A sqlite database with the same rows, to tell SQLAlchemy's own cost from ours."""
    local = sa.create_engine("sqlite://", poolclass=StaticPool)
    ACCOUNT.create(local)
    with engine.connect() as connection, local.begin() as copy:
        copy.execute(sa.insert(ACCOUNT), [dict(row) for row in connection.execute(sa.select(ACCOUNT)).mappings()])
    return local


def _core(engine: sa.engine.Engine) -> int:
    with engine.connect() as connection:
        return len(connection.execute(sa.select(ACCOUNT)).fetchall())


def _orm(engine: sa.engine.Engine) -> int:
    with Session(engine) as session:
        return len(session.execute(sa.select(Account)).scalars().all())


def _pandas(engine: sa.engine.Engine) -> int:
    import pandas as pd

    return len(pd.read_sql(sa.text(SQL), engine))


def measure(rows: int, page_rows: int, repeats: int) -> list[Line]:
    """Return a line per way of reading; the bare reads in bytes come last, in rows as well."""
    with PageServer(rows, page_rows) as server:
        runs = alternate(works(server), repeats)
        read = {
            "bytes alone, urllib3": floors.urllib3_bytes(server.root),
            "bytes alone, httpx": floors.httpx_bytes(server.root),
        }
        raw = alternate(read, repeats)
    lines = [_line(run, run.count, runs) for run in runs.values()]
    return lines + [_line(run, rows, runs) for run in raw.values()]


def measure_far(rows: int, page_rows: int, repeats: int, latency: float) -> list[Line]:
    """Return lines for a server that waits `latency` milliseconds before each reply, as distant ones do."""
    with PageServer(rows, page_rows, latency) as server:
        ways = {name: work for name, work in works(server).items() if name in (_HTTPX, _URLLIB3, *_TARGETS)}
        runs = alternate(ways, repeats)
    return [_line(run, run.count, runs) for run in runs.values()]


def _line(run: Runs, rows: int, runs: dict[str, Runs]) -> Line:
    figures = (
        f"{run.seconds * 1000:.0f}",
        f"{run.cpu_seconds * 1000:.0f}",
        f"{rows / run.seconds / 1e6:.2f}",
        f"{run.over(runs[_HTTPX]):.2f}",
        f"{run.over(runs[_URLLIB3]):.2f}",
        f"{run.cpu_over(runs[_HTTPX]):.2f}",
        _TARGETS.get(run.name, ""),
    )
    return Line(run.name, figures, rows)


def report(rows: int = 100_000, page_rows: int = 5000, repeats: int = 7, latency: float = 20) -> str:
    """Return the table for a server at hand, and the one for a distant server."""
    title = f"(a) account, {rows:,} rows x 6 columns, pages of {page_rows:,}; median of {repeats} alternating runs"
    near = table(title, _COLUMNS, measure(rows, page_rows, repeats))
    far = measure_far(rows, page_rows, repeats, latency)
    return f"{near}\n\n{table(f'(a) the same, {latency:g} ms before each reply', _COLUMNS, far)}"
