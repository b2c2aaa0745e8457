"""What a token is for: `scope` (v2) and `resource` (v1) parameters, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .failures import Refused

__all__ = ["GRAPH", "Wanted", "wanted_by_resource", "wanted_by_scope"]

GRAPH = "00000003-0000-0000-c000-000000000000"
_OPENID = frozenset({"openid", "profile", "email", "offline_access"})
_PERMISSIONS = ("user_impersonation", ".default")


@dataclass(frozen=True)
class Wanted:
    """One resource as the client spelt it (with or without the last slash), and what it wants of it."""

    resource: str
    permissions: tuple[str, ...] = ()
    openid: frozenset[str] = frozenset()

    @property
    def scope(self) -> str:
        """The `scope` of a v2 answer: `.default` is answered together with the permission it stands for."""
        names = dict.fromkeys(("user_impersonation", *self.permissions))
        parts = [f"{self.resource}/{name}" for name in names] if self.resource != GRAPH else []
        return " ".join([*parts, *sorted(self.openid - {"offline_access"})])


def wanted_by_scope(text: str, resources: Sequence[str], tenant: str) -> Wanted:
    """Read a v2 `scope`. Only OpenID scopes: a token for the Graph. Raises `Refused` 70011, 28000, 500011, 650053."""
    scopes = text.split()
    openid = frozenset(scopes) & _OPENID
    others = [_split(scope, resources, tenant) for scope in scopes if scope not in _OPENID]
    if not scopes:
        raise Refused(900144, "scope")
    if not others:
        return Wanted(GRAPH, (), openid)
    if len({resource for resource, _ in others}) > 1:
        raise Refused(28000, text)
    permissions = tuple(name for _, name in others)
    if ".default" in permissions and len(set(permissions)) > 1:
        raise Refused(70011, text)
    return Wanted(others[0][0], permissions, openid)


def wanted_by_resource(resource: str, resources: Sequence[str], tenant: str) -> Wanted:
    """Read a v1 `resource`; v1 ignores `scope` and always gives an id token and a refresh token."""
    if _known(resource, resources) is None:
        raise Refused(500011, resource, tenant)
    return Wanted(resource, ("user_impersonation",), frozenset({"openid", "profile", "offline_access"}))


def _split(scope: str, resources: Sequence[str], tenant: str) -> tuple[str, str]:
    """`https://org/.default` → (`https://org`, `.default`); `https://org//.default` keeps the resource's last slash."""
    resource, slash, permission = scope.rpartition("/")
    if not slash:
        raise Refused(70011, scope)
    if _known(resource, resources) is None:
        raise Refused(500011, resource, tenant)
    if permission not in _PERMISSIONS:
        raise Refused(650053, permission, resource)
    return resource, permission


def _known(resource: str, resources: Sequence[str]) -> str | None:
    return next((one for one in resources if one.rstrip("/").lower() == resource.rstrip("/").lower()), None)
