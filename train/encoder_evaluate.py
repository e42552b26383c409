"""Measures the reading encoder on questions that it never saw, beside the search and the ranker.

    python -m train.encoder_evaluate collect --home EV --set sets/idk --news NEWS \\
        --out build/idk.pkl
    python -m train.encoder_evaluate quick --encoder build/encoder.pt --found build/facqa.pkl
    python -m train.encoder_evaluate report --encoder build/encoder.pt \\
        --fresh build/facqa.pkl --seen build/idktrain.pkl --test build/idk.pkl
    python -m train.encoder_evaluate sentences --encoder build/encoder.pt --home EV

`report` mixes the encoder's score with the ranker's: by a weight chosen on other questions, and as
one more feature of the trees.
"""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import text
from qa import ranking
from train import data, encoder, encoder_data, ranker
from train.encoder_data import Reader

Floats = npt.NDArray[np.float64]
RARE = 12.0


# What the search finds ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """A set's questions with their candidates' features and texts, [P] end to end."""

    pairs: ranker.Pairs
    texts: list[str]
    weights: list[dict[str, float]]


def collect(home: Path, folder: Path, news: Path) -> Found:
    """Search for every answerable question of a set, as the ranker's training does."""
    from eval import datasets
    from index.embedding import open_embedder
    from index.local_engine import LocalEngine
    from index.settings import load as load_settings
    from index.versions import Versions
    from qa.question import kind_of
    from qa.retriever import _weights

    rows = datasets.rows(news, ("id",))
    trainable = frozenset(r["id"] for r in rows if r.get("dataset") in ranker.TRAINABLE)
    index = Versions(home / "versions", LocalEngine()).current()
    asked = datasets.load(folder)
    questions = [q for q in asked.questions if q.id in asked.relevant]
    embedder = open_embedder(load_settings(home).embedding)
    vectors = embedder.embed_queries([q.text for q in questions])
    stems = ranking.Stems()
    parts: list[tuple[Any, ...]] = []
    for question, vector in zip(questions, vectors, strict=True):
        found = ranker.candidates(index, question.text, vector)
        found = [found[at] for at in ranking.shortlist(found)]
        weights = _weights(question.text, index)
        features = ranking.features(question.text, kind_of(question.text), weights, found, stems)
        relevant = asked.relevant[question.id]
        grades, usable = ranker._label(question, relevant, found, features, trainable)
        articles = [c.passage.article_id for c in found]
        texts = [c.passage.text for c in found]
        parts.append((features, grades, usable, articles, texts, dict(weights)))
    pairs = ranker.Pairs(
        questions,
        asked.relevant,
        np.concatenate([part[0] for part in parts]),
        np.array([grade for part in parts for grade in part[1]], dtype=np.int64),
        np.array([use for part in parts for use in part[2]], dtype=np.bool_),
        np.cumsum([0, *(len(part[1]) for part in parts)], dtype=np.int64),
        [article for part in parts for article in part[3]],
        [min(asked.relevant[q.id]) for q in questions],
    )
    return Found(pairs, [t for part in parts for t in part[4]], [part[5] for part in parts])


# What the encoder says ---------------------------------------------------------------------------


class Scorer:
    """Reads windows beside questions; `tops` is how many windows of a passage are read."""

    def __init__(self, model: Any, tops: int = 1, batch: int = 64) -> None:
        self.model = model
        self.reader = Reader()
        self.ends = encoder.Ends.read(Path("index/model"))
        self.tops, self.batch = tops, batch
        self._kept: dict[str, encoder_data.Text] = {}

    def ask(self, question: str, weights: dict[str, float]) -> encoder_data.Asked:
        """Return the question as the encoder reads it."""
        return self.reader.ask(question, self._read([question])[0], lambda s: weights.get(s, RARE))

    def _read(self, texts: Sequence[str]) -> list[encoder_data.Text]:
        new = [t for t in dict.fromkeys(texts) if t not in self._kept]
        self._kept.update(zip(new, self.reader.read(new), strict=True))
        return [self._kept[t] for t in texts]

    def windows(
        self, asked: encoder_data.Asked, passages: Sequence[str]
    ) -> tuple[list[encoder_data.Pair], list[int], list[int]]:
        """Return the best windows beside the question, each one's passage, and where it begins."""
        pairs, owners, begins = [], [], []
        for number, read in enumerate(self._read(passages)):
            ranges = encoder_data.windows(read)
            covered = encoder_data.coverage(asked, read, ranges)
            order = sorted(range(len(ranges)), key=lambda at: -covered[at])[: self.tops]
            for at in order:
                pairs.append(encoder_data.pair(asked, read, *ranges[at]))
                owners.append(number)
                begins.append(ranges[at][0])
        return pairs, owners, begins

    def logits(self, pairs: Sequence[encoder_data.Pair]) -> tuple[Floats, list[Floats]]:
        """Return whether each window answers, and each window's token logits [T, 2]."""
        import torch

        order = np.argsort([len(p.tokens) for p in pairs], kind="stable")
        answers = np.zeros(len(pairs))
        spans: list[Floats] = [np.zeros((0, 2))] * len(pairs)
        for first in range(0, len(pairs), self.batch):
            some = [pairs[at] for at in order[first : first + self.batch]]
            parts = encoder.padded(
                [p.tokens for p in some],
                [p.marks for p in some],
                [p.asked for p in some],
                self.ends,
            )
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
                said, where = self.model(*parts)
            answers[order[first : first + self.batch]] = said.numpy()
            for at, p, logits in zip(order[first:], some, where.numpy(), strict=False):
                spans[at] = logits[p.asked + 2 : len(p.tokens) + 2]
        return answers, spans

    def passages(self, asked: encoder_data.Asked, passages: Sequence[str]) -> Floats:
        """Return each passage's score: its best window's."""
        pairs, owners, _ = self.windows(asked, passages)
        out = np.full(len(passages), -np.inf)
        np.maximum.at(out, owners, self.logits(pairs)[0])
        return out

    def sentences(self, asked: encoder_data.Asked, passage: str) -> tuple[Floats, float]:
        """Return a score for each sentence of a passage, and the best window's."""
        read = self._read([passage])[0]
        tops, self.tops = self.tops, 99
        pairs, _, begins = self.windows(asked, [passage])
        self.tops = tops
        answers, spans = self.logits(pairs)
        out = np.full(len(read.sentences) - 1, -np.inf)
        for answer, logits, begin in zip(answers, spans, begins, strict=True):
            chances = logits - np.log(np.exp(logits).sum(axis=0))
            at = np.searchsorted(read.sentences, begin + np.arange(len(chances)), "right") - 1
            score = np.logaddexp(chances[:, 0], chances[:, 1]) + answer
            np.maximum.at(out, at, score)
        return out, float(answers.max())


def read_candidates(
    scorer: Scorer, found: Found, order: Floats, depth: int, questions: Sequence[int]
) -> Floats:
    """Return the encoder's score of each question's best candidates by `order`; nan elsewhere."""
    out = np.full(len(found.texts), np.nan)
    for number in questions:
        begin, end = found.pairs.starts[number : number + 2]
        best = begin + np.argsort(-order[begin:end], kind="stable")[:depth]
        asked = scorer.ask(found.pairs.questions[number].text, found.weights[number])
        out[best] = scorer.passages(asked, [found.texts[at] for at in best])
    return out


def reranked(pairs: ranker.Pairs, base: Floats, read: Floats, weight: float) -> Floats:
    """Return base + weight * read where it was read; the others stay behind in their order."""
    out = base.copy()
    for number in range(len(pairs.questions)):
        rows = slice(pairs.starts[number], pairs.starts[number + 1])
        seen = ~np.isnan(read[rows])
        if not seen.any():
            continue
        mixed = base[rows][seen] + weight * read[rows][seen]
        rest = base[rows][~seen]
        part = np.empty(len(seen))
        part[seen] = mixed
        if len(rest):
            part[~seen] = mixed.min() - 1 - (rest.max() - rest)
        out[rows] = part
    return out


# Ranking -----------------------------------------------------------------------------------------


def stacked(
    fresh: Found, blind: Sequence[ranker.Part], more: Sequence[ranker.Part], tests: Sequence[Found]
) -> tuple[Floats, list[Floats]]:
    """Return out-of-fold scores of the fresh set by the ranker's trees, and those of the tests.

    The features may have columns beyond the ranker's; trees blind to the cosine are blind to them.
    """
    folds = ranker.folds_of(fresh.pairs)
    out = np.zeros(len(fresh.pairs.features))
    for fold in range(ranker.FOLDS):
        rest = (fresh.pairs, np.flatnonzero(folds != fold))
        booster = _fit(blind, [rest, *more])
        rows = np.repeat(folds == fold, np.diff(fresh.pairs.starts))
        out[rows] = booster.predict(fresh.pairs.features[rows])
    every = (fresh.pairs, np.arange(len(fresh.pairs.questions)))
    booster = _fit(blind, [every, *more])
    return out, [booster.predict(test.pairs.features) for test in tests]


def _fit(blind: Sequence[ranker.Part], fresh: Sequence[ranker.Part]) -> Any:
    import lightgbm

    generator = np.random.default_rng(ranker.SEED)
    columns = blind[0][0].features.shape[1]
    added = columns - len(ranking.NAMES)
    hidden = [ranking.NAMES.index(name) for name in ranker.DENSE]
    hidden += list(range(len(ranking.NAMES), columns))
    settings = ranker._settings(ranker.SEED)
    settings["num_threads"] = 1
    settings["monotone_constraints"] = settings["monotone_constraints"] + [1] * added
    booster = None
    for parts, trees, hide in (
        (blind, ranker.BLIND_TREES, hidden),
        (fresh, ranker.FRESH_TREES, []),
    ):
        rows, grades, sizes = [], [], []
        for pairs, questions in parts:
            for question in questions:
                chosen = ranker._choose(pairs, question, generator)
                if len(chosen):
                    rows.append(pairs.features[chosen])
                    grades.append(pairs.grades[chosen])
                    sizes.append(len(chosen))
        features = np.concatenate(rows)
        features[:, hide] = 0.0
        made = lightgbm.Dataset(features, np.concatenate(grades), group=sizes, free_raw_data=False)
        booster = lightgbm.train(settings, made, trees, init_model=booster)
    return booster


def with_columns(found: Found, read: Floats) -> Found:
    """Add the encoder's score, and how far it is below the question's best, to the features.

    What was not read counts as a little worse than the worst that was.
    """
    columns = np.zeros((len(read), 2), dtype=np.float32)
    for number in range(len(found.pairs.questions)):
        rows = slice(found.pairs.starts[number], found.pairs.starts[number + 1])
        some = read[rows]
        if np.isnan(some).all():
            continue
        filled = np.where(np.isnan(some), np.nanmin(some) - 1, some)
        columns[rows] = np.stack([filled, filled - filled.max()], axis=1)
    features = np.concatenate([found.pairs.features, columns], axis=1)
    return replace(found, pairs=replace(found.pairs, features=features))


def best_weight(
    pairs: ranker.Pairs, base: Floats, read: Floats, questions: npt.NDArray[np.int64]
) -> float:
    """Return the encoder's weight beside `base` with the best MRR@10 on some questions."""
    return max(WEIGHTS, key=lambda w: _mrr(pairs, reranked(pairs, base, read, w), questions))


WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0)


def _mrr(pairs: ranker.Pairs, values: Floats, questions: npt.NDArray[np.int64]) -> float:
    return float(_reciprocal(pairs, values)[questions].mean())


def _reciprocal(pairs: ranker.Pairs, values: Floats) -> Floats:
    out = np.zeros(len(pairs.questions))
    for number, question in enumerate(pairs.questions):
        begin, end = pairs.starts[number : number + 2]
        best: dict[str, float] = {}
        for article, value in zip(pairs.articles[begin:end], values[begin:end], strict=True):
            best[article] = max(best.get(article, value), value)
        right = max((best[a] for a in pairs.relevant[question.id] if a in best), default=None)
        if right is not None:
            rank = 1 + sum(value > right for value in best.values())
            out[number] = 1 / rank if rank <= 10 else 0.0
    return out


def mixed(pairs: ranker.Pairs, base: Floats, read: Floats) -> tuple[Floats, list[float]]:
    """Return base + weight * read, each fold's weight chosen on the other folds."""
    folds = ranker.folds_of(pairs)
    out = base.copy()
    weights = []
    for fold in range(ranker.FOLDS):
        weight = best_weight(pairs, base, read, np.flatnonzero(folds != fold))
        rows = np.repeat(folds == fold, np.diff(pairs.starts))
        out[rows] = reranked(pairs, base, read, weight)[rows]
        weights.append(weight)
    return out, weights


# Reports -----------------------------------------------------------------------------------------


DEPTH = 20


def _union(pairs: ranker.Pairs, base: Floats, depth: int) -> Floats:
    """Return an order that opens with the best by the search and the best by `base` in turn."""
    fused = pairs.features[:, ranking.NAMES.index("fused")]
    out = np.zeros(len(base))
    for number in range(len(pairs.questions)):
        rows = slice(pairs.starts[number], pairs.starts[number + 1])
        places = [np.argsort(np.argsort(-values[rows], kind="stable")) for values in (fused, base)]
        out[rows] = -np.minimum(*places)
    return out


def report(given: argparse.Namespace) -> None:
    """Print hybrid search, the ranker's trees, and both ways of adding the encoder to them."""
    fresh, seen, test = (unpickle(path) for path in (given.fresh, given.seen, given.test))
    kept = np.array([data.held_out(gold) for gold in seen.pairs.golds])
    blind, more = np.flatnonzero(~kept), np.flatnonzero(kept)
    parts = [(seen.pairs, blind)], [(seen.pairs, more)]
    base, base_test = _ranked(given.fresh.with_suffix(".ranked.npz"), fresh, *parts, test)
    fused_seen = fused(seen).astype(np.float64)
    scorer = Scorer(encoder.load(given.encoder), given.tops)
    read = []
    for name, found, values, questions in (
        ("fresh", fresh, base, range(len(fresh.pairs.questions))),
        ("seen", seen, fused_seen, more.tolist()),
        ("test", test, base_test, range(len(test.pairs.questions))),
    ):
        began = time.monotonic()
        order = _union(found.pairs, values, DEPTH)
        read.append(read_candidates(scorer, found, order, DEPTH, questions))
        print(f"read {name} in {time.monotonic() - began:.0f} s", flush=True)
    np.savez(given.encoder.with_suffix(".read.npz"), *read)
    by_mix, weights = mixed(fresh.pairs, base, read[0])
    every = np.arange(len(fresh.pairs.questions))
    weight = best_weight(fresh.pairs, base, read[0], every)
    by_hybrid, hybrid_weights = mixed(fresh.pairs, fused(fresh), read[0])
    hybrid_weight = best_weight(fresh.pairs, fused(fresh), read[0], every)
    print("weights beside the ranker", weights, weight, "beside hybrid", hybrid_weights)
    wide = [with_columns(f, r) for f, r in zip((fresh, seen, test), read, strict=True)]
    parts = [(wide[1].pairs, blind)], [(wide[1].pairs, more)]
    by_trees, (test_trees,) = stacked(wide[0], *parts, [wide[2]])
    for name, found, values, hybrid, ranked, linear, trees in (
        (given.fresh.stem, fresh, read[0], by_hybrid, base, by_mix, by_trees),
        (
            given.test.stem,
            test,
            read[2],
            reranked(test.pairs, fused(test), read[2], hybrid_weight),
            base_test,
            reranked(test.pairs, base_test, read[2], weight),
            test_trees,
        ),
    ):
        alone = reranked(found.pairs, fused(found) * 1e-6, values, 1.0)
        systems = {
            "hybrid": fused(found),
            "encoder": alone,
            "hybrid+enc": hybrid,
            "ranked": ranked,
        }
        ranker.report(name, found.pairs, {**systems, "trees+enc": trees})
        ranker.report(name, found.pairs, {"hybrid": fused(found), "hybrid+enc": hybrid})
        ranker.report(name, found.pairs, {"ranked": ranked, "ranked+enc": linear})


def _ranked(
    kept: Path,
    fresh: Found,
    blind: Sequence[ranker.Part],
    more: Sequence[ranker.Part],
    test: Found,
) -> tuple[Floats, Floats]:
    """Return the scores of the trees without the encoder, from the file if it is there."""
    if not kept.exists():
        base, (base_test,) = stacked(fresh, blind, more, [test])
        np.savez(kept, base, base_test)
    with np.load(kept) as arrays:
        return arrays["arr_0"], arrays["arr_1"]


def fused(found: Found) -> Floats:
    return found.pairs.features[:, ranking.NAMES.index("fused")].astype(np.float64)


def unpickle(path: Path) -> Found:
    with path.open("rb") as file:
        found: Found = pickle.load(file)  # noqa: S301 - written by `collect`
    return found


def quick(given: argparse.Namespace) -> None:
    """Print the first figures of a checkpoint, over every `given.every`th question."""
    scorer = Scorer(encoder.load(given.encoder), given.tops)
    for path in given.found:
        found = unpickle(path)
        pairs = found.pairs
        golds = pairs.golds
        held = "train" in path.stem
        chosen = [n for n in range(len(golds)) if not held or data.held_out(golds[n])]
        some = np.array(chosen[:: given.every])
        base = fused(found)
        read = read_candidates(scorer, found, base, DEPTH, some.tolist())
        shown = {"hybrid": base, "encoder": reranked(pairs, base * 1e-6, read, 1.0)}
        weight = best_weight(pairs, base, read, some)
        shown[f"hybrid + {weight} encoder"] = reranked(pairs, base, read, weight)
        for name, values in shown.items():
            value = _reciprocal(pairs, values)[some]
            print(
                f"{path.stem:9} {name:22} R@1 {(value == 1).mean():.3f} RR@10 {value.mean():.3f} "
                f"({len(some)} questions)",
                flush=True,
            )


# Sentences and answerability ---------------------------------------------------------------------


def sentences(given: argparse.Namespace) -> None:
    """Print how often the best sentence of the right passage holds the answer, and the AUROC."""
    from index.local_engine import LocalEngine
    from index.versions import Versions

    index = Versions(given.home / "versions", LocalEngine()).current()
    scorer = Scorer(encoder.load(given.encoder))
    for name, folder, prefix in (("facqa", "facqa_dev", ""), ("idk", "idk_mrc", "valid_")):
        rows = list(data.rows(given.data / folder / f"{prefix}qa.jsonl.gz"))
        file = given.data / folder / f"{prefix}passages.jsonl.gz"
        bodies = {row["id"]: row["text"] for row in data.rows(file)}
        hits: list[tuple[bool, bool]] = []
        sure: list[tuple[bool, float, float]] = []
        for row in rows:
            body, question = bodies[row["passage_id"]], " ".join(row["question"].split())
            by_rule, best, rule_sure, read_sure = _judge(question, body, index, scorer)
            sure.append((row["answerable"], rule_sure, read_sure))
            said = [body[a:b].lower() for a, b in text.sentences(body)]
            holds = [any(a.lower() in s for a in row["answers"]) for s in said]
            if row["answerable"] and len(said) > 1 and any(holds):
                hits.append((holds[by_rule], holds[best]))
        _show_sentences(name, hits, sure)


def _judge(question: str, body: str, index: Any, scorer: Scorer) -> tuple[int, int, float, float]:
    """Return the answerer's best sentence, the encoder's, the confidence, the encoder's."""
    from index.records import Evidence, Hit, Passage, Query
    from index.settings import AnswerSettings
    from qa import answers
    from qa.question import kind_of
    from qa.retriever import _weights

    spans = tuple(text.sentences(body))
    joined = " ".join(body[a:b] for a, b in spans)
    passage = Passage("p#0", "p", "p", joined, spans, "", "", "", None, "")
    weights = _weights(question, index)
    query = Query(question, kind=kind_of(question))
    evidence = Evidence(query, (Hit(passage, 1.0, 1, 1),), "", weights)
    claims = answers.ExtractiveAnswerer(AnswerSettings(max_sentences=1)).claims(evidence)
    ruled = next((claim.text for claim in claims), "")
    scores, read_sure = scorer.sentences(scorer.ask(question, dict(weights)), body)
    said = [" ".join(body[a:b].split()) for a, b in spans]
    by_rule = said.index(ruled) if ruled in said else 0
    return by_rule, int(np.argmax(scores)), answers.confidence(evidence), read_sure


def _show_sentences(
    name: str, hits: list[tuple[bool, bool]], sure: list[tuple[bool, float, float]]
) -> None:
    from sklearn.metrics import roc_auc_score

    from eval import scores

    rule, read = np.array(hits, dtype=np.float64).T
    print(f"{name}: answer in the best sentence of {len(rule)}")
    for c in scores.compare({"rule to encoder": rule}, {"rule to encoder": read}):
        print(f"  {c.measure} {c.a:.3f} {c.b:.3f} [{c.low:+.3f}, {c.high:+.3f}] p {c.p:.4f}")
    answerable, by_rule, by_encoder = (np.array(part) for part in zip(*sure, strict=True))
    if not answerable.all():
        auc = [roc_auc_score(answerable, values) for values in (by_rule, by_encoder)]
        print(f"  AUROC rule {auc[0]:.3f} encoder {auc[1]:.3f} of {len(answerable)}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("collect", "quick", "report", "sentences"))
    parser.add_argument("--home", type=Path, help="with collect and sentences")
    parser.add_argument("--set", type=Path, help="with collect")
    parser.add_argument("--news", type=Path, help="with collect")
    parser.add_argument("--out", type=Path, help="with collect")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--found", type=Path, action="append", help="with quick: from collect")
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--tops", type=int, default=1, help="windows read of a passage")
    parser.add_argument("--fresh", type=Path, help="with report, as are the next two: a set found")
    parser.add_argument("--seen", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    if given.step == "collect":
        with given.out.open("wb") as file:
            pickle.dump(collect(given.home, given.set, given.news), file)
        return
    import torch

    torch.set_num_threads(given.threads)
    {"quick": quick, "report": report, "sentences": sentences}[given.step](given)


if __name__ == "__main__":
    main()
