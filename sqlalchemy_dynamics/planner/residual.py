"""The SQL that is left for DuckDB: the user's statement over views, nothing rewritten but names and settled terms."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.planner.constants import is_constant
from sqlalchemy_dynamics.planner.names import Occurrence
from sqlalchemy_dynamics.planner.parse import parameter_key, render
from sqlalchemy_dynamics.planner.pushdown import Translator
from sqlalchemy_dynamics.planner.spoken import title

__all__ = [
    "is_read_once", "name_outputs", "parameters_in", "read_days", "read_parameters", "settle", "stand_in", "to_sql",
]  # fmt: skip

_COMPARISONS = (
    *(exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ, exp.In),
    *(exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between),
)
_CAST_KINDS = {"UUID": {"str"}, "INTEGER": {"str"}, "BIGINT": {"str"}, "DECIMAL": {"float", "str"}, "DOUBLE": {"str"}}
_WITHIN_DAYS = frozenset({"HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"})
_TIMES = frozenset({"TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE"})


def settle(terms: Iterable[exp.Expression]) -> None:
    """Replace conditions that every fetched row meets by TRUE."""
    for term in terms:
        if term.parent is not None:
            term.replace(exp.true())


def name_outputs(tree: exp.Expression) -> None:
    """Give every unnamed top-level expression its own text as name; engines disagree on such names."""
    query = tree
    while isinstance(query, (exp.SetOperation, exp.Subquery)):
        query = query.this
    if isinstance(query, exp.Select):
        for node in list(query.expressions):
            if not isinstance(node, (exp.Alias, exp.Column, exp.Star, exp.Columns, exp.Aliases)):
                node.replace(exp.alias_(node.copy(), title(node), quoted=True))


def stand_in(occurrences: Iterable[Occurrence]) -> None:
    """Put each occurrence's view where its table stood, known by the same name."""
    for occurrence in occurrences:
        node = occurrence.node
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
        node.set("alias", alias)
        node.set("this", exp.to_identifier(occurrence.view))
        node.set("db", None)


def read_days(tree: exp.Expression, translator: Translator) -> None:
    """Truncate days to hours as midnights: DuckDB 2.0 finds no day equal to one that is truncated as it is."""
    for node in tree.find_all(exp.DateTrunc, exp.TimestampTrunc):
        owned = translator.sources.owner_of(node.this)
        is_day = owned is not None and owned[1].type.family == "DATE"
        if node.text("unit").upper() in _WITHIN_DAYS and (is_day or node.this.is_type("DATE")):
            node.set("this", exp.cast(node.this.copy(), "TIMESTAMP"))


def read_parameters(tree: exp.Expression, translator: Translator) -> None:
    """Read text parameters that are compared with columns of other types as those types, as literals are."""
    for node in list(tree.find_all(*_COMPARISONS)):
        column = _column(node, translator)
        if column is not None and column.type.family != "VARCHAR":
            _cast_parameters(node, column, translator)


def _column(node: exp.Expression, translator: Translator) -> Column | None:
    """Return the base column a comparison is about, when its other operands are constants or text columns too."""
    if isinstance(node, exp.In) and not node.expressions:
        return None
    found: Column | None = None
    for operand in _operands(node):
        bare = operand
        while isinstance(bare, (exp.Paren, exp.Lower, exp.Upper)):
            bare = bare.this
        owned = translator.sources.owner(bare) if isinstance(bare, exp.Column) else None
        if owned is not None:
            found = found if found is not None and found.type.family != "VARCHAR" else owned[1]
        elif not is_constant(operand):
            return None
    return found


def _operands(node: exp.Expression) -> list[exp.Expression]:
    if isinstance(node, exp.In):
        return [node.this, *node.expressions]
    if isinstance(node, exp.Between):
        return [node.this, node.args["low"], node.args["high"]]
    return [node.this, node.expression]


def _cast_parameters(node: exp.Expression, column: Column, translator: Translator) -> None:
    wanted = {"str"} if column.type.family in _TIMES else _CAST_KINDS.get(column.type.family, set())
    for operand in _operands(node):
        key = parameter_key(operand)
        if key is not None and translator.kinds.get(key) in wanted:
            target = "DECIMAL(38,10)" if column.type.family == "DECIMAL" else column.type.sql
            operand.replace(exp.cast(operand.copy(), target))


def parameters_in(tree: exp.Expression) -> tuple[int | str, ...]:
    """Return the parameters a statement still holds; DuckDB refuses values it does not ask for."""
    keys = (parameter_key(node) for node in tree.find_all(exp.Parameter, exp.Placeholder))
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def is_read_once(tree: exp.Expression) -> bool:
    """Say whether each view is surely read once, front to back: one SELECT, hash joins only."""
    if len(list(tree.find_all(exp.Select))) != 1 or tree.find(exp.SetOperation, exp.CTE, exp.Pivot):
        return False
    return not tree.args.get("joins")


def to_sql(tree: exp.Expression) -> str:
    """Return the text that DuckDB runs."""
    return render(tree)
