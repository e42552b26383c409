"""Whose each connection to Gradio's queue is: what is answered there comes to nobody else.

A page names its connection itself, by a session_hash; who knew or guessed it would else read along.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any
from urllib.parse import parse_qs

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse

from page import texts
from web.access import sent
from web.bodies import LONGEST_BODY, bounded, replayed
from web.visitor import of_browser

_JOIN, _READ = "/gradio_api/queue/join", "/gradio_api/queue/data"
_MOST = 10_000


class JoinedQueue:
    """ASGI middleware behind the front and the access, which bound a body and tell whose it is.

    What was joined under a name is read by its owner alone; the names joined last are known.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._owners: OrderedDict[str, str] = OrderedDict()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or refuse it with 403, 404, 413 or 422."""
        if scope["type"] == "http" and scope["path"] in (_JOIN, _READ):
            try:
                receive = await self._checked(Request(scope, receive))
            except HTTPException as error:
                answer = JSONResponse({"detail": error.detail}, error.status_code)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _checked(self, request: Request) -> Any:
        """Return what gives the body of a request that may pass; raises HTTPException."""
        owner = of_browser(request)
        if request.scope["path"] == _READ:
            names = parse_qs(request.url.query).get("session_hash", [""])
            with self._lock:
                owners = {self._owners.get(name) for name in names}
            if owners != {owner}:
                raise HTTPException(404, texts.NO_CONVERSATION)
            return request.receive
        whole = await bounded(request, LONGEST_BODY)
        if whole is None:
            raise HTTPException(413, texts.REQUEST_UNREADABLE)
        # A body that was asked for whole can be read again.
        body = await whole.body()
        name = (await sent(whole)).get("session_hash")
        if not isinstance(name, str) or not 0 < len(name) <= 64:
            raise HTTPException(422, texts.REQUEST_UNREADABLE)
        with self._lock:
            if self._owners.setdefault(name, owner) != owner:
                raise HTTPException(403, texts.NO_CONVERSATION)
            self._owners.move_to_end(name)
            if len(self._owners) > _MOST:
                self._owners.popitem(last=False)
        return replayed(body, request.receive)
