"""Orders what was read, and tells how likely it is right: small models fitted once.

They are fitted by train.confidence on questions that the reader was not trained on; nothing
multiplies what comes out of them.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index import text
from index.errors import ModelError
from index.records import Evidence, Hit, Passage, Reading
from qa import reader
from qa.reader import MODEL

Floats = npt.NDArray[np.float64]

ORDER = ("span", "answers", "retrieval", "coverage", "near", "found")
"""What readings are ordered by: see `order_rows`."""

CONFIDENCE = (
    "span",
    "answers",
    "margin",  # to the best reading of another answer
    "agreement",  # of hits among the first readings that give the same answer
    "retrieval",
    "cosine",
    "coverage",  # share of the question's words, by weight, that the article holds
    "best_coverage",  # the most that any hit holds
    "near",  # share that the passage of the answer holds with its headline
    "names",  # share of the question's names that the article lacks
    "numbers",  # whether it lacks a number of the question
    "years",  # whether it lacks a year of the question
    "unknown",  # whether no hit holds one of the names
    "echo",  # share of the answer's words that stand in the question
    "words",  # of the question, as a logarithm
    "length",  # of the answer, as a logarithm
    "why",
    "quote",
    "yesno",
    "how",
)
"""What the probability that an answer is right is made of."""

_YEAR = re.compile(r"(19|20)\d\d")
_FIRST = 5
"""Readings, of different hits, among which agreement is looked for."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression over standardised features."""

    names: tuple[str, ...]
    mean: Floats
    scale: Floats
    weights: Floats
    bias: float

    def logits(self, rows: Floats) -> Floats:
        """Return the logit of each row, [rows]."""
        return np.asarray((rows - self.mean) / self.scale @ self.weights + self.bias)

    def probability(self, row: Floats) -> float:
        """Return the probability for one row of features."""
        return float(1 / (1 + np.exp(-self.logits(row[None, :])[0])))


Undecided = Sequence[tuple[float, float]]


def is_decided(confidence: float, rounds: int, undecided: Undecided) -> bool:
    """Tell whether more reading would change nothing, as a rule, after so many rounds."""
    least, most = undecided[min(rounds, len(undecided)) - 1]
    return not least <= confidence < most


@dataclass(frozen=True, slots=True)
class Fitted:
    """The fitted models; `undecided` are the confidences from and to which, after each round of
    reading, it goes on (the last two for all later rounds too), `least_short` the
    least probability of a short answer that is shown, `shares` as in `qa.answers.enough`."""

    order: Logistic
    confidence: Logistic
    short: Logistic
    undecided: Undecided
    least_short: float
    shares: tuple[float, float]


@functools.cache
def fitted(folder: Path = MODEL) -> Fitted:
    """Read the fitted models of a folder; raises ModelError."""
    path = folder / "confidence.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        order, sure, short = (_logistic(raw[name]) for name in ("order", "confidence", "short"))
        if (order.names, sure.names, short.names) != (ORDER, CONFIDENCE, SHORT):
            raise ValueError("other features")
        share, least = map(float, raw["shares"])
        undecided = tuple((float(low), float(high)) for low, high in raw["undecided"])
        if not undecided:
            raise ValueError("undecided after no round")
        bold = float(raw["least_short"])
        return Fitted(order, sure, short, undecided, bold, (share, least))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{str(path)!r} cannot be read ({error!r}); restore it.") from error


def _logistic(raw: Mapping[str, object]) -> Logistic:
    def array(name: str) -> Floats:
        return np.array(raw[name], dtype=np.float64)

    names = tuple(str(name) for name in raw["names"])  # type: ignore[attr-defined]
    return Logistic(names, array("mean"), array("scale"), array("weights"), float(array("bias")))


# Reading -----------------------------------------------------------------------------------------

ROUND = 4
"""Passages that are read before it is asked whether the answer is sure."""

Read = Callable[[str, Sequence[tuple[int, Passage]]], list[Reading]]


def judged(evidence: Evidence, read: Read, budget: int) -> Evidence:
    """Return the evidence with what was read in it, and how likely that is right.

    Passages are read in `order`, in rounds, until it is decided or `budget` passages are read.
    A hit's best passage is then the one with its best reading.
    """
    if not evidence.hits:
        return evidence
    words = words_of(evidence)
    pages = reader.order(evidence.hits)[:budget]
    found: list[Reading] = []
    readings: tuple[Reading, ...] = ()
    confidence, features = 0.0, None
    recency = evidence.query.recency
    for rounds, first in enumerate(range(0, len(pages), ROUND), start=1):
        found += read(evidence.query.reads or evidence.query.text, pages[first : first + ROUND])
        readings = newest_first(ordered(evidence, found, words, fitted().order), recency)
        if readings:
            features = row(evidence, readings, words)
            confidence = fitted().confidence.probability(features)
        if not recency and is_decided(confidence, rounds, fitted().undecided):
            break
    if features is None:
        return evidence
    return replace(
        evidence,
        hits=_turned(evidence.hits, readings),
        readings=readings,
        confidence=confidence,
        short=_short(evidence, readings[0], features),
    )


def newest_first(readings: tuple[Reading, ...], recency: float) -> tuple[Reading, ...]:
    """Put the newest reading first that is less likely than the best by at most `recency`."""
    near = [r for r in readings if recency and r.score >= readings[0].score - recency]
    days = [day for r in near if (day := r.passage.published)]
    if not days:
        return readings
    first = next(r for r in near if r.passage.published == max(days))
    return first, *(r for r in readings if r is not first)


def _turned(hits: Sequence[Hit], readings: Sequence[Reading]) -> tuple[Hit, ...]:
    """Turn each hit to the passage of its best reading."""
    turned = list(hits)
    for reading in reversed(readings):
        hit = hits[reading.hit - 1]
        turned[reading.hit - 1] = replace(hit, best=hit.passages.index(reading.passage))
    return tuple(turned)


def _short(evidence: Evidence, best: Reading, features: Floats) -> str:
    sure = float(fitted().confidence.logits(features[None, :])[0])
    likely = fitted().short.probability(short_row(evidence, features, best, sure))
    return best.short if likely >= fitted().least_short else ""


def by_reading(evidence: Evidence) -> list[Hit]:
    """Return the hits, those that were read first, by their best reading.

    Their scores lie above 1, those of the others, of which nothing was read, below.
    """
    best: dict[int, float] = {}
    for reading in evidence.readings:
        best.setdefault(reading.hit, reading.score)
    hits = [
        replace(hit, score=1 + 1 / (1 + math.exp(-best[number]))) if number in best else hit
        for number, hit in enumerate(evidence.hits, start=1)
    ]
    return sorted(hits, key=lambda hit: -hit.score)


# What can be checked in words --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in the hits of an evidence, against the question's words.

    `said` and `coverage` are of whole articles, `near` of passages with their headline, by id.
    """

    said: tuple[frozenset[str], ...]
    coverage: tuple[float, ...]
    near: Mapping[str, float]
    weights: Mapping[str, float]
    names: frozenset[str]
    numbers: frozenset[str]


def headline(passage: Passage) -> str:
    """Return the headline of a passage's article with its day of publication, in words."""
    day = passage.published
    return f"{passage.title} {text.written(day).lower()}" if day else passage.title


def said_in(hit: Hit, *, around: bool = False) -> frozenset[str]:
    """Return the stems of an article's passages and headline, with its day of publication.

    `around` leaves out what does not stand beside the hit's best passage.
    """
    said = hit.around if around else " ".join(passage.text for passage in hit.passages)
    return frozenset(text.stems(f"{said} {headline(hit.passage)}"))


def words_of(evidence: Evidence) -> Words:
    """Look the question's words up in the hits."""
    weights = dict(evidence.weights)
    said = []
    near = {}
    for hit in evidence.hits:
        head = text.stems(headline(hit.passage))
        whole = set(head)
        for passage in hit.passages:
            stems = text.stems(passage.text)
            near[passage.id] = text.held(weights, {*head, *stems})
            whole.update(stems)
        said.append(frozenset(whole))
    asked = text.names_and_numbers(evidence.query.text)
    numbers = frozenset(stem for stem in asked if stem[0].isdigit())
    coverage = tuple(text.held(weights, there) for there in said)
    return Words(tuple(said), coverage, near, weights, frozenset(asked) - numbers, numbers)


def covered(evidence: Evidence) -> float:
    """Return how far one of the first hits covers the question, 0 to 1, before anything is read.

    The share of its words, by weight, less that of the names and numbers that the hit lacks.
    """
    words = words_of(replace(evidence, hits=evidence.hits[:_FIRST]))
    best = 0.0
    for share, said in zip(words.coverage, words.said, strict=True):
        share -= text.held(words.weights, (words.names | words.numbers) - said)
        # Another year or another count is another question, however alike the rest is.
        best = max(best, share / 2 if words.numbers - said else share)
    return best


# Order -------------------------------------------------------------------------------------------


def ordered(
    evidence: Evidence, readings: Sequence[Reading], words: Words, order: Logistic
) -> tuple[Reading, ...]:
    """Return the readings with their scores, best first; questions and stumps are left out."""
    kept = [reading for reading in readings if showable(reading.words)]
    if not kept:
        return ()
    scores = order.logits(order_rows(evidence, kept, words))
    scored = [replace(r, score=float(s)) for r, s in zip(kept, scores, strict=True)]
    return tuple(sorted(scored, key=lambda r: (-r.score, r.hit, r.start)))


def order_rows(evidence: Evidence, readings: Sequence[Reading], words: Words) -> Floats:
    """Return the features that order readings, float64 [readings, len(ORDER)]."""
    best = evidence.hits[0].score or 1.0
    return np.array(
        [
            (
                r.span,
                r.answers,
                evidence.hits[r.hit - 1].score / best,
                words.coverage[r.hit - 1],
                words.near[r.passage.id],
                r.passage.id == evidence.hits[r.hit - 1].passage.id,
            )
            for r in readings
        ],
        dtype=np.float64,
    )


def showable(words: str) -> bool:
    """Return whether a sentence can stand as a claim: no question, no stump of a few words."""
    return len(words.split()) >= 4 and not words.rstrip("\"'”’) ").endswith(("?", "-", "–", "—"))


# How likely --------------------------------------------------------------------------------------


def row(evidence: Evidence, readings: Sequence[Reading], words: Words) -> Floats:
    """Return the features of the best of some ordered readings, float64 [len(CONFIDENCE)]."""
    best = readings[0]
    hit = evidence.hits[best.hit - 1]
    said = words.said[best.hit - 1]
    short = frozenset(text.stems(best.short))
    differing = (r for r in readings[1:] if not _alike(short, frozenset(text.stems(r.short))))
    other = next(differing, None)
    margin = best.score - other.score if other else _WIDE
    firsts: dict[int, Reading] = {}
    for reading in readings:
        firsts.setdefault(reading.hit, reading)
    rivals = [r for number, r in firsts.items() if number != best.hit][:_FIRST]
    agree = sum(_alike(short, frozenset(text.stems(r.short))) for r in rivals)
    everywhere = frozenset().union(*words.said)
    lacking = words.numbers - said
    asked = frozenset(words.weights)
    kind = evidence.query.kind
    return np.array(
        (
            best.span,
            best.answers,
            min(margin, _WIDE),
            min(agree, 2),
            hit.score / (evidence.hits[0].score or 1.0),
            hit.candidate.cosine,
            words.coverage[best.hit - 1],
            max(words.coverage),
            words.near[best.passage.id],
            len(words.names - said) / max(len(words.names), 1),
            bool(lacking),
            any(map(_YEAR.fullmatch, lacking)),
            bool(words.names - everywhere),
            len(short & asked) / max(len(short), 1),
            math.log1p(len(words.weights)),
            math.log1p(len(best.short.split())),
            kind == "why",
            kind == "quote",
            kind == "yesno",
            kind == "how",
        ),
        dtype=np.float64,
    )


_WIDE = 8.0
"""A margin to the next answer beyond which it says no more."""

SHORT = (*CONFIDENCE, "sure", "few", "who", "when", "where", "howmany")
"""What the probability that the short answer is right is made of: `sure` is the confidence's logit,
`few` whether it has at most four words."""


def short_row(evidence: Evidence, features: Floats, best: Reading, sure: float) -> Floats:
    """Return the features of the best reading's short answer, float64 [len(SHORT)]."""
    kind = evidence.query.kind
    few = len(best.short.split()) <= 4
    kinds = [kind == name for name in ("who", "when", "where", "howmany")]
    return np.array((*features, sure, few, *kinds), dtype=np.float64)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether two answers say the same: most stems of the shorter stand in the other."""
    return len(one & other) > 0.5 * min(len(one), len(other))
