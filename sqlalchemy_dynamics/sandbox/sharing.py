"""Who else may see a row: GrantAccess, ModifyAccess, RevokeAccess, and the functions that tell."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from sqlalchemy_dynamics.sandbox.binding import Target
from sqlalchemy_dynamics.sandbox.declared_csdl import members_of
from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, bad_request
from sqlalchemy_dynamics.sandbox.operations import Call
from sqlalchemy_dynamics.sandbox.targets import row_of
from sqlalchemy_dynamics.sandbox.values import iso, now
from sqlalchemy_dynamics.sandbox.wire import Reply

__all__ = ["SHARING"]

_SHARES = "principalobjectaccess"
_RIGHTS = {name: value for name, value in (members_of("AccessRights") or {}).items() if value}
_ALL = sum(_RIGHTS.values())


def _text(mask: int) -> str:
    return ", ".join(name for name, value in _RIGHTS.items() if mask & value) or "None"


def _mask(text: str) -> int:
    return sum(_RIGHTS.get(name.strip(), 0) for name in text.split(","))


def _granted(call: Call, principal: Target, row: Target) -> int:
    call.service.store.touch(_SHARES)
    sql = f"SELECT accessrightsmask FROM {_SHARES} WHERE objectid = ? AND principalid = ?"
    found = call.service.store.query(sql, (row[1], principal[1]))
    return int(str(found[0][0])) if found else 0


def _principal(call: Call, given: object) -> Target:
    if not isinstance(given, dict):
        raise bad_request("Required field 'Principal' is missing.", "0x80040203")
    found = row_of(call.service, call.request, given)
    if found[0].name not in ("systemuser", "team"):
        raise bad_request(f"'{found[0].name}' is no principal: a user or a team is.", "0x80040203")
    return found


def _set(call: Call, principal: Target, row: Target, mask: int) -> None:
    store = call.service.store
    store.touch(_SHARES)
    store.execute(f"DELETE FROM {_SHARES} WHERE objectid = ? AND principalid = ?", (row[1], principal[1]))
    if not mask:
        return
    values: dict[str, object] = {
        f"{_SHARES}id": str(uuid.uuid4()),
        "objectid": row[1],
        "objecttypecode": row[0].name,
        "principalid": principal[1],
        "principaltypecode": principal[0].name,
        "accessrightsmask": mask,
        "inheritedaccessrightsmask": 0,
        "changedon": iso(now()),
        "versionnumber": store.next_version(),
    }
    table = call.service.organisation.tables[_SHARES]
    store.insert(table, {name: value for name, value in values.items() if name in table.columns})


def _giving(keeps: bool) -> Callable[[Call], Reply]:
    def give(call: Call) -> Reply:
        row = row_of(call.service, call.request, call.arguments["Target"])
        access = call.arguments.get("PrincipalAccess") or {}
        principal = _principal(call, access.get("Principal"))
        mask = _mask(str(access.get("AccessMask") or ""))
        _set(call, principal, row, mask | (_granted(call, principal, row) if keeps else 0))
        return Reply(204)

    return give


def revoke(call: Call) -> Reply:
    """Answer RevokeAccess; a share that is not there is no error."""
    row = row_of(call.service, call.request, call.arguments["Target"])
    _set(call, _principal(call, call.arguments["Revokee"]), row, 0)
    return Reply(204)


def principal_access(call: Call) -> Reply:
    """Answer RetrievePrincipalAccess: users of the sandbox are administrators, teams have what was shared with them."""
    principal, row = call.row, row_of(call.service, call.request, call.arguments["Target"])
    mask = _ALL if principal[0].name == "systemuser" else _granted(call, principal, row)
    return call.reply(AccessRights=_text(mask))


def shared_with(call: Call) -> Reply:
    """Answer RetrieveSharedPrincipalsAndAccess."""
    row = row_of(call.service, call.request, call.arguments["Target"])
    call.service.store.touch(_SHARES)
    sql = (
        f"SELECT principaltypecode, principalid, accessrightsmask FROM {_SHARES} WHERE objectid = ? ORDER BY changedon"
    )
    shares = [
        {
            "AccessMask": _text(int(str(mask))),
            "Principal": {"@odata.type": f"#{NAMESPACE}.{kind}", f"{kind}id": ident, "ownerid": ident},
        }
        for kind, ident, mask in call.service.store.query(sql, (row[1],))
    ]
    return call.reply(PrincipalAccesses=shares)


SHARING: dict[str, Callable[[Call], Reply]] = {
    "GrantAccess": _giving(keeps=True),
    "ModifyAccess": _giving(keeps=False),
    "RevokeAccess": revoke,
    "RetrievePrincipalAccess": principal_access,
    "RetrieveSharedPrincipalsAndAccess": shared_with,
}
"""For `operations.SERVED`."""
