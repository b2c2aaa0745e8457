"""Claims that the data service demands of a token, and the challenge that says so (continuous access evaluation)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Demand", "claim_value"]


@dataclass(frozen=True)
class Demand:
    """`claims`: what stands under `"access_token"` of a claims challenge. `interactive`: only a person can get them."""

    claims: Mapping[str, Any] = field(default_factory=dict)
    interactive: bool = False

    def met_by(self, asked: Mapping[str, str]) -> bool:
        """Whether a token asked for with these claims (name → value) will do."""
        return all(asked.get(name) == claim_value(claim) for name, claim in self.claims.items())

    @property
    def fields(self) -> str:
        """The challenge's fields, ready to append to a `WWW-Authenticate` text."""
        claims = base64.b64encode(json.dumps({"access_token": self.claims}).encode()).decode()
        return f'error="insufficient_claims", claims="{claims}"'


def claim_value(claim: Any) -> str:
    """The value of one requested claim: `{"value": v}`, `{"values": [v]}` or bare."""
    if not isinstance(claim, Mapping):
        return str(claim)
    return str(claim.get("value", claim.get("values", "")))
