"""The token provider: one per set of properties, shared by every connection and thread of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dynamics_auth.authorities import resource_of
from dynamics_auth.failures import AuthError
from dynamics_auth.identity import Identity
from dynamics_auth.ports import Ports
from dynamics_auth.records import Pending, Record
from dynamics_auth.settings import AuthSettings
from dynamics_auth.sources import ApplicationTokens, CredentialTokens, GivenTokens, ManagedTokens, Source, Wish
from dynamics_auth.stores import TokenStore, default_location, open_store
from dynamics_auth.tokens import AccessToken, Token, TokenSet, Unpicklable
from dynamics_auth.users import UserTokens
from dynamics_auth.vault import Vault

__all__ = ["TokenProvider"]

_PERSONAL = frozenset(("AzureAD", "DeviceCode"))


class TokenProvider(Unpicklable):
    """Gives access tokens for organisations, renewed once per expiry whoever asks.

    `store` replaces OAuthSettingsLocation; `credential` (an ``azure.core`` TokenCredential or a callable) replaces
    AuthScheme. Making a provider sends nothing and opens nothing.
    """

    def __init__(
        self,
        settings: AuthSettings,
        ports: Ports | None = None,
        *,
        store: TokenStore | None = None,
        credential: Any = None,
    ) -> None:
        self.settings = settings
        self.ports = ports or Ports()
        self.ports.logger.learn(*settings.secrets())
        self._given_store = store
        self._credential = credential
        self._lock = threading.RLock()
        self._cache: dict[str, TokenSet] = {}
        self._answered: dict[str, str | None] = {}
        self._source: Source | None = None
        self._users: UserTokens | None = None

    @property
    def users(self) -> UserTokens:
        """The store-backed tokens of persons; opens the store on first use."""
        with self._lock:
            if self._users is None:
                store = self._given_store or open_store(self.location)
                self._users = UserTokens(self.settings, self.ports, Vault(store, self.settings, self.ports))
            return self._users

    @property
    def location(self) -> str:
        """OAuthSettingsLocation, or its default."""
        return self.settings.location or default_location(self.ports.environ)

    @property
    def has_location(self) -> bool:
        """Whether the user named a place for sign-ins begun; nothing is left behind otherwise."""
        return self.settings.location is not None or self._given_store is not None

    @property
    def persists(self) -> bool:
        """Whether tokens are kept in the store: never under InitiateOAuth=OFF."""
        return self._credential is None and self.settings.scheme in _PERSONAL and self.settings.initiate != "OFF"

    def token(
        self, organization_url: str, *, claims: str | None = None, force: bool = False, refused: str | None = None
    ) -> AccessToken:
        """A token for that organisation, good for some minutes at least.

        `claims`: JSON text of a claims challenge. `force`: the last token was refused (401); `refused` is that token
        where the caller knows it. However many callers force at once, one renewal is sent.
        Raises AuthError.
        """
        organization = resource_of(organization_url)
        before = self._cache.get(organization)
        wish = self._wish(before, claims, force, refused)
        now = self.ports.clock()
        if before is not None and self._serves(before, wish, now):
            return before.access_token()
        with self._lock:
            latest = self._cache.get(organization)
            if latest is not None and latest is not before:
                same_claims = self._answered.get(organization) == claims
                if self._serves(latest, replace(wish, claims=None) if same_claims else wish, self.ports.clock()):
                    return latest.access_token()
            tokens = self._fetch(organization, wish, latest)
            self._cache[organization], self._answered[organization] = tokens, claims
        self.ports.logger.learn(tokens.access, tokens.refresh)
        return tokens.access_token()

    def _wish(self, before: TokenSet | None, claims: str | None, force: bool, refused: str | None) -> Wish:
        if refused is not None:
            return Wish(claims, Token(refused), force)
        return Wish(claims, before.access if before is not None and force else None, force)

    @staticmethod
    def _serves(tokens: TokenSet, wish: Wish, now: float) -> bool:
        if tokens.expires_at is None:
            return not wish.claims and (tokens.access != wish.refused if wish.refused else not wish.force)
        return wish.met_by(tokens, now)

    def _fetch(self, organization: str, wish: Wish, latest: TokenSet | None) -> TokenSet:
        try:
            return self._open_source().get(organization, wish)
        except AuthError as error:
            forced = wish.claims or wish.force or wish.refused
            usable = latest is not None and latest.alive(self.ports.clock()) and not forced
            if latest is None or not usable or error.kind != "operational":
                raise
            self.ports.logger.warn(f"the token could not be renewed yet and is used to its end: {error}")
            return latest

    def _open_source(self) -> Source:
        if self._source is None:
            self._source = self._choose_source()
        return self._source

    def _choose_source(self) -> Source:
        if self._credential is not None:
            return CredentialTokens(self._credential, self.ports)
        makers: dict[str, Callable[[AuthSettings, Ports], Source]] = {
            "AzureServicePrincipal": ApplicationTokens,
            "AzureServicePrincipalCert": ApplicationTokens,
            "Password": ApplicationTokens,
            "AzureMSI": ManagedTokens,
        }
        maker = makers.get(self.settings.scheme)
        if maker is not None:
            return maker(self.settings, self.ports)
        return GivenTokens(self.settings, self.ports) if self.settings.initiate == "OFF" else self.users

    def connect(self, organization_url: str) -> None:
        """What opening a connection does: nothing, except under GETANDREFRESH, where it signs in when needed."""
        resource_of(organization_url)
        if self.persists and self.settings.initiate == "GETANDREFRESH":
            self.token(organization_url)

    def accept(self, identity: Identity, tokens: TokenSet, pending: Pending | None, *seeds: str) -> None:
        """Store tokens that a procedure got, and use them from now on."""
        with self._lock:
            self.users.keep(identity, tokens, pending, *seeds)
            self._cache[identity.organization] = tokens

    def forget(self, organization_url: str) -> int:
        """Sign out: drop the organisation's tokens from memory and store. Returns how many sign-ins there were."""
        with self._lock:
            self._cache.pop(resource_of(organization_url), None)
        return self.users.forget(organization_url)

    def current(self, organization_url: str) -> Record | None:
        """What is known of the organisation's sign-in right now; sends nothing."""
        if self.persists:
            return self.users.current(organization_url)
        return None
