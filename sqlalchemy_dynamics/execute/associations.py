"""CreateAssociation, RemoveAssociation, ListAssociations, ListNavigationProperties: links between rows by procedure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sqlalchemy_dynamics.edm import BOOLEAN, VARCHAR
from sqlalchemy_dynamics.errors import NotSupportedError, OperationalError, ProgrammingError
from sqlalchemy_dynamics.execute.calls import Caller, Procedure
from sqlalchemy_dynamics.execute.result import ListResult, Result, ResultColumn
from sqlalchemy_dynamics.metadata.model import Navigation, Table
from sqlalchemy_dynamics.odata.changes import associate, disassociate, row_address
from sqlalchemy_dynamics.odata.literals import convert
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.odata.query import MOST_ROWS

__all__ = ["find_association"]

_FROM = ("FromTable", "FromId", "NavigationProperty")


class _Page(msgspec.Struct):
    value: list[dict[str, Any]]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


def find_association(caller: Caller, name: str) -> Procedure | None:
    """Return one of the four procedures by its name in any case."""
    for known, (inputs, run) in _PROCEDURES.items():
        if known.lower() == name.lower():
            return Procedure(known, inputs, lambda given, run=run: run(caller, _Given(given)))  # type: ignore[misc]
    return None


class _Given:
    """Arguments by name in any case."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._values = {name.lower(): "".join(map(str, value)) for name, value in given.items() if value is not None}

    def __getitem__(self, name: str) -> str:
        if name.lower() not in self._values:
            raise ProgrammingError(f"give @{name}")
        return self._values[name.lower()]


def _create(caller: Caller, given: _Given) -> Result:
    _writable(caller)
    table, navigation = _way(caller, given)
    target = _table(caller, given["ToTable"])
    address = caller.session.root + row_address(target.entity_set, _guid(given["ToId"]))
    caller.session.send(associate(_row(table, given), navigation.name, address))
    return _success()


def _remove(caller: Caller, given: _Given) -> Result:
    _writable(caller)
    table, navigation = _way(caller, given)
    caller.session.send(disassociate(_row(table, given), navigation.name, _guid(given["ToId"])))
    return _success()


def _list(caller: Caller, given: _Given) -> Result:
    table, navigation = _way(caller, given)
    target = _table(caller, navigation.target)
    key = target.columns[target.primary_key].wire
    url: str | None = f"{_row(table, given)}/{navigation.name}?$select={key}"
    rows: list[tuple[str, str]] = []
    while url is not None:
        headers = {"Prefer": f"odata.maxpagesize={MOST_ROWS}"}
        page = _page(caller.session.send(HttpRequest("GET", url, headers, repeatable=True)).body)
        rows += [(target.name, str(row[key]).lower()) for row in page.value]
        url = page.next_link
    return ListResult([ResultColumn("ToTable", VARCHAR, False), ResultColumn("ToId", VARCHAR, False)], rows)


def _navigations(caller: Caller, given: _Given) -> Result:
    table = _table(caller, given["TableName"])
    columns = [
        ResultColumn("NavigationProperty", VARCHAR, False),
        ResultColumn("ToTable", VARCHAR, False),
        ResultColumn("IsCollection", BOOLEAN, False),
        ResultColumn("LookupColumn", VARCHAR),
    ]
    found = sorted(table.navigations.values(), key=lambda each: each.name)
    return ListResult(columns, [(each.name, each.target, each.collection, each.column or None) for each in found])


def _page(body: bytes) -> _Page:
    try:
        return msgspec.json.decode(body, type=_Page)
    except msgspec.MsgspecError:
        raise OperationalError("the reply holds no rows; check OrganizationUrl and the proxy") from None


def _writable(caller: Caller) -> None:
    if caller.session.settings.flag("ReadOnly"):
        raise NotSupportedError("the connection is read-only: set ReadOnly=false to change links")


def _way(caller: Caller, given: _Given) -> tuple[Table, Navigation]:
    table, name = _table(caller, given["FromTable"]), given["NavigationProperty"]
    found = next((each for each in table.navigations.values() if each.name.lower() == name.lower()), None)
    if found is None or not found.collection:
        raise ProgrammingError(f"{table.name} has no collection {name}: CALL ListNavigationProperties('{table.name}')")
    return table, found


def _table(caller: Caller, name: str) -> Table:
    table = caller.catalog.model().table(name)
    if table is None or not table.entity_set:
        raise ProgrammingError(f"no table named {name}: use a logical name such as account")
    return table


def _row(table: Table, given: _Given) -> str:
    return row_address(table.entity_set, _guid(given["FromId"]))


def _guid(text: str) -> str:
    return str(convert(text, "Edm.Guid"))


def _success() -> Result:
    return ListResult([ResultColumn("Success", VARCHAR, False)], [("true",)])


_Run = Callable[[Caller, _Given], Result]
_PROCEDURES: Mapping[str, tuple[tuple[str, ...], _Run]] = {
    "CreateAssociation": ((*_FROM, "ToTable", "ToId"), _create),
    "RemoveAssociation": ((*_FROM, "ToTable", "ToId"), _remove),
    "ListAssociations": (_FROM, _list),
    "ListNavigationProperties": (("TableName",), _navigations),
}
