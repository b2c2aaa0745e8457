"""EntityDefinitions: what to ask about a table, and the table enriched by the replies. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import quote

import msgspec

from sqlalchemy_dynamics.edm import ATTRIBUTE_TYPES, BLOB, DATE, EDM_TYPES, TIMESTAMP, SqlType
from sqlalchemy_dynamics.errors import OperationalError
from sqlalchemy_dynamics.metadata import replies as wire
from sqlalchemy_dynamics.metadata.companions import with_companions
from sqlalchemy_dynamics.metadata.model import Column, Key, Kind, Table
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse

__all__ = ["enrich", "requests_for"]

_NAMESPACE = "Microsoft.Dynamics.CRM"
_TABLE = "LogicalName,DisplayName,Description,PrimaryNameAttribute,TableType,IsActivity,IsIntersect,IsCustomEntity"
_COMMON = (
    "LogicalName,AttributeTypeName,DisplayName,Description,RequiredLevel,"
    "IsValidForCreate,IsValidForRead,IsValidForUpdate,AutoNumberFormat"
)
_OPTIONS = "$select=LogicalName,DefaultFormValue&$expand=OptionSet($select=Options)"
_TWO_OPTIONS = "$select=LogicalName,DefaultValue&$expand=OptionSet($select=TrueOption,FalseOption)"
_RANGE = "$select=LogicalName,MinValue,MaxValue"
_SHARED_OPTIONS = _OPTIONS + ",GlobalOptionSet($select=Options)"


@dataclass(frozen=True, slots=True)
class _Cast:
    """One ``/Attributes/Microsoft.Dynamics.CRM.…AttributeMetadata``; asked for only if a column may be of that type:
    `edm` holds the Edm types it has, or its kind.

    One cast per request, no `$top`, no `$orderby` (dataverse-web-api 3.1).
    """

    name: str
    edm: frozenset[str]
    query: str


_CASTS = (
    _Cast("String", frozenset({"Edm.String"}), "$select=LogicalName,MaxLength,FormatName"),
    _Cast("Memo", frozenset({"Edm.String"}), "$select=LogicalName,MaxLength"),
    _Cast("MultiSelectPicklist", frozenset({"Edm.String"}), _SHARED_OPTIONS),
    _Cast("Decimal", frozenset({"Edm.Decimal"}), "$select=LogicalName,Precision,MinValue,MaxValue"),
    _Cast("Money", frozenset({"Edm.Decimal"}), _RANGE),
    _Cast("Double", frozenset({"Edm.Double"}), _RANGE),
    _Cast("Integer", frozenset({"Edm.Int32"}), _RANGE),
    _Cast("DateTime", frozenset({"Edm.DateTimeOffset", "Edm.Date"}), "$select=LogicalName,DateTimeBehavior,Format"),
    _Cast("Boolean", frozenset({"Edm.Boolean"}), _TWO_OPTIONS),
    _Cast("Picklist", frozenset({"Edm.Int32"}), _SHARED_OPTIONS),
    _Cast("State", frozenset({"Edm.Int32"}), _OPTIONS),
    _Cast("Status", frozenset({"Edm.Int32"}), _OPTIONS),
    _Cast("Image", frozenset({"Edm.Binary"}), "$select=LogicalName,MaxSizeInKB,CanStoreFullImage"),
    _Cast("File", frozenset({Kind.FILE.value}), "$select=LogicalName,MaxSizeInKB"),
)

_KINDS = {
    "PicklistType": Kind.CHOICE,
    "StateType": Kind.CHOICE,
    "StatusType": Kind.CHOICE,
    "MultiSelectPicklistType": Kind.MULTICHOICE,
    "MoneyType": Kind.MONEY,
    "FileType": Kind.FILE,
    "ImageType": Kind.IMAGE,
    "EntityNameType": Kind.ENTITY_NAME,
}
_BEHAVIOURS = {"DateOnly": ("Edm.Date", DATE), "TimeZoneIndependent": ("Edm.DateTimeOffset", TIMESTAMP)}
_BUSY = frozenset({429, 502, 503, 504})
_REQUIRED = frozenset({"SystemRequired", "ApplicationRequired"})

Reply = TypeVar("Reply")


def requests_for(table: Table) -> tuple[HttpRequest, ...]:
    """Return the GETs, relative to the service root, whose replies `enrich` takes in the same order.

    Empty for a table without an entity set: the organisation has no definition of it.
    """
    if not table.entity_set:
        return ()
    root = f"EntityDefinitions(LogicalName='{quote(table.name, safe='')}')"
    urls = [
        f"{root}?$select={_TABLE}",
        f"{root}/Attributes?$select={_COMMON}&$filter=AttributeOf%20eq%20null",
        f"{root}/Keys?$select=LogicalName,KeyAttributes,EntityKeyIndexStatus",
        *(f"{root}/Attributes/{_NAMESPACE}.{cast.name}AttributeMetadata?{cast.query}" for cast in _casts(table)),
    ]
    return tuple(HttpRequest("GET", url, {"Accept": "application/json"}, repeatable=True) for url in urls)


def enrich(table: Table, replies: Sequence[HttpResponse]) -> Table:
    """Return the table with what the replies to `requests_for(table)` say; a refused part is passed over.

    When the columns themselves were refused the table comes back unchanged, with `enriched` false.
    Raises OperationalError for a reply that is not the JSON asked for, or that asks to wait (429, 502, 503, 504).
    """
    if len(replies) < 3:
        return table
    common = _decode(replies[1], wire.Attributes)
    if common is None:
        return table
    details = [_decode(reply, wire.Details) for reply in replies[3:]]
    by_name = {detail.logical_name: detail for found in details if found for detail in found.value}
    columns = with_companions(list(_columns(table, common.value, by_name)))
    table = replace(_described(table, _decode(replies[0], wire.TableDefinition)), columns=columns, enriched=True)
    keys = _decode(replies[2], wire.Keys)
    return table if keys is None else replace(table, keys=tuple(_active_keys(table, keys.value)))


def _casts(table: Table) -> Iterator[_Cast]:
    real = [column for column in table.columns.values() if column.companion is None]
    present = {column.edm for column in real} | {column.kind.value for column in real}
    return (cast for cast in _CASTS if present & cast.edm)


def _decode(reply: HttpResponse, kind: type[Reply]) -> Reply | None:
    """The reply's body, or None when the organisation refuses to tell."""
    if reply.status in _BUSY:
        raise OperationalError(f"EntityDefinitions answered {reply.status}; try again later")
    if reply.status >= 400:
        return None
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except msgspec.MsgspecError as error:
        raise OperationalError(f"EntityDefinitions answered something else than definitions: {error}") from None


def _described(table: Table, found: wire.TableDefinition | None) -> Table:
    if found is None:
        return table
    return replace(
        table,
        primary_name=found.primary_name_attribute or table.primary_name,
        label=found.display_name.text if found.display_name else table.label,
        description=(found.description.text if found.description else "") or table.description,
        kind=found.table_type or ("Activity" if found.is_activity else table.kind),
        intersect=table.intersect if found.is_intersect is None else found.is_intersect,
        custom=bool(found.is_custom_entity),
    )


def _columns(table: Table, common: Iterable[wire.Attribute], details: Mapping[str, wire.Detail]) -> Iterator[Column]:
    """The columns in their old order; those that may not be read are gone."""
    attributes = {attribute.logical_name: attribute for attribute in common}
    for column in (column for column in table.columns.values() if column.companion is None):
        attribute = attributes.get(_logical(column))
        if attribute is None:
            yield _sized(column, details.get(_logical(column)))
        elif attribute.is_valid_for_read is not False or column.kind is Kind.KEY:
            yield _detailed(_with_attribute(column, attribute), attribute, details.get(attribute.logical_name))


def _sized(column: Column, found: wire.Detail | None) -> Column:
    """A column of images may be listed as part of its id, and so not among the others."""
    if found is None:
        return column
    return replace(column, max_kb=found.max_size_in_kb, full_image=bool(found.can_store_full_image))


def _logical(column: Column) -> str:
    """The attribute's logical name, also of a lookup that had to keep its wire name."""
    return column.wire[1:-6] if column.kind is Kind.LOOKUP else column.wire


def _with_attribute(column: Column, found: wire.Attribute) -> Column:
    level = found.required_level.value if found.required_level else None
    return replace(
        column,
        kind=_kind(column, found),
        creatable=column.creatable and found.is_valid_for_create is not False,
        updatable=column.updatable and found.is_valid_for_update is not False,
        required=level in _REQUIRED,
        label=found.display_name.text if found.display_name else "",
        description=(found.description.text if found.description else "") or column.description,
        auto_number=bool(found.auto_number_format),
    )


def _kind(column: Column, found: wire.Attribute) -> Kind:
    if column.kind in (Kind.KEY, Kind.LOOKUP):
        return column.kind
    return _KINDS.get(_type_name(found), Kind.VALUE) if _type_name(found) else column.kind


def _type_name(found: wire.Attribute) -> str:
    return (found.attribute_type_name.value if found.attribute_type_name else None) or ""


def _detailed(column: Column, attribute: wire.Attribute, found: wire.Detail | None) -> Column:
    if found is None:
        return replace(column, type=_sql_type(column, attribute, None))
    options = (found.option_set or wire.OptionSet()).labels or (found.global_option_set or wire.OptionSet()).labels
    column = replace(
        _sized(column, found),
        type=_sql_type(column, attribute, found.precision),
        length=found.max_length,
        options=options or column.options,
        default=_default(found),
        lowest=found.min_value,
        highest=found.max_value,
        format=(found.format_name.value if found.format_name else None) or found.format or "",
    )
    behaviour = found.date_time_behavior.value if found.date_time_behavior else None
    if behaviour in _BEHAVIOURS:
        edm, kind = _BEHAVIOURS[behaviour]
        column = replace(column, edm=edm, type=kind)
    return column


def _default(found: wire.Detail) -> bool | int | None:
    """What a create gives the column; -1 is how the service says that a choice has none."""
    return found.default_value if found.default_form_value in (None, -1) else found.default_form_value


def _sql_type(column: Column, attribute: wire.Attribute, precision: int | None) -> SqlType:
    """The attribute's type where it can be what `$metadata` says is on the wire, else the type known already."""
    if column.kind is Kind.FILE:
        return BLOB
    rule = ATTRIBUTE_TYPES.get(_type_name(attribute))
    exact = rule(precision) if rule else column.type
    return exact if exact.family == EDM_TYPES[column.edm].family else column.type


def _active_keys(table: Table, keys: Iterable[wire.Key]) -> Iterator[Key]:
    """Only an Active key is unique and usable in a URL; its index is built asynchronously (dataverse-web-api 3.5)."""
    for key in keys:
        columns = [table.column(name) for name in key.key_attributes or ()]
        if key.entity_key_index_status == "Active" and columns and all(columns):
            yield Key(key.logical_name, tuple(column.name for column in columns if column))
