"""``?fetchXml=``, ``?savedQuery=`` and ``?userQuery=`` on sets and collection navigations (sections 4.10, 4.12)."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from sqlalchemy_dynamics.sandbox import listing
from sqlalchemy_dynamics.sandbox.annotations import Wanted
from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused, bad_request, no_such_row
from sqlalchemy_dynamics.sandbox.fetch_aggregates import check_input, grouped_rows, grouped_sql
from sqlalchemy_dynamics.sandbox.fetch_failures import refuse
from sqlalchemy_dynamics.sandbox.fetch_joins import Tables, compile_tables
from sqlalchemy_dynamics.sandbox.fetch_rows import Member, Sorting, context_names, members, row_text, sorting
from sqlalchemy_dynamics.sandbox.fetchxml import Fetch, parse_fetch
from sqlalchemy_dynamics.sandbox.paging import Cookie, after, cookie_text, read_cookie, skip_token
from sqlalchemy_dynamics.sandbox.resources import Resource
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, json_reply

__all__ = ["answer_fetch", "answer_saved", "answer_user"]

_PREFIX = "Microsoft.Dynamics.CRM."
_COOKIE = f"{_PREFIX}fetchxmlpagingcookie"
_MORE = f"{_PREFIX}morerecords"
_TOTAL = f"{_PREFIX}totalrecordcount"
_EXCEEDED = f"{_PREFIX}totalrecordcountlimitexceeded"
_VERSION = f"{_PREFIX}globalmetadataversion"
_ROW_ID = re.compile(r"\{?([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\}?", re.I)
_BESIDE = ("$count", "$skiptoken")
_SIMPLE_PAGING_ROWS = 50_000


def answer_fetch(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer ``?fetchXml=``; a text that is encoded twice, as some samples have it, is read too."""
    text = request.options["fetchXml"]
    return _Answer.of(service, request, resource, unquote(text) if text.lstrip().startswith("%3") else text).reply()


def answer_saved(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer ``?savedQuery=``: the FetchXML of a system view."""
    return _view(service, request, resource, "savedquery", request.options["savedQuery"])


def answer_user(service: Service, request: Request, resource: Resource) -> Reply:
    """Answer ``?userQuery=``: the FetchXML of a personal view."""
    return _view(service, request, resource, "userquery", request.options["userQuery"])


def _view(service: Service, request: Request, resource: Resource, name: str, row_id: str) -> Reply:
    match = _ROW_ID.fullmatch(row_id.strip())
    if match is None:
        raise bad_request(f"Guid should contain 32 digits with 4 dashes: '{row_id}'.", "0x80060888")
    table = service.organisation.tables.get(name)
    row = service.store.row(table, match[1].lower()) if table else None
    if row is None:
        raise no_such_row(name, match[1])
    return _Answer.of(service, request, resource, str(row.get("fetchxml") or ""), view=True).reply()


@dataclass
class _Answer:
    """One query on its way to a reply."""

    service: Service
    request: Request
    resource: Resource
    fetch: Fetch
    tables: Tables
    wanted: Wanted
    rows: listing.Rows
    view: bool

    @classmethod
    def of(cls, service: Service, request: Request, resource: Resource, text: str, view: bool = False) -> _Answer:
        for name in request.options:
            if name.startswith("$") and name not in _BESIDE:
                raise Refused(service.switches.query_option, name=name)
        fetch, table = parse_fetch(text), resource.rows
        if fetch.entity.name not in service.organisation.tables:
            raise refuse("entity", name=fetch.entity.name)
        if fetch.entity.name != table.name:
            raise refuse("other table", name=fetch.entity.name, set_name=table.set_name)
        rows = listing.start_rows(service, resource)
        tables = compile_tables(service, fetch, table)
        rows.restrict(tables.where)
        return cls(service, request, resource, fetch, tables, Wanted.of(request), rows, view)

    @property
    def body(self) -> str:
        return f" FROM {self.tables.source.text}{self.rows.link}{self.rows.where}"

    @property
    def parameters(self) -> tuple[object, ...]:
        return (*self.tables.source.parameters, *self.rows.parameters)

    def reply(self) -> Reply:
        """Return the page asked for; raises ODataError 400."""
        try:
            if self.fetch.aggregate:
                return self._aggregated()
            return self._listed()
        except sqlite3.OperationalError as error:
            if "no such column" not in str(error):
                raise
            raise refuse("alias", name=str(error).rpartition(" ")[2]) from None

    def _aggregated(self) -> Reply:
        grouped = grouped_sql(self.service, self.tables, self.body, self.wanted)
        check_input(self.service, self.fetch, self.body, self.parameters)
        size = self._size()
        offset = (self.fetch.page - 1) * size
        found = self.service.store.query(f"{grouped.sql} LIMIT {size + 1} OFFSET {offset}", self.parameters)
        if not any(column.group for column in grouped.columns) and not self.service.switches.aggregate_of_nothing:
            found = [row for row in found if any(value is not None for value in row)]
        texts = grouped_rows(self.service, grouped, found[:size], self.wanted)
        more = len(found) > size and self.fetch.top is None
        return self._write("", texts, self._simple_cookie(self.fetch.page + 1) if more else "", "")

    def _size(self) -> int:
        elastic = self.resource.rows.table_type == "Elastic"
        largest = self.service.switches.elastic_page_size if elastic else self.service.max_page_size
        if self.fetch.top is not None or self.fetch.count is not None:
            return min(self.fetch.top or self.fetch.count or largest, largest)
        asked = self.request.prefer.get("odata.maxpagesize", "")
        return min(int(asked), largest) if asked.isdigit() and int(asked) > 0 else largest

    def _simple_cookie(self, page: int) -> str:
        return f'<cookie pagenumber="{page}" istracking="False" />'

    def _listed(self) -> Reply:
        found = members(self.tables, self.fetch)
        order = sorting(self.service, self.tables, self.fetch, found)
        counted = self.request.options.get("$count") == "true" or self.fetch.total
        total = self._total(found) if counted else None
        size, page = self._size(), self.fetch.page
        cookie = self._cookie()
        if cookie is not None and self.view:
            page = cookie.page
        offset = (page - 1) * size
        if cookie is not None and order.keyed and cookie.last and cookie.page <= page:
            self.rows.restrict(after(order.terms, cookie))
            offset = (page - cookie.page) * size
        elif offset >= _SIMPLE_PAGING_ROWS:
            raise refuse("pages")
        rows = self._query(found, order, size, offset)
        more = len(rows) > size and self.fetch.top is None
        texts, link, following = [str(row[0]) for row in rows[:size]], "", ""
        if more:
            last, first = (rows[size - 1][1:], rows[0][1:]) if order.keyed else ((), ())
            terms = order.terms if order.keyed else []
            following = cookie_text(page + 1, terms, last, first) if order.keyed else self._simple_cookie(page + 1)
            token = skip_token(page + 1, terms, last, first)
            link = listing.with_token(self.request, token) if self.view else ""
        return self._write(context_names(self.tables, found), texts, following, link, total)

    def _query(self, found: list[Member], order: Sorting, size: int, offset: int) -> list[tuple[object, ...]]:
        if order.keyed and len(self.tables.nodes.joined) == 1 and not self.rows.link:
            listing.index_order(self.service, self.rows.scope, order.terms)
        text = row_text(self.service, self.tables, self.fetch, found, self.wanted)
        shown = "".join(f", {term.shown}" for term in order.terms)
        by = ", ".join(f"{term.sql}{' DESC' if term.descending else ''}" for term in order.terms)
        sql = f"SELECT {text}{shown}{self.body}{self._distinct(found)} ORDER BY {by} LIMIT {size + 1} OFFSET {offset}"
        return self.service.store.query(sql, self.parameters)

    def _distinct(self, found: list[Member]) -> str:
        if not self.fetch.distinct or not found:
            return ""
        return f" GROUP BY {', '.join(member.reference.equal for member in found)}"

    def _total(self, found: Sequence[Member]) -> int:
        sql = f"SELECT 1{self.body}{self._distinct(list(found))} LIMIT {self.service.count_limit + 1}"
        counted = self.service.store.query(f"SELECT count(*) FROM ({sql})", self.parameters)
        return int(str(counted[0][0]))

    def _cookie(self) -> Cookie | None:
        if self.view and "$skiptoken" in self.request.options:
            return read_cookie(self.request.options["$skiptoken"])
        if not self.fetch.cookie:
            return None
        match = re.match(r'\s*<cookie page="(\d+)"', self.fetch.cookie)
        if match is None:
            raise refuse("cookie")
        inner = quote(quote(self.fetch.cookie.strip(), safe=""), safe="")
        try:
            return read_cookie(f'<cookie pagenumber="{int(match[1]) + 1}" pagingcookie="{inner}" istracking="False" />')
        except ODataError:
            raise refuse("cookie") from None

    def _write(self, names: str, texts: list[str], following: str, link: str, total: int | None = None) -> Reply:
        context = f"{self.request.root}$metadata#{self.resource.rows.set_name}{names}"
        head = [f'"@odata.context":{json.dumps(context, ensure_ascii=False)}', *self._notes(total)]
        if following and self.wanted(_COOKIE):
            head.append(f'"@{_COOKIE}":{json.dumps(following)}')
        if following and self.wanted(_MORE):
            head.append(f'"@{_MORE}":true')
        tail = f',"@odata.nextLink":"{link}"' if link else ""
        body = f'{{{",".join(head)},"value":[{",".join(texts)}]{tail}}}'
        return json_reply(body, headers=listing.applied(self.request))

    def _notes(self, total: int | None) -> list[str]:
        limit = self.service.count_limit
        notes = []
        if total is not None:
            notes.append(f'"@odata.count":{min(total, limit)}')
        if self.wanted(_TOTAL):
            notes.append(f'"@{_TOTAL}":{-1 if total is None else min(total, limit)}')
        if self.wanted(_EXCEEDED):
            notes.append(f'"@{_EXCEEDED}":{"true" if total is not None and total > limit else "false"}')
        if self.wanted(_VERSION):
            notes.append(f'"@{_VERSION}":"{self.service.organisation.version}"')
        return notes
