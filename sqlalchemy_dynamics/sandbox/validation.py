"""What a value must be to be stored: length, range, choice, required (section 5.5); and the texts of the refusals."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from sqlalchemy_dynamics.sandbox.failures import NAMESPACE, ODataError, payload_refusal
from sqlalchemy_dynamics.sandbox.schema import Column, Table
from sqlalchemy_dynamics.sandbox.values import scale_of, store_value
from sqlalchemy_dynamics.sandbox.wire import Service

__all__ = ["checked_value", "invalid_property", "payload_error", "required_missing", "unsupported_message"]

_MOST_CHOICES = 150
_INTEGERS = {"Integer": (-(2**31), 2**31 - 1), "BigInt": (-(2**63), 2**63 - 1)}
_NUMBERS = {"Money": 922_337_203_685_477.0, "Decimal": 1e11, "Double": 1e11}
_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF", b"\0\0\1\0")


def payload_error(table: Table, message: str) -> ODataError:
    """Return the 400 for a body the OData layer does not understand (0x80048d19)."""
    return payload_refusal(message, table.set_name or table.name)


def invalid_property(table: Table, name: str) -> ODataError:
    """Return the 400 for a name in a body that is no property of the table (section 5.1)."""
    return ODataError(
        400,
        "0x80048d19",
        "An error occurred while validating input parameters: Microsoft.Crm.CrmException: Invalid property "
        f"'{name}' was found in entity '{NAMESPACE}.{table.name}'. ---> Microsoft.OData.ODataException: Does not "
        "support untyped value in non-open type.",
    )


def undeclared_property(table: Table, name: str) -> ODataError:
    """Return the 400 for an annotation (``@odata.bind``) of a name the table does not have (section 5.1)."""
    return payload_error(
        table,
        (
            f"An undeclared property '{name}' which only has property annotations in the payload but no property "
            "value was found in the payload. In OData, only declared navigation properties and declared named "
            "streams can be represented as properties without values."
        ),
    )


def required_missing() -> ODataError:
    """Return the 400 for null in a column that must have a value."""
    return ODataError(400, "0x80040200", "Required field missing.")


def unsupported_message(message: str, table: str) -> ODataError:
    """Return the 400 for an operation a table does not have."""
    return ODataError(400, "0x80040800", f"The '{message}' method does not support entities of type '{table}'.")


def checked_value(service: Service, table: Table, column: Column, value: object) -> object:
    """Return the stored form of a JSON value; raises ODataError 400 when type, length, range or choice is wrong."""
    stored = store_value(column, value, service.switches.empty_string_is_null)
    if stored is None:
        if column.required == "SystemRequired":
            raise required_missing()
        return None
    check = _CHECKS.get(column.kind)
    if check is not None:
        check(table, column, stored)
    return stored


def _length(table: Table, column: Column, value: object) -> None:
    if len(str(value).encode("utf-16-le")) // 2 > column.max_length:
        raise ODataError(
            400,
            "0x80044331",
            (
                f"A validation error occurred.  The length of the '{column.name}' attribute of the '{table.name}' "
                f"entity exceeded the maximum allowed length of '{column.max_length}'."
            ),
        )


def _out_of_range(table: Table, column: Column, code: str, detail: str = "") -> ODataError:
    return ODataError(
        400,
        code,
        (
            f"A validation error occurred.  The value {detail}of '{column.name}' on record of type '{table.name}' is "
            "outside the valid range."
        ),
    )


def _integer(table: Table, column: Column, value: object) -> None:
    low, high = _INTEGERS[column.kind]
    least = low if column.minimum is None else max(low, int(column.minimum))
    most = high if column.maximum is None else min(high, int(column.maximum))
    if not least <= int(str(value)) <= most:
        raise _out_of_range(table, column, "0x8004432f")


def _number(table: Table, column: Column, value: object) -> None:
    number = float(str(value)) / 10 ** scale_of(column)
    least = -_NUMBERS[column.kind] if column.minimum is None else column.minimum
    most = _NUMBERS[column.kind] if column.maximum is None else column.maximum
    if not least <= number <= most:
        raise _out_of_range(table, column, "0x80044330")


def _choice(table: Table, column: Column, value: object) -> None:
    _known(table, column, int(str(value)))


def _choices(table: Table, column: Column, value: object) -> None:
    values = [int(part) for part in str(value).split(",")]
    if len(values) > _MOST_CHOICES:
        raise _out_of_range(table, column, "0x8004431a")
    for each in values:
        _known(table, column, each)


def _known(table: Table, column: Column, value: int) -> None:
    if column.choice is None or not column.choice.options or column.choice.option(value):
        return
    accepted = ",".join(str(option.value) for option in column.choice.options)
    refusal = _out_of_range(table, column, "0x8004431a", f"{value} ")
    raise ODataError(400, refusal.code, f"{refusal.message} Accepted Values: {accepted}")


def _image(table: Table, column: Column, value: object) -> None:
    try:
        content = base64.b64decode(str(value), validate=True)
    except binascii.Error:
        content = b""
    if not content.startswith(_IMAGES):
        raise ODataError(400, "0x80072553", "Invalid image: the data is not an image of a supported format.")


_CHECKS: dict[str, Callable[[Table, Column, object], None]] = {
    "String": _length,
    "Memo": _length,
    "Integer": _integer,
    "BigInt": _integer,
    "Decimal": _number,
    "Money": _number,
    "Double": _number,
    "Picklist": _choice,
    "MultiSelectPicklist": _choices,
    "Image": _image,
}
