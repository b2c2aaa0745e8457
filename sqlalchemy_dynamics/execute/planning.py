"""Statement text to a plan, remembered: by text, kinds of the parameters, and the metadata it was made with."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.execute.plain import plain_value
from sqlalchemy_dynamics.planner.lengths import shaping
from sqlalchemy_dynamics.planner.moments import Bound
from sqlalchemy_dynamics.planner.names import Lookup
from sqlalchemy_dynamics.planner.parse import Statement, parse
from sqlalchemy_dynamics.planner.plan import Plan
from sqlalchemy_dynamics.planner.reading import plan_select
from sqlalchemy_dynamics.planner.residual import parameters_in

__all__ = ["Parameters", "Values", "bound_values", "has_parameters", "held_values", "parsed", "plan_of"]

Parameters = Sequence[Any] | Mapping[str, Any] | None
"""What a statement is given: by position, or by name."""
Values = Mapping[int | str, object]
"""The same by position from 1, or by name."""
_MOST_PLANS = 1000
_plans: OrderedDict[Hashable, tuple[Statement, Plan]] = OrderedDict()
_lock = threading.Lock()

parsed = lru_cache(1000)(parse)


def clock() -> datetime:
    """Return the moment that CURRENT_TIMESTAMP stands for."""
    return datetime.now(UTC)


def bound_values(statement: Statement, parameters: Parameters) -> Values:
    """Return the parameters by position (from 1) or name, the clock among them when the statement asks for it.

    Raises ProgrammingError when their number is wrong.
    """
    return Bound({**_given(statement, parameters), **held_values(statement)})


def held_values(statement: Statement) -> Values:
    """Return what a statement is given without being asked: the clock, when it looks at it."""
    return {} if statement.clock is None else {statement.clock: clock()}


def has_parameters(statement: Statement) -> bool:
    """Say whether there are parameters to give."""
    return statement.tree is not None and not set(parameters_in(statement.tree)) <= {statement.clock}


def _given(statement: Statement, parameters: Parameters) -> Values:
    if isinstance(parameters, Mapping):
        if statement.markers:
            raise ProgrammingError("the statement has ? markers: pass a sequence, or write :name for a mapping")
        return {key: plain_value(key, value) for key, value in parameters.items()}
    given = list(parameters or ())
    if len(given) != statement.markers:
        raise ProgrammingError(
            f"the statement has {statement.markers} parameter markers (?), {len(given)} values were given"
        )
    return {key: plain_value(key, value) for key, value in enumerate(given, start=1)}


def plan_of(statement: Statement, lookup: Lookup, values: Values, owner: Hashable, pushdown: bool) -> Plan:
    """Return the plan of a SELECT; `owner` names the organisation and the state of its metadata."""
    pinned = shaping(statement.pinned, values)
    kinds = {key: type(value).__name__ for key, value in values.items()}
    key = (owner, pushdown, id(statement), tuple(kinds.items()), tuple(map(repr, pinned.values())))
    with _lock:
        if key in _plans:
            _plans.move_to_end(key)
            return _plans[key][1]
    plan = _made(statement, lookup, kinds, pinned, pushdown)
    with _lock:
        _plans[key] = (statement, plan)
        while len(_plans) > _MOST_PLANS:
            _plans.popitem(last=False)
    return plan


def _made(statement: Statement, lookup: Lookup, kinds: Mapping[int | str, str], pinned: Values, pushdown: bool) -> Plan:
    try:
        return plan_select(statement.tree, lookup, kinds, pinned, pushdown)
    except RecursionError:
        raise ProgrammingError("the statement is nested too deeply") from None
