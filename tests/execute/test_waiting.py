"""Waiting for a reply: one that comes just when a step of the wait ends is a reply, and a failure is its own."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet

import pytest

from sqlalchemy_dynamics.errors import StatementCancelled
from sqlalchemy_dynamics.execute import fetch
from sqlalchemy_dynamics.execute.requests import Ask
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse
from sqlalchemy_dynamics.odata.pages import Page
from sqlalchemy_dynamics.odata.query import Query

ASK = Ask(Query("accounts"), ())
REPLY = HttpResponse(200, body=b'{"value":[]}')


class _Late(Future[HttpResponse]):
    """Done by the time that the one who did not want to wait longer looks again."""

    def result(self, timeout: float | None = None) -> HttpResponse:
        if timeout is not None and not self.done():
            self.set_result(REPLY)
            raise NotYet
        return super().result()


class _Pool:
    def __init__(self, future: Future[HttpResponse]) -> None:
        self._future = future

    def submit(self, *_: object) -> Future[HttpResponse]:
        return self._future


def _send(request: HttpRequest) -> HttpResponse:
    raise AssertionError(f"the pool does not send {request.url}")


def _pages(future: Future[HttpResponse], patch: pytest.MonkeyPatch, cancelled: bool = False) -> list[list[int]]:
    patch.setattr(fetch, "pool", lambda: _Pool(future))
    stop = threading.Event()
    fetcher = fetch.Fetcher(_send, lambda body: Page([len(body)], None), len, stop)
    under_way = fetcher.pages(ASK)
    if cancelled:
        threading.Timer(0.01, stop.set).start()
    return list(under_way)


def _finish(future: Future[HttpResponse]) -> None:
    if not future.done():
        future.set_result(REPLY)


def test_a_reply_at_the_end_of_a_step_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    late = _Late()
    threading.Timer(0.01, _finish, (late,)).start()
    assert _pages(late, monkeypatch) == [[len(REPLY.body)]]


def test_a_request_that_timed_out_fails_as_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    failed: Future[HttpResponse] = Future()
    failed.set_exception(NotYet("its own"))
    with pytest.raises(NotYet, match="its own"):
        _pages(failed, monkeypatch)


def test_a_cancel_is_heard_while_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StatementCancelled):
        _pages(Future(), monkeypatch, cancelled=True)
