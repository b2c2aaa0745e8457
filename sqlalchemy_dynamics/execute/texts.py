"""The rule of text equality in the residual engine: text_carried, text_stored, text_fold, text_list.

Carried texts compare, group, join and sort by the engine's collation as the rule says (planner/text_rule.py); functions
are given stored ones. Frequent texts are turned by SQL, the rest by Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy_dynamics.planner.text_rule import AGREED, END, REPLACED, SPELLED, carried, folded, stored

if TYPE_CHECKING:
    import pyarrow

__all__ = ["FUNCTIONS", "MACROS", "as_stored"]

_LETTERS = "".join(letter for letter in REPLACED if letter != " ")


def _replaced(sql: str, pairs: list[tuple[str, str]]) -> str:
    for old, new in pairs:
        sql = f"replace({sql}, '{old}', '{new}')"
    return sql


_BARE = _replaced("rtrim(x, ' ')", [(letter, mark) for letter, mark in REPLACED.items() if letter != " "])
_BLANKS = f"repeat('{REPLACED[' ']}', length(x) - length(rtrim(x, ' ')))"
_BACK = _replaced("x", [*((mark, letter) for letter, mark in REPLACED.items()), (END, "")])
_RARE = f"[^{AGREED}{_LETTERS}{''.join(REPLACED.values())}{END}]"

MACROS = (
    f"""CREATE MACRO text_carried(x VARCHAR) AS CASE
        WHEN strlen(x) = length(x) AND NOT suffix(x, ' ') THEN x
        WHEN suffix(x, '{SPELLED}') THEN x
        WHEN regexp_matches(x, '{_RARE}| \\p{{M}}[\\p{{M}} ]*$') THEN text_carried_by_rule(x)
        WHEN suffix(x, ' ') OR regexp_matches(x, '[{_LETTERS}]') THEN {_BARE} || {_BLANKS} || '{END}'
        ELSE x END, (x) AS x""",
    f"""CREATE MACRO text_stored(x VARCHAR) AS CASE
        WHEN strlen(x) = length(x) THEN x
        WHEN suffix(x, '{END}') THEN {_BACK}
        WHEN suffix(x, '{SPELLED}') THEN text_stored_by_rule(x)
        ELSE x END, (x) AS x""",
    f"""CREATE MACRO text_fold(x VARCHAR) AS CASE
        WHEN strlen(x) = length(x) THEN lower(x)
        WHEN regexp_matches(x, '{_RARE}') THEN text_fold_by_rule(x)
        ELSE replace(replace(lower(strip_accents(x)), 'ß', 'ss'), 'ς', 'σ') END, (x) AS x""",
    "CREATE MACRO text_list(x VARCHAR[]) AS list_transform(x, lambda each: text_carried(each)), (x) AS x",
)


def _each(turn: Callable[[str], str]) -> Callable[[Any], Any]:
    def turned(texts: Any) -> Any:
        import pyarrow

        return pyarrow.array([None if text is None else turn(text) for text in texts.to_pylist()], pyarrow.string())

    return turned


FUNCTIONS = {
    "text_carried_by_rule": _each(carried),
    "text_stored_by_rule": _each(stored),
    "text_fold_by_rule": _each(folded),
}
"""What the macros call: functions of an Arrow array of texts."""


def as_stored(batch: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
    """Return a record batch of the engine with its texts as they are stored."""
    import pyarrow

    for number, field in enumerate(batch.schema):
        if pyarrow.types.is_string(field.type) and _any_carried(batch.column(number)):
            batch = batch.set_column(number, field, FUNCTIONS["text_stored_by_rule"](batch.column(number)))
    return batch


def _any_carried(texts: Any) -> bool:
    from pyarrow import compute

    return any(compute.any(compute.ends_with(texts, end)).as_py() for end in (END, SPELLED))
