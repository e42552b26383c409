"""Questions: ask, search, serve."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.terminal import bar, period, say, shown
from index.errors import InputError
from index.files import UNREADABLE, json_value, unreadable, written_whole
from index.records import Filter, Hit, Passage, Turn
from index.settings import MODES
from index.text import counted
from page import texts

if TYPE_CHECKING:
    from qa.chat import Chat

After = Annotated[str, typer.Option(help="Only articles published on or after YYYY-MM-DD.")]
Before = Annotated[str, typer.Option(help="Only articles published on or before YYYY-MM-DD.")]
Publisher = Annotated[list[str] | None, typer.Option(help="Only this publisher; may be repeated.")]
Author = Annotated[list[str] | None, typer.Option(help="Only by this author; may be repeated.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Batch = Annotated[Path | None, typer.Option(help="Questions, one JSON object a line.")]
Out = Annotated[Path | None, typer.Option(help="File to write the batch's results to.")]


def ask(
    context: typer.Context,
    asked: Annotated[str, typer.Argument(metavar="QUESTION")] = "",
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
    chosen = _filter(chat, after, before, publisher or [], author or [])
    _check_usage(asked, batch, out)
    if batch and out:
        _ask_batch(chat, batch, out, chosen)
        return
    turn = chat.ask(asked, chosen=chosen)
    if as_json:
        typer.echo(json.dumps(turn_row("", turn), ensure_ascii=False))
        return
    for line in _lines(turn):
        say(line)


def turn_row(question_id: str, turn: Turn) -> dict[str, Any]:
    """Return the machine interface's row of an answered question."""
    answer = turn.answer
    return {
        "id": question_id,
        "question": turn.question,
        "standalone": turn.query.text,
        "filter": _filter_row(turn.query.filter),
        "status": answer.status,
        "short_answer": answer.short_answer,
        "confidence": round(answer.confidence, 4),
        "claims": [{"text": c.text, "cited": list(c.cited)} for c in answer.claims],
        "citations": [
            {
                "number": c.number,
                "article_id": c.passage.article_id,
                **_facts(c.passage),
                "quote": c.quote,
                "start": c.start,
                "end": c.end,
                "also_in": list(c.also_in),
            }
            for c in answer.citations
        ],
        "answerer": answer.answerer,
        "version": answer.evidence.version,
        "seconds": round(turn.seconds, 4),
    }


def _facts(passage: Passage) -> dict[str, Any]:
    return {
        "title": passage.title,
        "publisher": passage.publisher,
        "published": _iso(passage.published),
        "url": passage.url,
    }


def _filter_row(chosen: Filter) -> dict[str, Any]:
    return {
        "after": _iso(chosen.after),
        "before": _iso(chosen.before),
        "publishers": list(chosen.publishers),
        "authors": list(chosen.authors),
    }


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def _ask_batch(chat: Chat, batch: Path, out: Path, chosen: Filter) -> None:
    turns: dict[str, tuple[Turn, ...]] = {}
    rows = _questions(batch)
    with written_whole(out) as file, bar("Asking") as progress:
        task = progress.add_task("", total=len(rows))
        for row in rows:
            conversation = turns.get(row.follows, ())
            turn = chat.ask(row.asked, conversation, chosen)
            turns[row.id] = (*conversation, turn)
            file.write(json.dumps(turn_row(row.id, turn), ensure_ascii=False) + "\n")
            progress.advance(task)
    typer.echo(f"{counted(len(rows), 'answer')} written to {out}")


@dataclass(frozen=True, slots=True)
class _Row:
    """One question of a batch; `follows` is the id of the question before it, or empty."""

    place: str
    id: str
    asked: str
    follows: str


def _questions(path: Path) -> list[_Row]:
    """Read a file of questions whole; raises InputError for a broken row, naming it."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UNREADABLE as error:
        raise unreadable(path, "questions", error) from error
    found: dict[str, _Row] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            row = _question(line, f"{path.name}:{number}")
            if row.id in found:
                raise InputError(f"{row.place}: the id {row.id!r} stands twice.")
            if row.follows and row.follows not in found:
                raise InputError(
                    f"{row.place}: 'after' names {row.follows!r}, which is no earlier row."
                )
            found[row.id] = row
    return list(found.values())


def _question(line: str, place: str) -> _Row:
    row = json_value(line, place)
    if isinstance(row, dict) and "_id" in row and "text" in row:
        # BEIR's names, so that a question set's own file serves as a batch.
        row = {"id": row["_id"], "question": row["text"], "after": row.get("follows")}
    if not isinstance(row, dict) or "id" not in row or not isinstance(row.get("question"), str):
        raise InputError(f'{place} must be an object with "id" and "question".')
    if not any(map(str.isalnum, row["question"])):
        raise InputError(f"{place}: the question is empty.")
    return _Row(place, str(row["id"]), row["question"], str(row.get("after") or ""))


def search(
    context: typer.Context,
    asked: Annotated[str, typer.Argument(metavar="QUESTION")] = "",
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many articles.")] = 10,
    mode: Annotated[str, typer.Option(help="hybrid, lexical or dense.")] = "",
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
    chosen = _filter(chat, after, before, publisher or [], author or [])
    _check_usage(asked, batch, out)
    if batch and out:
        _search_batch(chat, batch, out, k, mode, chosen)
        return
    for rank, hit in enumerate(chat.search(asked, k, mode=mode, chosen=chosen), start=1):
        passage = hit.passage
        if as_json:
            typer.echo(json.dumps(_hit_row(rank, hit), ensure_ascii=False))
        else:
            typer.echo(f"{rank:>3}. {shown(passage.title) or '(tanpa judul)'}  [{hit.score:.3f}]")
            typer.echo(f"     {_source(passage)}  {passage.article_id}")
            typer.echo(f"     {shown(passage.text)[:200]}")


def _hit_row(rank: int, hit: Hit) -> dict[str, Any]:
    return {
        "rank": rank,
        "score": round(hit.score, 5),
        "article_id": hit.passage.article_id,
        "passage_id": hit.passage.id,
        **_facts(hit.passage),
        "text": hit.passage.text,
        "dense_rank": hit.candidate.dense_rank,
        "lexical_rank": hit.candidate.lexical_rank,
    }


def _search_batch(chat: Chat, batch: Path, out: Path, k: int, mode: str, chosen: Filter) -> None:
    from eval import runs

    rows = _questions(batch)
    for row in rows:
        if len(row.id.split()) != 1:
            raise InputError(f"{row.place}: a TREC run cannot hold the id {row.id!r}.")
    used = mode or chat.settings.retrieval.mode
    with written_whole(out) as file, bar("Searching") as progress:
        task = progress.add_task("", total=len(rows))
        for row in rows:
            hits = chat.search(row.asked, k, mode=mode, chosen=chosen)
            file.write(runs.trec_lines(row.id, runs.ranked(hits), used))
            progress.advance(task)
    typer.echo(f"{counted(len(rows), 'question')} searched, run written to {out}")


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = None,
) -> None:
    """Serve the chat to browsers, as `python app.py` does."""
    import app as browser

    browser.serve(context.obj, host=host, port=-1 if port is None else port)


def _filter(
    chat: Chat, after: str, before: str, publishers: list[str], authors: list[str]
) -> Filter:
    from qa.question import sources

    names = sources.resolve_publishers(publishers, chat.publishers()) if publishers else ()
    writers = sources.resolve_authors(authors, chat.index().authors()) if authors else ()
    return Filter(*period(after, before), names, writers)


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
    from qa import silence

    answer = turn.answer
    chosen = texts.brief_filter(turn.query.filter)
    if chosen or turn.query.text != " ".join(turn.question.split()):
        yield f"{texts.UNDERSTOOD_AS}: {shown(turn.query.text)} {shown(chosen)}"
    if answer.status == "answered":
        if answer.short_answer:
            yield shown(answer.short_answer)
        for claim in answer.claims:
            yield f"{shown(claim.text)} {texts.marks(claim)}"
        yield ""
        for c in answer.citations:
            title, url = shown(c.passage.title), shown(c.passage.url)
            yield f"[{c.number}] {title} ({_source(c.passage)}) {url}"
            yield f"    “{shown(c.quote)}”"
    else:
        yield f"{texts.NOT_FOUND} {silence.reason(answer.evidence)}"
        if reading := silence.nearest(answer.evidence):
            yield f"  paling dekat: “{shown(reading.words)}”"
        for hit in answer.evidence.hits[:3]:
            yield f"  {texts.RELATED.lower()}: {shown(hit.passage.title)} ({_source(hit.passage)})"
    if answer.dropped:
        yield f"{len(answer.dropped)} kalimat tidak terbukti dan tidak ditampilkan."
    if turn.notice:
        yield turn.notice


def _source(passage: Passage) -> str:
    publisher = shown(passage.publisher) or texts.NO_PUBLISHER.lower()
    return f"{publisher}, {_iso(passage.published) or '-'}"
