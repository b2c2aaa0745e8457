"""Functions and actions of `$metadata`: their parameters, and what they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

from sqlalchemy_dynamics.errors import OperationalError

__all__ = ["Enumeration", "Operation", "Operations", "Parameter", "parse_operations"]

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
_NAMESPACE = "Microsoft.Dynamics.CRM"
_COLLECTION = re.compile(r"Collection\((.*)\)")
_OPTIONAL = "Org.OData.Core.V1.OptionalParameter"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `type` is Edm.*, or the bare name of a type of the organisation. `collection` of that type."""

    name: str
    type: str
    collection: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class Enumeration:
    """The members of an enumeration by name; of one with `flags` several at once make a value."""

    members: Mapping[str, int]
    flags: bool = False


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
    """All operations by lower-case name (bound ones may be several), complex types and enumerations by name."""

    by_name: Mapping[str, tuple[Operation, ...]]
    complex_types: Mapping[str, Mapping[str, Parameter]] = field(default_factory=dict)
    enumerations: Mapping[str, Enumeration] = field(default_factory=dict)


def parse_operations(document: bytes) -> Operations:
    """Return the operations of a `$metadata` document. Raises OperationalError for bytes that are none."""
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise OperationalError(f"$metadata is damaged ({error}): check OrganizationUrl and the proxy") from None
    by_name: dict[str, tuple[Operation, ...]] = {}
    complex_types: dict[str, tuple[str, dict[str, Parameter]]] = {}
    enumerations: dict[str, Enumeration] = {}
    for schema in root.iter(f"{_EDM}Schema"):
        aliases = (schema.get("Alias", ""), schema.get("Namespace", _NAMESPACE))
        for operation in _operations(schema, aliases):
            by_name[operation.name.lower()] = (*by_name.get(operation.name.lower(), ()), operation)
        for node in schema.iter(f"{_EDM}ComplexType"):
            complex_types[node.get("Name", "")] = _bare(node.get("BaseType", ""), aliases), _members(node, aliases)
        for node in schema.iter(f"{_EDM}EnumType"):
            enumerations[node.get("Name", "")] = _enumeration(node)
    return Operations(by_name, {name: _inherited(complex_types, name) for name in complex_types}, enumerations)


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


def _members(node: ElementTree.Element, aliases: tuple[str, str]) -> dict[str, Parameter]:
    """Properties of a complex type, and the rows in it (navigation properties)."""
    words = (f"{_EDM}Property", f"{_EDM}NavigationProperty")
    return {found.name: found for each in node if each.tag in words for found in (_parameter(each, aliases),)}


def _inherited(types: Mapping[str, tuple[str, dict[str, Parameter]]], name: str) -> Mapping[str, Parameter]:
    base, own = types[name]
    return {**_inherited(types, base), **own} if base in types and base != name else own


def _enumeration(node: ElementTree.Element) -> Enumeration:
    members = {each.get("Name", ""): int(each.get("Value", "0")) for each in node.iter(f"{_EDM}Member")}
    return Enumeration(members, node.get("IsFlags") == "true")


def _parameter(node: ElementTree.Element, aliases: tuple[str, str]) -> Parameter:
    kind = node.get("Type", "Edm.String")
    inside = _COLLECTION.fullmatch(kind)
    optional = any(each.get("Term") == _OPTIONAL for each in node.iter(f"{_EDM}Annotation"))
    required = node.get("Nullable") == "false" and not optional
    return Parameter(node.get("Name", ""), _bare(inside[1] if inside else kind, aliases), inside is not None, required)


def _bare(kind: str, aliases: tuple[str, str]) -> str:
    found = next((alias for alias in aliases if alias and kind.startswith(f"{alias}.")), None)
    return kind if found is None else kind[len(found) + 1 :]
