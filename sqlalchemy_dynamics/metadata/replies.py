"""The EntityDefinitions replies as msgspec structs: the members that are asked for, nothing else. Pure."""

from __future__ import annotations

from decimal import Decimal

import msgspec

__all__ = ["Attributes", "Details", "Keys", "Label", "Option", "OptionSet", "TableDefinition"]


class _Wire(msgspec.Struct, rename="pascal"):
    """Members are optional: an organisation may not know one, or send null."""


class Named(_Wire):
    """``{"Value": "StringType"}``: a type name, a required level, a date behaviour, a text format."""

    value: str | None = None


class LocalizedLabel(_Wire):
    label: str | None = None


class Label(_Wire):
    """A text in several languages; the caller's own comes first."""

    user_localized_label: LocalizedLabel | None = None
    localized_labels: list[LocalizedLabel] | None = None

    @property
    def text(self) -> str:
        """The text in the caller's language, else in the first one there is, else ``""``."""
        labels = [self.user_localized_label, *(self.localized_labels or [])]
        return next((found.label for found in labels if found and found.label), "")


class TableDefinition(_Wire):
    """``EntityDefinitions(LogicalName='t')``."""

    logical_name: str
    display_name: Label | None = None
    description: Label | None = None
    primary_name_attribute: str | None = None
    table_type: str | None = None
    is_activity: bool | None = None
    is_intersect: bool | None = None
    is_custom_entity: bool | None = None


class Attribute(_Wire):
    """What every column has, of whatever type."""

    logical_name: str
    attribute_type_name: Named | None = None
    display_name: Label | None = None
    description: Label | None = None
    required_level: Named | None = None
    is_valid_for_create: bool | None = None
    is_valid_for_read: bool | None = None
    is_valid_for_update: bool | None = None
    auto_number_format: str | None = None


class Option(_Wire):
    value: int | None = None
    label: Label | None = None


class OptionSet(_Wire):
    """The options of a choice, or the two of a boolean."""

    options: list[Option] | None = None
    true_option: Option | None = None
    false_option: Option | None = None

    @property
    def labels(self) -> dict[int, str]:
        """Label by value, in the organisation's order."""
        found = [*(self.options or ()), self.false_option, self.true_option]
        return {one.value: one.label.text if one.label else "" for one in found if one and one.value is not None}


class Detail(_Wire):
    """What the casts add: text lengths and formats, precision, date behaviour, options, sizes of files."""

    logical_name: str
    max_length: int | None = None
    precision: int | None = None
    min_value: Decimal | None = None
    max_value: Decimal | None = None
    default_value: bool | None = None
    default_form_value: int | None = None
    format: str | None = None
    format_name: Named | None = None
    date_time_behavior: Named | None = None
    max_size_in_kb: int | None = msgspec.field(name="MaxSizeInKB", default=None)
    can_store_full_image: bool | None = None
    option_set: OptionSet | None = None
    global_option_set: OptionSet | None = None


class Key(_Wire):
    logical_name: str
    key_attributes: list[str] | None = None
    entity_key_index_status: str | None = None


class Attributes(msgspec.Struct):
    value: list[Attribute]


class Details(msgspec.Struct):
    value: list[Detail]


class Keys(msgspec.Struct):
    value: list[Key]
