"""The filter tree as the text of `$filter`, guarded against the server's NULL rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy_dynamics.errors import InternalError, NotSupportedError
from sqlalchemy_dynamics.odata.filters import (
    All,
    Among,
    Both,
    ColumnCompare,
    Compare,
    CrmCall,
    Either,
    Filter,
    Has,
    Match,
    Never,
    Null,
    Operand,
    Parameter,
    Path,
    Value,
)
from sqlalchemy_dynamics.odata.literals import escape_wildcards, function_text, literal, quote, string_list

__all__ = ["Rendered", "render"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text of `$filter`, not percent-encoded, and the parameter aliases it uses: ``("@p1", "'lastname'")``."""

    text: str
    aliases: tuple[tuple[str, str], ...] = ()


def render(wanted: Filter, *, aliases: bool = True, placeholders: bool = False) -> Rendered:
    """Return a filter's text, guarded against the server's NULL rules (dataverse-web-api: null semantics).

    `aliases` False keeps to forms without parameter aliases, for `$apply`. `placeholders` True writes an unbound
    Parameter as ``{key}``, for EXPLAIN. Raises InternalError for Never (nothing must be sent) and for a Parameter
    without a value, NotSupportedError for a query function on a related table.
    """
    writer = _Writer(aliases, placeholders)
    return Rendered(writer.write(wanted).text, tuple(writer.aliases))


_OR, _AND, _ATOM = range(3)
_FEW = 3
_RISKY = frozenset("'\"\\")
_INTEGERS = frozenset({"Edm.Byte", "Edm.Int16", "Edm.Int32", "Edm.Int64"})
_BOUNDS = frozenset({"Between", "NotBetween"})
_LIST_FUNCTIONS = frozenset({"In", "NotIn", "Between", "NotBetween", "ContainValues", "DoesNotContainValues"})


class _Text(NamedTuple):
    """What was written; `parts` are the terms of a chain of the level."""

    text: str
    level: int = _ATOM
    parts: tuple[_Text, ...] = ()


def _join(parts: Iterable[_Text], word: str, level: int) -> _Text:
    flat = (inner for part in parts for inner in (part.parts if part.level == level else (part,)))
    unique = tuple(dict.fromkeys(flat))
    if len(unique) == 1:
        return unique[0]
    texts = (part.text if part.level == _ATOM else f"({part.text})" for part in unique)
    return _Text(f" {word} ".join(texts), level, unique)


def _all_of(*parts: _Text) -> _Text:
    return _join(parts, "and", _AND)


def _property_name(path: Path) -> str:
    """The attribute's name: query functions refuse the wire form ``_ownerid_value`` of a lookup."""
    name = path[0]
    return name[1:-6] if name.startswith("_") and name.endswith("_value") else name


@dataclass
class _Writer:
    """Writes one tree; `row` is the lambda variable that paths start from, with its slash."""

    use_aliases: bool
    placeholders: bool
    aliases: list[tuple[str, str]] = field(default_factory=list)
    row: str = ""
    depth: int = 0

    def write(self, node: Filter) -> _Text:
        return _WRITERS[type(node)](self, node)

    def path(self, path: Path) -> str:
        return self.row + "/".join(path)

    def not_null(self, path: Path) -> _Text:
        return _Text(f"{self.path(path)} ne null")

    def operand(self, operand: Operand, write: Callable[[object, str], str] = literal) -> str:
        if isinstance(operand, Value):
            return write(operand.value, operand.edm)
        if self.placeholders:
            return f"{{{operand.key}}}"
        raise InternalError(f"parameter {operand.key!r} has no value yet: bind the filter before rendering it")

    def compare(self, node: Compare) -> _Text:
        text = _Text(f"{self.path(node.path)} {node.op} {self.operand(node.operand)}")
        return _all_of(text, self.not_null(node.path)) if node.op == "ne" else text

    def column_compare(self, node: ColumnCompare) -> _Text:
        text = _Text(f"{self.path(node.left)} {node.op} {self.path(node.right)}")
        return _all_of(text, self.not_null(node.left), self.not_null(node.right)) if node.op == "ne" else text

    def null(self, node: Null) -> _Text:
        return self.not_null(node.path) if node.negated else _Text(f"{self.path(node.path)} eq null")

    def match(self, node: Match) -> _Text:
        value = self.operand(node.operand, lambda value, edm: literal(escape_wildcards(str(value)), edm))
        text = f"{node.kind}({self.path(node.path)},{value})"
        return _all_of(_Text(f"not {text}"), self.not_null(node.path)) if node.negated else _Text(text)

    def among(self, node: Among) -> _Text:
        node = replace(node, operands=tuple(dict.fromkeys(node.operands)))
        function = "NotIn" if node.negated else "In"
        text = self.list_call(function, node) if self.as_call(node) else self.chain(node)
        return _all_of(text, self.not_null(node.path)) if node.negated else text

    def as_call(self, node: Among) -> bool:
        if len(node.path) > 1 or self.row or any(operand.edm == "Edm.Boolean" for operand in node.operands):
            return False
        if not all(isinstance(operand, Value) for operand in node.operands):
            return True
        return len(node.operands) > _FEW and (self.use_aliases or not self.needs_alias(node.operands))

    def chain(self, node: Among) -> _Text:
        op, join = ("ne", _all_of) if node.negated else ("eq", lambda *parts: _join(parts, "or", _OR))
        return join(*(_Text(f"{self.path(node.path)} {op} {self.operand(each)}") for each in node.operands))

    def needs_alias(self, operands: tuple[Operand, ...]) -> bool:
        """An apostrophe inside an inline array is refused as invalid JSON; quotes and backslashes go the safe way."""
        return any(not _RISKY.isdisjoint(self.operand(each, function_text)) for each in operands)

    def list_call(self, function: str, node: Among | CrmCall) -> _Text:
        values = [self.operand(each, function_text) for each in node.operands]
        if function not in _BOUNDS:
            values = list(dict.fromkeys(values))
        unbound = any(isinstance(each, Parameter) for each in node.operands)
        listed = f"[{','.join(values)}]" if unbound else string_list(values)
        name = quote(_property_name(node.path))
        if not unbound and self.use_aliases and self.needs_alias(node.operands):
            name, listed = self.alias(name), self.alias(listed)
        return _Text(f"Microsoft.Dynamics.CRM.{function}(PropertyName={name},PropertyValues={listed})")

    def alias(self, text: str) -> str:
        self.aliases.append((f"@p{len(self.aliases) + 1}", text))
        return self.aliases[-1][0]

    def call(self, node: CrmCall) -> _Text:
        if len(node.path) > 1 or self.row:
            raise NotSupportedError(f"{node.name} works on the queried table only, not on {self.path(node.path)}")
        text = self.list_call(node.name, node) if node.name in _LIST_FUNCTIONS else self.scalar_call(node)
        return _all_of(text, self.not_null(node.path)) if node.name.startswith(("Not", "DoesNot")) else text

    def scalar_call(self, node: CrmCall) -> _Text:
        arguments = [f"PropertyName={quote(_property_name(node.path))}"]
        for number, operand in enumerate(node.operands, start=1):
            name = f"PropertyValue{number if len(node.operands) > 1 else ''}"
            arguments.append(f"{name}={self.operand(operand, _call_literal)}")
        return _Text(f"Microsoft.Dynamics.CRM.{node.name}({','.join(arguments)})")

    def both(self, node: Both) -> _Text:
        return _all_of(*map(self.write, node.terms))

    def either(self, node: Either) -> _Text:
        return _join(map(self.write, node.terms), "or", _OR)

    def has(self, node: Has) -> _Text:
        inner = "" if node.term is None else self.inside(node.term)
        return _Text(f"{'not ' * node.negated}{self.path(node.navigation)}/any({inner})")

    def all(self, node: All) -> _Text:
        if isinstance(node.term, Never):
            return _Text(f"not {self.path(node.navigation)}/any()")
        return _Text(f"{self.path(node.navigation)}/all({self.inside(node.term)})")

    def inside(self, term: Filter) -> str:
        variable = f"o{self.depth + 1}"
        inner = _Writer(self.use_aliases, self.placeholders, self.aliases, f"{variable}/", self.depth + 1)
        return f"{variable}:{inner.write(term).text}"

    def never(self, node: Never) -> _Text:
        raise InternalError("the filter matches no row: answer with no rows and send nothing")


def _call_literal(value: object, edm: str) -> str:
    text = function_text(value, edm)
    return text if edm in _INTEGERS else quote(text)


_WRITERS: dict[type, Callable[[_Writer, Any], _Text]] = {
    Compare: _Writer.compare,
    ColumnCompare: _Writer.column_compare,
    Null: _Writer.null,
    Match: _Writer.match,
    Among: _Writer.among,
    CrmCall: _Writer.call,
    Both: _Writer.both,
    Either: _Writer.either,
    Has: _Writer.has,
    All: _Writer.all,
    Never: _Writer.never,
}
