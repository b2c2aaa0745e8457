"""One change of the schema at a time: made on a copy, put in force at once, seen by readers at once or after a lag.

Tables are copied before they are changed, so the schema of before stays whole for readers that still see it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy_dynamics.sandbox.failures import Refused
from sqlalchemy_dynamics.sandbox.keeping import keep_changes
from sqlalchemy_dynamics.sandbox.schema import Organisation, Table
from sqlalchemy_dynamics.sandbox.store import Store
from sqlalchemy_dynamics.sandbox.wire import Request, Service

__all__ = ["ChangeLog", "Draft", "change", "change_log", "clock", "current", "settling"]

Settle = Callable[[Service], None]
settling: list[Settle] = []
"""What is asked before each request whether something that runs in the background is done (key indexes)."""


@dataclass
class ChangeLog:
    """What was changed when: by metadata version, the tables changed and the components deleted (kind, MetadataId)."""

    changed: dict[str, int] = field(default_factory=dict)
    deleted: list[tuple[int, str, str]] = field(default_factory=list)
    lagging: list[tuple[float, Organisation]] = field(default_factory=list)
    """Until when a reader sees the organisation of before a change."""
    latest: Organisation | None = None
    """The organisation after the last change, whole: what readers see while the next one is put in force."""
    busy_until: float = 0.0


class Draft:
    """The organisation with a change in the making; tables got by `table` may be changed freely."""

    def __init__(self, service: Service, request: Request | None) -> None:
        live = service.store.organisation
        self.service = service
        self.request = request
        self.organisation = replace(
            live,
            tables=dict(live.tables),
            one_to_many=dict(live.one_to_many),
            many_to_many=dict(live.many_to_many),
            choices=dict(live.choices),
            _cache={},
        )
        self.changed: set[str] = set()
        self.deleted: list[tuple[str, str]] = []

    @property
    def store(self) -> Store:
        return self.service.store

    def header(self, name: str) -> str:
        """Return a header of the request, ``""`` without one."""
        return self.request.headers.get(name, "") if self.request else ""

    def table(self, name: str) -> Table:
        """Return a table that may be changed; raises KeyError when there is none."""
        found = self.organisation.tables[name]
        if name not in self.changed:
            found = replace(found, columns=dict(found.columns), keys=dict(found.keys), extra=dict(found.extra))
            self.organisation.add(found)
            self.changed.add(name)
        return found

    def add(self, table: Table) -> Table:
        """Add a new table."""
        self.changed.add(table.name)
        return self.organisation.add(table)

    def drop(self, kind: str, ident: str) -> None:
        """Remember that a component was deleted."""
        self.deleted.append((kind, ident))


def change_log(service: Service) -> ChangeLog:
    """Return the organisation's memory of its changes."""
    found = service.state.setdefault("changes of schema", ChangeLog())
    assert isinstance(found, ChangeLog)
    return found


def clock(service: Service) -> float:
    """Return the seconds of the sandbox's clock (`state["clock"]`, in tests)."""
    return float(service.state.get("clock", time.monotonic)())


@contextmanager
def change(service: Service, request: Request | None = None) -> Iterator[Draft]:
    """Make one change: all of it or nothing. Raises ODataError 0x80071151 while another is being worked on."""
    with service.store.lock, service.store.transaction():
        log = change_log(service)
        if request is not None and clock(service) < log.busy_until:
            raise Refused(service.switches.customization_lock)
        draft = Draft(service, request)
        yield draft
        _publish(service, draft, log)
        if request is not None:
            log.busy_until = clock(service) + service.switches.customization_seconds


def _publish(service: Service, draft: Draft, log: ChangeLog) -> None:
    live, new = service.store.organisation, draft.organisation
    before, lagging = replace(live, _cache={}), list(log.lagging)

    def undo() -> None:
        live.restore(replace(before, version=live.version))
        live.changed()
        log.latest, log.lagging = replace(live, _cache={}), lagging

    service.store.undo.append(undo)
    if service.switches.publish_lag:
        log.lagging.append((clock(service) + service.switches.publish_lag, before))
    live.tables = {**live.tables, **new.tables}
    live.one_to_many, live.many_to_many, live.choices = new.one_to_many, new.many_to_many, new.choices
    live.tables = new.tables
    live.changed()
    log.latest = replace(live, _cache={})
    keep_changes(service.store, before, live)
    log.changed.update(dict.fromkeys(draft.changed, live.version))
    log.deleted += [(live.version, kind, ident) for kind, ident in draft.deleted]
    service.store.refresh_views()


def current(service: Service, request: Request) -> Service:
    """Return the service as the request sees it: its schema stands still, and may lag behind a change (section 3.4).

    ``Consistency: Strong`` sees the last change at once; requests that change the schema get the service itself.
    """
    for settle in settling:
        settle(service)
    log = service.state.get("changes of schema")
    if not isinstance(log, ChangeLog) or log.latest is None:
        return service
    if request.method != "GET" and request.path[:1].isupper():
        return replace(service, organisation=service.store.organisation)
    lagging = log.lagging = [item for item in log.lagging if item[0] > clock(service)]
    strong = request.headers.get("consistency", "").lower() == "strong"
    return replace(service, organisation=log.latest if strong or not lagging else lagging[0][1])
