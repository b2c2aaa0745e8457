"""Sign-in of a person in the browser of this machine."""

from __future__ import annotations

import threading

from dynamics_auth.answers import Answer
from dynamics_auth.failures import AuthError
from dynamics_auth.listener import Receiver
from dynamics_auth.login import Login
from dynamics_auth.ports import Browser, Ports
from dynamics_auth.settings import AuthSettings
from dynamics_auth.tokens import TokenSet

__all__ = ["sign_in"]

BROWSER_GRACE = 0.8


def sign_in(
    login: Login, callback: str, scope: str, settings: AuthSettings, ports: Ports, claims: str | None = None
) -> TokenSet:
    """Open the browser, wait for the redirect on `callback`, redeem the code.

    Raises AuthError: ``interface`` for a CallbackURL no listener can serve, ``operational`` for a taken port or no
    browser, SignInTimeout, ``authentication`` when the person or the service declined. The port is free afterwards.
    """
    flow = login.begin(callback, scope, prompt=settings.prompt, user=settings.user, claims=claims)
    with Receiver(callback, str(flow["state"]), ports.logger) as receiver:
        _show(flow, login, callback, scope, ports)
        answer = receiver.wait(float(settings.sign_in_timeout))
    if answer.get("error"):
        ports.logger.log(4, "AUTH the redirect carried an error")
    return login.finish(flow, answer)


def _show(flow: Answer, login: Login, callback: str, scope: str, ports: Ports) -> None:
    """Open the browser from a thread, since it may block; without one, fail at once with the recipe."""
    url = str(flow["auth_uri"])
    outcome: list[bool] = []
    opener = threading.Thread(target=_open, args=(ports.browser, url, outcome), daemon=True, name="sign-in browser")
    opener.start()
    opener.join(BROWSER_GRACE)
    if outcome == [False]:
        by_hand = login.authority.manual_url(login.application.client_id, callback, scope)
        raise AuthError(
            f"there is no browser on this machine. Open {by_hand} anywhere, sign in, copy the whole address the "
            "browser ends on (an error page is fine) into OAuthVerifier, and connect with InitiateOAuth=REFRESH",
            needs_sign_in=True,
        )
    ports.prompt(f"To sign in, open this address in a browser on this machine: {url}")


def _open(browser: Browser, url: str, outcome: list[bool]) -> None:
    try:
        outcome.append(bool(url.startswith("https://") and browser(url)))
    except Exception:  # the caller's browser: however it fails, none was opened
        outcome.append(False)
