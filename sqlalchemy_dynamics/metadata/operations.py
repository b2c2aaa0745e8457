"""Functions and actions of `$metadata`: their parameters, and what they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from sqlalchemy_dynamics.errors import OperationalError

__all__ = ["Operation", "Operations", "Parameter", "parse_operations"]

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
_NAMESPACE = "Microsoft.Dynamics.CRM"
_COLLECTION = re.compile(r"Collection\((.*)\)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `type` is Edm.*, or the bare name of a type of the organisation. `collection` of that type."""

    name: str
    type: str
    collection: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One function or action. `target` is what it is bound to: a row of a table, or with `collection` its set."""

    name: str
    is_function: bool
    parameters: tuple[Parameter, ...] = ()
    target: Parameter | None = None
    returns: Parameter | None = None


@dataclass(frozen=True)
class Operations:
    """All operations by lower-case name (bound ones may be several), complex types and the names of enumerations."""

    by_name: Mapping[str, tuple[Operation, ...]]
    complex_types: Mapping[str, Mapping[str, Parameter]]
    enumerations: frozenset[str] = frozenset()


def parse_operations(document: bytes) -> Operations:
    """Return the operations of a `$metadata` document. Raises OperationalError for bytes that are none."""
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise OperationalError(f"$metadata is damaged ({error}): check OrganizationUrl and the proxy") from None
    by_name: dict[str, tuple[Operation, ...]] = {}
    complex_types: dict[str, Mapping[str, Parameter]] = {}
    enumerations: set[str] = set()
    for schema in root.iter(f"{_EDM}Schema"):
        aliases = (schema.get("Alias", ""), schema.get("Namespace", _NAMESPACE))
        for operation in _operations(schema, aliases):
            by_name[operation.name.lower()] = (*by_name.get(operation.name.lower(), ()), operation)
        for node in schema.iter(f"{_EDM}ComplexType"):
            properties = (_parameter(each, aliases) for each in node.iter(f"{_EDM}Property"))
            complex_types[node.get("Name", "")] = {each.name: each for each in properties}
        enumerations.update(node.get("Name", "") for node in schema.iter(f"{_EDM}EnumType"))
    return Operations(by_name, complex_types, frozenset(enumerations))


def _operations(schema: ElementTree.Element, aliases: tuple[str, str]) -> Iterator[Operation]:
    for kind in ("Function", "Action"):
        for node in schema.iter(f"{_EDM}{kind}"):
            parameters = [_parameter(each, aliases) for each in node.iter(f"{_EDM}Parameter")]
            bound = node.get("IsBound") == "true" and parameters
            returned = node.find(f"{_EDM}ReturnType")
            yield Operation(
                node.get("Name", ""),
                kind == "Function",
                tuple(parameters[1:] if bound else parameters),
                parameters[0] if bound else None,
                None if returned is None else _parameter(returned, aliases),
            )


def _parameter(node: ElementTree.Element, aliases: tuple[str, str]) -> Parameter:
    kind = node.get("Type", "Edm.String")
    inside = _COLLECTION.fullmatch(kind)
    kind = inside[1] if inside else kind
    for alias in aliases:
        if alias and kind.startswith(f"{alias}."):
            kind = kind[len(alias) + 1 :]
    return Parameter(node.get("Name", ""), kind, inside is not None)
