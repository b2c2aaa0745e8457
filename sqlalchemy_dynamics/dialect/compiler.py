"""SQLAlchemy constructs to the driver's SQL (DuckDB/PostgreSQL flavour)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.sql import compiler
from sqlalchemy.sql.type_api import TypeEngine

from sqlalchemy_dynamics.dialect.inserting import with_own_keys
from sqlalchemy_dynamics.dialect.literals import is_literal, literal

__all__ = ["DynamicsCompiler", "DynamicsTypeCompiler"]


class DynamicsCompiler(compiler.SQLCompiler):
    """Statements."""

    def render_literal_value(self, value: Any, type_: TypeEngine[Any]) -> str:
        """Render any value of any type: what the bind processor would send, written as a literal."""
        processor = type_._cached_bind_processor(self.dialect)
        sent = processor(value) if processor else value
        return literal(sent) if is_literal(sent) else super().render_literal_value(value, type_)

    def limit_clause(self, select: Any, **kw: Any) -> str:
        parts = (("LIMIT", select._limit_clause), ("OFFSET", select._offset_clause))
        return "".join(f"\n {word} {self.process(clause, **kw)}" for word, clause in parts if clause is not None)

    # PostgreSQL's words; SQLAlchemy 1.4 leaves even RETURNING to its dialects.
    returning_clause = PGCompiler.returning_clause
    update_from_clause = PGCompiler.update_from_clause
    delete_extra_from_clause = PGCompiler.delete_extra_from_clause
    visit_on_conflict_do_nothing = PGCompiler.visit_on_conflict_do_nothing
    visit_on_conflict_do_update = PGCompiler.visit_on_conflict_do_update
    _on_conflict_target = PGCompiler._on_conflict_target

    def visit_insert(self, insert_stmt: Any, *args: Any, **kw: Any) -> str:
        visit: Any = super().visit_insert
        return str(visit(with_own_keys(insert_stmt), *args, **kw))

    def for_update_clause(self, select: Any, **kw: Any) -> str:
        """The Web API has no row locks."""
        return ""

    def visit_empty_set_expr(self, element_types: Sequence[TypeEngine[Any]], **kw: Any) -> str:
        return f"SELECT {', '.join('NULL' for _ in element_types or (None,))} WHERE FALSE"

    def visit_ilike_case_insensitive_operand(self, element: Any, **kw: Any) -> str:
        return self.process(element.element, **kw)

    def visit_ilike_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._ilike(binary, "ILIKE", **kw)

    def visit_not_ilike_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._ilike(binary, "NOT ILIKE", **kw)

    def _ilike(self, binary: Any, word: str, **kw: Any) -> str:
        escape = binary.modifiers.get("escape")
        text = f"{self.process(binary.left, **kw)} {word} {self.process(binary.right, **kw)}"
        return text if escape is None else f"{text} ESCAPE {literal(escape)}"

    def visit_regexp_match_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return self._regexp("REGEXP_MATCHES", binary, binary.modifiers["flags"], **kw)

    def visit_not_regexp_match_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return "NOT " + self.visit_regexp_match_op_binary(binary, operator, **kw)

    def visit_regexp_replace_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        """Replaces every match, as on the other backends that have it, unless flags are given."""
        flags = binary.modifiers["flags"]
        return self._regexp("REGEXP_REPLACE", binary, "g" if flags is None else flags, **kw)

    def _regexp(self, function: str, binary: Any, flags: str | None, **kw: Any) -> str:
        arguments = [self.process(binary.left, **kw), self.process(binary.right, **kw)]
        if "replacement" in binary.modifiers:  # 1.4; later versions hold both in `right`
            arguments.append(self.process(binary.modifiers["replacement"], **kw))
        if flags is not None:
            arguments.append(literal(flags))
        return f"{function}({', '.join(arguments)})"

    def visit_aggregate_strings_func(self, fn: Any, **kw: Any) -> str:
        arguments = ", ".join(self.process(clause, **kw) for clause in list(fn.clauses)[:2])
        order = getattr(fn.clauses, "aggregate_order_by", None)  # SQLAlchemy 2.1
        return f"STRING_AGG({arguments}{'' if order is None else f' ORDER BY {self.process(order, **kw)}'})"


class DynamicsTypeCompiler(compiler.GenericTypeCompiler):
    """Type names, as in casts and in what the inspector's types print."""

    def visit_UUID(self, type_: Any, **kw: Any) -> str:
        return "UUID"

    def visit_uuid(self, type_: Any, **kw: Any) -> str:
        return "UUID"

    def visit_INTERVAL(self, type_: Any, **kw: Any) -> str:
        return "INTERVAL"

    def visit_FLOAT(self, type_: Any, **kw: Any) -> str:
        """DuckDB's FLOAT has 32 bits, Python's and Dataverse's 64."""
        return "DOUBLE"

    def visit_DOUBLE(self, type_: Any, **kw: Any) -> str:
        return "DOUBLE"

    visit_double = visit_DOUBLE_PRECISION = visit_DOUBLE

    def visit_DATETIME(self, type_: Any, **kw: Any) -> str:
        return self.visit_TIMESTAMP(type_, **kw)

    def visit_TIMESTAMP(self, type_: Any, **kw: Any) -> str:
        return "TIMESTAMP WITH TIME ZONE" if getattr(type_, "timezone", False) else "TIMESTAMP"

    def visit_large_binary(self, type_: Any, **kw: Any) -> str:
        return "BLOB"
