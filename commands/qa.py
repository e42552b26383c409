"""Questions: ask, search, serve."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.terminal import bar, shown
from index.errors import InputError
from index.files import UNREADABLE, json_value, unreadable, written_whole
from index.records import Filter, Turn
from index.settings import MODES
from index.text import counted

if TYPE_CHECKING:
    from qa.chat import Chat
    from qa.finder import Finder

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
    if batch is not None:
        _need_batch(asked, batch, out)
        _ask_batch(chat, batch, out or Path(), chosen)
        return
    _need_question(asked, out)
    turn = chat.ask(asked, chosen=chosen)
    if as_json:
        typer.echo(json.dumps(turn_row("", turn), ensure_ascii=False))
    else:
        _print_turn(turn)


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
                "title": c.passage.title,
                "publisher": c.passage.publisher,
                "published": c.passage.published.isoformat() if c.passage.published else None,
                "url": c.passage.url,
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


def _filter_row(chosen: Filter) -> dict[str, Any]:
    return {
        "after": chosen.after.isoformat() if chosen.after else None,
        "before": chosen.before.isoformat() if chosen.before else None,
        "publishers": list(chosen.publishers),
        "authors": list(chosen.authors),
    }


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
    from qa.finder import Finder

    _need(mode in ("", *MODES), f"--mode is {mode!r} but must be one of {', '.join(MODES)}.")
    finder = Finder.open(context.obj)
    chosen = _filter(finder, after, before, publisher or [], author or [])
    if batch is not None:
        _need_batch(asked, batch, out)
        _search_batch(finder, batch, out or Path(), k, mode, chosen)
        return
    _need_question(asked, out)
    hits = finder.search(asked, k, mode=mode, chosen=chosen)
    for rank, hit in enumerate(hits, start=1):
        passage = hit.passage
        row = {
            "rank": rank,
            "score": round(hit.score, 5),
            "article_id": passage.article_id,
            "passage_id": passage.id,
            "title": passage.title,
            "publisher": passage.publisher,
            "published": passage.published.isoformat() if passage.published else None,
            "url": passage.url,
            "text": passage.text,
            "dense_rank": hit.candidate.dense_rank,
            "lexical_rank": hit.candidate.lexical_rank,
        }
        if as_json:
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            typer.echo(f"{rank:>3}. {shown(passage.title) or '(tanpa judul)'}  [{hit.score:.3f}]")
            typer.echo(f"     {_from(passage.publisher, passage.published)}  {passage.article_id}")
            typer.echo(f"     {shown(passage.text)[:200]}")


def _search_batch(
    finder: Finder, batch: Path, out: Path, k: int, mode: str, chosen: Filter
) -> None:
    from eval import runs

    rows = _questions(batch)
    for row in rows:
        if len(row.id.split()) != 1:
            raise InputError(f"{row.place}: a TREC run cannot hold the id {row.id!r}.")
    used = mode or finder.settings.retrieval.mode
    with written_whole(out) as file, bar("Searching") as progress:
        task = progress.add_task("", total=len(rows))
        for row in rows:
            hits = finder.search(row.asked, k, mode=mode, chosen=chosen)
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
    finder: Finder, after: str, before: str, publishers: list[str], authors: list[str]
) -> Filter:
    from qa.question import sources

    names = sources.resolve_publishers(publishers, finder.publishers()) if publishers else ()
    writers = sources.resolve_authors(authors, finder.index().authors()) if authors else ()
    chosen = Filter(_day(after, "--after"), _day(before, "--before"), names, writers)
    if chosen.after and chosen.before and chosen.after > chosen.before:
        raise typer.BadParameter(f"--after {after} is later than --before {before}.")
    return chosen


def _day(value: str, option: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if value else None
    except ValueError:
        raise typer.BadParameter(f"{option} is {value!r} but must be a date YYYY-MM-DD.") from None


def _need(holds: bool, message: str) -> None:
    if not holds:
        raise typer.BadParameter(message)


def _need_question(asked: str, out: Path | None) -> None:
    typed = any(map(str.isalnum, asked))
    _need(typed and out is None, "Give a QUESTION, or --batch FILE with --out FILE.")


def _need_batch(asked: str, batch: Path, out: Path | None) -> None:
    if asked or out is None:
        raise typer.BadParameter("--batch takes --out FILE and no QUESTION.")
    same = batch.exists() and out.exists() and batch.samefile(out)
    _need(not same, f"--out {out} is the batch itself: name another file.")


def _print_turn(turn: Turn) -> None:
    answer = turn.answer
    understood = " ".join(turn.question.split()) != turn.query.text
    chosen = _filter_words(turn.query.filter)
    if understood or chosen:
        _say(f"Dipahami sebagai: {shown(turn.query.text)} {chosen}")
    if answer.status == "answered":
        if answer.short_answer:
            _say(shown(answer.short_answer))
        for claim in answer.claims:
            marks = "".join(f"[{number}]" for number in claim.cited)
            _say(f"{shown(claim.text)} {marks}")
        _say("")
        for c in answer.citations:
            source = _from(c.passage.publisher, c.passage.published)
            _say(f"[{c.number}] {shown(c.passage.title)} ({source}) {shown(c.passage.url)}")
            _say(f"    “{shown(c.quote)}”")
    else:
        from qa import silence

        _say(f"Jawabannya tidak ditemukan di arsip. {silence.reason(answer.evidence)}")
        reading = silence.nearest(answer.evidence)
        if reading:
            _say(f"  paling dekat: “{shown(reading.words)}”")
        for hit in answer.evidence.hits[:3]:
            source = _from(hit.passage.publisher, hit.passage.published)
            _say(f"  mungkin terkait: {shown(hit.passage.title)} ({source})")
    if answer.dropped:
        _say(f"{len(answer.dropped)} kalimat tidak terbukti dan tidak ditampilkan.")
    if turn.notice:
        _say(turn.notice)


def _say(line: str) -> None:
    """Print a line; a terminal's is folded between words, with what is within under its begin."""
    line = line.rstrip()
    if sys.stdout.isatty():
        indent = " " * (len(line) - len(line.lstrip()))
        width = max(20, shutil.get_terminal_size().columns)
        # A URL or a long number is never broken, so that it can be clicked or copied.
        line = textwrap.fill(
            line,
            width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    typer.echo(line)


def _filter_words(chosen: Filter) -> str:
    """Return a filter in brackets: "(9-15 November 2026, Kompas.com)"; "" for none."""
    days = _days(chosen.after, chosen.before)
    parts = [part for part in (days, *map(shown, (*chosen.publishers, *chosen.authors))) if part]
    return f"({', '.join(parts)})" if parts else ""


def _days(first: dt.date | None, last: dt.date | None) -> str:
    """Return days as newspapers write them, what two have in common once."""
    from index.text import written

    if not first or not last:
        return f"sejak {written(first)}" if first else f"sampai {written(last)}" if last else ""
    if first == last:
        return written(first)
    begin = written(first).split()
    if first.year == last.year:
        begin = begin[:1] if first.month == last.month else begin[:2]
    dash = "-" if len(begin) == 1 else " - "
    return f"{' '.join(begin)}{dash}{written(last)}"


def _from(publisher: str, published: dt.date | None) -> str:
    return f"{shown(publisher) or 'tanpa penerbit'}, {published.isoformat() if published else '-'}"
