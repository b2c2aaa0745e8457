"""The sealed form of the settings: key slots, tampering, costs."""

from __future__ import annotations

import base64
import json
import os
import random
from typing import Any

import pytest

from dynamics_auth import crypto
from dynamics_auth.envelope import MAX_SLOTS, add_key, create, open_envelope, write
from dynamics_auth.failures import AuthError, StoreDamaged, StoreWrongKey
from dynamics_auth.slots import Key
from dynamics_auth.tokens import Token

RAW = Key("keyfile", raw=Token(bytes(range(32)).hex()))
OTHER = Key("environment", raw=Token(bytes(32).hex()))
PHRASE = Key("passphrase", passphrase=Token("correct horse battery staple"))
SECRET = b'{"token": "plain-text-secret"}'


def sealed(*keys: Key) -> bytes:
    return write(create(keys or (RAW,), os.urandom), SECRET, os.urandom)


def opened(blob: bytes, *keys: Key) -> bytes:
    return open_envelope(blob, lambda: keys, None, "the file")[1]


def change(blob: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(blob), **fields}).encode()


@pytest.mark.parametrize("key", [RAW, PHRASE, Key("none")], ids=["key", "passphrase", "none"])
def test_round_trip(key: Key) -> None:
    blob = sealed(key)
    assert opened(blob, key) == SECRET
    assert b"plain-text-secret" not in blob and b"plain-text-secret" not in base64.b64decode(json.loads(blob)["data"])


def test_the_documented_form() -> None:
    document = json.loads(sealed(PHRASE, RAW))
    assert list(document) == ["format", "version", "id", "cipher", "slots", "nonce", "data"]
    assert (document["format"], document["version"]) == ("sqlalchemy-dynamics/oauth-settings", 1)
    phrase, key = document["slots"]
    assert {name: phrase[name] for name in ("kdf", "n", "r", "p")} == {"kdf": "scrypt", "n": 32768, "r": 8, "p": 1}
    assert (key["kdf"], key["origin"], key["kid"]) == ("hkdf-sha256", "keyfile", crypto.key_id(RAW.bytes))


def test_any_slot_opens_and_the_others_survive_a_write() -> None:
    blob = sealed(PHRASE, RAW)
    envelope, _ = open_envelope(blob, lambda: (PHRASE,), None, "the file")
    again = write(envelope, b"newer", os.urandom)
    assert opened(again, RAW) == opened(again, PHRASE) == b"newer"
    assert json.loads(again)["nonce"] != json.loads(blob)["nonce"]


def test_a_known_envelope_needs_no_key_again() -> None:
    blob = sealed(PHRASE)
    known, _ = open_envelope(blob, lambda: (PHRASE,), None, "the file")

    def no_keys() -> tuple[Key, ...]:
        raise AssertionError("asked for keys")

    assert open_envelope(blob, no_keys, known, "the file")[1] == SECRET


def test_a_key_can_be_added_until_there_are_eight() -> None:
    envelope = create((RAW,), os.urandom)
    for _ in range(MAX_SLOTS - 1):
        envelope = add_key(envelope, OTHER, os.urandom)
    assert opened(write(envelope, SECRET, os.urandom), OTHER) == SECRET
    with pytest.raises(AuthError, match="rotate"):
        add_key(envelope, OTHER, os.urandom)


def test_hostile_33_wrong_and_missing_keys() -> None:
    for keys in ((), (OTHER,), (Key("passphrase", passphrase=Token("wrong")),)):
        with pytest.raises(StoreWrongKey, match=rf"the file; .*: the passphrase or key {crypto.key_id(RAW.bytes)}"):
            opened(sealed(PHRASE, RAW), *keys)


def test_hostile_32_newer_version_is_not_damage() -> None:
    with pytest.raises(StoreWrongKey, match="version 2, newer"):
        opened(change(sealed(), version=2), RAW)


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"some notes\n",
        b'{"format": "other"}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        sealed()[:-40],
        sealed() + b"x",
        change(sealed(), version=0),
        change(sealed(), version="1"),
        change(sealed(), version=True),
        change(sealed(), cipher="DES"),
        change(sealed(), id=5),
        change(sealed(), slots=[]),
        change(sealed(), slots={}),
        change(sealed(), slots=[5]),
        change(sealed(), data=None),
        change(sealed(), data="%%%"),
        change(sealed(), nonce=""),
    ],
    ids=lambda blob: repr(blob[:24]),
)
def test_hostile_32_foreign_and_damaged(blob: bytes) -> None:
    with pytest.raises(StoreDamaged, match="the file"):
        opened(blob, RAW)


def costly(**changes: Any) -> bytes:
    document = json.loads(sealed(PHRASE))
    document["slots"][0].update(changes)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "blob",
    [
        costly(n=1 << 30),
        costly(n=32767),
        costly(n=0),
        costly(n="32768"),
        costly(n=True),
        costly(r=1 << 20),
        costly(p=1000),
        costly(kdf="md5"),
        costly(type="plain"),
        costly(type=None),
        costly(extra="x"),
        costly(salt=5),
        costly(salt="A" * 100_000),
        change(sealed(), slots=json.loads(sealed())["slots"] * 9),
        change(sealed(), slots=json.loads(sealed())["slots"] * 100_000),
    ],
    ids=range(15),
)
def test_hostile_37_costs_are_refused_before_any_key_is_derived(blob: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto, "stretch", lambda *_: pytest.fail("derived a key"))
    monkeypatch.setattr(crypto, "derive", lambda *_: pytest.fail("derived a key"))
    with pytest.raises(StoreDamaged):
        opened(blob, PHRASE, RAW)


def test_bit_flips_are_always_refused() -> None:
    blob, chance = sealed(RAW), random.Random(1)
    envelope, _ = open_envelope(blob, lambda: (RAW,), None, "the file")
    outcomes = {"damaged": 0, "key": 0, "same": 0}
    for _ in range(1500):
        spot = chance.randrange(len(blob))
        flipped = bytearray(blob)
        flipped[spot] ^= 1 << chance.randrange(8)
        try:
            text = open_envelope(bytes(flipped), lambda: (RAW,), envelope, "the file")[1]
        except StoreWrongKey:
            outcomes["key"] += 1
        except StoreDamaged:
            outcomes["damaged"] += 1
        else:
            assert text == SECRET and json.loads(flipped) == json.loads(blob)
            outcomes["same"] += 1
    assert outcomes["damaged"] > 1000
    assert outcomes["same"] < 60, "only white space may change unnoticed"


def test_slots_of_two_files_cannot_be_swapped() -> None:
    first, second = sealed(RAW), sealed(RAW)
    swapped = change(first, slots=json.loads(second)["slots"])
    with pytest.raises(StoreWrongKey):
        opened(swapped, RAW)
    with pytest.raises((StoreDamaged, StoreWrongKey)):
        opened(change(first, id=json.loads(second)["id"]), RAW)
    keyless = sealed(Key("none"))
    with pytest.raises(StoreDamaged):
        opened(change(first, slots=json.loads(keyless)["slots"]), RAW)
