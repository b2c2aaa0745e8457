"""What callers hand to the driver, checked at the door: anything else is a PEP 249 error that says what to pass."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy_dynamics.errors import InterfaceError, ProgrammingError

__all__ = [
    "call_given",
    "name_given",
    "options_given",
    "parameters_given",
    "rows_wanted",
    "sets_given",
    "statement_given",
]

_BYTE_ORDER_MARK = "\ufeff"
_TEXTS = (str, bytes, bytearray)
_PROCEDURE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


def statement_given(operation: object) -> str:
    """Return a statement without the byte order mark that files may begin with. Raises ProgrammingError."""
    if not isinstance(operation, str):
        raise ProgrammingError(f"a statement is a str, not {_type(operation)}")
    return operation.removeprefix(_BYTE_ORDER_MARK)


def parameters_given(parameters: Any) -> Any:
    """Return parameters as they are, an iterator as a list. Raises ProgrammingError."""
    if parameters is None or isinstance(parameters, (Mapping, list, tuple)):
        return parameters
    if isinstance(parameters, (*_TEXTS, set, frozenset)) or not isinstance(parameters, Iterable):
        advice = "put the one value into a list, [value]" if isinstance(parameters, _TEXTS) else "pass one of these"
        raise ProgrammingError(
            f"parameters are a sequence for ? markers, or a mapping for :name, not {_type(parameters)}: {advice}"
        )
    return list(parameters)


def sets_given(sets: Any, by_position: Callable[[], bool]) -> list[Any]:
    """Return the parameter sets of executemany(), or the rows of an Arrow table, batch or reader, as a list.

    `by_position` says whether Arrow's columns are the ? markers in order; else they are the :name ones by name.
    Raises ProgrammingError.
    """
    table = sets.read_all() if hasattr(sets, "read_all") else sets
    if hasattr(table, "to_pylist"):
        if by_position():
            return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
        return list(table.to_pylist())
    if isinstance(sets, (*_TEXTS, Mapping)) or not isinstance(sets, Iterable):
        raise ProgrammingError(f"executemany() takes a sequence of parameter sets or an Arrow table, not {_type(sets)}")
    return [parameters_given(each) for each in sets]


def call_given(procedure: object, parameters: Any) -> tuple[str, Any]:
    """Return the CALL of a procedure, and its parameters without the @ of their names. Raises ProgrammingError."""
    if not _PROCEDURE.fullmatch(name_given("the name of a procedure", procedure)):
        raise ProgrammingError(f"{procedure!r} is not the name of a procedure")
    if isinstance(parameters, Mapping):
        parameters = {str(name).removeprefix("@"): value for name, value in parameters.items()}
        return f"CALL {procedure}({', '.join(f'{name} => :{name}' for name in parameters)})", parameters
    return f"CALL {procedure}({', '.join('?' for _ in parameters or ())})", parameters


def rows_wanted(size: object, arraysize: object) -> int:
    """Return how many rows fetchmany() is to return. Raises ProgrammingError."""
    what, wanted = ("arraysize", arraysize) if size is None else ("the size of fetchmany()", size)
    if not isinstance(wanted, int) or wanted < 0:
        raise ProgrammingError(f"{what} is a whole number from 0, not {wanted!r}")
    return min(wanted, sys.maxsize)


def name_given(what: str, name: object) -> str:
    """Return the name of something. Raises ProgrammingError."""
    if not isinstance(name, str):
        raise ProgrammingError(f"{what} is a str, not {_type(name)}")
    return name


def options_given(options: object, known: Iterable[str]) -> dict[str, Any]:
    """Return write options as a dictionary. Raises InterfaceError, also for an option there is not."""
    if not isinstance(options, Mapping):
        raise InterfaceError(f"write_options is a mapping such as {{'BypassPlugins': True}}, not {_type(options)}")
    unknown = next((name for name in options if name not in known), None)
    if unknown is not None:
        raise InterfaceError(f"there is no write option {unknown}; there are {', '.join(known)}")
    return dict(options)


def _type(value: object) -> str:
    return "None" if value is None else type(value).__name__
