"""Takes secrets out of text: first the exact values we hold, then whatever looks like one."""

from __future__ import annotations

import re
import threading

__all__ = ["MASK", "Redactor", "one_line"]

MASK = "***"
_NAMES = (
    "access_token|refresh_token|id_token|client_secret|client_assertion|assertion|code|code_verifier|device_code|"
    "password|passwd|pwd|secret|oauthaccesstoken|oauthrefreshtoken|oauthclientsecret|oauthverifier|state|nonce"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"eyJ[\w-]{5,}\.[\w-]*\.?[\w-]*"), MASK),
    (re.compile(r"\b(Bearer|Basic|Digest|NTLM|Negotiate)\s+[\w.~+/=-]{8,}", re.I), rf"\1 {MASK}"),
    (re.compile(rf"\b({_NAMES})(\"?\s*[:=]\s*\"?)[^\"&\s,;}}]+", re.I), rf"\1\2{MASK}"),
    (re.compile(r"(://[^/\s:@]*:)[^@/\s]+@"), rf"\1{MASK}@"),
)
_SHORTEST = 6


class Redactor:
    """Remembers secrets and masks them; safe to share between threads."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def learn(self, *secrets: str) -> None:
        """Remember values to mask wherever they turn up; very short ones would mask ordinary words."""
        with self._lock:
            self._known.update(str(value) for value in secrets if value and len(value) >= _SHORTEST)

    def clean(self, text: str) -> str:
        """The text with every known or suspected secret masked."""
        with self._lock:
            known = sorted(self._known, key=len, reverse=True)
        for value in known:
            text = text.replace(value, MASK)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def one_line(text: str, limit: int = 500) -> str:
    """Foreign text made fit for a message: control characters become blanks, length is bounded."""
    flat = re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+", " ", text).strip()
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
