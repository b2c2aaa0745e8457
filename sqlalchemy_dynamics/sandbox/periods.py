"""Relative dates as intervals: what ``LastXDays`` or ``ThisMonth`` means now. The caller's time zone is UTC.

Weeks start on Sunday; the fiscal year is the calendar year in quarters (what a new organisation has).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["FIXED_PERIODS", "NUMBERED_PERIODS", "Interval", "fiscal_period", "fiscal_year"]

Interval = tuple[datetime | None, datetime | None]
"""From (inclusive) to (exclusive); None is open."""
_QUARTERS = 4


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _week(moment: datetime) -> datetime:
    day = _day(moment)
    return day - timedelta(days=(day.weekday() + 1) % 7)


def _months(moment: datetime, count: int) -> datetime:
    """Return the moment `count` months later; the day is cut to the month's length."""
    index = moment.year * 12 + moment.month - 1 + count
    year, month = divmod(index, 12)
    first = moment.replace(year=year, month=month + 1, day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return first.replace(day=min(moment.day, (following - first).days))


def _month(moment: datetime) -> datetime:
    return _day(moment).replace(day=1)


def _year(moment: datetime) -> datetime:
    return _day(moment).replace(month=1, day=1)


def _quarter(moment: datetime) -> datetime:
    return _month(moment).replace(month=(moment.month - 1) // 3 * 3 + 1)


def fiscal_year(year: int) -> Interval:
    """Return the interval of a fiscal year."""
    return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)


def fiscal_period(period: int, year: int) -> Interval:
    """Return the interval of fiscal period 1 to 4 of a year."""
    start = datetime(year, 3 * (min(max(period, 1), _QUARTERS) - 1) + 1, 1, tzinfo=UTC)
    return start, _months(start, 3)


def _span(start: Callable[[datetime], datetime], months: int = 0, days: int = 0) -> Callable[[datetime, int], Interval]:
    """A whole unit (day, week, month …), `offset` units away from the current one."""

    def step(moment: datetime, count: int) -> datetime:
        return _months(moment, months * count) if months else moment + timedelta(days=days * count)

    def interval(now: datetime, offset: int) -> Interval:
        begin = step(start(now), offset)
        return begin, step(begin, 1)

    return interval


_UNITS = {
    "Day": _span(_day, days=1),
    "Week": _span(_week, days=7),
    "Month": _span(_month, months=1),
    "Year": _span(_year, months=12),
    "FiscalYear": _span(_year, months=12),
    "FiscalPeriod": _span(_quarter, months=3),
}


def _unit(name: str, offset: int) -> Callable[[datetime], Interval]:
    return lambda now: _UNITS[name](now, offset)


FIXED_PERIODS: dict[str, Callable[[datetime], Interval]] = {
    "Yesterday": _unit("Day", -1),
    "Today": _unit("Day", 0),
    "Tomorrow": _unit("Day", 1),
    "Last7Days": lambda now: (_day(now) - timedelta(days=7), now + timedelta(seconds=1)),
    "Next7Days": lambda now: (now, _day(now) + timedelta(days=8)),
    **{
        f"{word}{unit}": _unit(unit, offset)
        for unit in ("Week", "Month", "Year", "FiscalYear", "FiscalPeriod")
        for word, offset in (("Last", -1), ("This", 0), ("Next", 1))
    },
}
"""Functions without a number."""

_BACK: dict[str, Callable[[datetime, int], datetime]] = {
    "Minutes": lambda now, x: now - timedelta(minutes=x),
    "Hours": lambda now, x: _hour(now) - timedelta(hours=x),
    "Days": lambda now, x: _day(now) - timedelta(days=x),
    "Weeks": lambda now, x: _day(now) - timedelta(days=7 * x),
    "Months": lambda now, x: _months(_day(now), -x),
    "Years": lambda now, x: _months(_day(now), -12 * x),
}


def _last(unit: str) -> Callable[[datetime, int], Interval]:
    return lambda now, x: (_BACK[unit](now, x), now + timedelta(seconds=1))


def _next(unit: str) -> Callable[[datetime, int], Interval]:
    rest = timedelta(hours=1) if unit == "Hours" else timedelta(days=1)
    return lambda now, x: (now, _BACK[unit](now, -x) + rest)


def _older(unit: str) -> Callable[[datetime, int], Interval]:
    exact = unit in ("Minutes", "Hours")
    return lambda now, x: (None, now - timedelta(**{unit.lower(): x}) if exact else _BACK[unit](now, x))


def _fiscal(unit: str, ahead: bool) -> Callable[[datetime, int], Interval]:
    span = _UNITS[unit]
    if ahead:
        return lambda now, x: (span(now, 1)[0], span(now, x)[1])
    return lambda now, x: (span(now, -x)[0], span(now, 0)[0])


_SPANS = ("Hours", "Days", "Weeks", "Months", "Years")
NUMBERED_PERIODS: dict[str, Callable[[datetime, int], Interval]] = {
    **{f"LastX{unit}": _last(unit) for unit in _SPANS},
    **{f"NextX{unit}": _next(unit) for unit in _SPANS},
    **{f"OlderThanX{unit}": _older(unit) for unit in ("Minutes", *_SPANS)},
    **{f"LastX{unit}s": _fiscal(unit, False) for unit in ("FiscalPeriod", "FiscalYear")},
    **{f"NextX{unit}s": _fiscal(unit, True) for unit in ("FiscalPeriod", "FiscalYear")},
    "InFiscalYear": lambda now, x: fiscal_year(x),
}
"""Functions with one number; ``InFiscalPeriod`` is no interval."""
