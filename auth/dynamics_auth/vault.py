"""A store and the keys that open it: reads and writes the opened settings, never overwriting what it cannot read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from dynamics_auth import envelope
from dynamics_auth.failures import AuthError, StoreDamaged, StoreUnwritable
from dynamics_auth.keys import find_keys, new_keys
from dynamics_auth.locks import thread_lock
from dynamics_auth.ports import Ports
from dynamics_auth.records import Payload
from dynamics_auth.settings import AuthSettings
from dynamics_auth.slots import Key
from dynamics_auth.stores import LOCK_TIMEOUT, FileStore, SetsAside, TokenStore
from dynamics_auth.tokens import Unpicklable

__all__ = ["Vault"]


class Vault(Unpicklable):
    """The settings of one connection's OAuthSettingsLocation.

    When the store cannot be written, the newest settings stay in memory for this process and a warning says so.
    """

    def __init__(self, store: TokenStore, settings: AuthSettings, ports: Ports) -> None:
        self._store, self._settings, self._ports = store, settings, ports
        self._known: envelope.OpenEnvelope | None = None
        self._memory: Payload | None = None
        self._newest = 0
        self._warned: set[str] = set()

    @property
    def name(self) -> str:
        """The store's name in messages."""
        return self._store.describe()

    def lock(self) -> AbstractContextManager[None]:
        """Exclude every other thread and process that uses this store."""
        return self._store.lock(LOCK_TIMEOUT + (self._ports.timeout or LOCK_TIMEOUT))

    @contextlib.contextmanager
    def sign_in_lock(self, timeout: float) -> Iterator[None]:
        """Let one person sign in at a time; the store itself stays free meanwhile."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(thread_lock(f"the sign-in for {self.name}", timeout))
            if isinstance(self._store, FileStore):
                stack.enter_context(self._store.sign_in_lock(timeout))
            yield

    def read(self) -> Payload:
        """The settings; empty ones when there are none yet.

        Raises StoreDamaged, StoreWrongKey or AuthError naming the store; nothing is changed.
        """
        blob = self._store.load()
        if blob is None:
            return self._memory or Payload()
        self._known, text = envelope.open_envelope(blob, self._keys, self._known, self.name)
        if self._known.unprotected:
            self._warn_once(f"{self.name} opens without a key: only its file permissions protect the tokens in it")
        payload = Payload.from_json(text, self.name)
        self._check_rollback(payload)
        if self._memory is not None and self._memory.generation > payload.generation:
            return self._memory
        self._memory = None
        return payload

    def _keys(self) -> list[Key]:
        return find_keys(self._settings, self._ports.environ)

    def write(self, payload: Payload) -> Payload:
        """Store the settings as the next generation, which is returned. Call it under `lock`, after `read`."""
        newer = replace(payload, generation=payload.generation + 1)
        try:
            if self._known is None:
                keys = new_keys(self._settings, self._ports.environ, self._ports.random)
                self._known = envelope.create(keys, self._ports.random)
            self._store.save(envelope.write(self._known, newer.to_json(), self._ports.random))
        except StoreUnwritable as failure:
            self._memory = newer
            self._warn_once(f"{failure}. Tokens stay in memory: the next process may have to sign in again")
        else:
            self._memory = None
        self._newest = max(self._newest, newer.generation)
        return newer

    def begin_anew(self) -> str:
        """Set damaged settings aside so that a new sign-in can be stored. Returns where they went."""
        if not isinstance(self._store, SetsAside):
            raise StoreDamaged(f"{self.name} is damaged and cannot be set aside: delete it")
        self._known = None
        return self._store.set_aside()

    def export(self, target: TokenStore, passphrase: Key) -> None:
        """Write a copy that also opens with `passphrase` to another store."""
        payload = self.read()
        if self._known is None:
            raise AuthError(f"{self.name} holds no settings to export", "interface")
        copy = envelope.add_key(self._known, passphrase, self._ports.random)
        target.save(envelope.write(copy, payload.to_json(), self._ports.random))

    def rotate(self, settings: AuthSettings | None = None) -> None:
        """Give the store a new data key, with slots for the keys of `settings` (default: the connection's own).

        Older keys open it no more; copies made before still open with them.
        """
        with self.lock():
            payload = self.read()
            keys = new_keys(settings or self._settings, self._ports.environ, self._ports.random)
            self._known = envelope.create(keys, self._ports.random)
            self.write(payload)

    def _check_rollback(self, payload: Payload) -> None:
        if payload.generation < self._newest and self._memory is None:
            self._warn_once(f"{self.name} is older than what this process has seen: it was restored or replaced")
        self._newest = max(self._newest, payload.generation)

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self._ports.logger.warn(message)
