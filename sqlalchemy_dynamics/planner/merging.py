"""MERGE with one update and one insert, as the INSERT … ON CONFLICT that means the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sqlglot import exp

from sqlalchemy_dynamics.errors import NotSupportedError

__all__ = ["upsert_text"]

_FORM = (
    "MERGE INTO table USING rows AS s ON table.key = s.key WHEN MATCHED THEN UPDATE SET … "
    "WHEN NOT MATCHED THEN INSERT (…) VALUES (…)"
)
_WORDS = "INSERT INTO table (…) … ON CONFLICT (key) DO UPDATE SET column = excluded.column"


def upsert_text(tree: exp.Expression, render: Callable[[exp.Expression], str]) -> str:
    """Return the INSERT … ON CONFLICT that a MERGE means. Raises NotSupportedError for other forms of MERGE."""
    return _Merge(tree, render).text()


class _Merge:
    def __init__(self, tree: exp.Expression, render: Callable[[exp.Expression], str]) -> None:
        self._tree, self._render = tree, render
        self._target, self._using = tree.this, tree.args["using"]
        self._source = self._using.alias or self._using.name
        self._update, self._insert = self._branches()
        names, values = self._insert.this, self._insert.expression
        if not isinstance(names, exp.Tuple) or not isinstance(values, exp.Tuple):
            raise _refused("INSERT has to name its columns and VALUES")
        self._columns = [each.name for each in names.expressions]
        self._values = values.expressions
        if len(self._columns) != len(self._values):
            raise _refused(f"INSERT names {len(self._columns)} columns and {len(self._values)} values")

    def text(self) -> str:
        keys = list(self._keys())
        settings = [f"{_quoted(item.this.name)} = {self._excluded(item.expression)}" for item in self._settings()]
        condition = self._update.parent.args.get("condition")
        returning = self._tree.args.get("returning")
        parts = [
            f"INSERT INTO {self._render(self._target)} ({', '.join(map(_quoted, self._columns))}) {self._rows()}",
            f"ON CONFLICT ({', '.join(map(_quoted, keys))}) DO UPDATE SET {', '.join(settings)}",
            "" if condition is None else f"WHERE {self._excluded(condition)}",
            "" if returning is None else self._render(returning),
        ]
        return " ".join(filter(None, parts))

    def _branches(self) -> tuple[exp.Expression, exp.Expression]:
        whens = self._tree.args["whens"].expressions
        kinds = {bool(when.args.get("matched")): when.args.get("then") for when in whens}
        update, insert = kinds.get(True), kinds.get(False)
        plain = len(whens) == 2 and not any(when.args.get("source") for when in whens)
        if not plain or not isinstance(update, exp.Update) or not isinstance(insert, exp.Insert):
            raise _refused("it takes WHEN MATCHED THEN UPDATE and WHEN NOT MATCHED THEN INSERT, once each")
        if insert.parent.args.get("condition") is not None:
            raise _refused("WHEN NOT MATCHED takes no further condition")
        return update, insert

    def _settings(self) -> list[exp.Expression]:
        items = self._update.expressions
        if not all(isinstance(item, exp.EQ) and isinstance(item.this, exp.Column) for item in items):
            raise _refused("SET takes column = value pairs only")
        return list(items)

    def _keys(self) -> Iterator[str]:
        """The target's columns that ON compares; the compared values must be those that are inserted."""
        targets = {self._target.alias.lower(), self._target.name.lower()}
        taken = self._taken()
        for pair in self._tree.args["on"].unnest().flatten() if self._is_all() else [self._tree.args["on"].unnest()]:
            pair = pair.unnest()
            sides = [pair.this, pair.expression] if isinstance(pair, exp.EQ) else []
            if len(sides) != 2 or not all(isinstance(side, exp.Column) and side.table for side in sides):
                raise _refused("ON compares columns: table.key = s.key, and nothing else")
            own, other = sides if sides[0].table.lower() in targets else reversed(sides)
            if own.table.lower() not in targets or taken.get(other.name.lower()) != own.name.lower():
                raise _refused(f"INSERT has to give {own.name} the value that ON compares it with")
            yield own.name

    def _is_all(self) -> bool:
        return isinstance(self._tree.args["on"].unnest(), exp.And)

    def _taken(self) -> Mapping[str, str]:
        """The source's columns that are inserted as they are, and into which column."""
        pairs = zip(self._columns, self._values, strict=True)
        return {value.name.lower(): name.lower() for name, value in pairs if self._is_source(value)}

    def _is_source(self, node: exp.Expression) -> bool:
        return isinstance(node, exp.Column) and node.table.lower() == self._source.lower()

    def _excluded(self, node: exp.Expression) -> str:
        """An expression of UPDATE, the source's columns in it named as the inserted ones."""
        taken = self._taken()
        whole = exp.Paren(this=node.copy())
        for column in whole.find_all(exp.Column):
            if self._is_source(column):
                name = taken.get(column.name.lower())
                if name is None:
                    raise _refused(f"UPDATE uses {column.sql()}, which INSERT does not insert")
                column.set("table", exp.to_identifier("excluded"))
                column.set("this", exp.to_identifier(name, quoted=True))
        return self._render(whole.this)

    def _rows(self) -> str:
        """The rows as VALUES where they stand in the statement, else as a SELECT from the source."""
        alias = self._using.args.get("alias")
        names = [each.name.lower() for each in (alias.columns if alias is not None else ())]
        if isinstance(self._using, exp.Values) and all(self._is_source(value) for value in self._values):
            places = [names.index(value.name.lower()) for value in self._values if value.name.lower() in names]
            if len(places) == len(self._values):
                rows = ([row.expressions[place] for place in places] for row in self._using.expressions)
                return "VALUES " + ", ".join(f"({', '.join(map(self._render, row))})" for row in rows)
        return f"SELECT {', '.join(map(self._render, self._values))} FROM {self._render(self._using)}"


def _refused(why: str) -> NotSupportedError:
    return NotSupportedError(f"MERGE: {why}. The form taken is {_FORM}; or write {_WORDS}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
