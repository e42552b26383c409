"""Bodies of requests: read up to a bound, before anything looks into them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from page import texts

LONGEST_BODY = 64 * 1024
"""Bytes of a question, or of anything else that a person or a program types."""


async def bounded(request: Request, most: int) -> Request | None:
    """Return a request with its body read; None where that has more than so many bytes."""
    body = bytearray()
    async for some in request.stream():
        body += some
        if len(body) > most:
            return None

    read = False

    async def again() -> Any:
        nonlocal read
        if read:
            # What comes after the body is that the client has gone.
            return await request.receive()
        read = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return Request(request.scope, again)


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
