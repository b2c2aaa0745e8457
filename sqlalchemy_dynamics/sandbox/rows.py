"""Rows as JSON text, built by sqlite: the SQL expression of one row of a table."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy_dynamics.sandbox.annotations import (
    ASSOCIATED,
    FORMATTED,
    LOOKUP,
    Wanted,
    associated,
    formatted_sql,
    quote,
)
from sqlalchemy_dynamics.sandbox.schema import Column, Table
from sqlalchemy_dynamics.sandbox.values import json_of, sql_name
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["Pieces", "RowShape", "property_pieces", "row_sql"]

ETAG = '"@odata.etag":"W/\\"'


class Pieces:
    """Text made of constants and SQL expressions; `sql` joins them in a balanced tree (sqlite limits its depth)."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._constant = ""

    def text(self, constant: str) -> Pieces:
        self._constant += constant
        return self

    def add(self, sql: str) -> Pieces:
        self._flush()
        self._parts.append(f"({sql})")
        return self

    def _flush(self) -> None:
        if self._constant:
            self._parts.append(quote(self._constant))
            self._constant = ""

    def sql(self) -> str:
        """Return the concatenation."""
        self._flush()
        return _balanced(self._parts) if self._parts else "''"


def _balanced(parts: list[str]) -> str:
    if len(parts) <= 16:
        return "||".join(parts)
    middle = len(parts) // 2
    return f"({_balanced(parts[:middle])})||({_balanced(parts[middle:])})"


@dataclass
class RowShape:
    """What one row shows: columns, and already rendered members (expands) as SQL text that starts with a comma."""

    table: Table
    columns: list[Column]
    alias: str = "t"
    etag: bool = True
    omit_nulls: bool = False
    members: list[str] = field(default_factory=list)
    type_name: str = ""


def property_pieces(
    service: Service, shape: RowShape, column: Column, wanted: Wanted, pieces: Pieces, name: str = ""
) -> None:
    """Append one property (by another `name` when given) and the annotations before it."""
    sql = f"{shape.alias}.{sql_name(column.name)}"
    value = json_of(column, sql)
    name = name or column.property
    if wanted:
        _annotate(service, shape, column, wanted, pieces, name)
    if shape.omit_nulls:
        pieces.add(f"CASE WHEN {sql} IS NULL THEN '' ELSE {_head(name)}||({value}) END")
    else:
        pieces.text(f',"{name}":').add(value)


def _annotate(service: Service, shape: RowShape, column: Column, wanted: Wanted, pieces: Pieces, name: str) -> None:
    sql = f"{shape.alias}.{sql_name(column.name)}"
    if wanted(FORMATTED):
        text = formatted_sql(service, shape.table, column, shape.alias)
        if text is not None:
            pieces.add(_member(f"{name}@{FORMATTED}", text))
    if not column.is_lookup:
        return
    if wanted(ASSOCIATED):
        navs = associated(service.organisation, shape.table, column)
        pieces.add(_by_target(shape, column, sql, f"{name}@{ASSOCIATED}", navs))
    if wanted(LOOKUP):
        pieces.add(_by_target(shape, column, sql, f"{name}@{LOOKUP}", {t: t for t in column.targets}))


def _member(name: str, text: str) -> str:
    return f"(SELECT CASE WHEN x IS NULL THEN '' ELSE {_head(name)}||json_quote(x) END FROM (SELECT {text} AS x))"


def _head(name: str) -> str:
    return quote(f',"{name}":')


def _by_target(shape: RowShape, column: Column, sql: str, name: str, texts: dict[str, str]) -> str:
    head = f',"{name}":"'
    if not column.polymorphic:
        only = next((texts[t] for t in column.targets if t in texts), "")
        return f"CASE WHEN {sql} IS NULL THEN '' ELSE {quote(head + only + chr(34))} END" if only else "''"
    whens = " ".join(f"WHEN {quote(target)} THEN {quote(head + text + chr(34))}" for target, text in texts.items())
    kind = f"{shape.alias}.{sql_name(column.name + ':type')}"
    return f"CASE WHEN {sql} IS NULL THEN '' ELSE CASE {kind} {whens} ELSE '' END END"


def row_sql(service: Service, shape: RowShape, wanted: Wanted) -> str:
    """Return the SQL expression of one row as JSON text."""
    pieces = Pieces()
    etag = shape.etag and "versionnumber" in shape.table.columns
    if etag:
        pieces.text("{" + ETAG).add(f"ifnull({shape.alias}.versionnumber,0)").text('\\""')
    if shape.type_name:
        pieces.text(f',"@odata.type":"{shape.type_name}"')
    for column in shape.columns:
        property_pieces(service, shape, column, wanted, pieces)
    for member in shape.members:
        pieces.add(member)
    text = pieces.sql()
    return f"{text}||'}}'" if etag else f"'{{'||substr({text},2)||'}}'"
