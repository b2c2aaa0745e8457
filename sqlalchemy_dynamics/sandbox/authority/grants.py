"""Sign-ins and what they hand out: codes, refresh tokens and device codes, each with its rules."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .clients import Client
from .failures import Refused
from .people import User
from .resources import Wanted

__all__ = ["Code", "Device", "Grants", "RefreshMode", "Session"]

RefreshMode = Literal["keep", "same", "omit", "single-use", "revoke-family"]


@dataclass
class Session:
    """One sign-in of one person at one application: the family of everything that descends from it.

    `refused` (if set) answers every later silent use of the family.
    """

    client: Client
    user: User
    wanted: Wanted
    claims: Mapping[str, str] = field(default_factory=dict)
    refused: Refused | None = None


@dataclass
class Code:
    """An authorization code with what must be repeated at its redemption."""

    session: Session
    redirect_uri: str
    expires: float
    challenge: str = ""
    challenge_method: str = ""
    nonce: str = ""
    redeemed: bool = False


@dataclass
class Refresh:
    """A refresh token's record."""

    session: Session
    expires: float
    spent: bool = False


@dataclass
class Device:
    """A device code waiting for a person: `session` once approved, `declined` once refused."""

    client: Client
    wanted: Wanted
    asked: Mapping[str, str]
    user_code: str
    expires: float
    session: Session | None = None
    declined: bool = False
    used: bool = False


@dataclass
class Grants:
    """Everything handed out and not yet forgotten. Times are the clock's seconds."""

    clock: Callable[[], float]
    code_lifetime: float = 600
    device_lifetime: float = 900
    refresh_lifetime: float = 90 * 86400
    refresh_mode: RefreshMode = "keep"
    codes: dict[str, Code] = field(default_factory=dict, repr=False)
    refreshes: dict[str, Refresh] = field(default_factory=dict, repr=False)
    devices: dict[str, Device] = field(default_factory=dict, repr=False)
    sessions: list[Session] = field(default_factory=list, repr=False)

    def open_session(self, client: Client, user: User, wanted: Wanted, claims: Mapping[str, str]) -> Session:
        """Record a sign-in; `claims` (name → value) are those it was asked to satisfy."""
        session = Session(client, user, wanted, claims)
        self.sessions.append(session)
        return session

    def new_code(self, session: Session, redirect_uri: str, challenge: str, method: str, nonce: str) -> str:
        """Hand out a single-use authorization code."""
        value = f"0.{secrets.token_urlsafe(48)}"
        expires = self.clock() + self.code_lifetime
        self.codes[value] = Code(session, redirect_uri, expires, challenge, method, nonce)
        return value

    def redeem_code(self, value: str, client: Client, redirect_uri: str, verifier: str) -> Code:
        """Spend a code. Raises `Refused` 70000 (unknown or another application's), 54005, 70008, 500112, 501481."""
        code = self.codes.get(value)
        if code is None or code.session.client.client_id != client.client_id:
            raise Refused(70000)
        if code.redeemed:
            raise Refused(54005)
        if self.clock() >= code.expires:
            raise Refused(70008)
        if redirect_uri != code.redirect_uri:
            raise Refused(500112, redirect_uri, code.redirect_uri)
        if not _proves(code, verifier):
            raise Refused(501481)
        code.redeemed = True
        return code

    def new_refresh(self, session: Session) -> str:
        """Hand out a refresh token."""
        value = f"1.{secrets.token_urlsafe(64)}"
        self.refreshes[value] = Refresh(session, self.clock() + self.refresh_lifetime)
        return value

    def find_refresh(self, value: str, client: Client) -> Session:
        """The sign-in behind a refresh token. Raises `Refused` 70000, 70008 (spent), 700082 or the family's own."""
        refresh = self.refreshes.get(value)
        if refresh is None or refresh.session.client.client_id != client.client_id:
            raise Refused(70000)
        if refresh.spent and self.refresh_mode == "revoke-family":
            refresh.session.refused = Refused(50173)
        if refresh.session.refused:
            raise refresh.session.refused.with_traceback(None)
        if refresh.spent or self.clock() >= refresh.expires:
            raise Refused(70008 if refresh.spent else 700082)
        return refresh.session

    def next_refresh(self, session: Session, used: str) -> str:
        """Use a refresh token, as the mode says: the one to hand out now, empty when none goes with the answer."""
        self.refreshes[used].spent = self.refresh_mode in ("single-use", "revoke-family")
        if self.refresh_mode == "omit":
            return ""
        return used if self.refresh_mode == "same" else self.new_refresh(session)

    def new_device(self, client: Client, wanted: Wanted, asked: Mapping[str, str]) -> tuple[str, Device]:
        """Hand out a device code and the short code that a person types."""
        user_code = "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ23456789") for _ in range(9))
        value = f"2.{secrets.token_urlsafe(48)}"
        self.devices[value] = Device(client, wanted, asked, user_code, self.clock() + self.device_lifetime)
        return value, self.devices[value]

    def poll_device(self, value: str, client: Client) -> Session:
        """The sign-in behind a device code. Raises `Refused` 70000, 70020 (expired), 65004 (declined), 70016 (wait)."""
        device = self.devices.get(value)
        if device is None or device.used or device.client.client_id != client.client_id:
            raise Refused(70000)
        if self.clock() >= device.expires:
            raise Refused(70020)
        if device.declined:
            raise Refused(65004, error="authorization_declined")
        if device.session is None:
            raise Refused(70016)
        device.used = True
        return device.session

    def device_by_user_code(self, user_code: str) -> Device:
        """The pending device behind a typed code. Raises `Refused` 70018."""
        wanted = user_code.strip().upper()
        device = next((one for one in self.devices.values() if one.user_code == wanted), None)
        if device is None or device.session or device.declined or self.clock() >= device.expires:
            raise Refused(70018)
        return device

    def clear(self) -> None:
        """Forget everything handed out."""
        for table in (self.codes, self.refreshes, self.devices):
            table.clear()
        self.sessions.clear()


def _proves(code: Code, verifier: str) -> bool:
    """PKCE: the verifier belongs to the challenge; without a challenge there must be no verifier either."""
    if not code.challenge:
        return not verifier
    if code.challenge_method == "plain":
        return hmac.compare_digest(verifier.encode(), code.challenge.encode())
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, code.challenge.encode())
