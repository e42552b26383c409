"""Questions: ask, search; served to browsers and to language models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.terminal import (
    After,
    AsJson,
    Before,
    Publisher,
    bar,
    chosen_filter,
    echo_json,
    say,
)
from index import logs
from index.errors import InputError
from index.files import written_whole
from index.records import Evidence, Filter, Passage, Turn
from index.settings import MODES
from index.text import counted
from page import texts
from qa import interface
from qa.interface import hit_row, turn_row
from qa.question.small_talk import SMALL_TALK

if TYPE_CHECKING:
    from qa.chat import Chat

Author = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Only by this author; may be repeated."),
]
Batch = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Questions, one JSON object a line.")
]
Out = Annotated[
    Path | None, typer.Option(metavar="FILE", help="File to write the batch's results to.")
]


def ask(
    context: typer.Context,
    asked: Annotated[str, typer.Argument(metavar="QUESTION", show_default=False)] = "",
    after: After = "",
    before: Before = "",
    publisher: Publisher = None,
    author: Author = None,
    as_json: AsJson = False,
    batch: Batch = None,
    out: Out = None,
) -> None:
    """Answer a question, every sentence cited; or a file of questions with --batch and --out.

    Example: tanya ask "Apa yang disepakati Wiranto dengan China?" --after 2016-01-01

    A batch row is {"id", "question", "after"?}: `after` is the id of the question it follows.
    """
    from qa.chat import Chat

    chat = Chat.open(context.obj)
    chosen = _filter(chat, after, before, publisher, author)
    _check_usage(asked, batch, out)
    if batch and out:
        _ask_batch(chat, batch, out, chosen)
        return
    turn = chat.ask(asked, chosen=chosen)
    if as_json:
        echo_json(turn_row("", turn))
        return
    for line in [turn.notice] if turn.query.kind == SMALL_TALK else _lines(turn):
        say(line)


def _ask_batch(chat: Chat, batch: Path, out: Path, chosen: Filter) -> None:
    rows = interface.batch(batch)
    with written_whole(out) as file, bar("Asking") as progress:
        answers = interface.answered(chat, rows, chosen)
        for row, turn in progress.track(answers, len(rows), description=""):
            file.write(json.dumps(turn_row(row.id, turn), ensure_ascii=False) + "\n")
    say(f"{counted(len(rows), 'answer')} written to {out}")


def search(
    context: typer.Context,
    asked: Annotated[str, typer.Argument(metavar="QUESTION", show_default=False)] = "",
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many articles.")] = 10,
    mode: Annotated[
        str, typer.Option(metavar="MODE", help="hybrid, lexical or dense; else the settings'.")
    ] = "",
    after: After = "",
    before: Before = "",
    publisher: Publisher = None,
    author: Author = None,
    as_json: AsJson = False,
    batch: Batch = None,
    out: Out = None,
) -> None:
    """Find articles, the best passage of each; or write a TREC run with --batch and --out.

    Example: tanya search "kerja sama siber" -k 5 --mode lexical
    """
    from qa.chat import Chat

    if mode not in ("", *MODES):
        raise typer.BadParameter(f"--mode is {mode!r} but must be one of {', '.join(MODES)}.")
    chat = Chat.open(context.obj)
    chosen = _filter(chat, after, before, publisher, author)
    _check_usage(asked, batch, out)
    if batch and out:
        _search_batch(chat, batch, out, k, mode, chosen)
        return
    for rank, hit in enumerate(chat.search(asked, k, mode=mode, chosen=chosen), start=1):
        passage = hit.passage
        if as_json:
            echo_json(hit_row(rank, hit))
        else:
            say(f"{rank:>3}. {passage.title or '(tanpa judul)'}  [{hit.score:.3f}]", hang=5)
            say(f"     {_source(passage)}  {passage.article_id}")
            say(f"     {passage.text[:200]}")


def _search_batch(chat: Chat, batch: Path, out: Path, k: int, mode: str, chosen: Filter) -> None:
    from eval import runs

    rows = interface.batch(batch)
    for row in rows:
        if len(row.id.split()) != 1:
            raise InputError(f"{row.place}: a TREC run cannot hold the id {row.id!r}.")
    used = mode or chat.settings.retrieval.mode
    with written_whole(out) as file, bar("Searching") as progress:
        for row in progress.track(rows, description=""):
            hits = chat.search(row.question, k, mode=mode, chosen=chosen)
            file.write(runs.trec_lines(row.id, runs.ranked(hits), used))
    say(f"{counted(len(rows), 'question')} searched, run written to {out}")


BehindProxy = Annotated[
    bool,
    typer.Option(
        "--behind-proxy",
        help="Take the word of the proxies in [serve] trusted for who asks.",
    ),
]
Open = Annotated[
    bool, typer.Option("--open", help="Let in everybody who reaches the address, without a login.")
]


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen on.")] = "",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = None,
    behind_proxy: BehindProxy = False,
    open_to_all: Open = False,
) -> None:
    """Serve the chat to browsers, as `python app.py` does.

    On another address than this machine's own it demands accounts (`tanya user add NAME`),
    --behind-proxy or --open.
    """
    import app as browser

    browser.serve(
        context.obj,
        host=host,
        port=-1 if port is None else port,
        behind_proxy=behind_proxy,
        open_to_all=open_to_all,
    )


def mcp(
    context: typer.Context,
    http: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Serve /mcp there by HTTP; port 0 is a free one."),
    ] = "",
    behind_proxy: BehindProxy = False,
    open_to_all: Open = False,
) -> None:
    """Serve the archive to a language model by the Model Context Protocol, on stdin and stdout.

    The model gets three tools, which only read: ask_archive, search_archive and read_article.
    """
    from qa.chat import Chat

    host, _, port = http.rpartition(":")
    if http and not (host and re.fullmatch("[0-9]{1,5}", port) and int(port) < 65536):
        raise typer.BadParameter(
            f"--http is {http[:80]!r} but must be HOST:PORT, as 127.0.0.1:7861."
        )
    chat = Chat.open(context.obj)
    logs.configure(chat.settings.log)
    chat.index()
    from web import access
    from web import mcp as protocol

    if http:
        host = host.strip("[]")
        given = replace(
            chat.settings.serve, behind_proxy=behind_proxy or chat.settings.serve.behind_proxy
        )
        entry = access.opened(context.obj, host, given, open_to_all=open_to_all)
        for warning in entry.warnings():
            typer.secho(f"tanya: {warning}", fg=typer.colors.RED, bold=True, err=True)
        protocol.serve_http(chat, host, int(port), lambda at: say(at, err=True), entry)
    else:
        protocol.serve_stdio(chat)


def _filter(
    chat: Chat, after: str, before: str, publishers: list[str] | None, authors: list[str] | None
) -> Filter:
    from qa.question.sources import resolve_authors

    writers = resolve_authors(authors, chat.index().authors()) if authors else ()
    return chosen_filter(after, before, publishers, chat.publishers, writers)


def _check_usage(asked: str, batch: Path | None, out: Path | None) -> None:
    """Raise typer's BadParameter unless there is a question, or a batch and another file."""
    wrong = ""
    if batch is None:
        if out is not None or not any(map(str.isalnum, asked)):
            wrong = "Give a QUESTION, or --batch FILE with --out FILE."
    elif asked or out is None:
        wrong = "--batch takes --out FILE and no QUESTION."
    elif batch.exists() and out.exists() and batch.samefile(out):
        wrong = f"--out {out} is the batch itself: name another file."
    if wrong:
        raise typer.BadParameter(wrong)


def _lines(turn: Turn) -> Iterator[str]:
    """Yield what a person reads of a turn in a terminal."""
    answer = turn.answer
    chosen = texts.brief_filter(turn.query.filter)
    if chosen or turn.query.text != " ".join(turn.question.split()):
        yield f"{texts.UNDERSTOOD_AS}: {turn.query.text} {chosen}"
    if answer.status == "answered":
        if answer.short_answer:
            yield answer.short_answer
        for claim in answer.claims:
            yield f"{claim.text} {texts.marks(claim)}"
        yield ""
        for c in answer.citations:
            url = texts.safe_url(c.passage.url)
            yield f"[{c.number}] {c.passage.title} ({_source(c.passage)}) {url}"
            yield f"    “{' '.join(c.quote.split())}”"
    else:
        yield from _refusal(answer.evidence)
    if answer.dropped:
        yield f"{len(answer.dropped)} kalimat tidak terbukti dan tidak ditampilkan."
    if turn.notice:
        yield turn.notice


def _refusal(evidence: Evidence) -> Iterator[str]:
    """Yield why there is no answer, and what comes near."""
    from qa import silence

    told = silence.telling(evidence)
    yield f"{texts.refusal_words(told)} {silence.reason(evidence)}"
    if told:
        passage, span = told
        yield f"  {passage.title or texts.UNTITLED} ({_source(passage)}):"
        yield f"    “{' '.join(passage.sentence(span).split())}”"
    elif reading := silence.nearest(evidence):
        yield f"  paling dekat: “{reading.words}”"
    for hit in evidence.hits[:3]:
        yield f"  {texts.RELATED.lower()}: {hit.passage.title} ({_source(hit.passage)})"


def _source(passage: Passage) -> str:
    published = passage.published.isoformat() if passage.published else "-"
    return f"{passage.publisher or texts.NO_PUBLISHER.lower()}, {published}"
