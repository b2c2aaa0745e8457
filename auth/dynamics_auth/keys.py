"""Where the key of the settings file comes from: passphrase, environment, key file, OS keyring, per-user key file."""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynamics_auth import crypto
from dynamics_auth.failures import AuthError
from dynamics_auth.files import read_private, resolve, write_new
from dynamics_auth.ports import Random
from dynamics_auth.settings import AuthSettings
from dynamics_auth.slots import Key
from dynamics_auth.tokens import Token

__all__ = ["FOLDER", "configuration_folder", "explicit_keys", "find_keys", "new_keys"]

FOLDER = "sqlalchemy-dynamics"
PASSPHRASE_VARIABLE = "DYNAMICS_OAUTH_PASSPHRASE"
KEY_VARIABLE = "DYNAMICS_OAUTH_KEY"
KEY_FILE = "oauth.key"
_KEYRING = ("sqlalchemy-dynamics", "oauth-key")
_LIMIT = 4096


def configuration_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The user's configuration folder of this package on that platform.

    Raises AuthError for a user without a home, as containers run under.
    """
    if platform == "win32":
        return Path(environ.get("APPDATA") or _home(environ, "USERPROFILE") / "AppData" / "Roaming") / FOLDER
    if platform == "darwin":
        return _home(environ, "HOME") / "Library" / "Application Support" / FOLDER
    return Path(environ.get("XDG_CONFIG_HOME") or _home(environ, "HOME") / ".config") / FOLDER


def _home(environ: Mapping[str, str], variable: str) -> Path:
    try:
        return Path(environ.get(variable) or Path.home())
    except RuntimeError:
        raise AuthError(
            f"this user has no home folder: set {variable}, or OAuthSettingsLocation and a key "
            f"(OAuthSettingsKeyFile, or a passphrase in {PASSPHRASE_VARIABLE})",
            "interface",
        ) from None


def explicit_keys(settings: AuthSettings, environ: Mapping[str, str]) -> list[Key]:
    """The keys the user named, in order: passphrase property, its variable, key variable, key file property.

    Raises AuthError naming the property or variable whose value cannot be a key.
    """
    keys: list[Key] = []
    passphrase = settings.passphrase or environ.get(PASSPHRASE_VARIABLE)
    if passphrase:
        keys.append(Key("passphrase", passphrase=Token(passphrase)))
    if environ.get(KEY_VARIABLE):
        keys.append(_raw_key("environment", environ[KEY_VARIABLE], KEY_VARIABLE))
    if settings.key_file:
        content = read_private(resolve(settings.key_file), "OAuthSettingsKeyFile", limit=_LIMIT, key=True)
        if content is None:
            raise AuthError("OAuthSettingsKeyFile names a file that does not exist", "interface")
        keys.append(_raw_key("keyfile", content.decode("ascii", "replace"), "OAuthSettingsKeyFile"))
    return keys


def find_keys(settings: AuthSettings, environ: Mapping[str, str]) -> list[Key]:
    """Every key at hand that might open a file; makes none."""
    keys = explicit_keys(settings, environ)
    for implicit in (_keyring_key(), _user_key(environ)):
        if implicit is not None:
            keys.append(implicit)
    return keys


def new_keys(settings: AuthSettings, environ: Mapping[str, str], random: Random) -> list[Key]:
    """The keys a new file is sealed with: those the user named, else the keyring's, else the per-user key file's.

    Under OAuthSettingsProtection=PERMISSIONS the key lies in the file itself.
    """
    keys = explicit_keys(settings, environ)
    if settings.protection == "PERMISSIONS":
        return [*keys, Key("none")]
    return keys or [_keyring_key() or _new_keyring_key(random) or _user_key(environ) or _new_user_key(environ, random)]


def _raw_key(origin: str, text: str, what: str) -> Key:
    try:
        raw = crypto.from_base64("".join(text.split()))
    except ValueError:
        raw = b""
    if len(raw) != crypto.KEY_SIZE:
        raise AuthError(f"{what} must hold {crypto.KEY_SIZE} bytes in base64", "interface")
    return Key(origin, raw=Token(raw.hex()))


def _user_key(environ: Mapping[str, str]) -> Key | None:
    try:
        path = configuration_folder(environ) / KEY_FILE
    except AuthError:
        return None
    content = read_private(resolve(str(path)), "the key file", limit=_LIMIT, key=True)
    return None if content is None else _raw_key("keyfile", content.decode("ascii", "replace"), f"the key file {path}")


def _new_user_key(environ: Mapping[str, str], random: Random) -> Key:
    path = configuration_folder(environ) / KEY_FILE
    write_new(resolve(str(path)), base64.b64encode(random(crypto.KEY_SIZE)) + b"\n")
    key = _user_key(environ)
    if key is None:
        raise AuthError(f"the key file {path} vanished while it was made")
    return key


def _keyring() -> Any | None:
    try:
        import keyring
    except ImportError:
        return None
    return keyring


def _keyring_key() -> Key | None:
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        text = keyring.get_password(*_KEYRING)
    except Exception:  # keyrings raise what their system does
        return None
    return _raw_key("keyring", text, "the keyring entry") if text else None


def _new_keyring_key(random: Random) -> Key | None:
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        keyring.set_password(*_KEYRING, base64.b64encode(random(crypto.KEY_SIZE)).decode())
    except Exception:  # as above
        return None
    return _keyring_key()
