"""One request to the service, read: tenant, protocol style, parameters, client proof, claims asked for."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request

from .claims import claim_value
from .clients import Client, Proof
from .failures import Refused
from .journal import public_values
from .realm import Realm
from .resources import Wanted, wanted_by_resource, wanted_by_scope

__all__ = ["Call", "Style", "read_call"]

Style = Literal["v1", "v2", "adfs"]


@dataclass
class Call:
    """A request's parameters in their context; `text(name)` is empty for a missing one."""

    realm: Realm
    tenant_name: str
    style: Style
    parameters: Mapping[str, str] = field(repr=False)
    basic: tuple[str, str] = field(default=("", ""), repr=False)
    correlation_id: str = ""

    def text(self, name: str) -> str:
        """A parameter, empty when missing."""
        return self.parameters.get(name, "")

    def required(self, name: str) -> str:
        """A parameter that must be there. Raises `Refused` 900144."""
        if not self.text(name):
            raise Refused(900144, name)
        return self.text(name)

    @property
    def tenant(self) -> str:
        """The GUID of the tenant in the path. Raises `Refused` 90002."""
        return self.realm.find_tenant(self.tenant_name)

    def client(self) -> Client:
        """The application named. Raises `Refused` 900144, 700016."""
        return self.realm.find_client(self.text("client_id") or self.basic[0], self.tenant)

    def proven_client(self, required: int = 7000218) -> Client:
        """The application, after it proved itself as its registration demands."""
        client = self.client()
        secret = self.text("client_secret") or self.basic[1]
        proof = Proof(secret, self.text("client_assertion"), self.text("client_assertion_type"))
        client.check(proof, self._audiences(), self.realm.clock(), required)
        return client

    def wanted(self) -> Wanted:
        """Scope or resource, by the style's rule: v2 refuses `resource` (901002), v1 needs it, AD FS takes either."""
        resource, resources = self.text("resource"), self.realm.resources
        if self.style == "v2" and resource:
            raise Refused(901002)
        if self.style == "v1" or resource:
            return wanted_by_resource(self.required("resource"), resources, self.tenant)
        return wanted_by_scope(self.text("scope"), resources, self.tenant)

    def claims(self) -> dict[str, Any]:
        """The `access_token` part of the `claims` parameter. Raises `Refused` 9002313 when it is no JSON object."""
        try:
            document = json.loads(self.text("claims") or "{}")
            return dict(document.get("access_token") or {})
        except (ValueError, AttributeError, TypeError):
            raise Refused(9002313) from None

    def asked(self) -> dict[str, str]:
        """Claims asked for, name → value, without the client capabilities."""
        return {name: claim_value(demand) for name, demand in self.claims().items() if name != "xms_cc"}

    def capable(self) -> bool:
        """Whether the client says that it can answer claims challenges."""
        demand = self.claims().get("xms_cc") or {}
        values = demand.get("values", []) if isinstance(demand, Mapping) else []
        return "cp1" in [str(value).lower() for value in values]

    def _audiences(self) -> tuple[str, ...]:
        """What an assertion may be made out to: a token endpoint or the issuer, under any name of the tenant."""
        url = self.realm.url
        names = {self.tenant_name, self.tenant}
        ends = ("/oauth2/v2.0/token", "/oauth2/token", "/oauth2/token/", "/v2.0", "/")
        return tuple(f"{url}/{name}{end}" for name in names for end in ends)


async def read_call(request: Request, realm: Realm, style: Style) -> Call:
    """Read query and form. Raises `Refused` 9000411 for a repeated parameter."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    if request.method == "POST":
        pairs += parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    parameters = dict(pairs)
    request.scope["authority.call"] = {
        "grant": parameters.get("grant_type", ""),
        "parameters": tuple(parameters),
        "values": public_values(parameters),
    }
    repeated = [name for n, (name, _) in enumerate(pairs) if name in dict(pairs[:n])]
    if repeated:
        raise Refused(9000411, repeated[0])
    name = request.path_params.get("tenant", "adfs")
    used: Style = "adfs" if name == "adfs" else style
    basic = _basic(request.headers.get("authorization", ""))
    return Call(realm, name, used, parameters, basic, request.headers.get("client-request-id", ""))


def _basic(header: str) -> tuple[str, str]:
    """Client id and secret of an `Authorization: Basic` header (form-encoded inside, RFC 6749 2.3.1)."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        raise Refused(9002313) from None
    return unquote_plus(client_id), unquote_plus(secret)
