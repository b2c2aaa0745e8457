"""File columns in a SELECT. A row holds the id of a file, not its bytes: so a selected file column becomes the address
of its cell, NULL where there is no file. The statement computes with addresses; what comes out of it is downloaded.

`IS NULL` and `count()` look at the id. Anything else would download the file of every row, and is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlglot import exp

from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.metadata.model import Column, Companion, Kind, Table
from sqlalchemy_dynamics.planner.file_uses import (
    cte_read,
    is_item,
    is_item_of_exists,
    is_read,
    is_renamed,
    is_star,
    only_presence,
    query_of,
    refusal,
    size_asked,
    terms_of,
)
from sqlalchemy_dynamics.planner.names import Lookup, Occurrence, find_occurrences, from_nodes
from sqlalchemy_dynamics.planner.plan import Download

__all__ = ["address_of", "left_out", "with_addresses"]

_FULL = "?size=full"


@dataclass(frozen=True)
class _Output:
    """One column that a query offers; `cells` are the addresses its values may have, none for ordinary values.

    `null` says that it is a plain NULL, which stands beside anything in a UNION ALL.
    """

    name: str
    cells: tuple[str, ...] = ()
    sized: bool = False
    null: bool = False


@dataclass(frozen=True)
class _Cell:
    """A file column of a mention of its table."""

    occurrence: Occurrence
    column: Column


def with_addresses(tree: exp.Expression, lookup: Lookup) -> tuple[Download, ...]:
    """Put addresses in place of the file columns that are selected; return which outputs have to be downloaded.

    Raises NotSupportedError for a use of a file column that would need the contents of every row.
    """
    occurrences = find_occurrences(tree, lookup)
    held = {column.name for each in occurrences for column in each.table.columns.values() if _is_held(column)}
    if not held or not any(node.name.lower() in held for node in tree.find_all(exp.Column)):
        return ()
    rewriting = _Rewriting({id(each.node): each for each in occurrences})
    return rewriting.run(tree)


def left_out(tree: exp.Expression, lookup: Lookup) -> tuple[tuple[str, str], ...]:
    """Return a note for each table that a star spans without its files."""
    starred = [select for select in tree.find_all(exp.Select) if any(map(is_star, select.expressions))]
    if not starred:
        return ()
    spanned = {id(node) for select in starred for node in from_nodes(select)}
    tables = {each.table.name: each.table for each in find_occurrences(tree, lookup) if id(each.node) in spanned}
    hidden = {name: [each.name for each in table.columns.values() if each.apart] for name, table in tables.items()}
    text = "without {}: name a file column to download it"
    return tuple((f"{name}.*", text.format(", ".join(names))) for name, names in hidden.items() if names)


def address_of(table: Table, column: Column, key: str) -> str:
    """Return where the content of a cell is, below the service root; an image in full size, if it is kept so."""
    size = _FULL if column.kind is Kind.IMAGE and column.full_image else ""
    return f"{table.entity_set}({key})/{column.wire}/$value{size}"


@dataclass
class _Rewriting:
    """One statement. `offered` remembers what each query offers, None when that is not known; `hidden` the file columns
    that it leaves out of a star."""

    by_node: dict[int, Occurrence]
    offered: dict[int, list[_Output] | None] = field(default_factory=dict)
    hidden: dict[int, set[str]] = field(default_factory=dict)

    def run(self, tree: exp.Expression) -> tuple[Download, ...]:
        outputs = self.outputs(tree)
        for select in list(tree.find_all(exp.Select)):
            if is_read(select):
                self.outputs(select)
        for node in list(tree.find_all(exp.Column)):
            self._settle(node)
        return tuple(
            Download(position, output.sized, output.cells)
            for position, output in enumerate(outputs or ())
            if output.cells
        )

    def outputs(self, query: exp.Expression | None) -> list[_Output] | None:
        """Return what a query offers, its file columns replaced."""
        while isinstance(query, exp.Subquery):
            query = query.this
        if query is None:
            return None
        if id(query) not in self.offered:
            self.offered[id(query)] = None  # a recursive query does not see itself
            found = self._of_set(query) if isinstance(query, exp.SetOperation) else None
            if isinstance(query, exp.Select):
                found = self._of_select(query)
            self.offered[id(query)] = found
        return self.offered[id(query)]

    def _of_set(self, query: exp.SetOperation) -> list[_Output] | None:
        one, two = self.outputs(query.this), self.outputs(query.expression)
        if not any(output.cells for output in (*(one or ()), *(two or ()))):
            return one
        if one is None or two is None or len(one) != len(two):
            raise NotSupportedError("name the columns on both sides of UNION ALL: one of them holds files")
        if not isinstance(query, exp.Union) or query.args.get("distinct"):
            raise NotSupportedError("files cannot be compared: use UNION ALL, or leave the file column out")
        merged = [_merged(*pair) for pair in zip(one, two, strict=True)]
        _refuse_in_clauses(query, merged, self)
        return merged

    def _of_select(self, select: exp.Select) -> list[_Output] | None:
        items = list(select.expressions)
        spans = [self._starred(select, item) if is_star(item) else self._item(item) for item in items]
        found = [output for span in spans for output in span or ()]
        if not any(output.cells for output in found):
            return None if None in spans else found
        if None in spans:
            raise NotSupportedError("name the columns instead of *: one of them holds files")
        if select.args.get("distinct"):
            raise NotSupportedError("files cannot be compared: leave the file column or DISTINCT out")
        _refuse_in_clauses(select, found, self)
        return found

    def _starred(self, select: exp.Select, item: exp.Expression) -> list[_Output] | None:
        """What a star stands for; None when that is not known, and no file is among it."""
        star = item if isinstance(item, exp.Star) else item.this
        wanted = item.table.lower() if isinstance(item, exp.Column) else ""
        nodes = [node for node in from_nodes(select) if wanted in ("", (node.alias or node.name).lower())]
        spans = [self._spanned(node) for node in nodes]
        self.hidden.setdefault(id(select), set()).update(*map(self._hidden, nodes))
        known = [output for span in spans for output in span or ()]
        joins = select.args.get("joins") or ()
        merged = any(join.args.get("using") or join.args.get("method") for join in joins)
        plain = not (merged or any(star.args.values()) or select.args.get("laterals"))
        if plain and None not in spans:
            return known
        if any(output.cells for output in known):
            raise NotSupportedError("name the columns instead of *: one of them holds files")
        return None

    def _spanned(self, node: exp.Expression) -> list[_Output] | None:
        occurrence = self.by_node.get(id(node))
        if occurrence is None:
            return self._offers(node)
        return [_Output(column.name) for column in occurrence.table.listed]

    def _hidden(self, node: exp.Expression) -> set[str]:
        occurrence = self.by_node.get(id(node))
        if occurrence is None:
            return self.hidden.get(id(query_of(node)), set())
        return {column.name for column in occurrence.table.columns.values() if column.apart}

    def _offers(self, node: exp.Expression) -> list[_Output] | None:
        """What a derived table or a common table expression offers, by the names it is given."""
        outputs = self.outputs(query_of(node))
        for named in (cte_read(node), node):
            alias = named.args.get("alias") if named is not None else None
            names = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
            if names and outputs is not None:
                renamed = [replace(output, name=name.name) for output, name in zip(outputs, names, strict=False)]
                outputs = [*renamed, *outputs[len(renamed) :]]
        return outputs

    def _item(self, item: exp.Expression) -> list[_Output] | None:
        """What one expression of a select list offers; None for one that makes several columns."""
        inner = (item.this if isinstance(item, exp.Alias) else item).unnest()
        name = item.alias or (inner.name if isinstance(inner, exp.Column) else "")
        asked = size_asked(inner)
        found = self.found(asked or inner)
        if isinstance(found, _Cell) and found.column.apart:
            address = _address(found, (asked or inner).table)
            item.replace(exp.alias_(address, name or found.column.name, quoted=True))
            cell = address_of(found.occurrence.table, found.column, "{keys}")
            return [_Output(name or found.column.name, (cell,), asked is not None)]
        if isinstance(found, _Output):
            if asked is not None:
                inner.replace(asked.copy())
            return [_Output(name, found.cells, asked is not None or found.sized)]
        several = inner.find(exp.Columns, exp.Unnest, exp.Explode) or isinstance(item, exp.Aliases)
        return None if several else [_Output(name, null=isinstance(inner, exp.Null))]

    def found(self, node: exp.Expression) -> _Cell | _Output | None:
        """Return the file column a name means: that of a table, or one that a query hands on; None for all others."""
        if not isinstance(node, exp.Column) or node.is_star:
            return None
        select = node.find_ancestor(exp.Select)
        while select is not None:
            for entry in from_nodes(select):
                if node.table and node.table.lower() != (entry.alias or entry.name).lower():
                    continue
                known, meant = self._in_entry(entry, node)
                if known:
                    return meant
            select = select.find_ancestor(exp.Select)
        return None

    def _in_entry(self, entry: exp.Expression, node: exp.Column) -> tuple[bool, _Cell | _Output | None]:
        occurrence = self.by_node.get(id(entry))
        if occurrence is not None and is_renamed(entry):
            return False, None
        if occurrence is not None:
            column = occurrence.table.column(node.name)
            return column is not None, _Cell(occurrence, column) if column is not None and _is_held(column) else None
        outputs = self._offers(entry) or []
        output = next((each for each in outputs if each.name.lower() == node.name.lower()), None)
        if output is None and node.name.lower() in self._hidden(entry):
            raise NotSupportedError(
                f"{node.name} is a file column, which * leaves out: name it in the inner SELECT, too"
            )
        return output is not None, output if output is not None and output.cells else None

    def _settle(self, node: exp.Column) -> None:
        """Answer a use of a file column that is not selected, or refuse it."""
        found = self.found(node)
        if found is None:
            return
        if isinstance(found, _Output):
            select = node.find_ancestor(exp.Select)
            if not (only_presence(node) or (is_item(node) and select is not None and is_read(select))):
                raise refusal(node)
            return
        if not (only_presence(node) or is_item_of_exists(node)):
            if found.column.apart:
                raise refusal(node)
            return
        node.set("this", exp.to_identifier(_presence(found).name, quoted=True))


def _is_held(column: Column) -> bool:
    """Whether a column has an id that says as much as its content about whether there is one."""
    return column.apart or column.kind is Kind.IMAGE


def _merged(one: _Output, two: _Output) -> _Output:
    if one.null or two.null:
        return replace(two if one.null else one, name=one.name)
    if bool(one.cells) != bool(two.cells) or one.sized != two.sized:
        raise NotSupportedError(f"UNION ALL: {one.name} holds files on one side only")
    return replace(one, cells=tuple(dict.fromkeys((*one.cells, *two.cells))))


def _refuse_in_clauses(query: exp.Query, outputs: list[_Output], rewriting: _Rewriting) -> None:
    """Refuse clauses that name a selected file by its output name or position."""
    names = {output.name.lower() for output in outputs if output.cells}
    clauses = [query.args.get(key) for key in ("where", "group", "having", "qualify", "order")]
    for clause in (*clauses, *(query.expressions if isinstance(query, exp.Select) else ())):
        for node in terms_of(clause, query):
            if isinstance(node, exp.Literal):
                position = int(node.this)
                if 0 < position <= len(outputs) and outputs[position - 1].cells:
                    raise refusal(node)
            elif node.name.lower() in names and not node.table and not only_presence(node):
                if _is_free(node, query, rewriting):
                    raise refusal(node)
            elif node.name.upper() == "ALL" and not node.this.args.get("quoted"):
                raise refusal(node)
    group = query.args.get("group")
    if group is not None and group.args.get("all"):
        raise NotSupportedError("GROUP BY ALL would compare files: name the columns")


def _is_free(node: exp.Column, query: exp.Expression, rewriting: _Rewriting) -> bool:
    """Whether a bare name can only be that of an output; ORDER BY looks there first."""
    if isinstance(query, exp.SetOperation) or node.find_ancestor(exp.Ordered):
        return True
    return not any(rewriting._in_entry(entry, node)[0] for entry in from_nodes(query))


def _address(cell: _Cell, qualifier: str) -> exp.Expression:
    """``CASE WHEN id IS NOT NULL THEN 'set(' || key || ')/column/$value' END``."""
    table = cell.occurrence.table
    before, after = address_of(table, cell.column, "\0").split("\0")
    alias = qualifier or cell.occurrence.alias
    key = exp.column(table.primary_key, table=alias, quoted=True)
    present = exp.column(_presence(cell).name, table=alias, quoted=True)
    text = exp.DPipe(
        this=exp.DPipe(this=exp.Literal.string(before), expression=key), expression=exp.Literal.string(after)
    )
    return exp.Case(ifs=[exp.If(this=exp.Not(this=exp.Is(this=present, expression=exp.Null())), true=text)])


def _presence(cell: _Cell) -> Column:
    """The column that is NULL where there is no file."""
    columns, name = cell.occurrence.table.columns, cell.column.name
    if cell.column.kind is Kind.IMAGE:
        found = columns.get(f"{name}id") or columns.get(f"{name}_url")
    else:
        made = columns.get(f"{name}{Companion.ID.value}")
        found = made if made is not None and made.companion is Companion.ID else columns.get(f"{name}_name")
    if found is None:
        raise ProgrammingError(f"{name} has no id that can be read: open it with connection.open_file()")
    return found
