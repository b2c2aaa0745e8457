"""SQL Server's order of GUIDs as a macro of the residual engine: the last six bytes decide first."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["GUID_MACRO"]

_BYTES = 16
_RUNS = ((10, 6), (8, 2), (7, 1), (6, 1), (5, 1), (4, 1), (3, 1), (2, 1), (1, 1), (0, 1))
"""First byte and length, in the order they are compared; bytes as they are written (dataverse-web-api: GUID order)."""


def _moved() -> Iterator[str]:
    """Every run of bytes at its place of a 128-bit number."""
    place = _BYTES
    for start, length in _RUNS:
        low, place = 8 * (_BYTES - start - length), place - length
        mask = ((1 << 8 * length) - 1) << low
        distance = 8 * place - low
        yield f"((CAST(x AS UHUGEINT) & {mask}::UHUGEINT) {'<<' if distance > 0 else '>>'} {abs(distance)})"


GUID_MACRO = f"CREATE MACRO guid_key(x) AS {' | '.join(_moved())}"
