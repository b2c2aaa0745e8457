"""A session with one organisation: settings, connections and a token become "send this request, get its reply"."""

from __future__ import annotations

from sqlalchemy_dynamics.session.core import Session, WhoAmI
from sqlalchemy_dynamics.session.opening import open_session
from sqlalchemy_dynamics.session.tokens import TokenSource

__all__ = ["Session", "TokenSource", "WhoAmI", "open_session"]
