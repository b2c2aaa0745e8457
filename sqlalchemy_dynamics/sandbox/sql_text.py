"""The text of `?sql=` to a tree: the small SELECT that the service's preview understands (section 4.11)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Condition", "Group", "Item", "Join", "Name", "Select", "SqlSyntax", "parse_sql"]

T = TypeVar("T")
AGGREGATES = frozenset({"COUNT", "SUM", "AVG", "MIN", "MAX"})
_REFUSED = frozenset(
    {"HAVING", "UNION", "INTERSECT", "EXCEPT", "WITH", "EXISTS", "CASE", "OVER", "RIGHT", "FULL", "CROSS", "INTO"}
)
_RESERVED = _REFUSED | frozenset(
    {
        "SELECT",
        "FROM",
        "WHERE",
        "GROUP",
        "ORDER",
        "BY",
        "ON",
        "AND",
        "OR",
        "NOT",
        "IN",
        "IS",
        "NULL",
        "LIKE",
        "BETWEEN",
        "INNER",
        "LEFT",
        "OUTER",
        "JOIN",
        "AS",
        "ASC",
        "DESC",
        "TOP",
        "DISTINCT",
        "OFFSET",
        "FETCH",
        "NEXT",
        "FIRST",
        "ROWS",
        "ROW",
        "ONLY",
    }
)
_LARGEST_TOP = 5000
_TOKEN = re.compile(
    r"\s*(?:(?P<string>N?'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<quoted>\[[^\]]+\]|\"[^\"]+\")"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<mark><>|!=|<=|>=|[=<>(),.*;]))"
)


class SqlSyntax(ValueError):
    """The text is outside of what `?sql=` understands; says where or what."""


@dataclass(frozen=True)
class Name:
    """A column, perhaps with the alias of its table."""

    column: str
    table: str = ""


@dataclass(frozen=True)
class Item:
    """A selected column or aggregate (``COUNT`` of None is ``COUNT(*)``)."""

    name: Name | None
    aggregate: str = ""
    distinct: bool = False
    alias: str = ""


@dataclass(frozen=True)
class Condition:
    """``name operator values``; the operator in capitals, NOT inside it (``NOT IN``, ``IS NULL``)."""

    name: Name
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Conditions joined by AND or OR."""

    word: str
    items: tuple[Condition | Group, ...]


@dataclass(frozen=True)
class Join:
    """INNER or LEFT JOIN on one equality."""

    kind: str
    table: str
    alias: str
    left: Name
    right: Name


@dataclass(frozen=True)
class Select:
    """The statement."""

    items: tuple[Item, ...]
    table: str
    alias: str
    joins: tuple[Join, ...] = ()
    where: Condition | Group | None = None
    group: tuple[Name, ...] = ()
    order: tuple[tuple[Name, bool], ...] = ()
    distinct: bool = False
    top: int | None = None
    offset: int = 0
    fetch: int | None = None


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise SqlSyntax(f"Incorrect syntax near '{text[position:].strip()[:20]}'.")
            self.tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            position = match.end()
        self.tokens.append(("end", ""))
        self.at = 0

    def word(self) -> str:
        kind, text = self.tokens[self.at]
        return text.upper() if kind == "word" else text if kind == "mark" else ""

    def accept(self, *words: str) -> bool:
        here = [t.upper() if k == "word" else t for k, t in self.tokens[self.at : self.at + len(words)]]
        if here != list(words):
            return False
        self.at += len(words)
        return True

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise self.error()

    def error(self) -> SqlSyntax:
        text = self.tokens[self.at][1]
        if text.upper() in _REFUSED:
            return SqlSyntax(f"The SQL keyword '{text.upper()}' is not supported.")
        return SqlSyntax(f"Incorrect syntax near '{text or 'end of statement'}'.")

    def identifier(self) -> str:
        kind, text = self.tokens[self.at]
        if kind == "quoted":
            self.at += 1
            return text[1:-1].lower()
        if kind != "word" or text.upper() in _RESERVED:
            raise self.error()
        self.at += 1
        return text.lower()

    def name(self) -> Name:
        first = self.identifier()
        return Name(self.identifier(), first) if self.accept(".") else Name(first)

    def whole(self) -> int:
        kind, text = self.tokens[self.at]
        if kind != "number" or not text.isdigit():
            raise self.error()
        self.at += 1
        return int(text)

    def select(self) -> Select:
        self.expect("SELECT")
        distinct = self.accept("DISTINCT")
        top = self._top()
        items = self.list(self.item)
        self.expect("FROM")
        table, alias = self.source()
        joins = []
        while (join := self.join()) is not None:
            joins.append(join)
        where = self.disjunction() if self.accept("WHERE") else None
        group = self.list(self.name) if self.accept("GROUP", "BY") else ()
        order = self.list(self.ordered) if self.accept("ORDER", "BY") else ()
        offset, fetch = self._window()
        self.accept(";")
        if self.tokens[self.at][0] != "end":
            raise self.error()
        return Select(items, table, alias, tuple(joins), where, group, order, distinct, top, offset, fetch)

    def _top(self) -> int | None:
        if not self.accept("TOP"):
            return None
        bracket = self.accept("(")
        number = self.whole()
        if bracket:
            self.expect(")")
        if number > _LARGEST_TOP:
            raise SqlSyntax(f"TOP must not exceed {_LARGEST_TOP}.")
        return number

    def _window(self) -> tuple[int, int | None]:
        if not self.accept("OFFSET"):
            return 0, None
        offset, fetch = self.whole(), None
        if not (self.accept("ROWS") or self.accept("ROW")):
            raise self.error()
        if self.accept("FETCH"):
            if not (self.accept("NEXT") or self.accept("FIRST")):
                raise self.error()
            fetch = self.whole()
            if not (self.accept("ROWS", "ONLY") or self.accept("ROW", "ONLY")):
                raise self.error()
        return offset, fetch

    def list(self, one: Callable[[], T]) -> tuple[T, ...]:
        found = [one()]
        while self.accept(","):
            found.append(one())
        return tuple(found)

    def item(self) -> Item:
        if self.word() == "*":
            raise SqlSyntax("SELECT * is not supported; name the columns.")
        called = self.word() in AGGREGATES and self.tokens[self.at + 1][1] == "("
        found = self._aggregate() if called else Item(self.name())
        if self.tokens[self.at][1] == "(":
            raise SqlSyntax("Functions and expressions are not supported in the SELECT list.")
        named = self.accept("AS")
        kind, text = self.tokens[self.at]
        if named or kind == "quoted" or (kind == "word" and text.upper() not in _RESERVED):
            self.at += 1
            return Item(found.name, found.aggregate, found.distinct, text.strip('[]"'))
        return found

    def _aggregate(self) -> Item:
        function = self.word()
        self.at += 1
        self.expect("(")
        if self.accept("*"):
            self.expect(")")
            if function != "COUNT":
                raise SqlSyntax(f"{function}(*) is not supported.")
            return Item(None, "COUNT")
        distinct = self.accept("DISTINCT")
        name = self.name()
        self.expect(")")
        return Item(name, function, distinct)

    def source(self) -> tuple[str, str]:
        table = self.identifier()
        if self.accept("."):
            table = self.identifier()
        self.accept("AS")
        kind, text = self.tokens[self.at]
        if kind == "quoted" or (kind == "word" and text.upper() not in _RESERVED):
            return table, self.identifier()
        return table, table

    def join(self) -> Join | None:
        kind = "INNER"
        if self.accept("LEFT", "OUTER") or self.accept("LEFT"):
            kind = "LEFT"
        elif not self.accept("INNER") and self.word() != "JOIN":
            return None
        self.expect("JOIN")
        table, alias = self.source()
        self.expect("ON")
        bracket = self.accept("(")
        left = self.name()
        self.expect("=")
        right = self.name()
        if bracket:
            self.expect(")")
        return Join(kind, table, alias, left, right)

    def ordered(self) -> tuple[Name, bool]:
        name = self.name()
        descending = self.accept("DESC")
        if not descending:
            self.accept("ASC")
        return name, descending

    def disjunction(self) -> Condition | Group:
        return self._joined("OR", lambda: self._joined("AND", self.condition))

    def _joined(self, word: str, one: Callable[[], Condition | Group]) -> Condition | Group:
        items = [one()]
        while self.accept(word):
            items.append(one())
        return items[0] if len(items) == 1 else Group(word, tuple(items))

    def condition(self) -> Condition | Group:
        if self.accept("("):
            inner = self.disjunction()
            self.expect(")")
            return inner
        name = self.name()
        if self.accept("IS", "NOT", "NULL"):
            return Condition(name, "IS NOT NULL")
        if self.accept("IS", "NULL"):
            return Condition(name, "IS NULL")
        negated = "NOT " if self.accept("NOT") else ""
        if self.accept("LIKE"):
            return Condition(name, f"{negated}LIKE", (self.literal(),))
        if self.accept("IN", "("):
            values = self.list(self.literal)
            self.expect(")")
            return Condition(name, f"{negated}IN", values)
        if self.accept("BETWEEN"):
            low = self.literal()
            self.expect("AND")
            return Condition(name, f"{negated}BETWEEN", (low, self.literal()))
        operator = self.word()
        if negated or operator not in ("=", "<>", "!=", "<", "<=", ">", ">="):
            raise self.error()
        self.at += 1
        return Condition(name, "<>" if operator == "!=" else operator, (self.literal(),))

    def literal(self) -> str:
        kind, text = self.tokens[self.at]
        if kind == "string":
            self.at += 1
            return text.removeprefix("N")[1:-1].replace("''", "'")
        if kind == "number":
            self.at += 1
            return text
        if kind == "word" and text.upper() not in _RESERVED:
            raise SqlSyntax("A column can be compared with a literal only.")
        raise self.error()


def parse_sql(text: str) -> Select:
    """Return the statement; raises SqlSyntax for everything the preview does not understand."""
    return _Parser(text).select()
