"""T-SQL's spelling (SqlDialect=tsql), put into the driver's own SQL around its parser; meanings stay the driver's.

sqlglot's own T-SQL reader cannot be used for whole statements, so CONVERT, variables and query hints are put right in
the tokens, everything else in the tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp
from sqlglot.tokens import Token, TokenType

from sqlalchemy_dynamics.errors import NotSupportedError, ProgrammingError
from sqlalchemy_dynamics.planner.spoken import moment, replace_all
from sqlalchemy_dynamics.planner.tsql_functions import READERS, STYLES, iso_day, read_in_style, with_ties
from sqlalchemy_dynamics.planner.tsql_types import DAY, SUM

__all__ = ["rearranged", "translated"]

_CONVERTS = {"CONVERT": "CAST", "TRY_CONVERT": "TRY_CAST"}
_TYPES = {
    "MONEY": "DECIMAL(19, 4)",
    "SMALLMONEY": "DECIMAL(10, 4)",
    "DATETIME2": "TIMESTAMP",
    "SMALLDATETIME": "TIMESTAMP",
    "DATETIMEOFFSET": "TIMESTAMPTZ",
    "UNIQUEIDENTIFIER": "UUID",
    "BIT": "BOOLEAN",
    "FLOAT": "DOUBLE",
    "TINYINT": "UTINYINT",
    "NTEXT": "TEXT",
}
_SIZED = ("VARCHAR", "CHAR", "NCHAR")  # whose length the parser would drop
_TEXT_TYPES = frozenset({"VARCHAR", "NVARCHAR", "CHAR", "NCHAR", "TEXT"})
_DATE_TYPES = frozenset({"DATE", "DATETIME", "DATETIME2", "SMALLDATETIME", "DATETIMEOFFSET"})
_DATED = frozenset({"DATEADD", "DATEPART", "DATENAME", "EOMONTH", "DATEDIFF_BIG"})
_LETTERS = ("CHAR", "NCHAR")
_TYPED = (TokenType.ALIAS, TokenType.DCOLON)
_HEXADECIMAL = re.compile(r"x[0-9a-f]*", re.IGNORECASE)
_TESTS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)
_TEXTS = (
    exp.Concat,
    exp.DPipe,
    exp.Upper,
    exp.Lower,
    exp.Trim,
    exp.Substring,
    exp.Left,
    exp.Right,
    exp.National,
    exp.Chr,
)
_FORMATS = re.compile(r"yyyy|yy|MMMM|MMM|MM|M|dddd|ddd|dd|d|HH|hh|mm|ss|tt")
_FORMAT = {
    "yyyy": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%-m", "dddd": "%A", "ddd": "%a",
    "dd": "%d", "d": "%-d", "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "tt": "%p",
}  # fmt: skip


def rearranged(tokens: list[Token]) -> list[Token]:
    """Return the tokens with CONVERT(type, x) as CAST(x AS type) and @name as :name.

    Raises NotSupportedError for OPTION (…) and styles that are not known, ProgrammingError for an open bracket.
    """
    out: list[Token] = []
    position = 0
    while position < len(tokens):
        token, following = tokens[position], tokens[position + 1 : position + 2]
        called = bool(following) and following[0].token_type == TokenType.L_PAREN
        word = token.text.upper() if token.token_type == TokenType.VAR else ""
        if called and word in _CONVERTS:
            end = _closing(tokens, position + 1)
            out += _cast(token, _split(tokens[position + 2 : end]), tokens[end])
            position = end
        elif called and word == "OPTION":
            raise NotSupportedError("query hints, OPTION (…), mean nothing here: leave them out")
        elif token.token_type == TokenType.PARAMETER and token.text == "@":
            out.append(_made(token, TokenType.COLON, ":"))
        elif called and out and out[-1].token_type not in _TYPED and token.text.upper() in _LETTERS:
            out.append(_letter(token, tokens[position + 2 : position + 4]))
        elif token.text == "0" and following and _HEXADECIMAL.fullmatch(following[0].text) and _touch(token, following):
            raise NotSupportedError("binary constants, 0x…, are not supported: bind a parameter")
        elif called and token.text.upper() in _SIZED:
            out.append(_made(token, TokenType.NVARCHAR, "NVARCHAR"))
        else:
            out.append(token)
        position += 1
    return out


def _touch(token: Token, following: list[Token]) -> bool:
    return bool(token.end + 1 == following[0].start)


def _letter(word: Token, inside: list[Token]) -> Token:
    """CHAR(65) is a letter of the code page, which is known for ASCII only; NCHAR(8364) is one of Unicode."""
    number = inside[0].text if len(inside) == 2 and inside[1].token_type == TokenType.R_PAREN else ""
    if word.text.upper() == "CHAR" and not (number.isdigit() and int(number) < 128):
        raise NotSupportedError("CHAR(n) knows the letters 0 to 127, written as a number: use NCHAR(n)")
    return _made(word, TokenType.VAR, "CHR")


def _closing(tokens: list[Token], start: int) -> int:
    depth = 0
    for position in range(start, len(tokens)):
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(tokens[position].token_type, 0)
        if depth == 0:
            return position
    raise ProgrammingError("CONVERT has no closing bracket")


def _split(tokens: list[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth == 0 and token.token_type == TokenType.COMMA:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _cast(word: Token, parts: list[list[Token]], end: Token) -> Iterator[Token]:
    if len(parts) not in (2, 3):
        raise ProgrammingError("CONVERT takes a type, a value and perhaps a style")
    kind, value = parts[0], rearranged(parts[1])
    if len(parts) == 3:
        value = list(_styled(word, kind, value, parts[2]))
    yield _made(word, TokenType.VAR, _CONVERTS[word.text.upper()])
    yield _made(word, TokenType.L_PAREN, "(")
    yield from value
    yield _made(word, TokenType.ALIAS, "AS")
    yield from rearranged(kind)
    yield end


def _styled(word: Token, kind: list[Token], value: list[Token], style: list[Token]) -> Iterator[Token]:
    """A style says how a date is written as text, or read."""
    name = "".join(token.text for token in style)
    pattern, wanted = STYLES.get(name), kind[0].text.upper()
    if pattern is None or wanted not in _TEXT_TYPES | _DATE_TYPES:
        raise NotSupportedError(f"CONVERT knows the styles {', '.join(STYLES)}, for dates as text and texts as dates")
    if wanted in _DATE_TYPES:
        if len(value) != 1 or value[0].token_type not in (TokenType.STRING, TokenType.NATIONAL_STRING):
            raise NotSupportedError(
                f"CONVERT reads a constant text in a style; write CAST(x AS {wanted}) for a date, "
                f"CAST(strptime(x, '{pattern}') AS {wanted}) for a text"
            )
        yield _made(word, TokenType.STRING, read_in_style(value[0].text, name))
        return
    yield _made(word, TokenType.VAR, "STRFTIME")
    yield _made(word, TokenType.L_PAREN, "(")
    yield from value
    yield _made(word, TokenType.COMMA, ",")
    yield _made(word, TokenType.STRING, pattern)
    yield _made(word, TokenType.R_PAREN, ")")


def _made(place: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, place.line, place.col, place.start, place.end)


def translated(tree: exp.Expression) -> exp.Expression:
    """Return the tree with T-SQL's types, concatenation, LEN, FORMAT, LIKE and column aliases put into our SQL."""
    for select in tree.find_all(exp.Select):
        with_ties(select)
        for item in list(select.expressions):
            if isinstance(item, exp.EQ) and isinstance(item.this, exp.Column) and not item.this.table:
                item.replace(exp.alias_(item.expression.copy(), item.this.this.copy()))
    for escaped in tree.find_all(exp.Escape):
        escaped.this.meta["escaped"] = True
    for text in list(tree.find_all(exp.Literal)):
        if text.is_string and _is_dated(text.parent) and (day := iso_day(text.this)):
            text.replace(exp.Literal.string(day))
    replace_all(tree, _READERS)
    for test in tree.find_all(*_TESTS):
        for text in test.find_all(exp.Literal):
            if text.parent is test and text.is_string and iso_day(text.this):
                text.meta[DAY] = True
    for total in tree.find_all(exp.Add):
        total.meta[SUM] = True
    return tree


def _is_dated(node: exp.Expression | None) -> bool:
    named = isinstance(node, exp.Anonymous) and node.name.upper() in _DATED
    return named or isinstance(node, exp.DateDiff)


def _type(node: exp.Expression) -> exp.Expression | None:
    """Types by T-SQL's names; text with a length is cut to it, and a day may be written without dashes."""
    kind = node.args["to"]
    name = str(kind.args.get("kind") or kind.this.name).upper()
    day = iso_day(node.this.this) if isinstance(node.this, exp.Literal) and name.startswith(("DATE", "TIME")) else None
    if day is not None:
        node.this.replace(exp.Literal.string(day))
    if name in _TYPES:
        return type(node)(this=node.this, to=exp.DataType.build(_TYPES[name], dialect="duckdb"))
    length = kind.expressions[0].this if name in _TEXT_TYPES and kind.expressions else None
    if length is None:
        return None
    text = type(node)(this=node.this, to=exp.DataType.build("TEXT", dialect="duckdb"))
    return exp.Left(this=text, expression=length.copy()) if isinstance(length, exp.Literal) else text


def _sum(node: exp.Expression) -> exp.Expression | None:
    """`+` joins texts where one side surely is one; a number added to a moment are days."""
    one, two = node.this, node.expression
    if isinstance(node, exp.Add) and (_is_text(one) or _is_text(two)) and not (_is_number(one) or _is_number(two)):
        return exp.DPipe(this=one, expression=two)
    if _is_moment(one) and _is_number(two):
        days = exp.Interval(this=exp.paren(two), unit=exp.var("DAY"))
        return type(node)(this=one, expression=days)
    return None


def _is_text(node: exp.Expression) -> bool:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Add):
        return _is_text(node.this) or _is_text(node.expression)
    if isinstance(node, exp.Cast):
        return node.to.this.name in _TEXT_TYPES
    return isinstance(node, _TEXTS) or (isinstance(node, exp.Literal) and node.is_string)


def _is_number(node: exp.Expression) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string


def _is_moment(node: exp.Expression) -> bool:
    while isinstance(node, (exp.Paren, exp.Add, exp.Sub)):
        node = node.this
    if isinstance(node, exp.Cast):
        return node.to.this.name in ("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPNTZ")
    clock = isinstance(node, exp.Anonymous) and node.name.upper().startswith(("GETDATE", "GETUTCDATE", "SYS"))
    return clock or isinstance(node, exp.CurrentTimestamp)


def _weeks(node: exp.Expression) -> exp.Expression | None:
    """Weeks begin on Sunday in T-SQL, on Monday here."""
    unit = node.args.get("unit")
    if unit is None or unit.name.lower() not in ("week", "wk", "ww"):
        return None
    end, start = (_week_of(side) for side in (node.this, node.expression))
    days = exp.DateDiff(this=end, expression=start, unit=exp.var("DAY"))
    return exp.paren(exp.IntDiv(this=days, expression=exp.Literal.number(7)))


def _week_of(date: exp.Expression) -> exp.Expression:
    """Return the Monday of the day after: equal for all days of a week that begins on Sunday."""
    day = exp.Interval(this=exp.Literal.string("1"), unit=exp.var("DAY"))
    return exp.TimestampTrunc(this=exp.Add(this=moment(date), expression=day), unit=exp.var("WEEK"))


def _length(node: exp.Expression) -> exp.Expression | None:
    """LEN does not count trailing blanks."""
    if isinstance(node.this, exp.Anonymous) and node.this.name == "RTRIM":
        return None
    return exp.Length(this=exp.Anonymous(this="RTRIM", expressions=[node.this, exp.Literal.string(" ")]))


def _format(node: exp.Expression) -> exp.Expression | None:
    pattern = node.expressions[0] if len(node.expressions) == 1 else None
    if not isinstance(pattern, exp.Literal) or not _FORMATS.search(pattern.this):
        raise NotSupportedError(
            "FORMAT writes dates by patterns such as 'yyyy-MM-dd' only; round numbers with CAST(x AS DECIMAL(20, 2))"
        )
    text = _FORMATS.sub(lambda match: _FORMAT[match[0]], pattern.this.replace("%", "%%"))
    return exp.Anonymous(this="STRFTIME", expressions=[moment(node.this), exp.Literal.string(text)])


def _like(node: exp.Expression) -> exp.Expression | None:
    return None if node.meta.get("escaped") else _unbracketed(node, "")


def _escaped_like(node: exp.Expression) -> exp.Expression | None:
    letter = node.expression
    known = isinstance(node.this, (exp.Like, exp.ILike)) and isinstance(letter, exp.Literal) and len(letter.this) == 1
    return _unbracketed(node.this, letter.this) if known else None


def _unbracketed(node: exp.Expression, escape: str) -> exp.Expression | None:
    """`[_]` matches an underscore, with ESCAPE too; real sets of letters have no counterpart."""
    pattern = node.expression
    if not isinstance(pattern, exp.Literal) or "[" not in pattern.this:
        return None
    plain = "".join(_plain(pattern.this, escape))
    like = type(node)(this=node.this, expression=exp.Literal.string(plain), **_negation(node))
    return exp.Escape(this=like, expression=exp.Literal.string("~"))


def _plain(pattern: str, escape: str) -> Iterator[str]:
    """Yield a pattern's letters, literal ones behind a tilde where they need it."""
    letters = iter(range(len(pattern)))
    for position in letters:
        letter, behind = pattern[position], pattern[position + 1 : position + 2]
        if letter == escape and behind:
            next(letters)
            yield _literal(behind)
        elif letter == "[" and pattern[position + 2 : position + 3] == "]":
            next(letters)
            next(letters)
            yield _literal(behind)
        elif letter == "[":
            raise NotSupportedError("LIKE knows %, _ and single letters in brackets, not sets such as [a-c]")
        else:
            yield "~~" if letter == "~" else letter


def _literal(letter: str) -> str:
    return f"~{letter}" if letter in "%_~" else letter


def _apply(node: exp.Expression) -> exp.Expression | None:
    """CROSS APPLY is CROSS JOIN LATERAL, OUTER APPLY LEFT JOIN LATERAL … ON TRUE."""
    lateral = node.this
    crossing = lateral.args.get("cross_apply") if isinstance(lateral, exp.Lateral) else None
    if crossing is None:
        return None
    lateral.set("cross_apply", None)
    return exp.Join(this=lateral, kind="CROSS") if crossing else exp.Join(this=lateral, side="LEFT", on=exp.true())


def _negation(node: exp.Expression) -> dict[str, bool]:
    return {"negate": True} if node.args.get("negate") else {}


_READERS = {
    exp.Cast: _type,
    exp.TryCast: _type,
    exp.Add: _sum,
    exp.Sub: _sum,
    exp.DateDiff: _weeks,
    exp.Length: _length,
    exp.Format: _format,
    exp.Like: _like,
    exp.Escape: _escaped_like,
    exp.Join: _apply,
    **READERS,
}
