"""A person's tokens: kept in the settings store, renewed once for everybody, begun by whatever the caller supplied."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dynamics_auth.failures import AuthError, StoreDamaged
from dynamics_auth.identity import Identity, identify, selector
from dynamics_auth.ports import Ports
from dynamics_auth.records import Payload, Pending, Record, Selector
from dynamics_auth.redirects import loopback_parts
from dynamics_auth.settings import AuthSettings
from dynamics_auth.sources import Logins, Wish, given_tokens
from dynamics_auth.supplied import Supplied
from dynamics_auth.tokens import NOTHING, TokenSet, Unpicklable
from dynamics_auth.vault import Vault

__all__ = ["UserTokens"]

_LOCK_SLACK = 60.0


@dataclass(frozen=True)
class _Person(Unpicklable):
    """Nothing but a person can go on; `claims` is what the sign-in must satisfy."""

    claims: str | None
    record: Record | None

    def succeed(self, record: Record) -> tuple[Record, Record | None]:
        """The new record with what the old chain knew, and the old one if it is replaced: same person, or none yet."""
        old = self.record
        if old is None or old.user.lower() not in ("", record.user.lower()):
            return record, None
        return replace(record, seeds=old.seeds, spent=old.spent).renewed_from(old), old


class UserTokens(Unpicklable):
    """InitiateOAuth=REFRESH and GETANDREFRESH.

    The fast path reads the store without a lock. Otherwise: lock, read again, look again, renew, write. While a
    person types only the sign-in lock is held.
    """

    def __init__(self, settings: AuthSettings, ports: Ports, vault: Vault) -> None:
        self._settings, self._ports, self.vault = settings, ports, vault
        self.logins = Logins(ports)
        self._supplied = Supplied(settings, ports, self.logins)

    @property
    def _asks_person(self) -> bool:
        return self._settings.initiate == "GETANDREFRESH"

    def get(self, organization_url: str, wish: Wish) -> TokenSet:
        """Tokens that serve, from the store or renewed; under GETANDREFRESH a person is asked as the last resort."""
        where = selector(self._settings, organization_url)
        stored = self._stored(where, wish)
        if stored is not None:
            return stored
        with self.vault.lock():
            outcome = self._renew(organization_url, where, wish)
        return outcome if isinstance(outcome, TokenSet) else self._ask(organization_url, where, wish, outcome)

    def current(self, organization_url: str) -> Record | None:
        """What the store holds for the organisation, None when nothing."""
        return choose(self.vault.read(), selector(self._settings, organization_url))

    def forget(self, organization_url: str) -> int:
        """Remove the organisation's sign-ins from the store; returns how many there were."""
        with self.vault.lock():
            payload = self.vault.read()
            gone = payload.find(selector(self._settings, organization_url))
            if gone:
                self.vault.write(payload.drop(lambda record: record not in gone))
        return len(gone)

    def keep(self, identity: Identity, tokens: TokenSet, pending: Pending | None, *seeds: str) -> None:
        """Store tokens that came by a procedure, and end the sign-in they were begun with."""
        with self.vault.lock():
            payload = self.vault.read().finish(pending)
            self.vault.write(payload.put(identity.record(tokens).seeded(*seeds)))

    def _stored(self, where: Selector, wish: Wish) -> TokenSet | None:
        try:
            record = choose(self.vault.read(), where)
        except StoreDamaged:
            if self._asks_person:
                return None
            raise
        if record is None or not wish.met_by(record.tokens, self._ports.clock()) or self._supplied.unseen(record):
            return None
        return record.tokens

    def _renew(self, organization_url: str, where: Selector, wish: Wish) -> TokenSet | _Person:
        payload = self._read_or_begin_anew()
        record = choose(payload, where)
        taken = self._supplied.take(organization_url, payload, record, self._ports.clock())
        if taken is not None:
            payload, record, changed = taken
            if changed:
                payload = self.vault.write(payload)
        if record is not None and wish.met_by(record.tokens, self._ports.clock()):
            return record.tokens
        if record is not None and record.tokens.refresh:
            return self._refresh(organization_url, payload, record, wish)
        return self._last_resort(where, payload, record, wish)

    def _read_or_begin_anew(self) -> Payload:
        try:
            return self.vault.read()
        except StoreDamaged as damage:
            if not self._asks_person:
                raise
            moved = self.vault.begin_anew()
            self._ports.logger.warn(f"{damage}. It was renamed to {moved}; a new sign-in follows")
            return Payload()

    def _refresh(self, organization_url: str, payload: Payload, record: Record, wish: Wish) -> TokenSet | _Person:
        identity = identify(self._settings, organization_url, record)
        try:
            login = self.logins.get(identity.authority, identity.application)
            tokens = login.refresh(record.tokens.refresh, identity.scope, wish.claims)
        except AuthError as error:
            return self._after_refusal(payload, record, wish, error)
        renewed = identity.record(tokens, record).renewed_from(record)
        self.vault.write(payload.put(renewed, replacing=record))
        return renewed.tokens

    def _after_refusal(self, payload: Payload, record: Record, wish: Wish, error: AuthError) -> TokenSet | _Person:
        if error.kind == "operational" and not wish.claims and self._still_good(record, wish):
            self._ports.logger.warn(f"the token could not be renewed yet and is used to its end: {error}")
            return record.tokens
        if error.error == "invalid_grant":
            spent = replace(record, tokens=TokenSet(user=record.user)).renewed_from(record)
            self.vault.write(payload.put(spent, replacing=record))
        if error.needs_sign_in and self._asks_person:
            return _Person(error.claims or wish.claims, record)
        raise error

    def _still_good(self, record: Record, wish: Wish) -> bool:
        refused = wish.force or (wish.refused is not None and wish.refused == record.tokens.access)
        return record.tokens.alive(self._ports.clock()) and not refused

    def _last_resort(self, where: Selector, payload: Payload, record: Record | None, wish: Wish) -> TokenSet | _Person:
        given = given_tokens(self._settings)
        unrefused = given.access and not wish.force and not wish.claims and given.access != wish.refused
        if unrefused and (given.expires_at is None or given.alive(self._ports.clock())):
            return given
        if self._asks_person:
            return _Person(wish.claims, record)
        raise nothing_to_renew(self.vault.name, where, payload, record)

    def _ask(self, organization_url: str, where: Selector, wish: Wish, person: _Person) -> TokenSet:
        began = person.record.tokens.access if person.record else NOTHING
        with self.vault.sign_in_lock(self._settings.sign_in_timeout + _LOCK_SLACK):
            meanwhile = choose(self.vault.read(), where)
            if (
                meanwhile is not None
                and meanwhile.tokens.access != began
                and wish.met_by(meanwhile.tokens, self._ports.clock())
            ):
                return meanwhile.tokens
            identity = identify(self._settings, organization_url, person.record)
            tokens = self.ask_person(identity, person.claims)
            with self.vault.lock():
                payload = self.vault.read()
                record, old = person.succeed(identity.record(tokens))
                self.vault.write(payload.put(record.seeded(*self._supplied.marks()), replacing=old))
        return tokens

    def ask_person(self, identity: Identity, claims: str | None = None, prompt: str = "") -> TokenSet:
        """Let a person sign in: in the browser, or by a device code under AuthScheme=DeviceCode. Stores nothing."""
        if self._settings.scheme == "DeviceCode":
            login = self.logins.get(identity.authority, identity.application)
            return login.by_device_code(identity.scope, claims)
        from dynamics_auth.interactive import sign_in  # the receiver's http.server is loaded only for a person

        loopback_parts(identity.callback)
        login = self.logins.get(identity.authority, identity.application)
        settings = replace(self._settings, prompt=prompt) if prompt else self._settings
        return sign_in(login, identity.callback, identity.scope, settings, self._ports, claims)

    def end(self, pending: Pending) -> None:
        """Drop a sign-in begun: its code is redeemed."""
        with self.vault.lock():
            self.vault.write(self.vault.read().finish(pending))


def choose(payload: Payload, where: Selector) -> Record | None:
    """The record a connection means: the newest with tokens, else the newest.

    Raises AuthError (interface) listing the accounts when several have tokens and User picks none.
    """
    records = payload.find(where)
    usable = [record for record in records if record.tokens.access or record.tokens.refresh]
    accounts = sorted({record.user for record in usable if record.user})
    if len(accounts) > 1:
        raise AuthError(f"the settings hold several accounts, set User to one of: {', '.join(accounts)}", "interface")
    return next(iter(usable or records), None)


def nothing_to_renew(name: str, where: Selector, payload: Payload, record: Record | None) -> AuthError:
    """InitiateOAuth=REFRESH has nothing to begin with."""
    if record is not None:
        return AuthError(
            f"the sign-in in {name} can no longer be renewed. Sign in again: set OAuthVerifier to a new code, or "
            "InitiateOAuth=GETANDREFRESH on a machine with a browser",
            "authentication",
            needs_sign_in=True,
        )
    others = sorted({other.organization for other in payload.records} - {where.organization})
    same = payload.find(Selector(where.organization))
    hint = f" It holds sign-ins for {', '.join(others)}: check OrganizationUrl." if others else ""
    if same:
        hint = f" It holds a sign-in of tenant {same[0].tenant} and client {same[0].client_id}: check Tenant, User, "
        hint += "OAuthClientId and AuthorityUrl."
    return AuthError(
        f"InitiateOAuth=REFRESH found no sign-in for {where.organization} in OAuthSettingsLocation ({name}), and "
        f"neither OAuthRefreshToken nor OAuthVerifier is set: set one of the three.{hint}",
        "interface",
        needs_sign_in=True,
    )
