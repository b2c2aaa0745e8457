"""The sandbox organisations that run inside this process, one per set of options."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.session.cache import ProcessCache
from sqlalchemy_dynamics.settings.values import Value

__all__ = ["local_sandbox"]


class LocalOrganization(Protocol):
    """What a session needs of a started sandbox."""

    @property
    def url(self) -> str: ...
    @property
    def access_token(self) -> str: ...
    def close(self) -> None: ...


_RUNNING: ProcessCache[LocalOrganization] = ProcessCache(64)


def local_sandbox(options: Mapping[str, Value | tuple[str, ...]]) -> LocalOrganization:
    """The running sandbox of these options, started now if need be and closed when the process ends.

    Raises InterfaceError when the extra is not installed.
    """
    return _RUNNING.get(tuple(sorted(options.items())), lambda: _start(options))


def _start(options: Mapping[str, Value | tuple[str, ...]]) -> LocalOrganization:
    try:
        module = import_module("sqlalchemy_dynamics.sandbox")
        make = module.Sandbox
    except ModuleNotFoundError as error:
        raise InterfaceError(
            f"dynamics://sandbox needs {error.name}: pip install 'sqlalchemy-dynamics[sandbox]'"
        ) from None
    arguments = {"faults" if name == "fault" else name: value for name, value in options.items()}
    try:
        sandbox = cast(LocalOrganization, make(**arguments).start())
    except (ValueError, OSError) as error:
        raise InterfaceError(f"dynamics://sandbox: {error}") from None
    atexit.register(sandbox.close)
    return sandbox
