"""Tokens that need no person and no store: a given one, an application's, a managed identity's, a credential's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from dynamics_auth.authorities import Authority, Challenge, parse_challenge, resource_of, scope_of, trusted
from dynamics_auth.failures import AuthError
from dynamics_auth.identity import identify, load_certificate
from dynamics_auth.login import Application, Login
from dynamics_auth.managed import managed_identity_tokens
from dynamics_auth.ports import Ports, TransportError
from dynamics_auth.properties import EMBEDDED_CLIENT_ID
from dynamics_auth.redaction import one_line
from dynamics_auth.settings import AuthSettings
from dynamics_auth.tokens import BEARER, Token, TokenSet, Unpicklable, jwt_claims

__all__ = [
    "ApplicationTokens",
    "CredentialTokens",
    "GivenTokens",
    "Logins",
    "ManagedTokens",
    "Source",
    "Wish",
    "discover",
]

WHO_AM_I = "/api/data/v9.2/WhoAmI"


@dataclass(frozen=True)
class Wish(Unpicklable):
    """What a caller needs beyond any fresh token: claims of a challenge, or another token than the refused one."""

    claims: str | None = None
    refused: Token | None = None
    force: bool = False

    def met_by(self, tokens: TokenSet, now: float) -> bool:
        """Whether stored tokens will do."""
        return (
            not self.claims
            and tokens.fresh(now)
            and (tokens.access != self.refused if self.refused else not self.force)
        )


class Source(Protocol):
    """One way to tokens."""

    def get(self, organization_url: str, wish: Wish) -> TokenSet:
        """New tokens, or AuthError."""


class Logins(Unpicklable):
    """The MSAL applications in use, one per login service, application and credential; made on first use."""

    def __init__(self, ports: Ports, *, federation: bool = False) -> None:
        self._ports, self._federation = ports, federation
        self._made: dict[tuple[str, str, int], Login] = {}

    def get(self, authority: Authority, application: Application, version: int = 2) -> Login:
        """The Login for them; making it sends requests."""
        key = (authority.url, application.mark, version)
        login = self._made.get(key)
        if login is None:
            login = Login(self._ports, authority, application, federation=self._federation, version=version)
            self._made[key] = login
        return login


def discover(ports: Ports, organization_url: str) -> Challenge:
    """Ask the organisation, without a token, which login service it belongs to."""
    url = resource_of(organization_url) + WHO_AM_I
    try:
        reply = ports.http.send("GET", url, {"Accept": "application/json"}, None, ports.timeout)
    except TransportError as error:
        failure = AuthError(f"no answer from OrganizationUrl: {one_line(ports.logger.clean(str(error)))}", sent=False)
    else:
        return parse_challenge([value for name, value in reply.headers.items() if name.lower() == "www-authenticate"])
    raise failure


class GivenTokens:
    """InitiateOAuth=OFF: the OAuthAccessToken as it is."""

    def __init__(self, settings: AuthSettings, ports: Ports) -> None:
        self._settings, self._ports = settings, ports
        if settings.verifier:
            ports.logger.warn("OAuthVerifier is ignored under InitiateOAuth=OFF: set REFRESH or GETANDREFRESH")

    def get(self, organization_url: str, wish: Wish) -> TokenSet:
        """The given token. Raises AuthError when there is none, it has ended, or it was refused."""
        if not self._settings.access_token:
            raise AuthError(
                "OAuthAccessToken is required under InitiateOAuth=OFF: set it, or set InitiateOAuth to REFRESH or "
                "GETANDREFRESH, or call the stored procedures GetOAuthAuthorizationUrl and GetOAuthAccessToken",
                "interface",
            )
        tokens = given_tokens(self._settings)
        self._check_audience(tokens, organization_url)
        ended = tokens.expires_at is not None and not tokens.alive(self._ports.clock())
        if ended or wish.claims or wish.force or wish.refused == tokens.access:
            raise AuthError(
                "the OAuthAccessToken has expired or was refused: call RefreshOAuthAccessToken and set the new one, "
                "or set InitiateOAuth=REFRESH",
                "authentication",
                needs_sign_in=True,
            )
        return tokens

    def _check_audience(self, tokens: TokenSet, organization_url: str) -> None:
        audience = jwt_claims(tokens.access).get("aud")
        if isinstance(audience, str) and audience.rstrip("/").lower() != resource_of(organization_url):
            self._ports.logger.warn("OAuthAccessToken was issued for another resource than OrganizationUrl")


def given_tokens(settings: AuthSettings) -> TokenSet:
    """The tokens in the properties; a JWT tells its own dates where the properties do not."""
    access, refresh = settings.access_token or Token(""), settings.refresh_token or Token("")
    if settings.expires_in is not None and settings.token_timestamp is not None:
        return TokenSet(access, refresh, float(settings.expires_in), settings.token_timestamp / 1000)
    claims = jwt_claims(access)
    issued, end = claims.get("iat"), claims.get("exp")
    if isinstance(end, int | float) and isinstance(issued, int | float):
        return TokenSet(access, refresh, float(end - issued), float(issued))
    return TokenSet(access, refresh)


class ApplicationTokens:
    """AzureServicePrincipal, AzureServicePrincipalCert and Password: sign in anew whenever a token ends."""

    def __init__(self, settings: AuthSettings, ports: Ports) -> None:
        self._settings, self._ports = settings, ports
        self._logins = Logins(ports, federation=settings.scheme == "Password")
        if settings.scheme == "Password":
            ports.logger.warn("AuthScheme=Password cannot do multi-factor authentication; Microsoft deprecates it")
        elif (settings.client_id or "").lower() == EMBEDDED_CLIENT_ID:
            raise AuthError(
                f"AuthScheme={settings.scheme} needs a custom app: set OAuthClientId to your own", "interface"
            )

    def get(self, organization_url: str, wish: Wish) -> TokenSet:
        """New tokens by the secret, the certificate, or User and Password."""
        identity = identify(self._settings, organization_url)
        application = identity.application
        scope = scope_of(organization_url)
        if self._settings.scheme == "Password":
            login = self._logins.get(self._password_authority(identity.authority), application)
            user, password = self._settings.user or "", self._settings.password or Token("")
            return login.by_password(user, password, scope, wish.claims)
        if self._settings.scheme == "AzureServicePrincipalCert":
            application = Application(application.client_id, certificate=load_certificate(self._settings))
        authority = self._real_tenant(identity.authority, organization_url)
        return self._logins.get(authority, application).as_application(scope, wish.claims)

    def _password_authority(self, authority: Authority) -> Authority:
        return replace(authority, tenant="organizations") if authority.tenant == "common" else authority

    def _real_tenant(self, authority: Authority, organization_url: str) -> Authority:
        if authority.tenant not in ("common", "organizations"):
            return authority
        challenge = discover(self._ports, organization_url)
        found = trusted(challenge, authority) if challenge.authority else None
        if found is None or found.tenant == "organizations":
            raise AuthError(f"AuthScheme={self._settings.scheme} needs Tenant (AzureTenant): set it", "interface")
        return found


class ManagedTokens:
    """AzureMSI: the identity of the Azure host."""

    def __init__(self, settings: AuthSettings, ports: Ports) -> None:
        self._settings, self._ports = settings, ports

    def get(self, organization_url: str, wish: Wish) -> TokenSet:
        """New tokens from the host's identity endpoint."""
        return managed_identity_tokens(
            self._ports, self._settings.client_id, resource_of(organization_url), wish.claims
        )


class CredentialTokens:
    """A caller's own: an ``azure.core`` TokenCredential, or a callable that returns a token.

    A callable takes nothing and returns the token's text, or (text, epoch seconds of its end).
    """

    def __init__(self, credential: Any, ports: Ports) -> None:
        self._credential, self._ports = credential, ports
        if not (callable(getattr(credential, "get_token", None)) or callable(credential)):
            raise AuthError("credential must have get_token(scope), or be callable", "interface")

    def get(self, organization_url: str, wish: Wish) -> TokenSet:
        """Ask it. Raises AuthError when it fails or returns no bearer token."""
        failure: AuthError
        try:
            found = self._ask(scope_of(organization_url), wish.claims)
        except Exception as error:  # the caller's code
            text = one_line(self._ports.logger.clean(str(error)), 300)
            failure = AuthError(f"the credential failed: {type(error).__name__}: {text}", "authentication")
        else:
            return self._checked(found)
        raise failure

    def _ask(self, scope: str, claims: str | None) -> tuple[Token, object]:
        get_token: Callable[..., Any] | None = getattr(self._credential, "get_token", None)
        if get_token is not None:
            found = get_token(scope, **({"claims": claims, "enable_cae": True} if claims else {}))
            return Token(found.token), found.expires_on
        found = self._credential()
        return (Token(found), None) if isinstance(found, str) else (Token(found[0]), found[1])

    def _checked(self, found: tuple[Token, object]) -> TokenSet:
        value, end = found
        end = jwt_claims(value).get("exp") if end is None else end
        if not BEARER.fullmatch(value):
            raise AuthError("the credential returned no bearer token", "authentication")
        self._ports.logger.learn(value)
        now = self._ports.clock()
        left = float(end) - now if isinstance(end, int | float) else None
        return TokenSet(value, expires_in=left, obtained=None if left is None else now)
