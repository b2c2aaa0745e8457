"""Secret values: text that prints as ``***``, the access token handed out, the set of tokens that is stored."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

__all__ = ["BEARER", "AccessToken", "Token", "TokenSet", "Unpicklable", "fingerprint", "jwt_claims"]

BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
"""What an access token may look like in a header (RFC 6750)."""

SKEW = 300.0
CLOCK_TOLERANCE = 60.0


class Unpicklable:
    """Objects that hold secrets: they do not travel to other processes or files by accident."""

    def __reduce__(self) -> str:
        raise TypeError(f"{type(self).__name__} holds secrets and cannot be pickled")


class Token(str):
    """Secret text: `str()` is the real value, `repr()` is masked, and it cannot be pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'" if self else "''"

    def __copy__(self) -> Token:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Token:
        return self

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be pickled; take str() of it first")


NOTHING = Token("")


@dataclass(frozen=True)
class AccessToken(Unpicklable):
    """A bearer token. `expires_at` is in epoch seconds of our clock, None when nobody told."""

    value: Token
    expires_at: float | None = None

    def header(self) -> str:
        """The value of the ``Authorization`` header."""
        return f"Bearer {self.value}"


@dataclass(frozen=True)
class TokenSet(Unpicklable):
    """What one sign-in or refresh gave. `expires_in` seconds counted from `obtained` (epoch seconds, our clock)."""

    access: Token = NOTHING
    refresh: Token = NOTHING
    expires_in: float | None = None
    obtained: float | None = None
    user: str = ""
    claims: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def expires_at(self) -> float | None:
        """Epoch seconds at which the access token ends, None when unknown."""
        if self.expires_in is None or self.obtained is None:
            return None
        return self.obtained + self.expires_in

    def fresh(self, now: float) -> bool:
        """Whether the access token serves well beyond `now`: 300 s of life left, for short ones a tenth of it."""
        return bool(self.access) and self._remaining(now) > min(SKEW, (self.expires_in or 0.0) / 10)

    def alive(self, now: float) -> bool:
        """Whether the access token has not ended yet, be it in its last seconds."""
        return bool(self.access) and self._remaining(now) > 0

    def _remaining(self, now: float) -> float:
        if self.expires_at is None or self.expires_in is None:
            return 0.0
        left = self.expires_at - now
        return left if left <= self.expires_in + CLOCK_TOLERANCE else 0.0

    def access_token(self) -> AccessToken:
        """The part that goes into requests."""
        return AccessToken(self.access, self.expires_at)


def fingerprint(value: str) -> str:
    """SHA-256 of a supplied secret: enough to recognise it again."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def jwt_claims(value: str) -> dict[str, Any]:
    """The claims of a JWT, unverified; empty when it is opaque or malformed."""
    parts = value.split(".")
    if len(parts) != 3:
        return {}
    try:
        raw = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        found = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
