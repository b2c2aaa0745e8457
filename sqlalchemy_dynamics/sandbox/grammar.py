"""`$filter` text to a tree, and the refusals that are a matter of grammar (section 4.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy_dynamics.sandbox.failures import ODataError, Refused, bad_request
from sqlalchemy_dynamics.sandbox.nodes import And, Call, Compare, Custom, Lambda, Literal, Node, Not, Or, Path
from sqlalchemy_dynamics.sandbox.switches import Switches
from sqlalchemy_dynamics.sandbox.tokens import Token, invalid_json, literal, tokens_of, unquoted

__all__ = ["COMPARISONS", "parse_filter", "parse_literal"]

COMPARISONS = {
    "eq": "Equal",
    "ne": "NotEqual",
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
}
ARITHMETIC = frozenset({"add", "sub", "mul", "div", "mod", "has"})
UNSUPPORTED = frozenset(
    (
        "length",
        "tolower",
        "toupper",
        "trim",
        "concat",
        "substring",
        "substringof",
        "indexof",
        "matchesPattern",
        "replace",
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "fractionalseconds",
        "date",
        "time",
        "totaloffsetminutes",
        "now",
        "mindatetime",
        "maxdatetime",
        "totalseconds",
        "round",
        "floor",
        "ceiling",
        "cast",
        "isof",
        "geo.distance",
        "geo.length",
        "geo.intersects",
    )
)
MATCHES = frozenset({"contains", "startswith", "endswith"})
_PREFIX = "Microsoft.Dynamics.CRM."


class _Parser:
    def __init__(self, text: str, aliases: Mapping[str, str], switches: Switches) -> None:
        self.text = text
        self.aliases = aliases
        self.switches = switches
        self.tokens = tokens_of(text)
        self.at = 0

    @property
    def peek(self) -> Token:
        return self.tokens[self.at]

    def take(self, value: str = "") -> Token:
        token = self.peek
        if value and token[1] != value:
            raise self.error()
        self.at += 1
        return token

    def is_mark(self, value: str) -> bool:
        return self.peek[:2] == ("mark", value)

    def error(self) -> ODataError:
        kind, _, position = self.peek
        if kind == "end":
            return bad_request(f"Expression expected at position {position} in '{self.text}'.")
        return bad_request(f"Syntax error at position {position} in '{self.text}'.")

    def parse(self) -> Node:
        tree = self.disjunction()
        if self.peek[0] != "end":
            raise self.error()
        return tree

    def disjunction(self) -> Node:
        items = [self.conjunction()]
        while self.peek[:2] == ("name", "or"):
            self.take()
            items.append(self.conjunction())
        return items[0] if len(items) == 1 else Or(tuple(items))

    def conjunction(self) -> Node:
        items = [self.comparison()]
        while self.peek[:2] == ("name", "and"):
            self.take()
            items.append(self.comparison())
        return items[0] if len(items) == 1 else And(tuple(items))

    def comparison(self) -> Node:
        left = self.unary()
        kind, word, _ = self.peek
        if kind == "name" and word in COMPARISONS:
            self.take()
            return Compare(word, left, self.unary())
        if kind == "name" and word in ARITHMETIC:
            raise Refused(self.switches.arithmetic, name=word)
        if kind == "name" and word == "in":
            raise Refused(self.switches.in_operator)
        return left

    def unary(self) -> Node:
        if self.peek[:2] == ("name", "not"):
            self.take()
            return Not(self.unary())
        if self.is_mark("-"):
            raise Refused(self.switches.arithmetic, name="-")
        return self.arithmetic_free(self.primary())

    def arithmetic_free(self, node: Node) -> Node:
        if self.peek[0] == "name" and self.peek[1] in ARITHMETIC:
            raise Refused(self.switches.arithmetic, name=self.peek[1])
        return node

    def primary(self) -> Node:
        kind, text, _ = self.peek
        if self.is_mark("("):
            self.take()
            inner = self.disjunction()
            if not self.is_mark(")"):
                raise self.error()
            self.take()
            return inner
        if kind == "alias":
            self.take()
            return parse_literal(self.aliases.get(text, "null"), self.switches)
        if kind == "name":
            return self.named(text)
        if kind in ("end", "mark"):
            raise self.error()
        self.take()
        return literal(kind, text)

    def named(self, text: str) -> Node:
        if text in ("true", "false", "null"):
            self.take()
            return literal("null" if text == "null" else "bool", text)
        following = self.tokens[self.at + 1]
        if following[:2] == ("mark", "("):
            return self.call(text)
        if following[0] == "string" and following[2] == self.peek[2] + len(text):
            self.take()
            return Literal("enum", unquoted(self.take()[1]))
        return self.path()

    def call(self, name: str) -> Node:
        if name.startswith(_PREFIX):
            return self.custom(name.removeprefix(_PREFIX))
        if name in UNSUPPORTED:
            raise Refused(self.switches.filter_function, name=name)
        if name not in MATCHES:
            raise bad_request(
                f"An unknown function with name '{name}' was found. This may also be a function import or a key lookup "
                "on a navigation property, which is not allowed."
            )
        self.take()
        self.take("(")
        arguments = [self.disjunction()]
        while self.is_mark(","):
            self.take()
            arguments.append(self.disjunction())
        self.take(")")
        return Call(name, tuple(arguments))

    def custom(self, name: str) -> Node:
        self.take()
        self.take("(")
        arguments: dict[str, Node] = {}
        while not self.is_mark(")"):
            parameter = self.take()[1]
            self.take("=")
            arguments[parameter] = self.argument()
            if self.is_mark(","):
                self.take()
        self.take(")")
        return Custom(name, arguments)

    def argument(self) -> Node:
        kind, text, _ = self.peek
        if kind == "list" and any("'" in item for item in re.findall(r'"(?:[^"\\]|\\.)*"', text)):
            raise invalid_json()
        return self.primary()

    def path(self) -> Node:
        parts = [self.take()[1]]
        while self.is_mark("/"):
            self.take()
            kind, word, _ = self.peek
            if kind != "name":
                raise self.error()
            if word in ("any", "all") and self.tokens[self.at + 1][:2] == ("mark", "("):
                return self.quantified(Path(tuple(parts)))
            parts.append(self.take()[1])
        return Path(tuple(parts))

    def quantified(self, path: Path) -> Node:
        quantifier = self.take()[1]
        self.take("(")
        if self.is_mark(")") and quantifier == "any":
            self.take()
            return Lambda(path, quantifier, "", None)
        variable = self.take()[1]
        self.take(":")
        body = self.disjunction()
        if not self.is_mark(")"):
            raise self.error()
        self.take()
        return Lambda(path, quantifier, variable, body)


def parse_filter(text: str, aliases: Mapping[str, str], switches: Switches) -> Node:
    """Return the tree of a `$filter`; `aliases` are the ``@name`` query options. Raises ODataError."""
    return _Parser(text, aliases, switches).parse()


def parse_literal(text: str, switches: Switches) -> Node:
    """Return the literal a parameter alias stands for."""
    node = _Parser(text, {}, switches).primary()
    if isinstance(node, Path):
        raise bad_request(f"The value '{text}' of a parameter alias must be a literal.")
    return node
