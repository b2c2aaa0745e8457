"""Conditions on companion columns: a choice's label as its values, a lookup's name and type along its navigations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy_dynamics.edm import VARCHAR
from sqlalchemy_dynamics.metadata.model import Column, Companion, Kind, Table
from sqlalchemy_dynamics.odata.filters import Among, Compare, Either, Filter, Match, Null, Parameter, Path, Value
from sqlalchemy_dynamics.planner.leaves import membership
from sqlalchemy_dynamics.planner.names import Lookup
from sqlalchemy_dynamics.planner.patterns import pattern_matches, searches
from sqlalchemy_dynamics.planner.text_rule import fold
from sqlalchemy_dynamics.planner.text_rule import key as _key

__all__ = [
    "Labels",
    "TextTest",
    "among_texts",
    "companion_filter",
    "companion_null",
    "like_text",
    "starting_with",
]

_MOST_TARGETS = 4
_OWNERS = ("owninguser", "owningteam")
Text = str | Parameter


@dataclass(frozen=True)
class Labels:
    """The key of a parameter that holds the values whose label is the text in parameter `key`."""

    key: int | str
    options: tuple[tuple[object, str], ...]

    def at(self, values: Mapping[int | str, object]) -> tuple[object, ...] | None:
        """Return the values, None when the parameter is NULL."""
        text = values[self.key]
        return None if text is None else tuple(value for value, label in self.options if _key(label) == _key(str(text)))

    def __str__(self) -> str:
        return f"values of ${self.key}"


@dataclass(frozen=True)
class TextTest:
    """A test of a text: `leaf` says it of a text column (filter, exact), `holds` decides it for one text.

    `holds` and `leaf` are None where the test cannot be said that way; `parameters` are texts known at run time only.
    """

    leaf: Callable[[Path], tuple[Filter, bool] | None]
    holds: Callable[[str], bool] | None
    negated: bool = False
    parameters: tuple[Parameter, ...] = ()


def among_texts(texts: Sequence[Text], negated: bool) -> TextTest:
    """Return "is one of the texts"."""
    known = {_key(text) for text in texts if isinstance(text, str)}
    operands = [Value(text, "Edm.String") if isinstance(text, str) else text for text in texts]

    def leaf(path: Path) -> tuple[Filter, bool]:
        if len(operands) > 1:
            return Among(path, tuple(operands), negated), True
        return Compare(path, "ne" if negated else "eq", operands[0]), True

    parameters = tuple(text for text in texts if isinstance(text, Parameter))
    return TextTest(leaf, lambda text: _key(text) in known, negated, parameters)


def like_text(pattern: str, escape: str, negated: bool) -> TextTest:
    """Return "matches the LIKE pattern"."""
    matches = pattern_matches(fold(pattern), fold(escape))
    return TextTest(lambda path: searches(path, pattern, escape, negated), lambda text: matches(fold(text)), negated)


def starting_with(prefix: str, negated: bool) -> TextTest:
    """Return "begins with the text"."""
    return TextTest(
        lambda path: (Match(path, "startswith", Value(prefix, "Edm.String"), negated), True),
        lambda text: fold(text).startswith(fold(prefix)),
        negated,
    )


def companion_filter(column: Column, table: Table, lookup: Lookup, test: TextTest) -> tuple[Filter, bool] | None:
    """Return (filter, exact) of a test of a companion column, None when the service cannot make it."""
    base = table.columns[column.base]
    if column.companion is Companion.TYPE:
        return _of_type(base, table, lookup, test)
    if base.kind is Kind.CHOICE:
        return _of_label(base, test)
    return _of_name(base, table, lookup, test) if base.kind is Kind.LOOKUP else None


def companion_null(column: Column, table: Table, lookup: Lookup, negated: bool) -> Filter | None:
    """Return IS [NOT] NULL of a companion: a name is missing when the lookup is, or when its row has none."""
    base = table.columns[column.base]
    if column.companion is Companion.TYPE or base.kind is Kind.CHOICE:
        return Null((base.wire,), negated)
    paths = _names(base, table, lookup) if base.kind is Kind.LOOKUP else None
    if not paths:
        return None
    if negated:
        return Either(tuple(Null(path, negated=True) for path in paths))
    return Either((Null((base.wire,)), Null(paths[0]))) if len(paths) == 1 else None


def _of_label(base: Column, test: TextTest) -> tuple[Filter, bool] | None:
    """A label that no value has matches no row."""
    if not base.options or test.holds is None:
        return None
    values = [value for value, label in base.options.items() if test.holds(label)]
    operands = [Value(value, base.edm) for value in values]
    if not test.parameters:
        return membership((base.wire,), operands, test.negated), True
    options = tuple(base.options.items())
    labels = [Parameter(Labels(cast("int | str", each.key), options), base.edm) for each in test.parameters]
    return Among((base.wire,), (*operands, *labels), test.negated), True


def _of_name(base: Column, table: Table, lookup: Lookup, test: TextTest) -> tuple[Filter, bool] | None:
    """Whichever table it points to; the paths to the others lead nowhere, and nothing is true of NULL."""
    paths = _names(base, table, lookup)
    found = [test.leaf(path) for path in paths or ()]
    kept = [each for each in found if each is not None]
    if not kept or len(kept) < len(found):
        return None
    return Either(tuple(each[0] for each in kept)), all(each[1] for each in kept)


def _of_type(base: Column, table: Table, lookup: Lookup, test: TextTest) -> tuple[Filter, bool] | None:
    targets = _targets(base, table, lookup)
    if targets is None or test.parameters or test.holds is None:
        return None
    chosen = [(path, target) for path, target in targets if test.holds(target.name) != test.negated]
    return Either(tuple(Null((path, target.primary_key), negated=True) for path, target in chosen)), True


def _names(base: Column, table: Table, lookup: Lookup) -> list[Path] | None:
    targets = _targets(base, table, lookup)
    if targets is None:
        return None
    names = [(path, target.columns.get(target.primary_name)) for path, target in targets]
    known: list[Path] = [(path, name.wire) for path, name in names if name is not None and name.type == VARCHAR]
    return known if len(known) == len(names) else None


def _targets(base: Column, table: Table, lookup: Lookup) -> list[tuple[str, Table]] | None:
    """Return the navigation property to each table a lookup may point to; None for unknown or too many ones.

    An owner is reached through owninguser and owningteam: its own navigation leads to what both have in common.
    """
    columns = [table.columns.get(name) for name in _OWNERS] if base.name == "ownerid" else [base]
    pairs = [(path, name) for column in columns if column is not None for name, path in column.navigations.items()]
    if (
        not table.joined
        or not pairs
        or len(pairs) > _MOST_TARGETS
        or None in columns
        or len({path for path, _ in pairs}) < len(pairs)
    ):
        return None
    targets = [(path, lookup(name)) for path, name in pairs]
    known = [(path, target) for path, target in targets if target is not None and target.joined]
    return known if len(known) == len(targets) else None
