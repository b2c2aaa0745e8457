"""Where sealed settings are kept: the protocol, the file, named memory, and how a location finds its store."""

from __future__ import annotations

import contextlib
import datetime
import importlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from dynamics_auth import files
from dynamics_auth.failures import AuthError
from dynamics_auth.keys import configuration_folder
from dynamics_auth.locks import file_lock, thread_lock

__all__ = ["ENTRY_POINTS", "FileStore", "MemoryStore", "SetsAside", "TokenStore", "default_location", "open_store"]

ENTRY_POINTS = "dynamics_auth.stores"
"""Entry-point group of third-party stores: name = URL scheme, value = callable(location) -> TokenStore."""

DEFAULT_FILE = "OAuthSettings.txt"
LOCK_TIMEOUT = 30.0
MAX_SIZE = 1 << 20


@runtime_checkable
class TokenStore(Protocol):
    """Keeps one sealed blob. Encryption sits above; every store sees sealed bytes only."""

    def load(self) -> bytes | None:
        """The blob, None when there is none yet."""

    def save(self, blob: bytes) -> None:
        """Replace the blob, all or nothing. Raises StoreUnwritable when it cannot."""

    def delete(self) -> None:
        """Forget the blob; nothing happens when there is none."""

    def lock(self, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Exclude every other user of the blob, in threads and processes."""

    def describe(self) -> str:
        """Its name in messages; never a secret, and the same for every store object of the same blob."""


@runtime_checkable
class SetsAside(Protocol):
    """A store that can keep a damaged blob under another name before a new one is begun."""

    def set_aside(self) -> str:
        """Move the blob away and say where it went."""


class FileStore:
    """A settings file: 0600, replaced atomically, locked through ``<file>.lock`` beside it."""

    def __init__(self, location: str) -> None:
        self.path = files.resolve(location)

    def load(self) -> bytes | None:
        """The file's bytes; missing and empty files count as none. Raises AuthError naming path and reason."""
        return files.read_private(self.path, "the settings file", limit=MAX_SIZE) or None

    def save(self, blob: bytes) -> None:
        """Write a new file and rename it over the old one."""
        files.replace_file(self.path, blob)
        files.sweep(self.path.parent, time.time())

    def delete(self) -> None:
        """Remove the file; the lock file stays."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def lock(self, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Hold ``<file>.lock``."""
        return file_lock(self.path.with_name(self.path.name + ".lock"), timeout)

    def sign_in_lock(self, timeout: float) -> AbstractContextManager[None]:
        """Hold ``<file>.signin.lock`` while a person types, so that one browser opens."""
        return file_lock(self.path.with_name(self.path.name + ".signin.lock"), timeout)

    def describe(self) -> str:
        """The file's path."""
        return str(self.path)

    def set_aside(self) -> str:
        """Rename the file to ``<name>.corrupt-<UTC>``."""
        stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        target = self.path.with_name(f"{self.path.name}.corrupt-{stamp}")
        os.replace(self.path, target)
        return str(target)


class MemoryStore:
    """``memory://name``: shared by every connection of this process that names it, gone at exit."""

    _blobs: dict[str, bytes] = {}
    _guard = threading.Lock()

    def __init__(self, location: str) -> None:
        self.name = location.partition("://")[2]
        if not self.name:
            raise AuthError("OAuthSettingsLocation memory:// needs a name, such as memory://user1", "interface")

    def load(self) -> bytes | None:
        """The blob of that name."""
        with self._guard:
            return self._blobs.get(self.name)

    def save(self, blob: bytes) -> None:
        """Keep the blob under that name."""
        with self._guard:
            self._blobs[self.name] = blob

    def delete(self) -> None:
        """Forget that name."""
        with self._guard:
            self._blobs.pop(self.name, None)

    def lock(self, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Exclude the other threads."""
        return thread_lock(self.describe(), timeout)

    def describe(self) -> str:
        """The location."""
        return f"memory://{self.name}"


_BUILT_IN = {
    "memory": "dynamics_auth.stores:MemoryStore",
    "keyring": "dynamics_auth.keyring_store:KeyringStore",
    "sqlalchemy": "dynamics_auth.table_store:open_table_store",
}
_FOREIGN = frozenset(("registry", "register"))


def default_location(environ: Mapping[str, str]) -> str:
    """The settings file of a connection that names none."""
    return str(configuration_folder(environ) / DEFAULT_FILE)


def open_store(location: str) -> TokenStore:
    """The store of an OAuthSettingsLocation. Raises AuthError (interface) when its scheme is unknown."""
    scheme, separator, _ = location.partition("://")
    if not separator:
        return FileStore(location)
    name = scheme.partition("+")[0].lower()
    if name == "file":
        raise AuthError("OAuthSettingsLocation takes a plain path for a file, without file://", "interface")
    factory = _load(_BUILT_IN[name]) if name in _BUILT_IN else _entry_point(name)
    if factory is None:
        hint = "the registry is not supported, use a file" if name in _FOREIGN else "no such store is installed"
        raise AuthError(f"OAuthSettingsLocation {name}:// is unknown: {hint}", "interface")
    return factory(location)


def _load(reference: str) -> Callable[[str], TokenStore]:
    module, _, name = reference.partition(":")
    found: Callable[[str], TokenStore] = getattr(importlib.import_module(module), name)
    return found


def _entry_point(name: str) -> Callable[[str], TokenStore] | None:
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINTS, name=name):
        factory: Callable[[str], TokenStore] = entry.load()
        return factory
    return None
