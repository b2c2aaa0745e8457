"""The sign-in service's state: tenant, applications, people, what was handed out, and every knob. No sockets."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .claims import Demand
from .clients import Client
from .failures import Refused
from .faults import Faults
from .grants import Grants, RefreshMode, Session
from .journal import Entry
from .people import User, demo_users
from .resources import Wanted
from .tokens import Signer

__all__ = ["Consent", "Realm"]

Consent = Literal["ask", "grant", "deny"]
_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
_CAE_LIFETIME = 28 * 3600


@dataclass
class Overrides:
    """Fields laid over the answers, to play a strange or hostile service; a value of None removes the field."""

    metadata: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    id_token: dict[str, Any] = field(default_factory=dict)
    callback: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Realm:
    """One tenant's sign-in service. Every attribute may be changed while it runs; `reset()` restores the knobs.

    `consent`: what the person at the browser does — "ask" shows pages, "grant" signs in at once (as `login_hint`, else
    the first of `users`), "deny" declines. `url` is what the metadata and the challenge say; times are seconds.
    """

    organisation_url: str
    lifetime: int = 3600
    clock: Callable[[], float] = time.time
    consent: Consent = "ask"
    tenant: str = str(uuid.uuid5(_SPACE, "contoso.onmicrosoft.com"))
    url: str = "https://login.sandbox.invalid"
    users: list[User] = field(default_factory=demo_users)
    clients: dict[str, Client] = field(default_factory=dict, repr=False)
    requests: list[Entry] = field(default_factory=list, repr=False)
    faults: Faults = field(default_factory=Faults, repr=False)
    signer: Signer = field(default_factory=Signer, repr=False)

    def __post_init__(self) -> None:
        self.organisation_url = self.organisation_url.rstrip("/")
        self.domains = {"contoso.onmicrosoft.com": self.tenant, self.tenant: self.tenant}
        self.resources = [self.organisation_url]
        self.reset()

    def reset(self) -> None:
        """Forget tokens, sign-ins, faults, the log and all knobs; keep applications, people, keys and addresses."""
        self.grants = Grants(lambda: self.clock())
        self.overrides = Overrides()
        self.refresh_in: int | None = None
        self.device_interval = 5
        self.generation = 0
        self.demand = Demand()
        self._challenge = ""
        self.admin_consented: set[str] = set()
        self.browser_sessions: dict[str, str] = {}
        self.faults.clear()
        self.requests.clear()

    # -- knobs ---------------------------------------------------------------------------------------------------

    @property
    def refresh_mode(self) -> RefreshMode:
        """What becomes of a used refresh token: "keep" (a new one comes, the old one stays: the real service),
        "same", "omit" (none comes), "single-use", or "revoke-family" (reuse ends the whole sign-in)."""
        return self.grants.refresh_mode

    @refresh_mode.setter
    def refresh_mode(self, mode: RefreshMode) -> None:
        self.grants.refresh_mode = mode

    @property
    def issuer(self) -> str:
        """The issuer of id tokens and of the OpenID configuration of the home tenant."""
        return f"{self.url}/{self.tenant}/v2.0"

    def add_client(self, client: Client) -> Client:
        """Register an application (or replace its registration)."""
        self.clients[client.client_id] = client
        return client

    def add_tenant(self, domain: str, tenant: str = "") -> str:
        """Let requests name another tenant by `domain` or by its GUID; returns the GUID."""
        guid = tenant or str(uuid.uuid5(_SPACE, domain))
        self.domains |= {domain: guid, guid: guid}
        return guid

    def revoke_access_tokens(self) -> None:
        """End every access token handed out so far; refresh tokens stay good."""
        self.generation += 1

    def revoke_sessions(self, code: int = 50173, claims: str = "", error: str = "") -> None:
        """Let every refresh token handed out so far be refused with that AADSTS number; access tokens stay good."""
        for session in self.grants.sessions:
            session.refused = Refused(code, self.organisation_url, claims=claims, error=error)

    def revoke_all(self) -> None:
        """End every access token and every refresh token handed out so far."""
        self.revoke_access_tokens()
        self.revoke_sessions()

    def demand_claims(self, claims: Mapping[str, Any], *, interactive: bool = False) -> None:
        """From now on the data service accepts only tokens that were asked for with these `access_token` claims.

        `claims` is what stands under `"access_token"` of a claims challenge, e.g.
        ``{"acrs": {"essential": True, "value": "c1"}}``. `interactive`: a refresh token cannot get them
        (`interaction_required` with the claims); a person has to sign in again. Empty claims end the demand.
        """
        self.demand = Demand(dict(claims), interactive)

    # -- look-ups ------------------------------------------------------------------------------------------------

    def find_tenant(self, name: str) -> str:
        """The GUID of a tenant named in a path. Raises `Refused` 90002."""
        if name in ("common", "organizations", "adfs"):
            return self.tenant
        if name.lower() not in self.domains:
            raise Refused(90002, name)
        return self.domains[name.lower()]

    def find_client(self, client_id: str, tenant: str) -> Client:
        """The registration. Raises `Refused` 900144, 700016."""
        if not client_id:
            raise Refused(900144, "client_id")
        if client_id not in self.clients:
            raise Refused(700016, client_id, tenant)
        return self.clients[client_id]

    def find_user(self, username: str, password: str | None = None) -> User:
        """The account; the password is checked unless None. Raises `Refused` 50034, 50126, 50057."""
        user = next((one for one in self.users if one.username.lower() == username.lower()), None)
        if user is None:
            raise Refused(50034, username)
        if password is not None and password != user.password:
            raise Refused(50126)
        if user.disabled:
            raise Refused(50057)
        return user

    # -- access tokens -------------------------------------------------------------------------------------------

    def sign_access(
        self,
        client: Client,
        user: User | None,
        wanted: Wanted,
        tenant: str = "",
        asked: Mapping[str, str] | None = None,
        lifetime: int | None = None,
    ) -> str:
        """Sign an access token for a person at an application, or for the application itself (`user` None)."""
        now, tid = int(self.clock()), tenant or self.tenant
        claims: dict[str, Any] = {
            "aud": wanted.resource, "iss": f"{self.url}/{tid}/", "iat": now, "nbf": now,
            "exp": now + (self.lifetime if lifetime is None else lifetime), "tid": tid, "ver": "1.0",
            "appid": client.client_id, "appidacr": "0" if client.public else "1",
            "xms_generation": self.generation, "xms_asked": dict(asked or {}),
        }  # fmt: skip
        return self.signer.sign(claims | _subject(client, user))

    def issue_access_token(
        self, username: str = "", *, client_id: str = "", audience: str = "", lifetime: int | None = None
    ) -> str:
        """Sign an access token without any flow: for `username`, else the first user; `client_id` alone → the app's."""
        client = self.clients[client_id] if client_id else next(iter(self.clients.values()))
        user = None if client_id and not username else self.find_user(username or self.users[0].username)
        return self.sign_access(client, user, Wanted(audience or self.organisation_url), lifetime=lifetime)

    def lifetime_for(self, session: Session | None, capable: bool) -> int:
        """Seconds an access token lives: 28 h for a `cae` user whose client said it can answer claims challenges."""
        return _CAE_LIFETIME if session and session.user.cae and capable else self.lifetime

    def claims_of(self, token: str) -> Mapping[str, Any] | None:
        """The claims of a token of this service, whatever its dates (`oid`, `upn` or `appid` say who); else None."""
        return self.signer.read(token)

    def check(self, bearer_token: str | None, audience: str = "") -> str | None:
        """None when the data service may accept the token, else why not.

        Reasons: "missing", "bad signature", "wrong issuer", "wrong audience", "expired", "revoked",
        "insufficient_claims" (answer with `challenge_for(reason)`).
        """
        if not bearer_token:
            return "missing"
        claims = self.signer.read(bearer_token)
        if claims is None:
            return "bad signature"
        return next((reason for reason, wrong in self._objections(claims, audience) if wrong), None)

    def _objections(self, claims: Mapping[str, Any], audience: str) -> tuple[tuple[str, bool], ...]:
        expected = (audience or self.organisation_url).rstrip("/").lower()
        return (
            ("wrong issuer", claims.get("iss") not in {f"{self.url}/{tid}/" for tid in self.domains.values()}),
            ("wrong audience", str(claims.get("aud", "")).rstrip("/").lower() != expected),
            ("expired", self.clock() >= float(claims.get("exp", 0))),
            ("revoked", claims.get("xms_generation") != self.generation),
            ("insufficient_claims", not self.demand.met_by(claims.get("xms_asked", {}))),
        )

    # -- the data service's 401 ----------------------------------------------------------------------------------

    @property
    def challenge(self) -> str:
        """The `WWW-Authenticate` text of a 401: tenant discovery, unquoted (dataverse-web-api 9.1). May be set."""
        address = f"{self.url}/{self.tenant}/oauth2/authorize"
        return self._challenge or f"Bearer authorization_uri={address}, resource_id={self.organisation_url}/"

    @challenge.setter
    def challenge(self, text: str) -> None:
        self._challenge = text

    def challenge_for(self, reason: str | None) -> str:
        """The `WWW-Authenticate` text for a reason of `check`."""
        if reason == "insufficient_claims":
            return f"{self.challenge}, {self.demand.fields}"
        if reason in (None, "missing"):
            return self.challenge
        return f'{self.challenge}, error="invalid_token", error_description="The token is not accepted: {reason}"'


def _subject(client: Client, user: User | None) -> dict[str, Any]:
    """The claims that say who: a person, or the application's own service principal."""
    if user is None:
        principal = str(uuid.uuid5(_SPACE, client.client_id))
        return {"oid": principal, "sub": principal, "idtyp": "app", "app_displayname": client.name}
    return {
        "oid": user.object_id, "sub": user.object_id, "idtyp": "user", "upn": user.username,
        "unique_name": user.username, "name": user.name, "scp": "user_impersonation",
    }  # fmt: skip
