"""The sandbox's own sign-in service: Entra ID as a client sees it, on loopback, with demo people."""

from __future__ import annotations

from .certificates import ClientCertificate, client_certificate
from .clients import Client, FederatedCredential
from .devices import approve_device
from .failures import FAILURES, Refused
from .faults import Fault
from .journal import Entry
from .managed_identity import ManagedIdentity
from .people import User
from .realm import Realm
from .service import Authority

__all__ = [
    "FAILURES",
    "Authority",
    "Client",
    "ClientCertificate",
    "Entry",
    "Fault",
    "FederatedCredential",
    "ManagedIdentity",
    "Realm",
    "Refused",
    "User",
    "approve_device",
    "client_certificate",
]
