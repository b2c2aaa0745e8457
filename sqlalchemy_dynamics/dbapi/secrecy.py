"""Calls of procedures may hold secrets: their text and parameters print masked, wherever they are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from dynamics_auth.tokens import Token
from sqlalchemy_dynamics.dbapi.journal import call_name

__all__ = ["CallText", "guarded", "masked"]

Parameters = TypeVar("Parameters", bound="Sequence[Any] | Mapping[str, Any] | None")


class CallText(str):
    """The text of a call that prints as its name: in logs, error messages and tracebacks."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{call_name(self)} (…)"

    def __repr__(self) -> str:
        return repr(str(self))

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def guarded(operation: str, parameters: Parameters) -> tuple[str, Parameters]:
    """Mask a call and its parameters; any other statement is returned as it is."""
    if isinstance(operation, CallText) or not call_name(operation):
        return operation, parameters
    return CallText(operation), masked(parameters)


def masked(parameters: Parameters) -> Parameters:
    """The parameters with every text among them masked in its repr."""
    if isinstance(parameters, Mapping):
        return cast("Parameters", {name: _masked(value) for name, value in parameters.items()})
    return cast("Parameters", None if parameters is None else tuple(map(_masked, parameters)))


def _masked(value: Any) -> Any:
    return Token(value) if isinstance(value, str) else value
