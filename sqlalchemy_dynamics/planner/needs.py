"""Which columns each base table must be fetched with: by name, not by resolution, so that none can be missed."""

from __future__ import annotations

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column
from sqlalchemy_dynamics.planner.names import Occurrence, from_nodes

__all__ = ["columns_needed"]


def columns_needed(tree: exp.Expression, occurrences: list[Occurrence]) -> dict[int, tuple[Column, ...]]:
    """Return the columns to fetch by occurrence number, in the table's order."""
    names = _Names(tree, occurrences)
    if _needs_everything(tree, occurrences):
        whole = {occurrence.number for occurrence in occurrences}
    else:
        whole = _starred(tree, occurrences)
    return {each.number: _columns(each, names.of(each), each.number in whole) for each in occurrences}


class _Names:
    """The names a statement mentions: those qualified by a table's alias for that table, all others for every table."""

    def __init__(self, tree: exp.Expression, occurrences: list[Occurrence]) -> None:
        tables = {occurrence.alias.lower() for occurrence in occurrences}
        others = {alias.name.lower() for alias in tree.find_all(exp.TableAlias) if not _is_of_table(alias)}
        self._certain = tables - others
        self._anywhere: set[str] = set()
        self._of: dict[str, set[str]] = {}
        for identifier in tree.find_all(exp.Identifier):
            self._add(identifier)

    def of(self, occurrence: Occurrence) -> set[str]:
        """Return the names that may mean a column of this table."""
        return self._anywhere | self._of.get(occurrence.alias.lower(), set())

    def _add(self, identifier: exp.Identifier) -> None:
        holder = identifier.parent
        if isinstance(holder, (exp.Alias, exp.TableAlias)) and identifier.arg_key in ("alias", "this"):
            return
        qualifier = holder.table.lower() if isinstance(holder, exp.Column) else ""
        names = self._of.setdefault(qualifier, set()) if qualifier in self._certain else self._anywhere
        names.add(identifier.name.lower())


def _is_of_table(alias: exp.TableAlias) -> bool:
    return isinstance(alias.parent, exp.Table)


def _columns(occurrence: Occurrence, names: set[str], whole: bool) -> tuple[Column, ...]:
    columns = occurrence.table.columns
    return tuple(column for name, column in columns.items() if (whole or name.lower() in names) and not column.apart)


def _needs_everything(tree: exp.Expression, occurrences: list[Occurrence]) -> bool:
    if any(join.args.get("method") == "NATURAL" for join in tree.find_all(exp.Join)):
        return True
    if tree.find(exp.Columns, exp.Pivot):
        return True
    if any(node.args.get("all") for node in tree.find_all(exp.Group)):
        return True
    if any(_is_all(node.this) for node in tree.find_all(exp.Ordered)):
        return True
    stars = tree.find_all(exp.Star)
    if any(star.args.get(key) for star in stars for key in ("except_", "except", "replace", "rename")):
        return True
    aliases = {occurrence.alias.lower() for occurrence in occurrences}
    return any(not column.table and column.name.lower() in aliases for column in tree.find_all(exp.Column))


def _is_all(node: exp.Expression) -> bool:
    return isinstance(node, exp.Column) and node.name.upper() == "ALL" and not node.this.args.get("quoted")


def _starred(tree: exp.Expression, occurrences: list[Occurrence]) -> set[int]:
    """Return the mentions that a star spans, unless every star is only read through names further out."""
    by_node = {id(occurrence.node): occurrence for occurrence in occurrences}
    starred = [select for select in tree.find_all(exp.Select) if _has_star(select) and not _is_exists(select)]
    if not tree.find(exp.SetOperation) and all(_adds_nothing(select) for select in starred):
        return set()
    nodes = [id(node) for select in starred for node in from_nodes(select)]
    return {by_node[node].number for node in nodes if node in by_node}


def _has_star(select: exp.Select) -> bool:
    return any(item.is_star and not isinstance(item, exp.Count) for item in select.expressions)


def _is_exists(select: exp.Select) -> bool:
    return isinstance(select.parent, exp.Exists)


def _adds_nothing(select: exp.Select) -> bool:
    """A star in an undistinct derived table below a starless query: whoever reads a column names it."""
    inside: exp.Expression | None = select
    while isinstance(inside, exp.Select) and _has_star(inside):
        if inside.args.get("distinct"):
            return False
        inside = _reader(inside)
    return isinstance(inside, exp.Select)


def _reader(select: exp.Select) -> exp.Expression | None:
    """Return the query that reads a derived table or common table expression by its column names."""
    holder = select.parent
    alias = holder.args.get("alias") if holder is not None else None
    if isinstance(alias, exp.TableAlias) and alias.args.get("columns"):
        return None
    if isinstance(holder, exp.CTE) and not holder.parent.args.get("recursive"):
        return holder.parent.parent
    if isinstance(holder, exp.Subquery) and isinstance(holder.parent, (exp.From, exp.Join)):
        return holder.find_ancestor(exp.Select)
    return None
