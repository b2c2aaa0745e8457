"""Actions and functions of the office: members of teams, queues, e-mails, notes, a custom API with every type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, ODataError, Refused, bad_request
from sqlalchemy_dynamics.sandbox.linking import link, unlink
from sqlalchemy_dynamics.sandbox.operations import Call
from sqlalchemy_dynamics.sandbox.saving import create_row, update_row
from sqlalchemy_dynamics.sandbox.schema import Table
from sqlalchemy_dynamics.sandbox.store import type_column
from sqlalchemy_dynamics.sandbox.targets import described, row_of
from sqlalchemy_dynamics.sandbox.wire import Reply, json_reply, response_type

__all__ = ["OFFICE_ACTIONS"]

_SENDER, _RECIPIENTS = 1, (2, 3, 4)
_SENT = 3
_encoder = msgspec.json.Encoder(decimal_format="number")


def _members(change: Callable[..., None]) -> Callable[[Call], Reply]:
    def run(call: Call) -> Reply:
        team = call.row
        navigation = call.service.organisation.navigations("team")["teammembership_association"]
        users = [row_of(call.service, call.request, each, "systemuser") for each in call.arguments["Members"]]
        for user in users:
            change(call.service, navigation, team, user)
        return Reply(204)

    return run


def _join(*arguments: Any) -> None:
    """Add a member; one who is there already stays."""
    try:
        link(*arguments)
    except ODataError as refusal:
        if refusal.code != "0x80040237":
            raise


def add_to_queue(call: Call) -> Reply:
    """Answer AddToQueue: the item of a row that is in a queue already moves."""
    service, items = call.service, call.service.organisation.tables["queueitem"]
    queue, (table, row_id) = call.row, row_of(call.service, call.request, call.arguments["Target"])
    column = items.columns["objectid"]
    kind = table.name if table.name in column.targets else table.base
    if kind not in column.targets:
        raise bad_request(f"Rows of '{table.name}' cannot be added to a queue.", "0x80040203")
    service.store.touch("queueitem")
    found = service.store.query("SELECT queueitemid FROM queueitem WHERE objectid = ? AND statecode = 0", (row_id,))
    body = described(call.arguments.get("QueueItemProperties") or {})
    if found:
        item = str(found[0][0])
        bound = {"queueid@odata.bind": f"{queue[0].set_name}({queue[1]})"}
        update_row(service, call.request, items, item, {**body, **bound})
        return call.reply(QueueItemId=item)
    given: dict[str, object] = {"queueid": queue[1], "objectid": row_id, type_column(column): kind}
    return call.reply(QueueItemId=create_row(service, call.request, items, body, given))


def send_email(call: Call) -> Reply:
    """Answer SendEmail: a draft with a sender and a recipient is sent."""
    table, row_id = call.row
    email = call.service.store.row(table, row_id) or {}
    if email.get("statecode") != 0:
        raise Refused(call.service.switches.email_not_draft)
    call.service.store.touch("activityparty")
    sql = "SELECT participationtypemask FROM activityparty WHERE activityid = ?"
    parts = {row[0] for row in call.service.store.query(sql, (row_id,))}
    for wanted, refusal in (
        ((_SENDER,), call.service.switches.email_without_sender),
        (_RECIPIENTS, call.service.switches.email_without_recipient),
    ):
        if not parts.intersection(wanted):
            raise Refused(refusal)
    update_row(call.service, call.request, table, row_id, {"statecode": 1, "statuscode": _SENT}, by_action=True)
    return call.reply(Subject=email.get("subject"))


def total_time(call: Call) -> Reply:
    """Answer CalculateTotalTimeIncident: the minutes of the completed activities about a case."""
    _, row_id = call.row
    call.service.store.touch("activitypointer")
    sql = "SELECT sum(actualdurationminutes) FROM activitypointer WHERE regardingobjectid = ? AND statecode = 1"
    return call.reply(TotalTime=int(str(call.service.store.query(sql, (row_id,))[0][0] or 0)))


def initialize_from(call: Call) -> Reply:
    """Answer InitializeFrom: a new row, not stored, that points to the one given and shares its address."""
    source, row_id = row_of(call.service, call.request, call.arguments["EntityMoniker"])
    name = call.arguments["TargetEntityName"]
    table = call.service.organisation.tables.get(name)
    if table is None:
        raise bad_request(f"The entity with a name = '{name}' was not found in the MetadataCache.", "0x80040217")
    navigation = _way(call, table, source)
    row = call.service.store.row(source, row_id) or {}
    shared = {key: row[key] for key in row if row[key] is not None and _is_shared(key, table, source)}
    context = f"{call.request.root}$metadata#{table.set_name}/$entity"
    bound = {f"{navigation}@odata.bind": f"{source.set_name}({row_id})"}
    return json_reply({"@odata.context": context, "@odata.type": f"#{NAMESPACE}.{name}", **shared, **bound})


def _way(call: Call, table: Table, source: Table) -> str:
    for each in call.service.organisation.navigations(table.name).values():
        if not each.collection and each.target == source.name and table.columns[each.column].creatable:
            return each.name
    raise bad_request(f"No mapping leads from '{source.name}' to '{table.name}'.", "0x80040203")


def _is_shared(name: str, table: Table, source: Table) -> bool:
    kinds = {each.columns[name].kind if name in each.columns else "" for each in (table, source)}
    return kinds == {"String"} and (name.startswith("address1_") or name == "telephone1")


def add_note(call: Call) -> Reply:
    """Answer new_AddNoteToContact, the documentation's custom action."""
    _, row_id = call.row
    notes = call.service.organisation.tables["annotation"]
    body = {"subject": call.arguments["NoteTitle"], "notetext": call.arguments["NoteText"]}
    bound = {"objectid_contact@odata.bind": f"contacts({row_id})"}
    note = create_row(call.service, call.request, notes, {**body, **bound})
    context = f"{call.request.root}$metadata#{notes.set_name}/$entity"
    return json_reply({"@odata.context": context, "annotationid": note})


def echo(call: Call) -> Reply:
    """Answer new_Echo: what was given, as it was read. Rows are looked up where they are references."""
    given = {name: value for name, value in call.arguments.items() if name != "Account"}
    for name in ("Row", "Account"):
        if call.arguments.get(name) is not None:
            table, row_id = row_of(
                call.service, call.request, call.arguments[name], name.lower() if name != "Row" else ""
            )
            given["Row"] = {"@odata.type": f"#{NAMESPACE}.{table.name}", table.primary_id: row_id}
    context = f"{call.request.root}$metadata#{response_type(call.operation.name)}"
    return json_reply(_encoder.encode({"@odata.context": context, **given}).decode())


def repeat(call: Call) -> Reply:
    """Answer new_Repeat: a text, twice or as often as asked."""
    times = call.arguments.get("Times")
    return call.reply(Text=call.arguments["Text"] * (2 if times is None else times))


OFFICE_ACTIONS: dict[str, Callable[[Call], Reply]] = {
    "AddMembersTeam": _members(_join),
    "RemoveMembersTeam": _members(unlink),
    "AddToQueue": add_to_queue,
    "SendEmail": send_email,
    "CalculateTotalTimeIncident": total_time,
    "InitializeFrom": initialize_from,
    "new_AddNoteToContact": add_note,
    "new_Echo": echo,
    "new_Repeat": repeat,
}
"""For `operations.SERVED`."""
