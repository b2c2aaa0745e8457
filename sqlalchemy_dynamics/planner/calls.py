"""EXEC and CALL: the name of a procedure and its arguments, as literals and parameter markers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from dynamics_auth.tokens import Token as Secret
from sqlalchemy_dynamics.errors import ProgrammingError
from sqlalchemy_dynamics.planner.brackets import quoted_names
from sqlalchemy_dynamics.planner.parse import Dynamics
from sqlalchemy_dynamics.planner.plan import Marker

__all__ = ["Argument", "Call", "Literal", "call_of", "call_text"]

Literal = str | int | Decimal | bool | None

_COMMENTS = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_CALL = re.compile(rf"{_COMMENTS}(?:EXEC|EXECUTE|CALL)\b", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r"[^\W\d]\w*")
_GIVES = frozenset({"=", "=>", ":="})
_TEXTS = frozenset({TokenType.STRING, TokenType.NATIONAL_STRING})
_CONSTANTS: dict[TokenType, bool | None] = {TokenType.NULL: None, TokenType.TRUE: True, TokenType.FALSE: False}
_SHAPE = "EXEC name @input = value, … or CALL name(input => value, …)"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: by `name`, or by position when that is ``""``. Its value may be a secret, so the repr hides it."""

    name: str
    value: Literal | Marker = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A procedure and its arguments in text order. `markers` counts the ``?`` among them."""

    name: str
    arguments: tuple[Argument, ...] = ()
    markers: int = 0


def call_text(sql: str) -> str | None:
    """Return what follows EXEC, EXECUTE or CALL, masked in its repr; None for any other statement."""
    found = _CALL.match(sql)
    return None if found is None else Secret(sql[found.end() :])


def call_of(text: str) -> Call:
    """Read ``name [@]p = value, …`` or ``name(p => value, …)``.

    A value is a literal, ``?``, ``:name`` or ``@name``. Raises ProgrammingError, which never repeats the text.
    """
    try:
        tokens = list(Dynamics().tokenize(quoted_names(text)))
    except SqlglotError:
        raise ProgrammingError(f"cannot read the call: a quote is not closed; write {_SHAPE}") from None
    return _Reader(tokens).call()


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._markers = 0

    def call(self) -> Call:
        if self._mark(0) == "@" and self._mark(2) == "=":
            raise self._wrong("a procedure has no return value: fetch its rows")
        name = self._name()
        inside = self._take("(")
        arguments = self._arguments(")" if inside else "")
        if inside and not self._take(")"):
            raise self._wrong("a closing parenthesis is missing")
        self._take(";")
        if self._token() is not None:
            raise self._wrong(f"something follows argument {len(arguments)} that does not belong there")
        return Call(name, arguments, self._markers)

    def _token(self, ahead: int = 0) -> Token | None:
        position = self._position + ahead
        return self._tokens[position] if position < len(self._tokens) else None

    def _take(self, *texts: str) -> bool:
        """Step over the next token when it is one of these marks."""
        token = self._token()
        found = token is not None and token.token_type not in _TEXTS and token.text in texts
        self._position += found
        return found

    def _mark(self, ahead: int) -> str:
        token = self._token(ahead)
        return "" if token is None or token.token_type in _TEXTS else str(token.text)

    def _word(self, ahead: int = 0) -> str:
        token = self._token(ahead)
        if token is None or token.token_type in _TEXTS:
            return ""
        named = token.token_type == TokenType.IDENTIFIER or _WORD.fullmatch(token.text)
        return str(token.text) if named else ""

    def _name(self) -> str:
        parts = [self._word()]
        self._position += 1
        while self._take("."):
            parts.append(self._word())
            self._position += 1
        if not all(parts):
            raise self._wrong("the name of a procedure is missing")
        return parts[-1]

    def _arguments(self, end: str) -> tuple[Argument, ...]:
        found: list[Argument] = []
        while not self._at_end(end):
            if found and not self._take(","):
                break
            found.append(self._argument(len(found) + 1))
        return tuple(found)

    def _at_end(self, end: str) -> bool:
        token = self._token()
        return token is None or (token.token_type not in _TEXTS and token.text in (end, ";"))

    def _argument(self, number: int) -> Argument:
        skipped = int(self._mark(0) == "@")
        name, mark = self._word(skipped), self._token(skipped + 1)
        if not name or mark is None or mark.token_type in _TEXTS or mark.text not in _GIVES:
            return Argument("", self._input(number))
        self._position += skipped + 2
        return Argument(name, self._input(number))

    def _input(self, number: int) -> Literal | Marker:
        value = self._value(number)
        if self._mark(0).upper() in ("OUT", "OUTPUT"):
            raise self._wrong(f"argument {number} cannot be OUTPUT: what a procedure answers is fetched as rows")
        return value

    def _value(self, number: int) -> Literal | Marker:
        negative = self._take("-")
        token = self._token()
        self._position += 1
        if token is None:
            raise self._wrong(f"the value of argument {number} is missing")
        if token.token_type == TokenType.NUMBER:
            return _number(f"-{token.text}" if negative else token.text)
        if not negative and token.token_type in _TEXTS:
            return str(token.text)
        if not negative and token.token_type in _CONSTANTS:
            return _CONSTANTS[token.token_type]
        marker = None if negative else self._marker(token)
        if marker is None:
            raise self._wrong(f"argument {number} must be a literal or a parameter (?, :name)")
        return marker

    def _marker(self, token: Token) -> Marker | None:
        if token.token_type == TokenType.PLACEHOLDER:
            self._markers += 1
            return Marker(self._markers)
        name = self._word() if token.text in (":", "@", "$") else ""
        self._position += bool(name)
        return Marker(name) if name else None

    @staticmethod
    def _wrong(what: str) -> ProgrammingError:
        return ProgrammingError(f"cannot read the call: {what}; write {_SHAPE}")


def _number(text: str) -> int | Decimal:
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)
