"""Work done side by side, results in order. Threads of its own: request threads must stay free for the requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["side_by_side"]

Item = TypeVar("Item")
Made = TypeVar("Made")


def side_by_side(work: Callable[[Item], Made], items: Sequence[Item], threads: int) -> list[Made]:
    """Return what `work` makes of each item. The first failure is raised once nothing is under way any more."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(threads, len(items))) as workers:
        under_way = [workers.submit(work, item) for item in items]
        try:
            return [future.result() for future in under_way]
        finally:
            for future in under_way:
                future.cancel()
