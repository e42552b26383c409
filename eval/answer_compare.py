"""Sums up a folder of answers, and compares two of them question by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval import answer_scores, scores
from eval.answer_scores import FIRST, FOLLOW_UP, OPENING, Measure, Reply, values
from eval.scores import Comparison, Values

_ROUNDS = 1_000


@dataclass(frozen=True, slots=True)
class Score:
    """A measure's mean with its 95% bootstrap interval, and over how many questions it is."""

    measure: str
    value: float
    low: float
    high: float
    questions: int


def score(named: dict[str, Measure], replies: Sequence[Reply]) -> list[Score]:
    """Return the measures that apply to any of the replies."""
    found = []
    for name, measure in named.items():
        each = values(measure, replies)
        mean = scores.mean(each)
        if mean is not None:
            count = int((~np.isnan(each)).sum())
            found.append(Score(name, mean, *scores.interval(each), count))
    return found


def score_confidence(replies: Sequence[Reply]) -> list[Score]:
    """Return AUROC (where some questions are unanswerable), AURC and ECE."""
    sure, good = answer_scores.judged(replies)
    every = np.array([r.confidence for r in replies], dtype=np.float64)
    answerable = np.array([float(r.answerable) for r in replies], dtype=np.float64)
    kinds = (
        ("AUROC", answer_scores.auroc, every, answerable),
        ("AURC", answer_scores.area, sure, good),
        ("ECE", answer_scores.calibration_error, sure, good),
    )
    found = []
    for name, of, one, other in kinds:
        value = of(one, other)
        if not np.isnan(value):
            found.append(Score(name, value, *_interval(of, one, other), len(one)))
    return found


def _interval(
    of: Callable[[Values, Values], float], one: Values, other: Values
) -> tuple[float, float]:
    dice = np.random.default_rng(0)
    drawn = [dice.integers(0, len(one), len(one)) for _ in range(_ROUNDS)]
    low, high = np.nanquantile([of(one[at], other[at]) for at in drawn], [0.025, 0.975])
    return float(low), float(high)


def times(replies: Sequence[Reply]) -> tuple[float, float]:
    """Return the median and the 95th percentile of the milliseconds of a question."""
    median, slow = np.percentile([r.milliseconds for r in replies], [50, 95]).tolist()
    return median, slow


@dataclass(frozen=True, slots=True)
class Summary:
    """All measures of a folder: of first questions by group, of conversations by part.

    `answerers` are those who wrote the answers, with how many each.
    """

    questions: int
    answerable: int
    unanswerable: int
    without_gold: int
    groups: Mapping[str, Sequence[Score]]
    answerers: Mapping[str, int]
    median: float
    slow: float


def summary(replies: Sequence[Reply]) -> Summary:
    """Return the measures of a folder's answers; a group to which none applies is empty."""
    first = [reply for reply in replies if reply.part == FIRST]
    parts = {part: [r for r in replies if r.part == part] for part in (OPENING, FOLLOW_UP)}
    abstention = score(answer_scores.ABSTENTION, first)
    groups = {
        "answers": score(answer_scores.ANSWERS, first),
        "citations": score(answer_scores.CITATIONS, first),
        "abstention": [*abstention, *(score_confidence(first) if first else [])],
        **{part: score(answer_scores.FOLLOW_UPS, some) for part, some in parts.items()},
    }
    answerable = [reply for reply in first if reply.answerable]
    return Summary(
        len(replies),
        len(answerable),
        len(first) - len(answerable),
        sum(1 for reply in replies if reply.answerable and reply.figures.shown is None),
        groups,
        dict(Counter(reply.answerer for reply in replies if reply.answered)),
        *times(replies),
    )


# Two folders -------------------------------------------------------------------------------------

COMPARED = {
    n: m
    for n, m in {
        **answer_scores.ANSWERS,
        **answer_scores.CITATIONS,
        **answer_scores.ABSTENTION,
    }.items()
    if n != "words"
}
"""Measures of first questions that two folders are compared by; of each, more is better."""
COMPARED_FOLLOW_UPS = {
    "f understood": answer_scores.understood,
    "f accuracy": answer_scores.accuracy,
    "f coverage": answer_scores.coverage,
    "f declined": answer_scores.declined,
    "f right": answer_scores.right,
}


@dataclass(frozen=True, slots=True)
class Moved:
    """A question whose answer became better or worse from A to B."""

    a: Reply
    b: Reply

    @property
    def gain(self) -> float:
        """Return how much better B is: right or not, and half of that the short answer's F1."""
        rose = (self.b.right or 0.0) - (self.a.right or 0.0)
        return rose + ((self.b.figures.overlap or 0.0) - (self.a.figures.overlap or 0.0)) / 2


def paired(a: Sequence[Reply], b: Sequence[Reply]) -> list[tuple[Reply, Reply]]:
    """Return the questions that both asked, with the same words and gold strings."""
    of_b = {reply.id: reply for reply in b}
    both = ((reply, of_b[reply.id]) for reply in a if reply.id in of_b)
    return [(one, other) for one, other in both if _asks(one) == _asks(other)]


def _asks(reply: Reply) -> tuple[object, ...]:
    return reply.question, reply.part, reply.answerable, reply.gold


def compare(pairs: Sequence[tuple[Reply, Reply]]) -> list[Comparison]:
    """Compare B with A by every measure that applies to both, question by question.

    A measure of the answers given is compared over the questions that both answered. Of each
    measure more is better, so AURC is turned round.
    """
    first = [pair for pair in pairs if pair[0].part == FIRST]
    later = [pair for pair in pairs if pair[0].part == FOLLOW_UP]
    found = []
    for named, some in ((COMPARED, first), (COMPARED_FOLLOW_UPS, later)):
        a, b = (
            {
                name: values(measure, [pair[side] for pair in some])
                for name, measure in named.items()
            }
            for side in (0, 1)
        )
        found.extend(scores.compare(a, b))
        if some is first:
            found.extend(_compare_confidence(first))
    return found


def _compare_confidence(pairs: Sequence[tuple[Reply, Reply]]) -> list[Comparison]:
    """Compare AUROC and 1 - AURC, which single questions do not have: no wins, ties, losses."""
    found = []
    for name, columns, of in (
        ("AUROC", _told_apart, answer_scores.auroc),
        ("1 - AURC", _judged, lambda sure, good: 1 - answer_scores.area(sure, good)),
    ):
        a, b = (columns([pair[side] for pair in pairs]) for side in (0, 1))
        if a.shape == b.shape and not np.isnan(of(*a) + of(*b)):
            found.append(_compare_whole(name, a, b, of))
    return found


def _judged(replies: Sequence[Reply]) -> Values:
    return np.stack(answer_scores.judged(replies))


def _told_apart(replies: Sequence[Reply]) -> Values:
    """Return confidence, and 1 for the answerable, [2, N]."""
    pairs = [(reply.confidence, float(reply.answerable)) for reply in replies]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2).T


def _compare_whole(
    name: str, a: Values, b: Values, of: Callable[[Values, Values], float]
) -> Comparison:
    """Compare a figure of all questions: paired bootstrap, paired randomisation, both [2, N]."""
    dice = np.random.default_rng(0)
    count = a.shape[1]
    before, after = of(*a), of(*b)
    drawn = [dice.integers(0, count, count) for _ in range(_ROUNDS)]
    moved = [of(*b[:, at]) - of(*a[:, at]) for at in drawn]
    low, high = np.nanquantile(moved, [0.025, 0.975])
    extreme = 0
    for _ in range(_ROUNDS):
        swap = dice.random(count) < 0.5
        change = of(*np.where(swap, a, b)) - of(*np.where(swap, b, a))
        extreme += abs(change) >= abs(after - before) - 1e-9
    chance = (extreme + 1) / (_ROUNDS + 1)
    return Comparison(name, before, after, float(low), float(high), chance, 0, 0, 0)


def moved(pairs: Sequence[tuple[Reply, Reply]]) -> list[Moved]:
    """Return the questions whose answers became better or worse, the most moved first."""
    found = [Moved(one, other) for one, other in pairs]
    changed = [m for m in found if m.gain]
    return sorted(changed, key=lambda m: (-abs(m.gain), -_surer(m), m.a.id))


def _surer(moved: Moved) -> float:
    return abs(moved.b.confidence - moved.a.confidence)
