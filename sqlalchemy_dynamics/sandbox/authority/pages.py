"""The few pages a person sees: sign-in, device code, form_post hand-over, and plain messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from .people import User

__all__ = ["device_page", "form_post_page", "message_page", "sign_in_page"]

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b}"
    "label{display:block;margin-top:1rem}input,select,button{font:inherit;padding:.4rem;width:100%;box-sizing:border-box}"
    "button{margin-top:1rem;cursor:pointer}.note{color:#555}.error{color:#a00}"
)


def sign_in_page(
    application: str, users: Iterable[User], action: str, hidden: Mapping[str, str], hint: str = "", error: str = ""
) -> str:
    """The form that signs in and consents; it posts `hidden` to `action` with username, password and its button."""
    users = list(users)
    demo = ", ".join(f"{escape(user.username)} ({escape(user.password)})" for user in users if user.demo)
    known = "".join(f'<option value="{escape(user.username)}">{escape(user.name)}</option>' for user in users)
    body = (
        f"<p><strong>{escape(application)}</strong> asks to use Dynamics 365 as you.</p>"
        + _alert(error)
        + f'<form method="post" action="{escape(action)}">{_hidden(hidden)}'
        + f'<label>Account<input name="username" list="known" autocomplete="username" required '
        f'value="{escape(hint)}"></label><datalist id="known">{known}</datalist>'
        + '<label>Password<input name="password" type="password" autocomplete="current-password"></label>'
        + '<button name="action" value="accept">Sign in and accept</button>'
        + '<button name="action" value="cancel" formnovalidate>Cancel</button></form>'
        + f'<p class="note">A local sandbox with fictitious accounts: {demo}</p>'
    )
    return _page("Sign in", body)


def device_page(user_code: str = "", error: str = "") -> str:
    """The form into which a person types the code that a device shows."""
    body = (
        _alert(error) + f'<form method="post"><label>Code<input name="user_code" autocapitalize="characters" required '
        f'value="{escape(user_code)}"></label>'
        + '<label>Account<input name="username" autocomplete="username"></label>'
        + '<label>Password<input name="password" type="password" autocomplete="current-password"></label>'
        + '<button name="action" value="accept">Sign in and allow</button>'
        + '<button name="action" value="cancel" formnovalidate>Decline</button></form>'
    )
    return _page("Enter code", body)


def form_post_page(address: str, fields: Mapping[str, str]) -> str:
    """The page that carries an answer to the application by POST, by itself or by its button."""
    body = (
        f'<form method="post" action="{escape(address)}">{_hidden(fields)}'
        "<noscript><button>Continue</button></noscript></form><script>document.forms[0].submit()</script>"
    )
    return _page("Working…", body)


def message_page(title: str, text: str) -> str:
    """A page that only says something."""
    return _page(title, f"<p>{escape(text)}</p>")


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def _hidden(fields: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )


def _alert(error: str) -> str:
    return f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
