"""Trains the extractive answerer: qa/sentences.txt, spans.txt, certainty.txt, alignment.npz and
answers.json.

    python -m train.sentences --fresh EV:SETS/facqa:QA --fresh MIXED:SETS/facqa:QA \\
        --seen EV:SETS/idktrain:QA --seen MIXED:SETS/idktrain:QA:25 \\
        --test HOME:SETS/idk:QA --news NEWS.jsonl.gz

A part is HOME:SET:QA, a home that holds the set's passages (bare, or inside news articles: see
train/ranker.py), the set, and the file that names each question's passage; a fourth field takes
only so many percent of its passages. Trees are trained in
five folds by passage, each later step on what the earlier ones say of questions that they have not
seen; only sentences whose licences allow it train any. Parts after `--seen` are of the set that the
embedding model was trained on: they are searched by words alone.
"""

from __future__ import annotations

import argparse
import json
import re
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eval import datasets
from index.records import Evidence, Passage, Query
from index.settings import AnswerSettings
from qa import certainty, extractive, sentences, spans
from qa.alignment import MODEL_FILE, Pair
from qa.chat import Chat
from qa.extractive import Fitted, Models
from qa.question import kind_of
from qa.ranking import Stems
from train import alignment
from train.ranker import QUESTION_PASSAGES, TRAINABLE

FOLDS = 5
HARD = 15
"""Wrong sentences of a question that train: those nearest to its words."""
WRONG_SPANS = 50
TREES, SPAN_TREES, SURE_TREES = 200, 250, 150
SEED = 7
NEWS_PASSAGES = "facqa-p-"
HALF, HALF_SURE = 0.75, 0.35
"""What an answerable question counts for where its answer is wrong: to the aligner, which is to
tell the answerable ones, and to the estimate of certainty."""
NEWS_WEIGHT, NEWS_WEIGHT_SURE = 0.2, 0.4
"""Of a news question in the estimate of certainty: all of them can be answered."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A question with its evidence; `passage` is the one that it was asked over."""

    question: datasets.Question
    passage: str
    evidence: Evidence

    @property
    def fold(self) -> int:
        """Return the fold, which all questions over a passage share."""
        return zlib.crc32(self.passage.encode()) % FOLDS


@dataclass(eq=False)
class Part:
    """The sentences of a set's questions, end to end; question i has rows starts[i]:starts[i + 1].

    `holds` [P] is 2 for a sentence of the question's passage with the answer, 1 for another with
    it; `usable` [P] tells what may train.
    """

    name: str
    rows: list[Row]
    features: sentences.Floats
    holds: npt.NDArray[np.int64]
    usable: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.int64]
    scores: Values

    def of(self, number: int) -> slice:
        """Return a question's rows."""
        return slice(int(self.starts[number]), int(self.starts[number + 1]))


# Reading the sets --------------------------------------------------------------------------------


def search(home: Path, folder: Path, qa: Path, *, by_words: bool) -> list[Row]:
    """Search for every question of a set."""
    opened = Chat.open(home)
    chosen = opened.settings
    if by_words:
        retrieval = replace(chosen.retrieval, dense_weight=0.0)
        opened = Chat(home, replace(chosen, retrieval=retrieval))
    index = opened.index()
    passage = {row["id"]: row["passage_id"] for row in datasets.rows(qa, ("id", "passage_id"))}
    found = []
    for question in datasets.load(folder).questions:
        asked = " ".join(question.text.split())
        evidence = opened._retriever.retrieve(Query(asked, kind=kind_of(asked)), index)
        found.append(Row(question, passage[question.id], evidence))
    return found


_SUBJECT_ENDS = re.compile(r"\b(adalah|ialah|merupakan|yakni|yaitu)\b|[(\[,]")


def headlined(evidence: Evidence) -> Evidence:
    """Give every second passage of a question set a headline out of its first sentence.

    The sets' passages have none, and news do.
    """
    hits = []
    for hit in evidence.hits:
        passage = hit.passage
        own = passage.article_id.startswith(QUESTION_PASSAGES) and not passage.title
        if own and zlib.crc32(f"{passage.article_id}h".encode()) % 2:
            passage = replace(passage, title=_headline(passage))
        hits.append(replace(hit, passage=passage))
    return replace(evidence, hits=tuple(hits))


def _headline(passage: Passage) -> str:
    first = sentences.sentence_texts(passage)[0]
    end = _SUBJECT_ENDS.search(first, 4)
    return " ".join(first[: end.start() if end else None].split()[:8]).strip(" ,.-–")


def folded(words: str) -> str:
    """Return a text in small letters, with single spaces."""
    return " ".join(words.lower().split())


def holds_answer(words: str, answers: Iterable[str]) -> bool:
    """Tell whether an accepted answer stands in a text, as whole words."""
    said = folded(words)
    found = (folded(answer) for answer in answers)
    return any(a in said and re.search(rf"(?<!\w){re.escape(a)}(?!\w)", said) for a in found)


def read_part(name: str, rows: list[Row], trainable: frozenset[str], stems: Stems) -> Part:
    """Compute the sentences' features and labels."""
    parts: list[sentences.Floats] = []
    holds: list[int] = []
    usable: list[bool] = []
    for row in rows:
        pages = sentences.read_pages(row.evidence, stems)
        parts.append(sentences.features(pages, row.evidence))
        for at, piece in enumerate(pages.texts):
            article = row.evidence.hits[pages.hit[at]].passage.article_id
            has = holds_answer(piece, row.question.answers)
            ours = article == row.passage
            holds.append(has + (has and ours))
            unclear = has and not ours and parts[-1][at, 0] > 0.5
            usable.append(_may_train(article, trainable) and not unclear)
    features = np.concatenate(parts)
    return Part(
        name,
        rows,
        features,
        np.array(holds, dtype=np.int64),
        np.array(usable, dtype=np.bool_),
        np.cumsum([0, *map(len, parts)]),
        np.zeros(len(features)),
    )


def _may_train(article: str, trainable: frozenset[str]) -> bool:
    return article.startswith(QUESTION_PASSAGES) or article in trainable


# Sentences ---------------------------------------------------------------------------------------


def _settings(objective: str, rate: float, **more: Any) -> dict[str, Any]:
    return {
        "objective": objective,
        "num_leaves": 16,
        "learning_rate": rate,
        "min_data_in_leaf": 40,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5,
        "max_bin": 127,
        "use_missing": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": SEED,
        "verbosity": -1,
        **more,
    }


def fit_sentences(parts: Sequence[Part], but: int = -1) -> Any:
    """Train the sentence model on all folds but one."""
    import lightgbm

    near = sentences.NAMES.index("near")
    rows: list[sentences.Floats] = []
    right: list[npt.NDArray[np.bool_]] = []
    for part in parts:
        for number, row in enumerate(part.rows):
            at = part.of(number)
            holds = part.holds[at] == 2
            if row.fold == but or not holds.any():
                continue
            wrong = np.flatnonzero(~holds & part.usable[at])
            wrong = wrong[np.argsort(-part.features[at][wrong, near], kind="stable")][:HARD]
            chosen = np.concatenate([np.flatnonzero(holds), wrong])
            rows.append(part.features[at][chosen])
            right.append(holds[chosen])
    data = lightgbm.Dataset(
        np.concatenate(rows),
        np.concatenate(right).astype(int),
        group=[len(some) for some in rows],
        feature_name=list(sentences.NAMES),
    )
    return lightgbm.train(
        _settings("lambdarank", 0.06, lambdarank_truncation_level=10), data, TREES
    )


def score_sentences(part: Part, models: Sequence[Any]) -> None:
    """Set every sentence's score, by the model that has not seen its question."""
    fold = np.repeat([row.fold for row in part.rows], np.diff(part.starts))
    for number, model in enumerate(models):
        mine = fold % len(models) == number
        if mine.any():
            part.scores[mine] = model.predict(part.features[mine], num_threads=1)


# Short answers -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SpanRows:
    """A question's possible short answers, with how well each one fits (F1, 1 if exact)."""

    fold: int
    features: sentences.Floats
    fits: Values


def bag(words: str) -> list[str]:
    """Return the words that F1 is counted over."""
    return re.findall(r"\w+", words.lower())


def overlap(one: str, other: str) -> float:
    """Return the F1 of the words of two answers."""
    mine, theirs = Counter(bag(one)), Counter(bag(other))
    shared = sum((mine & theirs).values())
    return 2 * shared / max(sum(mine.values()) + sum(theirs.values()), 1)


def fit_of(short: str, answers: Sequence[str]) -> float:
    """Return 1 for an accepted answer, else at most 0.95: the best F1."""
    if folded(short) in map(folded, answers):
        return 1.0
    return min(max((overlap(short, answer) for answer in answers), default=0.0), 0.95)


def span_rows(part: Part, stems: Stems) -> Iterator[SpanRows]:
    """Yield the spans of every answerable question whose best sentences hold the answer."""
    for number, row in enumerate(part.rows):
        at = part.of(number)
        if not (part.holds[at] == 2).any():
            continue
        pages = sentences.read_pages(row.evidence, stems)
        order = extractive.ranked(pages, part.scores[at])[: extractive.READ]
        texts = [pages.texts[n] for n in order]
        if not any(holds_answer(piece, row.question.answers) for piece in texts):
            continue
        tokens = spans.read_tokens(texts, pages.asked, stems)
        firsts, lasts = spans.candidates(tokens, pages.asked.sought.kind)
        scores = part.scores[at][order].astype(np.float32)
        features = spans.features(
            tokens, pages.asked, firsts, lasts, scores, part.features[at][order]
        )
        wanted = {word for answer in row.question.answers for word in bag(answer)}
        known = [bool(wanted.intersection(bag(word))) for word in tokens.words]
        touched = np.concatenate([[0], np.cumsum(known)])
        fits = np.zeros(len(firsts))
        sentence = np.searchsorted(tokens.first, firsts, side="right") - 1
        for n in np.flatnonzero(touched[lasts + 1] - touched[firsts]):
            piece = texts[sentence[n]]
            short = piece[tokens.starts[firsts[n]] : tokens.ends[lasts[n]]]
            fits[n] = fit_of(short, row.question.answers)
        if (fits == 1).any():
            yield SpanRows(row.fold, features, fits)


def fit_spans(rows: Sequence[SpanRows], but: int = -1) -> Any:
    """Train the model of short answers on all folds but one."""
    import lightgbm

    generator = np.random.default_rng(SEED)
    features: list[sentences.Floats] = []
    labels: list[Values] = []
    for row in rows:
        if row.fold == but:
            continue
        wrong = np.flatnonzero(row.fits == 0)
        some = generator.choice(wrong, min(WRONG_SPANS, len(wrong)), replace=False)
        chosen = np.concatenate([np.flatnonzero(row.fits), some])
        features.append(row.features[chosen])
        # Half an answer is better than none, but not half as good.
        fits = row.fits[chosen]
        labels.append(np.where(fits == 1, 1.0, np.where(fits > 0.5, 0.25 * fits, 0.0)))
    data = lightgbm.Dataset(
        np.concatenate(features), np.concatenate(labels), feature_name=list(spans.NAMES)
    )
    return lightgbm.train(_settings("cross_entropy", 0.08), data, SPAN_TREES)


# Certainty ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What the answerer makes of a question, out of fold; `order` are its sentences, best first.

    `held` tells which of them hold the answer; `fits` is the short answer's F1, 1 for exact.
    """

    row: Row
    features: sentences.Floats
    licensed: bool
    texts: list[str]
    shares: Values
    held: npt.NDArray[np.bool_]
    span: float
    short: str
    fits: float
    pair: Pair


def outcomes(part: Part, models: Sequence[Any], stems: Stems) -> Iterator[Outcome]:
    """Yield what is made of each question by span models that have not seen it."""
    nothing = np.zeros((2, 1))
    fitted = Fitted(1.0, 1.0, 0.0, nothing, nothing)
    for number, row in enumerate(part.rows):
        at = part.of(number)
        pages = sentences.read_pages(row.evidence, stems)
        scores = part.scores[at] + extractive.hints(pages, part.features[at])
        order = extractive.ranked(pages, scores)
        if not len(order):
            continue
        of_fold = _Predicting(models[row.fold % len(models)])
        known = Models(of_fold, of_fold, of_fold, of_fold, fitted, stems)  # type: ignore[arg-type]
        found = extractive.short_answers(
            pages, part.features[at], scores, order[: extractive.READ], known
        )
        best, short, span = int(order[0]), "", None
        if found.best:
            best, span = int(order[found.best.sentence]), found.rows[0]
            short = pages.texts[best][found.best.start : found.best.end]
        pair = extractive.laid_beside(row.evidence, pages, best, short, stems)
        # What the aligner says is filled in later, by one that has not seen the question.
        values = certainty.features(
            row.evidence, pages, part.features[at], scores, best, span, found.scores, pair, 0.0
        )
        order = np.array([best, *(n for n in order if n != best)])[:8]
        article = row.evidence.hits[int(pages.hit[best])].passage.article_id
        yield Outcome(
            row,
            values,
            article.startswith(QUESTION_PASSAGES) or bool(part.usable[at][best]),
            [pages.texts[n] for n in order],
            scores[order],
            part.holds[at][order] > 0,
            found.best.score if found.best else -9.0,
            short,
            fit_of(short, row.question.answers),
            replace(
                pair,
                question=pair.question.astype(np.float16),
                answer=pair.answer.astype(np.float16),
            ),
        )


@dataclass(frozen=True)
class _Predicting:
    """LightGBM's model as the product's trees are used."""

    model: Any

    def predict(self, rows: sentences.Floats) -> Values:
        return np.asarray(self.model.predict(rows, raw_score=True, num_threads=1))


def align(found: Sequence[Outcome], tests: Sequence[Outcome], out: Path) -> None:
    """Train the aligner and fill in its scores: of `found` out of fold, of `tests` by the whole."""
    padded = alignment.Padded([o.pair for o in found])
    labels = np.array([label(o, HALF) for o in found])
    weights = _weights(found, NEWS_WEIGHT)
    fold = np.array([o.row.fold for o in found])
    usable = np.array([o.licensed for o in found])
    column = certainty.NAMES.index("aligned")
    for number in range(FOLDS):
        seen = np.flatnonzero(usable & (fold != number))
        aligner = alignment.saved(alignment.fit(padded, labels, weights, seen, SEED))
        for at in np.flatnonzero(fold == number):
            found[at].features[column] = aligner.score(found[at].pair)
    net = alignment.fit(padded, labels, weights, np.flatnonzero(usable), SEED)
    aligner = alignment.saved(net, out / MODEL_FILE.name)
    for outcome in tests:
        outcome.features[column] = aligner.score(outcome.pair)


def _weights(found: Sequence[Outcome], news: float) -> Values:
    return np.array([news if o.row.passage.startswith(NEWS_PASSAGES) else 1.0 for o in found])


def label(found: Outcome, half: float) -> float:
    """Return 1 for a right answer, `half` for a wrong one where a right one exists, else 0."""
    return 1.0 if right(found) else half * found.row.question.answerable


def fit_certainty(found: Sequence[Outcome], but: int = -1) -> Any:
    """Train the estimate that the best two sentences answer, on all folds but one."""
    import lightgbm

    rows = [o for o in found if o.licensed and o.row.fold != but]
    rising, falling = certainty.RISING, certainty.FALLING
    data = lightgbm.Dataset(
        np.stack([o.features for o in rows]),
        np.array([label(o, HALF_SURE) for o in rows]),
        weight=_weights(rows, NEWS_WEIGHT_SURE),
        feature_name=list(certainty.NAMES),
    )
    constraints = [(name in rising) - (name in falling) for name in certainty.NAMES]
    return lightgbm.train(
        _settings("cross_entropy", 0.05, monotone_constraints=constraints), data, SURE_TREES
    )


def right(found: Outcome) -> bool:
    """Tell whether a question can be answered and its best two sentences do."""
    return found.row.question.answerable and bool(found.held[:2].any())


def isotonic(
    scores: Values, labels: npt.NDArray[np.bool_], weights: Values, most: int = 24
) -> Values:
    """Return at most `most` knots [2, K] of a rising function fitted to weighted labels."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.01, y_max=0.99, out_of_bounds="clip")
    fitted.fit(scores, labels, sample_weight=weights)
    at = np.quantile(scores, np.linspace(0, 1, most))
    return np.stack([at, np.maximum.accumulate(fitted.predict(at))])


# Everything --------------------------------------------------------------------------------------


def enough_sentences(found: Outcome, sharpness: float, enough: float) -> list[int]:
    """Return which of an outcome's sentences are shown, as the answerer chooses them."""
    shares = np.exp(sharpness * (found.shares - found.shares.max()))
    shares /= shares.sum()
    kept: list[int] = []
    sure = 0.0
    for at, share in enumerate(shares.tolist()):
        if sure >= enough or len(kept) == AnswerSettings().max_sentences:
            break
        if any(extractive.alike(found.texts[at], found.texts[other]) for other in kept):
            continue
        if kept and share < extractive._LEAST_SHARE * shares[kept[0]]:
            break
        kept.append(at)
        sure += share
    return kept


def report(name: str, found: Sequence[Outcome], sharpness: float, enough: float) -> None:
    """Print what is shown of the answerable questions, and how exact the short answers are."""
    asked = [o for o in found if o.row.question.answers]
    kept = [enough_sentences(o, sharpness, enough) for o in asked]
    shown = np.mean([bool(o.held[k].any()) for o, k in zip(asked, kept, strict=True)])
    words = np.mean(
        [sum(len(o.texts[n].split()) for n in k) for o, k in zip(asked, kept, strict=True)]
    )
    exact = np.mean([o.fits == 1 for o in asked])
    first = np.mean([bool(o.held[0]) for o in asked])
    print(
        f"{name:10} enough {enough:.2f}: gold shown {shown:.3f} (first {first:.3f}) in {words:.0f} "
        f"words; EM {exact:.3f} F1 {np.mean([o.fits for o in asked]):.3f}",
        flush=True,
    )


def learn(trained: list[Part], tests: list[Part], out: Path) -> None:
    """Train every step out of fold, report, and write the shipped models."""
    stems = Stems()
    began = time.perf_counter()

    def say(what: str) -> None:
        print(f"{time.perf_counter() - began:5.0f} s  {what}", flush=True)

    by_fold = [fit_sentences(trained, fold) for fold in range(FOLDS)]
    whole = fit_sentences(trained)
    for part in trained:
        score_sentences(part, by_fold)
    for part in tests:
        score_sentences(part, [whole])
    say("sentences")
    rows = [row for part in trained for row in span_rows(part, stems)]
    spans_by_fold = [fit_spans(rows, fold) for fold in range(FOLDS)]
    whole_spans = fit_spans(rows)
    say("spans")
    found = {part.name: list(outcomes(part, spans_by_fold, stems)) for part in trained}
    found |= {part.name: list(outcomes(part, [whole_spans], stems)) for part in tests}
    learned = [o for part in trained for o in found[part.name]]
    align(learned, [o for part in tests for o in found[part.name]], out)
    say("alignment")
    sure_by_fold = [fit_certainty(learned, fold) for fold in range(FOLDS)]
    whole_sure = fit_certainty(learned)
    say("certainty")
    scores = np.zeros(len(learned))
    for fold, model in enumerate(sure_by_fold):
        mine = [at for at, o in enumerate(learned) if o.row.fold == fold]
        scores[mine] = _raw(model, [learned[at] for at in mine])
    weights = _balanced(learned)
    knots = isotonic(scores, np.array([right(o) for o in learned]), weights)
    told = np.interp(scores, knots[0], knots[1])
    shown = told >= AnswerSettings().min_confidence
    exact = np.array([o.fits == 1 for o in learned])
    spoken = np.array([o.span for o in learned])
    span_knots = isotonic(spoken[shown], exact[shown], weights[shown])
    begin = 0
    for part in [*trained, *tests]:
        some = found[part.name]
        sure = told[begin : begin + len(some)]
        begin += len(some)
        if part in tests:
            sure = np.interp(_raw(whole_sure, some), knots[0], knots[1])
        tell(part.name, some, sure)
    thresholds("balanced", learned, told, weights)
    trees = {sentences: whole, spans: whole_spans, certainty: whole_sure}
    for module, model in trees.items():
        model.save_model(out / module.MODEL_FILE.name)
    values = {
        "sharpness": SHARPNESS,
        "enough": ENOUGH,
        "least_span": LEAST_SPAN,
        "knots": knots.round(4).tolist(),
        "span_knots": span_knots.round(4).tolist(),
    }
    (out / extractive.FITTED_FILE.name).write_text(json.dumps(values, indent=1) + "\n")
    say(f"written to {out}")


def tell(name: str, found: Sequence[Outcome], sure: Values) -> None:
    """Print what is shown of a part, and how well the certainty tells the answerable."""
    from sklearn.metrics import roc_auc_score

    for enough in (0.5, 0.6, 0.7, 0.8):
        report(name, found, SHARPNESS, enough)
    answerable = [o.row.question.answerable for o in found]
    of_right = roc_auc_score([right(o) for o in found], sure)
    of_answerable = roc_auc_score(answerable, sure) if len(set(answerable)) == 2 else np.nan
    print(f"{name}: AUROC answerable {of_answerable:.3f}, right {of_right:.3f}")
    thresholds(name, found, sure)


SHARPNESS, ENOUGH, LEAST_SPAN = 1.0, 0.7, 0.15


def _raw(model: Any, found: Sequence[Outcome]) -> Values:
    rows = np.stack([o.features for o in found])
    return np.asarray(model.predict(rows, raw_score=True, num_threads=1))


def _balanced(found: Sequence[Outcome]) -> Values:
    """Return weights by which news questions count as much, all in all, as the others."""
    news = np.array([o.row.passage.startswith(NEWS_PASSAGES) for o in found])
    return np.where(news, 0.5 / max(news.sum(), 1), 0.5 / max((~news).sum(), 1))


def thresholds(
    name: str, found: Sequence[Outcome], told: Values, weights: Values | None = None
) -> None:
    """Print what share is answered at each threshold, how many of those rightly."""
    rights = np.array([right(o) for o in found])
    count = np.ones(len(found)) if weights is None else weights
    for least in (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6):
        answered = count * (told >= least)
        print(
            f"{name:10} at {least:.2f}: answered {answered.sum() / count.sum():.3f}, right of them "
            f"{(answered @ rights) / max(answered.sum(), 1e-9):.3f}, of the right ones kept "
            f"{(answered @ rights) / max(count @ rights, 1e-9):.3f}"
        )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("fresh", "seen", "test"):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="PART")
    parser.add_argument("--news", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=sentences.MODEL_FILE.parent)
    options = parser.parse_args()
    news = datasets.rows(options.news, ("id",))
    trainable = frozenset(row["id"] for row in news if row.get("dataset") in TRAINABLE)
    stems = Stems()
    parts: dict[str, list[Part]] = {"fresh": [], "seen": [], "test": []}
    for kind, some in parts.items():
        for given in getattr(options, kind):
            *paths, percent = f"{given}:100".split(":")[:4]
            home, folder, qa = map(Path, paths)
            rows = search(home, folder, qa, by_words=kind == "seen")
            if kind != "test":
                rows = [replace(row, evidence=headlined(row.evidence)) for row in rows]
            rows = [
                row for row in rows if zlib.crc32(f"{row.passage}x".encode()) % 100 < int(percent)
            ]
            some.append(read_part(f"{folder.name}@{home.name}", rows, trainable, stems))
    learn([*parts["fresh"], *parts["seen"]], parts["test"], options.out)


if __name__ == "__main__":
    main()
