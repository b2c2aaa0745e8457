"""The sign-in service as a running thing: https on loopback with a CA of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from .app import sign_in_app
from .certificates import server_identity
from .clients import Client
from .realm import Consent, Realm
from .server import ThreadedServer

__all__ = ["Authority"]

PUBLIC_CLIENT_ID = "5a4d0b0e-0000-4000-8000-000000000001"
CLIENT_ID = "5a4d0b0e-0000-4000-8000-000000000002"
CLIENT_SECRET = "sandbox+secret/with=odd&chars%"
CALLBACK_URL = "http://localhost:33333"


class Authority(Realm):
    """A sign-in service like Microsoft's, reachable at `url` (https://localhost:PORT) from `start()` to `close()`.

    Use it as a context manager. `ca_file` is the PEM file to trust (removed at the end). Two applications are
    registered: a public one (`public_client_id`, redirect `http://localhost`) and a confidential one (`client_id`,
    `client_secret`, redirect `callback_url`). Knobs and the log are those of `Realm`.
    """

    public_client_id = PUBLIC_CLIENT_ID
    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET
    address = ""

    def __init__(
        self,
        organisation_url: str,
        *,
        lifetime: int = 3600,
        clock: Callable[[], float] = time.time,
        consent: Consent = "ask",
        callback_url: str = CALLBACK_URL,
        port: int = 0,
    ) -> None:
        super().__init__(organisation_url, lifetime, clock, consent)
        self.callback_url = callback_url
        self._port = port
        self._server: ThreadedServer | None = None
        self._folder: Path | None = None
        self.add_client(Client(PUBLIC_CLIENT_ID, "Sandbox desktop application"))
        self.add_client(
            Client(CLIENT_ID, "Sandbox web application", (callback_url, "https://app.example/cb"), (CLIENT_SECRET,))
        )

    def start(self) -> Self:
        """Make CA and certificate, and serve."""
        identity = server_identity("localhost", "127.0.0.1", "::1")
        self._folder = Path(tempfile.mkdtemp(prefix="dynamics-sandbox-"))
        chain, key = self._folder / "server.pem", self._folder / "server.key"
        (self._folder / "ca.pem").write_text(identity.ca_pem)
        chain.write_text(identity.chain_pem)
        _write_private(key, identity.key_pem)
        self._server = ThreadedServer(sign_in_app(self), self._port, chain, key)
        key.unlink()
        self.url = self.address = f"https://localhost:{self._server.port}"
        return self

    def close(self) -> None:
        """Stop serving and remove the files."""
        if self._server:
            self._server.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._server = self._folder = None

    def reset(self) -> None:
        """As `Realm.reset`; a changed `url` becomes the true `address` again."""
        super().reset()
        self.url = self.address or self.url

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @property
    def ca_file(self) -> str:
        """Path of the CA's PEM file, while the service runs."""
        if self._folder is None:
            raise RuntimeError("the sign-in service is not running: use it as a context manager or call start()")
        return str(self._folder / "ca.pem")

    def authority(self, tenant: str = "") -> str:
        """The authority URL of a tenant (`common`, a domain, a GUID; default: the demo tenant), as MSAL takes it."""
        return f"{self.url}/{tenant or self.tenant}"


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
