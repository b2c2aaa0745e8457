"""The tables that histories write to, once for the sandbox and once for SQLite, and their rows in one spelling."""

from __future__ import annotations

import sqlite3
import unicodedata
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy_dynamics.sandbox import Sandbox

Rows = dict[str, list[tuple[Any, ...]]]
"""Table to sorted rows; keys that the statements did not name are ``*``."""
MADE = "*"


@dataclass(frozen=True)
class Table:
    """A table's key and the kinds of the columns that histories write.

    A kind is text, int, big, money, exact, flag, moment, day, choice, multi, guid, or the tables a lookup leads to.
    `deleted` says what becomes of the rows that point to a deleted one, by column.
    """

    key: str
    columns: Mapping[str, str]
    deleted: Mapping[str, str]
    longest: Mapping[str, int]


TABLES = {
    "account": Table(
        "accountid",
        {
            "name": "text", "revenue": "money", "numberofemployees": "int", "creditonhold": "flag",
            "industrycode": "choice", "description": "text", "parentaccountid": "account",
            "primarycontactid": "contact",
        },
        {},
        {"name": 160},
    ),
    "contact": Table(
        "contactid",
        {
            "lastname": "text", "firstname": "text", "annualincome": "money", "birthdate": "day",
            "gendercode": "choice", "parentcustomerid": "account contact",
        },
        {"parentcustomerid": "cascade"},
        {"lastname": 100},
    ),
    "opportunity": Table(
        "opportunityid",
        {
            "name": "text", "estimatedvalue": "money", "closeprobability": "int", "estimatedclosedate": "day",
            "customerid": "account contact", "parentcontactid": "contact",
        },
        {"customerid": "cascade"},
        {"name": 100},
    ),
    "competitor": Table("competitorid", {"name": "text"}, {}, {"name": 100}),
    "new_sample": Table(
        "new_sampleid",
        {
            "new_code": "text", "new_name": "text", "new_count": "int", "new_big": "big", "new_exact": "exact",
            "new_amount": "money", "new_flag": "flag", "new_moment": "moment", "new_day": "day", "new_color": "choice",
            "new_colors": "multi", "new_token": "guid", "new_accountid": "account", "new_parentid": "new_sample",
        },
        {"new_accountid": "restrict"},
        {"new_code": 20, "new_name": 200},
    ),
}  # fmt: skip
LINKS = "opportunitycompetitors"
ENDS = ("opportunityid", "competitorid")
CHOICES = {
    "industrycode": {1: "Accounting", 4: "Brokers", 29: "Specialty Realty"},
    "gendercode": {1: "Male", 2: "Female"},
    "new_color": {727000000: "Red", 727000001: "Green", 727000002: "Blue"},
    "new_colors": {1: "Amber", 2: "Bronze", 3: "Cyan", 4: "Denim", 5: "Ebony"},
}
RESTRICTED = "new_account_new_sample"
"""The relationship that the tests make restrict deletes: the demo has none among these tables."""
_PREFIX = "0000000%x-0000-4000-8000-"
_NAMES = list(TABLES)


def key_of(table: str, number: int) -> str:
    """Return the nth key of a table; no two tables have one in common."""
    return f"{_PREFIX % (1 + _NAMES.index(table))}{number:012x}"


def named(key: Any) -> Any:
    """Return a key that statements name as it is, ``*`` for one that was made on the way."""
    text = str(key).lower() if isinstance(key, (str, uuid.UUID)) else key
    return MADE if isinstance(text, str) and text[8:24] != "-0000-4000-8000-" else text


def fold(text: str) -> str:
    """What texts are compared by: without case, accents and trailing blanks."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFKD", bare.casefold()).rstrip(" ")


def plain(kind: str, value: Any) -> Any:
    """Return a value of a result as SQLite holds it, amounts as whole numbers of their last digit."""
    if value is None:
        return None
    if _leads_to_rows(kind):
        return named(value)
    if kind in ("money", "exact"):
        return round(Decimal(str(value)) * 10 ** (4 if kind == "money" else 10))
    if kind == "flag":
        return int(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).lower() if isinstance(value, uuid.UUID) else value


def _leads_to_rows(kind: str) -> bool:
    return kind.split(" ")[0] in TABLES


def columns_of(table: str) -> Iterator[tuple[str, str]]:
    """Yield name and kind of what SQLite holds beside the key: two columns for a lookup to several tables."""
    for name, kind in TABLES[table].columns.items():
        yield name, kind
        if " " in kind:
            yield f"{name}type", "text"


def _sorted(rows: Iterator[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def rows_of_model(database: sqlite3.Connection) -> Rows:
    """Return what SQLite holds."""
    found: Rows = {}
    for name, table in TABLES.items():
        columns = [("", table.key), *((kind, column) for column, kind in columns_of(name))]
        cursor = database.execute(f"SELECT {', '.join(column for _, column in columns)} FROM {name}")
        kinds = [kind for kind, _ in columns]
        found[name] = _sorted(
            (named(row[0]), *(plain(k, v) for k, v in zip(kinds[1:], row[1:], strict=True))) for row in cursor
        )
    ends = database.execute(f"SELECT {', '.join(ENDS)} FROM {LINKS}")
    found[LINKS] = _sorted(tuple(map(named, row)) for row in ends)
    return found


def rows_of_sandbox(org: Sandbox) -> Rows:
    """Return what the sandbox's own database holds: nothing of the driver stands between."""
    found: Rows = {}
    store = org.service.store
    for name, table in TABLES.items():
        physical = [
            f'"{column}"' if column in table.columns else f'"{column.removesuffix("type")}:type"'
            for column, _ in columns_of(name)
        ]
        rows = store.query(f"SELECT {', '.join([table.key, *physical])} FROM {name}")
        kinds = [kind for _, kind in columns_of(name)]
        found[name] = _sorted(
            (named(row[0]), *(named(v) if _leads_to_rows(k) else v for k, v in zip(kinds, row[1:], strict=True)))
            for row in rows
        )
    found[LINKS] = _sorted(tuple(map(named, row)) for row in store.query(f"SELECT {', '.join(ENDS)} FROM {LINKS}"))
    return found


def empty(org: Sandbox) -> None:
    """Take all rows out of the sandbox, without asking the service."""
    for name in (*TABLES, LINKS):
        org.service.store.touch(name)
        org.service.store.execute(f"DELETE FROM {name}")


def kept(org: Sandbox) -> dict[str, list[tuple[Any, ...]]]:
    """Return the sandbox's rows whole, to be put back with `restore`."""
    return {name: org.service.store.query(f"SELECT * FROM {name}") for name in (*TABLES, LINKS)}


def restore(org: Sandbox, rows: Mapping[str, list[tuple[Any, ...]]]) -> None:
    """Put rows back as they were, versions included."""
    empty(org)
    for name, some in rows.items():
        for row in some:
            org.service.store.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
