"""THE table of request headers that writes may carry, by property; each is an execution option of statements too."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy_dynamics.errors import InterfaceError
from sqlalchemy_dynamics.settings import PROPERTIES, Settings
from sqlalchemy_dynamics.settings.values import read

__all__ = ["OPTIONS", "headers_of", "options_among"]

_Made = Callable[[Any], str]


def _if_true(text: str) -> _Made:
    return lambda value: text if value else ""


def _text(value: Any) -> str:
    return "" if value is None else str(value)


# dataverse-web-api: request headers. Duplicate detection is off unless suppressing it is switched off.
OPTIONS: Mapping[str, tuple[str, _Made]] = {
    "CallerObjectId": ("CallerObjectId", _text),
    "DuplicateDetection": ("MSCRM.SuppressDuplicateDetection", _if_true("false")),
    "BypassPlugins": ("MSCRM.BypassCustomPluginExecution", _if_true("true")),
    "BypassBusinessLogic": ("MSCRM.BypassBusinessLogicExecution", _text),
    "BypassBusinessLogicStepIds": ("MSCRM.BypassBusinessLogicExecutionStepIds", _text),
    "SuppressFlows": ("MSCRM.SuppressCallbackRegistrationExpanderJob", _if_true("true")),
    "SolutionUniqueName": ("MSCRM.SolutionUniqueName", _text),
}

_ROWS = {row.name: row for row in PROPERTIES}
_BY_NAME = {name.lower(): name for name in OPTIONS}


def options_among(given: Mapping[Any, Any]) -> dict[str, Any]:
    """Return those of many options that writes know, in any case and with underscores: ``bypass_plugins`` as well."""
    names = ((name, value) for name, value in given.items() if isinstance(name, str))
    found = ((_BY_NAME.get(name.replace("_", "").lower()), value) for name, value in names)
    return {name: value for name, value in found if name is not None}


def headers_of(settings: Settings, options: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of a write: options win over properties.

    Raises InterfaceError for an unknown option, or a value that its property does not take.
    """
    unknown = next((name for name in options if name not in OPTIONS), None)
    if unknown is not None:
        raise InterfaceError(f"there is no write option {unknown}; there are {', '.join(OPTIONS)}")
    values = {name: _read(name, options[name]) if name in options else settings[name] for name in OPTIONS}
    made = {header: make(values[name]) for name, (header, make) in OPTIONS.items()}
    if any("\r" in text or "\n" in text for text in made.values()):
        raise InterfaceError("a write option holds a line break")
    return {header: text for header, text in made.items() if text}


def _read(name: str, value: Any) -> Any:
    """An option's value as its property takes it, texts like ``"false"`` as well; None is no value."""
    if value is None:
        return None
    return read(_ROWS[name], str(value) if isinstance(value, uuid.UUID) else value)
