"""How a statement uses a column of files: which uses ask only whether there is one, which hand it on. Syntax alone."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from sqlalchemy_dynamics.errors import NotSupportedError
from sqlalchemy_dynamics.planner.names import cte_of
from sqlalchemy_dynamics.planner.parse import shown

__all__ = [
    "cte_read",
    "is_item",
    "is_item_of_exists",
    "is_read",
    "is_renamed",
    "is_star",
    "only_presence",
    "query_of",
    "refusal",
    "size_asked",
    "terms_of",
]

_SIZES = frozenset({"OCTET_LENGTH", "DATALENGTH"})


def terms_of(clause: exp.Expression | None, query: exp.Expression) -> Iterator[exp.Column | exp.Literal]:
    """Yield the columns a clause of a query names, and the positions it sorts or groups by."""
    if clause is None:
        return
    for node in clause.find_all(exp.Column):
        if isinstance(query, exp.SetOperation) or node.find_ancestor(exp.Select) is query:
            yield node
    for term in clause.expressions if isinstance(clause, (exp.Group, exp.Order)) else ():
        literal = term.this if isinstance(term, exp.Ordered) else term
        if isinstance(literal, exp.Literal) and literal.this.isdecimal():
            yield literal


def size_asked(node: exp.Expression) -> exp.Column | None:
    """Return the column whose size in bytes is asked for."""
    if isinstance(node, exp.Length):
        argument = node.this
    elif isinstance(node, exp.Anonymous) and node.name.upper() in _SIZES and len(node.expressions) == 1:
        argument = node.expressions[0]
    else:
        return None
    return argument if isinstance(argument, exp.Column) else None


def cte_read(node: exp.Expression) -> exp.CTE | None:
    """Return the common table expression that an entry of FROM reads."""
    return cte_of(node) if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier) else None


def query_of(node: exp.Expression) -> exp.Expression | None:
    """Return the query whose rows an entry of FROM reads."""
    cte = cte_read(node)
    query = node.this if isinstance(node, exp.Subquery) else cte.this if cte is not None else None
    while isinstance(query, exp.Subquery):
        query = query.this
    return query


def is_renamed(node: exp.Expression) -> bool:
    """Say whether an entry of FROM gives its columns names of its own."""
    alias = node.args.get("alias")
    return isinstance(alias, exp.TableAlias) and bool(alias.args.get("columns"))


def is_star(node: exp.Expression) -> bool:
    """Say whether an entry of a select list stands for all columns."""
    return bool(node.is_star) and not isinstance(node.this if isinstance(node, exp.Alias) else node, exp.AggFunc)


def only_presence(node: exp.Expression) -> bool:
    """Say whether no more is asked than if there is a file: IS [NOT] NULL, count()."""
    child, holder = node, node.parent
    while isinstance(holder, exp.Paren):
        child, holder = holder, holder.parent
    if isinstance(holder, exp.Count):
        return True
    return isinstance(holder, exp.Is) and holder.this is child and isinstance(holder.expression, exp.Null)


def is_item(node: exp.Expression) -> bool:
    """Say whether a column is selected as it is."""
    child = node
    while isinstance(child.parent, (exp.Alias, exp.Paren)):
        child = child.parent
    return isinstance(child.parent, exp.Select) and child.arg_key == "expressions"


def is_item_of_exists(node: exp.Expression) -> bool:
    """Say whether a column is selected for EXISTS, which does not look at it."""
    select = node.find_ancestor(exp.Select)
    return is_item(node) and select is not None and isinstance(select.parent, exp.Exists)


def is_read(select: exp.Expression) -> bool:
    """Say whether the query's rows are the statement's, or are read in a FROM."""
    holder = select.parent
    while isinstance(holder, (exp.SetOperation, exp.Subquery)):
        holder = holder.parent
    return holder is None or isinstance(holder, (exp.From, exp.Join, exp.CTE))


def refusal(node: exp.Expression) -> NotSupportedError:
    """Return the error that says what may be done with a file column instead."""
    around = node.parent if isinstance(node, exp.Column) and node.parent is not None else node
    return NotSupportedError(
        f"{shown(around)}: a file column can be selected, tested with IS NULL, counted, and its octet_length() "
        "selected; anything else would download the file of every row"
    )
