"""BulkDelete: a job that deletes what a QueryExpression finds, seen as a row of `asyncoperations` (section 6.1)."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping
from typing import Any

from sqlalchemy_dynamics.sandbox.cascade import delete_row
from sqlalchemy_dynamics.sandbox.failures import ODataError, bad_request
from sqlalchemy_dynamics.sandbox.grammar import parse_filter
from sqlalchemy_dynamics.sandbox.predicates import compile_filter
from sqlalchemy_dynamics.sandbox.saving import create_row
from sqlalchemy_dynamics.sandbox.schema import Column, Table
from sqlalchemy_dynamics.sandbox.scope import Scope
from sqlalchemy_dynamics.sandbox.values import KINDS, iso, now, sql_name
from sqlalchemy_dynamics.sandbox.wire import Reply, Request, Service, json_reply, response_type

__all__ = ["bulk_delete"]

_BULK_DELETE = 13
_SUCCEEDED = {"statecode": 3, "statuscode": 30}
_FAILED = {"statecode": 3, "statuscode": 31}
_COMPARES = {
    "Equal": "eq",
    "NotEqual": "ne",
    "GreaterThan": "gt",
    "GreaterEqual": "ge",
    "LessThan": "lt",
    "LessEqual": "le",
    "On": "eq",
}
_FUNCTIONS = {
    "In": "In",
    "NotIn": "NotIn",
    "Between": "Between",
    "NotBetween": "NotBetween",
    "ContainValues": "ContainValues",
}
_TEXTS = {"BeginsWith": "startswith", "EndsWith": "endswith", "Contains": "contains"}


def bulk_delete(service: Service, request: Request) -> Reply:
    """Answer the action: the id of a job that has only begun. Raises ODataError 400 for a query it cannot read."""
    body = request.json()
    queries = [_query(service, query) for query in body.get("QuerySet") or []]
    if not queries:
        raise bad_request("Required field 'QuerySet' is missing.", "0x80040200")
    jobs = service.organisation.tables["asyncoperation"]
    given: dict[str, object] = {"name": body.get("JobName"), "operationtype": _BULK_DELETE}
    job_id = create_row(service, request, jobs, {}, given)
    threading.Thread(target=_run, args=(service, jobs, job_id, queries), name="bulk-delete", daemon=True).start()
    return json_reply({"@odata.context": f"{request.root}$metadata#{response_type('BulkDelete')}", "JobId": job_id})


def _run(service: Service, jobs: Table, job_id: str, queries: list[tuple[Table, str]]) -> None:
    try:
        complete = [_delete(service, table, text) for table, text in queries]
        outcome = _SUCCEEDED if all(complete) else _FAILED
        values = {**outcome, "completedon": iso(now()), "versionnumber": service.store.next_version()}
        service.store.update(jobs, job_id, values)
    except sqlite3.ProgrammingError:
        return


def _delete(service: Service, table: Table, text: str) -> bool:
    scope = Scope(service, table)
    where = compile_filter(parse_filter(text, {}, service.switches), scope) if text else None
    sql = f"SELECT t.{sql_name(table.primary_id)} FROM {scope.source}" + (f" WHERE {where.text}" if where else "")
    complete = True
    for row in service.store.query(sql, where.parameters if where else ()):
        try:
            delete_row(service, table, str(row[0]))
        except ODataError:
            complete = False
    return complete


def _query(service: Service, query: Mapping[str, Any]) -> tuple[Table, str]:
    table = service.organisation.tables.get(str(query.get("EntityName")))
    if table is None:
        raise bad_request(
            f"The entity with a name = '{query.get('EntityName')}' was not found in the MetadataCache.", "0x80041102"
        )
    if query.get("LinkEntities"):
        raise bad_request("The sandbox does not read link entities of a QueryExpression.", "0x80040203")
    return table, _filter(table, query.get("Criteria") or {})


def _filter(table: Table, criteria: Mapping[str, Any]) -> str:
    parts = [_condition(table, each) for each in criteria.get("Conditions") or []]
    parts += [f"({inner})" for each in criteria.get("Filters") or [] if (inner := _filter(table, each))]
    word = " or " if str(criteria.get("FilterOperator", "And")).lower() in ("or", "1") else " and "
    return word.join(parts)


def _condition(table: Table, condition: Mapping[str, Any]) -> str:
    name, operator = str(condition.get("AttributeName")), str(condition.get("Operator"))
    column = table.columns.get(name)
    if column is None:
        raise bad_request(f"'{table.name}' entity doesn't contain attribute with Name = '{name}'.", "0x80041103")
    values = [value.get("Value") if isinstance(value, dict) else value for value in condition.get("Values") or []]
    if operator in ("Null", "NotNull"):
        return f"{column.property} {'eq' if operator == 'Null' else 'ne'} null"
    if operator in _FUNCTIONS:
        texts = json.dumps([str(value) for value in values], ensure_ascii=False)
        return f"Microsoft.Dynamics.CRM.{_FUNCTIONS[operator]}(PropertyName='{name}',PropertyValues={texts})"
    if operator in _COMPARES and values:
        return f"{column.property} {_COMPARES[operator]} {_literal(column, values[0])}"
    if operator in ("Like", "NotLike", *_TEXTS) and values:
        return _like(column, operator, str(values[0]))
    raise bad_request(f"The condition operator '{operator}' is not supported here.", "0x80040203")


def _like(column: Column, operator: str, pattern: str) -> str:
    function = _TEXTS.get(operator)
    if function is None:
        ends = (pattern.startswith("%"), pattern.endswith("%"))
        function = {(True, True): "contains", (False, True): "startswith", (True, False): "endswith"}.get(ends, "")
        pattern = pattern.strip("%")
    text = pattern.replace("'", "''")
    test = f"{function}({column.property},'{text}')" if function else f"{column.property} eq '{text}'"
    return f"not {test}" if operator == "NotLike" else test


def _literal(column: Column, value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    quoted = "string" in KINDS[column.kind].compares and "guid" not in KINDS[column.kind].compares
    text = str(value).replace("'", "''")
    return f"'{text}'" if quoted or column.kind in ("String", "Memo") else text
