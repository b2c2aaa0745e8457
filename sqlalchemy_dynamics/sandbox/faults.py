"""Faults on demand, in the grammar KIND:WHEN[:ARG]: which answer goes wrong, and how."""

from __future__ import annotations

import random
import re
import threading
from dataclasses import dataclass, field

__all__ = ["KINDS", "Fault", "Faults", "parse_fault"]

KINDS = ("429", "401", "500", "502", "503", "504", "drop", "truncate", "slow", "html", "repeat")
_WHEN = re.compile(r"[#%]0*[1-9]\d*|0*[1-9]\d*\+|0|1|0?\.\d+|[01]\.0*")


@dataclass
class Fault:
    """One fault. `when` is a rate (``0.05``), ``#3`` (the third), ``%3`` (every third) or ``3+`` (from the third on).

    `path` restricts it to URLs that contain the text; `arg` is Retry-After seconds, or bytes per second.
    """

    kind: str
    when: str
    arg: float | None = None
    path: str = ""
    seen: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault '{self.kind}': use one of {', '.join(KINDS)}")
        if not _WHEN.fullmatch(self.when):
            raise ValueError(f"unknown time '{self.when}' of a fault: use a rate (0.05), #3, %3 or 3+")

    def strikes(self, chance: random.Random) -> bool:
        """Count one request and say whether the fault strikes it."""
        self.seen += 1
        if self.when[0] == "#":
            return self.seen == int(self.when[1:])
        if self.when[0] == "%":
            return self.seen % int(self.when[1:]) == 0
        if self.when[-1] == "+":
            return self.seen >= int(self.when[:-1])
        return chance.random() < float(self.when)


def parse_fault(text: str) -> Fault:
    """Return the fault of ``KIND:WHEN[:ARG]``; raises ValueError that says what is wrong."""
    kind, _, rest = text.partition(":")
    when, _, arg = rest.partition(":")
    if not when:
        raise ValueError(f"a fault is KIND:WHEN[:ARG], not '{text}'")
    try:
        return Fault(kind, when, float(arg) if arg else None)
    except ValueError as error:
        raise ValueError(f"bad fault '{text}': {error}") from None


class Faults:
    """The faults in force; `strike` picks the first that strikes a request."""

    def __init__(self, faults: list[Fault], seed: int = 0) -> None:
        self._faults = list(faults)
        self._chance = random.Random(seed)
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Take all faults away."""
        with self._lock:
            self._faults.clear()

    def strike(self, url: str, path: str = "") -> Fault | None:
        """Return the fault that strikes a request to `url`; `path` picks those of another server (``token``)."""
        with self._lock:
            if not self._faults:
                return None
            fitting = [f for f in self._faults if (f.path == path if path or f.path == "token" else f.path in url)]
            struck = [fault for fault in fitting if fault.strikes(self._chance)]
            return struck[0] if struck else None
