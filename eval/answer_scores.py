"""What is measured of answers: each measure a function, each question a value."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eval.scores import Values

FIRST, OPENING, FOLLOW_UP = "first", "opening", "follow-up"
PARTS = (FIRST, OPENING, FOLLOW_UP)
"""A set's question asked alone; the first of a conversation; one that follows another."""

BINS = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """What one answer is worth; None where a figure does not apply.

    `shown`: a gold string stands in the claims. `would_show`: so too in the claims that the chat
    held back. `exact` and `overlap`: the short answer against the gold strings. `words` are
    counted in the claims. `cited`: a quote of a relevant article holds a gold string. `relevant`,
    `verbatim`: shares of the citations. `borne_out`: share of the claims. `understood`: a follow-up
    was understood as its row says.
    """

    shown: float | None = None
    would_show: float | None = None
    exact: float | None = None
    overlap: float | None = None
    words: float | None = None
    cited: float | None = None
    relevant: float | None = None
    verbatim: float | None = None
    borne_out: float | None = None
    understood: float | None = None


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation as it was shown."""

    number: int
    article_id: str
    title: str
    publisher: str
    published: str
    quote: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One question with the chat's answer and its figures; `part` is one of PARTS."""

    id: str
    question: str
    standalone: str
    part: str
    answerable: bool
    gold: tuple[str, ...]
    status: str
    short: str
    confidence: float
    claims: tuple[str, ...]
    citations: tuple[Cited, ...]
    answerer: str
    milliseconds: float
    figures: Figures

    @property
    def answered(self) -> bool:
        """Tell whether claims were shown."""
        return self.status == "answered"

    @property
    def right(self) -> float | None:
        """Return 1 for a gold string shown, or for silence where there is no answer."""
        return self.figures.shown if self.answerable else float(not self.answered)


# Text against gold strings -----------------------------------------------------------------------


def folded(text: str) -> str:
    """Normalise a text as SQuAD's evaluation does (Rajpurkar et al. 2016).

    Small letters, no punctuation, single spaces. English articles are not taken out, Indonesian has
    none; punctuation is Unicode's, with its symbols.
    """
    kept = "".join(c for c in text.casefold() if not _is_mark(c))
    return " ".join(kept.split())


def holds(text: str, gold: Sequence[str]) -> bool:
    """Tell whether a gold string stands in a text as whole words.

    Both are normalised as by `folded`, but here punctuation parts words, so that "2016.[1]" ends
    with 2016; between digits it is taken out as there: 5 does not stand in "1,5".
    """
    said = f" {_parted(text)} "
    return any(f" {answer} " in said for answer in map(_parted, gold) if answer)


_IN_NUMBER = re.compile(r"(?<=\d)[.,:/](?=\d)")


def _parted(text: str) -> str:
    whole = _IN_NUMBER.sub("", text.casefold())
    return " ".join("".join(" " if _is_mark(c) else c for c in whole).split())


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def exact(short: str, gold: Sequence[str]) -> float:
    """Return 1 if the short answer is a gold string, both normalised (SQuAD's exact match)."""
    return float(bool(folded(short)) and folded(short) in map(folded, gold))


def overlap(short: str, gold: Sequence[str]) -> float:
    """Return the best F1 of the short answer's words and a gold string's (SQuAD's F1)."""
    mine = folded(short).split()
    best = 0.0
    for answer in gold:
        theirs = folded(answer).split()
        shared = sum((Counter(mine) & Counter(theirs)).values())
        best = max(best, 2 * shared / max(len(mine) + len(theirs), 1))
    return best


# Measures of single questions --------------------------------------------------------------------

Measure = Callable[[Reply], float | None]


def accuracy(reply: Reply) -> float | None:
    """Return whether a gold string is shown; a question that is not answered has 0.

    Of answerable questions; the claims are read as by `holds` (SQuAD's normalisation).
    """
    return reply.figures.shown


def coverage(reply: Reply) -> float | None:
    """Return whether an answerable question is answered (El-Yaniv and Wiener 2010)."""
    return float(reply.answered) if reply.answerable else None


def precision(reply: Reply) -> float | None:
    """Return `accuracy` of the answerable questions that are answered: 1 - selective risk."""
    return reply.figures.shown if reply.answered else None


def exact_match(reply: Reply) -> float | None:
    """Return whether the short answer is a gold string, 0 without one (Rajpurkar et al. 2016)."""
    return reply.figures.exact


def f1(reply: Reply) -> float | None:
    """Return the short answer's F1 of words, 0 without one (Rajpurkar et al. 2016)."""
    return reply.figures.overlap


def short_given(reply: Reply) -> float | None:
    """Return whether an answer to an answerable question has a short answer."""
    return float(bool(reply.short)) if reply.answerable and reply.answered else None


def exact_of_given(reply: Reply) -> float | None:
    """Return `exact_match` of the short answers that are given."""
    return reply.figures.exact if reply.short else None


def words(reply: Reply) -> float | None:
    """Return how many words are shown, of answers to answerable questions."""
    return reply.figures.words if reply.answerable else None


def citation_recall(reply: Reply) -> float | None:
    """Return whether a quote of a relevant article (by the qrels) holds a gold string.

    Of answerable questions that are judged and have gold strings; one not answered has 0. Stricter
    than Gao et al. (2023), who ask only that the quotes bear out the claim: see `borne_out`.
    """
    return reply.figures.cited


def citation_precision(reply: Reply) -> float | None:
    """Return the share of an answer's citations that are to the point.

    To the point is one of a relevant article (by the qrels), or with a gold string in its quote;
    after Gao et al. (2023), with judgements in the place of a model of entailment.
    """
    return reply.figures.relevant


def verbatim(reply: Reply) -> float | None:
    """Return the share of citations whose quote is the archived body[start:end]."""
    return reply.figures.verbatim


def borne_out(reply: Reply) -> float | None:
    """Return the share of claims that their own quotes bear out.

    Their names, numbers, dates and most other words stand in the quotes, they negate what those do
    and say the opposite of nothing there: as in the chat's own check, recomputed from what is shown
    and without the headline and the date, which help there.
    """
    return reply.figures.borne_out


def declined(reply: Reply) -> float | None:
    """Return whether an unanswerable question is declined (Rajpurkar et al. 2018)."""
    return None if reply.answerable else float(not reply.answered)


def right_of_answered(reply: Reply) -> float | None:
    """Return whether an answer is right, of all that are given; to the unanswerable none is."""
    if not reply.answered:
        return None
    return reply.figures.shown if reply.answerable else 0.0


def right(reply: Reply) -> float | None:
    """Return 1 for a gold string shown, or for silence where there is no answer."""
    return reply.right


def understood(reply: Reply) -> float | None:
    """Return whether a follow-up's standalone question has the words that it must, and no other."""
    return reply.figures.understood


def other_story(reply: Reply) -> float | None:
    """Return whether an answer cites nothing that is to the point: only another story."""
    return None if reply.figures.relevant is None else float(reply.figures.relevant == 0)


ANSWERS: dict[str, Measure] = {
    "accuracy": accuracy,
    "coverage": coverage,
    "precision": precision,
    "EM": exact_match,
    "F1": f1,
    "short": short_given,
    "EM given": exact_of_given,
    "words": words,
}
CITATIONS: dict[str, Measure] = {
    "cit recall": citation_recall,
    "cit prec": citation_precision,
    "verbatim": verbatim,
    "borne out": borne_out,
}
ABSTENTION: dict[str, Measure] = {
    "declined": declined,
    "right given": right_of_answered,
    "right": right,
}
FOLLOW_UPS: dict[str, Measure] = {
    "understood": understood,
    "accuracy": accuracy,
    "coverage": coverage,
    "precision": precision,
    "EM": exact_match,
    "F1": f1,
    "other story": other_story,
    "declined": declined,
    "right": right,
}


def values(measure: Measure, replies: Sequence[Reply]) -> Values:
    """Return a measure's value for each reply; NaN where it does not apply."""
    found = (measure(reply) for reply in replies)
    return np.array([np.nan if v is None else v for v in found], dtype=np.float64)


# Measures of all questions together --------------------------------------------------------------


def judged(replies: Sequence[Reply]) -> tuple[Values, Values]:
    """Return confidence, and 1 for what would be right if it were answered.

    Left out are answerable questions without a gold string. An answer that the chat held back is
    judged as if it had been shown.
    """
    known = [r for r in replies if not r.answerable or r.figures.would_show is not None]
    sure = np.array([r.confidence for r in known], dtype=np.float64)
    return sure, np.array([r.figures.would_show or 0.0 for r in known], dtype=np.float64)


def risk_by_coverage(sure: Values, good: Values) -> Values:
    """Return the risk of answering only the 1, 2, ... N questions of most confidence.

    The risk is the share of wrong answers (El-Yaniv and Wiener 2010). Among equal confidences each
    order is as likely, so each of them has their mean.
    """
    if not len(sure):
        return np.zeros(0)
    _, place, sizes = np.unique(-sure, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=1 - good) / sizes
    return np.cumsum(np.repeat(means, sizes)) / np.arange(1, len(sure) + 1)


def area(sure: Values, good: Values) -> float:
    """Return the area under the risk-coverage curve (Geifman, Uziel and El-Yaniv 2019).

    The mean risk over all coverages, from 0; lower is better.
    """
    risk = risk_by_coverage(sure, good)
    return float(risk.mean()) if len(risk) else float("nan")


def auroc(sure: Values, positive: Values) -> float:
    """Return how likely a positive has more confidence than a negative; an equal one counts half.

    Mann and Whitney's statistic (Hanley and McNeil 1982); NaN without both kinds.
    """
    for_it, against = sure[positive > 0], np.sort(sure[positive <= 0])
    if not len(for_it) or not len(against):
        return float("nan")
    below = np.searchsorted(against, for_it, "left") + np.searchsorted(against, for_it, "right")
    return float(below.mean() / (2 * len(against)))


@dataclass(frozen=True, slots=True)
class Bin:
    """The questions whose confidence is in [low, high): how many, how sure, how often right."""

    low: float
    high: float
    questions: int
    confidence: float
    accuracy: float


def reliability(sure: Values, good: Values) -> list[Bin]:
    """Return the bins of equal width that hold questions (Guo et al. 2017)."""
    place = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    found = []
    for at in range(BINS):
        inside = place == at
        if inside.any():
            means = float(sure[inside].mean()), float(good[inside].mean())
            found.append(Bin(at / BINS, (at + 1) / BINS, int(inside.sum()), *means))
    return found


def calibration_error(sure: Values, good: Values) -> float:
    """Return the expected calibration error (Naeini et al. 2015), over bins of equal width.

    The mean distance of confidence and accuracy of a bin, by its questions.
    """
    bins = reliability(sure, good)
    if not bins:
        return float("nan")
    return sum(b.questions * abs(b.confidence - b.accuracy) for b in bins) / len(sure)
