"""How the seeded values of a column are made: one table by (table, column), one by column name, one by kind."""
# ruff: noqa: E501 - tables of data, many to a line

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.sandbox import pools
from sqlalchemy_dynamics.sandbox.schema import Column, Table
from sqlalchemy_dynamics.sandbox.values import scale_of, scaled

if TYPE_CHECKING:
    from sqlalchemy_dynamics.sandbox.generator import Batch

__all__ = ["maker", "stage"]

Values = list[object]
Maker = Callable[["Batch", Column], Values]
_RARE = 0.6
_USUAL = {"name", "fullname", "subject", "title", "telephone1", "emailaddress1", "address1_city", "jobtitle", "firstname",
          "lastname", "revenue", "numberofemployees", "estimatedvalue", "industrycode", "prioritycode", "accountnumber",
          "primarycontactid", "parentcustomerid", "customerid", "regardingobjectid", "parentaccountid", "productid",
          "estimatedclosedate", "scheduledend", "scheduledstart", "gendercode", "annualincome", "companyname"}


def _nulls(column: Column) -> float:
    if column.required == "SystemRequired":
        return 0.0
    return 0.12 if column.name in _USUAL or column.name.startswith("new_") else _RARE


def _key(batch: Batch, column: Column) -> Values:
    return [batch.generator.row_id(batch.table.name, number) for number in batch.numbers]


def _version(batch: Batch, column: Column) -> Values:
    return [1_000_000 + number for number in batch.numbers]


def _state(batch: Batch, column: Column) -> Values:
    options = column.choice.options if column.choice else []
    if not options:
        return [0] * batch.size
    weights = [7.0] + [3.0 / max(1, len(options) - 1)] * (len(options) - 1)
    return batch.random.choices([option.value for option in options], weights, k=batch.size)


def _status(batch: Batch, column: Column) -> Values:
    reasons: dict[object, list[object]] = {}
    for option in column.choice.options if column.choice else []:
        reasons.setdefault(option.state, []).append(option.value)
    states = batch.values.get("statecode", [0] * batch.size)
    default: list[object] = [1]
    chance = batch.random.random
    return [found[int(chance() * len(found))] for found in (reasons.get(state, default) for state in states)]


def _created(batch: Batch, column: Column) -> Values:
    return batch.random.choices(batch.generator.moments, k=batch.size)


def _modified(batch: Batch, column: Column) -> Values:
    later = batch.random.choices(batch.generator.moments, k=batch.size)
    return [max(str(a), str(b)) for a, b in zip(batch.values.get("createdon", later), later, strict=True)]


def _user(batch: Batch, column: Column) -> Values:
    return batch.ids("systemuser", 0.95 if "behalf" in column.name else 0.0)


def _owner(batch: Batch, column: Column) -> Values:
    users = batch.random.choices((True, True, True, True, False), k=batch.size)
    people, teams = batch.ids("systemuser"), batch.ids("team")
    if not column.targets:
        return people
    if column.polymorphic:
        batch.values[f"{column.name}:type"] = ["systemuser" if user else "team" for user in users]
    for name, wanted, ids in (("owninguser", True, people), ("owningteam", False, teams)):
        if name in batch.table.columns:
            batch.values[name] = [row_id if user is wanted else None for user, row_id in zip(users, ids, strict=True)]
    if "owningbusinessunit" in batch.table.columns:
        batch.values["owningbusinessunit"] = batch.ids("businessunit")
    return [person if user else team for user, person, team in zip(users, people, teams, strict=True)]


def _currency(batch: Batch, column: Column) -> Values:
    numbers = batch.random.choices((0, 1, 2), (6, 3, 1), k=batch.size)
    rates = [scaled(1, 10), 9_200_000_000, 7_900_000_000]
    if "exchangerate" in batch.table.columns:
        batch.values["exchangerate"] = [rates[number] for number in numbers]
    ids = [batch.generator.row_id("transactioncurrency", number) for number in range(3)]
    return [ids[number] for number in numbers]


def _money(batch: Batch, column: Column) -> Values:
    if column.name.endswith("_base") and column.name.removesuffix("_base") in batch.values:
        rates = batch.values.get("exchangerate", [10**10] * batch.size)
        amounts = batch.values[column.name.removesuffix("_base")]
        return [None if amount is None else _divide(amount, rate) for amount, rate in zip(amounts, rates, strict=True)]
    steps = [50_000_000, 100_000_000, 250_000_000, 125_005_000, 999_900, 10_000, 0, 1_000_000_000, 123_456_789]
    chance = batch.random.random
    picked = batch.pick(steps, _nulls(column))
    return [None if step is None else int(str(step)) * int(1 + chance() * 40) for step in picked]


def _divide(amount: object, rate: object) -> int:
    whole = int(str(rate)) or 10**10
    return (int(str(amount)) * 10**10 + whole // 2) // whole


def _lookup(batch: Batch, column: Column) -> Values:
    targets = [t for t in column.targets if t in batch.generator.organisation.tables and batch.generator.count(t)]
    if not targets:
        return [None] * batch.size
    if not column.polymorphic:
        return batch.ids(targets[0], _nulls(column))
    weights = [4 if t in ("account", "contact") else 1 for t in targets]
    picked = batch.random.choices(targets, weights, k=batch.size)
    by_target = {target: batch.ids(target, _nulls(column)) for target in set(picked)}
    found = [by_target[target][row] for row, target in enumerate(picked)]
    batch.values[f"{column.name}:type"] = [t if row_id else None for t, row_id in zip(picked, found, strict=True)]
    return found


def _numbered(target: str, nulls: float) -> Maker:
    """A lookup that pairs row n with row n of the target: joins then hit."""

    def make(batch: Batch, column: Column) -> Values:
        count = batch.generator.count(target)
        chance = batch.random.random
        found: Values = [
            None if not count or chance() < nulls else batch.generator.row_id(target, number % count)
            for number in batch.numbers
        ]
        if column.polymorphic:
            batch.values[f"{column.name}:type"] = [target if row_id else None for row_id in found]
        return found

    return make


def _parent(batch: Batch, column: Column) -> Values:
    table, chance = batch.table.name, batch.random.random
    return [batch.generator.row_id(table, n // 10) if n and chance() < 0.25 else None for n in batch.numbers]


def _side(batch: Batch, column: Column) -> Values:
    sides = [c for c in batch.table.columns.values() if c.kind == "Uniqueidentifier" and c.name != batch.table.primary_id]
    targets = [c.name.removesuffix("id") for c in sides]
    counts = [max(1, batch.generator.count(t)) if t in batch.generator.organisation.tables else 1 for t in targets]
    which = [c.name for c in sides].index(column.name)
    pairs = ((n % counts[0], (n // counts[0] + n) % counts[-1]) for n in batch.numbers)
    return [batch.generator.row_id(targets[which], pair[which]) for pair in pairs]


def _name(batch: Batch, column: Column) -> Values:
    first, second = batch.random.choices(pools.NAMES, k=batch.size), batch.random.choices(pools.SUFFIXES, k=batch.size)
    return [a + b for a, b in zip(first, second, strict=True)]


def _full_name(batch: Batch, column: Column) -> Values:
    first = batch.values.get("firstname") or [None] * batch.size
    last = batch.values.get("lastname") or batch.pick(pools.LAST_NAMES)
    return [" ".join(str(part) for part in pair if part) or None for pair in zip(first, last, strict=True)]


def _topic(batch: Batch, column: Column) -> Values:
    topics = batch.random.choices(pools.TOPICS, k=batch.size)
    return [f"{topic} {number % 500}" if number % 3 else topic for topic, number in zip(topics, batch.numbers, strict=True)]


def _email(batch: Batch, column: Column) -> Values:
    keep = batch.pick((True,), _nulls(column))
    return [f"someone{number}@example.com" if k else None for k, number in zip(keep, batch.numbers, strict=True)]


def _phone(batch: Batch, column: Column) -> Values:
    return batch.pick([f"555-{number:04d}" for number in range(0, 9999, 7)], _nulls(column))


def _number_text(prefix: str, nulls: float = 0.0) -> Maker:
    def make(batch: Batch, column: Column) -> Values:
        keep = batch.pick((True,), nulls)
        return [f"{prefix}{1000 + n:05d}" if k else None for k, n in zip(keep, batch.numbers, strict=True)]

    return make


def _pool(pool: tuple[str, ...]) -> Maker:
    return lambda batch, column: batch.pick(pool, _nulls(column))


def _constant(value: object) -> Maker:
    return lambda batch, column: [value] * batch.size


def _when_state(state: int, inner: Maker) -> Maker:
    def make(batch: Batch, column: Column) -> Values:
        made = inner(batch, column)
        return [v if s == state else None for v, s in zip(made, batch.values.get("statecode", made), strict=True)]

    return make


def _entity_name(batch: Batch, column: Column) -> Values:
    if batch.table.is_activity:
        return [batch.table.name] * batch.size
    return batch.pick(("account", "contact", "opportunity"), _nulls(column))


def _auto_number(batch: Batch, column: Column) -> Values:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    chance = batch.random
    return [f"SAM-{1000 + n:05d}-{''.join(chance.choices(letters, k=4))}" for n in batch.numbers]


def _text(batch: Batch, column: Column) -> Values:
    if column.auto_number:
        return _auto_number(batch, column)
    limit = column.max_length
    return batch.pick([text for text in pools.TEXTS if len(text) <= limit] or ["x"], _nulls(column))


def _percent(batch: Batch, column: Column) -> Values:
    return batch.pick([0, 10, 25, 50, 75, 90, 100], _nulls(column))


def _whole(batch: Batch, column: Column) -> Values:
    low, high = max(int(column.minimum or 0), -5), min(int(column.maximum or 5000), 5000)
    return batch.pick([low, 0, 1, 2, 5, 10, 42, 100, 250, 1000, high], _nulls(column))


def _big(batch: Batch, column: Column) -> Values:
    return batch.pick([0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 1234567890123], _nulls(column))


def _decimal(batch: Batch, column: Column) -> Values:
    numbers = ["0", "1", "1.5", "-2.25", "0.1", "0.2", "3.3333333333", "99999.99", "1234567.8901234567", "-0.0000000001"]
    places = min(10, column.precision)
    step = 10 ** (10 - places)
    kept = 10 ** (10 - scale_of(column))
    made = [int(scaled(Decimal(n), 10)) // step * step // kept for n in numbers]
    return batch.pick(made, _nulls(column))


def _double(batch: Batch, column: Column) -> Values:
    return batch.pick([0.0, 1.5, -1.5, 47.63958, -122.1215, 0.00001, 1e9], _nulls(column))


def _boolean(batch: Batch, column: Column) -> Values:
    return batch.pick((1, 0, 0), 0.0 if column.default is not None else _nulls(column))


def _moment(batch: Batch, column: Column) -> Values:
    made = batch.pick(batch.generator.moments[::5], _nulls(column))
    tail = "" if column.behaviour == "DateOnly" else "T00:00:00Z" if column.format == "DateOnly" else None
    return [moment if moment is None or tail is None else f"{str(moment)[:10]}{tail}" for moment in made]


def _choice(batch: Batch, column: Column) -> Values:
    options = [option.value for option in column.choice.options] if column.choice else [1, 2, 3]
    return batch.pick(options, _nulls(column))


def _choices(batch: Batch, column: Column) -> Values:
    values = [option.value for option in column.choice.options] if column.choice else [1, 2, 3]
    sets = [",".join(str(v) for v in values[a:b]) for a in range(len(values)) for b in range(a + 1, len(values) + 1)]
    return batch.pick(sets, 0.3)


def _guid(batch: Batch, column: Column) -> Values:
    chance = batch.random
    keep = batch.pick((True,), _nulls(column))
    return [str(_uuid(chance.getrandbits(128))) if k else None for k in keep]


def _uuid(bits: int) -> str:
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


BY_COLUMN: dict[tuple[str, str], Maker] = {
    ("account", "name"): _name, ("account", "primarycontactid"): _numbered("contact", 0.15),
    ("account", "accountnumber"): _number_text("ACC-", 0.1), ("account", "parentaccountid"): _parent,
    ("contact", "parentcustomerid"): _numbered("account", 0.15), ("contact", "parentcontactid"): _parent,
    ("opportunity", "name"): _topic, ("opportunity", "parentaccountid"): _numbered("account", 0.2),
    ("opportunity", "actualvalue"): _when_state(1, _money), ("opportunity", "actualclosedate"): _when_state(1, _moment),
    ("opportunity", "closeprobability"): _percent, ("task", "percentcomplete"): _percent, ("incident", "title"): _topic, ("incident", "ticketnumber"): _number_text("CAS-"),
    ("lead", "companyname"): _name, ("systemuser", "domainname"): _email, ("systemuser", "internalemailaddress"): _email,
    ("systemuser", "ownerid"): _key, ("team", "ownerid"): _key, ("systemuser", "isdisabled"): _constant(0),
    ("systemuser", "organizationid"): _numbered("organization", 0), ("team", "organizationid"): _numbered("organization", 0),
    ("systemuser", "businessunitid"): _numbered("businessunit", 0), ("team", "businessunitid"): _numbered("businessunit", 0),
    ("quote", "quotenumber"): _number_text("QUO-"), ("salesorder", "ordernumber"): _number_text("ORD-"),
    ("invoice", "invoicenumber"): _number_text("INV-"), ("product", "productnumber"): _number_text("P-"),
    ("new_sample", "new_code"): _number_text("C", 0.1), ("new_sample", "new_parentid"): _parent,
    ("new_sample", "new_name"): _name, ("activityparty", "activityid"): _numbered("activitypointer", 0),
    ("businessunit", "parentbusinessunitid"): _constant(None),
}
BY_NAME: dict[str, Maker] = {
    "versionnumber": _version, "statecode": _state, "statuscode": _status, "createdon": _created, "modifiedon": _modified,
    "createdby": _user, "modifiedby": _user, "createdonbehalfby": _user, "modifiedonbehalfby": _user, "ownerid": _owner,
    "owninguser": _constant(None), "owningteam": _constant(None), "owningbusinessunit": _constant(None),
    "transactioncurrencyid": _currency, "exchangerate": _constant(10**10), "fullname": _full_name,
    "firstname": _pool(pools.FIRST_NAMES), "lastname": lambda batch, column: batch.pick(pools.LAST_NAMES, 0.02),
    "jobtitle": _pool(pools.TITLES), "address1_city": _pool(pools.CITIES), "address1_country": _pool(pools.COUNTRIES),
    "address1_stateorprovince": _pool(pools.REGIONS), "address1_line1": _pool(pools.STREETS), "subject": _topic,
    "name": _name, "companyname": _name, "importsequencenumber": _constant(None), "overriddencreatedon": _constant(None),
    "timezoneruleversionnumber": _constant(0), "utcconversiontimezonecode": _constant(None), "masterid": _constant(None),
    "traversedpath": _constant(None),
}
BY_PATTERN: tuple[tuple[re.Pattern[str], Maker], ...] = (
    (re.compile(r"email(address)?\d?$"), _email),
    (re.compile(r"(telephone|phone|fax|pager)\d?$"), _phone),
    (re.compile(r"_city$"), _pool(pools.CITIES)),
)
BY_KIND: dict[str, Maker] = {
    "EntityName": _entity_name, "String": _text, "Memo": _text, "Integer": _whole, "BigInt": _big, "Decimal": _decimal, "Money": _money,
    "Double": _double, "Boolean": _boolean, "DateTime": _moment, "Picklist": _choice, "State": _state, "Status": _status,
    "MultiSelectPicklist": _choices, "Lookup": _lookup, "Customer": _lookup, "Owner": _owner, "Uniqueidentifier": _guid,
}
_FIRST = {"createdon": 1, "statecode": 1, "statuscode": 2, "modifiedon": 2, "firstname": 1, "lastname": 1,
          "transactioncurrencyid": 1, "exchangerate": 2, "ownerid": 1}


def stage(table: Table, column: Column) -> int:
    """Return when a column is made: those that others follow come first."""
    return 0 if column.name == table.primary_id else _FIRST.get(column.name, 4 if column.name.endswith("_base") else 3)


def _is_part(table: Table, column: Column) -> bool:
    """Whether the column belongs to an image or a file column, whose contents are not seeded."""
    parts = {"Image": ("_url", "_timestamp", "id"), "File": ("_name",)}
    return any(column.name == f"{other.name}{suffix}" for other in table.columns.values() if other.kind in parts
               for suffix in parts[other.kind])


def maker(table: Table, column: Column) -> Maker | None:
    """Return how the values of a column are made; None leaves it null."""
    if column.name == table.primary_id:
        return _key
    if (table.name, column.name) in BY_COLUMN:
        return BY_COLUMN[table.name, column.name]
    if column.name == table.primary_name and table.name not in ("contact", "lead", "systemuser"):
        return BY_NAME.get(column.name, _name)
    if table.intersect and column.kind == "Uniqueidentifier":
        return _side
    if column.name in BY_NAME:
        return BY_NAME[column.name]
    if _is_part(table, column):
        return None
    if column.kind == "String":
        found = next((make for pattern, make in BY_PATTERN if pattern.search(column.name)), None)
        if found:
            return found
    return BY_KIND.get(column.kind)
