"""The server: our routes, and the Gradio page among them, on one port."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from index.errors import IndexMissingError, StoppingError, TanyaError
from index.logs import request_id
from page import html, texts
from qa.chat import Chat
from qa.history import History
from qa.reader import reader
from web import (
    api,
    article,
    conversations,
    feedback,
    filters,
    login,
    mcp,
    monitoring,
    operator,
    search,
    status,
    suggest,
    upload,
)
from web.access import Access, AccessMiddleware
from web.answering import Answering
from web.audit import Audit
from web.front import Front, GradioDoor, Hosts, set_headers
from web.joined import JoinedQueue
from web.limits import Limits
from web.listening import config, listening
from web.programs import Programs
from web.requests import HEADER
from web.stopping import Ending, OpenRequests
from web.turns import Turns
from web.users import Users
from web.visitor import VisitorCookie
from web.work import Worker

if TYPE_CHECKING:
    import gradio as gr

logger = logging.getLogger("tanya.web")

_ASSETS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FINISH, _LEAVE, _CLOSE = 2.5, 0.4, 1
"""Seconds in which a server that stops lets answers be finished, what was told reach its readers,
and connections be closed."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs in a thread, and where it is reached."""

    address: str
    _server: uvicorn.Server
    _thread: threading.Thread
    _end: Callable[[], bool]
    _audit: Audit

    def stop(self) -> bool:
        """Stop it within five seconds, in which answers under way may end.

        Return whether nothing is at work any more.
        """
        ended = self._end()
        self._server.should_exit = True
        self._thread.join(_CLOSE + 0.5)
        self._audit.close(0.5)
        return ended and not self._thread.is_alive()


def create(
    chat: Chat,
    build: Callable[[Answering], gr.Blocks],
    access: Access | None = None,
    hosts: Hosts | None = None,
) -> FastAPI:
    """Return the application; `build` makes the Gradio page over what answers.

    Without `access` it lets in as a server that this machine alone reaches, and without `hosts` it
    is called as one likes.
    """
    history = History.of(chat.home, keep=chat.settings.chat.keep)
    turns, requests, worker = Turns(chat.settings.limits), OpenRequests(), Worker()
    answering = Answering(chat, history, turns=turns)
    app = FastAPI(title="Tanya Arsip", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(VisitorCookie)
    app.add_middleware(JoinedQueue)
    app.add_middleware(Limits, limits=chat.settings.limits)
    serve = chat.settings.serve
    access = access or Access(Users(chat.home, serve), serve)
    app.add_middleware(AccessMiddleware, access=access)
    app.add_middleware(Front, hosts=hosts)
    # Outside it, for a body that never comes is waited for there.
    app.add_middleware(Ending, requests=requests)
    app.state.audit = monitoring.add(app, chat, turns.queue, access.warnings())
    programs = Programs(chat, turns)
    operating = (chat.home, chat.settings.upload, worker)
    for router in (
        conversations.router(answering),
        status.router(chat),
        filters.router(),
        article.router(chat),
        search.router(chat),
        suggest.router(answering),
        feedback.router(history),
        api.router(programs),
        operator.router(*operating, history, access=access, trouble=lambda: chat.trouble),
        upload.router(*operating),
        login.router(access, chat.settings.chat.title, serve.session_days),
    ):
        app.include_router(router)
    if mcp.installed():
        mcp.mount(app, programs)

    def end() -> bool:
        ended = answering.stop(_FINISH)
        worker.stop()
        requests.end(_LEAVE)
        return ended

    app.state.end = end
    explain_errors(app)

    _add_assets(app)
    _mount(app, build(answering))
    return app


def _add_assets(app: FastAPI) -> None:
    """Add the route of the page's styles and scripts."""

    @app.get("/page/assets/{name}", include_in_schema=False)
    def asset(name: str) -> Response:
        path = html.FOLDER / name
        if "/" in name or path.suffix not in _ASSETS or not path.is_file():
            raise HTTPException(404)
        kind = _ASSETS[path.suffix]
        return FileResponse(path, media_type=kind, headers={"cache-control": "no-cache"})


def _mount(app: FastAPI, page: gr.Blocks) -> None:
    """Put Gradio's page behind all routes that there are, and its door before it."""
    import gradio as gr

    light, dark = html.palettes()
    theme = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]).set(
        body_background_fill=light["paper"],
        body_background_fill_dark=dark["paper"],
        body_text_color=light["ink"],
        body_text_color_dark=dark["ink"],
    )
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=theme,
        head=html.head(),
        favicon_path=str(html.ICON),
        footer_links=[],
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        run_history=False,
        max_file_size="1kb",
        show_error=False,
    )
    # FastAPI works routes out when they are first asked for; then nobody should wait for it.
    for route in app.router.routes:
        route.matches({"type": "http", "method": "GET", "path": "/", "headers": []})
    mounted = app.router.routes[-1]
    mounted.app = GradioDoor(mounted.app)  # type: ignore[attr-defined]


def explain_errors(app: FastAPI) -> None:
    """Have an application tell a person in words what went wrong."""

    @app.exception_handler(TanyaError)
    @app.exception_handler(sqlite3.Error)
    def failed(request: Request, error: Exception) -> Response:
        logger.warning("%s failed: %s", request.url.path, error)
        return _explained(error, 503)

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> Response:
        # Whoever serves the application logs it. No middleware sees the response.
        response = _explained(error, 500)
        set_headers(response.headers, request.url.path, "")
        return response


def _explained(error: Exception, status: int) -> Response:
    """Return what a person is told of an error, with the code that it is logged under."""
    code = request_id.get()
    words = texts.with_request_code(texts.error_words(error), code)
    return JSONResponse({"detail": words}, status, {HEADER: code} if code else {})


def start(
    chat: Chat, build: Callable[[Answering], gr.Blocks], host: str, port: int, access: Access
) -> Running:
    """Serve a chat in a thread; port 0 takes a free one. Raises OSError for an address in use."""
    opened, address = listening(host, port)
    app = create(chat, build, access, Hosts(host, chat.settings.serve.allowed_hosts))
    set_up = config(
        app,
        chat.settings.limits,
        access.trusts,
        timeout_graceful_shutdown=_CLOSE,
    )
    server = uvicorn.Server(set_up)
    thread = threading.Thread(target=server.run, args=([opened],), daemon=True)
    thread.start()
    return Running(f"{address}/", server, thread, app.state.end, app.state.audit)


def warm(chat: Chat) -> None:
    """Load the models before the first visitor asks; without an index there is nothing to load."""
    try:
        reader()
        for _ in chat.stream("Siapa yang datang ke acara itu?"):
            pass
    except (IndexMissingError, StoppingError) as error:
        logger.info("nothing to load yet: %s", error)
    except TanyaError as error:
        logger.error("no question can be answered: %s", error)
