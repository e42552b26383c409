"""Asks a chat as its page does: what answers it, or a served one by plain HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar
from urllib.parse import urlencode

_LONGEST = 120.0
"""Seconds until a request is given up."""


_Step = TypeVar("_Step")


def taken(steps: AsyncIterator[_Step]) -> list[_Step]:
    """Return all that comes, as somebody who waits for it sees it."""

    async def run() -> list[_Step]:
        return [step async for step in steps]

    return asyncio.run(run())


class Site:
    """The served chat: its requests, as a browser with a cookie sends them."""

    def __init__(self, address: str) -> None:
        self.host = address.split("//")[1].strip("/")
        page = self.get("/", "")[1].decode()
        config, _ = json.JSONDecoder().raw_decode(page.split("window.gradio_config = ", 1)[1])
        [live] = [one for one in config["dependencies"] if one["targets"][0][1] == "submit"]
        self._event = {"fn_index": live["id"], "trigger_id": live["targets"][0][0], "data": []}

    @contextlib.contextmanager
    def opened(self, method: str, path: str, cookie: str, body: object = None) -> Iterator[Any]:
        connection = http.client.HTTPConnection(self.host, timeout=_LONGEST)
        sent = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, path, sent, {"Cookie": f"tanya_visitor={cookie}", **kind})
            yield connection.getresponse()
        finally:
            connection.close()

    def get(self, path: str, cookie: str, **query: object) -> tuple[int, bytes]:
        with self.opened("GET", f"{path}?{urlencode(query, doseq=True)}", cookie) as response:
            return response.status, response.read()

    def turns(self, cookie: str, sent: dict[str, object]) -> Iterator[str]:
        """Ask as the page does; yield the HTML of the turn each time that it has grown."""
        session = secrets.token_hex(6)
        body = {**self._event, "event_data": sent, "session_hash": session}
        with self.opened("POST", "/gradio_api/queue/join", cookie, body) as response:
            if response.status != 200:
                raise ValueError(f"join: HTTP {response.status}")
            response.read()
        shown: Any = [""]
        with self.opened(
            "GET", f"/gradio_api/queue/data?session_hash={session}", cookie
        ) as response:
            for line in response:
                if not line.startswith(b"data: "):
                    continue
                message = json.loads(line[6:])
                if message["msg"] in ("process_generating", "process_completed"):
                    if not message["success"]:
                        raise ValueError(f"the event failed: {message['output']}")
                    data = message["output"]["data"]
                    shown = _grown(shown, data)
                    yield shown[0]
                if message["msg"] in ("close_stream", "unexpected_error"):
                    return


def _grown(before: list[str], data: list[Any]) -> list[str]:
    """Return what is shown: whole, or what was there with the changes that were sent."""
    if not data or isinstance(data[0], str):
        return data or before
    value = before[0]
    for action, path, new in data[0]:
        if path:
            raise ValueError(f"unknown change {action!r} at {path!r}")
        value = value + new if action == "append" else new
    return [value]
