"""SUM for sqlite that has no limit: the database's own fails when whole numbers outgrow 64 bits."""

from __future__ import annotations

__all__ = ["ExactSum"]


class ExactSum:
    """An aggregate function in place of ``sum``: whole numbers add up exactly, as text beyond 64 bits."""

    def __init__(self) -> None:
        self._whole = 0
        self._real: float | None = None
        self._seen = False

    def step(self, value: object) -> None:
        """Take one value; nulls do not count."""
        if isinstance(value, int):
            self._whole += value
        elif isinstance(value, float):
            self._real = (self._real or 0.0) + value
        self._seen = self._seen or value is not None

    def finalize(self) -> int | float | str | None:
        """Return the sum."""
        if not self._seen:
            return None
        if self._real is not None:
            return self._whole + self._real
        return self._whole if abs(self._whole) < 2**63 else str(self._whole)
