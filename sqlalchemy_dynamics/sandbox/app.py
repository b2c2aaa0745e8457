"""The HTTP skin: token check, faults, compression, request log and the control plane around `router.answer`."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from starlette.concurrency import run_in_threadpool

from sqlalchemy_dynamics.sandbox.faults import Fault, Faults
from sqlalchemy_dynamics.sandbox.limits import Protection
from sqlalchemy_dynamics.sandbox.replies import compressed
from sqlalchemy_dynamics.sandbox.router import answer
from sqlalchemy_dynamics.sandbox.wire import API_PATHS, Reply, Request, Service

__all__ = ["App", "RequestLog", "TokenCheck"]

Scope = dict[str, Any]
Receive = Callable[[], Any]
Send = Callable[[dict[str, Any]], Any]
TokenCheck = Callable[[str], str | None]
"""Takes the Authorization header; returns None when it is fine, else why it is refused."""
Gate = Callable[[Request], Reply | None]
"""Asked before the answer is made: a reply refuses the request (service-protection limits)."""
_COMPRESS_FROM = 1024
_COMPRESS_ELSEWHERE_FROM = 65_536
_SERVER = uuid.uuid4().hex
_HTML = (
    b"<!DOCTYPE html><html><head><title>Service Unavailable</title></head><body>Our services aren't available right now"
)


class RequestLog:
    """What was asked and answered, for `GET /_sandbox/requests`."""

    def __init__(self) -> None:
        self.entries: list[dict[str, object]] = []
        self._lock = threading.Lock()
        self._number = 0

    def add(self, **entry: object) -> None:
        with self._lock:
            self._number += 1
            self.entries.append({"n": self._number, **entry})

    def clear(self) -> None:
        with self._lock:
            self.entries.clear()
            self._number = 0


@dataclass
class App:
    """The ASGI application. `control` answers /_sandbox/*; `gates` and `finish` are seams for limits."""

    service: Service
    faults: Faults
    log: RequestLog
    check: TokenCheck | None
    challenge: Callable[[str], str]
    control: Callable[[str, str, bytes], Reply]
    latency: float = 0.0
    gates: list[Gate] = field(default_factory=list)
    protection: Protection | None = None
    finish: list[Callable[[Request, Reply, float], None]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        body = await _body(receive)
        path = str(scope.get("raw_path", scope["path"].encode()).decode("latin-1"))
        query = scope["query_string"].decode("latin-1")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in _merged(scope["headers"])}
        if path.startswith("/_sandbox/"):
            if not _is_loopback(scope):
                await _send(send, Reply(403, {"Content-Type": "text/plain"}, b"loopback only"))
                return
            reply = await run_in_threadpool(self.control, scope["method"], path, body)
            await _send(send, reply)
            return
        await self._data(scope["method"], path, query, headers, body, send)

    async def _data(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, send: Send
    ) -> None:
        started = time.monotonic()
        url = f"{path}?{query}" if query else path
        if self.latency:
            await asyncio.sleep(self.latency / 1000)
        fault = self.faults.strike(url)
        reply = _fault_reply(fault, self.challenge) if fault else None
        if reply is None:
            reply = await self._protected(method, path, query, headers, body)
        if fault and fault.kind == "repeat":
            _repeat(reply, headers, url)
        large = len(reply.body) >= _COMPRESS_ELSEWHERE_FROM
        reply = await run_in_threadpool(_finished, reply, headers) if large else _finished(reply, headers)
        if "cookie" not in headers:
            reply.headers["Set-Cookie"] = f"{self.service.switches.affinity_cookie}={_SERVER}; Path=/; HttpOnly"
        self.log.add(
            method=method,
            url=url,
            status=0 if fault and fault.kind == "drop" else reply.status,
            request_bytes=len(body),
            response_bytes=len(reply.body),
            ms=round((time.monotonic() - started) * 1000, 3),
            parts=int(reply.headers.pop(":parts", "0")),
        )
        await _send(send, reply, fault)

    async def _protected(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Reply:
        user = headers.get("authorization", "")
        if self.protection is None or (self.check is not None and not user):
            return await run_in_threadpool(self.reply, method, path, query, headers, body)
        refused = self.protection.enter(user)
        if refused is not None:
            return refused
        started = time.monotonic()
        try:
            reply = await run_in_threadpool(self.reply, method, path, query, headers, body)
        finally:
            left = self.protection.leave(user, time.monotonic() - started)
        reply.headers.update(left)
        return reply

    def reply(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request as it came off the wire."""
        origin = _origin(headers)
        prefix = next((p for p in API_PATHS if (path + "/").startswith(p)), None)
        if self.check is not None:
            refusal = self.check(headers.get("authorization", ""))
            if refusal is not None:
                challenge = {"WWW-Authenticate": self.challenge(refusal)}
                return Reply(401, challenge, self.service.switches.unauthorized_body)
        if prefix is None:
            return Reply(
                404, {"Content-Type": "text/html"}, b"<html><body>404 - File or directory not found.</body></html>"
            )
        request = Request(method, path[len(prefix) :], query, headers, body, f"{origin}{prefix}")
        for gate in self.gates:
            refused = gate(request)
            if refused is not None:
                return refused
        started = time.monotonic()
        reply = answer(self.service, request)
        for hook in self.finish:
            hook(request, reply, time.monotonic() - started)
        return reply


def _is_loopback(scope: Scope) -> bool:
    client = scope.get("client")
    return client is None or ip_address(client[0].partition("%")[0]).is_loopback


def _origin(headers: Mapping[str, str]) -> str:
    return f"http://{headers.get('host', '127.0.0.1')}"


def _merged(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    merged: dict[bytes, bytes] = {}
    for name, value in headers:
        merged[name] = merged[name] + b"," + value if name in merged else value
    return list(merged.items())


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _finished(reply: Reply, headers: Mapping[str, str]) -> Reply:
    request_id = str(uuid.uuid4())
    reply.headers.pop(":entity", None)
    reply.headers = {
        "OData-Version": "4.0",
        "x-ms-service-request-id": request_id,
        "REQ_ID": request_id,
        "x-ms-dop-hint": "4",
        "Cache-Control": "no-cache",
        **reply.headers,
    }
    if reply.status == 401:
        reply.headers.pop("OData-Version", None)
    if len(reply.body) >= _COMPRESS_FROM and "gzip" in headers.get("accept-encoding", ""):
        reply.body = compressed(reply)
        reply.headers["Content-Encoding"] = "gzip"
        reply.headers["Vary"] = "Accept-Encoding"
    return reply


def _fault_reply(fault: Fault, challenge: Callable[[str], str]) -> Reply | None:
    if fault.kind == "html":
        return Reply(200, {"Content-Type": "text/html"}, _HTML + b"</body></html>")
    if not fault.kind.isdigit():
        return None
    status = int(fault.kind)
    if status == 401:
        return Reply(401, {"WWW-Authenticate": challenge("expired")})
    if status == 429:
        seconds = "1" if fault.arg is None else f"{fault.arg:g}"
        body = (
            b'{"error":{"code":"0x80072322","message":"Number of requests exceeded the limit of 6000 over time window '
            b'of 300 seconds."}}'
        )
        return Reply(429, {"Retry-After": seconds, "Content-Type": "application/json"}, body)
    if status == 500:
        return Reply(
            500,
            {"Content-Type": "application/json"},
            b'{"error":{"code":"0x80040216","message":"An unexpected error occurred."}}',
        )
    retry = {} if fault.arg is None else {"Retry-After": f"{fault.arg:g}"}
    return Reply(status, {"Content-Type": "text/html", **retry}, _HTML + b"</body></html>")


def _repeat(reply: Reply, headers: Mapping[str, str], url: str) -> None:
    mark = b'"@odata.nextLink":"'
    start = reply.body.rfind(mark)
    if start < 0:
        return
    end = reply.body.index(b'"', start + len(mark))
    link = f"{_origin(headers)}{url}".replace('"', "%22").encode()
    reply.body = reply.body[: start + len(mark)] + link + reply.body[end:]
    reply.memo = None


async def _send(send: Send, reply: Reply, fault: Fault | None = None) -> None:
    kind = fault.kind if fault else ""
    if kind == "drop":
        _cut(send)
        return
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    if reply.status not in (204, 304):
        headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if kind == "truncate":
        await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
        await asyncio.sleep(0.05)
        _cut(send)
        return
    if kind == "slow":
        await _trickle(send, reply.body, (fault.arg if fault else None) or 10_000.0)
        return
    await send({"type": "http.response.body", "body": reply.body})


def _cut(send: Send) -> None:
    """Close the connection under uvicorn's feet: ASGI has no word for it."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()


async def _trickle(send: Send, body: bytes, rate: float) -> None:
    step = max(1, int(rate / 10))
    for start in range(0, len(body), step):
        await send({"type": "http.response.body", "body": body[start : start + step], "more_body": True})
        await asyncio.sleep(step / rate)
    await send({"type": "http.response.body", "body": b""})
