"""What was learned of an organisation within the last hour. Good for choosing between ways, never for an answer."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Lately"]

T = TypeVar("T")
_MOST, _SECONDS = 2000, 3600.0


class Lately(Generic[T]):
    """Values by key, shared by all threads; each is forgotten after an hour, or when many came after it."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, key: Hashable) -> tuple[T, ...]:
        """Return the value alone, or nothing when none was learned in time."""
        with self._lock:
            found = self._known.get(key)
        return (found[1],) if found is not None and time.monotonic() - found[0] < _SECONDS else ()

    def learn(self, key: Hashable, value: T) -> None:
        """Keep a value from now on."""
        with self._lock:
            self._known[key] = (time.monotonic(), value)
            self._known.move_to_end(key)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
