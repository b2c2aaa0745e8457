"""A small organisation as a `$metadata` document, and rows that try the rules of text, NULL and order."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

SEED = int(os.environ.get("DYNAMICS_DIFFERENTIAL_SEED", "1"))
"""Decides the schema's columns beside the fixed ones, their order, and the rows."""

KINDS = {
    "text": ("Edm.String", ' Unicode="false"'),
    "integer": ("Edm.Int32", ""),
    "decimal": ("Edm.Decimal", ' Scale="Variable"'),
    "double": ("Edm.Double", ""),
    "flag": ("Edm.Boolean", ""),
    "moment": ("Edm.DateTimeOffset", ""),
    "day": ("Edm.Date", ""),
}
_FIXED = {
    "name": "text",
    "city": "text",
    "n": "integer",
    "k": "integer",
    "price": "decimal",
    "ratio": "double",
    "flag": "flag",
    "madeon": "moment",
    "day": "day",
}


def _columns(seed: int) -> dict[str, str]:
    """Return the columns' kinds: the fixed ones and up to six more, in random order."""
    chance = random.Random(seed)
    more = {
        f"c{number}_{chance.choice('abcxyz')}": chance.choice(list(KINDS)) for number in range(chance.randint(0, 6))
    }
    names = [*_FIXED, *more]
    chance.shuffle(names)
    return {name: {**_FIXED, **more}[name] for name in names}


COLUMNS = _columns(SEED)
_PROPERTIES = "".join(
    f'<Property Name="{name}" Type="{KINDS[kind][0]}"{KINDS[kind][1]}/>' for name, kind in COLUMNS.items()
)
METADATA = f"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">
 <EntityType Name="crmbaseentity" Abstract="true"/>
 <EntityType Name="firm" BaseType="mscrm.crmbaseentity"><Key><PropertyRef Name="firmid"/></Key>
  <Property Name="firmid" Type="Edm.Guid"/>{_PROPERTIES}
  <NavigationProperty Name="firm_people" Type="Collection(mscrm.person)" Partner="firmid"/>
 </EntityType>
 <EntityType Name="person" BaseType="mscrm.crmbaseentity"><Key><PropertyRef Name="personid"/></Key>
  <Property Name="personid" Type="Edm.Guid"/>{_PROPERTIES}<Property Name="_firmid_value" Type="Edm.Guid"/>
  <NavigationProperty Name="firmid" Type="mscrm.firm" Nullable="false" Partner="firm_people">
   <ReferentialConstraint Property="_firmid_value" ReferencedProperty="firmid"/></NavigationProperty>
 </EntityType>
 <EntityContainer Name="System">
  <EntitySet Name="firms" EntityType="Microsoft.Dynamics.CRM.firm"/>
  <EntitySet Name="people" EntityType="Microsoft.Dynamics.CRM.person"/>
 </EntityContainer></Schema></edmx:DataServices></edmx:Edmx>
"""

TEXTS = [
    "a",
    "A",
    "á",
    "b",
    "Oslo",
    "OSLO",
    "oslö",
    "50% off",
    "under_score",
    "[x]",
    "O'Brien",
    "ab",
    "abc",
    "x y",
    "日本",
    "a ",
    " a",
    "é ",
    "ß",
    "ss",
    "SS ",
    "Straße",
    "STRASSE",
]


def rows(seed: int, size: int, drawn: int = SEED) -> dict[str, list[dict[str, Any]]]:
    """Return rows for both tables: many NULLs, few distinct values, so that conditions meet.

    What `seed` and `drawn` give the fixed columns does not depend on the others.
    """
    chance, more = random.Random(seed * 1000 + drawn), random.Random(f"{seed} {drawn}")
    firms = [{"firmid": _guid(chance), **_row(chance, more)} for _ in range(size)]
    people: list[dict[str, Any]] = [{"personid": _guid(chance), **_row(chance, more)} for _ in range(size)]
    for person in people:
        person["_firmid_value"] = chance.choice(firms)["firmid"] if chance.random() < 0.7 else None
    return {"firm": firms, "person": people}


def _guid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


_VALUES: dict[str, Callable[[random.Random], Any]] = {
    "text": lambda chance: chance.choice(TEXTS),
    "integer": lambda chance: chance.randint(-3, 6),
    "decimal": lambda chance: chance.choice([0, 1, 1.5, 2.25, -4.75, 100]),
    "double": lambda chance: chance.choice([0.0, 0.5, 1.25, -2.0]),
    "flag": lambda chance: chance.random() < 0.5,
    "moment": lambda chance: f"2024-0{chance.randint(1, 3)}-0{chance.randint(1, 9)}T1{chance.randint(0, 9)}:00:00Z",
    "day": lambda chance: (date(2024, 1, 1) + timedelta(chance.randint(0, 60))).isoformat(),
}


def _row(chance: random.Random, more: random.Random) -> dict[str, Any]:
    made = {name: _VALUES[kind](chance) for name, kind in _FIXED.items()}
    made["k"] = chance.randint(0, 3)
    others = {name: _VALUES[kind](more) for name, kind in COLUMNS.items() if name not in _FIXED}
    return {
        name: value if source.random() < 0.72 else None
        for values, source in ((made, chance), (others, more))
        for name, value in values.items()
    }
