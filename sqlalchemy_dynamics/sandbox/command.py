"""`dynamics sandbox`: flags, one line of JSON on stdout, a clean stop on SIGINT and SIGTERM."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy_dynamics.sandbox.server import Sandbox

__all__ = ["run"]


def _parser(make: type[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = make(prog="dynamics sandbox", description="Serve a local Dataverse organisation.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rows", type=int, default=1000, help="accounts; other tables in proportion")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--metadata", metavar="FILE.xml", help="become the organisation of this $metadata document")
    parser.add_argument("--database", metavar="FILE", help="keep rows and schema in this sqlite file")
    parser.add_argument("--latency", type=float, default=0, metavar="MS")
    parser.add_argument("--fault", action="append", default=[], metavar="KIND:WHEN[:ARG]")
    parser.add_argument("--max-page-size", type=int, default=5000, metavar="N")
    parser.add_argument("--aggregate-limit", type=int, default=50_000, metavar="N")
    parser.add_argument("--count-limit", type=int, default=5000, metavar="N")
    parser.add_argument("--request-limit", type=int, default=6000, metavar="N", help="per user and window; 0: none")
    parser.add_argument("--time-limit", type=float, default=1200, metavar="S", help="execution time; 0: none")
    parser.add_argument("--concurrency-limit", type=int, default=52, metavar="N", help="requests at once; 0: none")
    parser.add_argument("--limit-window", type=float, default=300, metavar="S")
    parser.add_argument("--timeout", type=float, default=120, metavar="S", help="of one request; 0: none")
    parser.add_argument("--no-auth", action="store_true", help="ask for no token")
    return parser


def run(argv: Sequence[str], make: type[argparse.ArgumentParser] = argparse.ArgumentParser) -> int:
    """Serve until SIGINT or SIGTERM. Returns 0, 2 for wrong arguments, 1 when it could not start."""
    from sqlalchemy_dynamics.sandbox.limits import Limits
    from sqlalchemy_dynamics.sandbox.server import Sandbox

    try:
        given = _parser(make).parse_args(list(argv))
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        sandbox = Sandbox(
            given.rows,
            given.seed,
            given.metadata,
            given.database,
            given.latency,
            given.fault,
            given.max_page_size,
            given.aggregate_limit,
            given.count_limit,
            not given.no_auth,
            given.host,
            given.port,
            limits=Limits(
                given.request_limit, given.time_limit, given.concurrency_limit, given.limit_window, given.timeout
            ),
        )
    except (ValueError, FileNotFoundError) as error:
        print(f"dynamics sandbox: {error}", file=sys.stderr)
        return 2
    return _serve(sandbox)


def _serve(sandbox: Sandbox) -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with sandbox:
            print(json.dumps(sandbox.info), flush=True)
            stop.wait()
    except (OSError, OverflowError) as error:
        print(f"dynamics sandbox: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
