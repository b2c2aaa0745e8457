"""Key slots of a settings file: each wraps the file's data key for one way of opening it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynamics_auth import crypto
from dynamics_auth.ports import Random
from dynamics_auth.redaction import one_line
from dynamics_auth.tokens import NOTHING, Token, Unpicklable

__all__ = ["Key", "Slot", "canonical", "describe_slots", "encode", "make_slot", "open_slot", "sound_slot"]

Slot = Mapping[str, Any]
SCRYPT = {"n": 1 << 15, "r": 8, "p": 1}
_MAX_N = 1 << 20
_FIELDS: dict[str, frozenset[str]] = {
    "passphrase": frozenset(("type", "kdf", "n", "r", "p", "salt", "nonce", "wrap")),
    "key": frozenset(("type", "kid", "origin", "kdf", "salt", "nonce", "wrap")),
    "none": frozenset(("type", "key")),
}
_KDF = {"passphrase": "scrypt", "key": "hkdf-sha256"}


@dataclass(frozen=True)
class Key(Unpicklable):
    """A way to open a file: a passphrase, a 32-byte key in hexadecimal, or (``origin="none"``) no key at all."""

    origin: str
    passphrase: Token = NOTHING
    raw: Token = NOTHING

    @property
    def type(self) -> str:
        """The slot type this key opens."""
        return "none" if self.origin == "none" else "passphrase" if self.passphrase else "key"

    @property
    def bytes(self) -> bytes:
        """The 32 bytes of a raw key."""
        return bytes.fromhex(self.raw)


def make_slot(file_id: str, key: Key, data_key: bytes, random: Random) -> dict[str, Any]:
    """Wrap the data key; the slot's parameters and the file's id are bound to it."""
    if key.type == "none":
        return {"type": "none", "key": encode(data_key)}
    salt, nonce = random(16), random(crypto.NONCE_SIZE)
    if key.type == "passphrase":
        slot: dict[str, Any] = {"type": "passphrase", "kdf": "scrypt", **SCRYPT, "salt": encode(salt)}
    else:
        kid = crypto.key_id(key.bytes)
        slot = {"type": "key", "kid": kid, "origin": key.origin, "kdf": "hkdf-sha256", "salt": encode(salt)}
    slot["nonce"] = encode(nonce)
    slot["wrap"] = encode(crypto.seal(_slot_key(slot, key), nonce, data_key, _bound(file_id, slot)))
    return slot


def open_slot(file_id: str, slot: Slot, key: Key) -> bytes | None:
    """The data key, or None when this key does not open this slot."""
    try:
        data_key = _unwrap(file_id, slot, key)
    except ValueError:
        return None
    return data_key if data_key is not None and len(data_key) == crypto.KEY_SIZE else None


def _unwrap(file_id: str, slot: Slot, key: Key) -> bytes | None:
    if slot["type"] != key.type:
        return None
    if key.type == "none":
        return crypto.from_base64(slot["key"])
    if key.type == "key" and slot["kid"] != crypto.key_id(key.bytes):
        return None
    nonce, wrap = crypto.from_base64(slot["nonce"]), crypto.from_base64(slot["wrap"])
    return crypto.unseal(_slot_key(slot, key), nonce, wrap, _bound(file_id, slot))


def sound_slot(slot: object) -> bool:
    """Whether a stored slot has exactly the known fields, in sizes and costs that are worth computing."""
    kind = slot.get("type") if isinstance(slot, dict) else None
    if not isinstance(slot, dict) or not isinstance(kind, str) or kind not in _FIELDS or set(slot) != _FIELDS[kind]:
        return False
    for name, value in slot.items():
        if not (type(value) is int if name in SCRYPT else isinstance(value, str) and len(value) <= 256):
            return False
    return slot.get("kdf") == _KDF.get(kind) and (kind != "passphrase" or _affordable(slot))


def _affordable(slot: Slot) -> bool:
    n, r, p = slot["n"], slot["r"], slot["p"]
    return bool(2 <= n <= _MAX_N and n & (n - 1) == 0 and r == 8 and 1 <= p <= 4)


def describe_slots(slots: tuple[Slot, ...]) -> str:
    """What would open the file, for messages."""
    names = (
        "the passphrase" if slot["type"] == "passphrase" else one_line(f"key {slot['kid']} ({slot['origin']})", 60)
        for slot in slots
        if slot["type"] != "none"
    )
    return " or ".join(dict.fromkeys(names))


def _slot_key(slot: Slot, key: Key) -> bytes:
    salt = crypto.from_base64(slot["salt"])
    if key.type == "passphrase":
        return crypto.stretch(key.passphrase, salt, slot["n"], slot["r"], slot["p"])
    return crypto.derive(key.bytes, salt, b"sqlalchemy-dynamics/slot")


def _bound(file_id: str, slot: Slot) -> bytes:
    return canonical({"id": file_id, "slot": {name: value for name, value in slot.items() if name != "wrap"}})


def canonical(value: Mapping[str, Any]) -> bytes:
    """One spelling of a JSON object, to be authenticated."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def encode(value: bytes) -> str:
    """Base64 text."""
    return base64.b64encode(value).decode("ascii")
