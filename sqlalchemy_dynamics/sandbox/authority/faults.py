"""Faults on demand at the sign-in service: KIND:WHEN[:ARG], counted per fault over the requests it looks at."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .failures import FAILURES

__all__ = ["Fault", "Faults"]

_KINDS = re.compile(r"429|401|500|502|503|504|drop|truncate|slow|delay|html|answer|AADSTS\d+")
_WHEN = re.compile(r"#(?P<nth>\d+)|%(?P<every>\d+)|(?P<onwards>\d+)\+|(?P<rate>[01](?:\.\d+)?|\.\d+)")


@dataclass
class Fault:
    """One fault. `answer` sends `status`, `headers` and `body`; `AADSTS…` refuses with that number of the table.

    `delay` holds the answer for `arg` seconds, `slow` sends `arg` bytes per second, a status has `arg` as Retry-After.
    `drop` and `truncate` come after the request was served: what it spent is spent.
    """

    kind: str
    when: str = "1+"
    arg: float | str | None = None
    path: str = "token"
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seen: int = 0

    def __post_init__(self) -> None:
        if not _KINDS.fullmatch(self.kind) or (self.kind[6:].isdigit() and int(self.kind[6:]) not in FAILURES):
            raise ValueError(f"unknown kind of fault {self.kind!r}")
        if not _WHEN.fullmatch(self.when):
            raise ValueError(f"{self.when!r} says not when: use 0.05 (rate), #3 (third), %3 (every third) or 3+")

    def strikes(self, chance: random.Random) -> bool:
        """Count one request; whether this one is hit."""
        self.seen += 1
        match = _WHEN.fullmatch(self.when)
        tests = {
            "nth": lambda text: self.seen == int(text),
            "every": lambda text: self.seen % max(int(text), 1) == 0,
            "onwards": lambda text: self.seen >= int(text),
            "rate": lambda text: chance.random() < float(text),
        }
        return match is not None and any(tests[name](text) for name, text in match.groupdict().items() if text)


class Faults:
    """The faults in force."""

    def __init__(self, seed: int = 0) -> None:
        self.active: list[Fault] = []
        self._chance = random.Random(seed)

    def add(self, kind: str, when: str = "1+", arg: float | str | None = None, path: str = "token") -> Fault:
        """Put one in force; `path` is a segment of the addresses it looks at ("token", "authorize", "" for all)."""
        return self.put(Fault(kind, when, arg, path))

    def answer(
        self,
        body: str | bytes,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        when: str = "1+",
        path: str = "token",
    ) -> Fault:
        """Send that very answer instead of serving the request."""
        content = body.encode() if isinstance(body, str) else body
        return self.put(Fault("answer", when, None, path, status, content, headers or {}))

    def put(self, fault: Fault) -> Fault:
        """Put a fault in force."""
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        """End all faults."""
        self.active.clear()

    def strike(self, path: str) -> Fault | None:
        """The fault that hits a request to `path`, if any; every fault that looks at the path counts it."""
        segments = path.split("/")
        looking = [fault for fault in self.active if not fault.path or fault.path in segments]
        hits = [fault for fault in looking if fault.strikes(self._chance)]
        return hits[0] if hits else None
