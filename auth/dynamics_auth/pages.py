"""The small pages a browser ends on after the sign-in. Fixed texts only: nothing of the request is repeated."""

from __future__ import annotations

import base64
import hashlib
import html

__all__ = ["CONTENT_SECURITY_POLICY", "PAGES", "render"]

PAGES: dict[str, tuple[int, str, str]] = {
    "received": (
        200,
        "Sign-in received",
        "You can close this window and go back to your program. It finishes the sign-in by itself.",
    ),
    "declined": (
        200,
        "Sign-in not completed",
        "The login service did not grant access. Close this window, go back to your program and read its message; "
        "then try again.",
    ),
    "mismatch": (
        400,
        "This answer belongs to another sign-in",
        "Your program is still waiting. Use the browser window it opened last, or start the sign-in again.",
    ),
    "malformed": (
        400,
        "This answer cannot be used",
        "Your program is still waiting. Use the browser window it opened last, or start the sign-in again.",
    ),
    "too_late": (
        409,
        "This sign-in is already done",
        "An answer was received before. Close this window and go back to your program.",
    ),
    "not_found": (404, "Nothing here", "This address only receives the answer of a sign-in."),
    "wrong_host": (421, "Wrong address", "This service only answers to its own loopback address."),
}
"""Name → status, heading, what to do next."""

_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;background:#fff;color:#1b1b1b}"
    "main{max-width:36rem;margin:15vh auto 0;padding:0 1.5rem}"
    "h1{font-size:1.6rem;line-height:1.25;margin:0 0 .75rem}p{margin:0}"
    "@media (prefers-color-scheme:dark){body{background:#1b1b1b;color:#f2f2f2}}"
)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def render(name: str) -> tuple[int, bytes]:
    """Status and UTF-8 HTML of a page."""
    status, heading, advice = PAGES[name]
    role = "status" if status == 200 else "alert"
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(heading)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f'<body>\n<main role="main">\n<div role="{role}">\n<h1>{html.escape(heading)}</h1>\n'
        f"<p>{html.escape(advice)}</p>\n</div>\n</main>\n</body>\n</html>\n"
    )
    return status, page.encode()
