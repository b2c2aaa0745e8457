"""Twenty statements of a typical dashboard: requests, bytes and time on the wire, with pushdown and without.

python -m tests.benchmarks.dashboards [rows] [latency in ms]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy_dynamics import dbapi
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.sandbox import Sandbox

__all__ = ["STATEMENTS", "Cost", "costs"]

STATEMENTS = [
    "SELECT count(*) FROM account WHERE statecode = 0",
    "SELECT name, revenue FROM account WHERE statecode = 0 ORDER BY revenue DESC LIMIT 10",
    "SELECT industrycode, count(*) AS n FROM account GROUP BY industrycode ORDER BY n DESC",
    "SELECT address1_city, sum(revenue) AS total FROM account GROUP BY address1_city ORDER BY total DESC LIMIT 10",
    "SELECT name FROM account WHERE name LIKE 'A%' ORDER BY name LIMIT 50",
    "SELECT max(createdon) FROM account",
    "SELECT DISTINCT address1_city FROM account",
    "SELECT count(*), sum(estimatedvalue), avg(estimatedvalue) FROM opportunity WHERE statecode = 0",
    "SELECT statuscode, count(*) FROM opportunity GROUP BY statuscode",
    "SELECT name, estimatedvalue FROM opportunity WHERE estimatedclosedate >= '2026-01-01' "
    "ORDER BY estimatedvalue DESC LIMIT 20",
    "SELECT a.name, sum(o.estimatedvalue) AS p FROM account a JOIN opportunity o ON o.parentaccountid = a.accountid "
    "WHERE o.statecode = 0 GROUP BY a.name ORDER BY p DESC LIMIT 10",
    "SELECT o.name, a.name FROM opportunity o JOIN account a ON a.accountid = o.parentaccountid "
    "WHERE a.address1_city = 'Oslo'",
    "SELECT name FROM account a WHERE EXISTS (SELECT 1 FROM opportunity o WHERE o.parentaccountid = a.accountid "
    "AND o.statecode = 1) LIMIT 25",
    "SELECT c.fullname FROM contact c JOIN account a ON a.accountid = c.parentcustomerid WHERE a.statecode = 1 "
    "ORDER BY c.fullname LIMIT 25",
    "SELECT fullname, emailaddress1 FROM contact WHERE lastname IN ('Smith', 'Jensen', 'Sørensen') LIMIT 100",
    "SELECT count(*) AS rowcount FROM (SELECT name, revenue FROM account WHERE statecode = 0 LIMIT 500) q",
    "SELECT name AS name, revenue AS revenue FROM (SELECT * FROM account) AS virtual_table WHERE revenue > 100000 "
    "GROUP BY accountid, name, revenue LIMIT 100",
    "SELECT title, createdon FROM incident WHERE createdon >= '2026-06-01' ORDER BY createdon DESC LIMIT 20",
    "SELECT prioritycode, count(*) FROM incident WHERE statecode = 0 GROUP BY prioritycode",
    "SELECT name FROM account WHERE accountid IN "
    "(SELECT parentcustomerid FROM contact WHERE lastname = 'Smith') LIMIT 50",
]


@dataclass
class Cost:
    """What a statement cost: requests, bytes received, seconds."""

    requests: int
    bytes: int
    seconds: float
    rows: int


def costs(connection: dbapi.Connection) -> Iterator[Cost]:
    """Run every statement on a new connection and yield what it cost."""
    seen: list[int] = []

    def note(request: HttpRequest, reply: HttpResponse) -> None:
        seen.append(len(reply.body))

    connection.on_request = note
    for sql in STATEMENTS:
        seen.clear()
        began = time.perf_counter()
        rows = len(connection.cursor().execute(sql).fetchall())
        yield Cost(len(seen), sum(seen), time.perf_counter() - began, rows)


def main(rows: int, latency: int) -> None:
    """Print the table."""
    with Sandbox(rows=rows, latency=latency) as org:
        token = {"OrganizationUrl": org.url, "OAuthAccessToken": org.access_token}
        with dbapi.connect(**token) as warm, dbapi.connect(**token, Pushdown=False) as slow:
            list(costs(warm)), list(costs(slow))
        with dbapi.connect(**token) as pushed, dbapi.connect(**token, Pushdown=False) as local:
            pairs = list(zip(STATEMENTS, costs(pushed), costs(local), strict=True))
    print(f"{rows} accounts, {latency} ms per request\n{'requests':>13} {'kB':>15} {'seconds':>13}  statement")
    for sql, one, two in pairs:
        print(
            f"{one.requests:5} / {two.requests:5} {one.bytes / 1000:7.1f} / {two.bytes / 1000:6.0f} "
            f"{one.seconds:5.2f} / {two.seconds:5.2f}  {sql[:90]}"
        )
    totals = [(sum(c.requests for c in each), sum(c.bytes for c in each), sum(c.seconds for c in each))
              for each in zip(*((one, two) for _, one, two in pairs), strict=True)]  # fmt: skip
    print("total", " | ".join(f"{r} requests, {b / 1e6:.2f} MB, {s:.1f} s" for r, b, s in totals))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]) if len(sys.argv) == 3 else (20_000, 200))
