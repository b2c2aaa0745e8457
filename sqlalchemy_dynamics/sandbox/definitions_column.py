"""Members of columns: what all have in common, and one table of what each type adds (section 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy_dynamics.sandbox.labels import label, managed_property, texts
from sqlalchemy_dynamics.sandbox.schema import Column, Organisation, Table, metadata_id
from sqlalchemy_dynamics.sandbox.values import KINDS

__all__ = ["COLUMN_TYPES", "all_columns", "column_members", "column_type"]

COLUMN_TYPES = {
    **{
        kind: kind
        for kind in (
            "String",
            "Memo",
            "Integer",
            "BigInt",
            "Decimal",
            "Double",
            "Money",
            "DateTime",
            "Boolean",
            "Picklist",
            "MultiSelectPicklist",
            "State",
            "Status",
            "Lookup",
            "Image",
            "File",
            "EntityName",
            "ManagedProperty",
        )
    },
    "Customer": "Lookup",
    "Owner": "Lookup",
    "Uniqueidentifier": "UniqueIdentifier",
}
_FORMATS = frozenset({"Email", "Text", "TextArea", "Url", "TickerSymbol", "PhoneticGuide", "VersionNumber", "Phone"})
_NAMED = frozenset({"Picklist", "MultiSelectPicklist", "State", "Status", "Boolean"})
_PEOPLE = frozenset({"systemuser", "team", "account", "contact", "lead"})
_FORMULA: dict[str, object] = {"FormulaDefinition": "", "SourceTypeMask": 0}
Extra = dict[str, object]


def column_type(column: Column) -> str:
    """Return the metadata type of a column; companions without a value of their own are plain AttributeMetadata."""
    return f"{COLUMN_TYPES.get(column.kind, '')}AttributeMetadata"


def all_columns(table: Table) -> Iterator[Column]:
    """Yield the columns of a table and the virtual companions the service keeps beside them (section 2.3)."""
    for column in table.columns.values():
        yield column
        for suffix, kind in _companions(column):
            if column.name + suffix not in table.columns:
                yield _companion(table, column, suffix, kind)


def _companions(column: Column) -> Iterator[tuple[str, str]]:
    if column.is_lookup:
        yield "name", "String"
        if column.kind == "Owner" or not _PEOPLE.isdisjoint(column.targets):
            yield "yominame", "String"
        if column.polymorphic:
            yield "type", "EntityName"
    elif column.kind in _NAMED:
        yield "name", "Virtual"


def _companion(table: Table, column: Column, suffix: str, kind: str) -> Column:
    name = column.name + suffix
    tail = {"name": "Name", "yominame": "YomiName", "type": "Type"}[suffix]
    return Column(
        name,
        kind,
        f"{column.schema_name}{tail}",
        required=column.required if kind == "EntityName" else "None",
        creatable=kind == "EntityName" and column.creatable,
        updatable=kind == "EntityName" and column.updatable,
        attribute_of=column.name,
        custom=column.custom,
        metadata_id=metadata_id("column", table.name, name),
    )


def _attribute_of(table: Table, column: Column) -> str | None:
    if column.attribute_of:
        return column.attribute_of
    for suffix, kind, owner in (("_url", "Image", "id"), ("_timestamp", "Image", "id"), ("_name", "File", "")):
        parent = table.columns.get(column.name.removesuffix(suffix)) if column.name.endswith(suffix) else None
        if parent is not None and parent.kind == kind:
            return f"{parent.name}{owner}"
    return None


def _string(column: Column) -> Extra:
    name = column.format or "Text"
    return {
        "Format": name if name in _FORMATS else "Text",
        "ImeMode": "Auto",
        "MaxLength": column.max_length,
        "YomiOf": f"{column.attribute_of}name" if column.name == f"{column.attribute_of}yominame" else None,
        "IsLocalizable": False,
        "DatabaseLength": column.max_length * 2,
        **_FORMULA,
        "FormatName": {"Value": name},
    }


def _memo(column: Column) -> Extra:
    name = column.format or "TextArea"
    return {
        "Format": name if name in _FORMATS else "TextArea",
        "ImeMode": "Auto",
        "MaxLength": column.max_length,
        "IsLocalizable": False,
        "FormatName": {"Value": name},
    }


def _whole(low: int, high: int) -> Callable[[Column], Extra]:
    def members(column: Column) -> Extra:
        return {
            "MaxValue": high if column.maximum is None else min(high, int(column.maximum)),
            "MinValue": low if column.minimum is None else max(low, int(column.minimum)),
        }

    return members


_INT32, _INT64 = _whole(-(2**31), 2**31 - 1), _whole(-(2**63), 2**63 - 1)


def _integer(column: Column) -> Extra:
    return {"Format": column.format or "None", **_INT32(column), **_FORMULA}


def _range(limit: float) -> Callable[[Column], Extra]:
    def members(column: Column) -> Extra:
        return {
            "MaxValue": limit if column.maximum is None else column.maximum,
            "MinValue": -limit if column.minimum is None else column.minimum,
            "Precision": column.precision,
            "ImeMode": "Disabled",
        }

    return members


_NUMBER, _AMOUNT = _range(1e11), _range(922337203685477.0)


def _money(column: Column) -> Extra:
    base = column.name.endswith("_base") and not column.creatable
    return {
        **_AMOUNT(column),
        "PrecisionSource": 2,
        **_FORMULA,
        "IsBaseCurrency": base,
        "CalculationOf": column.name.removesuffix("_base") if base else None,
    }


def _date_time(column: Column) -> Extra:
    return {
        "MinSupportedValue": "1753-01-01T00:00:00Z",
        "MaxSupportedValue": "9999-12-30T23:59:59Z",
        "Format": column.format or "DateAndTime",
        "ImeMode": "Inactive",
        **_FORMULA,
        "DateTimeBehavior": {"Value": column.behaviour},
        "CanChangeDateTimeBehavior": managed_property(
            column.custom and column.behaviour == "UserLocal", column.custom, "canmodifybehavior"
        ),
    }


def _enumeration(column: Column) -> Extra:
    default = column.default
    return {"DefaultFormValue": default if isinstance(default, int) and not isinstance(default, bool) else -1}


def _picklist(column: Column) -> Extra:
    return {**_enumeration(column), **_FORMULA, "ParentPicklistLogicalName": None, "ChildPicklistLogicalNames": []}


def _image(column: Column) -> Extra:
    return {
        "IsPrimaryImage": column.primary_image,
        "MaxHeight": 144,
        "MaxWidth": 144,
        "MaxSizeInKB": column.max_size_kb,
        "CanStoreFullImage": column.full_image,
    }


_EXTRAS: dict[str, Callable[[Column], Extra]] = {
    "String": _string,
    "Memo": _memo,
    "Integer": _integer,
    "BigInt": _INT64,
    "Decimal": lambda column: {**_NUMBER(column), **_FORMULA},
    "Double": _NUMBER,
    "Money": _money,
    "DateTime": _date_time,
    "Boolean": lambda column: {"DefaultValue": bool(column.default), **_FORMULA},
    "Picklist": _picklist,
    "MultiSelectPicklist": _picklist,
    "State": _enumeration,
    "Status": _enumeration,
    "Lookup": lambda column: {"Targets": list(column.targets), "Format": "None"},
    "Image": _image,
    "File": lambda column: {"MaxSizeInKB": column.max_size_kb},
    "EntityName": lambda column: {"IsEntityReferenceStored": True, "DefaultFormValue": None},
}


def column_members(organisation: Organisation, table: Table, column: Column) -> dict[str, object]:
    """Return all members of a column, its type's own among them."""
    members = {**_common(organisation, table, column), **_managed(organisation.language, table, column)}
    extra = _EXTRAS.get(COLUMN_TYPES.get(column.kind, ""))
    if extra is not None:
        members.update(extra(column))
    members.update((name, value) for name, value in column.extra.items() if name in members)
    return members


def _common(organisation: Organisation, table: Table, column: Column) -> dict[str, object]:
    attribute_of = _attribute_of(table, column)
    companion = bool(column.attribute_of)
    secured = not companion and column.creatable and column.kind not in ("State", "Status", "Uniqueidentifier")
    known = list(table.columns)
    return {
        "AttributeOf": attribute_of,
        "AttributeType": KINDS[column.kind].attribute_type if column.kind in KINDS else "Virtual",
        "ColumnNumber": known.index(column.name) + 1 if column.name in table.columns else 0,
        "DeprecatedVersion": None,
        "IntroducedVersion": "1.0.0.0" if column.custom else "5.0.0.0",
        "EntityLogicalName": table.name,
        "IsCustomAttribute": column.custom,
        "IsPrimaryId": column.name == table.primary_id,
        "IsValidODataAttribute": not companion,
        "IsPrimaryName": column.name == table.primary_name,
        "IsValidForCreate": column.creatable,
        "IsValidForRead": column.readable,
        "IsValidForUpdate": column.updatable,
        "CanBeSecuredForRead": secured,
        "CanBeSecuredForCreate": secured,
        "CanBeSecuredForUpdate": secured,
        "IsSecured": False,
        "IsRetrievable": column.name in (table.primary_id, table.primary_name),
        "IsFilterable": False,
        "IsSearchable": False,
        "IsManaged": _is_managed(table, column),
        "LinkedAttributeId": None,
        "LogicalName": column.name,
        "IsValidForForm": not companion,
        "IsRequiredForForm": False,
        "IsValidForGrid": not companion,
        "SchemaName": column.schema_name,
        "ExternalName": None,
        "IsLogical": attribute_of is not None and column.kind != "EntityName",
        "IsDataSourceSecret": False,
        "InheritsFrom": None,
        "CreatedOn": "1900-01-01T00:00:00Z",
        "ModifiedOn": "1900-01-01T00:00:00Z",
        "SourceType": None if column.is_lookup or column.kind in ("State", "Status", "Uniqueidentifier") else 0,
        "AutoNumberFormat": column.auto_number,
        "MetadataId": column.metadata_id,
        "HasChanged": None,
    }


def _is_managed(table: Table, column: Column) -> bool:
    return not (column.custom or table.custom)


def _managed(language: int, table: Table, column: Column) -> dict[str, object]:
    managed, own = _is_managed(table, column), not column.attribute_of
    ident = ("column", table.name, column.name)
    display = texts(column.label, column.labels, language)
    described: object = column.extra.get("texts:Description")
    description = texts(column.description, described if isinstance(described, dict) else {}, language)
    return {
        "AttributeTypeName": {"Value": f"{column.kind}Type"},
        "Description": label(description, language, managed, *ident, "description"),
        "DisplayName": label(display, language, managed, *ident),
        "IsAuditEnabled": managed_property(column.creatable, own, "canmodifyauditsettings"),
        "IsGlobalFilterEnabled": managed_property(False, own, "canmodifyglobalfiltersettings"),
        "IsSortableEnabled": managed_property(False, own, "canmodifyissortablesettings"),
        "IsCustomizable": managed_property(own, not managed, "iscustomizable"),
        "IsRenameable": managed_property(own, not managed, "isrenameable"),
        "IsValidForAdvancedFind": managed_property(own, own, "canmodifysearchsettings"),
        "RequiredLevel": managed_property(
            column.required, own and column.required != "SystemRequired", "canmodifyrequirementlevelsettings"
        ),
        "CanModifyAdditionalSettings": managed_property(own, not managed, "canmodifyadditionalsettings"),
        "Settings": [],
    }
