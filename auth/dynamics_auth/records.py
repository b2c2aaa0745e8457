"""What the settings hold once opened: one record per sign-in, and the sign-ins begun but not finished."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from dynamics_auth.failures import StoreDamaged
from dynamics_auth.tokens import NOTHING, Token, TokenSet, Unpicklable, fingerprint

__all__ = ["PENDING_LIFETIME", "Payload", "Pending", "Record", "Selector"]

PENDING_LIFETIME = 900.0
_MAX_PENDING = 20
_MAX_SEEDS = 20
_MAX_SPENT = 100
_SHORT = 16


@dataclass(frozen=True)
class Record(Unpicklable):
    """One sign-in: where, as which application, as whom, and its newest tokens.

    `seeds` are fingerprints of what callers supplied and this chain has taken up, `spent` (shortened) those of its own
    earlier refresh tokens; newest last. Neither is ever redeemed again.
    """

    organization: str
    authority: str
    tenant: str
    client_id: str
    user: str = ""
    client_secret: Token = NOTHING
    callback: str = ""
    tokens: TokenSet = TokenSet()  # noqa: RUF009 - frozen
    seeds: tuple[str, ...] = ()
    spent: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """What makes a record one of its own."""
        parts = (self.organization, self.authority, self.tenant, self.client_id, self.user)
        return tuple(part.lower() for part in parts)

    def seeded(self, *marks: str) -> Record:
        """The record with more seeds taken up."""
        kept = [seed for seed in self.seeds if seed not in marks]
        return replace(self, seeds=(*kept, *marks)[-_MAX_SEEDS:])

    def renewed_from(self, old: Record) -> Record:
        """The record after a refresh: the token that was traded in is remembered as spent."""
        if not old.tokens.refresh or self.tokens.refresh == old.tokens.refresh:
            return replace(self, spent=old.spent)
        return replace(self, spent=(*old.spent, fingerprint(old.tokens.refresh)[:_SHORT])[-_MAX_SPENT:])

    def knows(self, mark: str) -> bool:
        """Whether a supplied value's fingerprint is one of this chain's: taken up, in use or spent."""
        own = (fingerprint(self.tokens.refresh), fingerprint(self.tokens.access))
        return mark in self.seeds or mark in own or mark[:_SHORT] in self.spent


@dataclass(frozen=True)
class Pending(Unpicklable):
    """A sign-in begun by GetOAuthAuthorizationUrl: all that its code needs to be redeemed."""

    organization: str
    authority: str
    tenant: str
    client_id: str
    redirect_uri: str
    created: float
    state: str = ""
    client_secret: Token = NOTHING
    verifier: Token = NOTHING

    def expired(self, now: float) -> bool:
        """Whether its 15 minutes are over, or it comes from the future."""
        return not -60.0 <= now - self.created <= PENDING_LIFETIME


@dataclass(frozen=True)
class Selector:
    """What the connection said about the record it wants; None matches any."""

    organization: str
    authority: str | None = None
    tenant: str | None = None
    client_id: str | None = None
    user: str | None = None

    def matches(self, item: Record | Pending) -> bool:
        """Whether everything that was said fits."""
        pairs = (
            (self.organization, item.organization),
            (self.authority, item.authority),
            (self.tenant, item.tenant),
            (self.client_id, item.client_id),
            (self.user, getattr(item, "user", "") or self.user),
        )
        return all(wanted is None or wanted.lower() == str(has).lower() for wanted, has in pairs)


@dataclass(frozen=True)
class Payload(Unpicklable):
    """Everything in one settings store. `generation` counts the writes."""

    generation: int = 0
    records: tuple[Record, ...] = ()
    pending: tuple[Pending, ...] = ()

    def find(self, selector: Selector) -> tuple[Record, ...]:
        """The records a connection may use, newest first."""
        return tuple(record for record in reversed(self.records) if selector.matches(record))

    def put(self, record: Record, replacing: Record | None = None) -> Payload:
        """With `record` as the newest, in the place of the one it grew from and of any with its key."""
        gone = {record.key} | ({replacing.key} if replacing else set())
        return replace(self, records=(*(r for r in self.records if r.key not in gone), record))

    def drop(self, keep: Callable[[Record], bool]) -> Payload:
        """Without the records that `keep` refuses."""
        return replace(self, records=tuple(record for record in self.records if keep(record)))

    def open_requests(self, selector: Selector, now: float) -> tuple[Pending, ...]:
        """The unexpired sign-ins begun that fit."""
        return tuple(item for item in self.pending if not item.expired(now) and selector.matches(item))

    def begin(self, item: Pending) -> Payload:
        """With one more sign-in begun; expired ones, its own repetition and all but the newest 20 are dropped."""
        kept = (other for other in self.pending if replace(other, created=item.created) != item)
        alive = [other for other in kept if not other.expired(item.created)]
        return replace(self, pending=(*alive, item)[-_MAX_PENDING:])

    def finish(self, item: Pending | None) -> Payload:
        """Without that sign-in: a code is redeemed once."""
        return replace(self, pending=tuple(other for other in self.pending if other is not item and other != item))

    def to_json(self) -> bytes:
        """The plain text that is sealed."""
        return json.dumps(
            {
                "generation": self.generation,
                "records": [_record_out(record) for record in self.records],
                "pending": [_plain(vars(item)) for item in self.pending],
            }
        ).encode()

    @classmethod
    def from_json(cls, text: bytes, where: str) -> Payload:
        """Read what `to_json` wrote. Raises StoreDamaged when any field is missing or of another type."""
        try:
            found = json.loads(text)
            return cls(
                int(found["generation"]),
                tuple(_record_in(item) for item in found["records"]),
                tuple(_pending_in(item) for item in found["pending"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
        raise StoreDamaged(f"{where} opens, but its content is not that of a settings file")


_TOKEN_NAMES = ("OAuthAccessToken", "OAuthRefreshToken", "OAuthExpiresIn", "OAuthTokenTimestamp")


def _record_out(record: Record) -> dict[str, Any]:
    tokens = record.tokens
    milliseconds = None if tokens.obtained is None else round(tokens.obtained * 1000)
    stamped = (str(tokens.access), str(tokens.refresh), tokens.expires_in, milliseconds)
    plain = _plain({name: value for name, value in vars(record).items() if name != "tokens"})
    marks = {"seeds": list(record.seeds), "spent": list(record.spent)}
    return {**plain, **marks, **dict(zip(_TOKEN_NAMES, stamped, strict=True))}


def _record_in(item: dict[str, Any]) -> Record:
    access, refresh, expires_in, milliseconds = (item[name] for name in _TOKEN_NAMES)
    obtained = None if milliseconds is None else float(milliseconds) / 1000
    return Record(
        **{name: _text(item[name]) for name in ("organization", "authority", "tenant", "client_id", "user")},
        client_secret=Token(_text(item["client_secret"])),
        callback=_text(item["callback"]),
        tokens=TokenSet(
            Token(_text(access)),
            Token(_text(refresh)),
            None if expires_in is None else float(expires_in),
            obtained,
            _text(item["user"]),
        ),
        seeds=tuple(_text(seed) for seed in item["seeds"]),
        spent=tuple(_text(mark) for mark in item["spent"]),
    )


def _pending_in(item: dict[str, Any]) -> Pending:
    names = ("organization", "authority", "tenant", "client_id", "redirect_uri", "state")
    return Pending(
        **{name: _text(item[name]) for name in names},
        created=float(item["created"]),
        client_secret=Token(_text(item["client_secret"])),
        verifier=Token(_text(item["verifier"])),
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, str) else value for name, value in values.items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value
