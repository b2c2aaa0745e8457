"""Definitions of many tables asked for in batches."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy_dynamics.errors import DataverseError
from sqlalchemy_dynamics.metadata.definitions import enrich, requests_for
from sqlalchemy_dynamics.metadata.model import Table
from sqlalchemy_dynamics.odata.batch import pack, unpack
from sqlalchemy_dynamics.odata.messages import HttpRequest, HttpResponse, Send

__all__ = ["PARTS_PER_BATCH", "enriched", "is_refusal"]

PARTS_PER_BATCH = 250
"""Far below what a batch may hold: one round trip must end within Timeout."""


def enriched(send: Send, tables: Iterable[Table]) -> Iterator[Table]:
    """Yield the tables enriched, in order; those whose definitions are refused as they are.

    Raises what `send` raises for anything but a refusal, and OperationalError for replies that make no sense.
    """
    for chunk in _chunks(tables):
        requests = [requests_for(table) for table in chunk]
        replies = _replies(send, [request for group in requests for request in group])
        for table, group in zip(chunk, requests, strict=True):
            yield enrich(table, replies[: len(group)])
            replies = replies[len(group) :]


def is_refusal(error: DataverseError) -> bool:
    """Whether the organisation will not tell, now or later."""
    return error.status in (400, 403, 404, 405, 501)


def _chunks(tables: Iterable[Table]) -> Iterator[list[Table]]:
    """The tables in groups whose requests make one batch."""
    chunk: list[Table] = []
    parts = 0
    for table in tables:
        count = len(requests_for(table))
        if chunk and parts + count > PARTS_PER_BATCH:
            yield chunk
            chunk, parts = [], 0
        chunk.append(table)
        parts += count
    if chunk:
        yield chunk


def _replies(send: Send, requests: Sequence[HttpRequest]) -> list[HttpResponse]:
    """The replies in order; none when the organisation refuses the whole."""
    if not requests:
        return []
    batch = pack(requests, f"batch_{secrets.token_hex(16)}", continue_on_error=True)
    try:
        replies = unpack(send(batch), len(requests))
    except DataverseError as error:
        if is_refusal(error):
            return []
        raise
    return [reply for reply in replies if isinstance(reply, HttpResponse)]
