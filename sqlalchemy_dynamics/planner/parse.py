"""SQL text to a statement: DuckDB's grammar with brackets, backticks and TOP; parameters numbered in text order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError
from sqlglot.tokens import Token, TokenType

from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.planner.brackets import quoted_names
from sqlalchemy_dynamics.planner.merging import upsert_text
from sqlalchemy_dynamics.planner.spoken import friendly, keep_names, title
from sqlalchemy_dynamics.planner.tsql import rearranged, translated

__all__ = ["Dynamics", "Statement", "bare", "is_clock", "parameter_key", "parse", "render", "shown"]

_COMMANDS = ("CALL", "DECLARE", "EXEC", "EXECUTE", "EXPLAIN", "GRANT", "RELEASE", "REVOKE", "SAVEPOINT")
_NO_VARIABLES = "there are no variables: bind values with ? or :name, or write them into the statement"
_USE = "use SELECT, INSERT, UPDATE, DELETE, CALL or EXPLAIN"
_BEFORE_TOP = (TokenType.SELECT, TokenType.DISTINCT, TokenType.ALL)
_AFTER_TOP = (TokenType.NUMBER, TokenType.L_PAREN, TokenType.PLACEHOLDER, TokenType.COLON, TokenType.PARAMETER)
_VALUES = (
    *(TokenType.VAR, TokenType.IDENTIFIER, TokenType.NUMBER, TokenType.STRING),
    *(TokenType.PARAMETER, TokenType.PLACEHOLDER, TokenType.COLON),
)
_INTERNALS = re.compile(r"<class '[\w.]*?(\w+)'>|<Token [^>]*?text: (.*?), line[^>]*>")
_SCHEMAS = ("dbo", "main")
_CLOCK = "statement_moment"
_LONG_CHAIN = 16
_NOW = {
    **dict.fromkeys(
        ("GETDATE", "GETUTCDATE", "SYSUTCDATETIME", "SYSDATETIME", "NOW", "SYSDATETIMEOFFSET"), "TIMESTAMPTZ"
    ),
    **dict.fromkeys(("NOW", "GET_CURRENT_TIMESTAMP", "TRANSACTION_TIMESTAMP"), "TIMESTAMPTZ"),
    **dict.fromkeys(("CURRENT_LOCALTIMESTAMP", "LOCALTIMESTAMP"), "TIMESTAMP"),
    "TODAY": "DATE",
}
_LOCAL_CLOCK = (exp.Localtimestamp,) if hasattr(exp, "Localtimestamp") else ()  # since sqlglot 30
_CLOCK_NODES = (exp.CurrentTimestamp, exp.CurrentDate, exp.Anonymous, exp.Column, *_LOCAL_CLOCK)


class Dynamics(DuckDB):  # type: ignore[misc]  # sqlglot is not followed by mypy, see pyproject.toml
    """The SQL that people, SQLAlchemy and BI tools send. (Only Dialect and Tokenizer may be subclassed.)"""

    NULL_ORDERING = "nulls_are_small"

    class Tokenizer(DuckDB.Tokenizer):  # type: ignore[misc]
        IDENTIFIERS = ['"', "`"]
        KEYWORDS = {
            **DuckDB.Tokenizer.KEYWORDS,
            "TOP": TokenType.TOP,
            **dict.fromkeys(_COMMANDS, TokenType.COMMAND),
        }
        COMMANDS = DuckDB.Tokenizer.COMMANDS | {TokenType.COMMAND}


@dataclass(frozen=True)
class Statement:
    """One parsed statement. `kind` is select, explain, analyze, write or call; `tree` the (inner) statement.

    For a call, `command` is its text; `explained` is the kind of the statement inside an EXPLAIN. `markers` counts
    the ``?`` placeholders; `pinned` names the parameters whose values shape the plan: LIKE patterns, their escapes,
    prefixes, and tables that lookups may point to. `clock` is the key of the parameter that stands for
    CURRENT_TIMESTAMP, the moment the statement starts at: the requests and the residual must see the same one.
    """

    kind: str
    tree: exp.Expression | None
    markers: int = 0
    command: str = ""
    explained: str = ""
    pinned: tuple[int | str, ...] = ()
    clock: int | str | None = None

    @property
    def table_names(self) -> frozenset[str]:
        """The names in lower case that stand where tables do."""
        return frozenset() if self.tree is None else frozenset(t.name.lower() for t in self.tree.find_all(exp.Table))


def parse(sql: str, dialect: str = "dynamics") -> Statement:
    """Parse one statement. Raises ProgrammingError with line and column, NotSupportedError for other kinds.

    `dialect` is dynamics or tsql (the property SqlDialect).
    """
    sql, spoken = quoted_names(sql, lists=dialect != "tsql"), _SPOKEN[dialect]
    tokens, markers = _tokens(sql, spoken)
    word = tokens[0].text.upper() if tokens else ""
    if word in _COMMANDS:
        return _command(word, sql[tokens[0].end + 1 :].strip(), dialect)
    tree = _tree(tokens, sql)
    if isinstance(tree, exp.Merge):
        text = upsert_text(tree, render)
        tree = _tree(list(Dynamics().tokenize(text)), text)
    kind = "write" if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)) else "select"
    if kind == "select" and not isinstance(tree, (exp.Query, exp.Values)):
        raise NotSupportedError(f"{word} statements are not supported; {_USE}")
    _refuse_open_pivots(tree)
    _refuse_inner_writes(tree)
    _forget_schemas(tree)
    tree = friendly(spoken.tree(tree))
    _balance(tree)
    clock = _hold_clock(tree, markers + 1 if markers else _CLOCK)
    return Statement(kind, tree, markers, pinned=_pinned(tree), clock=clock)


@dataclass(frozen=True)
class _Spoken:
    """What a dialect changes in the tokens and in the tree."""

    tokens: Callable[[list[Token]], list[Token]]
    tree: Callable[[exp.Expression], exp.Expression]


_SPOKEN = {"dynamics": _Spoken(lambda tokens: tokens, lambda tree: tree), "tsql": _Spoken(rearranged, translated)}


def bare(node: exp.Expression) -> exp.Expression:
    """Look through parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def parameter_key(node: exp.Expression) -> int | str | None:
    """Return the position or name of a parameter marker, None for any other node."""
    if not isinstance(node, (exp.Parameter, exp.Placeholder)) or not node.name:
        return None
    return int(node.name) if node.name.isdigit() else str(node.name)


def render(tree: exp.Expression) -> str:
    """Return the SQL that DuckDB runs for a tree."""
    return str(tree.sql(dialect=Dynamics, unsupported_level=ErrorLevel.IGNORE))


def _tree(tokens: list[Token], sql: str) -> exp.Expression:
    if tokens and tokens[0].token_type in _VALUES:
        raise ProgrammingError(f"cannot read the statement: it begins with {_opening(tokens[0])}; {_USE}")
    try:
        trees = [tree for tree in Dynamics().parser().parse(tokens, sql) if tree is not None]
    except RecursionError:
        raise ProgrammingError("the statement is nested too deeply") from None
    except SqlglotError as error:
        raise ProgrammingError(_where(error)) from None
    if len(trees) != 1:
        raise ProgrammingError("send exactly one statement at a time" if trees else "the statement is empty")
    return trees[0]


def _tokens(sql: str, spoken: _Spoken) -> tuple[list[Token], int]:
    """Tokenize; make a column called top a name again, and number the ``?`` markers as ``$1``, ``$2``…"""
    try:
        tokens = spoken.tokens(Dynamics().tokenize(sql))
    except SqlglotError as error:
        raise ProgrammingError(_where(error)) from None
    out: list[Token] = []
    markers = 0
    for position, token in enumerate(tokens):
        if token.token_type == TokenType.TOP and not _is_top(tokens, position):
            token = _replaced(token, TokenType.VAR, token.text)
        elif token.token_type == TokenType.PLACEHOLDER:
            markers += 1
            out.append(_replaced(token, TokenType.PARAMETER, "$"))
            token = _replaced(token, TokenType.NUMBER, str(markers))
        elif token.token_type == TokenType.COLON and _follows_select(tokens, position):
            token = _replaced(token, TokenType.PARAMETER, "$")
        out.append(token)
    return out, markers


def _follows_select(tokens: list[Token], position: int) -> bool:
    """There sqlglot takes a colon for the end of an alias that stands first: ``SELECT one: 1``."""
    return position > 0 and tokens[position - 1].token_type == TokenType.SELECT


def _is_top(tokens: list[Token], position: int) -> bool:
    if position == 0 or position + 1 == len(tokens):
        return False
    return tokens[position - 1].token_type in _BEFORE_TOP and tokens[position + 1].token_type in _AFTER_TOP


def _replaced(token: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, token.line, token.col, token.start, token.end, token.comments)


def _refuse_inner_writes(tree: exp.Expression) -> None:
    if any(node is not tree for node in tree.find_all(exp.Insert, exp.Update, exp.Delete)):
        raise NotSupportedError("a statement within another cannot write: send it alone, and use what it returns")


def _refuse_open_pivots(tree: exp.Expression) -> None:
    for pivot in tree.find_all(exp.Pivot):
        if pivot.args.get("using") and not all(isinstance(on, exp.In) for on in pivot.expressions):
            raise NotSupportedError(
                "PIVOT: its columns would depend on the rows; list the values: ON statecode IN (0, 1) USING …"
            )


def _forget_schemas(tree: exp.Expression) -> None:
    """`dbo.account.name` is account.name: there is one schema."""
    for column in tree.find_all(exp.Column):
        if column.text("db").lower() in _SCHEMAS and not column.text("catalog"):
            column.set("db", None)


def _balance(tree: exp.Expression) -> None:
    """Keep long chains of AND and OR shallow: every walk up or down them costs their depth."""
    for node in list(tree.find_all(exp.And, exp.Or)):
        if type(node.parent) is not type(node):
            terms = list(node.flatten(unnest=False))
            if len(terms) > _LONG_CHAIN:
                node.replace(_halved(type(node), terms))


def _halved(kind: type[exp.Expression], terms: list[exp.Expression]) -> exp.Expression:
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return kind(this=_halved(kind, terms[:middle]), expression=_halved(kind, terms[middle:]))


def _opening(token: Token) -> str:
    return str(token.text) if token.token_type == TokenType.VAR else "a value"


def _where(error: SqlglotError) -> str:
    first = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    if not first:
        return "cannot read the statement: a quote or a comment is not closed"
    what = _INTERNALS.sub(lambda found: found[1] or found[2], str(first["description"]))
    return f"cannot read the statement at line {first['line']}, column {first['col']}: {what}"


def _command(word: str, text: str, dialect: str) -> Statement:
    if word == "EXPLAIN":
        return _explained(text, dialect)
    if word in ("EXEC", "EXECUTE", "CALL"):
        return Statement("call", None, 0, f"{word} {text}")
    raise NotSupportedError(f"{word} is not supported; {_NO_VARIABLES if word == 'DECLARE' else _USE}")


def _explained(text: str, dialect: str) -> Statement:
    first, _, rest = text.partition(" ")
    analyze = first.upper() == "ANALYZE"
    inner = parse(rest if analyze else text, dialect)
    if inner.kind in ("explain", "analyze"):
        raise ProgrammingError("EXPLAIN cannot explain an EXPLAIN")
    return replace(inner, kind="analyze" if analyze else "explain", explained=inner.kind)


def _pinned(tree: exp.Expression) -> tuple[int | str, ...]:
    patterns = [*tree.find_all(exp.Like, exp.ILike, exp.Escape, exp.StartsWith)]
    types = (node for node in tree.find_all(exp.EQ, exp.NEQ, exp.In) if _names_type(node))
    markers = (inner for node in (*patterns, *types) for inner in node.find_all(exp.Parameter, exp.Placeholder))
    keys = (parameter_key(marker) for marker in markers)
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def _names_type(node: exp.Expression) -> bool:
    """`ownertype = ?` may be about a lookup's table, which decides what is asked."""
    sides = (side for side in (node.this, node.args.get("expression")) if isinstance(side, exp.Column))
    return any(side.name.lower().endswith("type") for side in sides)


def is_clock(node: exp.Expression) -> bool:
    """Say whether a parameter marker stands for the moment the statement starts at."""
    return bool(node.meta.get("clock"))


def shown(node: exp.Expression) -> str:
    """Return a term as messages show it: with CURRENT_TIMESTAMP and ``?`` where they were written."""
    if node.find(exp.Parameter, exp.Placeholder) is None:
        return title(node)
    copy = exp.paren(node.copy())
    for cast in list(copy.find_all(exp.Cast)):
        if is_clock(cast.this):
            cast.replace(exp.CurrentTimestamp())
    for marker in list(copy.find_all(exp.Parameter, exp.Placeholder)):
        if isinstance(parameter_key(marker), int):
            marker.replace(exp.Placeholder())
    return title(copy.this)


def _hold_clock(tree: exp.Expression, key: int | str) -> int | str | None:
    """Put a parameter where the statement asks for the time; return its key, None when it does not ask."""
    keep_names(_clock_nodes(tree))
    nodes = _clock_nodes(tree)
    for node in nodes:
        node.replace(_clock(key, str(_clock_type(node))))
    return key if nodes else None


def _clock_nodes(tree: exp.Expression) -> list[exp.Expression]:
    return [node for node in tree.find_all(*_CLOCK_NODES) if _clock_type(node) is not None]


def _clock_type(node: exp.Expression) -> str | None:
    if isinstance(node, exp.CurrentTimestamp):
        return "TIMESTAMPTZ"
    if node.key == "localtimestamp":
        return "TIMESTAMP"
    if isinstance(node, exp.CurrentDate):
        return None if node.this else "DATE"
    if isinstance(node, exp.Column):  # sqlglot 28 reads the bare word as a name
        return "TIMESTAMP" if node.name.upper() == "LOCALTIMESTAMP" and not node.table else None
    return None if node.expressions else _NOW.get(node.name.upper())


def _clock(key: int | str, kind: str) -> exp.Expression:
    marker = exp.Parameter(this=exp.Literal.number(key)) if isinstance(key, int) else exp.Placeholder(this=key)
    marker.meta["clock"] = True
    moment = exp.cast(marker, "TIMESTAMPTZ")
    return moment if kind == "TIMESTAMPTZ" else exp.cast(moment, kind)
