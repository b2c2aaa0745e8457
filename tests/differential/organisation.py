"""A small organisation as a `$metadata` document, and rows that try the rules of text, NULL and order."""

from __future__ import annotations

import random
import uuid
from datetime import date, timedelta
from typing import Any

_PROPERTIES = """
  <Property Name="name" Type="Edm.String" Unicode="false"/><Property Name="city" Type="Edm.String" Unicode="false"/>
  <Property Name="n" Type="Edm.Int32"/><Property Name="k" Type="Edm.Int32"/>
  <Property Name="price" Type="Edm.Decimal" Scale="Variable"/><Property Name="ratio" Type="Edm.Double"/>
  <Property Name="flag" Type="Edm.Boolean"/><Property Name="madeon" Type="Edm.DateTimeOffset"/>
  <Property Name="day" Type="Edm.Date"/>
"""
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
]


def rows(seed: int, size: int) -> dict[str, list[dict[str, Any]]]:
    """Return rows for both tables: many NULLs, few distinct values, so that conditions meet."""
    chance = random.Random(seed)
    firms = [{"firmid": _guid(chance), **_row(chance)} for _ in range(size)]
    people: list[dict[str, Any]] = [{"personid": _guid(chance), **_row(chance)} for _ in range(size)]
    for person in people:
        person["_firmid_value"] = chance.choice(firms)["firmid"] if chance.random() < 0.7 else None
    return {"firm": firms, "person": people}


def _guid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _row(chance: random.Random) -> dict[str, Any]:
    made = {
        "name": chance.choice(TEXTS),
        "city": chance.choice(TEXTS[:8]),
        "n": chance.randint(-3, 6),
        "k": chance.randint(0, 3),
        "price": chance.choice([0, 1, 1.5, 2.25, -4.75, 100]),
        "ratio": chance.choice([0.0, 0.5, 1.25, -2.0]),
        "flag": chance.random() < 0.5,
        "madeon": f"2024-0{chance.randint(1, 3)}-0{chance.randint(1, 9)}T1{chance.randint(0, 9)}:00:00Z",
        "day": (date(2024, 1, 1) + timedelta(chance.randint(0, 60))).isoformat(),
    }
    return {name: value if chance.random() < 0.72 else None for name, value in made.items()}
