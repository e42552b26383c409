"""Fits what orders the readings and tells how likely they are right, on held-out questions.

    python -m train.confidence collect DATA HOME OUT.pkl          # reads: minutes
    python -m train.confidence fit OUT.pkl qa/model/confidence.json

The questions are those of fold 0, which the reader was not trained on: news questions, matched
pairs, FacQA, IDK-MRC's training set. What is printed comes from five folds by article: each
question is judged by models that did not see its article.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import pickle
import random
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from eval import measures
from index.records import Evidence, Reading
from qa import answers, confidence
from qa.confidence import CONFIDENCE, ORDER, ROUND, SHORT, Logistic, Words, words_of
from qa.question.follow_up import names
from qa.reader import order
from train.data import rows
from train.rows import Asked, fold_of, hasty, news_questions, pairs

TODAY = dt.date(2026, 6, 1)
HELD_OUT = 0
MOST = {"news": 700, "pair": 220, "miss": 260, "swap": 300, "facqa": 200, "idk": 240}
"""Questions of each set; of IDK-MRC and the pairs few, for people ask otherwise."""

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")

LONGEST, MOST_SENTENCES = 40, 3
"""Words of an answer on average, and its sentences, at most."""

Floats = npt.NDArray[np.float64]
Shares = tuple[float, float]


class Held(NamedTuple):
    """A question, and what the reader found in its evidence, round by round."""

    kind: str
    asked: Asked
    evidence: Evidence
    rounds: list[list[Reading]]
    words: Words


def questions(data: Path) -> Iterator[tuple[str, Asked]]:
    """Yield the held-out questions of each set."""
    bodies = {row["id"]: row["text"] for row in rows(data / "news/articles.jsonl.gz")}
    yield from (("news", asked) for asked in news_questions(data))
    for good, miss in pairs(bodies):
        yield "pair", good
        yield "miss", miss
    for name, folder in (("facqa", "facqa_dev/"), ("idk", "idk_mrc/train_")):
        for row in rows(data / f"{folder}qa.jsonl.gz"):
            yield name, Asked(row["question"], row["passage_id"], tuple(row["answers"]))


def swapped(asked: Sequence[Asked], bodies: dict[str, str], rng: random.Random) -> Iterator[Asked]:
    """Yield questions with another year or another name in it, which stands not in their article:
    what people ask whose memory fails them. Some are typed in haste."""
    others = sorted({name for one in asked for name in names(one.question)})
    for one in asked:
        body = bodies.get(one.article_id, "")
        question = one.question
        year = _YEAR.search(question)
        mine = names(question)
        if year and (not mine or rng.random() < 0.5):
            new = str(int(year.group()) + rng.choice((-4, -3, -2, -1, 1, 2, 3)))
            old = year.group()
        elif mine:
            old = rng.choice(mine)
            placed = [n for n in others if len(n.split()) == len(old.split()) and n not in mine]
            new = rng.choice(placed) if placed else ""
        else:
            continue
        if new and not any(word.lower() in body.lower() for word in new.split()):
            said = question.replace(old, new)
            yield Asked(hasty(said, rng) if rng.random() < 0.35 else said, one.article_id)


def collect(args: argparse.Namespace) -> None:
    """Search and read for each question, and write what was found."""
    from qa.chat import Chat
    from qa.reader import Reader

    chat = Chat.open(args.home, lambda: TODAY)
    reader = Reader.load(args.model)
    index = chat.index()
    chosen: dict[str, list[Asked]] = {}
    for kind, asked in questions(args.data):
        if fold_of(asked.article_id) == HELD_OUT:
            chosen.setdefault(kind, []).append(asked)
    rng = random.Random(0)
    bodies = {row["id"]: row["text"] for row in rows(args.data / "news/articles.jsonl.gz")}
    answered = [one for kind in ("news", "pair") for one in chosen[kind] if one.answers]
    chosen["swap"] = list(swapped(answered, bodies, rng))
    found = []
    for kind, those in chosen.items():
        rng.shuffle(those)
        for asked in those[: MOST[kind]]:
            meanings = chat.meanings(asked.question, index)
            meant = next(m for m in meanings if not m.trial).query
            search = chat.turn_search(index, chat.bodies())
            evidence = search.found(replace(meant, kind=_read_as(meant.kind)))
            waiting = order(evidence.hits)[: args.passages]
            rounds = [
                reader.read(meant.reads or meant.text, waiting[at : at + ROUND])
                for at in range(0, len(waiting), ROUND)
            ]
            found.append(Held(kind, asked, evidence, rounds, words_of(evidence)))
            if len(found) % 100 == 0:
                print(len(found), "questions read", flush=True)
    args.out.write_bytes(pickle.dumps(found))


def _read_as(kind: str) -> str:
    """Have a question of the news of a topic read like any other, for it has an answer here."""
    return "other" if kind in ("latest", "development") else kind


# Fitting -----------------------------------------------------------------------------------------


def right(read: Held, reading: Reading) -> bool:
    """Tell whether the sentence of a reading holds a gold answer."""
    return bool(read.asked.answers) and measures.holds(reading.words, read.asked.answers)


def logistic(names: tuple[str, ...], data: Floats, wanted: Floats, weight: float = 1.0) -> Logistic:
    """Fit a ridge logistic regression by Newton's method."""
    mean, scale = data.mean(axis=0), data.std(axis=0) + 1e-6
    design = np.hstack([(data - mean) / scale, np.ones((len(data), 1))])
    found = np.zeros(design.shape[1])
    ridge = np.diag([weight] * data.shape[1] + [1e-6])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-design @ found))
        curve = design.T @ (design * (likely * (1 - likely))[:, None]) + ridge
        step = np.linalg.solve(curve, design.T @ (wanted - likely) - ridge @ found)
        found += step
        if np.abs(step).max() < 1e-8:
            break
    return Logistic(names, mean, scale, found[:-1], float(found[-1]))


def fit_order(reads: Sequence[Held]) -> Logistic:
    """Fit what tells right readings from wrong ones, each answerable question weighing the same."""
    data, wanted = [], []
    for read in reads:
        readings = [r for some in read.rounds for r in some if confidence.showable(r.words)]
        labels = [right(read, reading) for reading in readings]
        if any(labels):
            data.append(confidence.order_rows(read.evidence, readings, read.words))
            wanted.append(np.array(labels, dtype=np.float64))
    return conditional(ORDER, data, wanted)


def conditional(
    names: tuple[str, ...], data: Sequence[Floats], wanted: Sequence[Floats]
) -> Logistic:
    """Fit a conditional logit: the likelihood that of a question's readings a right one is first.

    McFadden 1974; by gradient steps, for there are few weights.
    """
    whole = np.concatenate(data)
    mean, scale = whole.mean(axis=0), whole.std(axis=0) + 1e-6
    scaled = [(some - mean) / scale for some in data]
    found = np.zeros(len(names))
    for step in range(600):
        slope = -0.002 * found
        for some, labels in zip(scaled, wanted, strict=True):
            scores = some @ found
            all_of = np.exp(scores - scores.max())
            good = all_of * labels
            slope += (good / good.sum() - all_of / all_of.sum()) @ some / len(scaled)
        found += (0.8 if step < 400 else 0.3) * slope
    return Logistic(names, mean, scale, found, 0.0)


class Judged(NamedTuple):
    """A question's readings, ordered, after each round, with the features of the best."""

    read: Held
    readings: list[tuple[Reading, ...]]
    features: list[Floats]


def judge(reads: Sequence[Held], model: Logistic) -> list[Judged]:
    """Order each question's readings round by round."""
    out = []
    for read in reads:
        readings: list[tuple[Reading, ...]] = []
        features = []
        so_far: list[Reading] = []
        for some in read.rounds:
            so_far += some
            best = confidence.ordered(read.evidence, so_far, read.words, model)
            if best:
                readings.append(best)
                features.append(confidence.row(read.evidence, best, read.words))
        out.append(Judged(read, readings, features))
    return out


def shows(judged: Judged, at: int, shares: Shares) -> bool:
    """Tell whether what would be shown after a round holds a gold answer."""
    shown = answers.enough(judged.readings[at], MOST_SENTENCES, *shares)
    return any(right(judged.read, r) for r in shown)


def fit_shares(seen: Sequence[Judged]) -> Shares:
    """Choose how many sentences are shown: most gold answers in LONGEST words on average."""
    best, kept = -1.0, (0.0, 1.0)
    for enough in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        for least in (0.03, 0.05, 0.08, 0.1, 0.12, 0.16, 0.2, 0.3):
            shown = [
                answers.enough(j.readings[-1], MOST_SENTENCES, enough, least)
                for j in seen
                if j.readings
            ]
            words = np.mean([sum(len(r.words.split()) for r in some) for some in shown])
            gold = sum(
                any(right(j.read, r) for r in some)
                for j, some in zip([j for j in seen if j.readings], shown, strict=True)
            )
            if words <= LONGEST and gold > best:
                best, kept = gold, (enough, least)
    return kept


def exact(judged: Judged, at: int) -> bool:
    """Tell whether the short answer is right: a gold one, or alike to its half at least."""
    gold, short = judged.read.asked.answers, judged.readings[at][0].short
    return bool(gold) and measures.overlap(short, gold) >= 0.5


class Models(NamedTuple):
    """What is fitted."""

    order: Logistic
    confidence: Logistic
    short: Logistic
    shares: Shares


def fit_all(reads: Sequence[Held]) -> Models:
    """Fit the three models on some questions; features of every round count."""
    ordering = fit_order(reads)
    seen = judge(reads, ordering)
    shares = fit_shares(seen)
    data = np.array([row for j in seen for row in j.features])
    wanted = np.array(
        [shows(j, at, shares) for j in seen for at in range(len(j.features))], dtype=float
    )
    sure = logistic(CONFIDENCE, data, wanted, 3.0)
    logits = sure.logits(data)
    places = [(j, at) for j in seen for at in range(len(j.features))]
    shorts = np.array(
        [
            confidence.short_row(j.read.evidence, j.features[at], j.readings[at][0], logit)
            for (j, at), logit in zip(places, logits.tolist(), strict=True)
        ]
    )
    good = np.array([exact(j, at) for j, at in places], dtype=float)
    return Models(ordering, sure, logistic(SHORT, shorts, good, 3.0), shares)


class Outcome(NamedTuple):
    """What a question comes to by models that did not see its article."""

    read: Held
    sure: float
    shown: bool
    short: float
    exact: bool
    passages: int
    words: int


UNDECIDED = ((0.0, 0.7), (0.05, 0.3))
"""Of the confidences tried these read least, of those that answer as many questions rightly."""


def outcomes(reads: Sequence[Held], models: Models) -> list[Outcome]:
    """Answer questions as the product does, stopping at a round after which it is decided."""
    out = []
    for judged in judge(reads, models.order):
        if not judged.readings:
            out.append(Outcome(judged.read, 0.0, False, 0.0, False, 0, 0))
            continue
        at, sure = 0, 0.0
        for at, features in enumerate(judged.features):
            sure = models.confidence.probability(features)
            if confidence.is_decided(sure, at + 1, UNDECIDED):
                break
        best = judged.readings[at][0]
        logit = float(models.confidence.logits(judged.features[at][None, :])[0])
        short = confidence.short_row(judged.read.evidence, judged.features[at], best, logit)
        shown = answers.enough(judged.readings[at], MOST_SENTENCES, *models.shares)
        out.append(
            Outcome(
                judged.read,
                sure,
                any(right(judged.read, r) for r in shown),
                models.short.probability(short),
                exact(judged, at),
                min((at + 1) * ROUND, len(order(judged.read.evidence.hits))),
                sum(len(r.words.split()) for r in shown),
            )
        )
    return out


def crossed(reads: Sequence[Held], folds: int = 5) -> list[Outcome]:
    """Return each question's outcome by models fitted on the other articles' questions."""
    out = []
    for fold in range(folds):
        inside = [r for r in reads if hash_of(r) % folds == fold]
        rest = [r for r in reads if hash_of(r) % folds != fold]
        out += outcomes(inside, fit_all(rest))
    return out


def hash_of(read: Held) -> int:
    """Return a number by which a question's article falls into a fold of fold 0."""
    return zlib.crc32(f"again {read.asked.article_id}".encode())


def threshold(found: Sequence[Outcome], refused: float) -> float:
    """Return the confidence below which the given share of the answerable questions lies."""
    return float(np.quantile([o.sure for o in found if o.read.asked.answers], refused))


def least_short(found: Sequence[Outcome], least: float, wrong: float) -> float:
    """Return the least probability at which at most `wrong` of all questions get a wrong bold."""
    shown = sorted((o for o in found if o.sure >= least), key=lambda o: -o.short)
    bad, at = 0, 1.0
    for outcome in shown:
        bad += not outcome.exact
        if bad > wrong * len(found):
            break
        at = outcome.short
    return at


def tell(name: str, found: Sequence[Outcome], least: float, bold: float) -> None:
    """Print a set's figures at the thresholds."""
    can = [o for o in found if o.read.asked.answers]
    cannot = [o for o in found if not o.read.asked.answers]
    sure = np.array([o.sure for o in found])
    answerable = np.array([float(bool(o.read.asked.answers)) for o in found])

    def share(those: Sequence[Outcome], test: Callable[[Outcome], bool]) -> float:
        return sum(map(test, those)) / len(those) if those else float("nan")

    print(
        f"{name:6} {len(can):4} + {len(cannot):4}:"
        f" held {share(can, _held):.3f}"
        f" would show {share(can, lambda o: o.shown):.3f}"
        f" shown {share(can, lambda o: o.shown and o.sure >= least):.3f}"
        f" refused {share(can, lambda o: o.sure < least):.3f}"
        f" declined {share(cannot, lambda o: o.sure < least):.3f}"
        f" auroc {measures.auroc(sure, answerable):.3f}"
        f" bold {share(found, lambda o: o.sure >= least and o.short >= bold):.3f}"
        f" wrong {share(found, lambda o: o.sure >= least and o.short >= bold and not o.exact):.3f}"
        f" passages {np.mean([o.passages for o in found]):.1f}"
        f" words {np.mean([o.words for o in found]):.1f}"
    )


def _held(outcome: Outcome) -> bool:
    read = outcome.read
    return any(
        measures.holds(page.text, read.asked.answers)
        for hit in read.evidence.hits[:3]
        for page in hit.passages
    )


def fit(args: argparse.Namespace) -> None:
    """Print figures by folds, then fit on all questions and write the models."""
    reads: list[Held] = pickle.loads(args.found.read_bytes())
    found = crossed(reads)
    news = [o for o in found if o.read.kind in ("news", "pair", "miss")]
    least = threshold([o for o in found if o.read.kind == "news"], args.refused)
    bold = least_short(news, least, args.wrong)
    for kind in MOST:
        tell(kind, [o for o in found if o.read.kind == kind], least, bold)
    pair = [o for o in found if o.read.kind in ("pair", "miss")]
    tell("pairs", pair, least, bold)
    tell("all", found, least, bold)
    models = fit_all(reads)
    raw = {
        name: {
            "names": model.names,
            "mean": model.mean.round(6).tolist(),
            "scale": model.scale.round(6).tolist(),
            "weights": model.weights.round(6).tolist(),
            "bias": round(model.bias, 6),
        }
        for name, model in models._asdict().items()
        if isinstance(model, Logistic)
    }
    whole = {
        **raw,
        "undecided": UNDECIDED,
        "least_short": round(bold, 4),
        "shares": models.shares,
    }
    args.out.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    print(f"answers.min_confidence {least:.3f}, least_short {bold:.3f}")
    print("shares", models.shares)
    for name, model in models._asdict().items():
        if isinstance(model, Logistic):
            weights = zip(model.names, model.weights.round(2).tolist(), strict=True)
            print(name, ", ".join(f"{n} {w:+.2f}" for n, w in weights))


def main() -> None:
    """Collect or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("collect")
    for name in ("data", "home", "out"):
        one.add_argument(name, type=Path)
    one.add_argument("--model", type=Path, default=confidence.MODEL)
    one.add_argument("--passages", type=int, default=12)
    one.set_defaults(run=collect)
    two = commands.add_parser("fit")
    two.add_argument("found", type=Path)
    two.add_argument("out", type=Path)
    two.add_argument("--refused", type=float, default=0.08, help="share of answerable ones")
    two.add_argument("--wrong", type=float, default=0.05, help="share of wrong bold answers")
    two.set_defaults(run=fit)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
