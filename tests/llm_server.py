"""An OpenAI-compatible server on loopback that behaves, or misbehaves, as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.loopback import Loopback, Quiet

Behaviour = Callable[["Visit"], None]


class Visit:
    """One request, and the means to answer it; a client that hangs up ends the behaviour."""

    def __init__(self, handler: BaseHTTPRequestHandler, server: LlmServer) -> None:
        size = int(handler.headers.get("Content-Length", 0))
        self.path = handler.path
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body: Any = json.loads(handler.rfile.read(size) or b"null")
        self.server = server
        self._handler = handler

    def head(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        """Send the status and the headers of a body that ends with the connection."""
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def raw(self, content: bytes | str) -> None:
        """Send some of the body at once."""
        data = content.encode() if isinstance(content, str) else content
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def event(self, data: object) -> None:
        """Send one event; a value that is no string is sent as JSON."""
        self.raw(f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n")

    def words(self, content: object, finish: str | None = None, **more: object) -> None:
        """Send a chunk of the model's words."""
        delta = {"content": content, **more}
        self.event(
            {
                "id": "c1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "uji",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            }
        )

    def end(self, finish: str = "stop") -> None:
        """Send what ends a whole answer."""
        self.words("", finish)
        self.event("[DONE]")

    def wait(self) -> None:
        """Say nothing until the test is over."""
        self.server.closing.wait()


class LlmServer(Loopback):
    """The server; use it as a context manager. `visits` are the requests that came."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.visits: list[Visit] = []
        self.hung_up = threading.Event()
        outer = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                visit = Visit(self, outer)
                outer.visits.append(visit)
                try:
                    outer.behave(visit)
                except (BrokenPipeError, ConnectionResetError):
                    outer.hung_up.set()

        super().__init__(Handler)

    @property
    def url(self) -> str:
        """Return the base URL, as it would stand in the settings."""
        return f"http://{self.host}/v1"


def says(answer: str, step: int = 5, finish: str = "stop") -> Behaviour:
    """Return the behaviour of a good server: the answer in chunks of `step` characters."""

    def behave(visit: Visit) -> None:
        visit.head()
        for at in range(0, len(answer), step):
            visit.words(answer[at : at + step])
        visit.end(finish)

    return behave


def refuses(
    status: int, body: str = '{"error": {"message": "tidak"}}', **headers: str
) -> Behaviour:
    """Return the behaviour of a server that answers with an HTTP error."""

    def behave(visit: Visit) -> None:
        visit.head(status, "application/json", **headers)
        visit.raw(body)

    return behave


def sends(body: bytes | str, kind: str = "text/event-stream") -> Behaviour:
    """Return the behaviour of a server that sends just these bytes."""

    def behave(visit: Visit) -> None:
        visit.head(200, kind)
        visit.raw(body)

    return behave
