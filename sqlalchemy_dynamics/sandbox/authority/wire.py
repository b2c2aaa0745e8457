"""What happens between socket and endpoints: the log, and faults that damage answers on their way out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .calls import read_call
from .failures import Refused, error_body
from .faults import Fault
from .journal import Entry
from .realm import Realm

__all__ = ["Wire"]

_TICK = 0.1
_PAGE = "<html><head><title>Proxy sign-in</title></head><body>Please sign in to the network.</body></html>"


class Wire:
    """ASGI middleware around the endpoints of `realm`."""

    def __init__(self, app: ASGIApp, realm: Realm) -> None:
        self._app, self._realm = app, realm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request: find its fault, log it, answer."""
        request = Request(scope, receive)
        fault = self._realm.faults.strike(scope["path"])
        entry = self._entry(request, fault)
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self._serve(fault, scope, receive, hold)
        self._complete(entry, scope, held[0]["status"])
        await _DELIVERY.get(fault.kind if fault else "", _deliver)(held, send, fault)

    def _entry(self, request: Request, fault: Fault | None) -> Entry:
        names = frozenset(request.headers.keys())
        number = len(self._realm.requests) + 1
        entry = Entry(number, request.method, request.url.path, fault=fault.kind if fault else "", headers=names)
        self._realm.requests.append(entry)
        return entry

    async def _serve(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
        """By the endpoints, unless the fault brings an answer of its own."""
        if fault and fault.kind.startswith("AADSTS"):
            scope["authority.refusal"] = int(fault.kind[6:])
        answer = self._answer_of(fault)
        if answer:
            with suppress(Refused):
                await read_call(Request(scope, receive), self._realm, "v2")
        await (answer or self._app)(scope, receive, send)

    def _answer_of(self, fault: Fault | None) -> Response | None:
        if fault is None or (fault.kind not in ("html", "answer") and not fault.kind.isdigit()):
            return None
        if fault.kind == "answer":
            return Response(fault.body, fault.status, dict(fault.headers))
        if fault.kind == "html":
            return HTMLResponse(_PAGE)
        code = 90055 if fault.kind == "429" else 70002 if fault.kind == "401" else 90033
        headers = {} if fault.arg is None else {"Retry-After": str(fault.arg)}
        return JSONResponse(error_body(Refused(code), self._realm.clock()), int(fault.kind), headers)

    def _complete(self, entry: Entry, scope: Scope, status: int) -> None:
        entry.status = status
        for name, value in scope.get("authority.call", {}).items():
            setattr(entry, name, value)


async def _deliver(held: list[Message], send: Send, fault: Fault | None) -> None:
    for message in held:
        await send(message)


async def _drop(held: list[Message], send: Send, fault: Fault | None) -> None:
    """Close the connection: the client never learns what became of its request."""
    _abort(send)
    await asyncio.sleep(0)


async def _truncate(held: list[Message], send: Send, fault: Fault | None) -> None:
    """Promise the whole body, send half of it, close."""
    body = _body(held)
    await send(held[0])
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await asyncio.sleep(0)
    _abort(send, gently=True)


async def _slow(held: list[Message], send: Send, fault: Fault | None) -> None:
    """Send `arg` bytes per second."""
    rate = float(fault.arg) if fault and fault.arg else 1000.0
    body, piece = _body(held), max(1, int(rate * _TICK))
    await send(held[0])
    for start in range(0, len(body), piece):
        await asyncio.sleep(_TICK)
        await send({"type": "http.response.body", "body": body[start : start + piece], "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _delay(held: list[Message], send: Send, fault: Fault | None) -> None:
    """Stay silent for `arg` seconds, then answer."""
    await asyncio.sleep(float(fault.arg) if fault and fault.arg else 1.0)
    await _deliver(held, send, fault)


_DELIVERY: dict[str, Callable[[list[Message], Send, Fault | None], Awaitable[None]]] = {
    "drop": _drop,
    "truncate": _truncate,
    "slow": _slow,
    "delay": _delay,
}


def _body(held: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in held[1:])


def _abort(send: Send, gently: bool = False) -> None:
    """Close uvicorn's transport under the answer (ASGI itself has no word for it)."""
    transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        (transport.close if gently else transport.abort)()
