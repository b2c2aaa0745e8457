"""Stored procedures: found by name in a registry, given their arguments, answered with one row of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dynamics_auth.tokens import Token
from sqlalchemy_dynamics.edm import VARCHAR
from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.execute.headers import headers_of
from sqlalchemy_dynamics.execute.planning import Parameters
from sqlalchemy_dynamics.execute.result import ListResult, Result, ResultColumn
from sqlalchemy_dynamics.execute.rows_given import near
from sqlalchemy_dynamics.execute.transactions import Transaction
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.planner.calls import Call, call_of
from sqlalchemy_dynamics.planner.plan import Marker

if TYPE_CHECKING:
    from sqlalchemy_dynamics.catalog import Catalog
    from sqlalchemy_dynamics.session import Session

__all__ = ["FINDERS", "LAST_FINDERS", "NAMES", "Caller", "Procedure", "detail_of", "run_call", "shown"]

_MOST_NAMES = 12


@dataclass(frozen=True)
class Caller:
    """Who calls: a procedure takes what it needs, the catalog costs requests when it is asked."""

    session: Session
    catalog: Catalog
    transaction: Transaction = field(default_factory=Transaction)

    def writing(self, name: str) -> Mapping[str, str]:
        """Return the headers of a procedure that changes something. Raises NotSupportedError where none may run."""
        if self.session.settings.flag("ReadOnly"):
            raise NotSupportedError(f"{name}: the connection is read-only; set ReadOnly=false to call it")
        if self.transaction.buffering:
            raise NotSupportedError(
                f"{name} would run at once, outside of the change set that waits for COMMIT: call it under "
                "isolation_level=AUTOCOMMIT"
            )
        self.transaction.sent = True
        return headers_of(self.session.settings, self.transaction.options)


@dataclass(frozen=True)
class Procedure:
    """A procedure that was found: its inputs in order, and what it does with their values by name."""

    name: str
    inputs: tuple[str, ...]
    run: Callable[[Mapping[str, Any]], Result] = field(repr=False)
    explain: Callable[[Mapping[str, Any]], str] | None = field(default=None, repr=False)
    """The request it makes of these arguments, for one whose arguments may be shown."""


def shown(request: HttpRequest) -> str:
    """Return a request as EXPLAIN shows it."""
    return f"{request.method} {request.url}" + (f" {request.body.decode()}" if request.body else "")


Finder = Callable[[Caller, str], Procedure | None]


def run_call(text: str, parameters: Parameters, caller: Caller) -> Result:
    """Run what follows EXEC or CALL. Raises ProgrammingError, before anything is sent, for a wrong name."""
    call = call_of(text)
    procedure = _found(call, caller)
    return procedure.run(_arguments(call, procedure, parameters))


def detail_of(text: str, parameters: Parameters, caller: Caller) -> str:
    """Return what EXPLAIN tells of a call: its request, or the names of its inputs. Loads metadata at most.

    Inputs alone are named where values are missing, or may be secrets.
    """
    call = call_of(text)
    procedure = _found(call, caller)
    bound = not any(isinstance(argument.value, Marker) for argument in call.arguments)
    if procedure.explain is not None and (bound or parameters is not None):
        return procedure.explain(_arguments(call, procedure, parameters))
    return f"{procedure.name}({', '.join(_names(call, procedure))})"


def _found(call: Call, caller: Caller) -> Procedure:
    for finder in (*FINDERS, *LAST_FINDERS):
        procedure = finder(caller, call.name)
        if procedure is not None:
            return procedure
    known = dict.fromkeys(name for names in NAMES for name in names(caller))
    hint = near(call.name, known) or f"; there are {', '.join(list(known)[:_MOST_NAMES])}"
    raise ProgrammingError(f"{call.name} is not a valid stored procedure{hint}")


def _names(call: Call, procedure: Procedure) -> list[str]:
    """The inputs' names; those given by position take them in order."""
    names = [argument.name or _at(procedure, position) for position, argument in enumerate(call.arguments)]
    for name in names:
        if sum(other.lower() == name.lower() for other in names) > 1:
            raise ProgrammingError(f"{procedure.name}: {name} is given twice")
    return names


def _at(procedure: Procedure, position: int) -> str:
    if position >= len(procedure.inputs):
        raise ProgrammingError(f"{procedure.name} has {len(procedure.inputs)} inputs: {', '.join(procedure.inputs)}")
    return procedure.inputs[position]


class _Arguments(dict[str, Any]):
    """Values by name that no traceback shows."""

    def __repr__(self) -> str:
        return f"<{', '.join(self)}>"


def _arguments(call: Call, procedure: Procedure, parameters: Parameters) -> _Arguments:
    given = _given(call, parameters)
    values = (
        given[argument.value.key] if isinstance(argument.value, Marker) else argument.value
        for argument in call.arguments
    )
    masked = (Token(value) if isinstance(value, str) else value for value in values)
    return _Arguments(zip(_names(call, procedure), masked, strict=True))


def _given(call: Call, parameters: Parameters) -> Mapping[int | str, Any]:
    """The parameters by position from 1, or by name."""
    names = [a.value.key for a in call.arguments if isinstance(a.value, Marker) and isinstance(a.value.key, str)]
    if isinstance(parameters, Mapping):
        missing = [name for name in names if name not in parameters]
        if call.markers or missing:
            raise ProgrammingError(f"no value was given for :{missing[0]}" if missing else "pass a sequence for ?")
        return {key: value for key, value in parameters.items()}  # noqa: C416 - widens the type of the keys
    values = list(parameters or ())
    if names or len(values) != call.markers:
        raise ProgrammingError(
            f"pass a mapping for :{names[0]}"
            if names
            else f"the call has {call.markers} parameter markers, {len(values)} values were given"
        )
    return dict(enumerate(values, start=1))


def _sign_in_names(caller: Caller) -> Iterable[str]:
    from dynamics_auth.procedures import PROCEDURES

    return [procedure.name for procedure in PROCEDURES]


def _sign_in(caller: Caller, name: str) -> Procedure | None:
    """The procedures of sign-in; they need no token."""
    from dynamics_auth.procedures import find_procedure

    found = find_procedure(name)
    if found is None:
        return None
    official, sign_in = found.name, caller.session.sign_in
    if sign_in is None:
        raise NotSupportedError(
            f"{official}: dynamics://sandbox needs no sign-in; run `dynamics sandbox` and use its OrganizationUrl"
        )

    def run(arguments: Mapping[str, Any]) -> Result:
        answer = sign_in.call(official, {key: _text(value) for key, value in arguments.items()})
        return ListResult([ResultColumn(column, VARCHAR) for column in answer.columns], [answer.row])

    return Procedure(official, tuple(item.name for item in found.inputs), run)


def _text(value: object) -> str | None:
    """A value as the procedures of sign-in take it; a masked text stays one."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None or isinstance(value, str) else str(value)


FINDERS: list[Finder] = [_sign_in]
"""Who knows procedures, asked in order."""
LAST_FINDERS: list[Finder] = []
"""Who is asked after all others, because asking may cost a request."""
NAMES: list[Callable[[Caller], Iterable[str]]] = [_sign_in_names]
"""Who tells the names of procedures, for a name that is none."""
