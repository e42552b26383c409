"""The chat in the browser, its components and event handlers: `python app.py` or `tanya serve`.

The conversation is our own HTML in two `gr.HTML` components: the earlier turns, sent once, and the
newest one, sent again as it grows. `page.html` writes and escapes it; what Gradio then puts on the
page holds no Markdown and no template (it evaluates the template "${value}", never the value).

An article opens in one `<dialog>`: the browser itself keeps the focus inside, closes it on Escape
and gives the focus back. The button that opens it carries the article's id, the hash of its text
and the offsets to highlight; the text comes from `opened_article` by a plain request beside
Gradio's queue. So it opens for every turn on the page, also while an answer is being written.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import runpy
import signal
import socket
import sqlite3
import sys
import threading
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from index.errors import IndexMissingError, InputError, TanyaError
from index.records import Filter, Query, Turn
from page import html, texts
from qa.chat import Chat
from qa.examples import examples
from qa.question.answer_type import answer_type
from qa.question.conversation import is_small_talk

if TYPE_CHECKING:
    import gradio as gr

logger = logging.getLogger("tanya.app")

REFRESH_SECONDS = 4.0
_NO_VERSION = "-"


# Event handlers ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """A finished turn of one visitor's conversation and the HTML that it is shown as."""

    turn: Turn
    html: str


@dataclass(frozen=True, slots=True)
class Components:
    """The components of the page that change, and what a visitor's session holds."""

    conversation: gr.State
    version: gr.State
    freshness: gr.HTML
    history: gr.HTML
    live: gr.HTML
    hint: gr.HTML
    filters: gr.Accordion
    after: gr.Textbox
    before: gr.Textbox
    publishers: gr.Dropdown
    clear: gr.Button
    question: gr.Textbox
    send: gr.Button


Updates = dict[Any, Any]
"""New values of components, as Gradio takes them."""


class Handlers:
    """Handles the events of the page for all visitors; it keeps nothing of any of them."""

    def __init__(self, chat: Chat, components: Components) -> None:
        self._chat = chat
        self._components = components

    def ask(
        self,
        sent: object,
        typed: str,
        conversation: tuple[ShownTurn, ...],
        after: str,
        before: str,
        publishers: list[str] | None,
    ) -> Iterator[Updates]:
        """Answer what was typed, or `sent` by a button or a form (an example, a correction)."""
        c = self._components
        try:
            request = html.read_request(sent, typed)
        except ValueError as error:
            yield {c.hint: html.hint_html(str(error))}
            return
        if request.unfiltered:
            after, before, publishers = "", "", []
        try:
            chosen = texts.parse_filter(after, before, publishers)
        except ValueError as error:
            yield {c.hint: html.hint_html(str(error)), c.filters: _update(open=True)}
            return
        if not any(char.isalnum() for char in request.text):
            yield {c.hint: html.hint_html(texts.EMPTY_QUESTION)}
            return
        if is_small_talk(request.text):
            yield {c.hint: html.hint_html(texts.SMALL_TALK), c.question: ""}
            return
        yield {
            c.hint: "",
            c.question: "",
            c.send: _update(interactive=False),
            c.filters: _update(open=False, label=texts.filters_label(chosen)),
            c.history: "".join(shown.html for shown in conversation),
            c.live: html.searching_html(request.text, len(conversation) + 1),
            **(self.clear() if request.unfiltered else {}),
        }
        yield from self._answer(request, conversation, chosen)

    def _answer(
        self, request: html.Request, conversation: tuple[ShownTurn, ...], chosen: Filter
    ) -> Iterator[Updates]:
        c = self._components
        number = len(conversation) + 1
        turn = None
        try:
            for turn in self._turns(request, conversation, chosen):
                page = html.turn_html(turn, number, chosen, self._chat.article, growing=True)
                yield {c.live: page}
            if turn is None:
                raise RuntimeError(f"no turn came for {request.text[:80]!r}")
            page = html.turn_html(turn, number, chosen, self._chat.article)
        except Exception as error:
            # The door of one chat turn: the visitor gets a polite message, the log gets the rest.
            if isinstance(error, TanyaError):
                logger.warning("a question was not answered: %s", error)
            else:
                logger.exception("a question failed")
            page, turn = html.error_html(request.text, number, error), None
        updates: Updates = {c.live: page, c.send: _update(interactive=True)}
        if turn is None:
            updates[c.question] = request.text
        else:
            shown = ShownTurn(turn, page.replace(" newest", "", 1))
            updates[c.conversation] = (*conversation, shown)
        yield {**updates, **self._freshness()}

    def _turns(
        self, request: html.Request, conversation: tuple[ShownTurn, ...], chosen: Filter
    ) -> Iterator[Turn]:
        before = [shown.turn for shown in conversation]
        asked = request.text
        if not 1 <= request.turn <= len(before):
            return self._chat.stream(asked, before, chosen)
        if request.as_typed:
            return self._chat.stream(asked, before[: request.turn - 1], chosen, as_typed=True)
        if request.limits is not None:
            query = _limited(before[request.turn - 1].query, request, request.limits, chosen)
            return self._chat.stream(asked, (), chosen, query)
        # A corrected question stands alone: with the conversation it might be bent once more.
        return self._chat.stream(asked, (), chosen)

    def refresh(
        self, version: str, conversation: tuple[ShownTurn, ...], publishers: list[str] | None
    ) -> Updates:
        """Bring the page up to the live version: at its start and every few seconds."""
        c = self._components
        updates = self._freshness()
        live = updates.pop(c.version)
        if live == version:
            return updates
        updates[c.version] = live
        if not conversation and (live == _NO_VERSION or version in ("", _NO_VERSION)):
            updates[c.live] = self._empty(live)
        if live != _NO_VERSION:
            choices = self.publisher_choices()
            known = {value for _, value in choices}
            kept = [name for name in publishers or () if name in known]
            updates[c.publishers] = _update(choices=choices, value=kept)
        return updates

    def _empty(self, version: str) -> str:
        """Return the page of a conversation that has not begun."""
        if version == _NO_VERSION:
            return html.missing_html()
        return html.welcome_html(examples_of(self._chat))

    def _freshness(self) -> Updates:
        c = self._components
        try:
            overview = self._chat.overview()
        except IndexMissingError:
            return {c.freshness: html.index_notice_html(texts.NO_INDEX), c.version: _NO_VERSION}
        except (TanyaError, OSError, sqlite3.Error) as error:
            logger.warning("the overview cannot be read: %s", error)
            return {c.freshness: html.index_notice_html(texts.INDEX_UNREADABLE), c.version: ""}
        line = html.freshness_html(overview, dt.datetime.now(dt.UTC))
        return {c.freshness: line, c.version: overview.version.name}

    def publisher_choices(self) -> list[tuple[str, str]]:
        """Return the publishers of the live version as (label, name); none before the first."""
        try:
            publishers = self._chat.overview().version.publishers
        except (TanyaError, OSError, sqlite3.Error):
            return []
        return [
            (f"{name} ({texts.number_words(count)})", name) for name, count in publishers if name
        ]

    def filtered(self, after: str, before: str, publishers: list[str] | None) -> Updates:
        """Show the filter in force, or what is wrong with it."""
        c = self._components
        updates: Updates = {c.clear: _update(visible=bool(after or before or publishers))}
        try:
            chosen = texts.parse_filter(after, before, publishers)
        except ValueError as error:
            return {**updates, c.hint: html.hint_html(str(error))}
        return {**updates, c.hint: "", c.filters: _update(label=texts.filters_label(chosen))}

    def clear(self) -> Updates:
        """Take every filter off."""
        c = self._components
        return {c.after: "", c.before: "", c.publishers: [], **self.filtered("", "", [])}

    def restart(self) -> Updates:
        """Begin a new conversation; the filter stays as it is."""
        c = self._components
        updates = self._freshness()
        return {
            **updates,
            c.conversation: (),
            c.history: "",
            c.live: self._empty(updates[c.version]),
            c.hint: "",
            c.question: "",
            c.send: _update(interactive=True),
        }


def _limited(query: Query, request: html.Request, limits: Filter, chosen: Filter) -> Query:
    """Return the query of an earlier turn within other limits, in other words if it was edited."""
    query = dataclasses.replace(query, filter=limits.within(chosen), read=limits, named=Filter())
    if not request.edited:
        return query
    return dataclasses.replace(query, text=request.text, kind=answer_type(request.text), own="")


def _update(**properties: object) -> dict[str, Any]:
    import gradio as gr

    return typing.cast(dict[str, Any], gr.update(**properties))


def examples_of(chat: Chat) -> tuple[str, ...]:
    """Return the questions to begin with: those of the settings, else ones that are answered."""
    if chat.settings.chat.examples:
        return chat.settings.chat.examples
    try:
        return examples(chat, texts.EXAMPLES)
    except (TanyaError, OSError, sqlite3.Error) as error:
        logger.warning("no example questions: %s", error)
        return ()


def opened_article(chat: Chat, request: object) -> str:
    """Return the archived article that the page's JavaScript requests, for the reader dialog."""
    try:
        wanted = typing.cast(dict[str, Any], request)
        article_id, content = str(wanted["id"]), str(wanted["content"])
        spans = [(int(start), int(end)) for start, end in wanted["spans"][:50]]
    except (KeyError, TypeError, ValueError):
        return html.unread_html(texts.NO_ARTICLE, texts.REQUEST_UNREADABLE)
    try:
        article = chat.article(article_id, content)
    except (TanyaError, sqlite3.Error) as error:
        logger.warning("article %r cannot be read: %s", article_id, error)
        return html.unread_html(texts.NOT_OPENED, texts.ARCHIVE_UNREADABLE)
    if article is None:
        return html.unread_html(texts.NO_ARTICLE, texts.ARTICLE_GONE)
    return html.article_html(article, spans)


# The page ----------------------------------------------------------------------------------------


def build(chat: Chat) -> gr.Blocks:
    """Build the page. Nothing of the index is opened but its overview."""
    import gradio as gr

    title = chat.settings.chat.title
    with gr.Blocks(title=title, analytics_enabled=False, fill_width=True) as page:
        with gr.Column(elem_id="ta-page"):
            with gr.Row(elem_id="ta-masthead"):
                gr.HTML(html.name_html(title), elem_id="ta-name", apply_default_css=False)
                restart = gr.Button(texts.NEW_CONVERSATION, elem_id="ta-restart")
            components = _components(chat)
        _listen(page, components, Handlers(chat, components), restart)
    return page


def _components(chat: Chat) -> Components:
    import gradio as gr

    def read_article(request: object) -> str:
        return opened_article(chat, request)

    freshness = gr.HTML(
        html.index_notice_html(texts.READING_INDEX),
        elem_id="ta-freshness",
        apply_default_css=False,
    )
    history, live = (
        gr.HTML(
            value,
            elem_id=name,
            html_template=html.turns_template(),
            js_on_load=html.script(),
            server_functions=[read_article],
            apply_default_css=False,
        )
        for name, value in (("ta-history", ""), ("ta-live", html.welcome_html(())))
    )
    with gr.Column(elem_id="ta-composer"):
        label = texts.filters_label(Filter())
        with gr.Accordion(label, open=False, elem_id="ta-filters") as filters:
            with gr.Row(elem_id="ta-filter-row"):
                day, month = texts.DAY_EXAMPLE, texts.MONTH_EXAMPLE
                after = gr.Textbox(label=texts.AFTER, placeholder=day, elem_id="ta-after")
                before = gr.Textbox(label=texts.BEFORE, placeholder=month, elem_id="ta-before")
                publishers = gr.Dropdown(
                    [], label=texts.PUBLISHER, multiselect=True, elem_id="ta-publishers", scale=2
                )
        clear = gr.Button(texts.CLEAR_FILTER, visible=False, elem_id="ta-clear")
        hint = gr.HTML("", elem_id="ta-hint", apply_default_css=False)
        with gr.Row(elem_id="ta-ask-row"):
            question = gr.Textbox(
                show_label=False,
                label=texts.QUESTION,
                container=False,
                placeholder=texts.QUESTION_EXAMPLE,
                lines=1,
                max_lines=6,
                elem_id="ta-question",
            )
            send = gr.Button(texts.ASK, elem_id="ta-send")
    session = gr.State(()), gr.State("")
    shown = freshness, history, live, hint
    form = filters, after, before, publishers, clear, question, send
    return Components(*session, *shown, *form)


def _listen(page: gr.Blocks, c: Components, handlers: Handlers, restart: gr.Button) -> None:
    """Join the events of the page to their handlers."""
    import gradio as gr

    def ask(event: Any, *values: Any) -> Iterator[Updates]:
        yield from handlers.ask(event._data, *values)

    # Gradio goes by the real class, which a module without gradio at import cannot name.
    ask.__annotations__ = {"event": gr.EventData}
    every = [getattr(c, field.name) for field in dataclasses.fields(c)]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    filters = [c.after, c.before, c.publishers]
    # One listener for every way to ask, so that "once" holds across them.
    asking = gr.on(
        [c.question.submit, c.send.click, c.live.submit, c.history.submit],
        ask,
        [c.question, c.conversation, *filters],
        every,
        trigger_mode="once",
        **quiet,
    )
    gr.on(
        [c.after.change, c.before.change, c.publishers.change],
        handlers.filtered,
        filters,
        [c.hint, c.filters, c.clear],
        trigger_mode="always_last",
        **quiet,
    )
    c.question.input(None, None, c.hint, js="() => ''", **quiet)
    c.clear.click(handlers.clear, None, every, **quiet)
    restart.click(handlers.restart, None, every, cancels=[asking], **quiet)
    gr.on(
        [page.load, gr.Timer(REFRESH_SECONDS).tick],
        handlers.refresh,
        [c.version, c.conversation, c.publishers],
        every,
        trigger_mode="once",
        **quiet,
    )


def launch(chat: Chat, host: str, port: int) -> gr.Blocks:
    """Serve the page in the background."""
    import gradio as gr

    light, dark = html.palettes()
    theme = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]).set(
        body_background_fill=light["paper"],
        body_background_fill_dark=dark["paper"],
        body_text_color=light["ink"],
        body_text_color_dark=dark["ink"],
    )
    page = build(chat)
    page.queue(default_concurrency_limit=8, api_open=False)
    page.launch(
        server_name=host,
        server_port=port or _free_port(host),
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        inbrowser=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        max_file_size="1kb",
        favicon_path=str(html.ICON),
        theme=theme,
        head=html.head(),
    )
    return page


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def serve(home: Path, host: str = "", port: int = -1) -> None:
    """Serve the chat of a home until interrupted; without host and port, those of the settings.

    Port 0 takes a free one. Raises SettingsError, and InputError for an address in use.
    """
    chat = Chat.open(home)
    host = host or chat.settings.chat.host
    port = chat.settings.chat.port if port < 0 else port
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        page = launch(chat, host, port)
    except OSError as error:
        raise InputError(
            f"The chat cannot listen on {host}:{port}: the port is in use, or the address is "
            "not this machine's; choose another --port or --host."
        ) from error
    typer.echo(f"{chat.settings.chat.title}: {page.local_url}")
    warming = threading.Thread(target=_warm, args=(chat,), daemon=True)
    warming.start()
    # With a limit, so that Ctrl-C is heard on every system.
    while not stopped.wait(1):
        pass
    page.close(verbose=False)
    # A model that is cut off in the middle of its work aborts the process.
    warming.join()


def _warm(chat: Chat) -> None:
    """Load the models before the first visitor asks; without an index there is nothing to load."""
    try:
        for _ in chat.stream("Siapa yang datang ke acara itu?"):
            pass
        examples_of(chat)
    except TanyaError as error:
        logger.info("nothing to load yet: %s", error)


if __name__ == "__main__":
    # The options of `tanya serve`, and TANYA_HOME for the home.
    sys.argv[1:1] = ["serve"]
    runpy.run_module("commands.main", run_name="__main__")
