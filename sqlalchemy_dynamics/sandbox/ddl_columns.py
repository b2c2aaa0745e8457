"""A column from its JSON: one table of what each creatable type reads, with its limits (section 3.5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy_dynamics.sandbox.ddl_body import Body, invalid
from sqlalchemy_dynamics.sandbox.ddl_change import Draft
from sqlalchemy_dynamics.sandbox.ddl_names import Publisher, schema_name
from sqlalchemy_dynamics.sandbox.labels import Texts
from sqlalchemy_dynamics.sandbox.optionsets import boolean_choice, read_choice
from sqlalchemy_dynamics.sandbox.schema import Column, Table

__all__ = ["CREATABLE", "fill_column", "new_column", "reset", "texts_of"]

Reader = Callable[[Draft, Column, Body], None]
_LEVELS = frozenset({"None", "SystemRequired", "ApplicationRequired", "Recommended"})
_TEXT_FORMATS = frozenset(
    {
        "Text",
        "Email",
        "Phone",
        "Url",
        "TextArea",
        "TickerSymbol",
        "RichText",
        "Json",
        "VersionNumber",
        "PhoneticGuide",
    }
)
_WHOLE_FORMATS = frozenset({"None", "Duration", "TimeZone", "Language", "Locale"})
_BEHAVIOURS = frozenset({"UserLocal", "DateOnly", "TimeZoneIndependent"})
_KEPT = (
    "IsAuditEnabled",
    "IsValidForAdvancedFind",
    "IsGlobalFilterEnabled",
    "IsSortableEnabled",
    "IsSecured",
    "ExternalName",
    "ImeMode",
    "IsCustomizable",
    "IsRenameable",
    "CanModifyAdditionalSettings",
    "PrecisionSource",
)
_RANDOM = re.compile(r"\{RANDSTRING:(\d+)\}")


def _text(longest: int, default_format: str) -> Reader:
    def read(draft: Draft, column: Column, body: Body) -> None:
        column.max_length = body.whole("MaxLength", 100 if longest == 4000 else 2000)
        if not 1 <= column.max_length <= longest:
            raise invalid(f"MaxLength of '{column.schema_name}' must be 1 to {longest}, not {column.max_length}.")
        old = body.choice("Format", _TEXT_FORMATS, default_format)
        column.format = body.choice("FormatName", _TEXT_FORMATS, old)
        column.auto_number = body.text("AutoNumberFormat")
        if any(not 1 <= int(size) <= 6 for size in _RANDOM.findall(column.auto_number)):
            raise invalid("The length of RANDSTRING in an AutoNumberFormat must be 1 to 6.")

    return read


def _range(low: float, high: float, precisions: int, default_precision: int) -> Reader:
    def read(draft: Draft, column: Column, body: Body) -> None:
        column.minimum, column.maximum = body.number("MinValue", low), body.number("MaxValue", high)
        assert column.minimum is not None and column.maximum is not None
        if not low <= column.minimum <= column.maximum <= high:
            raise invalid(f"MinValue and MaxValue of '{column.schema_name}' must lie between {low} and {high}.")
        column.precision = body.whole("Precision", default_precision)
        if not 0 <= column.precision <= precisions:
            raise invalid(f"Precision of '{column.schema_name}' must be 0 to {precisions}, not {column.precision}.")

    return read


_WHOLE = _range(-(2**31), 2**31 - 1, 0, 0)


def _integer(draft: Draft, column: Column, body: Body) -> None:
    _WHOLE(draft, column, body)
    column.format = body.choice("Format", _WHOLE_FORMATS, "None")


def _date_time(draft: Draft, column: Column, body: Body) -> None:
    column.format = body.choice("Format", frozenset({"DateOnly", "DateAndTime"}), "DateAndTime")
    column.behaviour = body.choice("DateTimeBehavior", _BEHAVIOURS, "UserLocal")
    if column.behaviour == "DateOnly" and column.format != "DateOnly":
        raise invalid("The behavior DateOnly needs the format DateOnly.")


def _boolean(draft: Draft, column: Column, body: Body) -> None:
    column.default = body.flag("DefaultValue")
    if column.choice is not None and body.given("OptionSet"):
        column.choice = boolean_choice(body, column.choice.name, draft.organisation.language)


def _picklist(draft: Draft, column: Column, body: Body) -> None:
    default = body.whole("DefaultFormValue", -1)
    column.default = None if default == -1 else default


def _image(draft: Draft, column: Column, body: Body) -> None:
    column.max_size_kb = _size(column, body, 10240, 30720)
    column.full_image, column.primary_image = body.flag("CanStoreFullImage"), body.flag("IsPrimaryImage")


def _file(draft: Draft, column: Column, body: Body) -> None:
    column.max_size_kb = _size(column, body, 32768, 10_485_760)


def _size(column: Column, body: Body, default: int, most: int) -> int:
    size = body.whole("MaxSizeInKB", default)
    if not 1 <= size <= most:
        raise invalid(f"MaxSizeInKB of '{column.schema_name}' must be 1 to {most}, not {size}.")
    return size


def _nothing(draft: Draft, column: Column, body: Body) -> None:
    return None


_READERS: dict[str, Reader] = {
    "String": _text(4000, "Text"),
    "Memo": _text(1_048_576, "TextArea"),
    "Integer": _integer,
    "BigInt": _nothing,
    "Decimal": _range(-1e11, 1e11, 10, 2),
    "Double": _range(-1e11, 1e11, 5, 2),
    "Money": _range(-922337203685477.0, 922337203685477.0, 4, 2),
    "DateTime": _date_time,
    "Boolean": _boolean,
    "Picklist": _picklist,
    "MultiSelectPicklist": _picklist,
    "Image": _image,
    "File": _file,
}
CREATABLE = frozenset(_READERS)


def new_column(draft: Draft, table: Table, body: Body, owner: Publisher) -> Column:
    """Return the column of a body for a new or changed table; raises ODataError 400 for types nobody can create."""
    kind = body.type.removesuffix("AttributeMetadata")
    if kind in ("Lookup", "Customer"):
        raise invalid("A lookup column is created with its relationship: POST RelationshipDefinitions.")
    if kind not in CREATABLE:
        raise invalid(f"A column of the type '{body.type}' cannot be created.")
    name = body.text("SchemaName") or body.text("LogicalName")
    own = table.is_activity and name.lower() == table.primary_name
    column = Column(name.lower() if own else schema_name(draft, name, owner).lower(), kind, name, custom=not own)
    if kind in ("Picklist", "MultiSelectPicklist"):
        column.choice = read_choice(draft, body, f"{table.name}_{column.name}", owner)
    elif kind == "Boolean":
        column.choice = boolean_choice(body, f"{table.name}_{column.name}", draft.organisation.language)
    return fill_column(draft, column, body)


def fill_column(draft: Draft, column: Column, body: Body, before: Column | None = None) -> Column:
    """Set what the body says on a column; `before` is the old one whose labels may be merged."""
    language = draft.organisation.language
    column.labels = texts_of(
        draft, body, "DisplayName", language, {language: before.label, **before.labels} if before else None
    )
    column.label = column.labels.get(language, column.schema_name)
    description = texts_of(draft, body, "Description", language, {language: before.description} if before else None)
    column.description = description.get(language, "")
    column.required = body.choice("RequiredLevel", _LEVELS, "None")
    if column.required == "SystemRequired" and column.custom:
        raise invalid(f"The column '{column.schema_name}' cannot be SystemRequired: only the system's own can.")
    column.extra = {**column.extra, **{name: body.values[name] for name in _KEPT if body.given(name)}}
    if len(description) > 1:
        column.extra["texts:Description"] = description
    reader = _READERS.get(column.kind)
    if reader is not None:
        reader(draft, column, body)
    return column


def texts_of(draft: Draft, body: Body, member: str, language: int, before: Texts | None) -> Texts:
    """Return the texts of a label; languages the body does not name are lost unless labels are merged (section 3.4)."""
    merge = draft.header("mscrm.mergelabels").lower() == "true"
    kept = {code: text for code, text in (before or {}).items() if text} if merge else {}
    return {**kept, **body.label(member)}


def reset(column: Column) -> Column:
    """Return the column as it was before anything was said about it: what PUT starts from."""
    column = replace(column, labels={}, label="", description="", required="None", extra={})
    if column.kind not in CREATABLE:
        return column
    fresh = Column(column.name, column.kind, column.schema_name)
    return replace(
        column,
        max_length=fresh.max_length,
        precision=fresh.precision,
        minimum=None,
        maximum=None,
        format="",
        behaviour=fresh.behaviour,
        default=None,
        auto_number="",
    )
