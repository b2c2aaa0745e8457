"""A `$metadata` document to plain records: entity types, properties, navigations, alternate keys, entity sets.

The sandbox's own reading of CSDL, on bare expat; a document type declaration is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

__all__ = ["Document", "EntityType", "NavigationRecord", "PropertyRecord", "parse_csdl"]


@dataclass
class PropertyRecord:
    """A property; `read_only` when an annotation says computed or Permissions/Read."""

    name: str
    type: str
    description: str = ""
    read_only: bool = False


@dataclass
class NavigationRecord:
    """A navigation property; `property` is the constraint's own property, or ``""``."""

    name: str
    target: str
    collection: bool
    partner: str
    property: str = ""


@dataclass
class EntityType:
    """An entity type as declared: base type and target names without namespace."""

    name: str
    base: str
    abstract: bool
    key: str = ""
    properties: dict[str, PropertyRecord] = field(default_factory=dict)
    navigations: dict[str, NavigationRecord] = field(default_factory=dict)
    keys: list[list[str]] = field(default_factory=list)


@dataclass
class Document:
    """All entity types by name, and the set of each type that has one."""

    types: dict[str, EntityType] = field(default_factory=dict)
    sets: dict[str, str] = field(default_factory=dict)


def parse_csdl(text: bytes) -> Document:
    """Return the records of a document; raises ValueError when it is no `$metadata`, or damaged, or hostile."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.buffer_text = True
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ValueError(f"the $metadata document is damaged: {error}") from None
    if not reader.document.types:
        raise ValueError("this is no $metadata document: it declares no entity types")
    return reader.document


def _refuse(*_: object) -> None:
    raise ValueError("the $metadata document has a document type declaration, which is refused")


def _bare(name: str) -> str:
    return name.removeprefix("Collection(").removesuffix(")").rpartition(".")[2]


class _Reader:
    def __init__(self) -> None:
        self.document = Document()
        self._type: EntityType | None = None
        self._property: PropertyRecord | None = None
        self._navigation: NavigationRecord | None = None
        self._term = ""
        self._path: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if not self._path and name != "Edmx":
            raise ValueError(f"this is no $metadata document: its root is <{name}>")
        self._path.append(name)
        handler = getattr(self, f"_on_{name.lower()}", None)
        if handler is not None:
            handler(attributes)

    def end(self, tag: str) -> None:
        name = self._path.pop()
        if name == "EntityType":
            self._type = None
        elif name == "Property":
            self._property = None
        elif name == "NavigationProperty":
            self._navigation = None

    def text(self, data: str) -> None:
        if self._property is not None and self._term.endswith(".Permissions") and data.strip().endswith("/Read"):
            self._property.read_only = True

    def _on_entitytype(self, given: dict[str, str]) -> None:
        self._type = EntityType(given["Name"], _bare(given.get("BaseType", "")), given.get("Abstract") == "true")
        self.document.types[self._type.name] = self._type

    def _on_propertyref(self, given: dict[str, str]) -> None:
        if self._type is not None and "Name" in given:
            self._type.key = self._type.key or given["Name"]

    def _on_property(self, given: dict[str, str]) -> None:
        if self._type is not None:
            self._property = PropertyRecord(given["Name"], given["Type"])
            self._type.properties[given["Name"]] = self._property

    def _on_navigationproperty(self, given: dict[str, str]) -> None:
        if self._type is not None:
            kind = given["Type"]
            self._navigation = NavigationRecord(
                given["Name"], _bare(kind), kind.startswith("Collection("), given.get("Partner", "")
            )
            self._type.navigations[given["Name"]] = self._navigation

    def _on_referentialconstraint(self, given: dict[str, str]) -> None:
        if self._navigation is not None:
            self._navigation.property = given["Property"]

    def _on_annotation(self, given: dict[str, str]) -> None:
        self._term = given.get("Term", "")
        if self._property is None:
            return
        if self._term.endswith(".Description"):
            self._property.description = given.get("String", "")
        elif self._term.endswith(".Computed") and given.get("Bool") == "true":
            self._property.read_only = True

    def _on_record(self, given: dict[str, str]) -> None:
        if self._type is not None and given.get("Type", "").endswith(".AlternateKey"):
            self._type.keys.append([])

    def _on_propertyvalue(self, given: dict[str, str]) -> None:
        if self._type is not None and self._type.keys and given.get("Property") == "Name" and "PropertyPath" in given:
            self._type.keys[-1].append(given["PropertyPath"])

    def _on_entityset(self, given: dict[str, str]) -> None:
        self.document.sets[_bare(given["EntityType"])] = given["Name"]
