"""Sign-in as one database connection sees it: the shared provider, plus tokens that belong to this connection alone."""

from __future__ import annotations

from collections.abc import Mapping

from dynamics_auth.answers import Answer
from dynamics_auth.authorities import resource_of
from dynamics_auth.failures import AuthError
from dynamics_auth.procedures import Begun, Context, ProcedureResult, call
from dynamics_auth.provider import TokenProvider
from dynamics_auth.sources import given_tokens
from dynamics_auth.tokens import AccessToken, TokenSet, Unpicklable

__all__ = ["ConnectionAuth"]


class ConnectionAuth(Unpicklable):
    """One per DBAPI connection. Tokens a procedure got under InitiateOAuth=OFF serve this connection only."""

    def __init__(self, provider: TokenProvider, organization_url: str) -> None:
        self.provider = provider
        self.organization = resource_of(organization_url)
        self._begun = Begun()
        self._own: TokenSet | None = None

    def open(self) -> None:
        """Do what connect() does about sign-in: nothing, except under GETANDREFRESH without a usable token."""
        self.provider.connect(self.organization)

    def token(self, *, claims: str | None = None, force: bool = False, refused: str | None = None) -> AccessToken:
        """The token for this connection's next request. Raises AuthError."""
        if self._own is None or self.provider.persists:
            return self.provider.token(self.organization, claims=claims, force=force, refused=refused)
        ended = self._own.expires_at is not None and not self._own.alive(self.provider.ports.clock())
        if ended or claims or force or refused == self._own.access:
            raise AuthError(
                "the access token of this connection has expired or was refused: call RefreshOAuthAccessToken, "
                "or set InitiateOAuth=REFRESH",
                "authentication",
                needs_sign_in=True,
            )
        return self._own.access_token()

    def call(self, name: str, arguments: Mapping[str, str | None]) -> ProcedureResult:
        """Run a stored procedure of sign-in; works on a connection that has no token. Raises AuthError."""
        arguments = Answer(arguments)
        context = Context(self.provider, self.organization, self._begun)
        result = call(name, arguments, context)
        if context.got:
            self._own = context.got[-1]
        return result

    def properties(self) -> dict[str, str]:
        """OAuthAccessToken, OAuthRefreshToken, OAuthExpiresIn, OAuthTokenTimestamp as they are now, for
        ``sys_connection_props``; secrets are Tokens (masked repr). Sends nothing."""
        tokens = self._current()
        stamp = "" if tokens.obtained is None else f"{tokens.obtained * 1000:.0f}"
        lifetime = "" if tokens.expires_in is None else f"{tokens.expires_in:.0f}"
        return {
            "OAuthAccessToken": tokens.access,
            "OAuthRefreshToken": tokens.refresh,
            "OAuthExpiresIn": lifetime,
            "OAuthTokenTimestamp": stamp,
        }

    def _current(self) -> TokenSet:
        if self._own is not None and not self.provider.persists:
            return self._own
        record = self.provider.current(self.organization)
        if record is not None:
            return record.tokens
        return given_tokens(self.provider.settings)
