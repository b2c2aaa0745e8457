"""The people of the demo tenant."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

__all__ = ["User", "demo_users"]

_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


@dataclass
class User:
    """One account; a `demo` account's password is shown on the sign-in page.

    `disabled` → AADSTS50057; `needs_mfa` → password grant gets 50076; `cae` → long-lived tokens.
    """

    username: str
    password: str = field(repr=False)
    name: str = ""
    disabled: bool = False
    needs_mfa: bool = False
    administrator: bool = False
    cae: bool = False
    demo: bool = False

    @property
    def object_id(self) -> str:
        """The account's `oid`: the same GUID in every run."""
        return str(uuid.uuid5(_SPACE, self.username.lower()))


def demo_users() -> list[User]:
    """Two fictitious people: an administrator and a seller."""
    return [
        User("alex@contoso.onmicrosoft.com", "Pass-word-1", "Alex Example", administrator=True, demo=True),
        User("sam@contoso.onmicrosoft.com", "Pass-word-2", "Sam Sample", demo=True),
    ]
