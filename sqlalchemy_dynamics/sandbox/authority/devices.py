"""The device code flow: the device's request, and the page where a person types the code."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from .calls import Call
from .failures import Refused
from .pages import device_page, message_page
from .realm import Realm

__all__ = ["approve_device", "device_answer", "device_entry"]


def device_answer(call: Call) -> dict[str, Any]:
    """The body a device gets: its code, the person's code and where to type it. Raises `Refused`."""
    realm, client = call.realm, call.client()
    value, device = realm.grants.new_device(client, call.wanted(), call.asked())
    page = f"{realm.url}/devicelogin"
    if realm.consent != "ask":
        approve_device(realm, device.user_code, decline=realm.consent == "deny")
    return {
        "user_code": device.user_code,
        "device_code": value,
        "verification_uri" if call.style != "v1" else "verification_url": page,
        "expires_in": _number(call, int(realm.grants.device_lifetime)),
        "interval": _number(call, realm.device_interval),
        "message": f"To sign in, use a web browser to open the page {page} and enter the code {device.user_code} "
        "to authenticate.",
    }


def approve_device(realm: Realm, user_code: str, username: str = "", *, decline: bool = False) -> None:
    """Let a person (the first one unless named) allow or decline a device. Raises `Refused` 70018, 50034, 50057."""
    device = realm.grants.device_by_user_code(user_code)
    if decline:
        device.declined = True
        return
    user = realm.find_user(username or realm.users[0].username)
    device.session = realm.grants.open_session(device.client, user, device.wanted, device.asked)


def device_entry(request: Request, call: Call) -> Response:
    """The page of `/devicelogin`: GET asks, POST checks code, account and password."""
    user_code, username = call.text("user_code"), call.text("username")
    if request.method == "GET":
        return HTMLResponse(device_page(call.text("otc")))
    declined = call.text("action") == "cancel"
    try:
        if not declined:
            call.realm.find_user(username, call.text("password"))
        approve_device(call.realm, user_code, username, decline=declined)
    except Refused as refused:
        return HTMLResponse(device_page(user_code, refused.text), status_code=400)
    return HTMLResponse(message_page("Done", "You may close this window."))


def _number(call: Call, number: int) -> int | str:
    return str(number) if call.style == "v1" else number
