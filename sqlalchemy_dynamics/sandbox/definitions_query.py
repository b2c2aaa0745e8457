"""`$select`, `$filter`, `$expand` and `$count` over definitions, and the refusal of everything else (section 3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy_dynamics.sandbox.definitions_entries import Entry
from sqlalchemy_dynamics.sandbox.definitions_filter import Test, compile_test
from sqlalchemy_dynamics.sandbox.definitions_types import TYPES, members_of
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, Refused, bad_request, unknown_property
from sqlalchemy_dynamics.sandbox.switches import Switches
from sqlalchemy_dynamics.sandbox.wire import split_outside_quotes

__all__ = ["Query", "read_query", "shape", "shapes"]

_SUPPORTED = frozenset({"$select", "$filter", "$expand", "$count"})
_EXPAND = re.compile(r"^\s*([\w.]+)\s*(?:\((.*)\))?\s*$", re.DOTALL)


@dataclass(frozen=True)
class Query:
    """What a request wants of entries of the type `declared`."""

    declared: str
    select: tuple[str, ...] | None = None
    test: Test | None = None
    expand: tuple[tuple[str, Query], ...] = ()
    count: bool = False

    @property
    def fragment(self) -> str:
        """The parentheses of the context: selected names, expanded names, expanded names with their own selection."""
        names = [*(self.select or ()), *(name for name, _ in self.expand if self.select is not None)]
        names += [f"{name}{inner.fragment}" for name, inner in self.expand if inner.fragment]
        return f"({','.join(names)})" if names else ""


def read_query(raw: Mapping[str, str], declared: str, switches: Switches) -> Query:
    """Return the query of raw options; raises ODataError 400 for options and names that definitions do not have."""
    for name in raw:
        if name not in _SUPPORTED and not name.startswith("@") and name != "tag":
            raise Refused(switches.query_option, name=name)
    select = _select(raw["$select"], declared) if "$select" in raw else None
    aliases = {name: value for name, value in raw.items() if name.startswith("@")}
    text = raw.get("$filter", "")
    expands = [part for part in split_outside_quotes(raw.get("$expand", ""), ",") if part.strip()]
    return Query(
        declared,
        select,
        compile_test(text, declared, aliases, switches) if text.strip() else None,
        tuple(_expand(part, declared, switches) for part in expands),
        raw.get("$count") == "true",
    )


def _select(text: str, declared: str) -> tuple[str, ...] | None:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    known, links = members_of(declared), TYPES[declared].links
    for name in names:
        if name != "*" and name not in known and name not in links:
            raise unknown_property(name, declared)
    return None if "*" in names else names


def _expand(text: str, declared: str, switches: Switches) -> tuple[str, Query]:
    match = _EXPAND.match(text)
    if match is None:
        raise bad_request(f"Syntax error in $expand: '{text}'.")
    name, inner = match[1], match[2] or ""
    link = TYPES[declared].links.get(name)
    if link is None:
        raise unknown_property(name, declared)
    options = dict(_option(part) for part in split_outside_quotes(inner, ";") if part.strip())
    return name, read_query(options, link[0], switches)


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value


def shapes(entries: list[Entry], query: Query, root: str) -> list[dict[str, object]]:
    """Return the JSON of the entries that pass."""
    return [shape(entry, query, root) for entry in entries if query.test is None or query.test(entry.members)]


def shape(entry: Entry, query: Query, root: str) -> dict[str, object]:
    """Return the JSON of one entry: its type when that is not the declared one, MetadataId always."""
    found: dict[str, object] = {} if entry.type == query.declared else {"@odata.type": f"#{NAMESPACE}.{entry.type}"}
    if query.select is None:
        found.update(entry.members)
    else:
        found.update((name, entry.members[name]) for name in query.select if name in entry.members)
        found.setdefault("MetadataId", entry.id)
    for name, inner in query.expand:
        _expanded(found, entry, name, inner, root)
    return found


def _expanded(found: dict[str, object], entry: Entry, name: str, inner: Query, root: str) -> None:
    many = TYPES[entry.type].links[name][1]
    loaded = entry.links[name]()
    path = f"{entry.path}/{name}" if many else loaded[0].path if loaded else ""
    if not loaded and not many:
        found[name] = None
        return
    found[f"{name}@odata.context"] = f"{root}$metadata#{path}{inner.fragment}{'' if many else '/$entity'}"
    rows = shapes(loaded, inner, root)
    if many and inner.count:
        found[f"{name}@odata.count"] = len(rows)
    found[name] = rows if many else rows[0] if rows else None
