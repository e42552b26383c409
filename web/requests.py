"""Every request has an id, which it is logged under wherever it is worked on, and is counted.

The id comes back in the header X-Request-Id, and stands in what a person is told went wrong.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import HTTPConnection

from index import logs
from web.audit import Audit
from web.who import who

if TYPE_CHECKING:
    from web.metrics import Metrics

logger = logging.getLogger("tanya.requests")

HEADER = "x-request-id"

# An id that a proxy made is taken; one that could be anything else in a log is not.
_PLAIN = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KEY = "tanya.request"
_NO_RESPONSE = 499

_ASKED_ANEW = ("/page/", "/gradio_api/", "/healthz", "/readyz", "/metrics", "/assets", "/static")
"""Beginnings of routes that a page or a monitor asks for by itself, again and again."""

_Step = TypeVar("_Step")


@dataclass(frozen=True, slots=True)
class Served:
    """A request that is being served, and what is told of it."""

    id: str
    connection: HTTPConnection
    metrics: Metrics
    audit: Audit

    def note(self, event: str, **facts: object) -> None:
        """Write a line of the audit log: who did what, when."""
        asking = who(self.connection)
        whose = {"name": asking.name, "address": asking.address, "request_id": self.id}
        self.audit.note(event, **{**whose, **facts})


_served: ContextVar[Served | None] = ContextVar("served", default=None)


def served() -> Served | None:
    """Return the request that is being served here; None in a thread that serves none."""
    return _served.get()


def note(event: str, **facts: object) -> None:
    """Write a line of the audit log about the request that is being served, if one is.

    Whose it is stands there by itself; where that is not decided yet, `facts` say it.
    Give no secret: no password, and no name that somebody typed who failed to log in with it.
    """
    if found := served():
        found.note(event, **facts)


@contextmanager
def serving(served: Served) -> Iterator[None]:
    """Take what happens meanwhile for the work on one request, which came by no HTTP."""
    before = _served.set(served)
    try:
        yield
    finally:
        _served.reset(before)


def context_of(connection: HTTPConnection) -> contextvars.Context:
    """Return the context of a request, for a thread that something else than it has started."""
    context = contextvars.copy_context()
    found = connection.scope.get(_KEY)
    context.run(_served.set, found)
    context.run(logs.request_id.set, found.id if found else "")
    return context


async def following(
    context: contextvars.Context, steps: AsyncIterator[_Step]
) -> AsyncIterator[_Step]:
    """Yield what comes, each step in one context, whichever task takes it."""

    async def next_step() -> _Step | None:
        return await anext(steps, None)

    while True:
        step = await asyncio.create_task(next_step(), context=context)
        if step is None:
            return
        yield step


class RequestLog:
    """ASGI middleware, the outermost: gives a request its id, logs and counts it at its end."""

    def __init__(self, app: Any, metrics: Metrics, audit: Audit) -> None:
        self._app, self._metrics, self._audit = app, metrics, audit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        found = Served(_id(scope), HTTPConnection(scope), self._metrics, self._audit)
        scope[_KEY] = found
        scope.setdefault("state", {})["request_id"] = found.id
        _served.set(found)
        logs.request_id.set(found.id)
        status = 0

        async def send_with_id(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                others = [pair for pair in message["headers"] if pair[0].lower() != HEADER.encode()]
                message["headers"] = [*others, (HEADER.encode(), found.id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
            status = status or _NO_RESPONSE
        finally:
            self._over(found, status or 500, time.perf_counter() - began)

    def _over(self, found: Served, status: int, seconds: float) -> None:
        scope = found.connection.scope
        method, route = scope["method"], route_of(scope)
        self._metrics.requested(method, route, status)
        often = method in ("GET", "HEAD") and route.startswith(_ASKED_ANEW)
        level = logging.DEBUG if often and status < 400 else logging.INFO
        asking = who(found.connection)
        told = {"address": asking.address, "name": asking.name, "status": status}
        # Without its query: what is asked stands in the audit log alone, and no token anywhere.
        line = f"{method} {logs.plain(scope['path'], 200)}"
        logger.log(
            logging.WARNING if status >= 500 else level,
            "%s",
            line,
            extra=logs.facts(**told, seconds=seconds),
        )


def _id(scope: Any) -> str:
    given = [value for name, value in scope["headers"] if name == HEADER.encode()]
    if len(given) == 1 and _PLAIN.fullmatch(given[0]):
        return str(given[0], "ascii")
    return secrets.token_hex(6)


def route_of(scope: Any) -> str:
    """Return the template of the route that a request went to, "" where there is none."""
    return str(getattr(scope.get("route"), "path", ""))
