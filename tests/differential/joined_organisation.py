"""Tables with every kind of tie: a lookup to the own table, one to either of two, children, links of many to many."""

from __future__ import annotations

import random
import uuid
from typing import Any

from tests.differential.organisation import TEXTS

COLUMNS = {"name": "text", "n": "number", "k": "number", "madeon": "moment", "no": "number"}
"""By kind; `no` numbers the rows of a table, the others repeat and have gaps."""
TABLES = ("firm", "person", "deal", "tag", "firmtag")
KEYS = {name: f"{name}id" for name in TABLES}
LOOKUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "firm": {"parentfirmid": ("firm",)},
    "person": {"partyid": ("firm", "person")},
    "deal": {"personid": ("person",), "firmid": ("firm",)},
    "tag": {},
    "firmtag": {},
}
LINKS = {"firmtag": ("firm", "tag")}
_EDM = {"text": "Edm.String", "number": "Edm.Int32", "moment": "Edm.DateTimeOffset"}


def _navigation(table: str, lookup: str, target: str) -> str:
    return f"{lookup}_{target}" if len(LOOKUPS[table][lookup]) > 1 else lookup


def _entity(table: str) -> str:
    lines = [f'<Key><PropertyRef Name="{KEYS[table]}"/></Key>', f'<Property Name="{KEYS[table]}" Type="Edm.Guid"/>']
    if table in LINKS:
        lines += [f'<Property Name="{KEYS[end]}" Type="Edm.Guid"/>' for end in LINKS[table]]
    else:
        lines += [f'<Property Name="{name}" Type="{_EDM[kind]}"/>' for name, kind in COLUMNS.items()]
    for lookup, targets in LOOKUPS[table].items():
        lines.append(f'<Property Name="_{lookup}_value" Type="Edm.Guid"/>')
        for target in targets:
            name = _navigation(table, lookup, target)
            partner = f"{target}_{table}_{lookup}"
            lines.append(
                f'<NavigationProperty Name="{name}" Type="mscrm.{target}" Partner="{partner}"><ReferentialConstraint '
                f'Property="_{lookup}_value" ReferencedProperty="{KEYS[target]}"/></NavigationProperty>'
            )
    lines += list(_collections(table))
    return f'<EntityType Name="{table}" BaseType="mscrm.crmbaseentity">{"".join(lines)}</EntityType>'


def _collections(table: str) -> list[str]:
    found = [
        (f"{table}_{child}_{lookup}", child, _navigation(child, lookup, table))
        for child, lookups in LOOKUPS.items()
        for lookup, targets in lookups.items()
        if table in targets
    ]
    for link, ends in LINKS.items():
        found += [(f"{link}_association", end, f"{link}_association") for end in ends if table in ends and end != table]
    return [
        f'<NavigationProperty Name="{name}" Type="Collection(mscrm.{target})" Partner="{partner}"/>'
        for name, target, partner in found
    ]


METADATA = f"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">
 <EntityType Name="crmbaseentity" Abstract="true"/>
 {"".join(map(_entity, TABLES))}
 <EntityContainer Name="System">
  {"".join(f'<EntitySet Name="{table}s" EntityType="Microsoft.Dynamics.CRM.{table}"/>' for table in TABLES)}
 </EntityContainer></Schema></edmx:DataServices></edmx:Edmx>
"""


def rows(seed: int, size: int, gone: float) -> dict[str, list[dict[str, Any]]]:
    """Return rows for all tables: few distinct values, many NULLs, lookups to nothing, some to rows that are gone."""
    chance = random.Random(seed)
    made: dict[str, list[dict[str, Any]]] = {}
    keys = {table: [_guid(chance) for _ in range(size if table != "tag" else 4)] for table in TABLES}
    for table in ("firm", "person", "deal", "tag"):
        made[table] = [{KEYS[table]: key, **_row(chance), "no": no} for no, key in enumerate(keys[table])]
        for row in made[table]:
            for lookup, targets in LOOKUPS[table].items():
                row.update(_looked_up(chance, lookup, targets, keys, gone))
    pairs = {(chance.choice(keys["firm"]), chance.choice(keys["tag"])) for _ in range(size)} if size else set()
    made["firmtag"] = [{"firmtagid": _guid(chance), "firmid": firm, "tagid": tag} for firm, tag in sorted(pairs)]
    return made


def _looked_up(
    chance: random.Random, lookup: str, targets: tuple[str, ...], keys: dict[str, list[str]], gone: float
) -> dict[str, Any]:
    target = chance.choice(targets)
    if chance.random() < 0.3:
        return {lookup: None}
    found = chance.choice(keys[target]) if chance.random() >= gone else _guid(chance)
    return {lookup: found, f"{lookup}:type": target} if len(targets) > 1 else {lookup: found}


def _guid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _row(chance: random.Random) -> dict[str, Any]:
    made = {
        "name": chance.choice(TEXTS[:8]),
        "n": chance.randint(-2, 4),
        "k": chance.randint(0, 3),
        "madeon": f"2024-0{chance.randint(1, 3)}-0{chance.randint(1, 9)}T10:00:00Z",
    }
    return {name: value if chance.random() < 0.75 else None for name, value in made.items()}
