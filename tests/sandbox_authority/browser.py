"""A person at a browser, and MSAL's HTTP client, for the tests of the sign-in service."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx


class Clock:
    """A clock that a test moves; it starts with the real one, by which MSAL dates its assertions."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


Token = Callable[..., httpx.Response]


@dataclass
class Form:
    """The one form of a page: where it goes and what it holds."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.form = Form(given.get("action", ""))
        elif tag == "input" and self.form:
            self.form.fields[given["name"]] = given.get("value", "")


def read_form(page: httpx.Response) -> Form:
    """The form on a page, its action absolute."""
    reader = _Reader()
    reader.feed(page.text)
    assert reader.form is not None, page.text
    return Form(urljoin(str(page.url), reader.form.action), reader.form.fields)


def sign_in(
    http: httpx.Client, page: httpx.Response, username: str, password: str, action: str = "accept"
) -> httpx.Response:
    """Fill in the sign-in page and press a button."""
    form = read_form(page)
    return http.post(form.action, data={**form.fields, "username": username, "password": password, "action": action})


def answer_of(response: httpx.Response) -> dict[str, str]:
    """What the application gets: from the redirect's query or fragment, or from the form_post page."""
    if response.status_code == 302:
        parts = urlsplit(response.headers["location"])
        return dict(parse_qsl(parts.query or parts.fragment))
    return read_form(response).fields


class MsalHttp:
    """The least that MSAL needs of an HTTP client, over httpx."""

    def __init__(self, client: httpx.Client, port: int) -> None:
        self._client, self._port = client, port

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        return self._client.get(self._with_port(url), params=_texts(params), headers=_texts(headers))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        return self._client.post(url, params=_texts(params), data=_texts(data), headers=_texts(headers))

    def close(self) -> None:
        self._client.close()

    def _with_port(self, url: str) -> str:
        """MSAL forgets the port when it asks for the user realm."""
        return url.replace("https://localhost/", f"https://localhost:{self._port}/")


def _texts(given: Mapping[str, Any] | None) -> dict[str, str]:
    return {
        name: value.decode() if isinstance(value, bytes) else str(value)
        for name, value in (given or {}).items()
        if value is not None
    }
