"""The rule of text equality in the residual engine: text_carried, text_stored, text_fold, text_list.

Carried texts compare, group, join and sort by the engine's collation as the rule says (planner/text_rule.py); functions
are given stored ones. SQL finds the few texts that differ, Python turns them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy_dynamics.planner.text_rule import ACCENTS, AGREED, END, carried, folded, stored

if TYPE_CHECKING:
    import pyarrow

__all__ = ["FUNCTIONS", "MACROS", "as_carried", "as_stored"]

Rows = TypeVar("Rows", "pyarrow.Table", "pyarrow.RecordBatch")

_SPECIAL = f"[^{AGREED}]| [ {ACCENTS}]*$"

_TEXT = "x::VARCHAR"


def _macro(name: str, *turns: tuple[str, str]) -> str:
    """A macro that turns texts, by (when, what), and gives everything else back as it came, and of its type.

    One for all types: the engine picks among macros of one name before it knows what aggregates and queries return.
    """
    cases = (f"WHEN {when} THEN {'x' if what == 'x' else f'cast_to_type([{what}], [x])[1]'}" for when, what in turns)
    return f"CREATE MACRO {name}(x) AS CASE WHEN typeof(x) <> 'VARCHAR' THEN x {' '.join(cases)} ELSE x END"


_IS_ASCII = f"strlen({_TEXT}) = length({_TEXT})"
MACROS = (
    _macro(
        "text_carried",
        (f"{_IS_ASCII} AND NOT suffix({_TEXT}, ' ')", "x"),
        (f"regexp_matches({_TEXT}, '{_SPECIAL}')", f"text_carried_by_rule({_TEXT})"),
    ),
    _macro("text_stored", (f"suffix({_TEXT}, '{END}')", f"text_stored_by_rule({_TEXT})")),
    _macro(
        "text_fold",
        (_IS_ASCII, f"lower({_TEXT})"),
        (f"regexp_matches({_TEXT}, '[^{AGREED}]')", f"text_fold_by_rule({_TEXT})"),
        ("true", f"lower(strip_accents({_TEXT}))"),
    ),
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


def as_carried(rows: Rows) -> Rows:
    """Return fetched rows, a table or a record batch, as the engine is given them: texts carried."""
    import pyarrow

    for number, field in enumerate(rows.schema):
        if pyarrow.types.is_string(field.type) and _any_special(rows.column(number)):
            rows = rows.set_column(number, field, _all_carried(rows.column(number)))
    return rows


def _any_special(texts: Any) -> bool:
    from pyarrow import compute

    suspects = compute.or_(compute.ends_with(texts, " "), compute.invert(compute.string_is_ascii(texts)))
    return bool(compute.any(suspects).as_py())


def _all_carried(texts: Any) -> Any:
    import pyarrow
    from pyarrow import compute

    if isinstance(texts, pyarrow.ChunkedArray):
        return pyarrow.chunked_array(list(map(_all_carried, texts.chunks)), texts.type)
    special = compute.fill_null(compute.match_substring_regex(texts, _SPECIAL), False)
    turned = [carried(text) for text in texts.filter(special).to_pylist()]
    return compute.replace_with_mask(texts, special, pyarrow.array(turned, pyarrow.string()))


def as_stored(batch: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
    """Return a record batch of the engine with its texts as they are stored, those in lists and rows too."""
    import pyarrow

    for number, field in enumerate(batch.schema):
        values = batch.column(number)
        if pyarrow.types.is_nested(field.type):
            batch = batch.set_column(number, field, pyarrow.array(_within(values.to_pylist()), field.type))
        elif pyarrow.types.is_string(field.type) and _any_carried(values):
            batch = batch.set_column(number, field, FUNCTIONS["text_stored_by_rule"](values))
    return batch


def _any_carried(texts: Any) -> bool:
    from pyarrow import compute

    return bool(compute.any(compute.ends_with(texts, END)).as_py())


def _within(value: Any) -> Any:
    if isinstance(value, str):
        return stored(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(_within, value))
    return {name: _within(each) for name, each in value.items()} if isinstance(value, dict) else value
