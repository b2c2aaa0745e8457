"""`WITH a AS (…), b AS (SELECT … FROM a) SELECT … FROM b` read as derived tables: chains as dbt and people write them.

Done for every common table expression that is read once: what it says is then seen where it is read.
"""

from __future__ import annotations

from sqlglot import exp

from sqlalchemy_dynamics.planner.names import cte_of

__all__ = ["inline"]

_KEPT = frozenset({"this", "alias"})


def inline(tree: exp.Expression) -> None:
    """Put the statement's own common table expressions where they are read, in place; leave what is not clear."""
    clause = tree.args.get("with_") or tree.args.get("with")
    if not isinstance(clause, exp.With) or clause.args.get("recursive") or len(list(tree.find_all(exp.With))) != 1:
        return
    for cte in list(clause.expressions):
        reads = [table for table in tree.find_all(exp.Table) if cte_of(table) is cte]
        if len(reads) == 1 and _is_plain(cte, reads[0]):
            _put(cte, reads[0])
    if not clause.expressions:
        clause.pop()


def _is_plain(cte: exp.CTE, read: exp.Table) -> bool:
    """Whether the name stands alone, and the query is a SELECT that nobody asked to keep apart."""
    apart = cte.args["alias"].args.get("columns") or cte.args.get("materialized")
    alone = not any(value for key, value in read.args.items() if key not in _KEPT)
    alias = read.args.get("alias")
    renamed = isinstance(alias, exp.TableAlias) and alias.args.get("columns")
    return not apart and alone and not renamed and isinstance(cte.this, exp.Select)


def _put(cte: exp.CTE, read: exp.Table) -> None:
    name = exp.to_identifier(read.alias or read.name, quoted=True)
    cte.pop()
    read.replace(exp.Subquery(this=cte.this, alias=exp.TableAlias(this=name)))
