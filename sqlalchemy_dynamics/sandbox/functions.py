"""The 69 `Microsoft.Dynamics.CRM.*` query functions as SQL (section 4.4): one table of builders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, ODataError, Refused, bad_request, unknown_property
from sqlalchemy_dynamics.sandbox.nodes import Custom, Literal, Node
from sqlalchemy_dynamics.sandbox.periods import FIXED_PERIODS, NUMBERED_PERIODS, Interval, fiscal_period
from sqlalchemy_dynamics.sandbox.predicates import stored_literal
from sqlalchemy_dynamics.sandbox.schema import Column, OneToMany, Table
from sqlalchemy_dynamics.sandbox.scope import Reference, Scope, Sql
from sqlalchemy_dynamics.sandbox.values import KINDS, iso, now, parse_date_time, sql_name, store_value
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["BUILDERS", "any_of", "compile_function", "hierarchy", "in_interval", "stored_text", "teams_of_user"]


@dataclass(frozen=True)
class Call:
    """One call: the column, the arguments by name, and where it stands."""

    name: str
    reference: Reference
    arguments: Mapping[str, Node]
    scope: Scope

    @property
    def column(self) -> Column:
        return self.reference.column

    @property
    def sql(self) -> str:
        return self.reference.sql

    def literal(self, name: str = "PropertyValue") -> Literal:
        node = self.arguments.get(name)
        if not isinstance(node, Literal):
            raise bad_request(f"The parameter '{name}' of the function '{NAMESPACE}.{self.name}' is missing.")
        return node

    def number(self, name: str = "PropertyValue") -> int:
        value = self.literal(name).value
        if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).lstrip("-").isdigit():
            raise bad_request(
                f"The parameter '{name}' of the function '{NAMESPACE}.{self.name}' must be a whole number."
            )
        if len(str(value)) > _DIGITS:
            raise bad_request(f"The number of '{NAMESPACE}.{self.name}' is out of range.", "0x80040203")
        return int(value)

    def list(self) -> list[object]:
        """The stored forms of PropertyValues."""
        value = self.literal("PropertyValues").value
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            raise bad_request(
                f"The parameter 'PropertyValues' of '{NAMESPACE}.{self.name}' must be a collection of strings."
            )
        return [stored_text(self.column, str(item)) for item in value]

    def or_null(self, sql: Sql) -> Sql:
        """The Not… functions find null rows too (switch)."""
        if self.scope.service.switches.negated_functions_return_nulls:
            return Sql(f"({sql.text} OR {self.sql} IS NULL)", sql.parameters)
        return Sql(f"({sql.text} AND {self.sql} IS NOT NULL)", sql.parameters)


_DIGITS = 18
Builder = Callable[[Call], Sql]


def stored_text(column: Column, text: str) -> object:
    """Return a value given as text (query functions, FetchXML) as the column stores it; raises ODataError 400."""
    kind = KINDS[column.kind]
    if column.kind == "Boolean":
        if text.lower() not in ("0", "1", "true", "false"):
            raise bad_request(f"Conversion of '{text}' to 'Edm.Boolean' failed.", "0x80040203")
        return int(text.lower() in ("1", "true"))
    if kind.edm == "Edm.String":
        return text
    try:
        return store_value(column, text)
    except ODataError:
        raise bad_request(f"Conversion of '{text}' to '{kind.edm}' failed.", "0x80040203") from None


def compile_function(node: Custom, scope: Scope) -> Sql:
    """Return the condition of a query function; raises ODataError 400 for unknown names and wrong arguments."""
    builder = BUILDERS.get(node.name)
    if builder is None:
        raise bad_request(
            f"An unknown function with name '{NAMESPACE}.{node.name}' was found. This may also be a function "
            "import or a key lookup on a navigation property, which is not allowed."
        )
    if "X" in node.name or node.name.startswith(("InFiscal", "InOr")):
        _check_numbers(node)
    name = node.arguments.get("PropertyName")
    if not isinstance(name, Literal) or name.kind != "string":
        raise bad_request(f"The parameter 'PropertyName' of the function '{NAMESPACE}.{node.name}' is missing.")
    return builder(Call(node.name, _reference(scope, str(name.value)), node.arguments, scope))


def _check_numbers(node: Custom) -> None:
    """Raise ODataError 400 for a text where the function takes an Edm.Int64."""
    for name, argument in node.arguments.items():
        if name != "PropertyName" and isinstance(argument, Literal) and argument.kind != "int":
            raise bad_request(
                f"The parameter '{name}' of the function '{NAMESPACE}.{node.name}' must be a whole number."
            )


def _reference(scope: Scope, name: str) -> Reference:
    if "/" in name:
        raise Refused(scope.service.switches.function_over_path, name=name)
    column = scope.table.columns.get(name) or scope.table.properties().get(name)
    if column is None:
        raise unknown_property(name, scope.table.name)
    return Reference(column, scope.table, scope.alias)


def any_of(reference: Reference, values: list[object]) -> Sql:
    """Return ``column IN (values)`` as the column compares."""
    equal = KINDS[reference.column.kind].equal
    return Sql(f"{reference.equal} IN ({', '.join([equal('?')] * len(values))})", tuple(values))


def _in(call: Call) -> Sql:
    return any_of(call.reference, call.list())


def _not_in(call: Call) -> Sql:
    found = _in(call)
    return call.or_null(Sql(found.text.replace(" IN (", " NOT IN (", 1), found.parameters))


def _between(call: Call) -> Sql:
    values = call.list()
    if len(values) != 2:
        raise bad_request(f"The function '{NAMESPACE}.{call.name}' takes two values.")
    order = KINDS[call.column.kind].order
    return Sql(f"({call.reference.order} BETWEEN {order('?')} AND {order('?')})", tuple(values))


def _not_between(call: Call) -> Sql:
    found = _between(call)
    return call.or_null(Sql(f"NOT {found.text}", found.parameters))


def _contain_values(call: Call) -> Sql:
    values = call.list()
    if call.column.kind != "MultiSelectPicklist":
        raise bad_request(f"The function '{NAMESPACE}.{call.name}' needs a multi-select choice column.", "0x80040203")
    test = " OR ".join([f"','||{call.sql}||',' LIKE ?"] * len(values))
    return Sql(f"({test})", tuple(f"%,{value},%" for value in values))


def _no_contain_values(call: Call) -> Sql:
    found = _contain_values(call)
    return call.or_null(Sql(f"NOT {found.text}", found.parameters))


def in_interval(reference: Reference, interval: Interval) -> Sql:
    """Return "the date column lies in the interval"."""
    column = reference.column
    if column.kind != "DateTime":
        raise bad_request(f"The column '{column.property}' is no date.", "0x80040203")
    tests, parameters = [f"{reference.sql} IS NOT NULL"], []
    for sign, moment in ((">=", interval[0]), ("<", interval[1])):
        if moment is not None:
            tests.append(f"{reference.sql} {sign} ?")
            parameters.append(_edge(column, moment, sign))
    return Sql(f"({' AND '.join(tests)})", tuple(parameters))


def _edge(column: Column, moment: datetime, sign: str) -> str:
    if column.behaviour != "DateOnly":
        return iso(moment)
    whole = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if sign == "<" and moment != whole:
        whole += timedelta(days=1)
    return whole.date().isoformat()


def _fixed(name: str) -> Builder:
    return lambda call: in_interval(call.reference, FIXED_PERIODS[name](now()))


def _numbered(name: str) -> Builder:
    def build(call: Call) -> Sql:
        if call.column.behaviour == "DateOnly" and name.endswith(("XHours", "XMinutes")):
            raise bad_request(f"The function '{NAMESPACE}.{name}' is not supported on date-only columns.", "0x80040203")
        try:
            return in_interval(call.reference, NUMBERED_PERIODS[name](now(), call.number()))
        except (OverflowError, ValueError):
            raise bad_request(f"The number of '{NAMESPACE}.{name}' is out of range.", "0x80040203") from None

    return build


def _in_fiscal_period(call: Call) -> Sql:
    in_interval(call.reference, (None, None))
    months = call.number() * 3
    return Sql(f"(CAST(substr({call.sql}, 6, 2) AS INTEGER) BETWEEN ? AND ?)", (months - 2, months))


def _period_and_year(side: str) -> Builder:
    def build(call: Call) -> Sql:
        try:
            start, end = fiscal_period(call.number("PropertyValue1"), call.number("PropertyValue2"))
        except ValueError:
            raise bad_request(f"The year of '{NAMESPACE}.{call.name}' is out of range.", "0x80040203") from None
        return in_interval(call.reference, {"in": (start, end), "before": (None, end), "after": (start, None)}[side])

    return build


def _on(side: str) -> Builder:
    def build(call: Call) -> Sql:
        literal = call.literal()
        moment = parse_date_time(str(literal.value))
        if moment is None:
            raise ODataError(
                400, "0x80040239", "The date-time format is invalid, or value is outside the supported range."
            )
        day = moment.replace(hour=0, minute=0, second=0)
        end = day + timedelta(days=1)
        return in_interval(call.reference, {"on": (day, end), "before": (None, end), "after": (day, None)}[side])

    return build


def teams_of_user(service: Service) -> str:
    """Return SQL for the ids of the caller's teams."""
    if "teammembership" not in service.organisation.tables:
        return "SELECT NULL WHERE 0"
    service.store.touch("teammembership")
    return f"SELECT teamid FROM teammembership WHERE systemuserid = '{service.acting_user_id}'"


def _subordinates(service: Service) -> str:
    if "parentsystemuserid" not in service.organisation.tables["systemuser"].columns:
        return f"SELECT '{service.acting_user_id}'"
    service.store.touch("systemuser")
    return (
        f"WITH RECURSIVE u(id) AS (SELECT '{service.acting_user_id}' UNION SELECT s.systemuserid FROM systemuser AS s "
        "JOIN u ON s.parentsystemuserid = u.id) SELECT id FROM u"
    )


def _caller(choose: Callable[[Service], list[str]], negated: bool = False) -> Builder:
    def build(call: Call) -> Sql:
        selects = choose(call.scope.service)
        test = Sql("(" + " OR ".join(f"{call.sql} IN ({select})" for select in selects) + ")")
        return call.or_null(Sql(f"NOT {test.text}")) if negated else test

    return build


def _user(service: Service) -> list[str]:
    return [f"'{service.acting_user_id}'"]


def _business(service: Service) -> list[str]:
    return [f"'{service.business_unit_id}'"]


def hierarchy(call_table: Table, service: Service) -> OneToMany | None:
    """Return the self-referencing relationship a hierarchy follows."""
    own = [
        one
        for one in service.organisation.one_to_many.values()
        if one.referenced == call_table.name == one.referencing and not one.attribute.startswith("master")
    ]
    return next((one for one in own if one.hierarchical), own[0] if own else None)


def _tree(down: bool, itself: bool, negated: bool = False) -> Builder:
    def build(call: Call) -> Sql:
        table = call.scope.table
        relationship = hierarchy(table, call.scope.service)
        if relationship is None:
            raise bad_request(f"The table '{table.name}' has no hierarchical relationship.", "0x80040203")
        root = stored_literal(table.columns[table.primary_id], call.literal())
        name, key, parent = sql_name(table.name), sql_name(table.primary_id), sql_name(relationship.attribute)
        step = f"x.{parent} = u.id" if down else f"x.{key} = u.parent"
        sql = (
            f"WITH RECURSIVE u(id, parent) AS (SELECT {key}, {parent} FROM {name} WHERE {key} = ? UNION "
            f"SELECT x.{key}, x.{parent} FROM {name} AS x JOIN u ON {step}) SELECT id FROM u"
        )
        parameters: tuple[object, ...] = (root,)
        if not itself:
            sql, parameters = f"{sql} WHERE id <> ?", (root, root)
        found = f"{call.scope.alias}.{key} {'NOT IN' if negated else 'IN'} ({sql})"
        return Sql(f"({found})", parameters)

    return build


def _full_text(call: Call) -> Sql:
    raise bad_request(
        "The Contains function needs a full-text index, which only knowledge articles have.", "0x80040203"
    )


_TEAMS = teams_of_user
BUILDERS: dict[str, Builder] = {
    "In": _in,
    "NotIn": _not_in,
    "Between": _between,
    "NotBetween": _not_between,
    "ContainValues": _contain_values,
    "DoesNotContainValues": _no_contain_values,
    "On": _on("on"),
    "OnOrBefore": _on("before"),
    "OnOrAfter": _on("after"),
    "Under": _tree(True, False),
    "UnderOrEqual": _tree(True, True),
    "NotUnder": _tree(True, False, True),
    "Above": _tree(False, False),
    "AboveOrEqual": _tree(False, True),
    "Contains": _full_text,
    **{name: _fixed(name) for name in FIXED_PERIODS},
    **{name: _numbered(name) for name in NUMBERED_PERIODS},
    "InFiscalPeriod": _in_fiscal_period,
    "InFiscalPeriodAndYear": _period_and_year("in"),
    "InOrBeforeFiscalPeriodAndYear": _period_and_year("before"),
    "InOrAfterFiscalPeriodAndYear": _period_and_year("after"),
    "EqualUserId": _caller(_user),
    "NotEqualUserId": _caller(_user, True),
    "EqualBusinessId": _caller(_business),
    "NotEqualBusinessId": _caller(_business, True),
    "EqualUserLanguage": lambda call: Sql(f"{call.sql} = {call.scope.service.organisation.language}"),
    "EqualUserTeams": _caller(lambda service: [_TEAMS(service)]),
    "EqualUserOrUserTeams": _caller(lambda service: [*_user(service), _TEAMS(service)]),
    "EqualUserOrUserHierarchy": _caller(lambda service: [_subordinates(service)]),
    "EqualUserOrUserHierarchyAndTeams": _caller(lambda service: [_subordinates(service), _TEAMS(service)]),
}
"""Builder of the condition, by function name."""
