"""Faults at the nth request, in front of the sandbox: before its work, after it, in its middle, or in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy_dynamics.sandbox import Sandbox

__all__ = ["KINDS", "LOST", "TRANSIENT", "Gate"]

BEFORE, AFTER, DURING, LATE = "drop before", "drop after", "cut off", "504 after"
"""The service never saw the request; did it and the answer was lost, or came in part, or a gateway's in its place."""
LOST = frozenset({BEFORE, AFTER, DURING, LATE, "503", "504", "html"})
"""After these a client cannot know."""
TRANSIENT = (LOST - {"html"}) | {"429", "401"}
"""What must not be seen: sent again, or signed in anew, the request succeeds."""
KINDS = (*sorted(TRANSIENT), "500", "html")
_PAGE = b"<!DOCTYPE html><html><head><title>Service Unavailable</title></head><body></body></html>"
_REFUSALS: Mapping[str, bytes] = {
    "429": b'{"error":{"code":"0x80072322","message":"Number of requests exceeded the limit of 6000."}}',
    "500": b'{"error":{"code":"0x80040216","message":"An unexpected error occurred."}}',
}


class Gate:
    """Lets requests through, counts them, and does what is planned for the nth; install it before the first one.

    `plan` maps the number of a request, from 1, to a kind; `ever` strikes all from that number on. `fired` lists what
    struck.
    """

    def __init__(self, org: Sandbox) -> None:
        self._pass, self._challenge = org.app._data, org.challenge
        self.seen, self.ever = 0, 0
        self.plan: dict[int, str] = {}
        self.fired: list[str] = []
        org.app._data = self._data  # type: ignore[method-assign]  # between the server and its routes

    def arm(self, plan: Mapping[int, str] | None = None, ever: int = 0) -> None:
        """Begin to count anew; with `ever`, the kind planned for that number strikes from then on."""
        self.seen, self.plan, self.ever, self.fired = 0, dict(plan or {}), ever, []

    def _kind(self) -> str:
        self.seen += 1
        number = min(self.seen, self.ever) if self.ever else self.seen
        kind = self.plan.get(number, "")
        if kind:
            self.fired.append(kind)
        return kind

    async def _data(self, method: str, path: str, query: str, headers: Any, body: bytes, send: Any) -> None:
        kind = self._kind()
        if kind in ("", AFTER, DURING, LATE):
            kept: list[dict[str, Any]] = []

            async def keep(message: dict[str, Any]) -> None:
                kept.append(message)

            await self._pass(method, path, query, headers, body, keep if kind else send)
            if kind:
                await _lose(kind, kept, send)
        elif kind == BEFORE:
            _cut(send)
        else:
            await self._refuse(kind, send)

    async def _refuse(self, kind: str, send: Any) -> None:
        status = 200 if kind == "html" else int(kind)
        headers = {"content-type": "application/json" if kind in _REFUSALS else "text/html"}
        if kind == "429":
            headers["retry-after"] = "0"
        if kind == "401":
            headers["www-authenticate"] = self._challenge("expired")
        await _answer(send, status, headers, _REFUSALS.get(kind, b"" if kind == "401" else _PAGE))


async def _lose(kind: str, kept: Sequence[dict[str, Any]], send: Any) -> None:
    if kind == LATE:
        await _answer(send, 504, {"content-type": "text/html"}, _PAGE)
        return
    body = b"".join(message.get("body", b"") for message in kept[1:])
    if kind == DURING and len(body) > 1:
        await send(kept[0])
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await asyncio.sleep(0.005)
    _cut(send)


async def _answer(send: Any, status: int, headers: Mapping[str, str], body: bytes) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def _cut(send: Any) -> None:
    """Close the connection under the server's feet."""
    send.__self__.transport.abort()
