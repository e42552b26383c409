"""Where a server listens, and how many connections it keeps, from whom and for how long."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from index.settings import LimitsSettings
from page import texts
from web.addresses import near

HEAD_SECONDS = 15.0
"""In which the head of a request has to be here, from its first byte or a connection's begin."""
READ_SECONDS = 60.0
"""For which a client may leave unread what is sent to it."""
LONGEST_HEAD = 16 * 1024
_AGAIN = 5
_LINGER = 1.0


def listening(host: str, port: int) -> tuple[socket.socket, str]:
    """Return a socket that listens, and its address, "http://HOST:PORT"; port 0 takes a free one.

    Raises OSError for an address in use, and UnicodeError for a name that cannot be one.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.create_server((host, port), family=family, backlog=2048)
    named = f"[{host}]" if ":" in host else host
    return opened, f"http://{named}:{opened.getsockname()[1]}"


def config(
    app: Any,
    limits: LimitsSettings,
    passes_on: Callable[[str], bool] = lambda address: False,
    **more: Any,
) -> uvicorn.Config:
    """Return how uvicorn serves an application; `passes_on` tells which addresses are proxies'.

    Of proxies there may be as many connections as there are at all.
    """

    class Protocol(BoundedProtocol):
        kept = Kept(limits, passes_on)

    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        h11_max_incomplete_event_size=LONGEST_HEAD,
        # Whose word is taken for where a request comes from, access decides.
        proxy_headers=False,
        server_header=False,
        log_config=None,
        access_log=False,
        **more,
    )


class Kept:
    """Counts the open connections, by address."""

    def __init__(self, limits: LimitsSettings, passes_on: Callable[[str], bool]) -> None:
        self._limits, self._passes_on = limits, passes_on
        self._open: Counter[str] = Counter()

    def begin(self, address: str) -> int:
        """Count a connection; return the status to close it with, 0 if it may stay."""
        key = near(address)
        full = self._open.total() >= self._limits.connections
        many = self._open[key] >= self._limits.connections_by_address
        self._open[key] += 1
        if many and not self._passes_on(address):
            return 429
        return 503 if full else 0

    def end(self, address: str) -> None:
        """Count a connection no more."""
        key = near(address)
        self._open[key] -= 1
        if self._open[key] <= 0:
            del self._open[key]


class BoundedProtocol(H11Protocol):
    """One connection of uvicorn's, which is closed when it waits too long for its client."""

    kept: Kept

    def connection_made(self, transport: Any) -> None:
        """Take a connection, or close it where there are too many."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._refused = False
        self._head: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        if status := self.kept.begin(self._address):
            self._refused = True
            transport.write(_refusal(status))
            transport.write_eof()
            # To close at once, with something unread, would take back what was written.
            self._head = self.loop.call_later(_LINGER, transport.close)
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self.kept.end(self._address)
        for timer in (self._head, self._unread):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes of a request."""
        if self._refused or self.transport.is_closing():
            return
        super().data_received(data)
        self._watch()

    def _watch(self) -> None:
        """Wait for the rest of a head only so long."""
        serving = self.cycle is not None and not self.cycle.response_complete
        if serving and self._head:
            self._head.cancel()
            self._head = None
        elif not serving and self._head is None:
            self._head = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def pause_writing(self) -> None:
        """Wait for a client that does not read, only so long."""
        super().pause_writing()
        self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        if self._unread:
            self._unread.cancel()
            self._unread = None


def _refusal(status: int) -> bytes:
    words = texts.BUSY.format(_AGAIN)
    body = json.dumps({"detail": words, "error": "Too many connections.", "hint": "Try again."})
    phrase = {429: "Too Many Requests", 503: "Service Unavailable"}[status]
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nContent-Type: application/json\r\nRetry-After: {_AGAIN}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return (head + body).encode("ascii")
