"""Seeded values by kind and meaning: names, addresses, numbers, choices, dates; some rows have none.

A maker returns the values of a column for a batch of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.sandbox import pools
from sqlalchemy_dynamics.sandbox.schema import Column
from sqlalchemy_dynamics.sandbox.values import scale_of, scaled

if TYPE_CHECKING:
    from sqlalchemy_dynamics.sandbox.generator import Batch

Values = list[object]
Maker = Callable[["Batch", Column], Values]
_RARE = 0.6
_USUAL = {
    "name",
    "fullname",
    "subject",
    "title",
    "telephone1",
    "emailaddress1",
    "address1_city",
    "jobtitle",
    "firstname",
    "lastname",
    "revenue",
    "numberofemployees",
    "estimatedvalue",
    "industrycode",
    "prioritycode",
    "accountnumber",
    "primarycontactid",
    "parentcustomerid",
    "customerid",
    "regardingobjectid",
    "parentaccountid",
    "productid",
    "estimatedclosedate",
    "scheduledend",
    "scheduledstart",
    "gendercode",
    "annualincome",
    "companyname",
}


def nulls(column: Column) -> float:
    """Return the share of rows that have no value."""
    if column.required == "SystemRequired":
        return 0.0
    return 0.12 if column.name in _USUAL or column.name.startswith("new_") else _RARE


def name(batch: Batch, column: Column) -> Values:
    first, second = batch.random.choices(pools.NAMES, k=batch.size), batch.random.choices(pools.SUFFIXES, k=batch.size)
    return [a + b for a, b in zip(first, second, strict=True)]


def full_name(batch: Batch, column: Column) -> Values:
    first = batch.values.get("firstname") or [None] * batch.size
    last = batch.values.get("lastname") or batch.pick(pools.LAST_NAMES)
    return [" ".join(str(part) for part in pair if part) or None for pair in zip(first, last, strict=True)]


def topic(batch: Batch, column: Column) -> Values:
    topics = batch.random.choices(pools.TOPICS, k=batch.size)
    return [
        f"{topic} {number % 500}" if number % 3 else topic for topic, number in zip(topics, batch.numbers, strict=True)
    ]


def email(batch: Batch, column: Column) -> Values:
    keep = batch.pick((True,), nulls(column))
    return [f"someone{number}@example.com" if k else None for k, number in zip(keep, batch.numbers, strict=True)]


def phone(batch: Batch, column: Column) -> Values:
    return batch.pick([f"555-{number:04d}" for number in range(0, 9999, 7)], nulls(column))


def number_text(prefix: str, nulls: float = 0.0) -> Maker:
    def make(batch: Batch, column: Column) -> Values:
        keep = batch.pick((True,), nulls)
        return [f"{prefix}{1000 + n:05d}" if k else None for k, n in zip(keep, batch.numbers, strict=True)]

    return make


def pool(texts: tuple[str, ...]) -> Maker:
    return lambda batch, column: batch.pick(texts, nulls(column))


def constant(value: object) -> Maker:
    return lambda batch, column: [value] * batch.size


def when_state(state: int, inner: Maker) -> Maker:
    def make(batch: Batch, column: Column) -> Values:
        made = inner(batch, column)
        return [v if s == state else None for v, s in zip(made, batch.values.get("statecode", made), strict=True)]

    return make


def entity_name(batch: Batch, column: Column) -> Values:
    if batch.table.is_activity:
        return [batch.table.name] * batch.size
    return batch.pick(("account", "contact", "opportunity"), nulls(column))


def _auto_number(batch: Batch, column: Column) -> Values:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    chance = batch.random
    return [f"SAM-{1000 + n:05d}-{''.join(chance.choices(letters, k=4))}" for n in batch.numbers]


def text(batch: Batch, column: Column) -> Values:
    if column.auto_number:
        return _auto_number(batch, column)
    limit = column.max_length
    return batch.pick([text for text in pools.TEXTS if len(text) <= limit] or ["x"], nulls(column))


def percent(batch: Batch, column: Column) -> Values:
    return batch.pick([0, 10, 25, 50, 75, 90, 100], nulls(column))


def whole(batch: Batch, column: Column) -> Values:
    low, high = max(int(column.minimum or 0), -5), min(int(column.maximum or 5000), 5000)
    return batch.pick([low, 0, 1, 2, 5, 10, 42, 100, 250, 1000, high], nulls(column))


def big(batch: Batch, column: Column) -> Values:
    return batch.pick([0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 1234567890123], nulls(column))


def decimal(batch: Batch, column: Column) -> Values:
    numbers = [
        "0",
        "1",
        "1.5",
        "-2.25",
        "0.1",
        "0.2",
        "3.3333333333",
        "99999.99",
        "1234567.8901234567",
        "-0.0000000001",
    ]
    places = min(10, column.precision)
    step = 10 ** (10 - places)
    kept = 10 ** (10 - scale_of(column))
    made = [int(scaled(Decimal(n), 10)) // step * step // kept for n in numbers]
    return batch.pick(made, nulls(column))


def double(batch: Batch, column: Column) -> Values:
    return batch.pick([0.0, 1.5, -1.5, 47.63958, -122.1215, 0.00001, 1e9], nulls(column))


def boolean(batch: Batch, column: Column) -> Values:
    return batch.pick((1, 0, 0), 0.0 if column.default is not None else nulls(column))


def moment(batch: Batch, column: Column) -> Values:
    made = batch.pick(batch.generator.moments[::5], nulls(column))
    tail = "" if column.behaviour == "DateOnly" else "T00:00:00Z" if column.format == "DateOnly" else None
    return [moment if moment is None or tail is None else f"{str(moment)[:10]}{tail}" for moment in made]


def choice(batch: Batch, column: Column) -> Values:
    options = [option.value for option in column.choice.options] if column.choice else [1, 2, 3]
    return batch.pick(options, nulls(column))


def choices(batch: Batch, column: Column) -> Values:
    values = [option.value for option in column.choice.options] if column.choice else [1, 2, 3]
    sets = [",".join(str(v) for v in values[a:b]) for a in range(len(values)) for b in range(a + 1, len(values) + 1)]
    return batch.pick(sets, 0.3)


def guid(batch: Batch, column: Column) -> Values:
    chance = batch.random
    keep = batch.pick((True,), nulls(column))
    return [str(_uuid(chance.getrandbits(128))) if k else None for k in keep]


def _uuid(bits: int) -> str:
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
