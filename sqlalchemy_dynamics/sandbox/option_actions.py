"""The actions on single options: InsertOptionValue, UpdateOptionValue, DeleteOptionValue, OrderOption."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy_dynamics.sandbox.ddl_body import Body, invalid
from sqlalchemy_dynamics.sandbox.ddl_change import Draft, change
from sqlalchemy_dynamics.sandbox.ddl_names import publisher
from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.optionsets import read_option, spread
from sqlalchemy_dynamics.sandbox.schema import Choice, Option
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, json_reply, response_type

__all__ = ["OPTION_ACTIONS"]


def _choice(draft: Draft, body: Body) -> Choice:
    name = body.text("OptionSetName")
    if name:
        found = draft.organisation.choices.get(name)
        if found is None:
            raise ODataError(404, "0x80040217", f"Could not find an optionset with name {name}.")
        return found
    table = draft.organisation.tables.get(body.text("EntityLogicalName"))
    column = table.columns.get(body.text("AttributeLogicalName")) if table else None
    if column is None or column.choice is None:
        raise invalid("Name a choice by OptionSetName, or by EntityLogicalName and AttributeLogicalName.")
    return column.choice


def _option(choice: Choice, body: Body) -> Option:
    found = choice.option(body.whole("Value", -1))
    if found is None:
        raise invalid(f"The choice '{choice.name}' has no option with the value {body.values.get('Value')}.")
    return found


def _new_value(request: Request, name: str, value: int) -> Reply:
    return json_reply({"@odata.context": f"{request.root}$metadata#{response_type(name)}", "NewOptionValue": value})


def insert(service: Service, request: Request) -> Reply:
    """Add an option to a choice."""
    body = Body(request.json(), "InsertOptionValue")
    with change(service, request) as draft:
        choice = _choice(draft, body)
        if choice.kind != "Picklist":
            raise invalid(f"'{choice.name}' takes no options this way; status reasons have InsertStatusValue.")
        owner = publisher(draft, body.text("SolutionUniqueName"))
        option = read_option(body, choice.options, owner, draft.organisation.language)
        spread(draft, choice, replace(choice, options=[*choice.options, option]))
    return _new_value(request, "InsertOptionValue", option.value)


def insert_status(service: Service, request: Request) -> Reply:
    """Add a status reason to a state."""
    body = Body(request.json(), "InsertStatusValue")
    with change(service, request) as draft:
        choice = _choice(draft, body)
        states = {option.state for option in choice.options}
        state = body.whole("StateCode", -1)
        if choice.kind != "Status" or state not in states:
            raise invalid(f"InsertStatusValue needs a status column and one of its states, not {state}.")
        owner = publisher(draft, body.text("SolutionUniqueName"))
        option = replace(read_option(body, choice.options, owner, draft.organisation.language), state=state)
        spread(draft, choice, replace(choice, options=[*choice.options, option]))
    return _new_value(request, "InsertStatusValue", option.value)


def update(service: Service, request: Request) -> Reply:
    """Change the label of an option; ``MergeLabels`` must be given."""
    body = Body(request.json(), "UpdateOptionValue")
    if not isinstance(body.values.get("MergeLabels"), bool):
        raise invalid("The required parameter 'MergeLabels' is missing.")
    with change(service, request) as draft:
        choice, language = _choice(draft, body), draft.organisation.language
        old, labels = _option(choice, body), body.label("Label")
        if body.flag("MergeLabels"):
            labels = {language: old.label, **old.labels, **labels}
        description = body.label("Description").get(language, old.description)
        new = replace(
            old,
            label=labels.get(language, old.label),
            labels=labels,
            description=description,
            color=body.text("Color", old.color or "") or None,
            external_value=body.text("ExternalValue", old.external_value or "") or None,
            default_status=body.whole("DefaultStatusCode", old.default_status or 0) or None,
        )
        spread(draft, choice, replace(choice, options=[new if item is old else item for item in choice.options]))
    return Reply(204)


def delete(service: Service, request: Request) -> Reply:
    """Take an option away; rows that have it keep the number."""
    body = Body(request.json(), "DeleteOptionValue")
    with change(service, request) as draft:
        choice = _choice(draft, body)
        gone = _option(choice, body)
        last = choice.kind == "Status" and sum(item.state == gone.state for item in choice.options) == 1
        if choice.kind in ("State", "Boolean") or last:
            raise invalid(f"The option {gone.value} of '{choice.name}' cannot be deleted.")
        spread(draft, choice, replace(choice, options=[item for item in choice.options if item is not gone]))
    return Reply(204)


def order(service: Service, request: Request) -> Reply:
    """Put the options in another order; ``Values`` must name all of them."""
    body = Body(request.json(), "OrderOption")
    values = body.items("Values")
    with change(service, request) as draft:
        choice = _choice(draft, body)
        known = {option.value: option for option in choice.options}
        if sorted(values, key=str) != sorted(known, key=str):
            raise invalid("Values must name every option of the choice once.")
        spread(draft, choice, replace(choice, options=[known[int(str(value))] for value in values]))
    return Reply(204)


OPTION_ACTIONS = {
    "InsertOptionValue": insert,
    "InsertStatusValue": insert_status,
    "UpdateOptionValue": update,
    "UpdateStateValue": update,
    "DeleteOptionValue": delete,
    "OrderOption": order,
}
