"""The query functions of Dataverse as SQL functions: relative dates, hierarchies, the caller, multi-choice columns.

`last_x_days(createdon, 7)`: one table of all 69 (dataverse-web-api: query functions). They have no meaning here, only
at the service; so they are conditions that go down exactly, or errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from sqlalchemy_dynamics.edm import UUID
from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column, Kind, Table
from sqlalchemy_dynamics.odata.binding import check_counts
from sqlalchemy_dynamics.odata.filters import CrmCall, Never, Operand, Parameter, Value
from sqlalchemy_dynamics.planner.constants import Kinds, operand
from sqlalchemy_dynamics.planner.moments import Key, literal_moment
from sqlalchemy_dynamics.planner.names import Occurrence
from sqlalchemy_dynamics.planner.parse import parameter_key, shown
from sqlalchemy_dynamics.planner.text_rule import fold
from sqlalchemy_dynamics.planner.times import moment_of, whole_number

if TYPE_CHECKING:
    from sqlalchemy_dynamics.planner.pushdown import Translator

__all__ = ["FUNCTIONS", "Function", "calls_in", "crm_condition", "refuse_left"]

_DATES = frozenset({"TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE"})
_GUID = Column("", "", UUID, edm="Edm.Guid")


@dataclass(frozen=True)
class Function:
    """One query function: its SQL name, its name on the wire, what column it is about, and its further arguments.

    `arguments` names a row of the argument table per argument; ``values`` takes one or more. `twin` is the wire name
    of its negation, "" when it has none.
    """

    sql: str
    wire: str
    about: str
    arguments: tuple[str, ...] = ()
    twin: str = ""

    @property
    def usage(self) -> str:
        """The call as people write it."""
        return f"{self.sql}({', '.join(('column', *self.arguments))})"


_FIXED = (
    "Yesterday Today Tomorrow Last7Days Next7Days LastWeek ThisWeek NextWeek LastMonth ThisMonth NextMonth LastYear "
    "ThisYear NextYear LastFiscalYear ThisFiscalYear NextFiscalYear LastFiscalPeriod ThisFiscalPeriod NextFiscalPeriod"
)
_SPANS = "Days Weeks Months Years FiscalPeriods FiscalYears"
_NAMES = {"In": "in_values", "NotIn": "not_in_values", "Between": "in_range", "NotBetween": "not_in_range"}
_NAMES |= {"On": "on_date", "Contains": "contains_text"}
_TWINS = (
    ("Under", "NotUnder"),
    ("EqualUserId", "NotEqualUserId"),
    ("EqualBusinessId", "NotEqualBusinessId"),
    ("In", "NotIn"),
    ("Between", "NotBetween"),
    ("ContainValues", "DoesNotContainValues"),
)
_TWIN_OF = {one: two for pair in _TWINS for one, two in (pair, pair[::-1])}
_ROWS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (_FIXED, "date", ()),
    (" ".join(f"{way}X{span}" for way in ("Last", "Next") for span in _SPANS.split()), "date", ("count",)),
    ("OlderThanXDays OlderThanXWeeks OlderThanXMonths OlderThanXYears", "date", ("count",)),
    ("LastXHours NextXHours OlderThanXHours OlderThanXMinutes", "time", ("count",)),
    ("InFiscalYear InFiscalPeriod", "date", ("count",)),
    ("InFiscalPeriodAndYear InOrBeforeFiscalPeriodAndYear InOrAfterFiscalPeriodAndYear", "date", ("count", "count")),
    ("On OnOrBefore OnOrAfter", "date", ("day",)),
    ("Under UnderOrEqual NotUnder Above AboveOrEqual", "key", ("id",)),
    ("EqualUserId NotEqualUserId EqualUserTeams EqualUserOrUserTeams EqualUserOrUserHierarchy", "id", ()),
    ("EqualUserOrUserHierarchyAndTeams EqualBusinessId NotEqualBusinessId", "id", ()),
    ("EqualUserLanguage", "number", ()),
    ("In NotIn", "value", ("values",)),
    ("Between NotBetween", "value", ("value", "value")),
    ("ContainValues DoesNotContainValues", "choices", ("choices",)),
    ("Contains", "text", ("text",)),
)
_ALIASES = {
    "eq_userid": "equal_user_id",
    "ne_userid": "not_equal_user_id",
    "eq_businessid": "equal_business_id",
    "ne_businessid": "not_equal_business_id",
    "eq_userlanguage": "equal_user_language",
    "eq_userteams": "equal_user_teams",
    "eq_useroruserteams": "equal_user_or_user_teams",
    "eq_useroruserhierarchy": "equal_user_or_user_hierarchy",
    "eq_useroruserhierarchyandteams": "equal_user_or_user_hierarchy_and_teams",
    "eq_or_under": "under_or_equal",
    "eq_or_above": "above_or_equal",
}


def _snake(wire: str) -> str:
    return _NAMES.get(wire) or re.sub(r"(?<=[a-z0-9])(?=[A-Z0-9])|(?<=X)(?=[A-Z])", "_", wire).lower()


def _all_functions() -> Iterator[Function]:
    for wires, about, arguments in _ROWS:
        for wire in wires.split():
            yield Function(_snake(wire), wire, about, arguments, _TWIN_OF.get(wire, ""))


_BY_NAME = {function.sql: function for function in _all_functions()}
FUNCTIONS = {**_BY_NAME, **{alias: _BY_NAME[name] for alias, name in _ALIASES.items()}}
"""Every function by its SQL names."""

_ABOUT: dict[str, tuple[str, Callable[[Column, Table], bool]]] = {
    "date": ("a date column", lambda column, table: column.type.family in _DATES),
    "time": ("a date column with a time of day", lambda column, table: column.type.family in _DATES - {"DATE"}),
    "key": ("the table's primary key", lambda column, table: column.name == table.primary_key),
    "id": ("a lookup or a primary key", lambda column, table: column.kind in (Kind.LOOKUP, Kind.KEY)),
    "number": ("a whole number column", lambda column, table: column.type.family == "INTEGER"),
    "choices": ("a multi-choice column", lambda column, table: column.kind is Kind.MULTICHOICE),
    "text": ("a text column", lambda column, table: column.type.family == "VARCHAR" and column.kind is Kind.VALUE),
    "value": ("a column with a value", lambda column, table: column.kind not in (Kind.FILE, Kind.IMAGE)),
}


def calls_in(tree: exp.Expression) -> Iterator[exp.Anonymous]:
    """Yield the calls of query functions."""
    for node in tree.find_all(exp.Anonymous):
        if node.name.lower() in FUNCTIONS and node.expressions:
            yield node


def refuse_left(tree: exp.Expression, refused: dict[str, str]) -> None:
    """Raise ProgrammingError for a call that would have to be computed here."""
    for node in calls_in(tree):
        text = shown(node)
        reason = refused.get(text, "it is not a condition of a WHERE or ON that the service can be asked on its own")
        raise ProgrammingError(
            f"only the service can compute {text}, and here it cannot be asked to: {reason}. Use it as a condition "
            "AND-ed to the others, of a table that is not on the optional side of an outer join"
        )


def crm_condition(
    translator: Translator, node: exp.Anonymous, target: Occurrence, negated: bool
) -> CrmCall | Never | None:
    """Return a call as a filter. Raises ProgrammingError for wrong columns and arguments, DataError for counts < 1."""
    function = FUNCTIONS.get(node.name.lower())
    if function is None or not node.expressions:
        return None
    owned = translator.sources.owner_of(node.expressions[0])
    if owned is None:
        raise ProgrammingError(f"{function.usage} needs a column of a table as its first argument")
    if owned[0] is not target:
        return None
    column = _checked(function, owned[1], target.table)
    given = node.expressions[1:]
    if any(_is_null(each, translator.kinds) for each in given):
        return Never()
    operands = _operands(function, given, column, translator.kinds)
    if negated and not function.twin:
        translator.refused[shown(node)] = f"{function.sql} has no negation at the service"
        return None
    call = CrmCall(function.twin if negated else function.wire, (column.wire,), operands)
    check_counts(call)
    return call


def _checked(function: Function, column: Column, table: Table) -> Column:
    wanted, fits = _ABOUT[function.about]
    if column.companion is not None or not fits(column, table):
        raise ProgrammingError(f"{function.usage} needs {wanted}, and {table.name}.{column.name} is none")
    return column


def _operands(function: Function, given: list[exp.Expression], column: Column, kinds: Kinds) -> tuple[Operand, ...]:
    names = function.arguments
    if names and names[0] in ("values", "choices"):
        names = names * len(given)
    if len(names) != len(given) or (function.arguments and not given):
        raise ProgrammingError(f"{function.sql} is written {function.usage}: {len(given)} arguments follow the column")
    found = [_ARGUMENTS[name](node, column, kinds) for name, node in zip(names, given, strict=True)]
    for node, each in zip(given, found, strict=True):
        if each is None:
            raise ProgrammingError(f"{function.usage} cannot use {node.sql()} as an argument")
    return tuple(each for each in found if each is not None)


def _is_null(node: exp.Expression, kinds: Kinds) -> bool:
    return isinstance(node, exp.Null) or kinds.get(parameter_key(node) or 0) == "NoneType"


def _count(node: exp.Expression, column: Column, kinds: Kinds) -> Operand | None:
    number = whole_number(node, kinds)
    if isinstance(number, Key):
        return Parameter(number.key, "Edm.Int64")
    return None if number is None else Value(number, "Edm.Int64")


def _day(node: exp.Expression, column: Column, kinds: Kinds) -> Operand | None:
    """A day without a time is one of the caller's time zone."""
    key = parameter_key(node)
    if key is not None and kinds.get(key) in ("date", "datetime", "str"):
        edm = {"date": "Edm.Date", "datetime": "Edm.DateTimeOffset"}.get(kinds[key], "Edm.String")
        return Parameter(key, edm)
    if isinstance(node, exp.Literal) and node.is_string:
        fixed = literal_moment(node.this)
        return None if fixed is None else Value(node.this.strip(), "Edm.String")
    moment = moment_of(node, kinds)
    if moment is None:
        return None
    edm, moment = ("Edm.Date", moment) if moment.is_date else ("Edm.DateTimeOffset", moment.floor("second"))
    return Value(moment.at({}), edm) if moment.is_fixed else Parameter(moment, edm)


def _id(node: exp.Expression, column: Column, kinds: Kinds) -> Operand | None:
    return _known(operand(node, _GUID, kinds))


def _value(node: exp.Expression, column: Column, kinds: Kinds) -> Operand | None:
    return _known(operand(node, column, kinds))


def _known(found: object) -> Operand | None:
    return found if isinstance(found, (Value, Parameter)) else None


def _choice(node: exp.Expression, column: Column, kinds: Kinds) -> Operand | None:
    """A value, or the label of one."""
    key = parameter_key(node)
    if key is not None:
        return Parameter(key, "Edm.Int32") if kinds.get(key, "int") in ("int", "str") else None
    number = whole_number(node, kinds)
    if isinstance(number, int):
        return Value(number, "Edm.Int32")
    label = fold(node.this) if isinstance(node, exp.Literal) else ""
    found = [value for value, text in column.options.items() if fold(text) == label]
    return Value(found[0], "Edm.Int32") if found else None


def _text(node: exp.Expression, column: Column, kinds: Kinds) -> Operand | None:
    return _known(operand(node, column, kinds))


_ARGUMENTS: dict[str, Callable[[exp.Expression, Column, Kinds], Operand | None]] = {
    "count": _count,
    "day": _day,
    "id": _id,
    "value": _value,
    "values": _value,
    "choices": _choice,
    "text": _text,
}
