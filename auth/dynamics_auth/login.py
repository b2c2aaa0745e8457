"""The grants of one application at one login service, on MSAL. Every answer is checked; nothing is cached here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dynamics_auth.answers import Answer, check_tokens
from dynamics_auth.authorities import WELL_KNOWN_HOSTS, Authority
from dynamics_auth.crypto import ClientCertificate
from dynamics_auth.msal_guard import guarded, load_msal
from dynamics_auth.msal_http import MsalHttpClient
from dynamics_auth.ports import Ports
from dynamics_auth.redirects import unguessable
from dynamics_auth.tokens import NOTHING, Token, TokenSet, Unpicklable, fingerprint

__all__ = ["Application", "Login", "merge_claims"]

CAPABILITIES = ("CP1",)


@dataclass(frozen=True)
class Application(Unpicklable):
    """Who asks: a public application (neither secret nor certificate) or a confidential one."""

    client_id: str
    secret: Token = NOTHING
    certificate: ClientCertificate | None = None

    @property
    def mark(self) -> str:
        """Tells credentials apart without telling them."""
        key = self.certificate.private_key if self.certificate else NOTHING
        return fingerprint(f"{self.client_id}\n{self.secret}\n{key}")


def merge_claims(challenge: str | None) -> str:
    """The ``claims`` parameter: what a challenge asked for, plus that we can answer challenges (CP1)."""
    try:
        found = json.loads(challenge) if challenge else {}
    except ValueError:
        found = {}
    wanted = found if isinstance(found, dict) else {}
    inner = wanted.get("access_token")
    access = inner if isinstance(inner, dict) else {}
    return json.dumps({**wanted, "access_token": {**access, "xms_cc": {"values": list(CAPABILITIES)}}})


class Login(Unpicklable):
    """One MSAL application object. Making it asks the login service for its metadata once.

    Every method raises AuthError: ``authentication`` when the service refused, ``operational`` when it gave no
    usable answer.
    """

    def __init__(
        self,
        ports: Ports,
        authority: Authority,
        application: Application,
        *,
        federation: bool = False,
        version: int = 2,
    ) -> None:
        self._ports, self.authority, self.application, self._version = ports, authority, application, version
        ports.logger.learn(application.secret)
        msal = load_msal()
        http = MsalHttpClient(ports, authority, federation=federation)
        self._app: Any = guarded(lambda: {"app": _make(msal, http, authority, application, version)}, authority.host)[
            "app"
        ]

    def refresh(self, refresh_token: Token, scope: str, claims: str | None = None) -> TokenSet:
        """Trade a refresh token in for new tokens; the answer may lack a new refresh token."""
        self._ports.logger.learn(refresh_token)
        data = {"claims": merge_claims(claims)}
        return self._tokens(
            lambda: self._app.acquire_token_by_refresh_token(str(refresh_token), [scope], data=data), "refresh"
        )

    def redeem(self, code: Token, redirect_uri: str, scope: str, verifier: Token = NOTHING) -> TokenSet:
        """Redeem a code that came by hand, with its PKCE verifier when there was a challenge."""
        self._ports.logger.learn(code, verifier)
        data = Answer({"code_verifier": str(verifier)} if verifier else {})
        if self._version == 1:
            data["resource"] = scope.removesuffix("/.default")
        return self._tokens(
            lambda: self._app.acquire_token_by_authorization_code(
                str(code), [scope], redirect_uri=redirect_uri, data=data
            ),
            "code",
        )

    def begin(self, redirect_uri: str, scope: str, *, prompt: str, user: str | None, claims: str | None) -> Answer:
        """Start a sign-in in the browser: PKCE, state and nonce are made; ``auth_uri`` is the address to open."""
        state = str(unguessable(self._ports.random))
        flow = guarded(
            lambda: self._app.initiate_auth_code_flow(
                [scope],
                redirect_uri=redirect_uri,
                state=state,
                response_mode="form_post",
                prompt=None if prompt == "none" else prompt,
                login_hint=user,
                claims_challenge=claims,
            ),
            self.authority.host,
        )
        self._ports.logger.learn(str(flow["state"]), str(flow["code_verifier"]), str(flow["nonce"]))
        return flow

    def finish(self, flow: Answer, response: Mapping[str, str]) -> TokenSet:
        """Finish it with the parameters of the redirect: state and nonce are compared, the code redeemed."""
        self._ports.logger.learn(response.get("code", ""))
        return self._tokens(lambda: self._app.acquire_token_by_auth_code_flow(flow, dict(response)), "code")

    def as_application(self, scope: str, claims: str | None = None) -> TokenSet:
        """Client credentials: a token of the application itself, no user and no refresh token."""
        return self._tokens(lambda: self._app.acquire_token_for_client([scope], claims_challenge=claims), "client")

    def by_password(self, user: str, password: Token, scope: str, claims: str | None = None) -> TokenSet:
        """User name and password, without a browser; federated accounts go to their own WS-Trust service."""
        self._ports.logger.learn(password)
        return self._tokens(
            lambda: self._app.acquire_token_by_username_password(user, str(password), [scope], claims_challenge=claims),
            "password",
        )

    def by_device_code(self, scope: str, claims: str | None = None) -> TokenSet:
        """Show a short code to type on any other device, and poll until it is used, declined or expired."""
        flow = guarded(lambda: self._app.initiate_device_flow([scope], claims_challenge=claims), self.authority.host)
        if "device_code" not in flow:
            check_tokens(flow, **self._context("device"))
        self._ports.logger.learn(str(flow["device_code"]))
        self._ports.prompt(str(flow.get("message") or f"Open {flow['verification_uri']} and type {flow['user_code']}"))
        end = self._ports.clock() + float(flow.get("expires_in", 900))
        while True:
            found = guarded(lambda: self._poll(flow, claims), self.authority.host)
            if found.get("error") not in ("authorization_pending", "slow_down") or self._ports.clock() >= end:
                return check_tokens(found, **self._context("device"))
            self._ports.sleep(float(flow.get("interval", 5)))

    def _poll(self, flow: Answer, claims: str | None) -> Any:
        return self._app.acquire_token_by_device_flow(flow, claims_challenge=claims, exit_condition=lambda _: True)

    def _tokens(self, call: Callable[[], Any], what: str) -> TokenSet:
        found = guarded(call, self.authority.host)
        tokens = check_tokens(found, **self._context(what))
        self._ports.logger.learn(tokens.access, tokens.refresh)
        self._ports.logger.log(4, f"AUTH {self.authority.host} gave tokens for {self.application.client_id} ({what})")
        return tokens

    def _context(self, what: str) -> dict[str, Any]:
        clean = self._ports.logger.clean
        return {"now": self._ports.clock(), "host": self.authority.host, "what": what, "clean": clean}


def _make(msal: Any, http: MsalHttpClient, authority: Authority, application: Application, version: int) -> Any:
    class ForgetfulCache(msal.TokenCache):  # type: ignore[misc]  # MSAL has no types
        """Keeps nothing: the settings store is the only memory."""

        def add(self, event: object, now: object = None) -> None:
            """Drop it."""

    options = {
        "authority" if version == 2 else "oidc_authority": authority.url,
        "http_client": http,
        "token_cache": ForgetfulCache(),
        "client_capabilities": list(CAPABILITIES),
        "instance_discovery": None if authority.host in WELL_KNOWN_HOSTS else False,
    }
    if application.certificate:
        credential: object = application.certificate.msal_credential()
    elif application.secret:
        credential = str(application.secret)
    else:
        return msal.PublicClientApplication(application.client_id, **options)
    return msal.ConfidentialClientApplication(application.client_id, client_credential=credential, **options)
