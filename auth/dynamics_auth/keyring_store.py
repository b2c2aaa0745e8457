"""``keyring://service/name``: the sealed blob in the operating system's keyring. Small blobs only."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import Any

from dynamics_auth.failures import AuthError, StoreUnwritable
from dynamics_auth.locks import file_lock
from dynamics_auth.stores import LOCK_TIMEOUT

__all__ = ["KeyringStore"]


class KeyringStore:
    """One keyring entry. Windows keeps at most 2,560 bytes in one; use a file where tokens are longer."""

    def __init__(self, location: str) -> None:
        service, _, name = location.partition("://")[2].partition("/")
        if not service or not name:
            raise AuthError("OAuthSettingsLocation must be keyring://service/name", "interface")
        self._service, self._name = service, name
        self._keyring = _module()

    def load(self) -> bytes | None:
        """The entry's text. Raises AuthError when no keyring works here."""
        try:
            text = self._keyring.get_password(self._service, self._name)
        except Exception as error:  # keyrings raise what their system does
            raise self._failure(error) from None
        return str(text).encode() if text else None

    def save(self, blob: bytes) -> None:
        """Replace the entry."""
        try:
            self._keyring.set_password(self._service, self._name, blob.decode())
        except Exception as error:  # as above
            raise StoreUnwritable(str(self._failure(error))) from None

    def delete(self) -> None:
        """Remove the entry."""
        with contextlib.suppress(Exception):
            self._keyring.delete_password(self._service, self._name)

    def lock(self, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Lock through a file in the user's temporary folder: keyrings have no locks."""
        import getpass
        import tempfile
        from pathlib import Path

        from dynamics_auth.tokens import fingerprint

        folder = Path(tempfile.gettempdir()) / f"sqlalchemy-dynamics-{getpass.getuser()}"
        return file_lock(folder / f"{fingerprint(self.describe())[:16]}.lock", timeout)

    def describe(self) -> str:
        """The location."""
        return f"keyring://{self._service}/{self._name}"

    def _failure(self, error: Exception) -> AuthError:
        return AuthError(
            f"{self.describe()} does not work here ({type(error).__name__}): set OAuthSettingsLocation to a file"
        )


def _module() -> Any:
    try:
        import keyring
    except ImportError:
        raise AuthError(
            "OAuthSettingsLocation keyring:// needs: pip install 'sqlalchemy-dynamics[keyring]'", "interface"
        ) from None
    return keyring
