"""State and status reason belong together; some states are reached only by an action (section 5.5)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy_dynamics.sandbox.failures import ODataError
from sqlalchemy_dynamics.sandbox.schema import Table

__all__ = ["default_status", "settle_state"]

_BY_ACTION: dict[tuple[str, int], tuple[str, str]] = {
    ("opportunity", 1): ("0x80100005", "won"),
    ("opportunity", 2): ("0x80100005", "lost"),
    ("incident", 1): ("0x80040216", "Resolved"),
}
_MESSAGES = {"won": "won", "lost": "lost", "Resolved": "CloseIncidentRequest"}


def settle_state(
    table: Table, values: dict[str, object], current: Mapping[str, object], by_action: bool = False
) -> None:
    """Complete and check `statecode` and `statuscode` among the values to be stored.

    `current` is the row before, empty on create. Raises ODataError 400 (0x80048408) for a pair that does not belong
    together, and for a change that needs an action such as WinOpportunity.
    """
    if "statecode" not in table.columns or not {"statecode", "statuscode"} & values.keys():
        return
    choice = table.columns["statecode"].choice
    if choice is None or not choice.options:
        return
    before = current.get("statecode", table.columns["statecode"].default)
    state = values.get("statecode", before)
    _check_action(table, state, before, by_action)
    if values.get("statuscode") is None:
        changed = state != current.get("statecode")
        values["statuscode"] = default_status(table, state) if changed else current.get("statuscode")
    _check_pair(table, state, values["statuscode"])
    values["statecode"] = state


def _check_action(table: Table, state: object, before: object, by_action: bool) -> None:
    needed = _BY_ACTION.get((table.name, int(str(state)))) if state is not None else None
    if needed is not None and state != before and not by_action:
        code, name = needed
        raise ODataError(
            400,
            code,
            (
                f"This message can not be used to set the state of {table.name} to {name}. In order to set state of "
                f"{table.name} to {name}, use the {_MESSAGES[name]} message instead."
            ),
        )


def default_status(table: Table, state: object) -> int | None:
    """Return the status reason a state has by default; raises ODataError 400 for an unknown state."""
    choice = table.columns["statecode"].choice
    option = choice.option(int(str(state))) if choice and state is not None else None
    if option is None:
        raise _invalid()
    return option.default_status


def _check_pair(table: Table, state: object, status: object) -> None:
    default_status(table, state)
    choice = table.columns["statuscode"].choice if "statuscode" in table.columns else None
    if choice is None or status is None:
        return
    option = choice.option(int(str(status)))
    if option is None or option.state not in (None, state):
        raise _invalid()


def _invalid() -> ODataError:
    return ODataError(
        400,
        "0x80048408",
        ("State code is invalid or state code is valid but status code is invalid for a specified state code."),
    )
