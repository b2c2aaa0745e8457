"""Changes as requests: create, update, upsert, delete, many rows at once, links between rows. Pure.

Bodies are mappings of JSON members; addresses are relative to the service root and encoded here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from sqlalchemy_dynamics.odata.literals import literal
from sqlalchemy_dynamics.odata.messages import HttpRequest

__all__ = [
    "ANY_VERSION",
    "Body",
    "associate",
    "create",
    "create_multiple",
    "delete",
    "disassociate",
    "key_address",
    "point_to",
    "put_list",
    "remove_value",
    "row_address",
    "update",
    "update_multiple",
    "upsert",
    "upsert_multiple",
    "version_tag",
]

Body = Mapping[str, Any]

ANY_VERSION = "*"
"""`If-Match` of an update that must not create the row (dataverse-web-api: conditional writes)."""
_NAMESPACE = "Microsoft.Dynamics.CRM"
_encoder = msgspec.json.Encoder(decimal_format="number")


def row_address(entity_set: str, key: str) -> str:
    """Return ``accounts(7eb682f1-…)``."""
    return f"{entity_set}({key})"


def key_address(entity_set: str, values: Sequence[tuple[str, object, str]]) -> str:
    """Return the address by alternate key of (property, value, Edm type): ``accounts(accountnumber='A%2F1')``."""
    parts = (f"{name}={quote(literal(value, edm), safe=chr(39))}" for name, value, edm in values)
    return f"{entity_set}({','.join(parts)})"


def version_tag(version: int) -> str:
    """Return the ETag of a row whose `versionnumber` is known."""
    return f'W/"{version}"'


def create(entity_set: str, body: Body, select: Sequence[str] | None = None) -> HttpRequest:
    """Return the POST of a row. With `select` the reply is the row with those properties."""
    return _write("POST", entity_set, body, {}, select)


def update(address: str, body: Body, match: str = ANY_VERSION, select: Sequence[str] | None = None) -> HttpRequest:
    """Return the PATCH of a row that exists, in the version `match`; a missing row is 404, never made."""
    return _write("PATCH", address, body, {"If-Match": match}, select)


def upsert(address: str, body: Body, *, only_new: bool = False, select: Sequence[str] | None = None) -> HttpRequest:
    """Return the PATCH that makes or changes a row; with `only_new` a row that exists is 412 and stays as it is."""
    return _write("PATCH", address, body, {"If-None-Match": "*"} if only_new else {}, select)


def delete(address: str, match: str | None = None) -> HttpRequest:
    """Return the DELETE of a row, in the version `match` only when given."""
    return HttpRequest("DELETE", address, {} if match is None else {"If-Match": match})


def remove_value(address: str, name: str) -> HttpRequest:
    """Return the DELETE of one property: the row stays, a file column loses its file."""
    return HttpRequest("DELETE", f"{address}/{name}")


def create_multiple(entity_set: str, table: str, bodies: Sequence[Body]) -> HttpRequest:
    """Return CreateMultiple: all rows or none, ids in order."""
    return _multiple("CreateMultiple", entity_set, table, bodies)


def update_multiple(entity_set: str, table: str, bodies: Sequence[Body]) -> HttpRequest:
    """Return UpdateMultiple; every body holds its key. All rows or none; missing rows are one 404."""
    return _multiple("UpdateMultiple", entity_set, table, bodies)


def upsert_multiple(entity_set: str, table: str, bodies: Sequence[Body]) -> HttpRequest:
    """Return UpsertMultiple; every body holds its key, or the address of its alternate key as ``@odata.id``."""
    return _multiple("UpsertMultiple", entity_set, table, bodies)


def associate(address: str, navigation: str, target: str) -> HttpRequest:
    """Return the POST that links row `target` into a collection of row `address`."""
    return HttpRequest("POST", f"{address}/{navigation}/$ref", {}, _encoder.encode({"@odata.id": target}))


def disassociate(address: str, navigation: str, key: str) -> HttpRequest:
    """Return the DELETE that unlinks row `key` from a collection of row `address`."""
    return HttpRequest("DELETE", f"{address}/{navigation}({key})/$ref")


def point_to(address: str, navigation: str, target: str) -> HttpRequest:
    """Return the PUT that points a lookup of row `address` to row `target`."""
    body = _encoder.encode({"@odata.id": target})
    return HttpRequest("PUT", f"{address}/{navigation}/$ref", {}, body, repeatable=True)


def put_list(address: str, bodies: Sequence[Body]) -> HttpRequest:
    """Return the PUT that replaces the parties of an activity, the only list that can be replaced."""
    return HttpRequest("PUT", address, {}, _encoder.encode({"value": bodies}), repeatable=True)


def _write(
    method: str, address: str, body: Body, headers: Mapping[str, str], select: Sequence[str] | None
) -> HttpRequest:
    if select is None:
        return HttpRequest(method, address, headers, _encoder.encode(body))
    wanted = f"{address}?$select={','.join(select)}"
    return HttpRequest(method, wanted, {**headers, "Prefer": "return=representation"}, _encoder.encode(body))


def _multiple(action: str, entity_set: str, table: str, bodies: Sequence[Body]) -> HttpRequest:
    kind = {"@odata.type": f"{_NAMESPACE}.{table}"}
    body = _encoder.encode({"Targets": [{**kind, **each} for each in bodies]})
    return HttpRequest("POST", f"{entity_set}/{_NAMESPACE}.{action}", {}, body)
