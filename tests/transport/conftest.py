"""An origin over http and one over https, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sqlalchemy_dynamics.sandbox.authority.certificates import ServerIdentity
from sqlalchemy_dynamics.settings import from_string
from sqlalchemy_dynamics.transport.client import Transport, open_transport
from tests.transport.peers import Origin, identity


@pytest.fixture(scope="package")
def server_certificate() -> ServerIdentity:
    return identity()


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as server:
        yield server


@pytest.fixture
def secure_origin(server_certificate: ServerIdentity) -> Iterator[Origin]:
    with Origin(server_certificate) as server:
        yield server


@pytest.fixture
def transport() -> Iterator[Callable[..., Transport]]:
    """Opens transports by their properties and closes them."""
    opened: list[Transport] = []

    def make(**properties: object) -> Transport:
        settings = from_string("OrganizationUrl=https://org.example", {"Timeout": 5, **properties}, environ={})
        opened.append(open_transport(settings))
        return opened[-1]

    yield make
    for each in opened:
        each.close()
