"""Trains qa/ranker.txt: `mix` sets question passages into news articles, `fit` learns the trees.

    python -m train.ranker mix --home EV --news NEWS.jsonl.gz --out mixed.jsonl
    cp -r EV MIXED && tanya --home MIXED add mixed.jsonl && tanya --home MIXED build
    python -m train.ranker fit --home EV --mixed MIXED --news NEWS.jsonl.gz \\
        --fresh facqa --seen idktrain --seen squad --scored FRESH --test idk=TEST

EV holds the news and the passages of all sets that train; FRESH the news and those of the fresh
set, TEST the news and those of a set that nothing here learned from.

Passages of question sets are short and without headlines, the archive's articles are not: trees
trained on the bare sets learn to tell the two apart. So they are trained on both forms, and only
beside passages that may train a shipped model. Questions that the bundled embedding model was
trained on (`--seen`) have cosines too good to be true: the first trees learn from those, blind to
the cosine; the last ones from the `--fresh` questions and the tenth that the model never saw.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eval import datasets, scores
from index import text
from index.archive import FILE_NAME, Archive
from index.engine import SearchIndex
from index.local_engine import LocalEngine
from index.records import Filter
from index.settings import load as load_settings
from index.versions import Versions
from qa import ranking
from qa.question import kind_of
from qa.retriever import _weights
from train.data import held_out

TRAINABLE = ("click_id", "indosum_dev")
"""Data sets of the news whose licences let them train a shipped model."""

QUESTION_PASSAGES = ("facqa-p-", "idk-p-", "squadid-p-")
SEED = 7
FOLDS = 5
BLIND_TREES, FRESH_TREES = 150, 100
DENSE = ("cosine", "cosine_below_best", "dense_rank", "fused")
HARD, EASY = 25, 10
"""Negatives of a question: the best ones by the fused score, and some of the others."""


# Question passages inside news articles -----------------------------------------------------------


def mix(home: Path, news: Path, out: Path) -> int:
    """Write every question passage inside a random news article, under its own id; return how many.

    At most six sentences of the news stand before the passage, three to eight after it.
    """
    chance = random.Random(SEED)
    hosts = [
        row
        for row in datasets.rows(news, ("id", "text"))
        if row.get("dataset") in TRAINABLE and row.get("title") and len(row["text"]) > 600
    ]
    count = 0
    archive = Archive.open(home / FILE_NAME)
    wanted = sorted(i for i in archive.fingerprints() if i.startswith(QUESTION_PASSAGES))
    with out.open("w", encoding="utf-8") as file:
        for article_id in wanted:
            article, host = archive.get(article_id), chance.choice(hosts)
            if article is None:
                continue
            around = [host["text"][a:b] for a, b in text.sentences(host["text"])][:24]
            before = min(chance.choice((0, 0, 1, 2, 3, 4, 5, 6)), len(around))
            after = before + chance.choice((3, 4, 6, 8))
            body = [*around[:before], article.body.strip(), *around[before:after]]
            row = {"id": article_id, "title": host["title"], "text": " ".join(body)}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


# Features of a question set ----------------------------------------------------------------------


@dataclass(frozen=True)
class Pairs:
    """The short-listed candidates of every question, end to end.

    `features` is float32 [P, F]; `grades` [P] is 1 for a passage of the relevant article that
    holds the answer, else 0; `usable` [P] tells what may train as a negative; `starts` [Q + 1];
    `articles` [P]; `golds` [Q] is an id of a relevant article.
    """

    questions: list[datasets.Question]
    relevant: dict[str, dict[str, int]]
    features: ranking.Floats
    grades: npt.NDArray[np.int64]
    usable: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.int64]
    articles: list[str]
    golds: list[str]


def read_pairs(home: Path, folder: Path, trainable: frozenset[str]) -> Pairs:
    """Search for every answerable question of a set and compute its candidates' features."""
    from index.embedding import open_embedder

    index = Versions(home / "versions", LocalEngine()).current()
    asked = datasets.load(folder)
    questions = [q for q in asked.questions if q.id in asked.relevant]
    vectors = open_embedder(load_settings(home).embedding).embed_queries(
        [q.text for q in questions]
    )
    stems = ranking.Stems()
    parts: list[tuple[ranking.Floats, list[int], list[bool], list[str]]] = []
    for question, vector in zip(questions, vectors, strict=True):
        found = candidates(index, question.text, vector)
        found = [found[at] for at in ranking.shortlist(found)]
        kind, weights = kind_of(question.text), _weights(question.text, index)
        rows = ranking.features(question.text, kind, weights, found, stems)
        grades, usable = _label(question, asked.relevant[question.id], found, rows, trainable)
        parts.append((rows, grades, usable, [c.passage.article_id for c in found]))
    return Pairs(
        questions,
        asked.relevant,
        np.concatenate([rows for rows, *_ in parts]),
        np.array([g for _, grades, *_ in parts for g in grades], dtype=np.int64),
        np.array([u for *_, usable, _ in parts for u in usable], dtype=np.bool_),
        np.cumsum([0, *(len(rows) for rows, *_ in parts)], dtype=np.int64),
        [a for *_, articles in parts for a in articles],
        [min(asked.relevant[q.id]) for q in questions],
    )


def candidates(
    index: SearchIndex, question: str, vector: npt.NDArray[np.float32], depth: int = 100
) -> list[ranking.Candidate]:
    """Return what both searches bring, as the retriever does."""
    lexical = index.lexical(question, depth, Filter())
    dense = index.dense(vector, depth, Filter())
    bm25 = {s.passage_id: s.score for s in lexical}
    cosine = {s.passage_id: s.score for s in dense}
    rest = [i for i in bm25 if i not in cosine]
    if rest:
        cosine.update(zip(rest, (index.vectors(rest) @ vector).tolist(), strict=True))
    by_words = {s.passage_id: rank for rank, s in enumerate(lexical, start=1)}
    by_vector = {s.passage_id: rank for rank, s in enumerate(dense, start=1)}
    return [
        ranking.Candidate(passage, bm25.get(i, 0.0), cosine[i], by_words.get(i), by_vector.get(i))
        for i, passage in zip(cosine, index.passages(list(cosine)), strict=True)
    ]


def _label(
    question: datasets.Question,
    relevant: dict[str, int],
    found: Sequence[ranking.Candidate],
    rows: ranking.Floats,
    trainable: frozenset[str],
) -> tuple[list[int], list[bool]]:
    answers = [answer.lower() for answer in question.answers]
    telling = any(len(answer) > 3 for answer in answers)
    grades, usable = [], []
    for candidate, covered in zip(found, rows[:, 0].tolist(), strict=True):
        passage = candidate.passage
        holds = any(answer in passage.text.lower() for answer in answers)
        is_relevant = passage.article_id in relevant
        grades.append(int(is_relevant and (holds or not answers)))
        # Another passage with the answer and most of the question may answer it just as well.
        unclear = telling and holds and covered > 0.6
        ours = passage.article_id.startswith(QUESTION_PASSAGES)
        licensed = ours or passage.article_id in trainable
        usable.append(licensed and not is_relevant and not unclear)
    return grades, usable


# Learning ----------------------------------------------------------------------------------------


Part = tuple[Pairs, npt.NDArray[np.int64]]
"""Some of a set's questions, int64, by their number."""


def fit(seen: Sequence[Part], fresh: Sequence[Part], seed: int = SEED) -> Any:
    """Train on the seen questions without the dense features, then on the fresh ones with them."""
    import lightgbm

    generator = np.random.default_rng(seed)
    settings, booster = _settings(seed), None
    for parts, blind, trees in ((seen, True, BLIND_TREES), (fresh, False, FRESH_TREES)):
        data = _dataset(parts, blind, generator)
        booster = lightgbm.train(settings, data, trees, init_model=booster)
    return booster


def _dataset(parts: Sequence[Part], blind: bool, generator: np.random.Generator) -> Any:
    import lightgbm

    rows: list[ranking.Floats] = []
    grades: list[npt.NDArray[np.int64]] = []
    for pairs, questions in parts:
        for question in questions:
            chosen = _choose(pairs, question, generator)
            if len(chosen):
                rows.append(pairs.features[chosen])
                grades.append(pairs.grades[chosen])
    features = np.concatenate(rows)
    if blind:
        features[:, [ranking.NAMES.index(name) for name in DENSE]] = 0.0
    return lightgbm.Dataset(
        features,
        np.concatenate(grades),
        group=[len(some) for some in rows],
        feature_name=list(ranking.NAMES),
        free_raw_data=False,  # the trees trained before are applied to it
    )


def _settings(seed: int) -> dict[str, Any]:
    return {
        "objective": "lambdarank",
        "lambdarank_truncation_level": 15,
        "num_leaves": 16,
        "learning_rate": 0.06,
        "min_data_in_leaf": 50,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5,
        "max_bin": 127,
        "monotone_constraints": [int(name in ranking.RISING) for name in ranking.NAMES],
        "use_missing": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 2,
        "seed": seed,
        "verbosity": -1,
    }


def _choose(pairs: Pairs, question: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    begin, end = pairs.starts[question], pairs.starts[question + 1]
    grades, usable = pairs.grades[begin:end], pairs.usable[begin:end]
    right, wrong = np.flatnonzero(grades), np.flatnonzero(usable)
    if not len(right) or not len(wrong):
        return np.zeros(0, dtype=np.int64)
    fused = pairs.features[begin:end, ranking.NAMES.index("fused")]
    wrong = wrong[np.argsort(-fused[wrong], kind="stable")]
    easy = wrong[HARD:]
    some = generator.choice(easy, min(EASY, len(easy)), replace=False)
    return np.asarray(np.concatenate([right, wrong[:HARD], some]) + begin)


def folds_of(pairs: Pairs, seed: int = SEED) -> npt.NDArray[np.int64]:
    """Return each question's fold, int64 [Q]: all questions on a passage are in the same one."""
    passages = sorted(set(pairs.golds))
    np.random.default_rng(seed).shuffle(passages)
    fold = {passage: number % FOLDS for number, passage in enumerate(passages)}
    return np.array([fold[gold] for gold in pairs.golds])


# Reporting ---------------------------------------------------------------------------------------


def run_of(pairs: Pairs, values: npt.NDArray[np.floating[Any]]) -> dict[str, dict[str, float]]:
    """Return the run that a score for every pair makes: an article counts by its best passage."""
    run: dict[str, dict[str, float]] = {}
    for number, question in enumerate(pairs.questions):
        best: dict[str, float] = {}
        for at in range(pairs.starts[number], pairs.starts[number + 1]):
            article, value = pairs.articles[at], float(values[at])
            best[article] = max(best.get(article, value), value)
        run[question.id] = best
    return run


def report(name: str, pairs: Pairs, systems: dict[str, npt.NDArray[np.floating[Any]]]) -> None:
    """Print each system's measures, and the last one's paired tests against the others."""
    relevant = {q.id: pairs.relevant[q.id] for q in pairs.questions}
    found = {system: scores.score(relevant, run_of(pairs, v)) for system, v in systems.items()}
    for system, measures in found.items():
        shown = "  ".join(f"{m} {v.mean():.3f}" for m, v in measures.items() if m != "R@100")
        print(f"{name:12} {system:9} {shown}")
    *others, last = found
    for other in others:
        for c in scores.compare(found[other], found[last]):
            if c.measure in ("R@1", "RR@10", "R@10"):
                print(
                    f"{name:12} {last} - {other}: {c.measure} {c.b - c.a:+.3f} "
                    f"[{c.low:+.3f}, {c.high:+.3f}] p {c.p:.4f}"
                )


def _searches(pairs: Pairs) -> dict[str, npt.NDArray[np.floating[Any]]]:
    column = ranking.NAMES.index
    return {
        "lexical": pairs.features[:, column("bm25")],
        "hybrid": pairs.features[:, column("fused")],
    }


def split(seen: Sequence[Pairs]) -> tuple[list[Part], list[Part]]:
    """Return the questions that the embedding model was trained on, and the tenth held out."""
    parts: tuple[list[Part], list[Part]] = ([], [])
    for pairs in seen:
        out = np.array([held_out(gold) for gold in pairs.golds])
        parts[0].append((pairs, np.flatnonzero(~out)))
        parts[1].append((pairs, np.flatnonzero(out)))
    return parts


def evaluate(
    fresh: Sequence[Pairs], seen: Sequence[Pairs], scored: Sequence[Pairs]
) -> list[npt.NDArray[np.float64]]:
    """Return out-of-fold scores for the fresh set as searched in each of the `scored` archives."""
    blind, more = split(seen)
    folds = [folds_of(pairs) for pairs in fresh]
    judged = [folds_of(pairs) for pairs in scored]
    values = [np.zeros(len(pairs.features)) for pairs in scored]
    for fold in range(FOLDS):
        rest = [(p, np.flatnonzero(f != fold)) for p, f in zip(fresh, folds, strict=True)]
        booster = fit(blind, [*rest, *more])
        for pairs, mine, out in zip(scored, judged, values, strict=True):
            rows = np.repeat(mine == fold, np.diff(pairs.starts))
            out[rows] = booster.predict(pairs.features[rows])
    return values


def learn(options: argparse.Namespace) -> None:
    """Report out-of-fold figures of the fresh set, then write the shipped trees."""
    news = datasets.rows(options.news, ("id",))
    trainable = frozenset(row["id"] for row in news if row.get("dataset") in TRAINABLE)
    read = functools.partial(read_pairs, trainable=trainable)
    homes = [options.home, *([options.mixed] if options.mixed else [])]
    fresh = [read(home, options.sets / options.fresh) for home in homes]
    seen = [read(home, options.sets / name) for home in homes for name in options.seen]
    places = options.scored or homes
    scored = [read(home, options.sets / options.fresh) for home in places]
    for home, pairs, values in zip(places, scored, evaluate(fresh, seen, scored), strict=True):
        report(f"{options.fresh} {home.name}", pairs, {**_searches(pairs), "ranked": values})
    began = time.perf_counter()
    blind, more = split(seen)
    booster = fit(blind, [*((p, np.arange(len(p.questions))) for p in fresh), *more])
    booster.save_model(options.out)
    print(f"trained in {time.perf_counter() - began:.0f} s: {options.out}")
    for test in options.test:
        name, _, home = test.partition("=")
        pairs = read(Path(home), options.sets / name)
        ranked = booster.predict(pairs.features)
        report(f"{name} {Path(home).name}", pairs, {**_searches(pairs), "ranked": ranked})
    gains = booster.feature_importance("gain")
    for at in np.argsort(-gains):
        print(f"{ranking.NAMES[at]:22} {gains[at] / gains.sum():.3f}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("mix", "fit"))
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--mixed", type=Path)
    parser.add_argument("--news", type=Path, required=True)
    parser.add_argument("--sets", type=Path, default=Path("/tmp/sets"))
    parser.add_argument("--fresh", default="facqa")
    parser.add_argument("--seen", action="append", default=[])
    parser.add_argument("--scored", type=Path, action="append", default=[])
    parser.add_argument("--test", action="append", default=[], help="SET=HOME")
    parser.add_argument("--out", type=Path, default=ranking.RANKER_FILE)
    options = parser.parse_args()
    if options.step == "mix":
        print(mix(options.home, options.news, options.out), "passages")
    else:
        learn(options)


if __name__ == "__main__":
    main()
