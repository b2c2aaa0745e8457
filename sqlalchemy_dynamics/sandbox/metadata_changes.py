"""The functions that read much schema at once: RetrieveMetadataChanges and its older sisters (section 3.6)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy_dynamics.sandbox.ddl_change import change_log
from sqlalchemy_dynamics.sandbox.definitions import missing
from sqlalchemy_dynamics.sandbox.definitions_entries import Entry, root_entries
from sqlalchemy_dynamics.sandbox.definitions_types import TYPES
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, ODataError, bad_request
from sqlalchemy_dynamics.sandbox.metadata_criteria import passes
from sqlalchemy_dynamics.sandbox.wire import (
    Handler,
    Reply,
    Request,
    Service,
    json_reply,
    response_type,
    split_outside_quotes,
)

__all__ = ["METADATA_FUNCTIONS"]

_RELATIONSHIPS = ("OneToManyRelationships", "ManyToOneRelationships", "ManyToManyRelationships")
_QUERIES = {"Attributes": "AttributeQuery", "Keys": "KeyQuery", **dict.fromkeys(_RELATIONSHIPS, "RelationshipQuery")}
_ALWAYS = frozenset({"MetadataId", "LogicalName", "SchemaName"})
_NEVER_NULL: dict[str, object] = {"IsValidODataAttribute": False, "Privileges": [], "Settings": []}
_DELETED = {
    "Entity": "Entity",
    "Attribute": "Attribute",
    "Relationship": "Relationship",
    "OptionSet": "OptionSet",
    "EntityKey": "EntityKey",
}


@dataclass(frozen=True)
class _Wanted:
    """Which members to show, None for all; the rest is null."""

    names: frozenset[str] | None

    @classmethod
    def of(cls, query: Mapping[str, object]) -> _Wanted:
        properties = query.get("Properties")
        if not isinstance(properties, Mapping):
            return cls(None if "Properties" not in query else frozenset())
        if properties.get("AllProperties") is True:
            return cls(None)
        names = properties.get("PropertyNames")
        return cls(frozenset(map(str, names)) if isinstance(names, list) else frozenset())

    def __contains__(self, name: object) -> bool:
        return self.names is None or name in self.names


def parameters(request: Request) -> dict[str, str]:
    """Return the parameters of a function call, aliases resolved."""
    match = re.match(r"^\w+\((.*)\)$", request.segments[0], re.DOTALL)
    found: dict[str, str] = {}
    for part in split_outside_quotes(match[1] if match else "", ","):
        name, _, value = part.partition("=")
        if name.strip():
            value = value.strip()
            found[name.strip()] = request.options.get(value, value) if value.startswith("@") else value
    return found


def _json(text: str, name: str) -> Mapping[str, object]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        raise bad_request(f"The parameter '{name}' is no JSON object.", "0x80048d19") from None
    if not isinstance(found, dict):
        raise bad_request(f"The parameter '{name}' is no JSON object.", "0x80048d19")
    return found


def _text(value: str) -> str:
    match = re.match(r"^[\w.]*'(.*)'$", value)
    return match[1].replace("''", "'") if match else value


def retrieve_metadata_changes(service: Service, request: Request) -> Reply:
    """Answer the tables a query picks, or what changed since a stamp."""
    given = parameters(request)
    query, stamp = _json(given.get("Query", ""), "Query"), _text(given.get("ClientVersionStamp", ""))
    since = _since(service, stamp) if stamp and stamp != "null" else None
    changed = change_log(service).changed
    entries = [
        entry
        for entry in root_entries(service.organisation, "EntityDefinitions")
        if passes(query.get("Criteria"), entry.members) and (since is None or changed.get(entry.name, 0) > since)
    ]
    filters = _text(given.get("DeletedMetadataFilters", "")) or "Entity"
    return json_reply(
        {
            "@odata.context": f"{request.root}$metadata#{response_type('RetrieveMetadataChanges')}",
            "ServerVersionStamp": _stamp(service),
            "DeletedMetadata": _deleted(service, since, filters),
            "EntityMetadata": [_complex(entry, query, query) for entry in entries],
        }
    )


def _stamp(service: Service) -> str:
    return f"{service.organisation.version}!{datetime.now(UTC):%m/%d/%Y %H:%M:%S}"


def _since(service: Service, stamp: str) -> int:
    number = stamp.partition("!")[0]
    if not number.isdigit() or int(number) > service.organisation.version:
        message = "Version stamp associated with the client has expired. Please perform a full sync."
        raise ODataError(400, "0x80044352", message)
    return int(number)


def _deleted(service: Service, since: int | None, filters: str) -> object:
    wanted = {part.strip().replace("Default", "Entity") for part in filters.split(",")}
    found: dict[str, list[str]] = {}
    for version, kind, ident in change_log(service).deleted if since is not None else []:
        if version > (since or 0) and ("All" in wanted or _DELETED[kind] in wanted):
            found.setdefault(_DELETED[kind], []).append(ident)
    if not found:
        return json.loads(service.switches.deleted_metadata)
    return {"Count": len(found), "IsReadOnly": False, "Keys": list(found), "Values": list(found.values())}


def _complex(entry: Entry, query: Mapping[str, object], whole: Mapping[str, object]) -> dict[str, object]:
    wanted = _Wanted.of(query)
    shown: dict[str, object] = (
        {}
        if entry.type in ("EntityMetadata", "AttributeMetadata")
        else {"@odata.type": f"#{NAMESPACE}.Complex{entry.type}"}
    )
    for name, value in entry.members.items():
        shown[name] = value if name in wanted or name in _ALWAYS else _NEVER_NULL.get(name)
    for name in TYPES[entry.type].links:
        if name == "GlobalOptionSet":
            continue
        inner = whole.get(_QUERIES.get(name, ""))
        picked = inner if isinstance(inner, Mapping) else {}
        if name == "OptionSet":
            loaded = entry.links[name]() if name in wanted else []
            shown[name] = dict(loaded[0].members) if loaded else None
        else:
            shown[name] = _children(entry, name, picked) if name in wanted else []
    return shown


def _children(entry: Entry, name: str, query: Mapping[str, object]) -> list[dict[str, object]]:
    children = [child for child in entry.links[name]() if passes(query.get("Criteria"), child.members)]
    return [_complex(child, query, query) for child in children]


def _by_filters(entry: Entry, text: str) -> dict[str, object]:
    filters = {part.strip() for part in (_text(text) or "Entity").split(",")}
    every = "All" in filters
    links = [
        *(["Attributes"] if every or "Attributes" in filters else []),
        *(_RELATIONSHIPS if every or "Relationships" in filters else ()),
    ]
    names = [*entry.members, *links, "Keys"]
    return _complex(entry, {"Properties": {"PropertyNames": names}}, {})


def retrieve_entity(service: Service, request: Request) -> Reply:
    """Answer one table with what EntityFilters names (RetrieveEntity)."""
    given = parameters(request)
    name, ident = _text(given.get("LogicalName", "")), given.get("MetadataId", "").lower()
    for entry in root_entries(service.organisation, "EntityDefinitions"):
        if entry.name == name or (ident and entry.id == ident):
            return json_reply(
                {
                    "@odata.context": f"{request.root}$metadata#{response_type('RetrieveEntity')}",
                    "EntityMetadata": _by_filters(entry, given.get("EntityFilters", "")),
                }
            )
    raise missing("EntityMetadata", "LogicalName" if name else "MetadataId", name or ident)


def retrieve_all_entities(service: Service, request: Request) -> Reply:
    """Answer all tables with what EntityFilters names (RetrieveAllEntities)."""
    filters = parameters(request).get("EntityFilters", "")
    entries = root_entries(service.organisation, "EntityDefinitions")
    return json_reply(
        {
            "@odata.context": f"{request.root}$metadata#{response_type('RetrieveAllEntities')}",
            "Timestamp": str(service.organisation.version),
            "EntityMetadata": [_by_filters(entry, filters) for entry in entries],
        }
    )


METADATA_FUNCTIONS: dict[str, Handler] = {
    "RetrieveMetadataChanges": retrieve_metadata_changes,
    "RetrieveEntity": retrieve_entity,
    "RetrieveAllEntities": retrieve_all_entities,
}
