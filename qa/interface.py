"""The machine interface: rows of JSON in and out, whose names other programs rely on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from typing_extensions import TypedDict

from index.archive import content_hash
from index.errors import InputError
from index.exported import ArticleRow, row_of
from index.files import UNREADABLE, json_value, unreadable
from index.records import Article, Filter, Hit, Passage, Turn
from qa.references import safe_url

if TYPE_CHECKING:
    from qa.chat import Chat
    from qa.history import KeptTurn


Status = Literal["answered", "no_evidence", "unsupported"]
_Row = TypeVar("_Row")


def described(kind: type[_Row]) -> type[_Row]:
    """Have the texts below the fields of a row's type stand in the JSON schemas made of it."""
    kind.__pydantic_config__ = {"use_attribute_docstrings": True}  # type: ignore[attr-defined]
    return kind


@described
class FilterRow(TypedDict):
    """Which articles may answer. Both dates are inclusive; empty lists stand for all."""

    after: str | None
    """A date, YYYY-MM-DD."""
    before: str | None
    """A date, YYYY-MM-DD."""
    publishers: list[str]
    authors: list[str]


@described
class ClaimRow(TypedDict):
    """One sentence of an answer."""

    text: str
    cited: list[int]
    """The numbers of the citations that it rests on."""


class FactsRow(TypedDict):
    """What is told of an article wherever it is named; `published` is YYYY-MM-DD."""

    title: str
    publisher: str
    published: str | None
    url: str


@described
class CitationRow(FactsRow):
    """A proof: `quote` is the archived text of the article from `start` to `end`."""

    number: int
    """What claims cite, from 1."""
    article_id: str
    quote: str
    """The archived text, character for character."""
    start: int
    """Where the quote begins in the article's text, in characters (Unicode code points)."""
    end: int
    """Where it ends, exclusive."""
    also_in: list[str]
    """The ids of other articles that carry the same story."""


@described
class AnswerRow(TypedDict):
    """An answered question, or an honest "the archive does not say"."""

    id: str
    """The question's id, which a question that follows it names."""
    question: str
    standalone: str
    """What the question was understood as, on its own."""
    filter: FilterRow
    """The filter that was searched with: the one given, and what stood in the question."""
    status: Status
    """Without "answered" there are no claims: nothing was found, or nothing could be proven."""
    short_answer: str
    """The answer in a few words, "" where they are not likely to be right."""
    confidence: float
    """The calibrated probability, from 0 to 1, that what is shown answers the question."""
    claims: list[ClaimRow]
    citations: list[CitationRow]
    answerer: str
    """What wrote the claims: "extractive", or a language model's name."""
    version: str
    """The version of the index that was asked."""
    seconds: float
    """How long it took."""


@described
class HitRow(FactsRow):
    """An article that was found, and the passage that speaks for it."""

    rank: int
    """From 1, best first."""
    score: float
    """Higher is better; comparable within one search only."""
    article_id: str
    passage_id: str
    text: str
    """The passage: sentences of the article, joined by blanks."""
    dense_rank: int | None
    """Its rank by vectors; null where these did not find it."""
    lexical_rank: int | None
    """Its rank by words; null where these did not find it."""


@described
class ArchivedRow(ArticleRow):
    """An article as archived, and which texts of it are kept.

    `text` is the body, character for character; the offsets of citations count its characters
    (Unicode code points). `published` is YYYY-MM-DD, `retrieved` ISO 8601; `origin` is the agency
    that the article was taken from, if it says so; `story_id` is the same for all articles that
    tell one story in nearly the same words.
    """

    content: str
    """The hash of this text."""
    earlier: list[str]
    """The hashes of earlier texts, the last one first; each may be asked for."""


def turn_row(question_id: str, turn: Turn) -> AnswerRow:
    """Return the row of an answered question."""
    answer = turn.answer
    return {
        "id": question_id,
        "question": turn.question,
        "standalone": turn.query.text,
        "filter": _filter_row(turn.query.filter),
        "status": cast(Status, answer.status),
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


def verdict_row(kept: KeptTurn) -> dict[str, object]:
    """Return the row of a turn with what was said of it, without who did."""
    verdict = kept.verdict
    if verdict is None or kept.turn is None:
        raise ValueError(f"the turn {kept.number!r} of {kept.conversation!r} has no verdict")
    return {
        "given": verdict.given.isoformat(timespec="seconds"),
        "verdict": "good" if verdict.good else "bad",
        "reason": verdict.reason,
        "words": verdict.words,
        "right_answer": verdict.right_answer,
        "right_article": verdict.right_article,
        "conversation": kept.conversation,
        "answer": turn_row(str(kept.number), kept.turn),
    }


def hit_row(rank: int, hit: Hit) -> HitRow:
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


def archived_row(article: Article, earlier: Sequence[str]) -> ArchivedRow:
    """Return the row of an article, whose `earlier` texts have these hashes."""
    row: ArchivedRow = {
        **row_of(article),
        "content": content_hash(article),
        "earlier": list(earlier),
    }
    row["url"] = safe_url(article.url)
    return row


def _facts(passage: Passage) -> FactsRow:
    return {
        "title": passage.title,
        "publisher": passage.publisher,
        "published": _iso(passage.published),
        "url": safe_url(passage.url),
    }


def _filter_row(chosen: Filter) -> FilterRow:
    return {
        "after": _iso(chosen.after),
        "before": _iso(chosen.before),
        "publishers": list(chosen.publishers),
        "authors": list(chosen.authors),
    }


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def published(after: str, before: str, mark: str = "") -> Filter:
    """Return the filter of two dates as typed, "" for none.

    Raises InputError for one that is no date; `mark` stands there before its name.
    """
    begin, end = _day(after, f"{mark}after"), _day(before, f"{mark}before")
    if begin and end and begin > end:
        raise InputError(f"{mark}after {after} is later than {mark}before {before}.")
    return Filter(begin, end)


def _day(value: str, name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if value else None
    except ValueError:
        raise InputError(f"{name} is {value[:60]!r} but must be a date YYYY-MM-DD.") from None


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
