"""Which texts of a residual statement are compared, and which are read letter by letter.

The engine carries texts in a form that its collation compares by the rule (text_rule.py). So grouping, joining, sorting
and set operations stay as they are; functions are given the stored text, and what they return is carried again.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from sqlalchemy_dynamics.planner.names import Sources
from sqlalchemy_dynamics.planner.parse import parameter_key
from sqlalchemy_dynamics.planner.spoken import title
from sqlalchemy_dynamics.planner.text_rule import fold, is_plain

__all__ = ["speak_text_rule"]

_CARRIED, _STORED = "carried", "stored"
_TURNS = {_CARRIED: "text_stored", _STORED: "text_carried"}
_FOLD, _LIST = "text_fold", "text_list"

_LIKES = (exp.Like, exp.ILike, exp.StartsWith)
_LETTERWISE = (*_LIKES, exp.DPipe, exp.SimilarTo, exp.Glob, exp.Bracket, exp.Escape, exp.Collate)
_AROUND = (exp.Filter, exp.Window, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)
_HANDING_ON: dict[type[exp.Expression], tuple[str, ...]] = {
    **dict.fromkeys((*_AROUND, exp.Paren, exp.Alias, exp.Order, exp.Lambda), ("this",)),
    exp.Coalesce: ("this", "expressions"),
    exp.If: ("true", "false"),
    exp.Case: ("ifs", "default"),
    exp.Distinct: ("expressions",),
    exp.Slice: ("this", "expression"),
    exp.PropertyEQ: ("expression",),
}
"""By class, the arguments that come out of a node as they went in."""

_CHOOSING = (
    *(exp.Nullif, exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.ArgMin, exp.ArgMax),
    *(exp.FirstValue, exp.LastValue, exp.NthValue, exp.Lag, exp.Lead),
)
_COMPARING = (*_CHOOSING, exp.Connector, exp.SubqueryPredicate, exp.Case, exp.If, exp.Count, exp.Grouping)
_NUMERIC = (
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Sum, exp.Avg, exp.Abs, exp.Round),
    *(exp.Floor, exp.Ceil, exp.Extract, exp.Year, exp.Quarter, exp.Month, exp.Week, exp.Day, exp.DateDiff),
    *(exp.DateTrunc, exp.TimestampTrunc, exp.RowNumber, exp.Is),
    *(each for name in ("Rank", "DenseRank", "PercentRank", "CumeDist", "Ntile") if (each := getattr(exp, name, None))),
)
"""What neither takes nor gives texts."""

_NO_TEXTS = (
    *(*_NUMERIC, exp.Predicate, exp.Connector, exp.Case, exp.If, exp.Coalesce, exp.Count, exp.Grouping, exp.Length),
    *(exp.Contains, exp.StartsWith, exp.EndsWith, exp.RegexpLike, exp.StrPosition),
)
_NO_TEXTS_BY_NAME = frozenset({"guid_key", "to_days", "to_months", "to_years", "date_part", "rank", "dense_rank"})
_TABLES = (exp.From, exp.Join, exp.Table, exp.Lateral)


def speak_text_rule(tree: exp.Expression, sources: Sources, kinds: Mapping[int | str, str]) -> None:
    """Make comparisons, groups, orders and searches of texts mean what the service means.

    `kinds` holds the type name of each parameter. The nodes of tables stay the same objects.
    """
    _fold_patterns(tree, sources)
    _carry(tree, sources, kinds)


def _carry(tree: exp.Expression, sources: Sources, kinds: Mapping[int | str, str]) -> None:
    turns = [(_whole(node), _turn(node, sources, kinds)) for node in tree.walk()]
    needed = [(node, macro) for node, macro in turns if macro]
    for node, _ in needed:
        _keep_name(node)
    for node, macro in reversed(needed):
        _wrap(node, macro)


def _keep_name(node: exp.Expression) -> None:
    """An item of a select list without a name is called by its text, which is about to change."""
    while node.parent is not None and not isinstance(node.parent, (exp.Select, exp.Alias)):
        node = node.parent
    if isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
        alias = exp.Alias(alias=exp.to_identifier(title(node), quoted=True))
        node.replace(alias)
        alias.set("this", node)


def _fold_patterns(tree: exp.Expression, sources: Sources) -> None:
    """Let LIKE find texts without case and accents; trailing blanks count."""
    for node in list(tree.find_all(*_LIKES)):
        owned = sources.owner_of(node.this)
        if owned is None or owned[1].type.family == "VARCHAR":
            for operand in (node.this, node.expression):
                _wrap(operand, _FOLD)
            escape = node.parent.expression if isinstance(node.parent, exp.Escape) else None
            if isinstance(escape, exp.Literal):
                escape.replace(exp.Literal.string(fold(escape.name)))


def _whole(node: exp.Expression) -> exp.Expression:
    """Return an aggregate with its FILTER and OVER."""
    while isinstance(node.parent, _AROUND) and node.arg_key == "this":
        node = node.parent
    return node


def _wrap(node: exp.Expression, macro: str) -> None:
    if isinstance(node, exp.Null):
        return
    call = exp.Anonymous(this=macro)
    node.replace(call)
    call.set("expressions", [node])


def _turn(node: exp.Expression, sources: Sources, kinds: Mapping[int | str, str]) -> str:
    """Return the macro that a value needs where it stands, "" for none."""
    if (
        isinstance(node.parent, exp.Unnest)
        and isinstance(node.parent.parent, _TABLES)
        and node.arg_key == "expressions"
    ):
        return _LIST
    given, wanted = _given(node, sources, kinds), _wanted(node)
    return "" if not given or not wanted or given == wanted else _TURNS[given]


def _given(node: exp.Expression, sources: Sources, kinds: Mapping[int | str, str]) -> str:
    """Return the form in which a node gives texts, "" when it gives none or hands on what it is given."""
    if isinstance(node, exp.Column):
        return "" if node.is_star or not _may_be_text(node, sources) else _CARRIED
    if isinstance(node, exp.Literal):
        return _STORED if node.is_string and not is_plain(node.name) else ""
    if isinstance(node, (exp.Parameter, exp.Placeholder)):
        return _STORED if kinds.get(parameter_key(node) or "") == "str" else ""
    if isinstance(node, (*_CHOOSING, exp.Subquery, exp.Columns)):
        return _CARRIED
    if isinstance(node, exp.Cast):
        text = node.to.this in exp.DataType.TEXT_TYPES and _may_be_text(node.this, sources)
        return _STORED if text else ""
    if isinstance(node, exp.Anonymous) and node.name.lower() in _NO_TEXTS_BY_NAME:
        return ""
    if isinstance(node, _NO_TEXTS) or isinstance(node.parent, _TABLES) or _unnests_numbers(node):
        return ""
    return _STORED if isinstance(node, (exp.Func, exp.DPipe, exp.Bracket)) else ""


def _unnests_numbers(node: exp.Expression) -> bool:
    """Numbers as written have no type yet: the engine would take them for texts."""
    leaves = (
        [each for each in node.walk() if not list(each.iter_expressions())]
        if isinstance(node, (exp.Unnest, exp.Explode))
        else []
    )
    return bool(leaves) and all(isinstance(each, exp.Literal) and not each.is_string for each in leaves)


def _may_be_text(node: exp.Expression, sources: Sources) -> bool:
    owned = sources.owner_of(node)
    return owned is None or owned[1].type.family == "VARCHAR"


def _wanted(node: exp.Expression) -> str:
    """Return the form of texts that the place of a node asks for, "" when it is no place for texts."""
    parent = node.parent
    while parent is not None and node.arg_key in _HANDING_ON.get(type(parent), ()):
        node, parent = parent, parent.parent
    if isinstance(parent, _NUMERIC):
        return ""
    if isinstance(parent, exp.Ordered) and isinstance(parent.parent.this, exp.Distinct):
        return _STORED  # what a DISTINCT aggregate sorts by must be its argument
    if isinstance(parent, exp.Tuple):
        return _STORED if isinstance(parent.parent, (exp.Select, exp.Alias, exp.Func)) else _CARRIED
    reads = isinstance(parent, _LETTERWISE) or (isinstance(parent, exp.Func) and not isinstance(parent, _COMPARING))
    return _STORED if reads else _CARRIED
