"""The control plane: /_sandbox/requests, faults, rows, reset. No token, not logged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy_dynamics.sandbox.app import RequestLog
from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.faults import Fault, Faults
from sqlalchemy_dynamics.sandbox.router import error_reply
from sqlalchemy_dynamics.sandbox.seeding import insert_made, insert_rows
from sqlalchemy_dynamics.sandbox.wire import Reply, Service

if TYPE_CHECKING:
    from sqlalchemy_dynamics.sandbox.authority import Authority

__all__ = ["ControlPlane"]


class ControlPlane:
    """Answers /_sandbox/*; `reset` is what the server does to go back to the seeded state.

    `authority` starts the sign-in service: faults whose path is ``token`` are its own.
    """

    def __init__(
        self,
        service: Service,
        log: RequestLog,
        faults: Faults,
        reset: Callable[[], None],
        authority: Callable[[], Authority],
    ) -> None:
        self.service = service
        self.log = log
        self.faults = faults
        self.reset = reset
        self._authority = authority
        self._afflicted: list[Authority] = []
        self.routes: dict[tuple[str, str], Callable[[dict[str, Any]], Reply]] = {
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): self._forget,
            ("POST", "faults"): self._fault,
            ("DELETE", "faults"): self._heal,
            ("POST", "rows"): self._rows,
            ("POST", "reset"): self._reset,
        }

    def __call__(self, method: str, path: str, body: bytes) -> Reply:
        route = self.routes.get((method, path.removeprefix("/_sandbox/").strip("/")))
        if route is None:
            return _json({"error": f"no control {method} {path}"}, 404)
        try:
            return route(json.loads(body) if body.strip() else {})
        except ODataError as refusal:
            return error_reply(refusal)
        except (ValueError, KeyError, TypeError, sqlite3.Error) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)

    def _requests(self, given: dict[str, Any]) -> Reply:
        return _json({"requests": self.log.entries})

    def _forget(self, given: dict[str, Any]) -> Reply:
        self.log.clear()
        return Reply(204)

    def _fault(self, given: dict[str, Any]) -> Reply:
        kind, when, path = str(given["kind"]), str(given["when"]), str(given.get("path") or "")
        argument = None if given.get("arg") is None else float(given["arg"])
        if path == "token":
            authority = self._authority()
            authority.faults.add(kind, when, argument, path)
            self._afflicted = [authority]
        else:
            self.faults.add(Fault(kind, when, argument, path))
        return Reply(204)

    def _heal(self, given: dict[str, Any]) -> Reply:
        self.faults.clear()
        for authority in self._afflicted:
            authority.faults.clear()
        return Reply(204)

    def _rows(self, given: dict[str, Any]) -> Reply:
        table = self.service.organisation.tables.get(given["table"]) or self.service.organisation.table_of_set(
            given["table"]
        )
        if table is None:
            raise ValueError(f"no table '{given['table']}'")
        if "rows" in given:
            return _json({"inserted": insert_rows(self.service, table, given["rows"])})
        return _json({"inserted": insert_made(self.service, table, int(given["count"]), int(given.get("seed", 1)))})

    def _reset(self, given: dict[str, Any]) -> Reply:
        self.reset()
        return Reply(204)


def _json(body: dict[str, object], status: int = 200) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(body, ensure_ascii=False).encode())
