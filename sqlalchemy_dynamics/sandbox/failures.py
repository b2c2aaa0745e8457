"""What the sandbox refuses: one exception that carries the HTTP answer, and the texts the service is known for."""

from __future__ import annotations

from sqlalchemy_dynamics.sandbox.switches import Answer

__all__ = [
    "NAMESPACE",
    "ODataError",
    "Refused",
    "bad_request",
    "incompatible_types",
    "no_such_row",
    "no_such_segment",
    "payload_refusal",
    "undefined_key",
    "unknown_property",
]

NAMESPACE = "Microsoft.Dynamics.CRM"


class ODataError(Exception):
    """A refusal: `status`, Dataverse `code` and `message` of the reply, and headers to add to it."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


class Refused(ODataError):
    """A refusal whose answer comes from the table of switches."""

    def __init__(self, answer: Answer, **parts: object) -> None:
        super().__init__(answer.status, answer.code, answer.message.format(**parts))


def bad_request(message: str, code: str = "0x0") -> ODataError:
    """Return a 400; code ``0x0`` is what the OData parser of the service gives."""
    return ODataError(400, code, message)


def payload_refusal(message: str, entity: str = "") -> ODataError:
    """Return the 400 for a body or arguments that the OData layer does not understand (0x80048d19)."""
    return ODataError(
        400,
        "0x80048d19",
        f"Error identified in Payload provided by the user for Entity :'{entity}', For more information on this error "
        "please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : "
        f"Microsoft.OData.ODataException: {message}",
    )


def incompatible_types(left: str, right: str, operator: str) -> ODataError:
    """Return the 400 for a comparison of two types that do not compare (section 4.2)."""
    return bad_request(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{left}' and '{right}' for operator kind '{operator}'."
    )


def unknown_property(name: str, table: str) -> ODataError:
    """Return the 400 for a name that is no property of the table (section 4.1)."""
    return bad_request(f"Could not find a property named '{name}' on type '{NAMESPACE}.{table}'.")


def no_such_segment(name: str) -> ODataError:
    """Return the 404 for a path segment that names nothing (section 1.1)."""
    return ODataError(404, "0x8006088a", f"Resource not found for the segment '{name}'.")


def no_such_row(table: str, row_id: str) -> ODataError:
    """Return the 404 for a row that is not there (0x80040217)."""
    return ODataError(404, "0x80040217", f"{table} With Id = {row_id} Does Not Exist")


def no_such_key(table: str) -> ODataError:
    """Return the 404 for alternate-key values that no row has (0x80060891)."""
    return ODataError(404, "0x80060891", f"A record with the specified key values does not exist in {table} entity")


def undefined_key(table: str) -> ODataError:
    """Return the 400 for key names that are no key of the table (section 4.12)."""
    return bad_request(
        f"The key in the request URI is not valid for resource '{NAMESPACE}.{table}'. Ensure that the names and number "
        "of key properties match the key properties for the resource."
    )
