"""A small `$filter` reader that evaluates rows by the service's NULL rules, to check what rendering means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

Row = Mapping[str, Any]
Test = Callable[[Row], bool]

_TOKEN = re.compile(r"\s*((?:\w+=)?'(?:[^']|'')*'|(?:\w+=)?\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*\]|[(),]|[^\s(),]+)")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
}


def matches(text: str, row: Row, aliases: tuple[tuple[str, str], ...] = ()) -> bool:
    """Whether the service would return the row for that `$filter`."""
    reader = _Reader(_TOKEN.findall(text), dict(aliases))
    test = reader.either()
    assert not reader.tokens, f"left over: {reader.tokens}"
    return test(row)


class _Reader:
    def __init__(self, tokens: list[str], aliases: dict[str, str]) -> None:
        self.tokens = tokens
        self.aliases = aliases

    def take(self) -> str:
        return self.tokens.pop(0)

    def next_is(self, *words: str) -> bool:
        return bool(self.tokens) and self.tokens[0] in words

    def either(self) -> Test:
        terms = [self.both()]
        while self.next_is("or"):
            self.take()
            terms.append(self.both())
        return lambda row: any(term(row) for term in terms)

    def both(self) -> Test:
        terms = [self.term()]
        while self.next_is("and"):
            self.take()
            terms.append(self.term())
        return lambda row: all(term(row) for term in terms)

    def term(self) -> Test:
        if self.next_is("("):
            self.take()
            inner = self.either()
            assert self.take() == ")"
            return inner
        if self.next_is("not"):
            self.take()
            column, value, kind = self.text_call()
            return lambda row: row[column] is None or not _like(kind, row[column], value)
        if self.next_is("contains", "startswith", "endswith"):
            column, value, kind = self.text_call()
            return lambda row: row[column] is not None and _like(kind, row[column], value)
        if self.tokens[0].startswith("Microsoft.Dynamics.CRM."):
            return self.list_call()
        return self.comparison()

    def text_call(self) -> tuple[str, str, str]:
        kind, _, column, _, value, _ = (self.take() for _ in range(6))
        return column, self.value(value), kind

    def list_call(self) -> Test:
        name = self.take().removeprefix("Microsoft.Dynamics.CRM.")
        assert self.take() == "("
        column = self.value(self.argument("PropertyName="))
        assert self.take() == ","
        values = json.loads(self.argument("PropertyValues="))
        assert self.take() == ")"
        if name == "In":
            return lambda row: row[column] is not None and str(row[column]) in values
        assert name == "NotIn"
        return lambda row: row[column] is None or str(row[column]) not in values

    def argument(self, name: str) -> str:
        token = self.take()
        assert token.startswith(name)
        text = token.removeprefix(name)
        return self.aliases.get(text, text)

    def comparison(self) -> Test:
        left, op, right = self.take(), self.take(), self.take()
        if right == "null":
            return (lambda row: row[left] is None) if op == "eq" else (lambda row: row[left] is not None)
        if re.fullmatch(r"[a-z]+", right):
            return self.columns(left, op, right)
        value = self.value(right)
        if op == "ne":
            return lambda row: row[left] is None or row[left] != value
        return lambda row: row[left] is not None and _ORDER[op](row[left], value)

    @staticmethod
    def columns(left: str, op: str, right: str) -> Test:
        if op == "ne":  # one-sided: true when the left one is null
            return lambda row: row[left] is None or (row[right] is not None and row[left] != row[right])
        return lambda row: None not in (row[left], row[right]) and _ORDER[op](row[left], row[right])

    @staticmethod
    def value(token: str) -> Any:
        return token[1:-1].replace("''", "'") if token.startswith("'") else int(token)


def _like(kind: str, text: str, pattern: str) -> bool:
    """LIKE with its bracket sets: fnmatch has the same ones under other wildcards."""
    plain = re.sub(r"\[(.)\]|([*?\[\]])", lambda m: f"[{m[1] or m[2]}]", pattern)
    shell = re.sub(r"(?<!\[)([%_])(?!\])", lambda m: "*" if m[1] == "%" else "?", plain)
    before, after = "*" * (kind != "startswith"), "*" * (kind != "endswith")
    return fnmatchcase(text, before + shell + after)
