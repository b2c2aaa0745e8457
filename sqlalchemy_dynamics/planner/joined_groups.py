"""GROUP BY over tables joined along lookups: groups of one table, some of their keys columns of the rows looked up.

`SELECT a.city, sum(o.value) FROM opportunity o JOIN account a ON a.accountid = o.parentaccountid GROUP BY a.city` is
read as groups of opportunities by `parentaccountid/city` (dataverse-web-api: groupby by path). One step only: what
lookups and keys of two steps are called in a reply is not documented. Nor is whether rows that look up nothing are in a
group: they are asked for apart, under one LEFT JOIN at the most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Kind
from sqlalchemy_dynamics.odata.filters import Filter, Path
from sqlalchemy_dynamics.planner.aggregates import aggregates_in
from sqlalchemy_dynamics.planner.lookup_trees import Tree, filter_of, tree_of
from sqlalchemy_dynamics.planner.names import Occurrence, Owned, Sources
from sqlalchemy_dynamics.planner.plan import Left
from sqlalchemy_dynamics.planner.pushdown import Translator
from sqlalchemy_dynamics.planner.shape import Shape, shape_of

__all__ = ["joined_shape"]

_ALIASED = (exp.Group, exp.Order, exp.Having)


def joined_shape(select: exp.Expression, occurrences: list[Occurrence], translator: Translator) -> Shape | None:
    """Return a grouped statement over joins along lookups as one over the table at their root, None for any other.

    The tree is changed. Columns of looked-up tables stand in the shape's table under names of their own.
    """
    if not isinstance(select, exp.Select) or not select.args.get("joins") or not _is_grouped(select):
        return None
    found = tree_of(select, occurrences, translator)
    wanted = None if found is None or len(found.optional) > 1 else filter_of(found, translator)
    if found is None or wanted is None:
        return None
    keys = _Keys.of(select, found, translator)
    extended = keys is not None and not keys.looked_up.isdisjoint(found.optional)
    left = _left(found) if extended else None
    if keys is None or (extended and left is None):
        return None
    shape = keys.shape(select, wanted, translator)
    return None if shape is None else replace(shape, left=left)


def _left(tree: Tree) -> Left | None:
    """Return the one LEFT JOIN whose columns are named; its lookup must lead to that table only, where it is set."""
    for table in tree.tables:
        before, navigation = tree.parents[table.number] if table.number in tree.optional else (None, "")
        lookup = _lookup_of(tree.root, navigation) if before is tree.root else None
        if lookup is not None and len(lookup.navigations) == 1:
            key = table.table.columns[table.table.primary_key].wire
            return Left(navigation, (navigation, key), (lookup.wire,))
    return None


def _is_grouped(select: exp.Select) -> bool:
    return bool(select.args.get("group") or select.args.get("distinct"))


@dataclass
class _Keys:
    """The columns of looked-up tables as columns of the root, and what each mention of one is to be read as."""

    root: Occurrence
    columns: dict[str, Column] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    mentions: list[tuple[exp.Column, Column]] = field(default_factory=list)
    looked_up: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, select: exp.Select, tree: Tree, translator: Translator) -> _Keys | None:
        """Return what a statement names outside of its conditions, None when something cannot be read so.

        Nor when it names none of the tables looked up: then they only choose among the rows of the root.
        """
        keys = cls(tree.root)
        for node in _outside(select):
            owned, outputs = translator.sources.owner(node), _outputs_meant(node, select)
            if owned is None and outputs:
                continue
            if owned is None or not _is_each(outputs, owned, node, translator):
                return None
            column = owned[1] if owned[0] is tree.root else keys.add(tree, *owned)
            if column is None:
                return None
            keys.mentions.append((node, column))
        worth = keys.looked_up and (aggregates_in(select) or keys.names_root)
        return keys if worth and keys.is_clear() else None

    @property
    def names_root(self) -> bool:
        """Say whether the rows of the root matter: else they only tell which of the looked-up ones are there."""
        return any(column.name not in self.columns for _, column in self.mentions)

    def add(self, tree: Tree, table: Occurrence, column: Column) -> Column | None:
        """Return a looked-up row's column as one of the root's; its key is the lookup itself."""
        before, navigation = tree.parents.get(table.number, (None, ""))
        if before is not self.root:
            return None
        self.looked_up.add(table.number)
        if column.name == table.table.primary_key:
            return _lookup_of(self.root, navigation)
        base = table.table.columns[column.base] if column.base else column
        if base.kind is Kind.LOOKUP:
            return None
        self._keep(table, navigation, base)
        self._keep(table, navigation, column)
        return self.columns[_name(table, column)]

    def _keep(self, table: Occurrence, navigation: str, column: Column) -> None:
        name = _name(table, column)
        base = _name(table, table.table.columns[column.base]) if column.base else ""
        wire = f"{table.table.name}_{column.wire}"
        self.columns[name] = replace(column, name=name, wire=wire, base=base)
        self.paths[name] = (navigation, column.wire)

    def is_clear(self) -> bool:
        """Say whether what a reply calls the keys tells them apart."""
        wires = {self.columns[name].wire: path for name, path in self.paths.items()}
        same = any(wires[self.columns[name].wire] != path for name, path in self.paths.items())
        return not same and not any(column.wire in wires for column in self.root.table.columns.values())

    def shape(self, select: exp.Select, wanted: Filter, translator: Translator) -> Shape | None:
        """Read every mention as a column of the root, and the statement as one over the root alone."""
        for node, column in self.mentions:
            _rename(node, column.name, self.root)
        start = select.args.get("from_") or select.args["from"]
        start.set("this", self.root.node)
        select.set("joins", None)
        select.set("where", None)
        table = replace(self.root.table, columns={**self.root.table.columns, **self.columns})
        root = Occurrence(1, self.root.node, table, self.root.alias)
        alone = replace(translator, sources=Sources([root]), refused={}, sent={})
        found = shape_of(select, [root], alone)
        return None if found is None else replace(found, filter=wanted, paths=self.paths)


def _outside(select: exp.Select) -> Iterator[exp.Column]:
    """Yield the columns that stand outside of WHERE and ON."""
    for key, value in select.args.items():
        if key in ("where", "joins", "from_", "from"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, exp.Expression):
                yield from node.find_all(exp.Column)


def _outputs_meant(node: exp.Column, select: exp.Select) -> list[exp.Expression]:
    """Return the outputs that a bare name in GROUP BY, ORDER BY or HAVING can mean."""
    if node.table or node.find_ancestor(*_ALIASED) is None:
        return []
    return [item for item in select.expressions if item.alias_or_name.lower() == node.name.lower()]


def _is_each(outputs: list[exp.Expression], owned: Owned, node: exp.Column, translator: Translator) -> bool:
    """Say whether it does not matter which is meant, the column or an output; in GROUP BY it is the column."""
    inner = [item.this if isinstance(item, exp.Alias) else item for item in outputs]
    grouped = node.find_ancestor(*_ALIASED, exp.Select)
    return isinstance(grouped, exp.Group) or all(translator.sources.owner_of(each) == owned for each in inner)


def _lookup_of(root: Occurrence, navigation: str) -> Column | None:
    found = [each for each in root.table.columns.values() if navigation in each.navigations.values()]
    return found[0] if len(found) == 1 else None


def _name(table: Occurrence, column: Column) -> str:
    return f"{table.alias}.{column.name}"


def _rename(node: exp.Column, name: str, table: Occurrence) -> None:
    """Put the root's column where a looked-up one stood; an output keeps its name."""
    new: exp.Expression = exp.column(exp.to_identifier(name, quoted=True), exp.to_identifier(table.alias, quoted=True))
    if isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
        new = exp.alias_(new, node.name, quoted=True)
    node.replace(new)
