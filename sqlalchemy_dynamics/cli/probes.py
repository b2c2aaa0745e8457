"""Questions about the service that only a real organisation can answer, each settled by one or a few reads.

Answers tell how the service behaves, never what the rows hold. The numbers are those of the ledger of open questions.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy_dynamics.errors import DataverseError
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse, Send

__all__ = ["PROBES", "Answer", "Asking"]

Probe = Callable[["Asking"], str]
_NOBODY = "00000000-0000-0000-0000-000000000001"
_UNLIKELY = "q7Zw0-unlikely-value"


@dataclass(frozen=True)
class Answer:
    """What came back: status, the code of a refusal, headers and the JSON body (None for anything else)."""

    status: int
    code: str = ""
    headers: Mapping[str, str] | None = None
    body: Any = None

    @property
    def rows(self) -> list[Any]:
        """The rows of a collection. Raises KeyError when it is none."""
        return list(self.body["value"])

    @property
    def told(self) -> str:
        """Status and code in a word."""
        return f"{self.status} {self.code}".strip()


class Asking:
    """Asks one URL below the service root; a refusal is an answer, too."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def __call__(self, url: str, **headers: str) -> Answer:
        request = HttpRequest("GET", quote(url, safe="$/?&=(),'@:;"), repeatable=True).with_headers(**headers)
        try:
            reply = self._send(request)
        except DataverseError as refusal:
            return Answer(refusal.status, refusal.code)
        return Answer(reply.status, headers=reply.headers, body=_body(reply))

    def count(self, table: str, condition: str = "") -> int:
        """Rows that meet a condition, counted by the service."""
        steps = f"filter({condition})/" if condition else ""
        rows = self(f"{table}?$apply={steps}aggregate($count as n)").rows
        return int(rows[0]["n"]) if rows else 0


def _body(reply: HttpResponse) -> Any:
    try:
        return json.loads(reply.body)
    except ValueError:
        return None


def _refused(url: str) -> Probe:
    """How the service answers what it is said not to support."""
    return lambda ask: ask(url).told


def _counted(ask: Asking) -> str:
    count = ask("accounts/$count")
    number = count.body if isinstance(count.body, int) else 0
    return f"{count.told}; " + ("5,000: capped, or exactly that many" if number == 5000 else "not 5,000")


def _large_top(ask: Asking) -> str:
    answer = ask("accounts?$select=accountid&$top=6000")
    more = "a next link" if answer.body and "@odata.nextLink" in answer.body else "no next link"
    return f"{answer.told}, {'5,000 rows' if answer.body and len(answer.rows) == 5000 else 'other'} and {more}"


def _nulls(condition: str) -> Probe:
    """Whether rows with NULL meet a condition that no value fails."""

    def probe(ask: Asking) -> str:
        nulls = ask.count("contacts", "jobtitle eq null")
        if not nulls:
            return "cannot tell: no contact lacks a jobtitle"
        met = ask.count("contacts", condition)
        rest = ask.count("contacts", "jobtitle ne null")
        answers = {rest: "rows with NULL are left out", rest + nulls: "rows with NULL are returned"}
        return answers.get(met, "neither all nor none of the rows with NULL are returned")

    return probe


def _with_apply(option: str) -> Probe:
    def probe(ask: Asking) -> str:
        answer = ask(f"accounts?$apply=groupby((statecode),aggregate($count as n))&{option}")
        return f"{answer.told}, {len(answer.rows)} rows" if answer.body else answer.told

    return probe


def _null_order(ask: Asking) -> str:
    if not ask.count("contacts", "jobtitle eq null"):
        return "cannot tell: no contact lacks a jobtitle"
    ways = {"asc": "ascending", "desc": "descending"}
    first = {way: ask(f"contacts?$select=jobtitle&$orderby=jobtitle {way}&$top=1").rows[0] for way in ways}
    return "; ".join(f"{'first' if first[way]['jobtitle'] is None else 'last'} {ways[way]}" for way in ways)


def _guid_order(ask: Asking) -> str:
    keys = [row["contactid"] for row in ask("contacts?$select=contactid&$orderby=contactid asc&$top=50").rows]
    orders: dict[str, Callable[[str], Any]] = {"as SQL Server sorts bytes": _server_bytes, "as text": str}
    found = [name for name, key in orders.items() if sorted(keys, key=key) == keys]
    return " or ".join(found) if len(keys) > 2 else "cannot tell: too few rows"


def _server_bytes(text: str) -> bytes:
    """SQL Server compares the last six bytes first."""
    raw = uuid.UUID(text).bytes_le
    return raw[10:16] + raw[8:10] + raw[6:8] + raw[4:6] + raw[0:4]


def _blanks(ask: Asking) -> str:
    found = ask("accounts?$select=name&$filter=name ne null&$top=1").rows
    if not found:
        return "cannot tell: no account has a name"
    name = found[0]["name"].replace("'", "''")
    same = ask.count("accounts", f"name eq '{name}'") == ask.count("accounts", f"name eq '{name}  '")
    return "trailing blanks do not count" if same else "trailing blanks count"


def _empty_text(ask: Asking) -> str:
    return "no row equals ''" if not ask.count("contacts", "jobtitle eq ''") else "some rows equal ''"


def _empty_aggregate(ask: Asking) -> str:
    condition = f"filter(accountid eq {_NOBODY})"
    plain = ask(f"accounts?$apply={condition}/aggregate(revenue with sum as s)")
    grouped = ask(f"accounts?$apply={condition}/groupby((statecode),aggregate(revenue with sum as s))")
    shape = "no row" if not plain.rows else "a row without the alias" if "s" not in plain.rows[0] else "a row with null"
    return f"{shape}; grouped: {len(grouped.rows)} rows"


def _metadata_levels(ask: Asking) -> str:
    def level(name: str) -> str:
        answer = ask("accounts?$select=accountid&$top=1", Accept=f"application/json;odata.metadata={name}")
        told = (answer.headers or {}).get("content-type", "").partition("odata.metadata=")[2].partition(";")[0]
        return f"{name} answered {answer.told} as {told or 'nothing'}"

    return "; ".join(level(name) for name in ("full", "none"))


def _etags(ask: Asking) -> str:
    rows = ask(
        "contacts?$select=contactid&$expand=modifiedby($select=systemuserid)&$filter=_modifiedby_value ne null&$top=1"
    ).rows
    if not rows:
        return "cannot tell: no contact was changed by anybody"
    return "expanded rows have an ETag" if "@odata.etag" in rows[0]["modifiedby"] else "expanded rows have no ETag"


def _headers(ask: Asking) -> str:
    """Names only: a cookie's value says who we are."""
    headers = ask("WhoAmI").headers or {}
    limits = sorted(name for name in headers if "ratelimit" in name or name == "x-ms-dop-hint")
    cookies = [part.partition("=")[0].strip() for part in headers.get("set-cookie", "").split(", ") if "=" in part]
    coding = headers.get("content-encoding", "none")
    return f"limits: {', '.join(limits) or 'none'}; cookies: {', '.join(cookies) or 'none'}; coding: {coding}"


PROBES: tuple[tuple[str, Probe], ...] = (
    ("1 $skip", _refused("accounts?$select=accountid&$skip=1&$top=1")),
    ("1 functions in $filter", _refused("accounts?$select=accountid&$filter=year(createdon) eq 2000&$top=1")),
    ("1 in", _refused(f"accounts?$select=accountid&$filter=name in ('{_UNLIKELY}','x')&$top=1")),
    ("2 $count", _counted),
    ("2 $top over 5,000", _large_top),
    ("3 ne and NULL", _nulls(f"jobtitle ne '{_UNLIKELY}'")),
    ("3 not eq and NULL", _nulls(f"not (jobtitle eq '{_UNLIKELY}')")),
    ("3 not contains and NULL", _nulls(f"not contains(jobtitle,'{_UNLIKELY}')")),
    ("4 $top with $apply", _with_apply("$top=1")),
    ("4 $orderby with $apply", _with_apply("$orderby=statecode desc")),
    ("4 $count with $apply", _with_apply("$count=true")),
    ("5 ?sql=", _refused("accounts?sql=SELECT TOP 1 accountid FROM account")),
    ("6 order of NULLs", _null_order),
    ("6 order of GUIDs", _guid_order),
    ("6 trailing blanks", _blanks),
    ("6 empty text", _empty_text),
    ("8 headers", _headers),
    (
        "10 any() without a predicate",
        _refused("accounts?$select=accountid&$filter=contact_customer_accounts/any()&$top=1"),
    ),
    ("15 odata.metadata levels", _metadata_levels),
    ("16 ETags of expanded rows", _etags),
    ("18 aggregates over no rows", _empty_aggregate),
)
"""Question and probe."""
