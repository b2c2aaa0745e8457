"""The first pages of a scan, and the answer over them as soon as it is long enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

__all__ = ["first_answer"]

_MOST_PAGES = 8


def first_answer(
    pages: Iterator[pyarrow.RecordBatch], count: int, answer: Callable[[list[pyarrow.RecordBatch]], pyarrow.Table]
) -> tuple[pyarrow.Table | None, Iterator[pyarrow.RecordBatch]]:
    """Return the answer over the first 1, 2, 4 or 8 pages that has `count` rows, or over all when there are no more.

    None, and all pages once more, when that many are not enough: then the whole is streamed.
    """
    held: list[pyarrow.RecordBatch] = []
    while len(held) < _MOST_PAGES:
        more = list(islice(pages, max(1, len(held))))
        held += more
        found = answer(held)
        if found.num_rows >= count or len(more) < max(1, len(held) - len(more)):
            return found, iter(())
    return None, chain(held, pages)
