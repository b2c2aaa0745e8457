"""The one table of column types: Edm name, how sqlite keeps a value, how SQL prints it as JSON, what it compares with.

Stored forms: Guid lower-case text; date-times ISO text to the second; Money and Decimal whole numbers, scaled as
`scale_of` says (exact; a Decimal that does not fit 64 bits falls back to a float, which 10**11 with up to seven places
never does); Boolean 0/1; binary base64 text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from sqlalchemy_dynamics.sandbox.failures import ODataError, payload_refusal
from sqlalchemy_dynamics.sandbox.schema import Column

__all__ = [
    "KINDS",
    "SCALES",
    "Kind",
    "collate",
    "decimal_scale",
    "fold",
    "guid_key",
    "iso",
    "json_of",
    "scale_of",
    "scaled",
    "sql_name",
    "store_value",
]

SCALES = {"Money": 4, "Decimal": 10}
"""Decimal places shown, by kind."""
_FEWEST_PLACES = 7
_GUID = re.compile(r"^\{?([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})\}?$")
_DATE_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?)?$", re.I)
_WORD_SORT = {ord(mark): None for mark in "-'’"}
_SYMBOLS = {ord(mark): chr(index + 1) for index, mark in enumerate("_:;<=>?@[\\]^`{|}~")}


def sql_name(name: str) -> str:
    """Quote a name for sqlite."""
    return '"' + name.replace('"', '""') + '"'


def fold(text: object) -> object:
    """Return what text equality compares: case-folded, accents stripped, trailing blanks dropped."""
    folded = like_fold(text)
    return folded.rstrip(" ") if isinstance(folded, str) else folded


def like_fold(text: object) -> object:
    """Return what LIKE compares: case-folded, accents stripped; trailing blanks count (section 10)."""
    if not isinstance(text, str):
        return text
    if text.isascii():
        return text.lower()
    bare = "".join(mark for mark in unicodedata.normalize("NFD", text) if not unicodedata.combining(mark))
    return unicodedata.normalize("NFD", bare.casefold())


def collate(text: object) -> object:
    """Return the key text is sorted by: `fold`, symbols before digits before letters, hyphen and apostrophe last."""
    folded = fold(text)
    if not isinstance(folded, str) or folded.isalnum():
        return folded
    primary = folded.translate(_WORD_SORT).translate(_SYMBOLS)
    return primary if len(primary) == len(folded) else f"{primary}\0{folded}"


def guid_key(text: object) -> object:
    """Return the bytes that sort like SQL Server's uniqueidentifier: 10-15, 8-9, 6-7, 4-5, 0-3 (section 10)."""
    if not isinstance(text, str) or len(text) != 36:
        return text
    a, b, c, d, e = text.split("-")
    return bytes.fromhex(e + d + c[2:] + c[:2] + b[2:] + b[:2] + a[6:] + a[4:6] + a[2:4] + a[:2])


def iso(moment: datetime) -> str:
    """Return the wire form of a moment: UTC, to the second (fractions are cut off)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)


def decimal_scale(precision: int) -> int:
    """Return the power of ten by which a Decimal column of that many places is stored."""
    return max(_FEWEST_PLACES, min(precision, SCALES["Decimal"]))


def scale_of(column: Column) -> int:
    """Return the power of ten by which the values of a column are stored; 0 for other kinds than Money and Decimal."""
    return decimal_scale(column.precision) if column.kind == "Decimal" else SCALES.get(column.kind, 0)


def json_of(column: Column, sql: str) -> str:
    """Return SQL that prints a stored value of the column as JSON."""
    return _DECIMAL_JSON[scale_of(column)](sql) if column.kind == "Decimal" else KINDS[column.kind].json(sql)


def scaled(value: Decimal | int, scale: int) -> int | float:
    """Return value x 10**scale, whole when it is, as sqlite stores and compares it."""
    product = Decimal(value).scaleb(scale)
    whole = int(product)
    return whole if whole == product and abs(whole) < 2**63 else float(product)


def _number_json(scale: int, places: int) -> Callable[[str], str]:
    def json(sql: str) -> str:
        power, zeros = 10**scale, "0" * (places - scale)
        padding = f"||'{zeros}'" if zeros else ""
        whole = f"iif({sql}<0,'-','')||(abs({sql})/{power})||'.'||substr({power}+abs({sql})%{power},2){padding}"
        real = f"printf('%.{places}f',{sql}/{power}e0)"
        return f"CASE typeof({sql}) WHEN 'integer' THEN {whole} WHEN 'real' THEN {real} ELSE 'null' END"

    return json


def _raw_json(sql: str) -> str:
    return f"ifnull({sql},'null')"


def _quoted_json(sql: str) -> str:
    return f"ifnull('\"'||{sql}||'\"','null')"


def _text_json(sql: str) -> str:
    return f"json_quote({sql})"


def _boolean_json(sql: str) -> str:
    return f"CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END"


def _bad(column: Column, value: object, expected: str) -> ODataError:
    return payload_refusal(
        f"Cannot convert the literal '{value}' to the expected type '{expected}' of property '{column.property}'."
    )


def _store_text(column: Column, value: object) -> object:
    if not isinstance(value, str):
        raise _bad(column, value, "Edm.String")
    return value


def _store_int(column: Column, value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise _bad(column, value, KINDS[column.kind].edm)
    return value


def _store_number(column: Column, value: object) -> object:
    scale = scale_of(column)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise _bad(column, value, "Edm.Decimal")
    try:
        places = min(scale, column.precision) if column.kind == "Decimal" else scale
        return scaled(round(Decimal(str(value)), places), scale)
    except (InvalidOperation, OverflowError, ValueError):
        raise _bad(column, value, "Edm.Decimal") from None


def _store_double(column: Column, value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _bad(column, value, "Edm.Double")
    try:
        return round(float(value), column.precision if column.precision else 0)
    except ValueError:
        raise _bad(column, value, "Edm.Double") from None


def _store_boolean(column: Column, value: object) -> object:
    if not isinstance(value, bool):
        raise _bad(column, value, "Edm.Boolean")
    return int(value)


def _store_guid(column: Column, value: object) -> object:
    match = _GUID.match(value) if isinstance(value, str) else None
    if match is None:
        raise _bad(column, value, "Edm.Guid")
    return match[1].lower()


def _invalid_date() -> ODataError:
    return ODataError(400, "0x80040239", "The date-time format is invalid, or value is outside the supported range.")


def parse_date_time(text: str) -> datetime | None:
    """Return the moment of an ISO text; one without offset is UTC (section 10); None when it is none."""
    match = _DATE_TIME.match(text.strip())
    if match is None:
        return None
    day, hour, minute, second, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{hour or '00'}:{minute or '00'}:{second or '00'}+00:00")
        if offset and offset.upper() != "Z":
            hours, minutes = int(offset[1:3]), int(offset[-2:])
            moment -= timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)
    except (ValueError, OverflowError):
        return None
    return moment


def _store_date_time(column: Column, value: object) -> object:
    moment = parse_date_time(value) if isinstance(value, str) else None
    if moment is None:
        raise _invalid_date() if isinstance(value, str) else _bad(column, value, "Edm.DateTimeOffset")
    if moment.year < 1753 or moment > datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC):
        raise _invalid_date()
    if column.behaviour == "DateOnly":
        return moment.date().isoformat()
    return iso(moment)


def _store_multi(column: Column, value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\s*-?\d+\s*(,\s*-?\d+\s*)*", value):
        raise _bad(column, value, "Edm.String")
    return ",".join(str(number) for number in sorted({int(part) for part in value.split(",")}))


@dataclass(frozen=True)
class Kind:
    """One column type. `compares` names the literal types a filter may compare it with."""

    attribute_type: str
    edm: str
    affinity: str
    json: Callable[[str], str]
    store: Callable[[Column, object], object]
    compares: frozenset[str]
    order: Callable[[str], str] = lambda sql: sql
    equal: Callable[[str], str] = lambda sql: sql


def _kind(
    attribute_type: str,
    edm: str,
    affinity: str,
    json: Callable[[str], str],
    store: Callable[[Column, object], object],
    compares: str,
    order: str = "{}",
    equal: str = "{}",
) -> Kind:
    return Kind(attribute_type, edm, affinity, json, store, frozenset(compares.split()), order.format, equal.format)


_NUMBERS = "int decimal double"
_FOLDED = {"order": "sortkey({})", "equal": "fold({})"}

KINDS: dict[str, Kind] = {
    "String": _kind("String", "Edm.String", "TEXT", _text_json, _store_text, "string guid", **_FOLDED),
    "Memo": _kind("Memo", "Edm.String", "TEXT", _text_json, _store_text, "string", **_FOLDED),
    "EntityName": _kind("EntityName", "Edm.String", "TEXT", _text_json, _store_text, "string", **_FOLDED),
    "Integer": _kind("Integer", "Edm.Int32", "INTEGER", _raw_json, _store_int, _NUMBERS),
    "BigInt": _kind("BigInt", "Edm.Int64", "INTEGER", _raw_json, _store_int, _NUMBERS),
    "Decimal": _kind("Decimal", "Edm.Decimal", "", _number_json(10, 10), _store_number, _NUMBERS),
    "Money": _kind("Money", "Edm.Decimal", "", _number_json(4, 4), _store_number, _NUMBERS),
    "Double": _kind("Double", "Edm.Double", "REAL", _raw_json, _store_double, _NUMBERS),
    "Boolean": _kind("Boolean", "Edm.Boolean", "INTEGER", _boolean_json, _store_boolean, "bool"),
    "DateTime": _kind("DateTime", "Edm.DateTimeOffset", "TEXT", _quoted_json, _store_date_time, "datetime date"),
    "Picklist": _kind("Picklist", "Edm.Int32", "INTEGER", _raw_json, _store_int, _NUMBERS),
    "State": _kind("State", "Edm.Int32", "INTEGER", _raw_json, _store_int, _NUMBERS),
    "Status": _kind("Status", "Edm.Int32", "INTEGER", _raw_json, _store_int, _NUMBERS),
    "MultiSelectPicklist": _kind("Virtual", "Edm.String", "TEXT", _quoted_json, _store_multi, "string"),
    "Lookup": _kind("Lookup", "Edm.Guid", "TEXT", _quoted_json, _store_guid, "guid string", order="guidkey({})"),
    "Customer": _kind("Customer", "Edm.Guid", "TEXT", _quoted_json, _store_guid, "guid string", order="guidkey({})"),
    "Owner": _kind("Owner", "Edm.Guid", "TEXT", _quoted_json, _store_guid, "guid string", order="guidkey({})"),
    "Uniqueidentifier": _kind(
        "Uniqueidentifier", "Edm.Guid", "TEXT", _quoted_json, _store_guid, "guid string", order="guidkey({})"
    ),
    "Image": _kind("Virtual", "Edm.Binary", "TEXT", _quoted_json, _store_text, ""),
    "File": _kind("Virtual", "Edm.Guid", "TEXT", _quoted_json, _store_guid, "guid"),
    "ManagedProperty": _kind(
        "ManagedProperty", "mscrm.BooleanManagedProperty", "TEXT", lambda sql: f"ifnull({sql},'null')", _store_text, ""
    ),
}


_DECIMAL_JSON = {
    scale: _number_json(scale, SCALES["Decimal"]) for scale in range(_FEWEST_PLACES, SCALES["Decimal"] + 1)
}


def edm_type(column: Column) -> str:
    """Return the Edm type of a column; DateOnly behaviour is Edm.Date (section 2.3)."""
    if column.kind == "DateTime" and column.behaviour == "DateOnly":
        return "Edm.Date"
    return str(column.extra.get("edm", KINDS[column.kind].edm))


def store_value(column: Column, value: object, empty_is_null: bool = True) -> object:
    """Return the stored form of a JSON value; raises ODataError 400 when the type is wrong. Ranges are not checked."""
    if value is None or (empty_is_null and value == "" and column.kind in ("String", "Memo")):
        return None
    return KINDS[column.kind].store(column, value)


def now() -> datetime:
    """Return the moment, in UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=256)
def _like_pattern(pattern: str) -> re.Pattern[str]:
    parts, position = [], 0
    while position < len(pattern):
        char, close = pattern[position], pattern.find("]", position + 2)
        if char == "[" and close > 0:
            inside = pattern[position + 1 : close]
            negation = "^" if inside.startswith("^") else ""
            body = "".join(m if m == "-" else re.escape(m) for m in inside.removeprefix("^"))
            parts.append(f"[{negation}{body}]")
            position = close
        else:
            parts.append({"%": ".*", "_": "."}.get(char, re.escape(char)))
        position += 1
    return re.compile("".join(parts), re.DOTALL)


def t_like(text: object, pattern: object) -> object:
    """Return whether SQL Server's LIKE with bracket wildcards matches, None for null."""
    if not isinstance(text, str) or not isinstance(pattern, str):
        return None
    return int(_like_pattern(str(like_fold(pattern))).fullmatch(str(like_fold(text))) is not None)
