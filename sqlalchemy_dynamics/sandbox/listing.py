"""The rows a request is for: their query, their JSON text, one page of them, the link to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy_dynamics.sandbox.annotations import Wanted, quote
from sqlalchemy_dynamics.sandbox.expand import Expand, Frame, add_members, typed_row
from sqlalchemy_dynamics.sandbox.grammar import parse_filter
from sqlalchemy_dynamics.sandbox.options import Options, Selection
from sqlalchemy_dynamics.sandbox.paging import OrderTerm, skip_token
from sqlalchemy_dynamics.sandbox.predicates import compile_filter
from sqlalchemy_dynamics.sandbox.resources import Resource, find_row
from sqlalchemy_dynamics.sandbox.rows import RowShape
from sqlalchemy_dynamics.sandbox.schema import Table
from sqlalchemy_dynamics.sandbox.scope import Scope, Sql, related
from sqlalchemy_dynamics.sandbox.values import sql_name
from sqlalchemy_dynamics.sandbox.wire import Request, Service

__all__ = [
    "Page",
    "Rows",
    "applied",
    "condition",
    "fetch",
    "index_order",
    "next_link",
    "page_plan",
    "row_text",
    "start_rows",
    "with_token",
]


@dataclass
class Rows:
    """A query for rows in the making: scope, conditions, and the join a navigation needs."""

    scope: Scope
    link: str = ""
    conditions: list[Sql] = field(default_factory=list)

    def restrict(self, sql: Sql) -> None:
        self.conditions.append(sql)

    @property
    def where(self) -> str:
        return f" WHERE {' AND '.join(c.text for c in self.conditions)}" if self.conditions else ""

    @property
    def parameters(self) -> tuple[object, ...]:
        return tuple(parameter for condition in self.conditions for parameter in condition.parameters)

    @property
    def body(self) -> str:
        """FROM and WHERE."""
        return f" FROM {self.scope.source}{self.link}{self.where}"


def start_rows(service: Service, resource: Resource, partition: str = "") -> Rows:
    """Return the query for the rows of a set, or of a collection navigation of one row.

    `partition` is the ``partitionId`` option of a request to an elastic table (section 8.2).
    """
    rows = Rows(Scope(service, resource.rows))
    if partition and "partitionid" in resource.rows.columns:
        rows.restrict(Sql("fold(t.partitionid) = fold(?)", (partition.strip("'"),)))
    if resource.navigation is None or resource.kind == "set":
        return rows
    navigation = resource.navigation
    parent = service.organisation.tables[navigation.table]
    row_id = find_row(service, resource)
    rows.link, where = related(navigation, "p", rows.scope)
    rows.link += f" JOIN {sql_name(parent.name)} AS p ON p.{sql_name(parent.primary_id)} = {quote(row_id)}"
    rows.restrict(Sql(where))
    return rows


@dataclass
class Page:
    """How a result is cut: rows per reply, rows in all, whether next links follow, and which page this is."""

    size: int
    limit: int
    continues: bool
    number: int = 1


def page_plan(service: Service, request: Request, options: Options, table: Table) -> Page:
    """Return how many rows a reply holds and whether a next link may follow (section 4.6)."""
    largest = service.switches.elastic_page_size if table.table_type == "Elastic" else service.max_page_size
    asked = request.prefer.get("odata.maxpagesize", "")
    if asked.isdigit() and int(asked) > 0:
        size = min(int(asked), largest)
        return Page(size, size, True)
    if options.top is None:
        return Page(largest, largest, True)
    if options.top <= largest:
        return Page(options.top, options.top, False)
    return Page(largest, options.top, service.switches.top_over_page_continues)


def condition(service: Service, options: Options, scope: Scope) -> Sql:
    """Return the WHERE condition of `$filter`."""
    return compile_filter(parse_filter(options.filter, options.aliases, service.switches), scope)


def row_text(
    service: Service,
    scope: Scope,
    selection: Selection,
    expands: tuple[Expand, ...],
    wanted: Wanted,
    root: str,
    in_collection: bool,
    inner_page: int | None = None,
) -> tuple[str, tuple[object, ...]]:
    """Return the SQL of one row as JSON text and its parameters; `inner_page` cuts nested collections."""
    nested = any(expand.children for expand in expands)
    frame = Frame(service, wanted, root, in_collection, inner_page if nested else None)
    shape = RowShape(scope.table, list(selection.columns), scope.alias)
    parameters = add_members(frame, scope, shape, expands)
    return typed_row(service, shape, wanted), parameters


def index_order(service: Service, scope: Scope, terms: list[OrderTerm]) -> None:
    """Index the order of a table's rows, unless the key alone orders them or other tables have a say in it."""
    if len(terms) > 1 and not any("(SELECT" in term.sql for term in terms):
        own = [(term.sql.replace(f"{scope.alias}.", ""), " DESC" if term.descending else "") for term in terms]
        service.store.index_for(scope.table, [f"{sql}{direction}" for sql, direction in own])


def fetch(
    service: Service, rows: Rows, row: str, parameters: tuple[object, ...], terms: list[OrderTerm], plan: Page
) -> tuple[list[str], list[object], list[object], bool]:
    """Return one page: the rows' texts, the sort values of the first and of the last, whether more follow."""
    shown = ", ".join(term.shown for term in terms)
    order = ", ".join(f"{term.sql}{' DESC' if term.descending else ''}" for term in terms)
    size = min(plan.size, plan.limit - (plan.number - 1) * plan.size) if plan.limit > plan.size else plan.size
    if not rows.link and not rows.scope.joins:
        index_order(service, rows.scope, terms)
    sql = f"SELECT {row}, {shown}{rows.body} ORDER BY {order} LIMIT {size + 1}"
    found = service.store.query(sql, (*parameters, *rows.parameters))
    shown_rows = found[:size]
    more = len(found) > size and plan.continues and plan.number * plan.size < max(plan.limit, plan.size + 1)
    if plan.limit <= plan.size:
        more = len(found) > size and plan.continues
    texts = [str(item[0]) for item in shown_rows]
    return texts, list(shown_rows[0][1:]) if texts else [], list(shown_rows[-1][1:]) if texts else [], more


def next_link(request: Request, plan: Page, terms: list[OrderTerm], last: list[object], first: list[object]) -> str:
    """Return the URL of the next page: the query as it was sent, with the cookie."""
    return with_token(request, skip_token(plan.number + 1, terms, last, first))


def with_token(request: Request, token: str) -> str:
    """Return the URL of a request with another `$skiptoken`, fit to stand in JSON."""
    kept = [
        part
        for part in request.query.split("&")
        if part and not part.lower().startswith(("$skiptoken", "%24skiptoken"))
    ]
    link = f"{request.root}{request.path}?{'&'.join([*kept, f'$skiptoken={token}'])}"
    return link.replace("\\", "%5C").replace('"', "%22")


def applied(request: Request) -> dict[str, str]:
    """Return the Preference-Applied header for what was honoured."""
    names = ("odata.maxpagesize", "odata.include-annotations", "odata.track-changes")
    found = [
        f'{name}="{v}"' if "annot" in name else f"{name}={v}" if v else name
        for name, v in request.prefer.items()
        if name in names and (name != "odata.maxpagesize" or (v.isdigit() and int(v) > 0))
    ]
    return {"Preference-Applied": ",".join(found)} if found else {}
