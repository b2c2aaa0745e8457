"""The log of requests: what a test asserts on. Values of secrets never get here, only the names of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Entry", "public_values"]

_PUBLIC = frozenset(
    {
        "client_id", "scope", "resource", "redirect_uri", "response_type", "response_mode", "prompt", "login_hint",
        "domain_hint", "code_challenge_method", "client_assertion_type", "client_info", "api-version",
    }
)  # fmt: skip


@dataclass
class Entry:
    """One request. `parameters` are the names sent in query or body, `values` those that are no secrets.

    `refusal` is the AADSTS number of the answer (0: none), `fault` the fault that hit it, `headers` the names sent.
    """

    n: int
    method: str
    path: str
    grant: str = ""
    status: int = 0
    refusal: int = 0
    fault: str = ""
    parameters: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    headers: frozenset[str] = frozenset()


def public_values(parameters: Mapping[str, str]) -> dict[str, str]:
    """Those parameters whose values may be logged."""
    return {name: value for name, value in parameters.items() if name in _PUBLIC}
