"""SQL text to a statement: DuckDB's grammar with brackets, backticks and TOP; parameters numbered in text order."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokens import Token, TokenType

from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError

__all__ = ["Dynamics", "Statement", "parameter_key", "parse", "render"]

_COMMANDS = ("CALL", "DECLARE", "EXEC", "EXECUTE", "EXPLAIN", "GRANT", "RELEASE", "REVOKE", "SAVEPOINT")
_BEFORE_TOP = (TokenType.SELECT, TokenType.DISTINCT, TokenType.ALL)
_AFTER_TOP = (TokenType.NUMBER, TokenType.L_PAREN, TokenType.PLACEHOLDER, TokenType.COLON, TokenType.PARAMETER)
_NOW = ("GETDATE", "GETUTCDATE", "SYSUTCDATETIME", "SYSDATETIME")


class Dynamics(DuckDB):  # type: ignore[misc]  # sqlglot is not followed by mypy, see pyproject.toml
    """The SQL that people, SQLAlchemy and BI tools send. (Only Dialect and Tokenizer may be subclassed.)"""

    NULL_ORDERING = "nulls_are_small"

    class Tokenizer(DuckDB.Tokenizer):  # type: ignore[misc]
        IDENTIFIERS = ['"', "`", ("[", "]")]
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
    and prefixes.
    """

    kind: str
    tree: exp.Expression | None
    markers: int = 0
    command: str = ""
    explained: str = ""
    pinned: tuple[int | str, ...] = ()


def parse(sql: str) -> Statement:
    """Parse one statement. Raises ProgrammingError with line and column, NotSupportedError for other kinds."""
    tokens, markers = _tokens(sql)
    if tokens and tokens[0].text.upper() in _COMMANDS:
        return _command(tokens[0].text.upper(), sql[tokens[0].end + 1 :].strip())
    tree = _tree(tokens, sql)
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
        return Statement("write", tree, markers)
    if isinstance(tree, (exp.Query, exp.Values)):
        return Statement("select", _friendly(tree), markers, pinned=_pinned(tree))
    what = type(tree).__name__.upper()
    raise NotSupportedError(f"{what} statements are not supported; use SELECT, INSERT, UPDATE, DELETE, CALL or EXPLAIN")


def parameter_key(node: exp.Expression) -> int | str | None:
    """Return the position or name of a parameter marker, None for any other node."""
    if not isinstance(node, (exp.Parameter, exp.Placeholder)) or not node.name:
        return None
    return int(node.name) if node.name.isdigit() else str(node.name)


def render(tree: exp.Expression) -> str:
    """Return the SQL that DuckDB runs for a tree."""
    return str(tree.sql(dialect=Dynamics))


def _tree(tokens: list[Token], sql: str) -> exp.Expression:
    try:
        trees = [tree for tree in Dynamics().parser().parse(tokens, sql) if tree is not None]
    except RecursionError:
        raise ProgrammingError("the statement is nested too deeply") from None
    except SqlglotError as error:
        raise ProgrammingError(_where(error)) from None
    if len(trees) != 1:
        raise ProgrammingError("send exactly one statement at a time" if trees else "the statement is empty")
    return trees[0]


def _tokens(sql: str) -> tuple[list[Token], int]:
    """Tokenize; make a column called top a name again, and number the ``?`` markers as ``$1``, ``$2``…"""
    try:
        tokens = Dynamics().tokenize(sql)
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
        out.append(token)
    return out, markers


def _is_top(tokens: list[Token], position: int) -> bool:
    if position == 0 or position + 1 == len(tokens):
        return False
    return tokens[position - 1].token_type in _BEFORE_TOP and tokens[position + 1].token_type in _AFTER_TOP


def _replaced(token: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, token.line, token.col, token.start, token.end, token.comments)


def _where(error: SqlglotError) -> str:
    first = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    if not first:
        return f"cannot read the statement: {str(error).splitlines()[0]}"
    return f"cannot read the statement at line {first['line']}, column {first['col']}: {first['description']}"


def _command(word: str, text: str) -> Statement:
    if word == "EXPLAIN":
        return _explained(text)
    if word in ("EXEC", "EXECUTE", "CALL"):
        return Statement("call", None, 0, f"{word} {text}")
    raise NotSupportedError(f"{word} is not supported; use SELECT, INSERT, UPDATE, DELETE, CALL or EXPLAIN")


def _explained(text: str) -> Statement:
    first, _, rest = text.partition(" ")
    analyze = first.upper() == "ANALYZE"
    inner = parse(rest if analyze else text)
    if inner.kind in ("explain", "analyze"):
        raise ProgrammingError("EXPLAIN cannot explain an EXPLAIN")
    kind = "analyze" if analyze else "explain"
    return Statement(kind, inner.tree, inner.markers, inner.command, inner.kind, inner.pinned)


def _pinned(tree: exp.Expression) -> tuple[int | str, ...]:
    patterns = tree.find_all(exp.Like, exp.ILike, exp.Escape, exp.StartsWith)
    markers = (inner for node in patterns for inner in node.find_all(exp.Parameter, exp.Placeholder))
    keys = (parameter_key(marker) for marker in markers)
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def _friendly(tree: exp.Expression) -> exp.Expression:
    """Replace the function names people bring along by those the residual engine knows."""
    for node in reversed(list(tree.find_all(exp.Anonymous, exp.ToChar))):
        if isinstance(node, exp.ToChar):
            node.replace(exp.Anonymous(this="STRFTIME", expressions=[node.this, _strftime(node)]))
        elif node.name.upper() in _NOW and not node.expressions:
            node.replace(exp.CurrentTimestamp())
        elif node.name.upper() == "ISNULL" and len(node.expressions) == 2:
            node.replace(exp.Coalesce(this=node.expressions[0], expressions=node.expressions[1:]))
    return tree


_TO_CHAR = (
    ("YYYY", "%Y"), ("YY", "%y"), ("MONTH", "%B"), ("MON", "%b"), ("MM", "%m"), ("DDD", "%j"), ("DD", "%d"),
    ("HH24", "%H"), ("HH12", "%I"), ("HH", "%I"), ("MI", "%M"), ("SS", "%S"), ("DAY", "%A"), ("DY", "%a"),
)  # fmt: skip


def _strftime(node: exp.ToChar) -> exp.Expression:
    """Translate a literal TO_CHAR format; sqlglot's duckdb generator would drop it silently."""
    pattern = node.args.get("format")
    if not isinstance(pattern, exp.Literal):
        raise NotSupportedError("TO_CHAR needs a literal format")
    text, out = pattern.this, ""
    while text:
        for name, directive in _TO_CHAR:
            if text.upper().startswith(name):
                out, text = out + directive, text[len(name) :]
                break
        else:
            out, text = out + text[0], text[1:]
    return exp.Literal.string(out)
