"""GET on the definition sets: paths, casts, single properties, `$value`, `$count` (section 3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy_dynamics.sandbox.definitions_entries import Entry, root_entries
from sqlalchemy_dynamics.sandbox.definitions_query import Query, read_query, shape, shapes
from sqlalchemy_dynamics.sandbox.definitions_types import ROOT_TYPES, TYPES, derives
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, ODataError, bad_request, no_such_segment
from sqlalchemy_dynamics.sandbox.resources import Resource
from sqlalchemy_dynamics.sandbox.schema import Organisation
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, json_reply

__all__ = ["Target", "find", "read"]

_SEGMENT = re.compile(r"^([^()]*)(?:\((.*)\))?$", re.DOTALL)
_GUID = re.compile(r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")
_NO_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Target:
    """What a path leads to: `kind` is many, one, none (an empty link), value, raw or count."""

    kind: str
    declared: str
    entries: Callable[[], list[Entry]]
    path: str
    cast: str = ""
    value: object = None
    parent: Entry | None = None
    """The entry whose link was followed last."""

    @property
    def one(self) -> Entry:
        return self.entries()[0]


def read(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer GET on a definition set or below."""
    target = find(service.organisation, list(resource.segments))
    if target.kind == "none":
        return Reply(204)
    if target.kind == "raw":
        return _raw(target.value)
    context = f"{request.root}$metadata#{target.path}"
    if target.kind == "value":
        return json_reply({"@odata.context": context, "value": target.value})
    query = read_query(request.options, target.declared, service.switches)
    if target.kind == "one":
        return json_reply(_one(target, query, context, request.root))
    found = shapes(target.entries(), query, request.root)
    if target.kind == "count":
        return Reply(200, {"Content-Type": "text/plain"}, f"\ufeff{len(found)}".encode())
    count: dict[str, object] = {"@odata.count": len(found)} if query.count else {}
    return json_reply({"@odata.context": f"{context}{query.fragment}", **count, "value": found})


def _one(target: Target, query: Query, context: str, root: str) -> dict[str, object]:
    found = shape(target.one, query, root)
    return {"@odata.context": f"{context}{query.fragment}/$entity", **found}


def _raw(value: object) -> Reply:
    if value is None:
        return Reply(204)
    if isinstance(value, dict | list):
        raise bad_request("A property of a complex type has no $value.", "0x80060888")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return Reply(200, {"Content-Type": "text/plain"}, text.encode())


def find(organisation: Organisation, segments: list[str]) -> Target:
    """Return what the segments lead to; raises ODataError 404 for definitions that are not there."""
    name, key = _split(segments[0])
    target = Target("many", ROOT_TYPES[name], lambda: root_entries(organisation, name, key), name)
    if key is not None:
        target = _keyed(target, key)
    for segment in segments[1:]:
        target = _step(target, segment)
    return target


def _split(segment: str) -> tuple[str, str | None]:
    match = _SEGMENT.match(segment)
    if match is None:
        raise no_such_segment(segment)
    return match[1], match[2]


def _keyed(target: Target, key: str) -> Target:
    name, value = _read_key(target.declared, key)
    found = [entry for entry in target.entries() if value == (entry.id if name == "MetadataId" else entry.name)]
    if not found:
        raise missing(target.declared, name, value)
    return replace(target, kind="one", entries=lambda: found[:1])


def _read_key(declared: str, key: str) -> tuple[str, str]:
    if _GUID.match(key.strip()):
        return "MetadataId", key.strip().lower()
    name, _, text = key.partition("=")
    name, text = name.strip(), text.strip()
    if name == "MetadataId" and _GUID.match(text):
        return name, text.lower()
    if name != TYPES[declared].key or len(text) < 2 or text[0] != "'" or text[-1] != "'":
        raise bad_request(
            f"The key in the request URI is not valid for resource '{NAMESPACE}.{declared}'. Ensure that the names and "
            "number of key properties match the key properties for the resource."
        )
    return name, text[1:-1].replace("''", "'")


def missing(declared: str, name: str, value: str) -> ODataError:
    """Return the 404 for a definition that is not there (0x80040217)."""
    row_id = value if name == "MetadataId" else _NO_ID
    kind = {"EntityMetadata": "entity", "EntityKeyMetadata": "entity key"}.get(
        declared,
        "attribute"
        if declared.endswith("AttributeMetadata")
        else "relationship"
        if "Relationship" in declared
        else "optionset",
    )
    shown = "" if name == "MetadataId" else value
    return ODataError(404, "0x80040217", f"Could not find an {kind} with name {shown} and id {row_id}.")


def _step(target: Target, segment: str) -> Target:
    name, key = _split(segment)
    if name.startswith(f"{NAMESPACE}."):
        cast = _cast(target, name.removeprefix(f"{NAMESPACE}."))
        return cast if key is None else _keyed(cast, key)
    if name == "$count" and target.kind == "many":
        return replace(target, kind="count")
    if name == "$value" and target.kind == "value":
        return replace(target, kind="raw")
    if target.kind != "one":
        raise no_such_segment(name)
    if name in TYPES[target.declared].links:
        return _follow(target, name, key)
    entry = target.one
    if name not in entry.members or key is not None:
        raise no_such_segment(name)
    return Target("value", target.declared, target.entries, f"{entry.path}/{name}", value=entry.members[name])


def _cast(target: Target, name: str) -> Target:
    known = TYPES.get(name)
    if known is None or target.kind not in ("many", "one") or not derives(name, target.declared):
        raise no_such_segment(f"{NAMESPACE}.{name}")
    if not known.castable:
        raise bad_request(f"The type '{NAMESPACE}.{name}' cannot be cast to.", "0x80060888")
    entries = [entry for entry in target.entries() if derives(entry.type, name)]
    if target.kind == "one" and not entries:
        raise no_such_segment(f"{NAMESPACE}.{name}")
    path = target.path if name == target.declared else f"{target.path}/{NAMESPACE}.{name}"
    return replace(target, declared=name, entries=lambda: entries, path=path, cast=name)


def _follow(target: Target, name: str, key: str | None) -> Target:
    entry = target.one
    declared, many = TYPES[target.declared].links[name]
    load = entry.links[name]
    if many:
        found = Target("many", declared, load, f"{entry.path}/{name}", parent=entry)
        return found if key is None else _keyed(found, key)
    entries = load()
    kind = "one" if entries else "none"
    return Target(kind, declared, lambda: entries, entries[0].path if entries else "", parent=entry)
