"""The PEP 249 exception tree, and beside it what Dataverse adds to an error: status, code, request id."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

__all__ = [
    "AuthenticationError",
    "DataError",
    "DatabaseError",
    "DataverseAuthenticationError",
    "DataverseDataError",
    "DataverseError",
    "DataverseIntegrityError",
    "DataverseNotSupportedError",
    "DataverseOperationalError",
    "DataverseProgrammingError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "StatementCancelled",
    "ThrottledError",
    "Warning",
]


class Warning(builtins.Warning):
    """Important warnings, such as a rollback that cannot undo writes already sent."""


class Error(Exception):
    """Base of every error this package raises on purpose."""


class InterfaceError(Error):
    """The call or a connection property is wrong; nothing was sent."""


class DatabaseError(Error):
    """Base of the errors that come from planning or running a statement.

    `results` of a write that failed says what became of each row: (row from 1, key, outcome, error).
    """

    results: Sequence[Any] = ()


class DataError(DatabaseError):
    """A value is out of range, too long or of the wrong type."""


class OperationalError(DatabaseError):
    """The service, the network, the sign-in or a limit stopped the work."""


class IntegrityError(DatabaseError):
    """A key, alternate key or relationship forbids the change."""


class InternalError(DatabaseError):
    """The residual engine or this package failed; please report it."""


class ProgrammingError(DatabaseError):
    """The SQL is wrong, or names something that does not exist."""


class NotSupportedError(DatabaseError):
    """The Web API, or this package, cannot do what was asked."""


class AuthenticationError(OperationalError):
    """No valid token could be had, or the service refused it (HTTP 401)."""


class StatementCancelled(OperationalError):
    """`cursor.cancel()` stopped the running statement between two pages."""


class DataverseError(DatabaseError):
    """An error reply of the Web API.

    `status` is the HTTP status, `code` the Dataverse code (``0x80040217``, may be ``""``), `request_id` the
    service's ``x-ms-service-request-id`` (or ``REQ_ID``), `retry_after` seconds or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str = "",
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args), self.__dict__)


def _rebuild(kind: type[DataverseError], args: tuple[str]) -> DataverseError:
    return kind(*args)


class DataverseOperationalError(DataverseError, OperationalError):
    """Access denied, a limit, or the service is unavailable."""


class DataverseAuthenticationError(DataverseOperationalError, AuthenticationError):
    """HTTP 401: the service refused the token."""


class ThrottledError(DataverseOperationalError):
    """HTTP 429 after the retries were used up; `retry_after` says how long the service asks to wait."""


class DataverseProgrammingError(DataverseError, ProgrammingError):
    """The service found the request malformed, or a name unknown."""


class DataverseIntegrityError(DataverseError, IntegrityError):
    """HTTP 412 duplicates, version mismatches, and deletes that a relationship restricts."""


class DataverseDataError(DataverseError, DataError):
    """A value is out of its column's range or length."""


class DataverseNotSupportedError(DataverseError, NotSupportedError):
    """The service does not implement what was asked (405, 501, 0x80040315)."""
