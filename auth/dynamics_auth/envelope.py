"""The settings file's outer form, version 1: JSON text around a payload sealed with a random data key.

``data = AES-256-GCM(data key, payload, aad = canonical JSON of everything but nonce and data)``, so that no slot
or parameter can be swapped. The data key is wrapped once per key slot (`slots.py`).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dynamics_auth import crypto
from dynamics_auth.failures import AuthError, StoreDamaged, StoreWrongKey
from dynamics_auth.ports import Random
from dynamics_auth.slots import Key, Slot, canonical, describe_slots, encode, make_slot, open_slot, sound_slot
from dynamics_auth.tokens import Token, Unpicklable

__all__ = ["FORMAT", "OpenEnvelope", "add_key", "create", "open_envelope", "write"]

FORMAT = "sqlalchemy-dynamics/oauth-settings"
VERSION = 1
CIPHER = "AES-256-GCM"
MAX_SIZE = 1 << 20
MAX_SLOTS = 8
MAX_NESTING = 64


@dataclass(frozen=True)
class OpenEnvelope(Unpicklable):
    """A file that was opened or is about to be made: enough to write it again without deriving a key anew."""

    id: str
    slots: tuple[Slot, ...]
    data_key: Token

    @property
    def unprotected(self) -> bool:
        """Whether the file opens without any key."""
        return any(slot["type"] == "none" for slot in self.slots)


def create(keys: Iterable[Key], random: Random) -> OpenEnvelope:
    """A new file with a new data key and one slot for each key."""
    data_key = random(crypto.KEY_SIZE)
    file_id = str(uuid.UUID(bytes=random(16), version=4))
    slots = tuple(make_slot(file_id, key, data_key, random) for key in keys)
    return OpenEnvelope(file_id, slots, Token(data_key.hex()))


def add_key(envelope: OpenEnvelope, key: Key, random: Random) -> OpenEnvelope:
    """The same file with one more way to open it. Raises AuthError when it has eight already."""
    if len(envelope.slots) >= MAX_SLOTS:
        raise AuthError(f"the settings file already has {MAX_SLOTS} key slots: rotate its key instead")
    slot = make_slot(envelope.id, key, bytes.fromhex(envelope.data_key), random)
    return replace(envelope, slots=(*envelope.slots, slot))


def write(envelope: OpenEnvelope, payload: bytes, random: Random) -> bytes:
    """The sealed text of a file, ready to be stored."""
    head = _head(envelope.id, envelope.slots)
    nonce = random(crypto.NONCE_SIZE)
    sealed = crypto.seal(bytes.fromhex(envelope.data_key), nonce, payload, canonical(head))
    return json.dumps({**head, "nonce": encode(nonce), "data": encode(sealed)}, indent=1).encode() + b"\n"


def open_envelope(
    blob: bytes, keys: Callable[[], Sequence[Key]], known: OpenEnvelope | None, where: str
) -> tuple[OpenEnvelope, bytes]:
    """Open a stored text with the keys at hand; `known` spares looking for them when only the data changed.

    Raises StoreDamaged for truncated, foreign or altered text and StoreWrongKey for a missing key or a newer
    version; `where` names the store in the message. No key is derived before every bound has been checked.
    """
    document = _checked(_parsed(blob, where), where)
    slots: tuple[Slot, ...] = tuple(document["slots"])
    envelope = _unlock(document["id"], slots, keys, known)
    if envelope is None:
        raise StoreWrongKey(f"no key at hand opens {where}; it can be opened with: {describe_slots(slots)}. {_ADVICE}")
    payload = crypto.unseal(
        bytes.fromhex(envelope.data_key),
        _decoded(document, "nonce", where),
        _decoded(document, "data", where),
        canonical(_head(envelope.id, slots)),
    )
    if payload is None:
        raise StoreDamaged(f"{where} was altered or is damaged: its seal does not fit")
    return envelope, payload


_ADVICE = (
    "Set OAuthSettingsPassphrase (or DYNAMICS_OAUTH_PASSPHRASE), OAuthSettingsKeyFile or DYNAMICS_OAUTH_KEY "
    "to the one it was made with, or copy that key file along"
)


def _parsed(blob: bytes, where: str) -> dict[str, Any]:
    if len(blob) > MAX_SIZE:
        raise StoreDamaged(f"{where} is larger than {MAX_SIZE} bytes: not a settings file")
    if blob.count(b"[") + blob.count(b"{") > MAX_NESTING:
        raise StoreDamaged(f"{where} is not a settings file of this package")
    try:
        document = json.loads(blob)
    except ValueError:
        document = None
    if document is None:
        raise StoreDamaged(f"{where} is damaged or not a settings file: it is not complete JSON text")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise StoreDamaged(f"{where} is not a settings file of this package")
    return document


def _checked(document: dict[str, Any], where: str) -> dict[str, Any]:
    version, name, slots = document.get("version"), document.get("id"), document.get("slots")
    if type(version) is int and version > VERSION:
        raise StoreWrongKey(f"{where} has version {version}, newer than this package reads: upgrade the package")
    sound = (
        type(version) is int
        and version == VERSION
        and document.get("cipher") == CIPHER
        and isinstance(name, str)
        and len(name) <= 64
    )
    if not sound or not isinstance(slots, list) or not 1 <= len(slots) <= MAX_SLOTS or not all(map(sound_slot, slots)):
        raise StoreDamaged(f"{where} is damaged: its head is not one this package accepts")
    return document


def _unlock(
    file_id: str, slots: tuple[Slot, ...], keys: Callable[[], Sequence[Key]], known: OpenEnvelope | None
) -> OpenEnvelope | None:
    if known is not None and known.id == file_id and known.slots == slots:
        return known
    for key in (*keys(), Key("none")):
        for slot in slots:
            data_key = open_slot(file_id, slot, key)
            if data_key is not None:
                return OpenEnvelope(file_id, slots, Token(data_key.hex()))
    return None


def _head(file_id: str, slots: tuple[Slot, ...]) -> dict[str, Any]:
    return {"format": FORMAT, "version": VERSION, "id": file_id, "cipher": CIPHER, "slots": list(slots)}


def _decoded(document: dict[str, Any], name: str, where: str) -> bytes:
    try:
        return crypto.from_base64(document[name])
    except (KeyError, TypeError, ValueError):
        raise StoreDamaged(f"{where} is damaged: {name} is missing or cut off") from None
