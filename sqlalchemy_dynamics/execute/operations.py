"""EXEC and CALL of any function or action of `$metadata`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from sqlalchemy_dynamics.errors import (
    AuthenticationError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy_dynamics.execute.answers import Answers
from sqlalchemy_dynamics.execute.arguments import Arguments
from sqlalchemy_dynamics.execute.calls import Caller, Procedure, shown
from sqlalchemy_dynamics.execute.persisting import is_lost
from sqlalchemy_dynamics.execute.result import Result
from sqlalchemy_dynamics.execute.rows_given import fits, row_of
from sqlalchemy_dynamics.metadata.operations import Operation, Operations, parse_operations
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.odata.operations import call_action, call_function
from sqlalchemy_dynamics.session.cache import ProcessCache

__all__ = ["find_operation", "operation_names"]

_TARGET = "Target"
_KNOWN: ProcessCache[Operations] = ProcessCache(16)


def find_operation(caller: Caller, name: str) -> Procedure | None:
    """Return the function or action of that name, in any case; None where there is none, or without a token.

    The first one of an organisation reads `$metadata`.
    """
    known = _operations(caller)
    found = known.by_name.get(name.lower()) if known is not None else None
    if known is None or not found:
        return None
    call = _Call(caller, known, found)
    return Procedure(found[0].name, tuple(call.inputs), call.run, call.explain)


def operation_names(caller: Caller) -> Iterable[str]:
    """Return the names of all functions and actions; none without a token."""
    known = _operations(caller)
    return () if known is None else sorted(each[0].name for each in known.by_name.values())


def _operations(caller: Caller) -> Operations | None:
    try:
        key = (caller.session.key, caller.catalog.stamp)
        return _KNOWN.get(key, lambda: parse_operations(caller.catalog.document()))
    except (InterfaceError, AuthenticationError):
        return None


class _Call:
    """The operations of one name: chosen by what a call is bound to."""

    def __init__(self, caller: Caller, known: Operations, found: tuple[Operation, ...]) -> None:
        self._caller, self._known, self._found = caller, known, found
        self._name = found[0].name

    @property
    def inputs(self) -> Iterator[str]:
        """Names of the inputs in order: what it is bound to, then the parameters."""
        names = [parameter.name for each in self._found for parameter in each.parameters]
        if any(each.target is not None for each in self._found):
            names.insert(0, self._bound_name)
        return iter(dict.fromkeys(names))

    @property
    def _bound_name(self) -> str:
        """``Target``; where a parameter has that name, the name `$metadata` gives (``entity``)."""
        taken = any(parameter.name == _TARGET for each in self._found for parameter in each.parameters)
        bound = next((each.target.name for each in self._found if each.target is not None), "")
        return bound if taken else _TARGET

    def run(self, given: Mapping[str, Any]) -> Result:
        """Call it. What is wrong with the arguments is raised before anything is sent."""
        operation, request = self._request(given)
        answers = Answers(self._known, self._caller.catalog.model(), operation.returns)
        if operation.is_function:
            return answers.result(self._pages(request))
        return answers.result([self._once(request)])

    def explain(self, given: Mapping[str, Any]) -> str:
        """Return the request a call makes."""
        return shown(self._request(given, sending=False)[1])

    def _request(self, given: Mapping[str, Any], sending: bool = True) -> tuple[Operation, HttpRequest]:
        values = {name.lower(): _plain(value) for name, value in given.items()}
        bound = {name for name in values if name in self._bound_names()}
        target = values.pop(bound.pop()) if bound else None
        operation, path = self._chosen(target)
        typed = Arguments(self._known, self._caller.catalog.model(), operation).typed(values)
        if operation.is_function:
            return operation, call_function(path, operation.name, typed, self._known.enumerations)
        headers = self._caller.writing(operation.name) if sending else {}
        return operation, call_action(path, operation.name, typed, headers)

    def _bound_names(self) -> set[str]:
        names = {each.target.name for each in self._found if each.target is not None}
        return {name.lower() for name in ({*names, self._bound_name} if names else ())}

    def _chosen(self, target: Any) -> tuple[Operation, str]:
        """The operation a call means, and the path it is bound to."""
        bound = [each for each in self._found if each.target is not None]
        if target is None:
            unbound = next((each for each in self._found if each.target is None), None)
            if unbound is None:
                raise ProgrammingError(f"{self._name} works on {self._told()}: give @{self._bound_name}")
            return unbound, ""
        sets = [each for each in bound if each.target is not None and each.target.collection]
        model = self._caller.catalog.model()
        table = model.table(target) if isinstance(target, str) else None
        if sets and table is not None:
            fitting = next((each for each in sets if each.target and fits(table, each.target.type)), None)
            if fitting is not None:
                return fitting, table.entity_set
            raise ProgrammingError(f"{self._name} does not work on {table.name}: it works on {self._told()}")
        return self._on_row(target, [each for each in bound if each not in sets])

    def _on_row(self, target: Any, bound: list[Operation]) -> tuple[Operation, str]:
        kinds = [each.target.type for each in bound if each.target is not None]
        what = f"{self._name}: @{self._bound_name}"
        row = row_of(self._caller.catalog.model(), target, kinds[0] if len(kinds) == 1 else "crmbaseentity", what)
        for each in bound:
            if row is not None and each.target is not None and fits(row.table, each.target.type):
                return each, row.address
        raise ProgrammingError(f"{self._name} does not work on {target}: it works on {self._told()}")

    def _told(self) -> str:
        """What it is bound to, in words."""
        rows = [each.target for each in self._found if each.target is not None]
        names = sorted({f"{'the table ' if each.collection else ''}{each.type}" for each in rows})
        return f"a row of {', '.join(names)}" if not any(each.collection for each in rows) else ", ".join(names)

    def _pages(self, request: HttpRequest) -> Iterator[bytes]:
        url: str | None = request.url
        while url is not None:
            body = self._caller.session.send(HttpRequest("GET", url, request.headers, repeatable=True)).body
            yield body
            url = _next_link(body)

    def _once(self, request: HttpRequest) -> bytes:
        """Send an action, which may have run when its answer is lost: it is not repeated then."""
        try:
            return self._caller.session.send(request).body
        except OperationalError as error:
            if not is_lost(error):
                raise
            raise OperationalError(
                f"outcome unknown: the answer to {self._name} was lost ({error}); it may have run, and was not repeated"
            ) from error


class _Page(msgspec.Struct):
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


def _next_link(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=_Page).next_link if body else None
    except msgspec.MsgspecError:
        return None


def _plain(value: Any) -> Any:
    """Arguments come as texts that hide themselves from logs; the wire wants them bare."""
    return "".join(value) if isinstance(value, str) else value
