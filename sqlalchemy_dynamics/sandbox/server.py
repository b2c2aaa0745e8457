"""`Sandbox`: the organisation served by uvicorn from a thread of this process."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import uvicorn

from sqlalchemy_dynamics.sandbox.app import App, RequestLog, TokenCheck
from sqlalchemy_dynamics.sandbox.control import ControlPlane
from sqlalchemy_dynamics.sandbox.ddl_change import change_log
from sqlalchemy_dynamics.sandbox.ddl_keys import resume_indexes
from sqlalchemy_dynamics.sandbox.defining import register_definitions
from sqlalchemy_dynamics.sandbox.demo import demo_organisation
from sqlalchemy_dynamics.sandbox.faults import Faults, parse_fault
from sqlalchemy_dynamics.sandbox.generator import Generator
from sqlalchemy_dynamics.sandbox.keeping import restore_changes
from sqlalchemy_dynamics.sandbox.limits import Deadlines, Limits, Protection, refuse_too_large
from sqlalchemy_dynamics.sandbox.schema import Organisation
from sqlalchemy_dynamics.sandbox.store import Store
from sqlalchemy_dynamics.sandbox.switches import Switches
from sqlalchemy_dynamics.sandbox.wire import Service
from sqlalchemy_dynamics.sandbox.writing import register_writes

if TYPE_CHECKING:
    from sqlalchemy_dynamics.sandbox.authority import Authority

__all__ = ["Sandbox"]

register_writes()
register_definitions()

_IN_MEMORY_UP_TO = 20_000
_MADE_AT_ONCE = {"account": 20_000, "contact": 400_000}


def _check(**numbers: tuple[float, int]) -> None:
    """Raise ValueError for a number below the one it must not be below."""
    for name, (number, least) in numbers.items():
        if number < least:
            raise ValueError(f"{name} must be {least} or more, not {number}")


def _opened(organisation: Organisation, generator: Generator, path: str) -> tuple[Store, dict[str, int]]:
    """The rows, and the versions in which tables of the organisation were changed before."""
    try:
        changed = restore_changes(path, organisation)
        return Store(organisation, generator.fill, path), changed
    except sqlite3.DatabaseError as error:
        raise ValueError(f"cannot keep the rows in {path}: {error}") from None


def _resume(service: Service, changed: dict[str, int]) -> None:
    """Go on where the sandbox that made the changes of the schema ended."""
    if changed:
        log = change_log(service)
        log.changed.update(changed)
        log.latest = replace(service.organisation, _cache={})
        resume_indexes(service)


class Sandbox:
    """A local Dataverse organisation. A context manager; `start` and `close` do the same by hand.

    `rows` accounts (other tables in proportion) made from `seed`; `metadata` a CSDL file to become the organisation of;
    `database` a sqlite file to keep rows and changes of the schema in; `latency` milliseconds added to each answer;
    `faults` as ``KIND:WHEN[:ARG]`` texts; `auth=False` asks for no token; `limits` the service-protection numbers
    (those of the service unless given). Raises ValueError for a bad number, fault, document or database.
    """

    def __init__(
        self,
        rows: int = 1000,
        seed: int = 1,
        metadata: str | os.PathLike[str] | None = None,
        database: str | os.PathLike[str] | None = None,
        latency: float = 0,
        faults: Sequence[str] = (),
        max_page_size: int = 5000,
        aggregate_limit: int = 50_000,
        count_limit: int = 5000,
        auth: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
        switches: Switches | None = None,
        limits: Limits | None = None,
    ) -> None:
        _check(rows=(rows, 0), max_page_size=(max_page_size, 1), latency=(latency, 0))
        _check(aggregate_limit=(aggregate_limit, 1), count_limit=(count_limit, 1))
        self._metadata = None if metadata is None else Path(metadata)
        self._folder = (
            tempfile.mkdtemp(prefix="dynamics-sandbox-") if database is None and rows > _IN_MEMORY_UP_TO else ""
        )
        path = str(database) if database is not None else f"{self._folder}/rows.db" if self._folder else ":memory:"
        organisation = self._build()
        generator = Generator(organisation, rows, seed)
        store, changed = _opened(organisation, generator, path)
        self.service = Service(
            organisation, store, generator, switches or Switches(), max_page_size, aggregate_limit, count_limit
        )
        _resume(self.service, changed)
        self.protection = Protection(limits or Limits())
        self.faults = Faults([parse_fault(text) for text in faults], seed)
        self.log = RequestLog()
        self.access_token = f"sandbox.{secrets.token_urlsafe(32)}"
        """A token the sandbox accepts; it never expires."""
        self._authority: Authority | None = None
        self._authority_lock = threading.Lock()
        self._check: TokenCheck | None = self.check_token if auth else None
        self.app = self._app(latency)
        self._set_gates(self.protection.limits.timeout)
        self._host, self._port = host, port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""
        """The organisation's root, ``http://127.0.0.1:PORT``, once started."""

    def _app(self, latency: float) -> App:
        control = ControlPlane(self.service, self.log, self.faults, self.reset, lambda: self.authority)
        check, protection = self._check, self.protection
        return App(self.service, self.faults, self.log, check, self.challenge, control, latency, protection=protection)

    def _set_gates(self, timeout: float) -> None:
        deadlines = Deadlines(timeout)
        self.service.store.interrupt_when(deadlines.passed)
        self.app.gates += [refuse_too_large, deadlines.start]
        self.app.finish.append(deadlines.finish)

    def _build(self) -> Organisation:
        if self._metadata is None:
            return demo_organisation()
        from sqlalchemy_dynamics.sandbox.csdl_reader import read_csdl

        return read_csdl(self._metadata.read_bytes())

    @property
    def requests(self) -> list[dict[str, object]]:
        """The log of data requests."""
        return self.log.entries

    @property
    def authority(self) -> Authority:
        """The sandbox's own sign-in service, started when first asked for (about 0.1 s) and closed with the sandbox."""
        with self._authority_lock:
            if self._authority is None:
                if self._server is None:
                    raise RuntimeError("the sandbox is not running: use it as a context manager or call start()")
                from sqlalchemy_dynamics.sandbox.authority import Authority

                self._authority = Authority(self.url).start()
            return self._authority

    @property
    def info(self) -> dict[str, object]:
        """What `dynamics sandbox` prints as one line of JSON."""
        return {
            "OrganizationUrl": self.url,
            "Url": f"dynamics:///?OrganizationUrl={self.url};OAuthAccessToken={self.access_token}",
            "AccessToken": self.access_token,
            "AuthorityUrl": self.authority.url,
            "CaFile": self.authority.ca_file,
            "Tenant": self.authority.tenant,
            "PublicClientId": self.authority.public_client_id,
            "ClientId": self.authority.client_id,
            "ClientSecret": self.authority.client_secret,
            "CallbackURL": self.authority.callback_url,
            "pid": os.getpid(),
        }

    def check_token(self, header: str) -> str | None:
        """Return why an Authorization header is refused, None when it is fine."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return "missing"
        if secrets.compare_digest(token.strip(), self.access_token):
            return None
        return "bad signature" if self._authority is None else self._authority.check(token.strip())

    def challenge(self, reason: str = "missing") -> str:
        """Return the WWW-Authenticate header of a 401: tenant discovery, and what is wrong with the token."""
        return self.authority.challenge_for(reason)

    def reset(self) -> None:
        """Go back to the seeded state: schema, rows, rooms' memories; faults and log stay."""
        with self.service.store.lock:
            self.service.organisation.restore(self._build())
            self.service.organisation.changed()
            self.service.state.clear()
            self.protection.clear()
            self.service.store.reset()

    def start(self) -> Sandbox:
        """Accept connections; returns itself. Raises OSError when the port is taken."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # Only sockets that name their protocol get TCP_NODELAY from asyncio; without it every reply waits 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self._host, self._port))
        self._port = listener.getsockname()[1]
        self.url = f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}"
        config = uvicorn.Config(
            self.app,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            timeout_keep_alive=65,
            server_header=False,
            h11_max_incomplete_event_size=300_000,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="dynamics-sandbox", daemon=True
        )
        self._thread.start()
        self._fill_large()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        return self

    def _fill_large(self) -> None:
        """Make at once what would keep the first request that touches it waiting too long."""
        for name, least in _MADE_AT_ONCE.items():
            if name in self.service.organisation.tables and self.service.generator.count(name) > least:
                self.service.store.touch(name)

    def close(self) -> None:
        """Stop serving and drop temporary data. May be called twice."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            self._thread.join(10)
            self._server = self._thread = None
            self.service.store.close()
        if self._authority is not None:
            self._authority.close()
            self._authority = None
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
