"""Who a request acts for: the caller, or the user named by an impersonation header (section 1.2)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.values import sql_name
from sqlalchemy_dynamics.sandbox.wire import Request, Service

__all__ = ["Caller", "caller_of"]

_HEADERS = (("callerobjectid", "azureactivedirectoryobjectid"), ("mscrmcallerid", "systemuserid"))


@dataclass(frozen=True)
class Caller:
    """`user_id` is recorded as creator and owner; `on_behalf` is the real caller when the two differ."""

    user_id: str
    on_behalf: str | None
    business_unit_id: str


def caller_of(service: Service, request: Request) -> Caller:
    """Return who the request acts for; raises ODataError 403 for an unknown user."""
    real = request.user or service.user_id
    for header, column in _HEADERS:
        given = request.headers.get(header, "").strip().strip("{}").lower()
        if given:
            return _user(service, column, given, real)
    return _user(service, "systemuserid", real, None)


def _user(service: Service, column: str, value: str, on_behalf: str | None) -> Caller:
    service.store.touch("systemuser")
    if column not in service.organisation.tables["systemuser"].columns:
        raise _no_member()
    found = service.store.query(
        f"SELECT systemuserid, businessunitid FROM systemuser WHERE {sql_name(column)} = ?", (value,)
    )
    if not found and on_behalf is not None:
        raise _no_member()
    user_id, unit_id = found[0] if found else (value, None)
    return Caller(str(user_id), None if on_behalf == user_id else on_behalf, str(unit_id or service.business_unit_id))


def _no_member() -> ODataError:
    return ODataError(403, "0x80072560", "The user is not a member of the organization.")
