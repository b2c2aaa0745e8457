"""MSAL kept at arm's length: it logs nothing for us, and what it raises becomes an AuthError without its frames."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from dynamics_auth.answers import Answer, unexpected
from dynamics_auth.failures import AuthError

__all__ = ["guarded", "load_msal"]

_ours: ContextVar[bool] = ContextVar("dynamics_auth_in_msal", default=False)


class _Silence(logging.Filter):
    """Drops MSAL's records while it works for us: they print codes, verifiers and whole answers."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _ours.get()


_silence = _Silence()


def load_msal() -> Any:
    """Import MSAL (it is slow to load) and hush its loggers for our own calls."""
    import msal

    for name in tuple(logging.root.manager.loggerDict):
        if name == "msal" or name.startswith("msal."):
            logging.getLogger(name).addFilter(_silence)
    return msal


@contextlib.contextmanager
def _inside() -> Iterator[None]:
    # Programs that turn warnings into errors must still be able to sign in.
    warnings.filterwarnings("ignore", module=r"msal\.")
    mark = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(mark)


def guarded(call: Callable[[], Any], host: str) -> Answer:
    """Call MSAL. A mapping comes back as Answer; any exception as AuthError with neither cause nor MSAL's frames."""
    failure: AuthError
    try:
        with _inside():
            found = call()
        return Answer(found) if isinstance(found, dict) else Answer({"value": found})
    except AuthError as error:
        failure = error.with_traceback(None)
    except Exception as error:  # MSAL raises what its parsing of replies raises
        failure = unexpected(host, f"the sign-in library could not use it ({type(error).__name__})")
    failure.__context__ = failure.__cause__ = None
    raise failure
