"""Columns as `$metadata` tells them: kind, type, and who may set them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy_dynamics.edm import BLOB, EDM_TYPES, MONEY
from sqlalchemy_dynamics.metadata.document import Property
from sqlalchemy_dynamics.metadata.drafts import Draft, is_lookup
from sqlalchemy_dynamics.metadata.model import Column, Kind

__all__ = ["SERVER_MADE", "columns_of"]

# Always made by the server, whatever the document says (dataverse-web-api 2.2; every annotated table agrees).
SERVER_MADE = frozenset({
    "versionnumber", "createdon", "modifiedon", "createdby", "modifiedby", "createdonbehalfby", "modifiedonbehalfby",
    "createdbyexternalparty", "modifiedbyexternalparty", "owningbusinessunit", "owninguser", "owningteam",
    "organizationid", "exchangerate", "ismanaged", "overwritetime", "componentstate", "solutionid",
})  # fmt: skip
_IMAGE_PARTS = ("_url", "_timestamp", "id")
_TYPES = {Kind.MONEY: MONEY, Kind.FILE: BLOB}


def columns_of(draft: Draft) -> Iterator[Column]:
    """Yield the table's columns without companions, the key first, write-only properties left out."""
    parts = set(_parts(draft))
    for wire, found in draft.properties.items():
        if found.permission != "Write":
            yield _column(draft, wire, found, wire in parts)


def _parts(draft: Draft) -> Iterator[str]:
    """The properties that belong to an image (its URL, time and id): the server sets them."""
    for wire, found in draft.properties.items():
        if _is_image(draft, wire, found):
            yield from (wire + part for part in _IMAGE_PARTS)


def _column(draft: Draft, wire: str, found: Property, part: bool) -> Column:
    name, kind = draft.names[wire], _kind(draft, wire, found)
    bindings = draft.bindings.get(name, {})
    fixed = kind is Kind.KEY or draft.intersect or name == "overriddencreatedon"
    made = part or _server_made(draft, wire, found, kind) or (kind is Kind.LOOKUP and not bindings)
    return Column(
        name=name,
        wire=wire,
        type=_TYPES.get(kind, EDM_TYPES[found.edm]),
        kind=kind,
        edm=found.edm,
        nullable=kind is not Kind.KEY,
        creatable=not made,
        updatable=not (made or fixed),
        description=found.description,
        navigations=bindings,
        base=wire.removesuffix("_name") if kind is Kind.FILE_NAME else "",
    )


def _kind(draft: Draft, wire: str, found: Property) -> Kind:
    if wire == draft.key:
        return Kind.KEY
    if is_lookup(wire) and found.edm == "Edm.Guid":
        return Kind.LOOKUP
    if found.edm == "Edm.Decimal" and (wire + "_base" in draft.properties or _is_base(draft, wire)):
        return Kind.MONEY
    if _is_image(draft, wire, found):
        return Kind.IMAGE
    if _is_file(draft, wire, found):
        return Kind.FILE
    return Kind.FILE_NAME if _is_file_name(draft, wire, found) else Kind.VALUE


def _is_image(draft: Draft, wire: str, found: Property) -> bool:
    return found.edm == "Edm.Binary" and wire + "_url" in draft.properties


def _is_file(draft: Draft, wire: str, found: Property) -> bool:
    return found.edm == "Edm.Guid" and wire != draft.key and wire + "_name" in draft.properties


def _is_file_name(draft: Draft, wire: str, found: Property) -> bool:
    held = draft.properties.get(wire.removesuffix("_name")) if wire.endswith("_name") else None
    return found.edm == "Edm.String" and held is not None and _is_file(draft, wire.removesuffix("_name"), held)


def _is_base(draft: Draft, wire: str) -> bool:
    return wire.endswith("_base") and wire[:-5] in draft.properties


def _server_made(draft: Draft, wire: str, found: Property, kind: Kind) -> bool:
    """Whether the server alone sets it. Every plain lookup is annotated Computed and Read, which says nothing."""
    if kind is Kind.KEY:
        return False
    if draft.intersect:
        return found.edm != "Edm.Guid"
    annotated = found.permission == "Read" and not found.computed if kind is Kind.LOOKUP else _read_only(found)
    inherited_key = wire == "ownerid" and kind is Kind.VALUE
    return annotated or inherited_key or draft.names[wire] in SERVER_MADE or _is_base(draft, wire)


def _read_only(found: Property) -> bool:
    return found.computed or found.permission == "Read"
