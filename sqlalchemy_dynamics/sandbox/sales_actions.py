"""Actions of sales and service: opportunities won and lost, quotes and cases closed, leads qualified, rows merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy_dynamics.sandbox.binding import Target, target_of
from sqlalchemy_dynamics.sandbox.callers import caller_of
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, Refused, payload_refusal
from sqlalchemy_dynamics.sandbox.operations import Call
from sqlalchemy_dynamics.sandbox.saving import create_row, store_changes, update_row
from sqlalchemy_dynamics.sandbox.states import default_status
from sqlalchemy_dynamics.sandbox.targets import described, row_of
from sqlalchemy_dynamics.sandbox.values import sql_name
from sqlalchemy_dynamics.sandbox.wire import Reply, json_reply

__all__ = ["SALES_ACTIONS"]

_OPEN_QUOTES = (0, 1)


@dataclass(frozen=True)
class _Closing:
    """How a table is closed: the activity that is made, its lookup, the states left and entered."""

    parameter: str
    lookup: str
    table: str
    enters: int
    leaves: tuple[int, ...] = (0,)

    def __call__(self, call: Call) -> Reply:
        details = dict(call.arguments[self.parameter])
        closed = _subject(call, details, self)
        current = call.service.store.row(*closed) or {}
        if current.get("statecode") not in self.leaves:
            raise Refused(call.service.switches.already_closed, table=self.table)
        if self.table == "opportunity":
            _check_quotes(call, closed)
        table = call.service.organisation.tables[self.parameter.lower()]
        given: dict[str, object] = {self.lookup: closed[1]}
        if "statecode" in table.columns:
            given |= {"statecode": 1, "statuscode": default_status(table, 1)}
        create_row(call.service, call.request, table, details, given)
        change = {"statecode": self.enters, **_status(call.arguments["Status"])}
        update_row(call.service, call.request, *closed, change, by_action=True)
        return Reply(204)


def _subject(call: Call, details: dict[str, Any], closing: _Closing) -> Target:
    """The row that is closed, taken out of the activity that tells of it."""
    table = call.service.organisation.tables[closing.table]
    bound, nested = details.pop(f"{closing.lookup}@odata.bind", None), details.pop(closing.lookup, None)
    if bound is None and not isinstance(nested, Mapping):
        raise payload_refusal(f"'{closing.parameter}' does not say which {closing.table} it closes.")
    if bound is not None:
        found = target_of(call.service, call.request, table, bound)
    else:
        found = row_of(call.service, call.request, nested, closing.table)
    if found[0].name != table.name:
        raise payload_refusal(f"'{closing.lookup}' of '{closing.parameter}' must be a row of '{table.name}'.")
    return found


def _status(status: int) -> dict[str, object]:
    """The status reason asked for; -1 is that of the state."""
    return {} if status == -1 else {"statuscode": status}


def _check_quotes(call: Call, opportunity: Target) -> None:
    store = call.service.store
    if "quote" not in call.service.organisation.tables:
        return
    store.touch("quote")
    marks = ", ".join("?" * len(_OPEN_QUOTES))
    sql = f"SELECT 1 FROM quote WHERE opportunityid = ? AND statecode IN ({marks}) LIMIT 1"
    if store.query(sql, (opportunity[1], *_OPEN_QUOTES)):
        raise Refused(call.service.switches.opportunity_has_quotes)


def qualify_lead(call: Call) -> Reply:
    """Answer QualifyLead: the rows made of the lead, which is qualified."""
    table, row_id = call.row
    lead = call.service.store.row(table, row_id) or {}
    if lead.get("statecode") != 0:
        raise Refused(call.service.switches.already_closed, table="lead")
    made = _made_of(call, lead, row_id)
    status = {"statuscode": call.arguments["Status"]} if call.arguments["Status"] != -1 else {}
    links = {"account": "parentaccountid", "contact": "parentcontactid", "opportunity": "qualifyingopportunityid"}
    change: dict[str, object] = {"statecode": 1, **status}
    update_row(call.service, call.request, table, row_id, change, by_action=True)
    pointing: dict[str, object] = {
        links[kind]: made_id for kind, made_id in made.items() if links[kind] in table.columns
    }
    if pointing:
        current = call.service.store.row(table, row_id) or {}
        store_changes(call.service, caller_of(call.service, call.request), table, row_id, pointing, current)
    rows = [{"@odata.type": f"#{NAMESPACE}.{kind}", f"{kind}id": made_id} for kind, made_id in made.items()]
    context = f"{call.request.root}$metadata#Collection({NAMESPACE}.crmbaseentity)"
    return json_reply({"@odata.context": context, "value": rows})


def _made_of(call: Call, lead: Mapping[str, Any], row_id: str) -> dict[str, str]:
    given, made = call.arguments, dict[str, str]()
    if given["CreateAccount"]:
        made["account"] = _create(call, "account", {"name": lead.get("companyname") or lead.get("fullname")})
    if given["CreateContact"]:
        contact = {
            name: lead.get(name) for name in ("firstname", "lastname", "jobtitle", "telephone1", "emailaddress1")
        }
        if "account" in made:
            contact["parentcustomerid_account@odata.bind"] = f"accounts({made['account']})"
        made["contact"] = _create(call, "contact", contact)
    if given["CreateOpportunity"]:
        opportunity = {"name": lead.get("subject"), "originatingleadid@odata.bind": f"leads({row_id})"}
        made["opportunity"] = _create(call, "opportunity", opportunity | _customer(call, made) | _bound(call))
    return made


def _create(call: Call, name: str, body: Mapping[str, Any]) -> str:
    given = {key: value for key, value in body.items() if value is not None}
    return create_row(call.service, call.request, call.service.organisation.tables[name], given)


def _customer(call: Call, made: Mapping[str, str]) -> dict[str, Any]:
    """Who buys: the customer given, or what was made."""
    given = call.arguments.get("OpportunityCustomerId")
    if given is not None:
        table, row_id = row_of(call.service, call.request, given)
        if table.name not in ("account", "contact"):
            raise payload_refusal("'OpportunityCustomerId' must be an account or a contact.")
        return {f"customerid_{table.name}@odata.bind": f"{table.set_name}({row_id})"}
    kind = next((each for each in ("account", "contact") if each in made), None)
    return {} if kind is None else {f"customerid_{kind}@odata.bind": f"{kind}s({made[kind]})"}


def _bound(call: Call) -> dict[str, Any]:
    """The other rows an opportunity made of a lead points to."""
    found: dict[str, Any] = {}
    for parameter, kind, lookup in (
        ("OpportunityCurrencyId", "transactioncurrency", "transactioncurrencyid"),
        ("SourceCampaignId", "campaign", "campaignid"),
    ):
        if call.arguments.get(parameter) is not None:
            table, row_id = row_of(call.service, call.request, call.arguments[parameter], kind)
            found[f"{lookup}@odata.bind"] = f"{table.set_name}({row_id})"
    return found


def merge(call: Call) -> Reply:
    """Answer Merge: rows that point to the subordinate point to the target, which takes the content given."""
    given, service = call.arguments, call.service
    target = row_of(service, call.request, given["Target"])
    subordinate = row_of(service, call.request, given["Subordinate"])
    table = target[0]
    if table.name not in ("account", "contact", "lead", "incident") or subordinate[0].name != table.name:
        raise Refused(service.switches.cannot_merge, one=table.name, two=subordinate[0].name)
    if target[1] == subordinate[1]:
        raise Refused(service.switches.cannot_merge_same)
    content = {name: value for name, value in described(given["UpdateContent"]).items() if name != table.primary_id}
    update_row(service, call.request, table, target[1], content)
    _move_children(call, target, subordinate[1])
    current = service.store.row(table, subordinate[1]) or {}
    change: dict[str, object] = {"statecode": 1, "statuscode": default_status(table, 1)}
    change |= {name: value for name, value in (("merged", 1), ("masterid", target[1])) if name in table.columns}
    store_changes(service, caller_of(service, call.request), table, subordinate[1], change, current)
    return Reply(204)


def _move_children(call: Call, target: Target, old: str) -> None:
    organisation, store = call.service.organisation, call.service.store
    for relationship in organisation.one_to_many.values():
        child = organisation.tables.get(relationship.referencing)
        if relationship.referenced != target[0].name or child is None or relationship.attribute == "masterid":
            continue
        for each in organisation.derived(child.name) if child.abstract else [child]:
            if relationship.attribute in each.columns:
                store.touch(each.name)
                column = sql_name(relationship.attribute)
                store.execute(f"UPDATE {sql_name(each.name)} SET {column} = ? WHERE {column} = ?", (target[1], old))


SALES_ACTIONS: dict[str, Callable[[Call], Reply]] = {
    "WinOpportunity": _Closing("OpportunityClose", "opportunityid", "opportunity", 1),
    "LoseOpportunity": _Closing("OpportunityClose", "opportunityid", "opportunity", 2),
    "CloseIncident": _Closing("IncidentResolution", "incidentid", "incident", 1),
    "WinQuote": _Closing("QuoteClose", "quoteid", "quote", 2, (1,)),
    "CloseQuote": _Closing("QuoteClose", "quoteid", "quote", 3, (1,)),
    "QualifyLead": qualify_lead,
    "Merge": merge,
}
"""For `operations.SERVED`."""
