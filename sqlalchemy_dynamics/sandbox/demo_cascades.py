"""What a DELETE does to the rows around, in the demo organisation: where it does more than remove links."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox.schema import Organisation

__all__ = ["set_delete_behaviours"]

_BY_COLUMN: dict[tuple[str, str], str] = {
    ("annotation", "objectid"): "Cascade",
    ("activityparty", "activityid"): "Cascade",
    ("queueitem", "objectid"): "Cascade",
    ("contact", "parentcustomerid"): "Cascade",
    ("opportunity", "customerid"): "Cascade",
    ("incident", "customerid"): "Cascade",
    ("opportunityproduct", "opportunityid"): "Cascade",
    ("quotedetail", "quoteid"): "Cascade",
    ("salesorderdetail", "salesorderid"): "Cascade",
    ("invoicedetail", "invoiceid"): "Cascade",
    ("systemuser", "businessunitid"): "Restrict",
    ("team", "businessunitid"): "Restrict",
}
_BY_NAME = {"regardingobjectid": "Cascade", "transactioncurrencyid": "Restrict"}


def set_delete_behaviours(organisation: Organisation) -> None:
    """Set the `Delete` behaviour of the demo's relationships."""
    for relationship in organisation.one_to_many.values():
        table = organisation.tables[relationship.referencing]
        behaviour = _BY_COLUMN.get((table.name, relationship.attribute))
        if behaviour is None and (table.is_activity or relationship.attribute == "transactioncurrencyid"):
            behaviour = _BY_NAME.get(relationship.attribute)
        if behaviour is not None:
            relationship.cascade["Delete"] = behaviour
