"""What each command does."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from sqlalchemy_dynamics.cli.output import TEXT_FORMATS, Output
from sqlalchemy_dynamics.cli.requests import Requests
from sqlalchemy_dynamics.cli.revealing import shown_by
from sqlalchemy_dynamics.cli.usage import Parser, UsageError
from sqlalchemy_dynamics.dbapi import Connection, connect
from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column

__all__ = ["describe", "explain", "query", "sandbox", "tables"]

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def query(arguments: argparse.Namespace) -> int:
    """Run a statement and write its rows; with ``--explain`` its plan instead."""
    if arguments.explain:
        return explain(arguments)
    output = Output(arguments)
    with _connect(arguments) as connection:
        requests = Requests(connection) if arguments.requests else None
        output.write_cursor(connection.cursor().execute(_statement(arguments)), shown_by(arguments))
        if requests is not None:
            requests.print(output.aside)
    return 0


def explain(arguments: argparse.Namespace) -> int:
    """Write the steps that a statement would take; nothing but metadata is asked for."""
    if arguments.format not in TEXT_FORMATS:
        raise UsageError(f"a plan cannot be written as {arguments.format}; use --format {'|'.join(TEXT_FORMATS)}")
    output = Output(arguments)
    with _connect(arguments) as connection:
        output.write_rows(("step", "kind", "detail"), [connection.explain(_statement(arguments))])
    return 0


def tables(arguments: argparse.Namespace) -> int:
    """Write the tables whose names match the pattern."""
    output = Output(arguments)
    with _connect(arguments) as connection:
        model = connection.catalog.model()
        names = [name for name in connection.catalog.names() if fnmatchcase(name, arguments.pattern.lower())]
        found = (table for name in names if (table := model.table(name)))
        rows = [(table.name, table.entity_set, table.primary_key, len(table.columns)) for table in found]
        output.write_rows(("table", "entity set", "key", "columns"), [rows])
    return 0


def describe(arguments: argparse.Namespace) -> int:
    """Write the columns of one table."""
    output = Output(arguments)
    with _connect(arguments) as connection:
        table = connection.catalog.table(arguments.table)
        if table is None:
            raise ProgrammingError(f"there is no table {arguments.table}; dynamics tables lists them")
        rows = [
            (column.name, column.type.sql, column.length, _marks(column), column.label, "; ".join(_values(column)))
            for column in table.columns.values()
        ]
        output.write_rows(("column", "type", "length", "is", "label", "values"), [rows])
    return 0


def sandbox(argv: Sequence[str]) -> int:
    """Serve a local organisation until it is stopped."""
    from sqlalchemy_dynamics.sandbox.command import run

    return run(argv, Parser)


def _connect(arguments: argparse.Namespace) -> Connection:
    url = arguments.url or os.environ.get("DYNAMICS_URL")
    if not url and not os.environ.get("DYNAMICS_ORGANIZATIONURL"):
        print("sandbox demo data; set DYNAMICS_URL, or give --url, to ask your own organisation", file=sys.stderr)
        url = "dynamics://sandbox"
    if url is not None and _ADDRESS.match(url):
        return connect("", OrganizationUrl=url)
    return connect(url)


def _statement(arguments: argparse.Namespace) -> str:
    return sys.stdin.read() if arguments.sql == "-" else str(arguments.sql)


def _marks(column: Column) -> str:
    if column.companion is not None:
        return f"{column.companion.value.strip('_')} of {column.base}"
    kind = "" if column.kind.value == "value" else column.kind.value
    marks = (kind, "read-only" if column.read_only else "", "required" if column.required else "")
    return ", ".join(filter(None, marks))


def _values(column: Column) -> Iterator[str]:
    yield from (f"{value}={label}" for value, label in column.options.items())
    yield from sorted(column.navigations)
