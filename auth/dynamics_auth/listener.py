"""The loopback receiver: takes the redirect of a sign-in by GET or POST and gives the port back at once."""

from __future__ import annotations

import errno
import hmac
import queue
import re
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dynamics_auth.answers import Answer
from dynamics_auth.failures import AuthError, SignInTimeout
from dynamics_auth.pages import CONTENT_SECURITY_POLICY, render
from dynamics_auth.ports import Logger
from dynamics_auth.redirects import loopback_parts
from dynamics_auth.tokens import Unpicklable

__all__ = ["Receiver"]

MAX_BODY = 64 * 1024
DRAINED = 1 << 20
SOCKET_TIMEOUT = 10.0
_FAMILIES = {
    "localhost": ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")),
    "127.0.0.1": ((socket.AF_INET, "127.0.0.1"),),
    "::1": ((socket.AF_INET6, "::1"),),
}
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Connection": "close",
}


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 16
    receiver: Receiver

    def __init__(self, family: socket.AddressFamily, address: str, port: int, receiver: Receiver) -> None:
        self.address_family = family
        self.allow_reuse_address = sys.platform != "win32"
        self.receiver = receiver
        super().__init__((address, port), _Handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().server_bind()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is the browser's business; its bytes may hold the code."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = SOCKET_TIMEOUT
    server_version = "sign-in"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        size = int(length) if re.fullmatch("[0-9]{1,9}", length) else 0
        body = self.rfile.read(min(size, DRAINED))
        self._answer(body.decode("ascii", "replace") if size <= MAX_BODY else "")

    def _answer(self, parameters: str) -> None:
        receiver = self.server.receiver
        if self.headers.get("Host", "").lower() not in receiver.hosts:
            self._send("wrong_host")
        elif (urlsplit(self.path).path or "/") != receiver.path:
            self._send("not_found")
        else:
            page, answer = receiver.judge(parameters)
            receiver.log(page)
            try:
                self._send(page)
            finally:
                if answer is not None:
                    receiver.deliver(answer)

    def _send(self, page: str) -> None:
        status, body = render(page)
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The standard page repeats what was asked; ours does not."""
        self._send("not_found")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the request line holds the code."""


class Receiver(Unpicklable):
    """Listens on the CallbackURL's port, on 127.0.0.1 and ::1 alike when it says localhost.

    Use it as a context manager: entering binds (AuthError naming the taken address), leaving frees the port at once.
    """

    def __init__(self, callback: str, state: str, logger: Logger) -> None:
        parts = loopback_parts(callback)
        self._callback = callback
        self._state = state
        self._logger = logger
        self._host = parts.hostname or ""
        self.port = parts.port or 80
        self.path = parts.path or "/"
        names = {f"[{self._host}]" if ":" in self._host else self._host, "localhost", "127.0.0.1", "[::1]"}
        self.hosts = {f"{name}:{self.port}" for name in names} | (names if self.port == 80 else set())
        self._servers: list[_Server] = []
        self._serving = False
        self._guard = threading.Lock()
        self._taken = False
        self._answers: queue.Queue[Answer] = queue.Queue()

    def __enter__(self) -> Receiver:
        try:
            for family, address in _FAMILIES[self._host]:
                self._bind(family, address)
        except BaseException:  # an interrupt leaves no port taken either
            self.close()
            raise
        if not self._servers:
            raise AuthError(f"no loopback address for CallbackURL {self._callback} exists on this machine")
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True, name="sign-in").start()
        self._serving = True
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _bind(self, family: socket.AddressFamily, address: str) -> None:
        try:
            self._servers.append(_Server(family, address, self.port, self))
        except OSError as error:
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                return
            raise AuthError(
                f"cannot listen on {address} port {self.port} ({error.strerror}): another program uses it, or it needs "
                "rights; free it, or set CallbackURL to another port that is registered for the application"
            ) from None

    def close(self) -> None:
        """Stop listening; the port is free when this returns."""
        for server in self._servers:
            if self._serving:
                server.shutdown()
            server.server_close()
        self._servers, self._serving = [], False

    def judge(self, parameters: str) -> tuple[str, Answer | None]:
        """The page for a redirect's parameters and, for the first valid one, the answer itself."""
        try:
            found = parse_qsl(parameters, keep_blank_values=True, max_num_fields=50, errors="replace")
        except ValueError:
            return "malformed", None
        values = Answer(found)
        if len(values) != len(found) or not (values.get("code") or values.get("error")):
            return "malformed", None
        if not hmac.compare_digest(str(values.get("state", "")).encode(), self._state.encode()):
            return "mismatch", None
        with self._guard:
            if self._taken:
                return "too_late", None
            self._taken = True
        return ("declined" if values.get("error") else "received"), values

    def log(self, outcome: str) -> None:
        """Say how a redirect was judged, and nothing of what it held."""
        self._logger.log(4, f"AUTH redirect: {outcome}")

    def deliver(self, answer: Answer) -> None:
        """Hand the answer to whoever waits."""
        self._answers.put(answer)

    def wait(self, timeout: float) -> Answer:
        """The parameters of the first valid redirect. Raises SignInTimeout after `timeout` seconds."""
        try:
            return self._answers.get(timeout=timeout)
        except queue.Empty:
            pass
        raise SignInTimeout(
            f"nobody finished the sign-in within {timeout:g} seconds. If the browser showed an error about the reply "
            f"URL, register CallbackURL {self._callback} for the application; OAuthSignInTimeout allows more time"
        )
