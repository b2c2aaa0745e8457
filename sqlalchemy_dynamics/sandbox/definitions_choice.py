"""Members of option sets: ``OptionSetMetadata`` and ``BooleanOptionSetMetadata`` (section 3.2)."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy_dynamics.sandbox.labels import label, managed_property, texts
from sqlalchemy_dynamics.sandbox.schema import Choice, Option, Organisation, metadata_id

__all__ = ["choice_id", "choice_members", "choice_type", "option_json"]


def choice_id(choice: Choice) -> str:
    """Return the MetadataId of an option set."""
    return choice.metadata_id or metadata_id("choice", choice.name)


def choice_type(choice: Choice) -> str:
    """Return the type of an option set: Boolean ones have two named options."""
    return "BooleanOptionSetMetadata" if choice.kind == "Boolean" else "OptionSetMetadata"


def _plain(option: Option, options: list[Option]) -> dict[str, object]:
    return {}


def _state(option: Option, options: list[Option]) -> dict[str, object]:
    return {"DefaultStatus": option.default_status, "InvariantName": option.label.replace(" ", "")}


def _status(option: Option, options: list[Option]) -> dict[str, object]:
    return {"State": option.state, "TransitionData": None}


_EXTRA: dict[str, Callable[[Option, list[Option]], dict[str, object]]] = {"State": _state, "Status": _status}


def option_json(organisation: Organisation, choice: Choice, option: Option) -> dict[str, object]:
    """Return the JSON of one option; options of states and status reasons name their type."""
    language, managed = organisation.language, not choice.custom
    kind = {"@odata.type": f"#Microsoft.Dynamics.CRM.{choice.kind}OptionMetadata"} if choice.kind in _EXTRA else {}
    ident = ("option", choice.name, str(option.value))
    description = texts(option.description, {}, language)
    return {
        **kind,
        "Value": option.value,
        "Color": option.color,
        "IsManaged": managed,
        "ExternalValue": option.external_value,
        "ParentValues": [],
        "Tag": None,
        "MetadataId": None,
        "HasChanged": None,
        **_EXTRA.get(choice.kind, _plain)(option, choice.options),
        "Label": label(texts(option.label, option.labels, language), language, managed, *ident),
        "Description": label(description, language, managed, *ident, "description"),
    }


def choice_members(organisation: Organisation, choice: Choice) -> dict[str, object]:
    """Return all members of an option set."""
    language, managed = organisation.language, not choice.custom
    ident = ("choice", choice.name)
    members: dict[str, object] = {
        "MetadataId": choice_id(choice),
        "HasChanged": None,
        "IsCustomOptionSet": choice.custom,
        "IsGlobal": choice.is_global,
        "IsManaged": managed,
        "Name": choice.name,
        "ExternalTypeName": None,
        "OptionSetType": choice.kind,
        "IntroducedVersion": "1.0.0.0",
        "ParentOptionSetName": None,
        "Description": label({}, language, managed, *ident, "description"),
        "DisplayName": label(texts(choice.label, choice.labels, language), language, managed, *ident),
        "IsCustomizable": managed_property(True, not managed, "iscustomizable"),
    }
    if choice.kind == "Boolean":
        for name, value in (("TrueOption", 1), ("FalseOption", 0)):
            option = choice.option(value)
            members[name] = option_json(organisation, choice, option) if option else None
        return members
    return {**members, "Options": [option_json(organisation, choice, option) for option in choice.options]}
