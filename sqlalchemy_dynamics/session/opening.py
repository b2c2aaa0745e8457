"""`open_session`: a session for one connection over the process's pools, sign-ins and sandboxes. Sends nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy_dynamics.session.cache import ProcessCache
from sqlalchemy_dynamics.session.core import Session
from sqlalchemy_dynamics.session.local import local_sandbox
from sqlalchemy_dynamics.session.tokens import fixed
from sqlalchemy_dynamics.settings import Settings
from sqlalchemy_dynamics.settings.properties import SIGN_IN_NAMES, TRANSPORT_NAMES
from sqlalchemy_dynamics.transport.client import Transport, open_transport

if TYPE_CHECKING:
    from dynamics_auth.provider import TokenProvider

__all__ = ["open_session"]

_TRANSPORTS: ProcessCache[Transport] = ProcessCache(32)
_PROVIDERS: ProcessCache[TokenProvider] = ProcessCache(256)


def open_session(settings: Settings, *, credential: object = None, token_store: object = None) -> Session:
    """A session for one connection; pools, sign-ins and the sandbox behind it are the process's.

    `credential` is an ``azure.core`` TokenCredential or a callable that returns a token, `token_store` a store of
    dynamics_auth. Raises InterfaceError for a wrong property; sends nothing.
    """
    pool = settings.digest(TRANSPORT_NAMES)
    transport = _TRANSPORTS.get(pool, lambda: open_transport(settings))
    transport.trace.log(2, "INFO", f"connect {settings.url_text()}")
    objects = [str(id(each)) for each in (credential, token_store) if each is not None]
    key = (settings.digest(("OrganizationUrl", *SIGN_IN_NAMES)), pool, *objects, str(os.getpid()))
    if settings.sandbox_options is not None:
        sandbox = local_sandbox(settings.sandbox_options)
        return Session(settings, sandbox.url, transport, fixed(sandbox.access_token), key)

    from sqlalchemy_dynamics.session.signin import SignIn, open_provider

    provider = _PROVIDERS.get(key, lambda: open_provider(settings, transport, credential, token_store))
    sign_in = SignIn(provider, settings.organization_url)
    return Session(settings, settings.organization_url, transport, sign_in.token, key, sign_in=sign_in)
