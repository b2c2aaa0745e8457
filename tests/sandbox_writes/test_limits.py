"""Service protection: 429 from real counters, the headers that count down, the timeout of a request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from sqlalchemy_dynamics.sandbox import Limits, Sandbox
from sqlalchemy_dynamics.sandbox.limits import Deadlines, Protection, refuse_too_large
from sqlalchemy_dynamics.sandbox.wire import Reply, Request


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def refusal(reply: Reply | None) -> tuple[int, str, str]:
    assert reply is not None
    return reply.status, reply.body.decode().split('"')[5], reply.headers["Retry-After"]


def test_requests_in_a_sliding_window() -> None:
    clock = Clock()
    protection = Protection(Limits(requests=3, window=300), clock)
    for _ in range(3):
        assert protection.enter("ann") is None
        left = protection.leave("ann", 0.5)
        clock.now += 10
    assert left["x-ms-ratelimit-burst-remaining-xrm-requests"] == "0"
    assert left["x-ms-ratelimit-time-remaining-xrm-requests"] == "1198.50"
    assert refusal(protection.enter("ann")) == (429, "0x80072322", "270")
    assert protection.enter("bob") is None
    clock.now += 271
    assert protection.enter("ann") is None


def test_who_does_not_wait_waits_longer() -> None:
    clock = Clock()
    protection = Protection(Limits(requests=1, window=300), clock)
    protection.enter("ann")
    protection.leave("ann", 0)
    waits = [int(refusal(protection.enter("ann"))[2]) for _ in range(30)]
    assert waits[0] == 300
    clock.now += 100
    waits = [int(refusal(protection.enter("ann"))[2]) for _ in range(30)]
    assert 200 < waits[0] < waits[-1] <= 300


def test_execution_time() -> None:
    clock = Clock()
    protection = Protection(Limits(seconds=10, window=300), clock)
    for seconds in (4, 6):
        assert protection.enter("ann") is None
        clock.now += seconds
        protection.leave("ann", seconds)
    status, code, wait = refusal(protection.enter("ann"))
    assert (status, code, wait) == (429, "0x80072321", "294")
    clock.now += 301
    assert protection.enter("ann") is None


def test_concurrency_bites_at_once_and_only_then() -> None:
    protection = Protection(Limits(concurrent=2), Clock())
    assert protection.enter("ann") is None
    assert protection.enter("ann") is None
    assert refusal(protection.enter("ann"))[:2] == (429, "0x80072326")
    protection.leave("ann", 0)
    assert protection.enter("ann") is None


def test_limits_can_be_off() -> None:
    protection = Protection(Limits(0, 0, 0), Clock())
    for _ in range(7000):
        assert protection.enter("ann") is None
    protection.leave("ann", 5000)
    assert protection.enter("ann") is None


def test_the_texts_are_those_of_the_service() -> None:
    protection = Protection(Limits(requests=6000), Clock())
    for _ in range(6000):
        protection.enter("ann")
        protection.leave("ann", 0)
    reply = protection.enter("ann")
    assert reply is not None
    assert b'"Number of requests exceeded the limit of 6000 over time window of 300 seconds."' in reply.body


def test_a_deadline_passes_once() -> None:
    clock = Clock()
    deadlines = Deadlines(120, clock)
    assert not deadlines.passed()
    deadlines.start(Request("GET", "accounts"))
    assert not deadlines.passed()
    clock.now += 121
    assert deadlines.passed()
    assert not deadlines.passed()


def test_over_http() -> None:
    with Sandbox(rows=5, limits=Limits(requests=5, concurrent=3)) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.access_token}"}
        with httpx.Client(base_url=f"{sandbox.url}/api/data/v9.2/", headers=headers) as client:
            left = [client.get("WhoAmI").headers["x-ms-ratelimit-burst-remaining-xrm-requests"] for _ in range(5)]
            refused = client.get("WhoAmI")
            unknown = client.get("WhoAmI", headers={"Authorization": ""})
            control = client.get(f"{sandbox.url}/_sandbox/requests")
    assert left == ["4", "3", "2", "1", "0"]
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "0x80072322")
    assert 290 < int(refused.headers["Retry-After"]) <= 300
    assert refused.headers["x-ms-dop-hint"]
    assert (unknown.status_code, control.status_code) == (401, 200)


def test_too_many_at_once_over_http() -> None:
    with Sandbox(rows=300, auth=False, limits=Limits(concurrent=1)) as sandbox, httpx.Client() as client:

        def ask(number: int) -> int:
            url = f"{sandbox.url}/api/data/v9.2/contacts?$filter=contains(fullname,'{number}')"
            return client.get(url).status_code

        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(ask, range(40)))
    assert found == {200, 429}


def test_a_query_that_runs_too_long_is_ended() -> None:
    with Sandbox(rows=2000, auth=False, limits=Limits(timeout=1e-9)) as sandbox:
        sandbox.service.store.touch("contact")
        reply = httpx.get(
            f"{sandbox.url}/api/data/v9.2/contacts?$filter=contains(fullname,'zz') or endswith(fullname,'q')"
        )
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, "0x80044151")


def test_a_message_may_not_be_endless() -> None:
    body = bytes(123_000_000)
    reply = refuse_too_large(Request("POST", "accounts", body=body))
    assert reply is not None
    assert (reply.status, b"0x8004418a" in reply.body) == (413, True)
    headers = {"content-type": "application/octet-stream"}
    assert refuse_too_large(Request("PATCH", "new_samples(1)/new_document", headers=headers, body=body)) is None
