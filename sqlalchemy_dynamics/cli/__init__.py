"""The command ``dynamics``: its arguments, its exit codes and one line for every failure."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections.abc import Sequence

from sqlalchemy_dynamics.cli.arguments import parse
from sqlalchemy_dynamics.cli.usage import UsageError
from sqlalchemy_dynamics.errors import AuthenticationError, Error, InterfaceError

__all__ = ["main"]

DONE, FAILED, USAGE, SETTINGS, INTERRUPTED = 0, 1, 2, 3, 130

_EXITS: tuple[tuple[type[BaseException], int], ...] = (
    (UsageError, USAGE),
    (InterfaceError, SETTINGS),
    (AuthenticationError, SETTINGS),
    (Error, FAILED),
    (OSError, FAILED),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 service or SQL, 2 usage, 3 settings or sign-in, 130 interrupted."""
    logging.getLogger("sqlglot").addHandler(logging.NullHandler())
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        run = parse(sys.argv[1:] if argv is None else argv)
        status = run()
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second one ends the process at once
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:
        return _reader_left()
    except ImportError as error:
        return _say(_missing(error), SETTINGS)
    except tuple(kind for kind, _ in _EXITS) as error:
        return _say(str(error), next(code for kind, code in _EXITS if isinstance(error, kind)))
    except Exception as error:  # the last resort: one line, no traceback
        return _say(f"this is a fault of the program, please report it: {type(error).__name__}: {error}", FAILED)


def _say(message: str, code: int) -> int:
    print("dynamics: " + " ".join(message.split()), file=sys.stderr)
    return code


def _reader_left() -> int:
    """Whoever read our output has seen enough; keep the interpreter from complaining when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


_EXTRAS = {"starlette": "sandbox", "uvicorn": "sandbox", "keyring": "keyring", "alembic": "alembic"}


def _missing(error: ImportError) -> str:
    module = (error.name or "").partition(".")[0]
    extra = f"[{_EXTRAS[module]}]" if module in _EXTRAS else ""
    return f"the module {module or error} is not installed: pip install 'sqlalchemy-dynamics{extra}'"
