"""What the caller supplied by hand - access token, refresh token, verifier - and how it seeds the store once."""

from __future__ import annotations

from dynamics_auth.failures import AuthError
from dynamics_auth.identity import Identity, identify, selector
from dynamics_auth.keys import find_keys
from dynamics_auth.ports import Ports
from dynamics_auth.records import Payload, Pending, Record
from dynamics_auth.redirects import Redirect, open_state, read_redirect
from dynamics_auth.settings import AuthSettings
from dynamics_auth.sources import Logins, given_tokens
from dynamics_auth.tokens import NOTHING, Token, TokenSet, Unpicklable, fingerprint

__all__ = ["Supplied", "find_pending", "redeem"]

Taken = tuple[Payload, Record | None, bool]


class Supplied(Unpicklable):
    """The connection's own refresh token, verifier and access token; each starts a chain at most once."""

    def __init__(self, settings: AuthSettings, ports: Ports, logins: Logins) -> None:
        self._settings, self._ports, self._logins = settings, ports, logins
        self._burnt: dict[str, AuthError] = {}

    def marks(self) -> tuple[str, ...]:
        """Fingerprints of all that is supplied: a new sign-in makes them old."""
        held = (self._settings.refresh_token, self._settings.verifier, self._settings.access_token)
        return tuple(fingerprint(value) for value in held if value)

    def unseen(self, record: Record) -> bool:
        """Whether something supplied has not been taken up by this record's chain."""
        return not all(map(record.knows, self.marks()))

    def take(self, organization_url: str, payload: Payload, record: Record | None, now: float) -> Taken | None:
        """Take up what is new, in the order access token with known dates, refresh token, verifier.

        Returns the payload, the record to use and whether it must be written; None when there is nothing new.
        A supplied value that the login service refuses costs nothing while the store has a chain of its own.
        """
        if record is not None and not self.unseen(record):
            return None
        adopted = self._adopt(organization_url, payload, record, now)
        if adopted is not None:
            return adopted
        try:
            if self._is_new(self._settings.refresh_token, record):
                return self._refresh(organization_url, payload, record)
            if self._is_new(self._settings.verifier, record):
                return self._redeem(organization_url, payload, record, now)
        except AuthError as error:
            return self._refused(payload, record, error)
        return self._marked(payload, record)

    def _is_new(self, value: Token | None, record: Record | None) -> bool:
        if not value:
            return False
        return record is None or not record.knows(fingerprint(value))

    def _marked(self, payload: Payload, record: Record | None) -> Taken | None:
        """Remember an access token that brings nothing of its own."""
        if record is None:
            return None
        marked = record.seeded(*self.marks())
        return payload.put(marked, replacing=record), marked, True

    def _adopt(self, organization_url: str, payload: Payload, record: Record | None, now: float) -> Taken | None:
        given = given_tokens(self._settings)
        dated = self._settings.expires_in is not None and self._settings.token_timestamp is not None
        if not dated or not given.fresh(now) or not (given.refresh or record):
            return None
        if record is not None and (record.tokens.obtained or 0.0) >= (given.obtained or 0.0):
            return None
        identity = identify(self._settings, organization_url, record)
        adopted = identity.record(given, record).seeded(*self.marks())
        return payload.put(adopted, replacing=record), adopted, True

    def _refresh(self, organization_url: str, payload: Payload, record: Record | None) -> Taken:
        identity = identify(self._settings, organization_url, record)
        value = self._settings.refresh_token or NOTHING
        tokens = self._logins.get(identity.authority, identity.application).refresh(value, identity.scope)
        kept = tokens if tokens.refresh else TokenSet(tokens.access, value, tokens.expires_in, tokens.obtained)
        started = identity.record(kept).seeded(*(record.seeds if record else ()), *self.marks())
        return payload.put(started, replacing=record), started, True

    def _redeem(self, organization_url: str, payload: Payload, record: Record | None, now: float) -> Taken:
        verifier = self._settings.verifier or NOTHING
        burnt = self._burnt.get(fingerprint(verifier))
        if burnt is not None:
            raise burnt.with_traceback(None)
        redirect = read_redirect(verifier)
        pending = find_pending(self._settings, organization_url, payload, redirect, now)
        identity = identify(self._settings, organization_url, pending or record)
        proof = pending.verifier if pending else NOTHING
        if not proof and redirect.state:
            keys = find_keys(self._settings, self._ports.environ)
            proof = open_state(keys, redirect.state, identity.callback, now)
        try:
            tokens = redeem(self._logins, identity, redirect, proof)
        except AuthError as error:
            if error.kind == "authentication":
                self._burnt[fingerprint(verifier)] = error
            raise
        started = identity.record(tokens).seeded(*(record.seeds if record else ()), *self.marks())
        return payload.finish(pending).put(started, replacing=record), started, True

    def _refused(self, payload: Payload, record: Record | None, error: AuthError) -> Taken | None:
        has_chain = record is not None and bool(record.tokens.refresh)
        if error.error == "invalid_grant" and has_chain:
            self._ports.logger.warn(f"a supplied OAuthRefreshToken or OAuthVerifier is not used: {error}")
            return self._marked(payload, record)
        if error.error == "invalid_grant" and self._settings.initiate == "GETANDREFRESH":
            self._ports.logger.warn(f"a supplied OAuthRefreshToken or OAuthVerifier is of no use: {error}")
            return None
        raise error


def find_pending(
    settings: AuthSettings, organization_url: str, payload: Payload, redirect: Redirect, now: float
) -> Pending | None:
    """The sign-in a code belongs to: by its state, else the only one begun.

    Raises AuthError (interface) for a bare code and several sign-ins begun: none is tried, a failed try burns the code.
    """
    begun = payload.open_requests(selector(settings, organization_url), now)
    if redirect.state:
        return next((item for item in begun if item.state == redirect.state), None)
    if len(begun) > 1:
        raise AuthError(
            "several sign-ins were begun and a bare code does not say which: paste the whole address the browser "
            "ended on",
            "interface",
        )
    return begun[0] if begun else None


def redeem(logins: Logins, identity: Identity, redirect: Redirect, proof: Token) -> TokenSet:
    """Redeem a code at v2; when the service refuses the version of a hand-made v1 address, once more at v1."""
    login = logins.get(identity.authority, identity.application)
    try:
        return login.redeem(redirect.code, identity.callback, identity.scope, proof)
    except AuthError as error:
        if proof or error.error != "invalid_request" or identity.authority.tenant == "adfs":
            raise
    older = logins.get(identity.authority, identity.application, version=1)
    return older.redeem(redirect.code, identity.callback, identity.scope)
