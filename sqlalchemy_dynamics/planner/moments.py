"""Moments: points in time computed from literals, parameters and the statement's own clock.

A moment that needs parameters is the key of a filter's Parameter; `Bound` computes it when the statement runs. All
times are UTC; naive ones are taken as they stand (dataverse-web-api: behaviours of dates).
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy_dynamics.odata.literals import convert

__all__ = ["FIXED_UNITS", "UNITS", "Bound", "Key", "Moment", "literal_moment", "starting_in"]

UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
_MONTHS = {"year": 12, "quarter": 3, "month": 1}
FIXED_UNITS = {
    "week": timedelta(7),
    "day": timedelta(1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}
"""Units that always last as long."""
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_TEXT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Key:
    """A parameter: its key, and what EXPLAIN calls it."""

    key: int | str
    name: str


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of the computation: add, floor, ceil or next; `amount` times `sign` of the unit are added."""

    what: str
    unit: str
    amount: int | Key = 1
    sign: int = 1

    def __str__(self) -> str:
        if self.what != "add":
            return f"{self.what} {self.unit}"
        if isinstance(self.amount, Key):
            return f"{'+-'[self.sign < 0]} {self.amount.name} {self.unit}"
        return f"{'+-'[self.sign * self.amount < 0]} {abs(self.amount)} {self.unit}"


@dataclass(frozen=True, slots=True)
class Moment:
    """`start` and the steps from there. `is_date` says that SQL's type is DATE."""

    start: datetime | Key | tuple[int | Key, ...]
    steps: tuple[_Step, ...] = ()
    is_date: bool = False

    def floor(self, unit: str) -> Moment:
        """Return the start of the year, month… it lies in."""
        return self._then(_Step("floor", unit))

    def ceil(self, unit: str) -> Moment:
        """Return itself when a unit starts there, the start of the next one otherwise."""
        return self._then(_Step("ceil", unit))

    def following(self, unit: str) -> Moment:
        """Return the start of the unit after the one it lies in."""
        return self._then(_Step("next", unit))

    def plus(self, unit: str, amount: int | Key, sign: int = 1) -> Moment:
        """Return the moment some units later; a month's day is cut to the month's length."""
        return replace(self._then(_Step("add", unit, amount, sign)), is_date=False)

    def _then(self, step: _Step) -> Moment:
        return replace(self, steps=(*self.steps, step))

    @property
    def is_fixed(self) -> bool:
        """Whether it needs no parameter."""
        held = (*(self.start if isinstance(self.start, tuple) else (self.start,)), *(s.amount for s in self.steps))
        return not any(isinstance(each, Key) for each in held)

    def at(self, values: Mapping[int | str, object]) -> datetime | None:
        """Return the moment, None when a parameter is NULL; what lies beyond the calendar is its first or last."""
        moment = _started(self.start, values)
        for step in self.steps:
            amount = _amount(step.amount, values)
            if moment is None or amount is None:
                return None
            moment = _STEPS[step.what](moment, step.unit, amount, step.sign)
        return moment

    def __str__(self) -> str:
        start = "-".join(map(_named, self.start)) if isinstance(self.start, tuple) else _named(self.start)
        return " ".join((start, *map(str, self.steps)))


class Bound(dict[Any, object]):
    """The parameter values of a run. A key that is computed from others is computed when it is asked for."""

    def __missing__(self, key: Hashable) -> object:
        compute = getattr(key, "at", None)
        if compute is None:
            raise KeyError(key)
        return compute(self)


def _named(part: object) -> str:
    return part.name if isinstance(part, Key) else str(part)


def _started(start: datetime | Key | tuple[int | Key, ...], values: Mapping[int | str, object]) -> datetime | None:
    if isinstance(start, datetime):
        return start
    if isinstance(start, Key):
        value = values[start.key]
        return None if value is None else cast(datetime, convert(value, "Edm.DateTimeOffset"))
    parts = [_amount(part, values) for part in start]
    if any(part is None for part in parts):
        return None
    year, month, day = cast(list[int], parts)
    if not 1 <= year <= _LAST.year:
        return _FIRST if year < 1 else _LAST
    return _add(_add(datetime(year, 1, 1, tzinfo=UTC), "month", month - 1, 1), "day", day - 1, 1)


def _amount(amount: int | Key, values: Mapping[int | str, object]) -> int | timedelta | None:
    return cast("int | timedelta | None", values[amount.key]) if isinstance(amount, Key) else amount


def _add(moment: datetime, unit: str, amount: int | timedelta, sign: int) -> datetime:
    try:
        return _sum(moment, unit, amount, sign)
    except (OverflowError, ValueError):
        backwards = (amount < timedelta() if isinstance(amount, timedelta) else amount < 0) != (sign < 0)
        return _FIRST if backwards else _LAST


def _sum(moment: datetime, unit: str, amount: int | timedelta, sign: int) -> datetime:
    if isinstance(amount, timedelta):
        return moment + sign * amount
    if unit in FIXED_UNITS:
        return moment + sign * amount * FIXED_UNITS[unit]
    year, month = divmod(moment.year * 12 + moment.month - 1 + sign * amount * _MONTHS[unit], 12)
    first = moment.replace(year=year, month=month + 1, day=1)
    return first.replace(day=min(moment.day, monthrange(year, month + 1)[1]))


def _floor(moment: datetime, unit: str, *_: object) -> datetime:
    if unit in ("second", "minute", "hour"):
        finer: dict[str, Any] = dict.fromkeys(("microsecond", "second", "minute")[: _FINE[unit]], 0)
        return moment.replace(**finer)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        return day - timedelta(day.weekday())
    if unit == "day":
        return day
    return day.replace(month=(day.month - 1) // _MONTHS[unit] * _MONTHS[unit] + 1, day=1)


_FINE = {"second": 1, "minute": 2, "hour": 3}


def _ceil(moment: datetime, unit: str, *_: object) -> datetime:
    start = _floor(moment, unit)
    return start if start == moment else _add(start, unit, 1, 1)


def _next(moment: datetime, unit: str, *_: object) -> datetime:
    return _add(_floor(moment, unit), unit, 1, 1)


_STEPS: dict[str, Callable[..., datetime]] = {"add": _add, "floor": _floor, "ceil": _ceil, "next": _next}


def literal_moment(text: str, naive: bool = False) -> datetime | None:
    """Return ISO text as a moment; a zone is converted to UTC. None when it is no ISO.

    With `naive` a zone other than UTC is refused: SQL drops it there.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None or (naive and (match[8] or "Z").strip("Z+-0:")):
        return None
    zone = {None: "+00:00", "Z": "+00:00"}.get(match[8]) or (match[8] if len(match[8]) > 3 else match[8] + ":00")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, int((match[7] or "").ljust(6, "0")))
        return datetime.fromisoformat(moment.isoformat() + zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def starting_in(year: int | Key, month: int | Key = 1, day: int | Key = 1) -> Moment:
    """Return the first moment of a day; months and days may run over into the next year or month."""
    return Moment((year, month, day))
