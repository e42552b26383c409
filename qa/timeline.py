"""News about a topic: one telling sentence a story, the newest first."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator

from index import text
from index.records import Claim, Evidence
from qa.confidence import said_in, showable

TOPICS = frozenset({"latest", "development"})
"""Kinds of question that a timeline answers."""

EVENTS = 6
HEADLINED = 0.5
"""Share of a topic that the headline of an article about it holds."""
_ABOUT, _ABOUT_NAMED = 0.6, 0.5
"""Share of the topic's weight that a hit about it holds: without names to go by, and with them."""
_TOPIC_WORDS = frozenset(
    "kabar kabarnya berita beritanya pemberitaan diberitakan info informasi isu cerita terbaru "
    "terkini terakhir teranyar update perkembangan kelanjutan kronologi perjalanan perkara "
    "ceritakan jelaskan awal sampai hingga kasus soal mengenai tentang seputar terkait hal apa "
    "bagaimana latest belakangan sekarang kondisi situasi keadaan nasib performa kinerja "
    "penampilan kiprah pergerakan tren dibahas baik buruk viral".split()
)


_CASES = frozenset("kasus perkara".split())


def topic(evidence: Evidence) -> dict[str, float]:
    """Return the weights of the words that say which topic is asked about."""
    own = {stem for word in _TOPIC_WORDS for stem in text.stems(word)}
    weights = dict(evidence.weights)
    return {stem: weight for stem, weight in weights.items() if stem not in own} or weights


def subject(question: str) -> str:
    """Return the words of a question about news that say what it is about; all, if none do."""
    unsaid = (_TOPIC_WORDS | text.QUESTION_WORDS) - _CASES
    kept = [word for word in question.split() if not unsaid.issuperset(text.words(word))]
    return " ".join(kept) if text.query_stems(" ".join(kept)) else question


def about(evidence: Evidence) -> list[int]:
    """Return the hits, from 1, that are about the topic: all its names, most of its weight."""
    weights = topic(evidence)
    needed = text.names_and_numbers(evidence.query.text) & weights.keys()
    found = []
    for number, hit in enumerate(evidence.hits, start=1):
        said = said_in(hit, around=True)
        least = _ABOUT_NAMED if needed else _ABOUT
        if needed <= said and text.held(weights, said) >= least:
            found.append(number)
    return found


def in_headline(evidence: Evidence, number: int) -> float:
    """Return the share of the topic's weight that a hit's headline holds."""
    said = set(text.stems(evidence.hits[number - 1].passage.title))
    return text.held(topic(evidence), said)


def covered_by_one(evidence: Evidence, numbers: Iterable[int]) -> float:
    """Return the most of the topic's weight that one of these hits holds, as a share."""
    weights = topic(evidence)
    hits = (evidence.hits[number - 1] for number in numbers)
    return max((text.held(weights, said_in(hit, around=True)) for hit in hits), default=0.0)


def alike(one: str, other: str) -> bool:
    """Tell whether two sentences say much the same."""
    mine, theirs = set(text.stems(one)), set(text.stems(other))
    return len(mine & theirs) > 0.7 * min(len(mine), len(theirs))


POINTS = re.compile(
    r"(ia|dia|beliau|mereka|keduanya)\b|(menurut|kata|ujar|ucap|tutur|tegas|ungkap)nya\b",
    re.IGNORECASE,
)


def timeline(evidence: Evidence) -> Iterator[Claim]:
    """Yield one sentence a story about the topic, the newest story first, undated ones last.

    Stories whose headline tells the topic go before those that only mention it.
    """
    weights = topic(evidence)
    told: list[str] = []
    central = sorted(about(evidence), key=lambda n: in_headline(evidence, n) < HEADLINED)
    numbers = sorted(
        central[:EVENTS],
        key=lambda n: evidence.hits[n - 1].passage.published or dt.date.min,
        reverse=True,
    )
    for number in numbers:
        words = _telling(evidence, number, weights)
        if words and not any(alike(words, other) for other in told):
            told.append(words)
            yield Claim(words, (number,))


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
