"""The documentation's request and response pairs: read, made ready for (the rows they speak of), sent, compared."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy_dynamics.sandbox.schema import Choice, Column, Navigation, Option, Table
from tests.sandbox.conftest import Answer, Client

HOST = re.compile(r"(?:https?://)?\[[^\]/]*(?:URI|Org)[^\]/]*\](?:/Contoso|/org1)?", re.I)
GUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
ADDRESS = re.compile(rf"\b(\w+)\(({GUID})\)", re.I)
FILTERED = re.compile(rf"\b(\w+)/\w+(?: |%20)eq(?: |%20)({GUID})", re.I)
HEADERS = ("content-type", "etag", "location", "odata-entityid", "odata-version", "preference-applied")
FORMATTED = "@OData.Community.Display.V1.FormattedValue"
Row = dict[str, Any]


@dataclass
class Message:
    """One recorded message: first line, headers, body."""

    line: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def json(self) -> Any:
        """The body, None when there is none or the sample cut it short."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None


def read(text: str) -> Message:
    """Return a message as the documentation prints it."""
    lines = [line.rstrip() for line in text.replace("\r", "").split("\n")]
    while len(lines) > 1 and lines[1].strip().startswith("&"):
        lines[0:2] = [lines[0] + lines[1].strip()]
    message, position = Message(lines[0].strip()), 1
    while position < len(lines) and re.match(r"\s*[\w.-]+\s*:\s*\S", lines[position]):
        name, _, value = lines[position].partition(":")
        key = name.strip().lower()
        message.headers[key] = f"{message.headers[key]},{value.strip()}" if key in message.headers else value.strip()
        position += 1
    message.body = "\n".join(lines[position:]).strip()
    return message


def sample_rows(sample: Any) -> list[Row]:
    if not isinstance(sample, dict) or "error" in sample:
        return []
    return sample["value"] if isinstance(sample.get("value"), list) else [sample]


class Planter:
    """Puts the rows of a sample into the sandbox, with their links."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.organisation = client.sandbox.service.organisation
        self.store = client.sandbox.service.store

    def bare(self, table: Table, row_id: str) -> None:
        """Make sure a row of that id is there."""
        if not table.abstract and self.store.row(table, row_id.lower()) is None:
            self.insert(table, {table.primary_id: row_id.lower()})

    def insert(self, table: Table, row: Row) -> None:
        answer = self.client.control("POST", "rows", {"table": table.name, "rows": [row]})
        assert answer.status < 300, answer.body

    def plant(self, table: Table, row: Row, more: Row | None = None) -> str:
        """Insert a sample's row, those nested in it, and those it points to; returns its id."""
        row_id = str(row.get(table.primary_id) or uuid.uuid4()).lower()
        given = {
            name: value
            for name, value in row.items()
            if name in table.properties() and not isinstance(value, dict | list) and value is not None
        }
        self._pointed_to(table, row, given)
        navigations = self.organisation.navigations(table.name)
        nested = [(navigations[name], value) for name, value in row.items() if name in navigations and value]
        for navigation, value in nested:
            if isinstance(value, dict):
                target = self.organisation.tables[navigation.target]
                given |= self.link(navigation, self.plant(target, value))
        self.store.delete(table, row_id)
        self.insert(table, {**given, **(more or {}), table.primary_id: row_id})
        for navigation, value in nested:
            if isinstance(value, list) and not navigation.many_to_many:
                self._children(table, row_id, navigation, value)
        return row_id

    def _pointed_to(self, table: Table, row: Row, given: Row) -> None:
        for column in table.columns.values():
            name = row.get(f"{column.property}{FORMATTED}")
            if not column.is_lookup or not row.get(column.property):
                continue
            kind = row.get(f"{column.property}@Microsoft.Dynamics.CRM.lookuplogicalname", column.targets[0])
            target = self.organisation.tables[kind]
            if self.store.row(target, row[column.property].lower()) is None and not target.abstract:
                named = {target.primary_name: name} if name and target.primary_name else {}
                self.insert(target, {target.primary_id: row[column.property].lower(), **named})
            if column.polymorphic:
                given[f"{column.name}:type"] = kind

    def link(self, navigation: Navigation, row_id: str) -> Row:
        """The columns of a lookup that points to a row."""
        column = self.organisation.tables[navigation.table].columns[navigation.column]
        return {column.name: row_id, **({f"{column.name}:type": navigation.target} if column.polymorphic else {})}

    def _children(self, table: Table, row_id: str, navigation: Navigation, rows: list[Row]) -> None:
        for child in rows:
            self.plant(self.organisation.tables[navigation.target], child, self.back(navigation, row_id))

    def back(self, navigation: Navigation, row_id: str) -> Row:
        """The columns by which a row belongs to a collection of another."""
        if navigation.many_to_many:
            return {}
        column = self.organisation.tables[navigation.target].columns[navigation.column]
        return {column.name: row_id, **({f"{column.name}:type": navigation.table} if column.polymorphic else {})}


def prepare(client: Client, target: str, text: str, sample: Any) -> None:
    """Put in the rows the sample speaks of: those of its answer, every row it addresses, its caller, its view."""
    planter = Planter(client)
    caller = re.search(rf"CallerObjectId:\s*({GUID})", text, re.I)
    if caller:
        users = planter.organisation.tables["systemuser"]
        planter.insert(users, {"azureactivedirectoryobjectid": caller[1].lower()})
    view = re.search(rf"(\w+)\?userQuery=({GUID})", target)
    views = planter.organisation.tables["userquery"]
    if view and sample_rows(sample) and planter.store.row(views, view[2].lower()) is None:
        planter.insert(views, _view(planter, view[1], view[2], sample_rows(sample)))
    for set_name, row_id in ADDRESS.findall(text):
        other = planter.organisation.table_of_set(set_name)
        if other:
            planter.bare(other, row_id)
    head = re.match(rf"(\w+)(?:\(({GUID})\)(?:/(\w+))?)?", target)
    table = planter.organisation.table_of_set(head[1]) if head else None
    if head is None or table is None:
        return
    more: Row = {}
    if head[3] in table.columns and isinstance(sample, dict) and "value" in sample:
        client.sandbox.service.store.update(table, head[2].lower(), {head[3]: sample["value"]})
        return
    if head[3]:
        navigation = planter.organisation.navigations(table.name).get(head[3])
        if navigation is None or not navigation.collection:
            return
        table, more = planter.organisation.tables[navigation.target], planter.back(navigation, head[2].lower())
    for name, row_id in FILTERED.findall(target):
        step = planter.organisation.navigations(table.name).get(name)
        if step is not None and not step.collection:
            planter.bare(planter.organisation.tables[step.target], row_id)
            more |= planter.link(step, row_id.lower())
    if "$top=" in target and sample_rows(sample):
        client.sandbox.service.store.execute(f'DELETE FROM "{table.name}"')
    own = {table.primary_id: head[2]} if head[2] and not head[3] else {}
    for row in sample_rows(sample):
        if isinstance(row.get(table.primary_id), str):
            planter.plant(table, {**row, **own}, more)


def _view(planter: Planter, set_name: str, row_id: str, rows: list[Row]) -> Row:
    """The view that would answer with these rows."""
    table = planter.organisation.table_of_set(set_name)
    assert table is not None
    columns = [column.name for name, column in table.properties().items() if name in rows[0]]
    attributes = "".join(f"<attribute name='{name}'/>" for name in columns)
    fetch = f"<fetch><entity name='{table.name}'>{attributes}</entity></fetch>"
    return {"userqueryid": row_id, "name": "sample", "returnedtypecode": table.name, "fetchxml": fetch}


def current_etag(client: Client, target: str, headers: dict[str, str], status: int) -> None:
    """A sample's own etag becomes the row's, or stays wrong where the sample is about that."""
    name = "if-none-match" if "if-none-match" in headers else "if-match"
    if headers.get(name, "*") in ("*", "null") or status == 412:
        return
    if (name == "if-none-match") == (status == 304) or (name == "if-match" and status == 204):
        headers[name] = client.get(target.split("?")[0]).headers["etag"]


def own_ids(client: Client, url: str) -> str:
    """Definition ids of the sample's organisation become those of this one."""
    table = client.sandbox.service.organisation.tables["account"]
    url = url.replace("70816501-edb9-4740-a16c-6a5efbc05d84", table.metadata_id)
    url = url.replace("402fa40f-287c-e511-80d2-00155d2a68d2", table.metadata_id)
    for column_id in ("5967e7cc-afbb-4c10-bf7e-e7ef430c52be", "118771ca-6fb9-4f60-8fd4-99b6124b63ad"):
        url = url.replace(column_id, table.columns["accountcategorycode"].metadata_id)
    return url


def add_sample_column(client: Client) -> None:
    """The multi-select column that one sample selects."""
    organisation, store = client.sandbox.service.organisation, client.sandbox.service.store
    contact = organisation.tables["contact"]
    options = [Option(value, label) for value, label in ((1, "Swimming"), (2, "Hiking"), (6, "Other"))]
    choice = Choice("sample_outdooractivities", "Picklist", options)
    store.add_column(contact, contact.add(Column("sample_outdooractivities", "MultiSelectPicklist", choice=choice)))
    organisation.changed()


def replay(client: Client, pair: dict[str, str]) -> list[str]:
    """Send the request of a pair; return what differs from its response."""
    request, response = read(HOST.sub(client.sandbox.url, pair["request"])), read(pair["response"])
    method, _, rest = request.line.partition(" ")
    url = own_ids(client, re.sub(r"\s+HTTP/1.1$", "", rest))
    target, status = url.partition("/api/data/")[2][5:], int(response.line.split()[1])
    prepare(client, target, f"{url} {pair['request']}", response.json)
    current_etag(client, target, request.headers, status)
    headers = {k.replace("-", "_"): v for k, v in request.headers.items() if k not in ("content-length", "host")}
    answer = client.send(method, client.root + target, request.body.encode() or None, **headers)
    if answer.status != status:
        return [f"{answer.status} instead of {status}: {answer.body[:160]!r}"]
    return compare(response, answer)


def compare(response: Message, answer: Answer) -> list[str]:
    """Return what a reply lacks of its sample: headers, members, types, error code."""
    without_body = answer.status in (204, 304)
    different = [
        f"no header {name}"
        for name in HEADERS
        if name in response.headers and name not in answer.headers and not (name == "content-type" and without_body)
    ]
    sample = response.json
    if isinstance(sample, int):
        return different if answer.body.decode("utf-8-sig").isdigit() else [*different, "no number"]
    if sample is None or without_body:
        return different
    if answer.body[:1] != b"{":
        return [*different, "no JSON"]
    return different + lacking("", sample, answer.json)


def lacking(path: str, sample: Any, got: Any) -> list[str]:
    """Return which members of the sample a value lacks, and which are of another type. Nulls come and go with data."""
    if sample is None or got is None:
        return [f"{path} is null"] if isinstance(sample, dict | list) else []
    if isinstance(sample, dict) and isinstance(got, dict):
        missing = [f"{path}/{name} is missing" for name in sample if name not in got]
        inner = [item for name in sample if name in got for item in lacking(f"{path}/{name}", sample[name], got[name])]
        code = path == "/error" and sample.get("code") and str(sample["code"]).lower() != str(got.get("code")).lower()
        return missing + inner + ([f"code {got.get('code')} instead of {sample['code']}"] if code else [])
    if isinstance(sample, list) and isinstance(got, list):
        if sample and not got:
            return [f"{path} is empty"]
        return lacking(f"{path}[0]", sample[0], same_row(sample[0], got)) if sample else []
    if kind(sample) != kind(got):
        return [f"{path} is a {kind(got)} instead of a {kind(sample)}"]
    return []


def same_row(sample: Any, rows: list[Any]) -> Any:
    """The row of the sample's ids among the rows that came, else the one with the most values."""
    if not isinstance(sample, dict):
        return rows[0]
    ids = {name: value for name, value in sample.items() if isinstance(value, str) and re.fullmatch(GUID, value)}
    found = [row for row in rows if isinstance(row, dict) and any(row.get(n) == v for n, v in ids.items())]
    fullest = max(rows, key=lambda row: sum(map(bool, row.values())) if isinstance(row, dict) else 0)
    return found[0] if found else fullest


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__
