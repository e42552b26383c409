"""Scores runs with ir_measures and compares two of them question by question."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.errors import InputError
from index.files import read_lines

MEASURES = ("R@1", "RR@10", "nDCG@10", "R@10", "R@100")
ANSWERS = {"ans@1": 1, "ans@5": 5}
"""Measures of the texts found: a gold answer stands in one of the first so many."""

Relevant = Mapping[str, Mapping[str, int]]
Values = npt.NDArray[np.float64]
PerQuestion = dict[str, Values]
"""For each measure a value a question, in sorted order of the judged ids; NaN: does not apply."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Run B against run A by one measure, over the same questions.

    `low` and `high` bound the difference with 95% confidence (bootstrap); `p` is the two-sided
    paired randomisation test's.
    """

    measure: str
    a: float
    b: float
    low: float
    high: float
    p: float
    wins: int
    ties: int
    losses: int

    def fell(self, alpha: float) -> bool:
        """Tell whether B is worse than A, and by the test not by chance."""
        return self.b < self.a and self.p < alpha


@dataclass(frozen=True, slots=True)
class Moved:
    """A question whose first relevant article stands elsewhere in run B; None: not found."""

    question: str
    a: int | None
    b: int | None

    @property
    def gain(self) -> float:
        """Return how much the reciprocal rank rose."""
        return _reciprocal(self.b) - _reciprocal(self.a)


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """Read a TREC run: question, Q0, article, rank, score, tag; the score orders it.

    An article's id may hold single spaces. Raises InputError for a line that is none, a score
    that is no number, and a file without any result.
    """
    run: dict[str, dict[str, float]] = {}
    for number, line in enumerate(read_lines(path, "a TREC run"), start=1):
        fields = line.split()
        if not fields:
            continue
        try:
            if len(fields) < 6:
                raise ValueError
            value = float(fields[-2])
        except ValueError:
            raise InputError(f"{path}:{number} is no TREC run line: {line!r:.200}.") from None
        if not math.isfinite(value):
            raise InputError(f"{path}:{number}: the score {fields[-2]!r} ranks nothing.")
        run.setdefault(fields[0], {})[" ".join(fields[2:-3])] = value
    if not run:
        raise InputError(f"{path} holds no result: it is empty, or was cut short.")
    return run


def score(relevant: Relevant, run: Mapping[str, Mapping[str, float]]) -> PerQuestion:
    """Return each measure's value for every judged question, in sorted order of their ids.

    A question that the run does not hold scores 0; it does not vanish.
    """
    import ir_measures

    order = {question: at for at, question in enumerate(sorted(relevant))}
    values = {name: np.zeros(len(order)) for name in MEASURES}
    measures = [ir_measures.parse_measure(name) for name in MEASURES]
    judged = {q: dict(r) for q, r in relevant.items()}
    ranked = {q: dict(r) for q, r in run.items() if q in order}
    for metric in ir_measures.iter_calc(measures, judged, ranked):
        values[str(metric.measure)][order[metric.query_id]] = metric.value
    return values


def score_answers(
    relevant: Relevant,
    gold: Mapping[str, Sequence[str]],
    texts: Mapping[str, Sequence[str]],
) -> PerQuestion:
    """Tell for every judged question whether a gold answer stands in the first texts found.

    `gold` holds each question's accepted answers, `texts` the texts found, best first. A question
    without gold answers is NaN; one without texts is 0.
    """
    ids = sorted(relevant)
    values = {name: np.full(len(ids), np.nan) for name in ANSWERS}
    for at, question in enumerate(ids):
        if gold.get(question):
            found = [holds(text, gold[question]) for text in texts.get(question, ())]
            for name, depth in ANSWERS.items():
                values[name][at] = any(found[:depth])
    return values


def holds(text: str, answers: Sequence[str]) -> bool:
    """Tell whether one of the answers stands in a text as whole words, whatever case and spaces."""
    folded = _fold(text)
    return any(
        re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", folded)
        for answer in map(_fold, answers)
        if answer
    )


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def mean(values: Values) -> float | None:
    """Return the mean over the questions that a measure applies to; None if there are none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def interval(values: Values, *, seed: int = 0, rounds: int = 2_000) -> tuple[float, float]:
    """Return the 95% bootstrap interval of the mean, leaving out NaN; (0, 0) of no values."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 0.0
    low, high = np.quantile(_resampled(known, np.random.default_rng(seed), rounds), [0.025, 0.975])
    return float(low), float(high)


def recall_by_depth(
    relevant: Relevant, run: Mapping[str, Mapping[str, float]], depth: int
) -> Values:
    """Return the mean recall at each depth from 1 to `depth`."""
    total = np.zeros(depth)
    for question, judged in relevant.items():
        wanted = {article for article, grade in judged.items() if grade > 0}
        for rank, article in enumerate(ranking(run.get(question, {}))[:depth]):
            if article in wanted:
                total[rank:] += 1 / len(wanted)
    return total / max(1, len(relevant))


def ranking(found: Mapping[str, float]) -> list[str]:
    """Return the articles of one question, best first, in trec_eval's order.

    It reads scores as 32-bit numbers and puts the greater id first where they tie.
    """
    ascending = sorted((float(np.float32(value)), article) for article, value in found.items())
    return [article for _, article in reversed(ascending)]


def first_rank(judged: Mapping[str, int], found: Mapping[str, float]) -> int | None:
    """Return the rank from 1 of the first relevant article, or None."""
    for rank, article in enumerate(ranking(found), start=1):
        if judged.get(article, 0) > 0:
            return rank
    return None


def moved(
    relevant: Relevant,
    a: Mapping[str, Mapping[str, float]],
    b: Mapping[str, Mapping[str, float]],
) -> list[Moved]:
    """Return the questions whose first relevant article moved, the most moved first."""
    found = [
        Moved(
            question,
            first_rank(judged, a.get(question, {})),
            first_rank(judged, b.get(question, {})),
        )
        for question, judged in relevant.items()
    ]
    return sorted((m for m in found if m.a != m.b), key=lambda m: (-abs(m.gain), m.question))


def _reciprocal(rank: int | None) -> float:
    return 1 / rank if rank else 0.0


def compare(
    a: PerQuestion, b: PerQuestion, *, seed: int = 0, rounds: int = 10_000
) -> list[Comparison]:
    """Compare run B with run A by every measure that applies to both.

    Smucker, Allan and Carterette (2007) recommend the paired randomisation test for retrieval.
    """
    generator = np.random.default_rng(seed)
    found = []
    for name in a:
        if name in b:
            both = ~np.isnan(a[name]) & ~np.isnan(b[name])
            if both.any():
                found.append(_compare(name, a[name][both], b[name][both], generator, rounds))
    return found


def _compare(
    measure: str, a: Values, b: Values, generator: np.random.Generator, rounds: int
) -> Comparison:
    difference = b - a
    means = _resampled(difference, generator, rounds)
    low, high = np.quantile(means, [0.025, 0.975])
    return Comparison(
        measure,
        float(a.mean()),
        float(b.mean()),
        float(low),
        float(high),
        _chance(difference[difference != 0], generator, rounds),
        int((difference > 0).sum()),
        int((difference == 0).sum()),
        int((difference < 0).sum()),
    )


def _chance(changed: Values, generator: np.random.Generator, rounds: int) -> float:
    """Return the share of random signs that move the sum as far; ties have no sign to change."""
    observed = abs(float(changed.sum()))
    extreme = 0
    for start in range(0, rounds, 500):
        size = (min(500, rounds - start), len(changed))
        signs = generator.integers(0, 2, size) * 2 - 1
        extreme += int((np.abs((signs * changed).sum(axis=1)) >= observed - 1e-9).sum())
    return (extreme + 1) / (rounds + 1)


def _resampled(values: Values, generator: np.random.Generator, rounds: int) -> Values:
    """Return the means of so many samples drawn with replacement."""
    means = np.empty(rounds)
    for start in range(0, rounds, 500):
        size = (min(500, rounds - start), len(values))
        means[start : start + size[0]] = values[generator.integers(0, len(values), size)].mean(1)
    return means
