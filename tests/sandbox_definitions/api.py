"""Requests to a sandbox without a socket, and the bodies of schema changes."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from typing import Any

from sqlalchemy_dynamics.sandbox import Switches
from sqlalchemy_dynamics.sandbox.demo import demo_organisation
from sqlalchemy_dynamics.sandbox.generator import Generator
from sqlalchemy_dynamics.sandbox.router import answer
from sqlalchemy_dynamics.sandbox.schema import Organisation
from sqlalchemy_dynamics.sandbox.store import Store
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service

DEMO = pickle.dumps(demo_organisation())
ROOT = "http://localhost/api/data/v9.2/"
CRM = "Microsoft.Dynamics.CRM."


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.json["error"]["message"])

    @property
    def refusal(self) -> tuple[int, str]:
        return self.status, self.code if self.status >= 400 else ""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Api:
    """One organisation of 20 accounts and a clock that stands still."""

    def __init__(self, switches: Switches | None = None) -> None:
        organisation: Organisation = pickle.loads(DEMO)
        generator = Generator(organisation, 20, 1)
        self.service = Service(organisation, Store(organisation, generator.fill), generator, switches or Switches())
        self.clock = Clock()
        self.service.state["clock"] = self.clock

    def __call__(self, method: str, url: str, body: object = None, **headers: str) -> Answer:
        path, _, query = url.partition("?")
        named = {name.replace("__", ".").replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named.setdefault("content-type", "application/json")
        payload = b"" if body is None else json.dumps(body).encode()
        reply: Reply = answer(self.service, Request(method, path, query, named, payload, ROOT))
        return Answer(reply.status, reply.headers, reply.body.decode())

    def get(self, url: str, **headers: str) -> Any:
        found = self("GET", url, **headers)
        assert found.status == 200, found.text
        return found.json

    def values(self, url: str, **headers: str) -> Any:
        return self.get(url, **headers)["value"]

    def done(self, method: str, url: str, body: object = None, **headers: str) -> Answer:
        found = self(method, url, body, **headers)
        assert found.status in (200, 201, 204), found.text
        return found

    def csdl(self) -> str:
        return self("GET", "$metadata").text

    def create_table(self, name: str = "new_Thing", *columns: dict[str, Any], **members: object) -> None:
        self.done("POST", "EntityDefinitions", table(name, *columns, **members))

    def add_column(self, table_name: str, body: dict[str, Any]) -> None:
        self.done("POST", f"EntityDefinitions(LogicalName='{table_name}')/Attributes", body)

    def names(self, table_name: str) -> set[str]:
        found = self.values(f"EntityDefinitions(LogicalName='{table_name}')/Attributes?$select=LogicalName")
        return {item["LogicalName"] for item in found}

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.service.store.query(sql)


def label(text: str, **others: str) -> dict[str, Any]:
    codes = {"german": 1031, "french": 1036}
    found = [{"Label": text, "LanguageCode": 1033}]
    found += [{"Label": other, "LanguageCode": codes[name]} for name, other in others.items()]
    return {"@odata.type": f"{CRM}Label", "LocalizedLabels": found}


def column(kind: str, name: str, **members: object) -> dict[str, Any]:
    return {"@odata.type": f"{CRM}{kind}AttributeMetadata", "SchemaName": name, "DisplayName": label(name), **members}


def primary(name: str = "new_Name") -> dict[str, Any]:
    return column("String", name, IsPrimaryName=True, MaxLength=100, FormatName={"Value": "Text"})


def table(name: str = "new_Thing", *columns: dict[str, Any], **members: object) -> dict[str, Any]:
    return {
        "@odata.type": f"{CRM}EntityMetadata",
        "SchemaName": name,
        "DisplayName": label(name),
        "DisplayCollectionName": label(f"{name}s"),
        "OwnershipType": "UserOwned",
        "HasNotes": False,
        "HasActivities": False,
        "IsActivity": False,
        "Attributes": [primary(), *columns],
        **members,
    }


def one_to_many(name: str, referenced: str, referencing: str, lookup: str, **members: object) -> dict[str, Any]:
    return {
        "@odata.type": f"{CRM}OneToManyRelationshipMetadata",
        "SchemaName": name,
        "ReferencedEntity": referenced,
        "ReferencingEntity": referencing,
        "Lookup": column("Lookup", lookup),
        **members,
    }


def choice(*pairs: tuple[int | None, str], **members: object) -> dict[str, Any]:
    options = [{"Value": value, "Label": label(text)} for value, text in pairs]
    kind = f"{CRM}OptionSetMetadata"
    return {"@odata.type": kind, "IsGlobal": False, "OptionSetType": "Picklist", "Options": options, **members}
