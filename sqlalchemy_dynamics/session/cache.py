"""Bounded caches that belong to one process: a fork starts with empty ones, and nothing in them is ever pickled."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

__all__ = ["ProcessCache"]

Item = TypeVar("Item")

_CACHES: WeakSet[ProcessCache[Any]] = WeakSet()


class ProcessCache(Generic[Item]):
    """Remembers the `size` items used last. What falls out stays usable for those who hold it and is closed by its own
    finalizer when they let go."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: OrderedDict[Hashable, Item] = OrderedDict()
        self._lock = threading.RLock()
        self._making: dict[Hashable, threading.RLock] = {}
        self._abandoned: list[object] = []
        _CACHES.add(self)

    def get(self, key: Hashable, make: Callable[[], Item]) -> Item:
        """The item under `key`, made now if need be; one thread makes it, the others that want it wait."""
        found = self._known(key)
        if found:
            return found[0]
        with self._lock:
            alone = self._making.setdefault(key, threading.RLock())
        with alone:
            found = self._known(key) or (self._made(key, make),)
            return found[0]

    def _known(self, key: Hashable) -> tuple[Item, ...]:
        with self._lock:
            if key not in self._items:
                return ()
            self._items.move_to_end(key)
            return (self._items[key],)

    def _made(self, key: Hashable, make: Callable[[], Item]) -> Item:
        try:
            item = make()
            with self._lock:
                self._items[key] = item
                while len(self._items) > self._size:
                    self._items.popitem(last=False)
        finally:
            with self._lock:
                self._making.pop(key, None)
        return item

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()

    def __len__(self) -> int:
        return len(self._items)

    def _start_anew(self) -> None:
        """In a forked child: keep the parent's items from being finalized here, and use none of them."""
        self._abandoned.append(self._items)
        self._items, self._making = OrderedDict(), {}
        self._lock = threading.RLock()


def _forked() -> None:
    for cache in _CACHES:
        cache._start_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
