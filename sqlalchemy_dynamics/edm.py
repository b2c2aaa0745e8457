"""THE table of types: what a Dataverse column is on the wire, in SQL, in Arrow and in Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = [
    "ATTRIBUTE_TYPES",
    "BIGINT",
    "BLOB",
    "BOOLEAN",
    "DATE",
    "DECIMAL",
    "DOUBLE",
    "EDM_TYPES",
    "HUGEINT",
    "INTEGER",
    "MONEY",
    "TIMESTAMP",
    "TIMESTAMPTZ",
    "UUID",
    "VARCHAR",
    "SqlType",
    "TypeCode",
    "TypeObject",
    "decimal",
    "type_code",
]


@dataclass(frozen=True, slots=True)
class SqlType:
    """A SQL type: its family (``DECIMAL``), and for decimals precision and scale."""

    family: str
    precision: int | None = None
    scale: int | None = None

    @property
    def sql(self) -> str:
        """The name shown in `cursor.description` and understood by DuckDB: ``DECIMAL(19,4)``."""
        return self.family if self.precision is None else f"{self.family}({self.precision},{self.scale})"

    @property
    def arrow(self) -> str:
        """The Arrow type's name as pyarrow prints it: ``decimal128(19, 4)``."""
        if self.precision is not None:
            return f"decimal128({self.precision}, {self.scale})"
        return ARROW_NAMES[self.family]


def decimal(precision: int, scale: int) -> SqlType:
    """Return ``DECIMAL(precision,scale)``; precision is at most 38."""
    return SqlType("DECIMAL", precision, scale)


UUID = SqlType("UUID")
VARCHAR = SqlType("VARCHAR")
INTEGER = SqlType("INTEGER")
BIGINT = SqlType("BIGINT")
DECIMAL = decimal(38, 10)
MONEY = decimal(19, 4)
DOUBLE = SqlType("DOUBLE")
BOOLEAN = SqlType("BOOLEAN")
TIMESTAMPTZ = SqlType("TIMESTAMP WITH TIME ZONE")
TIMESTAMP = SqlType("TIMESTAMP")
DATE = SqlType("DATE")
BLOB = SqlType("BLOB")
HUGEINT = SqlType("HUGEINT")

ARROW_NAMES = {
    "UUID": "string",
    "VARCHAR": "string",
    "INTEGER": "int32",
    "BIGINT": "int64",
    "HUGEINT": "decimal128(38, 0)",
    "DOUBLE": "double",
    "BOOLEAN": "bool",
    "TIMESTAMP WITH TIME ZONE": "timestamp[us, tz=UTC]",
    "TIMESTAMP": "timestamp[us]",
    "DATE": "date32[day]",
    "BLOB": "binary",
}

# $metadata names only these; annotations and EntityDefinitions narrow them (dataverse-web-api: column type table).
EDM_TYPES = {
    "Edm.Guid": UUID,
    "Edm.String": VARCHAR,
    "Edm.Byte": INTEGER,
    "Edm.Int16": INTEGER,
    "Edm.Int32": INTEGER,
    "Edm.Int64": BIGINT,
    "Edm.Decimal": DECIMAL,
    "Edm.Single": DOUBLE,
    "Edm.Double": DOUBLE,
    "Edm.Boolean": BOOLEAN,
    "Edm.DateTimeOffset": TIMESTAMPTZ,
    "Edm.Date": DATE,
    "Edm.TimeOfDay": VARCHAR,
    "Edm.Duration": VARCHAR,
    "Edm.Binary": BLOB,
}


def _decimal_of(precision: int | None) -> SqlType:
    """Dataverse decimals reach ±100,000,000,000 with at most ten places: twelve digits before the point."""
    return DECIMAL if precision is None else decimal(12 + precision, precision)


def _plain(kind: SqlType) -> Callable[[int | None], SqlType]:
    return lambda precision: kind


# AttributeTypeName.Value of EntityDefinitions; the argument is the attribute's Precision.
ATTRIBUTE_TYPES: dict[str, Callable[[int | None], SqlType]] = {
    "StringType": _plain(VARCHAR),
    "MemoType": _plain(VARCHAR),
    "EntityNameType": _plain(VARCHAR),
    "IntegerType": _plain(INTEGER),
    "BigIntType": _plain(BIGINT),
    "DecimalType": _decimal_of,
    "MoneyType": _plain(MONEY),
    "DoubleType": _plain(DOUBLE),
    "BooleanType": _plain(BOOLEAN),
    "PicklistType": _plain(INTEGER),
    "StateType": _plain(INTEGER),
    "StatusType": _plain(INTEGER),
    "MultiSelectPicklistType": _plain(VARCHAR),
    "LookupType": _plain(UUID),
    "CustomerType": _plain(UUID),
    "OwnerType": _plain(UUID),
    "UniqueidentifierType": _plain(UUID),
    "ImageType": _plain(BLOB),
    "FileType": _plain(BLOB),
}


class TypeObject:
    """A PEP 249 type object (`STRING`, `NUMBER`, …); equal to every type code of its families."""

    def __init__(self, name: str, families: frozenset[str]) -> None:
        self.name = name
        self.families = families

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TypeObject):
            return self.name == other.name
        return isinstance(other, TypeCode) and other.family in self.families

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name


class TypeCode(str):
    """A type code of `cursor.description`: a string naming the SQL type that also equals its PEP 249 object."""

    __slots__ = ()

    @property
    def family(self) -> str:
        """The name without precision and scale: ``DECIMAL`` of ``DECIMAL(19,4)``."""
        return self.partition("(")[0]

    def __eq__(self, other: object) -> bool:
        return other == self if isinstance(other, TypeObject) else str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def type_code(kind: SqlType) -> TypeCode:
    """Return the type code of a SQL type."""
    return TypeCode(kind.sql)
