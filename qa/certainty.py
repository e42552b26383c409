"""Estimates how likely the best sentence answers: features of the whole reading, calibrated."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index import text
from index.records import Evidence
from qa import alignment, sentences, spans, support
from qa.alignment import Pair
from qa.sentences import Floats, Pages

MODEL_FILE = Path(__file__).parent / "certainty.txt"

_KEPT = (
    "covered",
    "covered_soft",
    "with_headline",
    "with_before",
    "with_after",
    "in_passage",
    "window",
    "near",
    "pairs",
    "names",
    "names_passage",
    "numbers",
    "others",
    "hit",
    "lexical_rank",
    "offers",
    "defines",
    "heads",
    "lacks_most",
    "new_share",
    "sought",
    "terms",
)
NAMES = (
    *_KEPT,
    "score",
    "ahead",  # of the next sentence, of the next hit
    "ahead_hit",
    "span",
    "span_ahead",
    "span_near",
    "span_said",
    "lacks_names",  # weight of what hit and headline lack: names, numbers, other terms
    "lacks_numbers",
    "lacks_others",
    "lacks_soft",
    "lacking",
    "opposed",
    "denied",
    "extremes",  # superlatives and ordinals of the question that the hit lacks
    *alignment.NAMES,
    "aligned",  # what `alignment.Aligner` makes of the best sentence
)
RISING = ("covered", "in_passage", "names_passage", "numbers", "near", "aligned")
FALLING = ("lacks_names", "lacks_numbers", "opposed", "denied", "extremes")

_EXTREME = re.compile(r"ter\w{4,}|pertama|terakhir|kedua|ketiga|satu-satunya|paling")


def features(
    evidence: Evidence,
    pages: Pages,
    rows: Floats,
    scores: npt.NDArray[np.float64],
    best: int,
    span: Floats | None,
    span_scores: npt.NDArray[np.float64],
    pair: Pair,
    aligned: float,
) -> Floats:
    """Return the features in the order of NAMES, float32 [len(NAMES)].

    `rows` and `scores` are the sentences' features and scores, `best` the best sentence, `span` the
    best span's features and `span_scores` the scores of the spans, best first. `pair` is the best
    sentence laid beside the question, `aligned` its score.
    """
    asked, hit = pages.asked, int(pages.hit[best])
    others = np.delete(scores, best)
    elsewhere = scores[pages.hit != hit]
    begin, end = pages.first_sentence[hit], pages.first_sentence[hit + 1]
    held = pages.holds[begin:end].any(axis=0) | pages.headline[hit]
    soft = held | pages.soft[begin:end].any(axis=0)
    lacks = asked.weights * ~held
    said = text.words(pages.texts[best])
    wanted = text.words(evidence.query.text)
    around = set(text.words(evidence.hits[hit].passage.text))
    values = dict(zip(sentences.NAMES, rows[best].tolist(), strict=True))
    found = dict(zip(spans.NAMES, [] if span is None else span.tolist(), strict=span is not None))
    columns: dict[str, float] = {
        **{name: values[name] for name in _KEPT},
        "score": float(scores[best]),
        "ahead": float(scores[best] - others.max()) if len(others) else 5.0,
        "ahead_hit": float(scores[best] - elsewhere.max()) if len(elsewhere) else 5.0,
        "span": float(span_scores[0]) if len(span_scores) else -9.0,
        "span_ahead": float(span_scores[0] - span_scores[1]) if len(span_scores) > 1 else 0.0,
        "span_near": found.get("near", 0.0),
        "span_said": found.get("said", 0.0),
        "lacks_names": float(lacks @ asked.names),
        "lacks_numbers": float(lacks @ asked.numbers),
        "lacks_others": float(lacks @ ~(asked.names | asked.numbers)),
        "lacks_soft": float((asked.weights * ~soft).sum()),
        "lacking": float((~soft).sum()),
        "opposed": support.opposed(wanted, said),
        "denied": float(support.denies(wanted) != support.denies(said)),
        "extremes": float(sum(w not in around for w in wanted if _EXTREME.fullmatch(w))),
        "aligned": aligned,
    }
    columns |= zip(alignment.NAMES, pair.values.tolist(), strict=True)
    return np.array([columns[name] for name in NAMES], dtype=np.float32)


def calibrated(score: float, knots: npt.NDArray[np.float64]) -> float:
    """Return the probability of a score: straight lines between knots [2, K] of an isotonic fit."""
    return float(np.interp(score, knots[0], knots[1]))
