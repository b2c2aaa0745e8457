"""One SQL condition as a filter of one table: a table of rules by node class.

Every rule answers a filter that keeps at least the rows for which the condition is TRUE, and whether it keeps exactly
those (Exact) or more (Inexact); or None (Unsupported). Negation is carried down to the leaves, where SQL's NULL logic
is decided; the server's own is guarded against in odata.filters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from sqlalchemy_dynamics.metadata.model import Column, Companion, Kind
from sqlalchemy_dynamics.odata.filters import (
    Both,
    Either,
)
from sqlalchemy_dynamics.planner.companions import (
    TextTest,
    companion_filter,
)
from sqlalchemy_dynamics.planner.constants import Kinds
from sqlalchemy_dynamics.planner.crm_functions import calls_in
from sqlalchemy_dynamics.planner.leaves import Pushed
from sqlalchemy_dynamics.planner.lengths import LONGEST, characters
from sqlalchemy_dynamics.planner.names import Lookup, Occurrence, Sources
from sqlalchemy_dynamics.planner.parse import shown
from sqlalchemy_dynamics.planner.rules import RULES

__all__ = ["Pushed", "Translator", "filterable"]


def filterable(column: Column) -> bool:
    """Say whether the Web API can filter by this column's value (dataverse-web-api: column type table)."""
    return column.companion is None and column.kind not in (
        Kind.FILE,
        Kind.FILE_NAME,
        Kind.IMAGE,
        Kind.MULTICHOICE,
        Kind.ENTITY_NAME,
    )


_RANGES = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_COMPARISONS = (*_RANGES, exp.EQ, exp.NEQ, exp.In)
_UNRANGED = {
    "VARCHAR": "the service orders text by the organisation's language",
    "UUID": "whether the service compares GUIDs by size is not known",
}
_TOO_LONG = "the condition is too long for a request"
_FOREIGN = "it compares columns of two tables"
_SUBQUERY = "it needs the answer of a query of its own"
_INEXACT = "the service can only be asked for more rows than that; it is tested again here"


def _no_table(name: str) -> None:
    return None


@dataclass
class Translator:
    """Translates conditions of one statement. `pinned` holds what of the parameters shapes the plan.

    `lookup` finds the tables that lookups point to; `refused` collects (term, reason) for EXPLAIN, `sent` how long
    the conditions of each table have become. With `calls_only` nothing is translated but conditions with query
    functions, which only the service can compute.
    """

    sources: Sources
    kinds: Kinds
    pinned: Mapping[int | str, object]
    lookup: Lookup = _no_table
    calls_only: bool = False
    refused: dict[str, str] = field(default_factory=dict)
    sent: dict[int, dict[int, int]] = field(default_factory=dict)

    def translate(self, node: exp.Expression, target: Occurrence, negated: bool = False) -> Pushed | None:
        """Return the strongest filter of `target` that the condition implies, or None when it implies none."""
        if self.calls_only and next(calls_in(node), None) is None:
            return None
        pushed = self._translated(node, target, negated)
        if pushed is None or self._has_room(node, target, pushed):
            return pushed
        self.refused.setdefault(shown(node), _TOO_LONG)
        return None

    def _has_room(self, node: exp.Expression, target: Occurrence, pushed: Pushed) -> bool:
        """Say whether a condition fits a URL beside those of the table that went down before."""
        sent = self.sent.setdefault(target.number, {})
        length = characters(pushed.filter, self.pinned)
        if sum(sent.values()) - sent.get(id(node), 0) + length > LONGEST:
            return False
        sent[id(node)] = length
        return True

    def _translated(self, node: exp.Expression, target: Occurrence, negated: bool) -> Pushed | None:
        while isinstance(node, (exp.Paren, exp.Not)):
            negated ^= isinstance(node, exp.Not)
            node = node.this
        if isinstance(node, (exp.And, exp.Or)):
            conjunction = isinstance(node, exp.And) != negated
            return (self._all if conjunction else self._any)(list(node.flatten()), target, negated)
        rule = RULES.get(type(node))
        pushed = rule(self, node, target, negated) if rule else None
        if pushed is None:
            self._note(node, target)
        elif not pushed.exact:
            self.refused.setdefault(shown(node), _INEXACT)
        return pushed

    def _all(self, terms: list[exp.Expression], target: Occurrence, negated: bool) -> Pushed | None:
        pushed = [self._translated(term, target, negated) for term in terms]
        kept = [answer for answer in pushed if answer is not None]
        if not kept:
            return None
        exact = len(kept) == len(terms) and all(answer.exact for answer in kept)
        return Pushed(Both(tuple(answer.filter for answer in kept)), exact)

    def _any(self, terms: list[exp.Expression], target: Occurrence, negated: bool) -> Pushed | None:
        pushed = [self._translated(term, target, negated) for term in terms]
        kept = [answer for answer in pushed if answer is not None]
        if len(kept) < len(terms):
            return None
        return Pushed(Either(tuple(answer.filter for answer in kept)), all(answer.exact for answer in kept))

    def column(self, node: exp.Expression, target: Occurrence) -> Column | None:
        """Return the filterable column of `target` that a node names, looking through parentheses."""
        while isinstance(node, exp.Paren):
            node = node.this
        owned = self.sources.owner(node) if isinstance(node, exp.Column) else None
        return owned[1] if owned is not None and owned[0] is target and filterable(owned[1]) else None

    def text_column(self, node: exp.Expression, target: Occurrence) -> Column | None:
        """Return the text column a node names; lower() and upper() change nothing under the collation."""
        while isinstance(node, (exp.Paren, exp.Lower, exp.Upper)):
            node = node.this
        column = self.column(node, target)
        return column if column is not None and column.type.family == "VARCHAR" else None

    def companion(self, node: exp.Expression, target: Occurrence) -> Column | None:
        """Return the companion column a node names; lower() and upper() change nothing under the collation."""
        while isinstance(node, (exp.Paren, exp.Lower, exp.Upper)):
            node = node.this
        owned = self.sources.owner(node) if isinstance(node, exp.Column) else None
        return owned[1] if owned is not None and owned[0] is target and owned[1].companion is not None else None

    def say(self, column: Column, target: Occurrence, test: TextTest) -> Pushed | None:
        """Return a test of a companion column."""
        found = companion_filter(column, target.table, self.lookup, test)
        return None if found is None else Pushed(*found)

    def _note(self, node: exp.Expression, target: Occurrence) -> None:
        owners = [owner for owner in map(self.sources.owner, node.find_all(exp.Column)) if owner is not None]
        if any(owner[0] is target for owner in owners):
            foreign = any(owner[0] is not target for owner in owners)
            reason = _FOREIGN if foreign else _reason(node, [owner[1] for owner in owners])
            self.refused.setdefault(shown(node), _SUBQUERY if node.find(exp.Select) is not None else reason)


def _reason(node: exp.Expression, columns: list[Column]) -> str:
    if any(column.companion is Companion.ID for column in columns):
        return "the service cannot filter by this column"
    if any(column.companion is not None for column in columns):
        return "the service can test a label or a name for texts and patterns only, with a few known tables behind it"
    if any(column.kind in (Kind.FILE, Kind.IMAGE, Kind.MULTICHOICE, Kind.ENTITY_NAME) for column in columns):
        return "the service cannot filter by this column"
    alone = len(columns) == 1 == len(list(node.find_all(exp.Column)))
    compared = alone and isinstance(node, _COMPARISONS) and isinstance(node.this, exp.Column)
    if compared and isinstance(node, _RANGES) and columns[0].type.family in _UNRANGED:
        return _UNRANGED[columns[0].type.family]
    if compared:
        return "its value is not one of the column's type, or not known"
    if isinstance(node, (exp.Like, exp.ILike, exp.Escape)):
        return "only patterns that are known and have % at the beginning or the end go down, and their opposites"
    if len(columns) == 2 and isinstance(node, (*_COMPARISONS, exp.NullSafeEQ, exp.NullSafeNEQ)):
        return "the service compares columns of the same type only, and their values as they are"
    if node.find(exp.AggFunc, exp.Window):
        return "it needs rows of more than this table"
    return "the service has no such expression"
