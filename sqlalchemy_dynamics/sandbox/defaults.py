"""What the service adds to a row: defaults, owner, creator, currency, base amounts, composed texts (section 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy_dynamics.sandbox.callers import Caller
from sqlalchemy_dynamics.sandbox.schema import Table
from sqlalchemy_dynamics.sandbox.sequences import auto_number, new_id
from sqlalchemy_dynamics.sandbox.store import type_column
from sqlalchemy_dynamics.sandbox.values import SCALES, iso, now, scaled, store_value
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["complete_new", "complete_update", "follow_up"]

_RATE_SCALE = SCALES["Decimal"]
_COMPOSITES = ("address1", "address2", "address3", "billto", "shipto")


def complete_new(service: Service, caller: Caller, table: Table, values: dict[str, object]) -> None:
    """Add to a new row what the caller did not give."""
    row_id = values.get(table.primary_id) or values.get(table.key) or new_id(service)
    values[table.primary_id] = values[table.key] = row_id
    made = _system_values(service, caller, table)
    if table.table_type == "Elastic":
        made["partitionid"] = row_id
    if values.get("overriddencreatedon") is not None:
        made["createdon"], values["overriddencreatedon"] = values["overriddencreatedon"], made["createdon"]
    for name, value in made.items():
        if name.partition(":")[0] in table.columns:
            values.setdefault(name, value)
    for column in table.columns.values():
        if column.default is not None and column.name not in values:
            values[column.name] = store_value(column, column.default)
        if column.auto_number and values.get(column.name) is None:
            values[column.name] = auto_number(service, table, column)
    follow_up(service, caller, table, values, {})


def _system_values(service: Service, caller: Caller, table: Table) -> dict[str, object]:
    moment = iso(now())
    made: dict[str, object] = {
        "createdon": moment,
        "modifiedon": moment,
        "createdby": caller.user_id,
        "modifiedby": caller.user_id,
        "createdonbehalfby": caller.on_behalf,
        "modifiedonbehalfby": caller.on_behalf,
        "versionnumber": service.store.next_version(),
    }
    if table.is_activity:
        made |= {"activitytypecode": table.name, "isregularactivity": 1}
    owner = table.columns.get("ownerid")
    if owner is not None and owner.is_lookup:
        made |= {"ownerid": caller.user_id, type_column(owner): "systemuser"}
    if table.name in ("systemuser", "team"):
        made |= {"businessunitid": caller.business_unit_id}
    return made | {"organizationid": service.organization_id}


def complete_update(service: Service, caller: Caller, table: Table, values: dict[str, object]) -> None:
    """Add what moves with every update: version, time and person."""
    made = {
        "modifiedon": iso(now()),
        "modifiedby": caller.user_id,
        "modifiedonbehalfby": caller.on_behalf,
        "versionnumber": service.store.next_version(),
    }
    values.update({name: value for name, value in made.items() if name in table.columns})


def follow_up(
    service: Service, caller: Caller, table: Table, values: dict[str, object], current: Mapping[str, object]
) -> None:
    """Recompute what follows from the values to be stored; `current` is the row before."""
    _owning(service, caller, table, values)
    _currency(service, table, values, current)
    _full_name(table, values, current)
    _composites(table, values, current)


def _owning(service: Service, caller: Caller, table: Table, values: dict[str, object]) -> None:
    owner = table.columns.get("ownerid")
    if owner is None or not owner.is_lookup or "ownerid" not in values:
        return
    kind = str(values.get(type_column(owner)) or "systemuser")
    holder = service.store.row(service.organisation.tables[kind], str(values["ownerid"])) or {}
    owning = {
        "owninguser": values["ownerid"] if kind == "systemuser" else None,
        "owningteam": values["ownerid"] if kind == "team" else None,
        "owningbusinessunit": holder.get("businessunitid") or caller.business_unit_id,
    }
    values.update({name: value for name, value in owning.items() if name in table.columns})


def _currency(service: Service, table: Table, values: dict[str, object], current: Mapping[str, object]) -> None:
    if "transactioncurrencyid" not in table.columns or "exchangerate" not in table.columns:
        return
    amounts = [
        column.name
        for column in table.columns.values()
        if column.kind == "Money" and f"{column.name}_base" in table.columns
    ]
    changed = [name for name in amounts if name in values]
    if "transactioncurrencyid" not in values and not any(values[name] is not None for name in changed):
        values.update({f"{name}_base": None for name in changed})
        return
    currency = values.get("transactioncurrencyid") or current.get("transactioncurrencyid") or _base_currency(service)
    row = service.store.row(service.organisation.tables["transactioncurrency"], str(currency)) or {}
    rate = row.get("exchangerate") or scaled(1, _RATE_SCALE)
    values |= {"transactioncurrencyid": currency, "exchangerate": rate}
    for name in amounts:
        amount = values[name] if name in values else current.get(name)
        if name in values or amount is not None:
            values[f"{name}_base"] = None if amount is None else _divided(amount, rate)


def _base_currency(service: Service) -> object:
    organization = service.organisation.tables.get("organization")
    row = service.store.row(organization, service.organization_id) if organization else None
    return (row or {}).get("basecurrencyid") or service.generator.row_id("transactioncurrency", 0)


def _divided(amount: object, rate: object) -> int | float:
    scale = SCALES["Money"]
    exact = Decimal(str(amount)).scaleb(-scale) / Decimal(str(rate)).scaleb(-_RATE_SCALE)
    return scaled(round(exact, scale), scale)


def _full_name(table: Table, values: dict[str, object], current: Mapping[str, object]) -> None:
    parts = ("firstname", "middlename", "lastname")
    if "fullname" not in table.columns or "lastname" not in table.columns:
        return
    values.pop("fullname", None)
    if any(part in values for part in parts):
        names = [values[part] if part in values else current.get(part) for part in ("firstname", "lastname")]
        values["fullname"] = " ".join(str(name) for name in names if name) or None


def _composites(table: Table, values: dict[str, object], current: Mapping[str, object]) -> None:
    for prefix in _COMPOSITES:
        if f"{prefix}_composite" not in table.columns:
            continue
        values.pop(f"{prefix}_composite", None)
        if any(name.startswith(f"{prefix}_") for name in values):
            row = {**current, **values}
            values[f"{prefix}_composite"] = _composed(
                {
                    name: row.get(f"{prefix}_{name}")
                    for name in ("line1", "line2", "line3", "city", "stateorprovince", "postalcode", "country")
                }
            )


def _composed(parts: Mapping[str, object]) -> str | None:
    place = ", ".join(str(p) for p in (parts["city"], parts["stateorprovince"]) if p)
    town = " ".join(str(p) for p in (place, parts["postalcode"]) if p)
    lines = [parts["line1"], parts["line2"], parts["line3"], town, parts["country"]]
    return "\r\n".join(str(line) for line in lines if line) or None
