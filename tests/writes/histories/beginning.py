"""The rows that every history begins with, as statements that both sides take."""

from __future__ import annotations

from typing import Any

from .tables import LINKS, key_of

__all__ = ["FIRST"]


def _k(table: str, number: int) -> str:
    return key_of(table, number)


def _into(table: str, columns: str, *rows: tuple[Any, ...]) -> tuple[str, list[tuple[Any, ...]]]:
    marks = ", ".join("?" * len(rows[0]))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(rows)


FIRST: list[tuple[str, list[tuple[Any, ...]]]] = [
    _into(
        "account",
        "accountid, name, numberofemployees, revenue, industrycode",
        (_k("account", 0), "a", 1, 5, 1),
        (_k("account", 1), "b", 12, 0.25, 4),
        (_k("account", 2), "O'Brien", 30, None, 4),
        (_k("account", 3), None, None, 9, None),
    ),
    _into(
        "contact",
        "contactid, lastname, gendercode, parentcustomerid, parentcustomeridtype",
        (_k("contact", 0), "a", 1, _k("account", 0), "account"),
        (_k("contact", 1), "na\u00efve", 2, _k("account", 1), "account"),
        (_k("contact", 2), None, None, _k("contact", 0), "contact"),
    ),
    ("UPDATE account SET primarycontactid = ? WHERE accountid = ?", [(_k("contact", 1), _k("account", 0))]),
    _into(
        "opportunity",
        "opportunityid, name, closeprobability, customerid, customeridtype",
        (_k("opportunity", 0), "a", 5, _k("account", 1), "account"),
        (_k("opportunity", 1), "b", 20, _k("contact", 1), "contact"),
    ),
    _into("competitor", "competitorid, name", *((_k("competitor", number), "abx"[number]) for number in range(3))),
    _into(LINKS, "opportunityid, competitorid", *((_k("opportunity", 0), _k("competitor", n)) for n in range(2))),
    _into(
        "new_sample",
        "new_sampleid, new_code, new_name, new_count, new_accountid",
        (_k("new_sample", 0), "c0", "x", 1, _k("account", 2)),
        (_k("new_sample", 1), "E7", "y", 18, None),
        (_k("new_sample", 2), None, "z", None, None),
    ),
]
