"""An ASGI application served from a thread on a free loopback port, over TLS or in the clear."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn

__all__ = ["ThreadedServer"]

_START_SECONDS = 10.0


class ThreadedServer:
    """Serves `app` on 127.0.0.1 from the moment it is made until `close()`."""

    def __init__(self, app: Any, port: int = 0, certificate: Path | None = None, key: Path | None = None) -> None:
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            server_header=False,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name=f"sandbox sign-in {self.port}", daemon=True)
        self._thread.start()
        self._wait()

    def close(self) -> None:
        """Stop serving and free the port."""
        self._loop.call_soon_threadsafe(self._hang_up)
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        self._loop = asyncio.new_event_loop()
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._server.serve(sockets=[self._socket]))
            self._end_answers()

    def _end_answers(self) -> None:
        """End what is still being answered slowly; nobody listens any more."""
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left))

    def _hang_up(self) -> None:
        """End idle connections too: clients keep theirs open and would be waited for."""
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        self._server.should_exit = self._server.force_exit = True

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the sandbox's sign-in service did not start")
            time.sleep(0.005)


def _listening(port: int) -> socket.socket:
    """A listening socket that says it is TCP: only then does asyncio switch Nagle's delay (40 ms an answer) off."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener
