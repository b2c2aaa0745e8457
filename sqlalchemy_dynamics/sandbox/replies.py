"""Answers kept for a client that asks the same page again: bounded, dropped with the first change of any row."""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from sqlalchemy_dynamics.sandbox.wire import Memo, Reply, Request, Service

__all__ = ["ReplyCache", "compressed"]

_LARGEST = 64 * 1024 * 1024
_NOT_KEPT = ("Microsoft.Dynamics.CRM.", "fetchXml", "savedQuery", "userQuery", "sql=", "deltatoken")
_SEEN_HEADERS = (
    *("prefer", "if-none-match", "callerobjectid", "mscrmcallerid"),
    *("accept", "odata-version", "odata-maxversion"),
)


@dataclass
class ReplyCache:
    """The replies of GETs on data, by root, path, query and the headers that shape them."""

    limit: int = _LARGEST
    _kept: OrderedDict[tuple[str, ...], tuple[tuple[int, int], Reply]] = field(default_factory=OrderedDict)
    _size: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _key(self, request: Request) -> tuple[str, ...] | None:
        if request.method != "GET" or any(word in request.query for word in _NOT_KEPT):
            return None
        if "track-changes" in request.headers.get("prefer", ""):
            return None
        return (request.root, request.path, request.query, *(request.headers.get(name, "") for name in _SEEN_HEADERS))

    def get(self, service: Service, request: Request) -> Reply | None:
        """Return a fresh copy of a kept reply that is still true."""
        key = self._key(request)
        with self._lock:
            found = self._kept.get(key) if key is not None else None
            if key is None or found is None or found[0] != _moment(service):
                return None
            self._kept.move_to_end(key)
            kept = found[1]
        return Reply(kept.status, dict(kept.headers), kept.body, kept.memo)

    def put(self, service: Service, request: Request, moment: tuple[int, int], reply: Reply) -> None:
        """Keep a reply made at `moment`, if nothing changed since."""
        key = self._key(request)
        if key is None or reply.status != 200 or moment != _moment(service) or len(reply.body) > self.limit // 4:
            return
        reply.memo = Memo()
        with self._lock:
            self._drop(key)
            self._kept[key] = moment, Reply(reply.status, dict(reply.headers), reply.body, reply.memo)
            self._size += len(reply.body)
            while self._size > self.limit:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, ...]) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._size -= len(gone[1].body)


def _moment(service: Service) -> tuple[int, int]:
    return service.store.writes, service.organisation.version


def compressed(reply: Reply) -> bytes:
    """Return the body in gzip; made once for a kept reply."""
    if reply.memo is not None and reply.memo.gzip:
        return reply.memo.gzip
    packed = gzip.compress(reply.body, 1)
    if reply.memo is not None:
        reply.memo.gzip = packed
    return packed
