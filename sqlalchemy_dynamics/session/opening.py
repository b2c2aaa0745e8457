"""`open_session`: one session per organisation, identity and settings in the process. Sends nothing."""

from __future__ import annotations

import os

from sqlalchemy_dynamics.session.cache import ProcessCache
from sqlalchemy_dynamics.session.core import Session
from sqlalchemy_dynamics.session.local import local_sandbox
from sqlalchemy_dynamics.session.tokens import TokenSource, fixed, missing
from sqlalchemy_dynamics.settings import Settings
from sqlalchemy_dynamics.settings.properties import SIGN_IN_NAMES, TRANSPORT_NAMES
from sqlalchemy_dynamics.transport.http import Transport, open_transport

__all__ = ["open_session"]

_SESSIONS: ProcessCache[Session] = ProcessCache(256)
_TRANSPORTS: ProcessCache[Transport] = ProcessCache(32)


def open_session(settings: Settings, *, credential: object | None = None) -> Session:
    """The process's session for these settings. Raises InterfaceError for a wrong property; sends nothing.

    `credential` is an azure.core TokenCredential or a callable that returns a token.
    """
    return _SESSIONS.get((settings.fingerprint, id(credential)), lambda: _open(settings, credential))


def _open(settings: Settings, credential: object | None) -> Session:
    transport_key = settings.digest(TRANSPORT_NAMES)
    transport = _TRANSPORTS.get(transport_key, lambda: open_transport(settings))
    identity = settings.digest(("OrganizationUrl", *SIGN_IN_NAMES))
    key = (identity, transport_key, str(id(credential)) if credential else "", str(os.getpid()))
    if settings.sandbox_options is not None:
        sandbox = local_sandbox(settings.sandbox_options)
        return Session(settings, sandbox.url, transport, fixed(sandbox.access_token), key)
    return Session(settings, settings.organization_url, transport, _tokens(settings), key)


def _tokens(settings: Settings) -> TokenSource:
    token = settings.text("OAuthAccessToken")
    return fixed(token) if token else missing
