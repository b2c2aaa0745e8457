"""Signed tokens: access tokens for the data service, id tokens for the client, and their check."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from .certificates import signing_key

__all__ = ["Signer", "client_info"]

_REMEMBERED = 4096


@dataclass
class Signer:
    """Signs and reads JWTs (RS256). What it has read once it remembers, so that a check costs a look-up."""

    key: RSAPrivateKey = field(default_factory=signing_key, repr=False)
    _read: dict[str, Mapping[str, Any] | None] = field(default_factory=dict, repr=False)

    @property
    def key_id(self) -> str:
        """The `kid` of the published key."""
        numbers = self.key.public_key().public_numbers()
        return _encoded(hashlib.sha256(str(numbers.n).encode()).digest()[:20])

    def jwks(self) -> dict[str, Any]:
        """The key set document."""
        key: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [key | {"kid": self.key_id, "x5t": self.key_id, "use": "sig", "alg": "RS256"}]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Sign `claims` as they are, plus a unique `uti`."""
        full = {**claims, "uti": uuid.uuid4().hex}
        return jwt.encode(full, self.key, algorithm="RS256", headers={"kid": self.key_id, "x5t": self.key_id})

    def read(self, token: str) -> Mapping[str, Any] | None:
        """The claims of a token this key signed, whatever its dates; None for any other text."""
        if token not in self._read:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read[token] = self._verify(token)
        return self._read[token]

    def _verify(self, token: str) -> Mapping[str, Any] | None:
        options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
        try:
            return jwt.decode(token, self.key.public_key(), algorithms=["RS256"], options=options)
        except jwt.PyJWTError:
            return None


def client_info(uid: str, utid: str) -> str:
    """The `client_info` field: from it MSAL makes its account key."""
    return _encoded(json.dumps({"uid": uid, "utid": utid}).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
