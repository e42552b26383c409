"""Finds what to ask next: what the cited articles answer, each question tried beforehand."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence, Set

from index import text
from index.names import folded
from index.records import Passage, Turn
from index.snapshot import SearchIndex
from qa.chat import Chat
from qa.sentence_questions import Made, made, topic

MOST = 3
"""Questions that are shown."""

LEAST_CONFIDENCE = 0.7
"""How likely an answer must be right for its question to be shown."""

_ARTICLES = 4
_TRIES = 6
_SECONDS = 4.0
"""Articles that questions are made of; how many are asked, and for how long, at most."""

_ALIKE = 0.6
"""Share of the stems of two questions, by those of both, from which they ask the same."""

_ORDER = ("why", "who", "when", "where", "howmany", "quote")
"""Kinds of question, those that lead on farthest first."""


def next_questions(chat: Chat, turn: Turn, asked: Sequence[str] = ()) -> list[str]:
    """Return at most MOST questions that the articles which a turn cites, or their story, answer.

    `asked` are the questions of the conversation, none of which is asked again; nor is what the
    turn already says. It takes its time, but steps back for whoever asks meanwhile. Raises
    TanyaError.
    """
    quoted = {(c.passage.article_id, c.start) for c in turn.answer.citations}
    cited = [c.passage.article_id for c in turn.answer.citations]
    others = [i for c in turn.answer.citations for i in c.also_in]
    index = chat.index()
    read = list(articles(index, list(dict.fromkeys((*cited, *others)))[:_ARTICLES]))
    candidates = [
        one
        for passages in read
        for one in made(passages)
        if (one.passage.article_id, one.sentence[0]) not in quoted
    ]
    known = [turn.question, turn.query.text, *asked]
    found = answered(chat, candidates, MOST, known)
    if len(found) < MOST:
        found += _news(chat, index, read, set(cited), [*known, *found])
    return found


def _news(
    chat: Chat,
    index: SearchIndex,
    read: Sequence[Sequence[Passage]],
    cited: Set[str],
    known: Sequence[str],
) -> list[str]:
    """Return a question for the news of whom an article is about, if other articles tell of them.

    At most one; an empty list if there is none.
    """
    for name in dict.fromkeys(map(topic, read)):
        asked = f"Apa kabar terbaru soal {name}?"
        listed = [other for other, _ in index.names(folded(name), 1)] if name else []
        if name not in listed or any(_same(asked, other) for other in known):
            continue
        turn = chat.ask_aside(asked, _SECONDS)
        if turn is None or turn.answer.confidence < LEAST_CONFIDENCE:
            return []
        others = {c.passage.article_id for c in turn.answer.citations} - cited
        return [asked] if others else []
    return []


def answered(
    chat: Chat,
    candidates: Sequence[Made],
    most: int,
    asked: Sequence[str] = (),
    *,
    tries: int = _TRIES,
    seconds: float = _SECONDS,
) -> list[str]:
    """Return the first `most` questions that their own sentence answers, none like one before.

    At most `tries` are asked, and for at most so many seconds.
    """
    known = list(asked)
    shown: list[str] = []
    until = time.monotonic() + seconds
    for one in _by_kind(candidates):
        left = until - time.monotonic()
        if len(shown) == most or not tries or left <= 0:
            break
        if any(_same(one.text, other) for other in known):
            continue
        tries -= 1
        turn = chat.ask_aside(one.text, left)
        if turn and answers(turn, one):
            shown.append(one.text)
            known.append(one.text)
    return shown


def answers(turn: Turn, one: Made) -> bool:
    """Return whether a turn is sure, and answers first from the question's own sentence."""
    answer = turn.answer
    if answer.confidence < LEAST_CONFIDENCE or not answer.claims or not answer.evidence.readings:
        return False
    first = answer.evidence.readings[0]
    here = (one.passage.article_id, one.sentence[0], one.passage.content)
    cites = {(c.passage.article_id, c.start, c.passage.content) for c in answer.citations}
    read = (first.passage.article_id, first.sentence[0], first.passage.content)
    if one.kind == "quote":
        # What somebody says may stand in several sentences: their name tells whose it is.
        speaker = one.text.partition(" tentang ")[0].split()[-1]
        return read[0] == here[0] and speaker in first.words
    if here not in cites or read != here:
        return False
    if one.kind == "why":
        return True
    same = set(text.stems(first.short)) & set(text.stems(one.answer))
    return any(stem[0].isdigit() for stem in same) if one.kind == "when" else bool(same)


def articles(index: SearchIndex, article_ids: Sequence[str]) -> Iterator[list[Passage]]:
    """Yield the passages of each article that can be found."""
    for article_id, size in zip(article_ids, index.sizes(article_ids), strict=True):
        if size:
            yield index.passages([f"{article_id}#{number}" for number in range(size)])


def _by_kind(candidates: Sequence[Made]) -> Iterator[Made]:
    """Yield questions of each kind in turn."""
    groups = [[one for one in candidates if one.kind == kind] for kind in _ORDER]
    for rank in range(max(map(len, groups), default=0)):
        yield from (group[rank] for group in groups if rank < len(group))


def _same(one: str, other: str) -> bool:
    mine, theirs = set(text.query_stems(one)), set(text.query_stems(other))
    return len(mine & theirs) >= _ALIKE * len(mine | theirs)
