"""Bodies of requests: read up to a bound, before anything looks into them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from page import texts

LONGEST_BODY = 64 * 1024
"""Bytes of a question, or of anything else that a person or a program types."""

LONGEST_LIST = 4_000_000
"""Bytes of the list of the files of an upload."""


async def bounded(request: Request, most: int) -> Request | None:
    """Return a request with its body read; None where that has more than so many bytes."""
    body = bytearray()
    async for some in request.stream():
        body += some
        if len(body) > most:
            return None

    return Request(request.scope, replayed(bytes(body), request.receive))


def replayed(body: bytes, receive: Any) -> Any:
    """Return what gives a body that was read, once more; then what `receive` does.

    What comes after a body is that the client has gone.
    """
    first = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return first.pop() if first else await receive()

    return again


class BoundedRoute(APIRoute):
    """A route of the page that takes no longer body than a person types; else it answers 413."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what handles a request once its body is bounded."""
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            whole = await bounded(request, LONGEST_BODY)
            if whole is None:
                raise HTTPException(413, texts.REQUEST_UNREADABLE)
            return await handler(whole)

        return handled
