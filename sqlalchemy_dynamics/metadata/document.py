"""One expat pass over a `$metadata` document: its entity types and entity sets as written. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from sqlalchemy_dynamics.errors import OperationalError

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Document", "EntityType", "NavigationProperty", "Property", "read"]

MAX_BYTES = 256 * 1024 * 1024
MAX_DEPTH = 100

_EDM = "http://docs.oasis-open.org/odata/ns/edm"
_ROOT = "http://docs.oasis-open.org/odata/ns/edmx Edmx"
_CUT_SHORT = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)
_ADVICE = "check OrganizationUrl, the sign-in and any proxy between"

Attributes = dict[str, str]


@dataclass(slots=True)
class Property:
    """A data property. `permission` is the annotation's last member (``Read``, ``Write``, …) or ``""``."""

    edm: str
    description: str = ""
    permission: str = ""
    computed: bool = False


@dataclass(slots=True)
class NavigationProperty:
    """A navigation property; `constraint` is the property of its ReferentialConstraint, ``""`` without one."""

    name: str
    target: str
    collection: bool
    partner: str = ""
    constraint: str = ""


@dataclass(slots=True)
class EntityType:
    """An entity type without what it inherits. `base` and all targets are names without a namespace."""

    name: str
    base: str = ""
    abstract: bool = False
    key: str = ""
    description: str = ""
    properties: dict[str, Property] = field(default_factory=dict)
    navigations: list[NavigationProperty] = field(default_factory=list)
    alternate_keys: list[list[str]] = field(default_factory=list)


@dataclass(slots=True)
class Document:
    """The entity types by name, and the type name of each entity set."""

    types: dict[str, EntityType] = field(default_factory=dict)
    sets: dict[str, str] = field(default_factory=dict)


def read(document: bytes) -> Document:
    """Return what the `$metadata` document declares; elements it does not know are passed over.

    Raises OperationalError when the bytes are not such a document: HTML or JSON, a DOCTYPE (and so any entity
    declaration), truncated or malformed XML, another root element, deeper than MAX_DEPTH or larger than MAX_BYTES.
    """
    if len(document) > MAX_BYTES:
        raise OperationalError(f"$metadata is larger than {MAX_BYTES // 2**20} MiB; refused")
    reader = _Reader()
    try:
        reader.parser.Parse(document, True)
    except expat.ExpatError as error:
        raise OperationalError(_complaint(document, error)) from None
    except (LookupError, ValueError):
        raise OperationalError(f"$metadata is in an encoding that cannot be read; {_ADVICE}") from None
    return reader.document


def _complaint(document: bytes, error: expat.ExpatError) -> str:
    if not document.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return f"the reply to $metadata is not XML ({len(document)} bytes); {_ADVICE}"
    if error.code in _CUT_SHORT:
        return f"$metadata ends too early (after {len(document)} bytes); the transfer was cut short, try again"
    return f"$metadata is not well-formed XML ({expat.ErrorString(error.code)}, line {error.lineno}); {_ADVICE}"


def _local(name: str) -> str:
    """``Collection(mscrm.contact)`` or ``mscrm.contact`` without namespace and wrapping: ``contact``."""
    return name.rpartition(".")[2].rstrip(")")


class _Reader:
    """The handlers; what is open at the moment is kept in `entity`, `target` (of annotations) and `term`."""

    def __init__(self) -> None:
        self.document = Document()
        self.entity: EntityType | None = None
        self.target: EntityType | Property | NavigationProperty | None = None
        self.term = ""
        self.depth = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._root
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._entity_declaration
        self.starts: dict[str, Callable[[Attributes], None]] = {
            f"{_EDM} EntityType": self._entity_type,
            f"{_EDM} Property": self._property,
            f"{_EDM} NavigationProperty": self._navigation_property,
            f"{_EDM} ReferentialConstraint": self._referential_constraint,
            f"{_EDM} PropertyRef": self._property_ref,
            f"{_EDM} Annotation": self._annotation,
            f"{_EDM} EnumMember": self._enum_member,
            f"{_EDM} PropertyValue": self._property_value,
            f"{_EDM} EntitySet": self._entity_set,
        }
        self.ends: dict[str, Callable[[], None]] = {
            f"{_EDM} EntityType": self._close_entity,
            f"{_EDM} Property": self._close_property,
            f"{_EDM} NavigationProperty": self._close_property,
            f"{_EDM} Annotation": self._close_annotation,
            f"{_EDM} EnumMember": self._close_text,
        }

    def _doctype(self, name: str, *_: object) -> None:
        if name.lower() == "html":
            raise OperationalError(f"the reply to $metadata is an HTML page, perhaps a sign-in page; {_ADVICE}")
        raise OperationalError("$metadata carries a DOCTYPE; entity declarations are refused")

    def _entity_declaration(self, *_: object) -> None:
        raise OperationalError("$metadata declares XML entities; refused")

    def _root(self, name: str, attributes: Attributes) -> None:
        if name != _ROOT:
            root = name.rpartition(" ")[2]
            raise OperationalError(f"the reply to $metadata begins with <{root}>, not <Edmx>; {_ADVICE}")
        self.depth = 1
        self.parser.StartElementHandler = self._start

    def _start(self, name: str, attributes: Attributes) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise OperationalError(f"$metadata nests elements deeper than {MAX_DEPTH} levels; refused")
        handler = self.starts.get(name)
        if handler is not None:
            handler(attributes)

    def _end(self, name: str) -> None:
        self.depth -= 1
        handler = self.ends.get(name)
        if handler is not None:
            handler()

    def _entity_type(self, attributes: Attributes) -> None:
        name = attributes.get("Name", "")
        base, abstract = _local(attributes.get("BaseType", "")), attributes.get("Abstract") == "true"
        self.entity = self.target = self.document.types[name] = EntityType(name, base, abstract)

    def _property(self, attributes: Attributes) -> None:
        if self.entity is not None and "Name" in attributes:
            self.target = self.entity.properties[attributes["Name"]] = Property(attributes.get("Type", "Edm.String"))

    def _navigation_property(self, attributes: Attributes) -> None:
        if self.entity is not None and "Name" in attributes:
            kind, partner = attributes.get("Type", ""), attributes.get("Partner", "")
            self.target = NavigationProperty(attributes["Name"], _local(kind), kind.startswith("Collection("), partner)
            self.entity.navigations.append(self.target)

    def _referential_constraint(self, attributes: Attributes) -> None:
        if isinstance(self.target, NavigationProperty) and not self.target.constraint:
            self.target.constraint = attributes.get("Property", "")

    def _property_ref(self, attributes: Attributes) -> None:
        if self.entity is not None and not self.entity.key:
            self.entity.key = attributes.get("Name", "")

    def _annotation(self, attributes: Attributes) -> None:
        self.term = _local(attributes.get("Term", ""))
        if self.term == "Description" and isinstance(self.target, EntityType | Property):
            self.target.description = attributes.get("String", "")
        elif self.term == "Computed" and isinstance(self.target, Property):
            self.target.computed = attributes.get("Bool", "true") == "true"
        elif self.term == "Permissions" and "EnumMember" in attributes:
            self._permission(attributes["EnumMember"])

    def _permission(self, member: str) -> None:
        if isinstance(self.target, Property):
            self.target.permission = member.rpartition("/")[2].strip()

    def _enum_member(self, attributes: Attributes) -> None:
        if self.term == "Permissions":
            self.parser.CharacterDataHandler = self._permission

    def _property_value(self, attributes: Attributes) -> None:
        if self.term != "AlternateKeys" or self.entity is None:
            return
        keys = self.entity.alternate_keys
        if attributes.get("Property") == "Key":
            keys.append([])
        elif attributes.get("Property") == "Name" and keys:
            keys[-1].append(attributes.get("PropertyPath", ""))

    def _entity_set(self, attributes: Attributes) -> None:
        self.document.sets[attributes.get("Name", "")] = _local(attributes.get("EntityType", ""))

    def _close_entity(self) -> None:
        self.entity = self.target = None

    def _close_property(self) -> None:
        self.target = self.entity

    def _close_annotation(self) -> None:
        self.term = ""

    def _close_text(self) -> None:
        self.parser.CharacterDataHandler = None
