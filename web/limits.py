"""How much one user or address may ask, and how much at once: everybody else is still served."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.requests import HTTPConnection

from index.settings import LimitsSettings
from page import texts
from web.addresses import near
from web.front import Refusal
from web.who import who

_MINUTE = 60.0
_MOST_KEYS = 10_000
_PATIENCE = 10.0
"""Seconds that a request waits for others of the same user or address."""
_MOST_WAITING = 300
_BUSY = "busy"

_QUESTION_OF_PAGE = "/gradio_api/queue/join"
_QUESTIONS = ("/api/ask", "/api/search", "/mcp")


class Buckets:
    """Counts by key what may be done `most` times a minute; so many at once, if it is the first."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one; return 0, or where none is left the seconds until there is one."""
        now = self._clock()
        left, then = self._left.pop(key, (float(self._most), now))
        left = min(left + (now - then) * self._most / _MINUTE, self._most)
        enough = left >= 1
        self._left[key] = (left - 1 if enough else left), now
        if len(self._left) > _MOST_KEYS:
            self._left.popitem(last=False)
        return 0.0 if enough else (1 - left) * _MINUTE / self._most


def busy(connection: HTTPConnection) -> int:
    """Return the seconds after which a question of the page may be asked again; 0 for now."""
    return int(getattr(connection.state, _BUSY, 0))


class Limits:
    """ASGI middleware that keeps one user, or one address of those without a name, within limits.

    A browser on this machine may ask as often as it likes. Of what comes at once some is served,
    the rest waits its turn; streams of events are counted for themselves.
    """

    def __init__(
        self, app: Any, limits: LimitsSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app, self._limits = app, limits
        self._requests = Buckets(limits.requests, clock)
        self._questions = Buckets(limits.questions, clock)
        self._served: Counter[str] = Counter()
        self._streams: Counter[str] = Counter()
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request in its turn, or answer 429."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        found = who(HTTPConnection(scope))
        key = found.name or near(found.address)
        # Whoever sits at this machine is an operator without a name; a proxy on it is not.
        at_this_machine = found.role == "operator" and not found.name
        wait = 0.0 if at_this_machine else self._wait(scope, key)
        path = scope["path"]
        # What a program asks holds up no page of the same address.
        place = f"{key} program" if path.startswith(_QUESTIONS) else key
        if wait or self._streams[key] >= self._limits.streams or not await self._begin(place):
            again = math.ceil(wait) or 5
            await _too_many(again).response(path)(scope, receive, send)
            return
        streaming = False

        async def send_on(message: Any) -> None:
            nonlocal streaming
            if message["type"] == "http.response.start" and _is_stream(message):
                streaming = True
                self._streams[key] += 1
                self._end(place)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        finally:
            if streaming:
                _count_down(self._streams, key)
            else:
                self._end(place)

    def serving(self, key: str) -> int:
        """Return how many requests of a user or address are being served, without streams."""
        return self._served[key]

    def _wait(self, scope: Any, key: str) -> float:
        """Return the seconds that a request has to wait, 0 for none.

        A question of the page is told of in the place of its answer, so it goes on.
        """
        wait = self._requests.take(key)
        if wait:
            return wait
        if scope["path"] == _QUESTION_OF_PAGE:
            scope.setdefault("state", {})[_BUSY] = math.ceil(self._questions.take(key))
        elif scope["path"].startswith(_QUESTIONS):
            return self._questions.take(key)
        return 0.0

    async def _begin(self, key: str) -> bool:
        """Wait for a place of a key's; tell whether there was one in time."""
        if self._served[key] < self._limits.at_once:
            self._served[key] += 1
            return True
        waiting = self._waiting.setdefault(key, [])
        if len(waiting) >= _MOST_WAITING:
            return False
        turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await asyncio.wait_for(turn, _PATIENCE)
        except TimeoutError:
            return False
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._end(key)
            raise
        finally:
            with suppress(ValueError):
                waiting.remove(turn)
        return True

    def _end(self, key: str) -> None:
        """Give a place to the next request of its key, or back."""
        waiting = self._waiting.get(key, [])
        while waiting:
            turn = waiting.pop(0)
            if not turn.done():
                turn.set_result(None)
                return
        self._waiting.pop(key, None)
        _count_down(self._served, key)


def _count_down(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


def _is_stream(start: Any) -> bool:
    kinds = [value for name, value in start["headers"] if name.lower() == b"content-type"]
    return any(kind.startswith(b"text/event-stream") for kind in kinds)


def _too_many(again: int) -> Refusal:
    return Refusal(
        429,
        texts.BUSY.format(again),
        "You ask more than one user or address may, or too much at once.",
        f"Ask again in {again} seconds; [limits] of the server's settings says how much is served.",
        again,
    )
