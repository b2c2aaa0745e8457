"""An ASGI application served from a thread on a free loopback port, over TLS or in the clear."""

from __future__ import annotations

import asyncio
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
        self._socket = socket.create_server(("127.0.0.1", port))
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
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the sandbox's sign-in service did not start")
            time.sleep(0.005)
