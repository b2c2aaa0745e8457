"""What a wrong call of the command raises."""

from __future__ import annotations

__all__ = ["UsageError"]


class UsageError(Exception):
    """The command was called in a way that cannot work (exit code 2)."""
