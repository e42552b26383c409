"""The chat in the browser, its components and its one event: `python app.py` or `tanya serve`.

Gradio streams the turn that is being written, as HTML of ours, to one `gr.HTML`; everything else on
the page is templates of `page/`, whose scripts ask the routes of `web/`. `page.html` writes and
escapes a turn; what Gradio puts on the page holds no Markdown and no template (it evaluates the
template "${value}", never the value).
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import runpy
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from index import logs
from index.errors import BusyError, InputError
from index.logs import request_id
from page import html, texts
from page.templates import render

if TYPE_CHECKING:
    import gradio as gr

    from web.answering import Answering, Progress, Request


logger = logging.getLogger("tanya.app")

_ARENA_MAX = -8
"""What glibc's mallopt calls the most heaps."""


async def answered(
    answering: Answering,
    sent: object,
    owner: str,
    *,
    wait: int = 0,
    judging: bool = True,
    still: Callable[[], bool] = lambda: True,
) -> AsyncIterator[str]:
    """Answer what the page `sent`; yield the HTML of its turn as it grows.

    Who has asked too much already has to `wait` so many seconds. With `judging` its reader is asked
    whether it was right. Who is not let in any more, as `still` tells, is refused.
    """
    from web.answering import read_request

    try:
        request = read_request(sent)
    except ValueError as error:
        yield html.refused_html(str(error), sent)
        return
    place = request.conversation, 0
    if wait:
        yield html.error_html(request.text, *place, BusyError("Too many questions.", retry=wait))
        return
    try:
        if not still():
            yield html.refused_html(texts.SIGN_IN_NEEDED, sent)
            return
        async for step in answering.ask(owner, request):
            if not still():
                yield html.refused_html(texts.SIGN_IN_NEEDED, sent)
                return
            place = step.conversation, step.number
            # It looks articles up; meanwhile the others go on.
            yield await asyncio.to_thread(_turn_html, answering, request, step, judging=judging)
    except BusyError as error:
        yield html.error_html(request.text, *place, error)
    except Exception as error:
        # Still the door of a chat turn: without an answer the page would wait for ever.
        logger.exception("a question failed")
        yield html.error_html(request.text, *place, error, request_id.get())


def _turn_html(answering: Answering, request: Request, step: Progress, *, judging: bool) -> str:
    place = step.conversation, step.number
    if step.error:
        return html.error_html(request.text, *place, step.error, request_id.get())
    if step.turn is None:
        return html.searching_html(request.text, *place, step.ahead)
    return html.turn_html(
        step.turn,
        step.number,
        request.chosen,
        answering.chat.article,
        conversation=step.conversation,
        growing=not step.complete,
        judging=judging,
    )


def build(answering: Answering) -> gr.Blocks:
    """Build the page. Nothing of the index is opened."""
    import gradio as gr

    from web.limits import busy
    from web.requests import context_of, following
    from web.visitor import visitor
    from web.who import still, who

    async def ask(event: Any, request: Any) -> AsyncIterator[str]:
        # Gradio's queue works for all requests in a context of its own.
        steps = answered(
            answering,
            event._data,
            visitor(request),
            wait=busy(request),
            judging=who(request).may("editor"),
            still=lambda: still(request),
        )
        async for shown in following(context_of(request.request), steps):
            yield shown

    # Gradio goes by the real classes, which a module without gradio at import cannot name.
    ask.__annotations__ = {"event": gr.EventData, "request": gr.Request}
    title = answering.chat.settings.chat.title
    plain: dict[str, Any] = {"apply_default_css": False, "js_on_load": None}
    run = {**plain, "js_on_load": html.LIVE_SCRIPT}
    with (
        gr.Blocks(title=title, analytics_enabled=False, fill_width=True) as page,
        gr.Column(elem_id="ta-page"),
    ):
        gr.HTML(render("side.html"), elem_id="ta-side", **plain)
        with gr.Column(elem_id="ta-main"):
            gr.HTML(render("top.html", title=title), elem_id="ta-top", **plain)
            gr.HTML(render("middle.html"), elem_id="ta-middle", **plain)
            live = gr.HTML("", elem_id="ta-live", **run)
            gr.HTML(render("composer.html"), elem_id="ta-foot", **plain)
        gr.HTML(render("panel.html"), elem_id="ta-beside", **plain)
        live.submit(
            ask, None, live, trigger_mode="once", show_progress="hidden", api_visibility="private"
        )
    # The queue is ours, which programs share.
    page.queue(default_concurrency_limit=None, api_open=False)
    return page


def _share_memory() -> None:
    """Let the threads take memory from two heaps, where the C library has one for each of many.

    What forty threads gave back lay about in sixteen: a fifth of the memory of a busy server.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def serve(
    home: Path,
    host: str = "",
    port: int = -1,
    *,
    behind_proxy: bool = False,
    open_to_all: bool = False,
) -> None:
    """Serve the chat of a home until interrupted; without host and port, those of the settings.

    Port 0 takes a free one. `behind_proxy` takes a trusted proxy's word for who asks, and
    `open_to_all` lets in everybody. Raises SettingsError, also for an address that others reach
    where nothing says who may come in, and InputError for an address in use.
    """
    from qa.chat import Chat
    from web import access, first, server, whole

    _share_memory()
    chat = Chat.open(home)
    logs.configure(chat.settings.log)
    host = host or chat.settings.chat.host
    port = chat.settings.chat.port if port < 0 else port
    given = chat.settings.serve
    given = replace(given, behind_proxy=behind_proxy or given.behind_proxy)
    entry = access.opened(home, host, given, open_to_all=open_to_all)
    stopped = threading.Event()

    def stop(number: int, _: object) -> None:
        if stopped.is_set():
            os._exit(128 + number)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        running = server.start(chat, build, host, port, entry)
    except OSError as error:
        raise InputError(
            f"The chat cannot listen on {host}:{port}: the port is in use, or the address is "
            "not this machine's; choose another --port or --host."
        ) from error
    typer.echo("\n".join([f"{chat.settings.chat.title}: {running.address}", *first.lines(home)]))
    for warning in entry.warnings():
        typer.secho(f"tanya: {warning}", fg=typer.colors.RED, bold=True, err=True)
    warming = threading.Thread(target=server.warm, args=(chat,), daemon=True)
    warming.start()
    threading.Thread(target=whole.keep_whole, args=(chat, stopped), daemon=True).start()
    # With a limit, so that Ctrl-C is heard on every system.
    while not stopped.wait(1):
        pass
    ended = running.stop()
    if not ended or warming.is_alive():
        # What still waits, or opens a model, would abort the process as it ends by itself.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    # The options of `tanya serve`, and TANYA_HOME for the home.
    sys.argv[1:1] = ["serve"]
    runpy.run_module("commands.main", run_name="__main__")
