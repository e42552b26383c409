"""Ends what is open when the server stops: each request gets a whole answer, and nothing is cut."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from fastapi.responses import PlainTextResponse

from page import texts


class OpenRequests:
    """The requests that are being answered."""

    def __init__(self) -> None:
        self.ending = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, task: asyncio.Task[Any]) -> None:
        """Note a request that has begun."""
        self._loop = task.get_loop()
        self._tasks.add(task)

    def discard(self, task: asyncio.Task[Any]) -> None:
        """Note that one is done."""
        self._tasks.discard(task)

    def end(self, seconds: float) -> None:
        """Let them end by themselves for so long at most, then end them; from another thread."""
        until = time.monotonic() + seconds
        while self._tasks and time.monotonic() < until:
            time.sleep(0.02)
        self.ending = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()


class Ending:
    """ASGI middleware that notes open requests, and tells those that are ended why."""

    def __init__(self, app: Any, requests: OpenRequests) -> None:
        self._app, self._requests = app, requests

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on; one that is ended is answered here, as far as it was not."""
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self._app(scope, receive, send)
            return
        begun = False

        async def noted(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        self._requests.add(task)
        try:
            await self._app(scope, receive, noted)
        except asyncio.CancelledError:
            if not self._requests.ending:
                raise
            task.uncancel()
            if not begun:
                await PlainTextResponse(texts.STOPPING, 503)(scope, receive, send)
            else:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._requests.discard(task)
