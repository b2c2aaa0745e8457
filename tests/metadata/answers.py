"""An organisation's EntityDefinitions for the tests: attributes as the Web API writes them, answered by URL."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse

URL = re.compile(
    r"EntityDefinitions\(LogicalName='(?P<table>\w+)'\)"
    r"(?P<part>/Attributes|/Keys)?(?:/Microsoft\.Dynamics\.CRM\.(?P<cast>\w+)AttributeMetadata)?\?"
)

Json = dict[str, Any]


def label(text: str) -> Json:
    return {"LocalizedLabels": [], "UserLocalizedLabel": {"Label": text, "LanguageCode": 1033}}


def options(**labels: int) -> Json:
    return {"Options": [{"Value": value, "Label": label(text)} for text, value in labels.items()]}


def attribute(name: str, kind: str, **members: Any) -> Json:
    """Return one attribute; `kind` is its AttributeTypeName without ``Type``."""
    common = {
        "LogicalName": name,
        "AttributeTypeName": {"Value": kind + "Type"},
        "DisplayName": label(name.title()),
        "Description": None,
        "RequiredLevel": {"Value": "None"},
        "IsValidForCreate": True,
        "IsValidForRead": True,
        "IsValidForUpdate": True,
        "AutoNumberFormat": None,
    }
    return {**common, **members}


class Definitions:
    """One table's definition, attributes and keys; `statuses` answers a part (``Keys``, ``Picklist``) with an error."""

    def __init__(
        self,
        definition: Json,
        attributes: Sequence[Json],
        keys: Sequence[Json] = (),
        statuses: Mapping[str, int] | None = None,
    ) -> None:
        self.definition = definition
        self.attributes = attributes
        self.keys = keys
        self.statuses = statuses or {}

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one GET. `$select` is not applied: a reply may hold more than was asked for."""
        found = URL.match(request.url)
        assert found is not None, request.url
        name = found["cast"] or (found["part"] or "").strip("/")
        if name in self.statuses:
            return HttpResponse(self.statuses[name], body=b'{"error": {"code": "0x0", "message": "refused"}}')
        return HttpResponse(200, body=json.dumps(self._body(found["part"], found["cast"])).encode())

    def _body(self, part: str | None, cast: str | None) -> Json:
        if part is None:
            return self.definition
        if part == "/Keys":
            return {"value": list(self.keys)}
        kinds = None if cast is None else {cast + "Type"}
        return {
            "value": [one for one in self.attributes if kinds is None or one["AttributeTypeName"]["Value"] in kinds]
        }


ACCOUNT_DEFINITIONS = Definitions(
    {
        "LogicalName": "account",
        "DisplayName": label("Account"),
        "Description": label("A customer"),
        "PrimaryNameAttribute": "name",
        "TableType": "Standard",
        "IsActivity": False,
        "IsIntersect": False,
        "IsCustomEntity": False,
    },
    [
        attribute("accountid", "Uniqueidentifier", IsValidForUpdate=False, RequiredLevel={"Value": "SystemRequired"}),
        attribute(
            "name",
            "String",
            MaxLength=160,
            FormatName={"Value": "Text"},
            Description=label("What it is called"),
            RequiredLevel={"Value": "ApplicationRequired"},
        ),
        attribute("revenue", "Money"),
        attribute("revenue_base", "Money", IsValidForCreate=False, IsValidForUpdate=False),
        attribute("exchangerate", "Decimal", Precision=12, IsValidForCreate=False, IsValidForUpdate=False),
        attribute("new_rating", "Decimal", Precision=2),
        attribute("industrycode", "Picklist", OptionSet=options(Accounting=1, Farming=2), GlobalOptionSet=None),
        attribute("statecode", "State", OptionSet=options(Active=0, Inactive=1)),
        attribute("new_sectors", "MultiSelectPicklist", OptionSet=None, GlobalOptionSet=options(Old=7, New=8)),
        attribute(
            "creditonhold",
            "Boolean",
            OptionSet={
                "TrueOption": {"Value": 1, "Label": label("Yes")},
                "FalseOption": {"Value": 0, "Label": label("No")},
            },
        ),
        attribute("new_opened", "DateTime", Format="DateAndTime", DateTimeBehavior={"Value": "TimeZoneIndependent"}),
        attribute("new_founded", "DateTime", Format="DateOnly", DateTimeBehavior={"Value": "DateOnly"}),
        attribute(
            "createdon",
            "DateTime",
            Format="DateAndTime",
            DateTimeBehavior={"Value": "UserLocal"},
            IsValidForCreate=False,
            IsValidForUpdate=False,
        ),
        attribute("primarycontactid", "Lookup"),
        attribute("ownerid", "Owner"),
        attribute("stageid", "Uniqueidentifier", IsValidForRead=False),
        attribute("entityimage", "Image"),
    ],
    [
        {"LogicalName": "new_code", "KeyAttributes": ["name", "primarycontactid"], "EntityKeyIndexStatus": "Active"},
        {"LogicalName": "new_failed", "KeyAttributes": ["name"], "EntityKeyIndexStatus": "Failed"},
        {"LogicalName": "new_gone", "KeyAttributes": ["nosuch"], "EntityKeyIndexStatus": "Active"},
    ],
)
