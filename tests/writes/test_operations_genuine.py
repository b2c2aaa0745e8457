"""Every function and action of genuine `$metadata` documents becomes a request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sqlalchemy_dynamics import dbapi, errors
from sqlalchemy_dynamics.execute.arguments import Arguments
from sqlalchemy_dynamics.metadata import csdl
from sqlalchemy_dynamics.metadata.model import Model
from sqlalchemy_dynamics.metadata.operations import Operations, Parameter, parse_operations
from sqlalchemy_dynamics.odata.operations import call_action, call_function
from sqlalchemy_dynamics.sandbox import Sandbox

from ..shared import FOLDER

GENUINE = sorted((FOLDER / "metadata").glob("*.xml"))
KEY = "7eb682f1-ca75-e511-80d4-00155d2a68d1"
SCALARS: dict[str, Any] = {
    "Edm.Binary": b"x",
    "Edm.Boolean": "true",
    "Edm.DateTimeOffset": "2024-01-01",
    "Edm.Decimal": "1.5",
    "Edm.Double": 1,
    "Edm.Guid": KEY,
    "Edm.Int32": "3",
    "Edm.Int64": 4,
    "Edm.String": "x",
}
pytestmark = pytest.mark.skipif(not GENUINE, reason="no folder with genuine metadata beside the checkout")


def some_value(parameter: Parameter, known: Operations) -> Any:
    if parameter.collection:
        return [some_value(Parameter(parameter.name, parameter.type), known)]
    if parameter.type in SCALARS:
        return SCALARS[parameter.type]
    if parameter.type in known.enumerations:
        return next(iter(known.enumerations[parameter.type].members))
    if parameter.type in known.complex_types:
        return {}
    return ("account", KEY) if parameter.type == "crmbaseentity" else KEY


def requested(known: Operations, model: Model) -> int:
    count = 0
    for operation in (each for found in known.by_name.values() for each in found):
        values = {each.name.lower(): some_value(each, known) for each in operation.parameters}
        typed = Arguments(known, model, operation).typed(values)
        if operation.is_function:
            assert call_function("", operation.name, typed, known.enumerations).url.startswith(operation.name)
        else:
            assert call_action("", operation.name, typed, {}).body is not None
        count += 1
    return count


@pytest.mark.parametrize("path", GENUINE, ids=lambda path: path.stem)
def test_every_operation_becomes_a_request(path: Path) -> None:
    document = path.read_bytes()
    assert requested(parse_operations(document), csdl.parse(document)) > 300


def test_an_organisation_of_genuine_metadata() -> None:
    with Sandbox(rows=3, metadata=GENUINE[-1]) as org:
        connection = dbapi.connect(OrganizationUrl=org.url, OAuthAccessToken=org.access_token)
        cursor = connection.cursor()
        cursor.execute("INSERT INTO opportunity (opportunityid, name) VALUES (?, 'o')", (KEY,))
        close = {"subject": "genuine", "opportunityid": KEY}
        cursor.execute("EXEC WinOpportunity @OpportunityClose = ?, @Status = -1", (close,))
        found = cursor.execute("SELECT subject FROM opportunityclose WHERE opportunityid = ?", (KEY,)).fetchall()
        assert found == [("genuine",)]
        with pytest.raises(errors.NotSupportedError, match="does not run 'CalculateActualValueOpportunity'"):
            cursor.execute("EXEC CalculateActualValueOpportunity ?", (KEY,))
        connection.close()
