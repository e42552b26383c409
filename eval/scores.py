"""Scores runs with ir_measures and compares two of them question by question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.errors import InputError

MEASURES = ("R@1", "RR@10", "nDCG@10", "R@10", "R@100")

Relevant = Mapping[str, Mapping[str, int]]
PerQuestion = dict[str, npt.NDArray[np.float64]]


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


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """Read a TREC run: question, Q0, article, rank, score, tag; the score orders it."""
    run: dict[str, dict[str, float]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a TREC run: {error}.") from error
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        if not fields:
            continue
        try:
            run.setdefault(fields[0], {})[fields[2]] = float(fields[4])
        except (IndexError, ValueError):
            raise InputError(f"{path}:{number} is no TREC run line: {line!r}.") from None
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


def compare(
    a: PerQuestion, b: PerQuestion, *, seed: int = 0, rounds: int = 10_000
) -> list[Comparison]:
    """Compare run B with run A by every measure.

    Smucker, Allan and Carterette (2007) recommend the paired randomisation test for retrieval.
    """
    generator = np.random.default_rng(seed)
    return [_compare(name, a[name], b[name], generator, rounds) for name in a]


def _compare(
    measure: str,
    a: npt.NDArray[np.float64],
    b: npt.NDArray[np.float64],
    generator: np.random.Generator,
    rounds: int,
) -> Comparison:
    difference = b - a
    observed = float(difference.mean())
    extreme = 0
    means = np.empty(rounds)
    for start in range(0, rounds, 500):
        size = (min(500, rounds - start), len(difference))
        signs = generator.integers(0, 2, size) * 2 - 1
        extreme += int((np.abs((signs * difference).mean(axis=1)) >= abs(observed) - 1e-12).sum())
        drawn = generator.integers(0, len(difference), size)
        means[start : start + size[0]] = difference[drawn].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Comparison(
        measure,
        float(a.mean()),
        float(b.mean()),
        float(low),
        float(high),
        (extreme + 1) / (rounds + 1),
        int((difference > 0).sum()),
        int((difference == 0).sum()),
        int((difference < 0).sum()),
    )
