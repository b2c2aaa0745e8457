"""Filter tree to SQL with the server's meaning: `ne` finds nulls, LIKE has wildcards, case and accents do not count."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy_dynamics.sandbox.failures import ODataError, bad_request, incompatible_types, unknown_property
from sqlalchemy_dynamics.sandbox.grammar import COMPARISONS
from sqlalchemy_dynamics.sandbox.nodes import And, Call, Compare, Custom, Lambda, Literal, Node, Not, Or, Path
from sqlalchemy_dynamics.sandbox.schema import Column
from sqlalchemy_dynamics.sandbox.scope import Reference, Scope, Sql, related
from sqlalchemy_dynamics.sandbox.values import KINDS, SCALES, edm_type, iso, parse_date_time, scale_of, scaled

__all__ = ["compile_filter", "like", "same_scale", "stored_literal"]

_OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_NEGATED = {"eq": "ne", "ne": "eq", "gt": "le", "ge": "lt", "lt": "ge", "le": "gt"}
_LITERAL_EDM = {
    "string": "Edm.String",
    "int": "Edm.Int32",
    "decimal": "Edm.Decimal",
    "double": "Edm.Double",
    "bool": "Edm.Boolean",
    "guid": "Edm.Guid",
    "datetime": "Edm.DateTimeOffset",
    "date": "Edm.Date",
    "enum": "Edm.String",
    "list": "Collection(Edm.String)",
}


def compile_filter(node: Node, scope: Scope, negated: bool = False) -> Sql:
    """Return the WHERE condition of a tree; `negated` pushes a NOT down to the comparisons."""
    return _COMPILERS[type(node)](node, scope, negated)


def _all(node: And | Or, scope: Scope, negated: bool) -> Sql:
    word = " AND " if isinstance(node, And) != negated else " OR "
    parts = [compile_filter(item, scope, negated) for item in node.items]
    return Sql(balanced([part.text for part in parts], word), tuple(p for part in parts for p in part.parameters))


def balanced(terms: list[str], word: str) -> str:
    """Return the terms joined by AND or OR as a balanced tree: sqlite limits the depth of an expression to 1,000."""
    if len(terms) <= 8:
        return f"({word.join(terms)})"
    middle = len(terms) // 2
    return f"({balanced(terms[:middle], word)}{word}{balanced(terms[middle:], word)})"


def _not(node: Not, scope: Scope, negated: bool) -> Sql:
    if isinstance(node.item, Literal) or (isinstance(node.item, Path) and _edm(scope, node.item) != "Edm.Boolean"):
        found = (
            _edm(scope, node.item) if isinstance(node.item, Path) else _LITERAL_EDM.get(node.item.kind, "Edm.String")
        )
        raise bad_request(
            f"A unary operator with an incompatible type was detected. Found operand type '{found}' for operator kind "
            "'Not'."
        )
    return compile_filter(node.item, scope, not negated)


def _edm(scope: Scope, path: Path) -> str:
    return edm_type(scope.resolve(path.parts).column)


def _bare(node: Path | Literal, scope: Scope, negated: bool) -> Sql:
    if isinstance(node, Literal):
        if node.kind != "bool":
            raise bad_request("The $filter expression must evaluate to a single boolean value.")
        return Sql("1" if bool(node.value) != negated else "0")
    return _compare(Compare("eq", node, Literal("bool", True)), scope, negated)


def _compare(node: Compare, scope: Scope, negated: bool) -> Sql:
    op = _NEGATED[node.op] if negated else node.op
    left, right = node.left, node.right
    if isinstance(left, Literal) and isinstance(right, Path):
        left, right = right, left
        op = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}.get(op, op)
    if isinstance(left, Call | Custom) and isinstance(right, Literal) and right.kind == "bool" and op in ("eq", "ne"):
        return compile_filter(left, scope, (op == "ne") == bool(right.value))
    if isinstance(left, Literal) and isinstance(right, Literal):
        raise bad_request("A comparison must name a property.")
    if not isinstance(left, Path) or not isinstance(right, Path | Literal):
        raise bad_request("Only a property and a literal, or two properties of the same row, can be compared.")
    reference = scope.resolve(left.parts)
    if isinstance(right, Path):
        return _columns(op, reference, left, right, scope)
    return _guarded(reference, comparison(op, reference, right, scope))


def _guarded(reference: Reference, sql: Sql) -> Sql:
    return Sql(f"({reference.guard} AND {sql.text})", sql.parameters) if reference.guard else sql


def _columns(op: str, left: Reference, left_path: Path, right_path: Path, scope: Scope) -> Sql:
    right = scope.resolve(right_path.parts)
    if left_path.parts[:-1] != right_path.parts[:-1]:
        raise bad_request("Columns of two different tables cannot be compared.", "0x80060888")
    if edm_type(left.column) != edm_type(right.column):
        raise incompatible_types(edm_type(left.column), edm_type(right.column), COMPARISONS[op])
    side = "equal" if op in ("eq", "ne") else "order"
    near, far = (same_scale(each, other, side) for each, other in ((left, right), (right, left)))
    text = f"{near} {_OPERATORS[op]} {far}"
    if op == "ne" and scope.service.switches.column_ne_is_one_sided:
        text = f"({text} OR {left.sql} IS NULL)"
    return _guarded(left, Sql(text))


def same_scale(reference: Reference, other: Reference, side: str) -> str:
    """Return a column as it compares with another: money and decimals are stored with scales of their own."""
    missing = scale_of(other.column) - scale_of(reference.column)
    text = str(getattr(reference, side))
    return f"({text} * {10**missing})" if missing > 0 else text


def comparison(op: str, reference: Reference, literal: Literal, scope: Scope) -> Sql:
    """Return column-to-literal SQL; raises ODataError 400 when the types do not fit."""
    if literal.kind == "null":
        text = {"eq": f"{reference.sql} IS NULL", "ne": f"{reference.sql} IS NOT NULL"}.get(op, "0")
        return Sql(text)
    value = stored_literal(reference.column, literal, COMPARISONS[op])
    kind = KINDS[reference.column.kind]
    wrap = kind.equal if op in ("eq", "ne") else kind.order
    text = f"{wrap(reference.sql)} {_OPERATORS[op]} {wrap('?')}"
    if op == "ne" and scope.service.switches.ne_returns_nulls:
        text = f"({text} OR {reference.sql} IS NULL)"
    return Sql(text, (value,))


def stored_literal(column: Column, literal: Literal, operator: str = "Equal") -> object:
    """Return a literal as the column stores it; raises ODataError 400 when the types do not fit."""
    kind = KINDS[column.kind]
    if literal.kind not in kind.compares or (literal.kind == "guid" and kind.edm == "Edm.String"):
        raise incompatible_types(edm_type(column), _LITERAL_EDM.get(literal.kind, "Edm.String"), operator)
    if kind.edm == "Edm.Guid":
        text = str(literal.value)
        if len(text) != 36:
            raise incompatible_types("Edm.Guid", "Edm.String", operator)
        return text.lower()
    if column.kind == "DateTime":
        return _moment(column, str(literal.value))
    if column.kind in SCALES:
        return scaled(Decimal(str(literal.value)), scale_of(column))
    if literal.kind == "decimal":
        return float(str(literal.value))
    if isinstance(literal.value, int) and not -(2**63) <= literal.value < 2**63:
        return float(literal.value)
    return int(bool(literal.value)) if literal.kind == "bool" else literal.value


def _moment(column: Column, text: str) -> str:
    moment = parse_date_time(text)
    if moment is None:
        raise ODataError(400, "0x80040239", "The date-time format is invalid, or value is outside the supported range.")
    return moment.date().isoformat() if column.behaviour == "DateOnly" else iso(moment)


def _call(node: Call, scope: Scope, negated: bool) -> Sql:
    if len(node.arguments) != 2:
        raise _signature(node.name)
    path, literal = node.arguments
    if not isinstance(path, Path) or not isinstance(literal, Literal) or literal.kind not in ("string", "guid", "date"):
        raise _signature(node.name)
    reference = scope.resolve(path.parts)
    if reference.column.kind not in ("String", "Memo", "EntityName", "MultiSelectPicklist"):
        raise _signature(node.name)
    text = str(literal.value)
    pattern = {"contains": f"%{text}%", "startswith": f"{text}%", "endswith": f"%{text}"}[node.name]
    return _guarded(reference, like(reference, pattern, negated))


def like(reference: Reference, pattern: str, negated: bool = False) -> Sql:
    """Return SQL Server's LIKE, case- and accent-insensitive; its negation finds nulls too."""
    if "[" in pattern:
        sql = Sql(f"tlike({reference.sql}, ?)", (pattern,))
    else:
        sql = Sql(f"likefold({reference.sql}) LIKE likefold(?)", (pattern,))
    return Sql(f"({reference.sql} IS NULL OR NOT {sql.text})", sql.parameters) if negated else sql


def _signature(name: str) -> ODataError:
    return bad_request(
        f"No function signature for the function with name '{name}' matches the specified arguments. The function "
        f"signatures considered are: {name}(Edm.String Nullable=true, Edm.String Nullable=true)."
    )


def _custom(node: Custom, scope: Scope, negated: bool) -> Sql:
    from sqlalchemy_dynamics.sandbox.functions import compile_function

    if negated:
        raise bad_request("Not operator along with the Custom Named Condition operators is not allowed", "0x80060888")
    return compile_function(node, scope)


def _lambda(node: Lambda, scope: Scope, negated: bool) -> Sql:
    owner, parts = scope, node.path.parts
    if parts[0] in scope.variables:
        owner, parts = scope.variables[parts[0]], parts[1:]
    elif scope.it:
        raise unknown_property(parts[0], scope.it)
    if len(parts) != 1:
        raise bad_request("A collection reached through a lookup cannot be used with any or all.", "0x80060888")
    navigation = owner.navigation(owner.table, parts[0])
    if navigation is None or not navigation.collection:
        raise unknown_property(parts[0], owner.table.name)
    inner = Scope(
        scope.service,
        scope.service.organisation.tables[navigation.target],
        scope.next_alias("l"),
        counter=scope.counter,
        it=scope.it or scope.table.name,
    )
    inner.variables = {**scope.variables, node.variable: inner} if node.variable else dict(scope.variables)
    condition = Sql("1")
    if node.body is not None:
        condition = compile_filter(node.body, inner)
    link, where = related(navigation, owner.alias, inner)
    test = f"({condition.text})" if node.quantifier == "any" else f"({condition.text}) IS NOT TRUE"
    exists = f"EXISTS (SELECT 1 FROM {inner.source}{link} WHERE {where} AND {test})"
    flipped = negated != (node.quantifier == "all")
    return Sql(f"NOT {exists}" if flipped else exists, condition.parameters)


_COMPILERS: dict[type, Callable[..., Sql]] = {
    And: _all,
    Or: _all,
    Not: _not,
    Path: _bare,
    Literal: _bare,
    Compare: _compare,
    Call: _call,
    Custom: _custom,
    Lambda: _lambda,
}
