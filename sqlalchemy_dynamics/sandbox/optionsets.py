"""Choices in schema changes: options read from bodies, global choices made, changed and dropped (section 3.5)."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlalchemy_dynamics.sandbox.ddl_body import Body, invalid
from sqlalchemy_dynamics.sandbox.ddl_change import Draft
from sqlalchemy_dynamics.sandbox.ddl_names import Publisher, publisher, schema_name
from sqlalchemy_dynamics.sandbox.definitions_choice import choice_id
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused
from sqlalchemy_dynamics.sandbox.schema import Choice, Option, metadata_id

__all__ = [
    "boolean_choice",
    "create_choice",
    "drop_choice",
    "next_value",
    "read_choice",
    "read_option",
    "spread",
    "update_choice",
]

_BIND = re.compile(r"GlobalOptionSetDefinitions\((?:Name='((?:[^']|'')+)'|([0-9a-fA-F-]{36}))\)/?$")


def next_value(options: list[Option], owner: Publisher) -> int:
    """Return the value the service gives to an option without one: from the publisher's option prefix on."""
    return max([owner.first_option - 1, *(o.value for o in options if o.value >= owner.first_option)]) + 1


def read_option(body: Body, options: list[Option], owner: Publisher, language: int) -> Option:
    """Return the option of a body; raises ODataError 400 when its value is taken."""
    value = body.whole("Value", next_value(options, owner))
    if any(option.value == value for option in options):
        raise invalid(f"An option with the value {value} already exists.")
    labels, description = body.label("Label"), body.label("Description")
    return Option(
        value,
        labels.get(language, next(iter(labels.values()), "")),
        labels=labels,
        color=body.text("Color") or None,
        external_value=body.text("ExternalValue") or None,
        description=description.get(language, ""),
    )


def _read_options(items: list[object], owner: Publisher, language: int) -> list[Option]:
    options: list[Option] = []
    for item in items:
        options.append(read_option(Body(item, "OptionMetadata"), options, owner, language))
    return options


def read_choice(draft: Draft, body: Body, name: str, owner: Publisher) -> Choice:
    """Return the choice of a new column: its own options, or the global choice it is bound to."""
    bound = body.text("GlobalOptionSet@odata.bind")
    if bound:
        return _bound(draft, bound)
    if not body.given("OptionSet"):
        raise invalid("A choice column needs an OptionSet or GlobalOptionSet@odata.bind.")
    own = body.inner("OptionSet", "OptionSetMetadata")
    if own.flag("IsGlobal"):
        raise ODataError(
            400,
            "0x80048403",
            "Only local option set can be created through the attribute create. IsGlobal flag must be set to false.",
        )
    options = _read_options(own.items("Options"), owner, draft.organisation.language)
    return Choice(name, "Picklist", options, label=next(iter(body.label("DisplayName").values()), ""), custom=True)


def _bound(draft: Draft, text: str) -> Choice:
    match = _BIND.search(text)
    for choice in draft.organisation.choices.values():
        if match and (choice.name == match[1] or choice_id(choice) == (match[2] or "").lower()):
            return choice
    raise ODataError(404, "0x80040217", f"Could not find an optionset: '{text}'.")


def boolean_choice(body: Body, name: str, language: int) -> Choice:
    """Return the two options of a Boolean column; without labels they are Yes and No."""
    own = body.inner("OptionSet", "BooleanOptionSetMetadata") if body.given("OptionSet") else None
    options = []
    for member, value, default in (("TrueOption", 1, "Yes"), ("FalseOption", 0, "No")):
        labels = own.inner(member, "OptionMetadata").label("Label") if own and own.given(member) else {}
        options.append(Option(value, labels.get(language, default), labels=labels))
    return Choice(name, "Boolean", options, custom=True)


def create_choice(draft: Draft, body: Body) -> Choice:
    """Add a global choice. Raises ODataError 400 for taken names (0x80044345) and foreign prefixes."""
    owner = publisher(draft)
    name = schema_name(draft, body.text("Name"), owner, "Name")
    if any(choice.name.lower() == name.lower() for choice in draft.organisation.choices.values()):
        message = f"The schema name {name} for type OptionSet is not unique. An {name} with same name already exists."
        raise ODataError(400, "0x80044345", message)
    if body.text("OptionSetType", "Picklist") != "Picklist":
        raise invalid("A global choice must have the OptionSetType Picklist.")
    options = _read_options(body.items("Options"), owner, draft.organisation.language)
    choice = _labelled(draft, Choice(name, "Picklist", options, True, custom=True), body)
    choice.metadata_id = metadata_id("choice", name)
    draft.organisation.choices[name] = choice
    return choice


def _labelled(draft: Draft, choice: Choice, body: Body, merge: bool = False) -> Choice:
    language, labels = draft.organisation.language, body.label("DisplayName")
    kept = {language: choice.label, **choice.labels} if merge else {}
    labels = {**kept, **labels}
    return replace(choice, label=labels.get(language, choice.name), labels=labels)


def update_choice(draft: Draft, choice: Choice, body: Body) -> None:
    """Change the labels of a global choice; its options have actions of their own."""
    merge = draft.header("mscrm.mergelabels").lower() == "true"
    spread(draft, choice, _labelled(draft, choice, body, merge))


def spread(draft: Draft, old: Choice, new: Choice) -> None:
    """Put a changed choice in the place of the old one, in every column that has it."""
    if old.is_global:
        draft.organisation.choices[old.name] = new
    for name, table in list(draft.organisation.tables.items()):
        having = [column for column in table.columns.values() if column.choice is old or _same(column.choice, old)]
        for column in having:
            draft.table(name).columns[column.name] = replace(column, choice=new)


def _same(choice: Choice | None, other: Choice) -> bool:
    return choice is not None and choice.is_global and other.is_global and choice.name == other.name


def drop_choice(draft: Draft, choice: Choice) -> None:
    """Drop a global choice; raises ODataError while columns use it (0x8004f01f) or when it is the system's."""
    switches, ident = draft.service.switches, choice_id(choice)
    if not choice.custom:
        raise Refused(switches.managed_component, kind="OptionSet", name=choice.name, done="deleted")
    users = [
        column
        for table in draft.organisation.tables.values()
        for column in table.columns.values()
        if _same(column.choice, choice)
    ]
    if users:
        raise Refused(switches.component_in_use, kind="OptionSet", ident=ident, count=len(users))
    del draft.organisation.choices[choice.name]
    draft.drop("OptionSet", ident)
