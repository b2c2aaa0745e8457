"""CreateAssociation, RemoveAssociation, ListAssociations, ListNavigationProperties: links between rows by procedure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sqlalchemy_dynamics.edm import BOOLEAN, VARCHAR
from sqlalchemy_dynamics.errors import DataverseError, OperationalError, ProgrammingError
from sqlalchemy_dynamics.execute.calls import Caller, Procedure, shown
from sqlalchemy_dynamics.execute.persisting import Persistence
from sqlalchemy_dynamics.execute.result import ListResult, Result, ResultColumn
from sqlalchemy_dynamics.execute.rows_given import Row, fits, near, row_of
from sqlalchemy_dynamics.metadata.model import Navigation, Table
from sqlalchemy_dynamics.odata.changes import associate, disassociate, point_to, remove_value
from sqlalchemy_dynamics.odata.messages import HttpRequest
from sqlalchemy_dynamics.odata.query import MOST_ROWS

__all__ = ["ASSOCIATIONS", "association_names", "find_association"]

_FROM = ("FromTable", "FromId", "NavigationProperty")
_TO = ("ToTable", "ToId")
_EXISTS = "0x80040237"


class _Page(msgspec.Struct):
    value: list[dict[str, Any]]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


def association_names(caller: Caller) -> Iterable[str]:
    """Return the names of the four procedures."""
    return ASSOCIATIONS


def find_association(caller: Caller, name: str) -> Procedure | None:
    """Return one of the four procedures by its name in any case."""
    for known, (inputs, run, _) in ASSOCIATIONS.items():
        if known.lower() == name.lower():
            return Procedure(known, inputs, _running(caller, known, inputs, run), _explaining(caller, known, inputs))
    return None


@dataclass(frozen=True)
class _Given:
    """Arguments by name in any case; a blank one counts as missing."""

    caller: Caller
    procedure: str
    values: Mapping[str, Any]

    def get(self, name: str) -> Any:
        value = self.values.get(name.lower())
        return "".join(value).strip() or None if isinstance(value, str) else value

    def __getitem__(self, name: str) -> Any:
        value = self.get(name)
        if value is None:
            raise ProgrammingError(f"{self.procedure} needs @{name}")
        return value

    def table(self, name: str) -> Table:
        model, wanted = self.caller.catalog.model(), str(self[name])
        table = model.table(wanted)
        if table is None or not table.entity_set:
            raise ProgrammingError(f"{self.procedure}: there is no table {wanted}{near(wanted, model.tables)}")
        return table

    def row(self, name: str, kind: str) -> Row:
        found = row_of(self.caller.catalog.model(), self[name], kind, f"{self.procedure}: @{name}")
        if found is None:
            raise ProgrammingError(f"{self.procedure}: @{name} is not the id of a row")
        return found


_Run = Callable[[_Given], Result]


def _given(caller: Caller, name: str, inputs: tuple[str, ...], given: Mapping[str, Any]) -> _Given:
    known = {each.lower() for each in inputs}
    unknown = next((each for each in given if each.lower() not in known), None)
    if unknown is not None:
        raise ProgrammingError(f"{name} has no input {unknown}{near(unknown, inputs)}; it has {', '.join(inputs)}")
    return _Given(caller, name, {each.lower(): value for each, value in given.items()})


def _running(caller: Caller, name: str, inputs: tuple[str, ...], run: _Run) -> Callable[[Mapping[str, Any]], Result]:
    return lambda given: run(_given(caller, name, inputs, given))


def _explaining(caller: Caller, name: str, inputs: tuple[str, ...]) -> Callable[[Mapping[str, Any]], str] | None:
    request_of = _REQUESTS.get(name)
    return None if request_of is None else lambda given: shown(request_of(_given(caller, name, inputs, given)))


@dataclass(frozen=True)
class _Way:
    """A navigation property of one row."""

    row: Row
    navigation: Navigation

    @property
    def many_to_many(self) -> bool:
        return self.navigation.collection and not self.navigation.column


def _way(given: _Given) -> _Way:
    table, name = given.table("FromTable"), str(given["NavigationProperty"])
    found = next((each for each in table.navigations.values() if each.name.lower() == name.lower()), None)
    if found is None:
        hint = near(name, [each.name for each in table.navigations.values()])
        raise ProgrammingError(
            f"{table.name} has no navigation property {name}{hint}; see CALL ListNavigationProperties('{table.name}')"
        )
    return _Way(given.row("FromId", table.name), found)


def _other(given: _Given, way: _Way) -> Row:
    """The row at the other end. Its table may be left out where the navigation property leads to one only."""
    target = way.navigation.target
    if given.get("ToTable") is None and not given.caller.catalog.model().tables[target].entity_set:
        raise ProgrammingError(f"{way.navigation.name} may lead to several tables: give @ToTable as well")
    table = given.table("ToTable").name if given.get("ToTable") is not None else target
    row = given.row("ToId", table)
    if not fits(row.table, target):
        raise ProgrammingError(f"{way.navigation.name} leads to rows of {target}, not of {row.table.name}")
    return row


def _link(given: _Given) -> HttpRequest:
    way = _way(given)
    address = given.caller.session.root + _other(given, way).address
    if not way.navigation.collection:
        return point_to(way.row.address, way.navigation.name, address)
    return associate(way.row.address, way.navigation.name, address)


def _unlink(given: _Given) -> HttpRequest:
    way = _way(given)
    if not way.navigation.collection:
        return remove_value(way.row.address, f"{way.navigation.name}/$ref")
    return disassociate(way.row.address, way.navigation.name, _other(given, way).key)


def _linked(given: _Given) -> HttpRequest:
    way = _way(given)
    target = given.caller.catalog.model().tables[way.navigation.target]
    key = target.columns[target.primary_key].wire
    url = f"{way.row.address}/{way.navigation.name}?$select={key}"
    headers = {"Prefer": f"odata.maxpagesize={MOST_ROWS}"} if way.navigation.collection else {}
    return HttpRequest("GET", url, headers, repeatable=True)


def _change(request_of: Callable[[_Given], HttpRequest]) -> _Run:
    """Run a change of a link. Sent twice it does no more than once: it is repeated when its answer was lost."""

    def run(given: _Given) -> Result:
        request = request_of(given)
        headers = given.caller.writing(given.procedure)
        answer = Persistence(given.caller.session).send(replace(request, headers={**request.headers, **headers}))
        if answer.unknown:
            raise OperationalError(f"outcome unknown: the answer to {given.procedure} was lost ({answer.error})")
        if answer.error is not None and not (answer.lost and _is_there(answer.error)):
            raise answer.error
        return ListResult([ResultColumn("Success", VARCHAR, False)], [("true",)])

    return run


def _is_there(error: Exception) -> bool:
    return isinstance(error, DataverseError) and error.code.lower() == _EXISTS


def _list(given: _Given) -> Result:
    request = _linked(given)
    target = given.caller.catalog.model().tables[_way(given).navigation.target]
    key = target.columns[target.primary_key].wire
    rows = [(_kind(row, target), str(row[key]).lower()) for row in _rows(given, request)]
    return ListResult([ResultColumn("ToTable", VARCHAR, False), ResultColumn("ToId", VARCHAR, False)], rows)


def _rows(given: _Given, request: HttpRequest) -> Iterable[dict[str, Any]]:
    url: str | None = request.url
    single = not request.headers
    while url is not None:
        body = given.caller.session.send(replace(request, url=url)).body
        if not body:
            return
        try:
            if single:
                yield msgspec.json.decode(body, type=dict[str, Any])
                return
            page = msgspec.json.decode(body, type=_Page)
        except msgspec.MsgspecError:
            raise OperationalError("the reply holds no rows; check OrganizationUrl and the proxy") from None
        yield from page.value
        url = page.next_link


def _kind(row: Mapping[str, Any], target: Table) -> str:
    """The row's own table, which the service names where several are possible."""
    return str(row.get("@odata.type", "")).rpartition(".")[2] or target.name


def _navigations(given: _Given) -> Result:
    table = given.table("TableName")
    columns = [
        ResultColumn("NavigationProperty", VARCHAR, False),
        ResultColumn("ToTable", VARCHAR, False),
        ResultColumn("IsCollection", BOOLEAN, False),
        ResultColumn("LookupColumn", VARCHAR),
    ]
    found = sorted(table.navigations.values(), key=lambda each: each.name)
    return ListResult(columns, [(each.name, each.target, each.collection, each.column or None) for each in found])


_REQUESTS: Mapping[str, Callable[[_Given], HttpRequest]] = {
    "CreateAssociation": _link,
    "RemoveAssociation": _unlink,
    "ListAssociations": _linked,
}
ASSOCIATIONS: Mapping[str, tuple[tuple[str, ...], _Run, str]] = {
    "CreateAssociation": ((*_FROM, *_TO), _change(_link), "Links two rows, or points a lookup to a row."),
    "RemoveAssociation": ((*_FROM, *_TO), _change(_unlink), "Takes the link away, or clears the lookup."),
    "ListAssociations": (_FROM, _list, "The rows linked: `ToTable`, `ToId`."),
    "ListNavigationProperties": (
        ("TableName",),
        _navigations,
        "The ways from a table: `NavigationProperty`, `ToTable`, `IsCollection`, `LookupColumn`.",
    ),
}
"""Inputs, work and meaning of each procedure."""
