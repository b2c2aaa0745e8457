"""A page server that is no bottleneck: replies rendered before the first request, sent by asyncio from a process of its
own. It speaks just enough Web API for one scan: `$metadata`, pages of `accounts`, and 404 for everything else.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import cast

from tests.benchmarks.organisation import METADATA
from tests.benchmarks.pages import PAGE_ROWS, next_link, page, rows

__all__ = ["DISTINCT_PAGES", "ROOT", "PageServer"]

ROOT = Path(__file__).resolve().parents[2]
DISTINCT_PAGES = 20
"""After so many pages the keys repeat."""
_HEAD = (
    "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nOData-Version: 4.0\r\nContent-Length: {length}\r\n"
    "x-ms-service-request-id: 6f1c1c5e-5bd5-4c0c-9f6b-6d0c1a3e0001\r\nREQ_ID: 6f1c1c5e-5bd5-4c0c-9f6b-6d0c1a3e0001\r\n"
    "x-ms-ratelimit-burst-remaining-xrm-requests: 5999\r\nx-ms-ratelimit-time-remaining-xrm-requests: 1,199.71\r\n"
    "Set-Cookie: ARRAffinity=0a1b2c3d4e5f; path=/; secure; HttpOnly\r\nCache-Control: no-cache\r\n\r\n"
)
_PAGE = re.compile(rb"pagenumber=%22(\d+)%22")
_TOP = re.compile(rb"\$top=(\d+)")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NOT_FOUND = b'{"error":{"code":"0x8006088a","message":"Resource not found"}}'
_JSON = "application/json; odata.metadata=minimal"


class PageServer:
    """The server in a process of its own; a context manager. `url` is the organisation's, `latency` the milliseconds
    before each reply."""

    def __init__(self, row_count: int, page_rows: int = PAGE_ROWS, latency: float = 0) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.server", str(row_count), str(page_rows), str(latency)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    @property
    def root(self) -> str:
        """The service root, with a slash at its end."""
        return f"{self.url}/api/data/v9.2/"

    def __enter__(self) -> PageServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class _Replies:
    """Whole replies by page number. The rows of the first `DISTINCT_PAGES` come again and again after them."""

    def __init__(self, row_count: int, page_rows: int, root: str) -> None:
        self._rows = rows(min(row_count, DISTINCT_PAGES * page_rows))
        self._metadata = _reply(METADATA, "application/xml")
        self._nothing = _reply(_NOT_FOUND, _JSON, "404 Not Found")
        self._bodies: dict[tuple[int, int], bytes] = {}
        pages = max(1, -(-row_count // page_rows))
        self._pages = [
            self._page(number, page_rows, row_count, next_link(root, number + 2) if number + 1 < pages else None)
            for number in range(pages)
        ]

    def _page(self, number: int, page_rows: int, row_count: int, link: str | None) -> list[bytes]:
        """Head, rows, tail; pages with the same rows share them."""
        start = (number % DISTINCT_PAGES) * page_rows
        stop = start + min(page_rows, row_count - number * page_rows)
        if (start, stop) not in self._bodies:
            self._bodies[start, stop] = page(self._rows[start:stop])[:-1]
        body = self._bodies[start, stop]
        tail = f',"@odata.nextLink":"{link}"}}'.encode() if link else b"}"
        return [_head(len(body) + len(tail), _JSON), body, tail]

    def to(self, target: bytes) -> list[bytes]:
        """The reply to a request for `target`, in pieces."""
        path = target.partition(b"?")[0]
        if path.endswith(b"/$metadata"):
            return self._metadata
        if not path.endswith(b"/accounts"):
            return self._nothing
        top = _TOP.search(target)
        if top is not None:
            return _reply(page(self._rows[: int(top[1])]), _JSON)
        found = _PAGE.search(target)
        return self._pages[int(found[1]) - 1 if found else 0]


def _head(length: int, kind: str, status: str = "200 OK") -> bytes:
    return _HEAD.format(status=status, kind=kind, length=length).encode()


def _reply(body: bytes, kind: str, status: str = "200 OK") -> list[bytes]:
    return [_head(len(body), kind, status), body]


class _Connection(asyncio.Protocol):
    """One kept-alive connection, requests one after the other."""

    def __init__(self, replies: _Replies, latency: float) -> None:
        self._replies = replies
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._received, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            target = self._received.split(b" ", 2)[1]
            self._received = self._received[whole:]
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency / 1000, self._answer, target)
            else:
                self._answer(target)

    def _answer(self, target: bytes) -> None:
        for piece in self._replies.to(target):
            self._transport.write(piece)


async def _serve(row_count: int, page_rows: int, latency: float) -> None:
    replies: list[_Replies] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(replies[0], latency), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    replies.append(_Replies(row_count, page_rows, f"http://127.0.0.1:{port}/api/data/v9.2/"))
    print(port, flush=True)
    await server.serve_forever()


def main() -> None:
    """Print the port and serve until terminated."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=int)
    parser.add_argument("page_rows", type=int)
    parser.add_argument("latency", type=float)
    given = parser.parse_args()
    asyncio.run(_serve(given.rows, given.page_rows, given.latency))


if __name__ == "__main__":
    main()
