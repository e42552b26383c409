"""The machine interface: rows of JSON in and out, whose names other programs rely on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import InputError
from index.files import UNREADABLE, json_value, unreadable
from index.records import Filter, Hit, Passage, Turn

if TYPE_CHECKING:
    from qa.chat import Chat


def turn_row(question_id: str, turn: Turn) -> dict[str, Any]:
    """Return the row of an answered question."""
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


def hit_row(rank: int, hit: Hit) -> dict[str, Any]:
    """Return the row of an article that was found, ranked from 1."""
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


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a batch; `follows` is the id of the question before it, or empty."""

    place: str
    id: str
    question: str
    follows: str


def batch(path: Path) -> list[Asked]:
    """Read a file of questions whole; raises InputError for a broken row, naming it."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UNREADABLE as error:
        raise unreadable(path, "questions", error) from error
    found: dict[str, Asked] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            row = _asked(line, f"{path.name}:{number}")
            if row.id in found:
                raise InputError(f"{row.place}: the id {row.id!r} stands twice.")
            if row.follows and row.follows not in found:
                raise InputError(
                    f"{row.place}: 'after' names {row.follows!r}, which is no earlier row."
                )
            found[row.id] = row
    return list(found.values())


def answered(chat: Chat, rows: Sequence[Asked], chosen: Filter) -> Iterator[tuple[Asked, Turn]]:
    """Ask a batch's questions in order, each after those of its conversation."""
    turns: dict[str, tuple[Turn, ...]] = {}
    for row in rows:
        before = turns.get(row.follows, ())
        turn = chat.ask(row.question, before, chosen)
        turns[row.id] = (*before, turn)
        yield row, turn


def _asked(line: str, place: str) -> Asked:
    row = json_value(line, place)
    if isinstance(row, dict) and "_id" in row and "text" in row:
        # BEIR's names, so that a question set's own file serves as a batch.
        row = {"id": row["_id"], "question": row["text"], "after": row.get("follows")}
    if not isinstance(row, dict) or "id" not in row or not isinstance(row.get("question"), str):
        raise InputError(f'{place} must be an object with "id" and "question".')
    if not any(map(str.isalnum, row["question"])):
        raise InputError(f"{place}: the question is empty.")
    return Asked(place, str(row["id"]), row["question"], str(row.get("after") or ""))
