"""News about a topic: one telling sentence a story, the newest first."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import replace

from index import text
from index.records import Claim, Evidence, Hit
from qa.confidence import said_in, showable
from qa.question.topic import ONLY_NEW, TOPIC_WORDS

EVENTS = 6
HEADLINED = 0.6
"""Share of a topic that the headline of an article about it holds."""
_BEGINS = 0.75
"""Share of a topic that the first sentence of an article about it holds."""
ABOUT, _ABOUT_NAMED = 0.6, 0.65
"""Share of the topic's weight that a hit about it holds: without names to go by, and with them."""


def topic(evidence: Evidence) -> dict[str, float]:
    """Return the weights of the words that say which topic is asked about."""
    weights = dict(evidence.weights)
    own = _topic_stems()
    return {stem: weight for stem, weight in weights.items() if stem not in own} or weights


@functools.cache
def _topic_stems() -> frozenset[str]:
    return frozenset(text.stems(" ".join(TOPIC_WORDS)))


def of_days(evidence: Evidence) -> Iterator[Claim]:
    """Yield the first sentence that can stand alone of each story, the biggest first."""
    for number, hit in enumerate(evidence.hits, start=1):
        pieces = [" ".join(piece.split()) for piece in hit.passage.sentences()]
        words = next((w for w in pieces if showable(w) and not _LEANING.match(w)), "")
        if words:
            yield Claim(words, (number,))


def about(evidence: Evidence) -> list[int]:
    """Return the hits, from 1, that are about the topic."""
    is_about = _about(evidence)
    return [number for number, hit in enumerate(evidence.hits, start=1) if is_about(hit)]


def _about(evidence: Evidence) -> Callable[[Hit], bool]:
    covers = covering(evidence)
    return lambda hit: covers(said_in(hit, around=True))


def covering(evidence: Evidence) -> Callable[[Set[str]], bool]:
    """Return what tells whether stems cover the topic: all its names, most of its weight."""
    weights = topic(evidence)
    needed = text.names_and_numbers(evidence.query.text) & weights.keys()
    least = _ABOUT_NAMED if needed else ABOUT

    def covers(said: Set[str]) -> bool:
        return needed <= said and text.held(weights, said) >= least

    return covers


def in_headline(evidence: Evidence, number: int) -> float:
    """Return the share of the topic's weight that a hit's headline holds."""
    said = set(text.stems(evidence.hits[number - 1].passage.title))
    return text.held(topic(evidence), said)


def central(evidence: Evidence) -> list[int]:
    """Return the hits, from 1, that begin with the topic, headline or text; else all about it.

    News of these days that name nothing are told by what begins with the topic alone.
    """
    found = about(evidence)
    weights = topic(evidence)

    def begins_with_it(number: int) -> bool:
        first = evidence.hits[number - 1].passages[0]
        begin = set(text.stems(first.sentences()[0])) if first.id.endswith("#0") else set()
        return text.held(weights, begin) >= _BEGINS

    begun = [n for n in found if in_headline(evidence, n) >= HEADLINED or begins_with_it(n)]
    return begun if begun or evidence.query.recency >= ONLY_NEW else found


def by_year(evidence: Evidence, numbers: Iterable[int]) -> list[tuple[int, list[int]]]:
    """Return the years of some hits with the hits of each, the most telling first."""
    years: dict[int, list[int]] = {}
    for number in sorted(numbers, key=lambda n: -in_headline(evidence, n)):
        day = evidence.hits[number - 1].passage.published
        if day:
            years.setdefault(day.year, []).append(number)
    return sorted(years.items())


def covered_by_one(evidence: Evidence, numbers: Iterable[int]) -> float:
    """Return the most of the topic's weight that one of these hits holds, as a share."""
    weights = topic(evidence)
    hits = (evidence.hits[number - 1] for number in numbers)
    return max((text.held(weights, said_in(hit, around=True)) for hit in hits), default=0.0)


def led(evidence: Evidence) -> Evidence:
    """Let an article whose headline tells the topic speak by its first passage."""
    is_about = _about(evidence)
    hits = []
    for number, hit in enumerate(evidence.hits, start=1):
        headlined = hit.best and in_headline(evidence, number) >= HEADLINED
        first = replace(hit, best=0)
        begins = headlined and hit.passages[0].id.endswith("#0") and is_about(first)
        hits.append(first if begins else hit)
    return replace(evidence, hits=tuple(hits))


def alike(one: str, other: str) -> bool:
    """Return whether two sentences say much the same."""
    mine, theirs = set(text.stems(one)), set(text.stems(other))
    return len(mine & theirs) > 0.7 * min(len(mine), len(theirs))


POINTS = re.compile(
    r"(ia|dia|beliau|mereka|keduanya)\b|(menurut|kata|ujar|ucap|tutur|tegas|ungkap)nya\b",
    re.IGNORECASE,
)


def timeline(evidence: Evidence) -> Iterator[Claim]:
    """Yield one sentence a story about the topic, the newest story first, undated ones last.

    Stories that only mention the topic are told where no headline has it.
    """
    weights = topic(evidence)
    shown: list[str] = []
    found = central(evidence)
    if evidence.query.kind == "history":
        found = [numbers[0] for _, numbers in by_year(evidence, found)][-EVENTS:]
    numbers = sorted(
        found,
        key=lambda n: evidence.hits[n - 1].passage.published or dt.date.min,
        reverse=True,
    )
    if evidence.query.kind == "latest" or evidence.query.recency:
        numbers = _of_late(evidence, numbers)
    for number in numbers:
        if len(shown) == EVENTS:
            break
        words = _telling(evidence, number, weights)
        if words and not any(alike(words, other) for other in shown):
            shown.append(words)
            yield Claim(words, (number,))


_NEWS_LASTS = dt.timedelta(183)
"""What is older than the newest story about a topic by more is none of its latest news."""


def _of_late(evidence: Evidence, numbers: list[int]) -> list[int]:
    days = {n: day for n in numbers if (day := evidence.hits[n - 1].passage.published)}
    if not days:
        return numbers
    return [n for n in numbers if n in days and days[n] >= max(days.values()) - _NEWS_LASTS]


_LATE, _LEANS, _LONG = 0.02, 0.3, 45
"""Of a telling sentence: what each place after the first costs, what leaning on another sentence
or being speech costs, and the words from which one is too long."""
_LEANING = re.compile(
    r"[\"“'(]|(sebelumnya|selain|sementara|selanjutnya|kemudian|namun|tetapi|hal|menurut(nya)?)\b",
    re.IGNORECASE,
)


def _telling(evidence: Evidence, number: int, weights: dict[str, float]) -> str:
    """Return the sentence of a hit that tells most of the topic, early and on its own."""
    best, kept = -9.0, ""
    for place, piece in enumerate(evidence.hits[number - 1].passage.sentences()):
        if not showable(piece):
            continue
        score = text.held(weights, set(text.stems(piece))) - _LATE * place
        leans = _LEANING.match(piece) or POINTS.match(piece)
        score -= _LEANS * (bool(leans) + (len(piece.split()) > _LONG))
        if score > best:
            best, kept = score, " ".join(piece.split())
    return kept
