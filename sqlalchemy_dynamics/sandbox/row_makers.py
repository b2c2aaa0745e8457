"""Seeded values that tie rows together or come with every row: keys, states, owners, money, lookups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy_dynamics.sandbox.schema import Column
from sqlalchemy_dynamics.sandbox.value_makers import Maker, Values, nulls
from sqlalchemy_dynamics.sandbox.values import scaled

if TYPE_CHECKING:
    from sqlalchemy_dynamics.sandbox.generator import Batch


def key(batch: Batch, column: Column) -> Values:
    return [batch.generator.row_id(batch.table.name, number) for number in batch.numbers]


def version(batch: Batch, column: Column) -> Values:
    return [1_000_000 + number for number in batch.numbers]


def state(batch: Batch, column: Column) -> Values:
    options = column.choice.options if column.choice else []
    if not options:
        return [0] * batch.size
    weights = [7.0] + [3.0 / max(1, len(options) - 1)] * (len(options) - 1)
    return batch.random.choices([option.value for option in options], weights, k=batch.size)


def status(batch: Batch, column: Column) -> Values:
    reasons: dict[object, list[object]] = {}
    for option in column.choice.options if column.choice else []:
        reasons.setdefault(option.state, []).append(option.value)
    states = batch.values.get("statecode", [0] * batch.size)
    default: list[object] = [1]
    chance = batch.random.random
    return [found[int(chance() * len(found))] for found in (reasons.get(state, default) for state in states)]


def created(batch: Batch, column: Column) -> Values:
    return batch.random.choices(batch.generator.moments, k=batch.size)


def modified(batch: Batch, column: Column) -> Values:
    later = batch.random.choices(batch.generator.moments, k=batch.size)
    return [max(str(a), str(b)) for a, b in zip(batch.values.get("createdon", later), later, strict=True)]


def user(batch: Batch, column: Column) -> Values:
    return batch.ids("systemuser", 0.95 if "behalf" in column.name else 0.0)


def owner(batch: Batch, column: Column) -> Values:
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


def currency(batch: Batch, column: Column) -> Values:
    numbers = batch.random.choices((0, 1, 2), (6, 3, 1), k=batch.size)
    rates = [scaled(1, 10), 9_200_000_000, 7_900_000_000]
    if "exchangerate" in batch.table.columns:
        batch.values["exchangerate"] = [rates[number] for number in numbers]
    ids = [batch.generator.row_id("transactioncurrency", number) for number in range(3)]
    return [ids[number] for number in numbers]


def money(batch: Batch, column: Column) -> Values:
    if column.name.endswith("_base") and column.name.removesuffix("_base") in batch.values:
        rates = batch.values.get("exchangerate", [10**10] * batch.size)
        amounts = batch.values[column.name.removesuffix("_base")]
        return [None if amount is None else _divide(amount, rate) for amount, rate in zip(amounts, rates, strict=True)]
    steps = [50_000_000, 100_000_000, 250_000_000, 125_005_000, 999_900, 10_000, 0, 1_000_000_000, 123_456_789]
    chance = batch.random.random
    picked = batch.pick(steps, nulls(column))
    return [None if step is None else int(str(step)) * int(1 + chance() * 40) for step in picked]


def _divide(amount: object, rate: object) -> int:
    whole = int(str(rate)) or 10**10
    return (int(str(amount)) * 10**10 + whole // 2) // whole


def lookup(batch: Batch, column: Column) -> Values:
    targets = [t for t in column.targets if t in batch.generator.organisation.tables and batch.generator.count(t)]
    if not targets:
        return [None] * batch.size
    if not column.polymorphic:
        return batch.ids(targets[0], nulls(column))
    weights = [4 if t in ("account", "contact") else 1 for t in targets]
    picked = batch.random.choices(targets, weights, k=batch.size)
    by_target = {target: batch.ids(target, nulls(column)) for target in dict.fromkeys(picked)}
    found = [by_target[target][row] for row, target in enumerate(picked)]
    batch.values[f"{column.name}:type"] = [t if row_id else None for t, row_id in zip(picked, found, strict=True)]
    return found


def numbered(target: str, nulls: float) -> Maker:
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


def parent(batch: Batch, column: Column) -> Values:
    table, chance = batch.table.name, batch.random.random
    return [batch.generator.row_id(table, n // 10) if n and chance() < 0.25 else None for n in batch.numbers]


def side(batch: Batch, column: Column) -> Values:
    sides = [
        c for c in batch.table.columns.values() if c.kind == "Uniqueidentifier" and c.name != batch.table.primary_id
    ]
    targets = [c.name.removesuffix("id") for c in sides]
    counts = [max(1, batch.generator.count(t)) if t in batch.generator.organisation.tables else 1 for t in targets]
    which = [c.name for c in sides].index(column.name)
    pairs = ((n % counts[0], (n // counts[0] + n) % counts[-1]) for n in batch.numbers)
    return [batch.generator.row_id(targets[which], pair[which]) for pair in pairs]
