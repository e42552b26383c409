"""The chat in the browser: screens and wording only. `python app.py` and `tanya serve` run it.

The conversation is our own HTML in two `gr.HTML` parts: the earlier turns, sent once, and the
newest one, sent again as it grows. `app_html` writes and escapes it; what Gradio then puts on the
page holds no Markdown and no template (it evaluates the template "${value}", never the value).

An article opens in one `<dialog>`: the browser itself keeps the focus inside, closes it on Escape
and gives the focus back. The button that opens it carries the article's id, the hash of its text
and the offsets to highlight; the text comes from `Desk.read_article` by a plain request beside
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
import tempfile
import threading
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import app_html as html
import app_style as style
from index.errors import IndexMissingError, InputError, TanyaError
from index.records import Filter, Query, Turn

if TYPE_CHECKING:
    import gradio as gr

    from qa.chat import Chat

logger = logging.getLogger("tanya.app")

EXAMPLES = (
    "Apa yang disepakati Wiranto dengan China?",
    "Berapa kios yang terbakar di Pasar Sentral Wolasi?",
    "Mengapa Bandara Tanjung Bawan ditutup?",
    "Siapa yang menemukan kapal karam di Lemoa?",
    "Kapan Bendungan Waelomata diresmikan?",
)
REFRESH_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A finished turn of one visitor's conversation and the HTML that it is shown as."""

    turn: Turn
    html: str


# What happens on the page ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Screen:
    """The parts of the page that change, and what a visitor's session holds."""

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


Changes = dict[Any, Any]
"""New values of parts of the page, as Gradio takes them."""

_MISSING = "-"


def examples_of(chat: Chat) -> tuple[str, ...]:
    """Return the questions to begin with: those of the settings, else ones that are answered."""
    from qa.examples import examples

    if chat.settings.chat.examples:
        return chat.settings.chat.examples
    try:
        return examples(chat, EXAMPLES)
    except (TanyaError, OSError, sqlite3.Error) as error:
        logger.warning("no example questions: %s", error)
        return ()


class Desk:
    """Answers what happens on the page, for all visitors; it keeps nothing of any of them."""

    def __init__(self, chat: Chat, screen: Screen) -> None:
        self._chat = chat
        self._screen = screen

    def ask(
        self,
        picked: object,
        typed: str,
        conversation: tuple[Shown, ...],
        after: str,
        before: str,
        publishers: list[str] | None,
    ) -> Iterator[Changes]:
        """Answer what was typed, or `picked` on the page (an example, a corrected question)."""
        from qa.question.conversation import is_small_talk

        s = self._screen
        wish = picked if isinstance(picked, dict) else {}
        asked = str(wish.get("text", typed) or "").strip()[: html.LONGEST_QUESTION + 1]
        if wish.get("clear"):
            after, before, publishers = "", "", []
        try:
            html.read_limits(wish.get("limits"))
        except ValueError as error:
            yield {s.hint: html.hint_html(str(error))}
            return
        try:
            chosen = html.read_filter(after, before, publishers)
        except ValueError as error:
            yield {s.hint: html.hint_html(str(error)), s.filters: _update(open=True)}
            return
        if not any(char.isalnum() for char in asked):
            yield {s.hint: html.hint_html("Tulis dulu pertanyaan Anda.")}
            return
        if is_small_talk(asked):
            yield {
                s.hint: html.hint_html(
                    "Silakan. Tulis pertanyaan tentang isi arsip, misalnya siapa, kapan, atau "
                    "mengapa."
                ),
                s.question: "",
            }
            return
        yield {
            s.hint: "",
            s.question: "",
            s.send: _update(interactive=False),
            s.filters: _update(open=False, label=html.filters_label(chosen)),
            s.history: "".join(shown.html for shown in conversation),
            s.live: html.turn_frame(
                asked,
                len(conversation) + 1,
                html.busy_html(),
                "",
                growing=True,
                heard="Menelusuri arsip…",
            ),
            **(self.clear() if wish.get("clear") else {}),
        }
        yield from self._answer(asked, wish, conversation, chosen)

    def _answer(
        self, asked: str, wish: dict[str, Any], conversation: tuple[Shown, ...], chosen: Filter
    ) -> Iterator[Changes]:
        s = self._screen
        number = len(conversation) + 1
        turn = None
        try:
            for turn in self._turns(asked, wish, conversation, chosen):
                page = html.turn_html(turn, number, chosen, self._chat.article, growing=True)
                yield {s.live: page}
            if turn is None:
                raise RuntimeError(f"no turn came for {asked[:80]!r}")
            page = html.turn_html(turn, number, chosen, self._chat.article)
        except TanyaError as error:
            logger.warning("a question was not answered: %s", error)
            page, turn = html.trouble_html(asked, number, error), None
        except Exception as error:
            # The door of one chat turn: the visitor gets a polite word, the log gets the rest.
            logger.exception("a question failed")
            page, turn = html.trouble_html(asked, number, error), None
        changes: Changes = {s.live: page, s.send: _update(interactive=True)}
        if turn is None:
            changes[s.question] = asked
        else:
            kept = page.replace(" newest", "", 1)
            changes[s.conversation] = (*conversation, Shown(turn, kept))
        yield {**changes, **self._freshness()}

    def _turns(
        self, asked: str, wish: dict[str, Any], conversation: tuple[Shown, ...], chosen: Filter
    ) -> Iterator[Turn]:
        before = [shown.turn for shown in conversation]
        corrected = wish.get("turn")
        if not isinstance(corrected, int) or not 1 <= corrected <= len(before):
            return self._chat.stream(asked, before, chosen)
        if wish.get("typed"):
            return self._chat.stream(asked, before[: corrected - 1], chosen, as_typed=True)
        if isinstance(wish.get("limits"), dict):
            return self._chat.stream(asked, (), chosen, _meant(before[corrected - 1], wish, chosen))
        # A corrected question stands alone: with the conversation it might be bent once more.
        return self._chat.stream(asked, (), chosen)

    def refresh(
        self, version: str, conversation: tuple[Shown, ...], publishers: list[str] | None
    ) -> Changes:
        """Bring the page up to the live version: at its start and every few seconds."""
        s = self._screen
        changes = self._freshness()
        live = changes.pop(s.version)
        if live == version:
            return {s.freshness: changes[s.freshness]}
        changes[s.version] = live
        if not conversation and live == _MISSING:
            changes[s.live] = html.missing_html()
        elif not conversation and version in ("", _MISSING):
            changes[s.live] = html.welcome_html(examples_of(self._chat))
        if live != _MISSING:
            choices = self.publisher_choices()
            known = {value for _, value in choices}
            kept = [name for name in publishers or () if name in known]
            changes[s.publishers] = _update(choices=choices, value=kept)
        return changes

    def _freshness(self) -> Changes:
        s = self._screen
        try:
            overview = self._chat.overview()
        except IndexMissingError:
            waiting = "Indeks belum dibangun. Jalankan `tanya add`, lalu `tanya build`."
            return {
                s.freshness: f'<p class="ta-freshness">{html.ticked(waiting)}</p>',
                s.version: _MISSING,
            }
        except (TanyaError, OSError, sqlite3.Error) as error:
            logger.warning("the overview cannot be read: %s", error)
            return {
                s.freshness: '<p class="ta-freshness">Keadaan indeks sedang tidak terbaca.</p>',
                s.version: "",
            }
        return {
            s.freshness: html.freshness_html(overview, dt.datetime.now(dt.UTC)),
            s.version: overview.version,
        }

    def publisher_choices(self) -> list[tuple[str, str]]:
        """Return the publishers of the live version as (label, name); none before the first."""
        try:
            publishers = self._chat.overview().publishers
        except (TanyaError, OSError, sqlite3.Error):
            return []
        return [
            (f"{name} ({html.number_words(count)})", name) for name, count in publishers if name
        ]

    def filtered(self, after: str, before: str, publishers: list[str] | None) -> Changes:
        """Show the filter in force, or what is wrong with it."""
        s = self._screen
        active = bool(after or before or publishers)
        try:
            chosen = html.read_filter(after, before, publishers)
        except ValueError as error:
            return {s.hint: html.hint_html(str(error)), s.clear: _update(visible=active)}
        return {
            s.hint: "",
            s.filters: _update(label=html.filters_label(chosen)),
            s.clear: _update(visible=active),
        }

    def clear(self) -> Changes:
        """Take every filter off."""
        s = self._screen
        off = {s.after: "", s.before: "", s.publishers: [], s.clear: _update(visible=False)}
        return {**off, s.hint: "", s.filters: _update(label=html.filters_label(Filter()))}

    def restart(self) -> Changes:
        """Begin a new conversation; the filter stays as it is."""
        s = self._screen
        fresh = self._freshness()
        missing = fresh[s.version] == _MISSING
        return {
            **fresh,
            s.conversation: (),
            s.history: "",
            s.live: html.missing_html() if missing else html.welcome_html(examples_of(self._chat)),
            s.hint: "",
            s.question: "",
            s.send: _update(interactive=True),
        }

    def read_article(self, request: object) -> str:
        """Return an archived article for the reader dialog; called by the page's JavaScript."""
        try:
            wanted = typing.cast(dict[str, Any], request)
            article_id, content = str(wanted["id"]), str(wanted["content"])
            spans = [(int(start), int(end)) for start, end in wanted["spans"][:50]]
        except (KeyError, TypeError, ValueError):
            return html.reader_html(
                "Artikel tidak ditemukan", "<p>Permintaan ini tidak terbaca.</p>"
            )
        try:
            article = self._chat.article(article_id, content)
        except (TanyaError, sqlite3.Error) as error:
            logger.warning("article %r cannot be read: %s", article_id, error)
            return html.reader_html(
                "Artikel belum bisa dibuka", "<p>Arsip sedang tidak terbaca.</p>"
            )
        if article is None:
            return html.reader_html(
                "Artikel tidak ditemukan",
                "<p>Artikel ini sudah dihapus dari arsip, atau teksnya sudah berganti.</p>",
            )
        return html.article_html(article, spans)


def _meant(turn: Turn, wish: dict[str, Any], chosen: Filter) -> Query:
    """Return a turn's query within the limits that a person gave it, in their words if any."""
    read = html.read_limits(wish["limits"])
    query = dataclasses.replace(turn.query, filter=read.within(chosen), read=read, named=Filter())
    if not wish.get("edited"):
        return query
    from qa.question.answer_type import answer_type

    text = str(wish["text"]).strip()
    return dataclasses.replace(query, text=text, kind=answer_type(text), own="")


def _update(**properties: object) -> dict[str, Any]:
    import gradio as gr

    return typing.cast(dict[str, Any], gr.update(**properties))


# The page ----------------------------------------------------------------------------------------

_TURNS_TEMPLATE = (
    f'<template class="ta-opening">{html.reader_html("Membuka artikel…", "")}</template>'
    '<template class="ta-unreachable">'
    + html.reader_html(
        "Artikel belum bisa dibuka", "<p>Server tidak menjawab. Coba lagi sebentar lagi.</p>"
    )
    + "</template>${value}"
)


def build(chat: Chat) -> gr.Blocks:
    """Build the page. Nothing of the index is opened but its overview."""
    import gradio as gr

    title = chat.settings.chat.title
    with gr.Blocks(title=title, analytics_enabled=False, fill_width=True) as page:
        with gr.Column(elem_id="ta-page"):
            with gr.Row(elem_id="ta-masthead"):
                gr.HTML(_name_html(title), elem_id="ta-name", apply_default_css=False)
                restart = gr.Button("Percakapan baru", elem_id="ta-restart")
            screen, desk = _parts(chat)
        _wire(page, screen, desk, restart)
    return page


def _name_html(title: str) -> str:
    return (
        f"<header><h1>{escape(title)}</h1>"
        "<p>Tanya jawab atas arsip berita, dengan kutipan di setiap kalimat.</p></header>"
    )


def _parts(chat: Chat) -> tuple[Screen, Desk]:
    import gradio as gr

    freshness = gr.HTML(
        '<p class="ta-freshness">Membaca indeks…</p>',
        elem_id="ta-freshness",
        apply_default_css=False,
    )
    turns: list[gr.HTML] = []
    # The desk needs the parts and the parts need the desk: they meet through this small function.
    desks: list[Desk] = []

    def read_article(request: object) -> str:
        return desks[0].read_article(request)

    for part, value in (("ta-history", ""), ("ta-live", html.welcome_html(()))):
        turns.append(
            gr.HTML(
                value,
                elem_id=part,
                html_template=_TURNS_TEMPLATE,
                js_on_load=style.TURNS_JS,
                server_functions=[read_article],
                apply_default_css=False,
            )
        )
    screen = _composer(freshness, turns[0], turns[1])
    desks.append(Desk(chat, screen))
    return screen, desks[0]


def _composer(freshness: gr.HTML, history: gr.HTML, live: gr.HTML) -> Screen:
    import gradio as gr

    with gr.Column(elem_id="ta-composer"):
        with gr.Accordion(
            html.filters_label(Filter()), open=False, elem_id="ta-filters"
        ) as filters:
            with gr.Row(elem_id="ta-filter-row"):
                after = gr.Textbox(
                    label="Dari tanggal",
                    placeholder="mis. 15/12/2016 atau 2016",
                    elem_id="ta-after",
                )
                before = gr.Textbox(
                    label="Sampai tanggal", placeholder="mis. Desember 2016", elem_id="ta-before"
                )
                publishers = gr.Dropdown(
                    [], label="Penerbit", multiselect=True, elem_id="ta-publishers", scale=2
                )
        clear = gr.Button("Hapus saringan", visible=False, elem_id="ta-clear")
        hint = gr.HTML("", elem_id="ta-hint", apply_default_css=False)
        with gr.Row(elem_id="ta-ask-row"):
            question = gr.Textbox(
                show_label=False,
                label="Pertanyaan",
                container=False,
                placeholder="Tanyakan kepada arsip…",
                lines=1,
                max_lines=6,
                elem_id="ta-question",
            )
            send = gr.Button("Tanya", elem_id="ta-send")
    return Screen(
        conversation=gr.State(()),
        version=gr.State(""),
        freshness=freshness,
        history=history,
        live=live,
        hint=hint,
        filters=filters,
        after=after,
        before=before,
        publishers=publishers,
        clear=clear,
        question=question,
        send=send,
    )


def _wire(page: gr.Blocks, s: Screen, desk: Desk, restart: gr.Button) -> None:
    """Join what a visitor does to the desk's answers."""
    import gradio as gr

    def ask(event: Any, *values: Any) -> Iterator[Changes]:  # noqa: ANN401
        yield from desk.ask(event._data, *values)

    # Gradio goes by the real class, which a module without gradio at import cannot name.
    ask.__annotations__ = {"event": gr.EventData}
    parts = [getattr(s, field.name) for field in dataclasses.fields(s)]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    limits = [s.after, s.before, s.publishers]
    # One listener for every way to ask, so that "once" holds across them.
    asking = gr.on(
        [s.question.submit, s.send.click, s.live.submit, s.history.submit],
        ask,
        [s.question, s.conversation, *limits],
        parts,
        trigger_mode="once",
        **quiet,
    )
    gr.on(
        [s.after.change, s.before.change, s.publishers.change],
        desk.filtered,
        limits,
        [s.hint, s.filters, s.clear],
        trigger_mode="always_last",
        **quiet,
    )
    s.question.input(None, None, s.hint, js="() => ''", **quiet)
    s.clear.click(desk.clear, None, parts, **quiet)
    restart.click(desk.restart, None, parts, cancels=[asking], **quiet)
    tick = gr.Timer(REFRESH_SECONDS).tick
    gr.on(
        [page.load, tick],
        desk.refresh,
        [s.version, s.conversation, s.publishers],
        parts,
        trigger_mode="once",
        **quiet,
    )


def launch(chat: Chat, host: str, port: int, folder: Path) -> gr.Blocks:
    """Serve the page in the background; `folder` holds its icon as long as it is served."""
    import gradio as gr

    icon = folder / "favicon.svg"
    icon.write_text(style.ICON, encoding="utf-8")
    light, dark = style.LIGHT, style.DARK
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
        favicon_path=str(icon),
        theme=theme,
        head=style.HEAD,
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
    import typer

    from qa.chat import Chat

    chat = Chat.open(home)
    host = host or chat.settings.chat.host
    port = chat.settings.chat.port if port < 0 else port
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with tempfile.TemporaryDirectory(prefix="tanya-") as folder:
        try:
            page = launch(chat, host, port, Path(folder))
        except OSError as error:
            raise InputError(
                f"The chat cannot listen on {host}:{port}: the port is in use, or the address is "
                "not this machine's; choose another --port or --host."
            ) from error
        typer.echo(f"{chat.settings.chat.title}: {page.local_url}")
        threading.Thread(target=_warm, args=(chat,), daemon=True).start()
        # With a limit, so that Ctrl-C is heard on every system.
        while not stopped.wait(1):
            pass
        page.close(verbose=False)


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
