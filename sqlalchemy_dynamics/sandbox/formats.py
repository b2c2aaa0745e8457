"""The texts of `@OData.Community.Display.V1.FormattedValue`, for an American user in UTC (section 1.4)."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy_dynamics.sandbox.values import decimal_scale

__all__ = ["choice_labels", "formatted"]


def _moment(value: object, only_date: object) -> str:
    moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    day = f"{moment.month}/{moment.day}/{moment.year:04d}"
    if only_date or len(str(value)) == 10:
        return day
    hour = moment.hour % 12 or 12
    return f"{day} {hour}:{moment.minute:02d} {'PM' if moment.hour >= 12 else 'AM'}"


def _amount(value: object, scale: int, places: int) -> str:
    return f"{abs(float(str(value))) / 10**scale:,.{places}f}"


def _money(value: object, symbol: object) -> str:
    text = f"{symbol or '$'}{_amount(value, 4, 2)}"
    return f"({text})" if float(str(value)) < 0 else text


def _decimal(value: object, places: object) -> str:
    shown = int(str(places or 2))
    return ("-" if float(str(value)) < 0 else "") + _amount(value, decimal_scale(int(str(places or 0))), shown)


def formatted(kind: object, value: object, detail: object) -> str | None:
    """Return the formatted text; `detail` is the currency symbol, the places, or whether only the date shows."""
    if value is None:
        return None
    if kind == "DateTime":
        return _moment(value, detail)
    if kind == "Money":
        return _money(value, detail)
    if kind == "Decimal":
        return _decimal(value, detail)
    if kind == "Double":
        return f"{float(str(value)):,.{int(str(detail or 2))}f}"
    return f"{int(str(value)):,}"


def choice_labels(value: object, labels: object) -> str | None:
    """Return the labels of a multi-choice value, ``A; B``; `labels` is JSON by value."""
    if value is None:
        return None
    known = json.loads(str(labels))
    return "; ".join(str(known.get(number, number)) for number in str(value).split(","))
