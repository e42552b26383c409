"""Sums up a run, and compares two of them question by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval import measures
from eval.measures import Group, Overall, Pair, Reply, Values, values
from eval.questions import FIRST, FOLLOW_UP, Question
from eval.runs import DEPTH, Run

_ROUNDS, _PAIRED_ROUNDS = 1_000, 10_000
"""Of bootstrap and randomisation: of measures of all replies together, which are slow; of means."""


def mean(values: Values) -> float | None:
    """Return the mean over the questions that a measure applies to; None if there are none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def interval(values: Values) -> tuple[float, float]:
    """Return the 95% bootstrap interval of the mean, leaving out NaN; (0, 0) of no values."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 0.0
    return _bounds(_resampled(known, np.random.default_rng(0), 2_000))


def _bounds(drawn: Values | Sequence[float]) -> tuple[float, float]:
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _resampled(values: Values, rng: np.random.Generator, rounds: int) -> Values:
    """Return the means of so many samples drawn with replacement, [rounds], a multiple of 500."""
    count = len(values)
    drawn = (rng.integers(0, count, (500, count)) for _ in range(0, rounds, 500))
    return np.concatenate([values[at].mean(1) for at in drawn])


# One run -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Score:
    """A measure's mean with its 95% bootstrap interval, and over how many questions it is."""

    measure: str
    value: float
    low: float
    high: float
    questions: int


def scores(group: Group, pairs: Sequence[Pair]) -> list[Score]:
    """Return those measures of a group that apply to any of the replies."""
    found = []
    for measure in group.measures:
        each = values(measure, pairs)
        value = mean(each)
        if value is not None:
            count = int((~np.isnan(each)).sum())
            found.append(Score(measure.name, value, *interval(each), count))
    for overall in group.overall if pairs else ():
        confidence, counts = overall.columns(pairs)
        value = overall.of(confidence, counts)
        if not np.isnan(value):
            rng = np.random.default_rng(0)
            size = len(confidence)
            picks = (rng.integers(0, size, size) for _ in range(_ROUNDS))
            low, high = _bounds([overall.of(confidence[at], counts[at]) for at in picks])
            found.append(Score(overall.name, value, low, high, size))
    return found


def times(replies: Iterable[Reply]) -> tuple[float | None, float | None]:
    """Return the median and the 95th percentile of the milliseconds of a question, if known."""
    known = [r.milliseconds for r in replies if r.milliseconds is not None]
    if not known:
        return None, None
    median, slow = np.percentile(known, [50, 95]).tolist()
    return median, slow


@dataclass(frozen=True, slots=True)
class Summary:
    """All measures of a run by group; a group to which none applies is empty.

    `answerable`, `unanswerable` are counted of FIRST questions, `without_gold` of all answerable;
    `answerers` are those who wrote the answers, with how many each. Times are milliseconds.
    """

    questions: int
    answerable: int
    unanswerable: int
    without_gold: int
    groups: Mapping[str, Sequence[Score]]
    answerers: Mapping[str, int]
    median: float | None
    slow: float | None


def summarise(run: Run) -> Summary:
    """Return the measures of a judged run."""
    first = run.pairs(FIRST)
    answerable = sum(question.answerable for question, _ in first)
    groups = measures.ANSWERS if run.of_answers else measures.SEARCHES
    return Summary(
        len(run.questions),
        answerable,
        len(first) - answerable,
        sum(q.answerable and r.figures.get("shown") is None for q, r in run.pairs()),
        {group.name: scores(group, run.pairs(group.part)) for group in groups},
        dict(Counter(reply.answerer for _, reply in run.pairs() if reply.answered)),
        *times(run.replies.values()),
    )


# Two runs ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """Run B against run A by one measure, over the same questions.

    `low` and `high` bound the difference with 95% confidence (bootstrap); `p` is the two-sided
    paired randomisation test's. Of a measure that questions do not have alone, nobody wins.
    """

    measure: str
    a: float
    b: float
    low: float
    high: float
    p: float
    wins: int = 0
    ties: int = 0
    losses: int = 0

    def fell(self, alpha: float) -> bool:
        """Tell whether B is worse than A, and by the test not by chance."""
        return self.b < self.a and self.p < alpha


def paired(a: Run, b: Run) -> list[tuple[Question, Reply, Reply]]:
    """Return the questions that both asked, with the same words and gold strings."""
    return [
        (question, one, b.replies[question.id])
        for question, one in a.pairs()
        if b.questions.get(question.id) == question and b.replies[question.id].part == one.part
    ]


def compare(a: Run, b: Run) -> list[Comparison]:
    """Compare judged run B with A by every measure that applies to both, question by question.

    A measure of the answers given is compared over the questions that both answered. Gold strings
    in passages are not compared with those in whole articles.
    """
    both = paired(a, b)
    found = []
    for group in measures.COMPARED if a.of_answers else measures.SEARCHES:
        pairs_a = [(question, one) for question, one, _ in both if one.part == group.part]
        pairs_b = [(question, other) for question, _, other in both if other.part == group.part]
        used = [
            m
            for m in group.measures
            if a.by_article == b.by_article or m not in measures.GOLD_FOUND
        ]
        of_a, of_b = ({m.name: values(m, pairs) for m in used} for pairs in (pairs_a, pairs_b))
        compared = compare_values(of_a, of_b)
        if group.part == FOLLOW_UP:
            compared = [replace(c, measure=f"f {c.measure}") for c in compared]
        found.extend(compared)
        for overall in group.overall:
            one, other = (np.stack(overall.columns(pairs)) for pairs in (pairs_a, pairs_b))
            if one.shape == other.shape and not np.isnan(overall.of(*one) + overall.of(*other)):
                found.append(_compare_overall(overall, one, other))
    return found


def names(*, of_answers: bool) -> list[str]:
    """Return the names of all measures that two runs of a kind may be compared by."""
    return [
        f"f {name}" if group.part == FOLLOW_UP else name
        for group in (measures.COMPARED if of_answers else measures.SEARCHES)
        for name in group.meanings()
    ]


def compare_values(a: Mapping[str, Values], b: Mapping[str, Values]) -> list[Comparison]:
    """Compare B with A by each measure, over the questions that it applies to in both, each [N].

    Smucker, Allan and Carterette (2007) recommend the paired randomisation test for retrieval.
    """
    rng = np.random.default_rng(0)
    found = []
    for name in a:
        both = ~np.isnan(a[name]) & ~np.isnan(b[name])
        if not both.any():
            continue
        before, after = a[name][both], b[name][both]
        difference = after - before
        low, high = _bounds(_resampled(difference, rng, _PAIRED_ROUNDS))
        chance = _chance(difference[difference != 0], rng)
        signs = (int((difference > 0).sum()), int((difference == 0).sum()))
        losses = len(difference) - sum(signs)
        means = float(before.mean()), float(after.mean())
        found.append(Comparison(name, *means, low, high, chance, *signs, losses))
    return found


def _chance(changed: Values, rng: np.random.Generator) -> float:
    """Return the share of random signs that move the sum as far; ties have no sign to change."""
    observed = abs(float(changed.sum()))
    extreme = 0
    for _ in range(0, _PAIRED_ROUNDS, 500):
        signs = rng.integers(0, 2, (500, len(changed))) * 2 - 1
        extreme += int((np.abs((signs * changed).sum(axis=1)) >= observed - 1e-9).sum())
    return (extreme + 1) / (_PAIRED_ROUNDS + 1)


def _compare_overall(overall: Overall, a: Values, b: Values) -> Comparison:
    """Compare a measure of all replies: paired bootstrap and randomisation; both are [2, N]."""
    of: Callable[..., float] = overall.of
    rng = np.random.default_rng(0)
    count = a.shape[1]
    before, after = of(*a), of(*b)
    picks = [rng.integers(0, count, count) for _ in range(_ROUNDS)]
    low, high = _bounds([of(*b[:, at]) - of(*a[:, at]) for at in picks])
    extreme = 0
    for _ in range(_ROUNDS):
        swap = rng.random(count) < 0.5
        change = of(*np.where(swap, a, b)) - of(*np.where(swap, b, a))
        extreme += abs(change) >= abs(after - before) - 1e-9
    chance = (extreme + 1) / (_ROUNDS + 1)
    return Comparison(overall.name, before, after, low, high, chance)


@dataclass(frozen=True, slots=True)
class Moved:
    """A question whose reply became better or worse from A to B, and by how much."""

    question: Question
    a: Reply
    b: Reply
    gain: float


def moved(a: Run, b: Run) -> list[Moved]:
    """Return the questions whose replies became better or worse, the most moved first."""
    worth = _worth_of_answer if a.of_answers else _worth_of_ranking
    found = [
        Moved(q, one, other, worth(q, other) - worth(q, one)) for q, one, other in paired(a, b)
    ]

    def order(m: Moved) -> tuple[float, float, str]:
        return -abs(m.gain), -abs(m.b.confidence - m.a.confidence), m.question.id

    return sorted((m for m in found if m.gain), key=order)


def _worth_of_answer(question: Question, reply: Reply) -> float:
    """Return right or not, and half of the short answer's F1."""
    return (measures.right(question, reply) or 0) + (reply.figures.get("overlap") or 0) / 2


def _worth_of_ranking(question: Question, reply: Reply) -> float:
    """Return the reciprocal rank of the first relevant article, however deep."""
    rank = reply.figures.get("rank")
    return 1 / rank if rank else 0.0


def unevenness(a: Run, b: Run) -> str:
    """Return a remark on the measures that look deeper than one of two runs goes; "" for none."""
    depth_a, depth_b = _depth(a), _depth(b)
    shallow = min(depth_a, depth_b)
    names = [m.name for m in measures.RANKED if m.depth > shallow]
    if a.of_answers or depth_a == depth_b or not names:
        return ""
    run, other = (a, b) if depth_a < depth_b else (b, a)
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{run.name} goes {shallow} articles deep, {other.name} {max(depth_a, depth_b)}: "
        f"{', '.join(names)} {verb} not comparable."
    )


def _depth(run: Run) -> int:
    """Return after how many articles a run was cut, at most DEPTH.

    A run of another program does not say: it was cut where most of its questions end.
    """
    lengths = [len(reply.articles) for reply in run.replies.values() if reply.articles]
    longest = max(lengths, default=0)
    if run.provenance is not None:
        return min(DEPTH, int(run.provenance.retrieval["k"]))
    return min(DEPTH, longest) if 2 * lengths.count(longest) > len(lengths) else DEPTH
